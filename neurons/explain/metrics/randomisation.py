"""Sanity check: maps must change when the network's parameters do."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from neurons.explain.metrics.complexity import histogram_entropy
from neurons.explain.metrics.layers import exchanged, layer_names, layers_by_use, shuffled
from neurons.explain.metrics.pairs import Found, as_maps, ratio, rows
from neurons.explain.metrics.similarity import spearman
from neurons.options import require

Similarity: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
ExplainModel: TypeAlias = Callable[[Any, Any], Any]


class Randomisation(NamedTuple):
    """How alike the maps of a network stay while its layers become random.

    Args:
        layers: names of the layers, in the order in which they became random.
        similarity: `(layers, batch)` of the maps to those of the network as given; NaN where a map
            is constant.
    """

    layers: tuple[str, ...]
    similarity: Found


def parameter_randomisation(
    model: Any,
    explain: ExplainModel,
    x: Any,
    *,
    fresh: Any = None,
    layers: Sequence[str] | None = None,
    order: Literal["top_down", "bottom_up"] = "top_down",
    cascade: bool = True,
    similarity: Similarity = spearman,
    samples: int = 1,
    noise: float = 0.0,
    seed: int = 0,
) -> Randomisation:
    """Compare the maps of a network with those of the network with random layers.

    A layer is a module with parameters of its own; its running statistics stay. A map that hardly
    changes does not depend on what the network has learned.

    Args:
        model: any `nnx.Module`; left as it was.
        explain: `(model, x)` to one map per input.
        x: the network's input.
        fresh: a network of the same structure whose parameters are taken; by default every
            parameter keeps its own values in random order.
        layers: names from input to output, of layers ("parts.0.conv") or of blocks ("parts.0"),
            see :func:`layers_by_use`; by default all layers in the order in which `model(x)` uses
            them.
        order: from the output down, or from the input up.
        cascade: layers stay random once they are; else one layer at a time.
        similarity: of two stacks of maps, `(batch, pixels)`, as `spearman` or `pearson`.
        samples: maps are means over so many noisy inputs (smooth MPRT).
        noise: standard deviation of the inputs' noise.
        seed: of parameters and noise.

    Returns:
        Names and similarities; with a cascade the last row is the fully random network's.

    Raises:
        ValueError: for an unknown layer or order, a network without parameters, a fresh network of
            another structure, or not one map per input.

    References:
        J. Adebayo et al., Sanity Checks for Saliency Maps, arXiv 1810.03292, 2018, section 3; A.
        Hedström et al., Sanity Checks Revisited, arXiv 2401.06465, 2024, section 3.
    """
    if order not in ("top_down", "bottom_up"):
        raise ValueError(f'order must be "top_down" or "bottom_up", got {order!r}')
    require("samples", samples)
    names = layers_by_use(model, x) if layers is None else tuple(layers)
    ordered = tuple(reversed(names)) if order == "top_down" else names
    other = shuffled(model, seed) if fresh is None else fresh
    inputs = _noisy(x, samples, noise, seed)
    original, found = _mean_map(model, explain, inputs), []
    for number, name in enumerate(ordered):
        mixed = exchanged(model, other, ordered[: number + 1] if cascade else [name])
        found.append(similarity(original, _mean_map(mixed, explain, inputs)))
    return Randomisation(ordered, np.stack(found))


def efficient_randomisation(
    model: Any, explain: ExplainModel, x: Any, *, fresh: Any = None, bins: int = 100, seed: int = 0
) -> Found:
    """Rise in complexity from the network's maps to the fully random network's, eMPRT.

    `(H(random) - H(given)) / H(given)`, with H the entropy of a map's histogram: no similarity is
    needed, and noise should look more complex than an explanation.

    Args:
        model: as for :func:`parameter_randomisation`.
        explain: as for :func:`parameter_randomisation`.
        x: the network's input.
        fresh: as for :func:`parameter_randomisation`.
        bins: of the histogram.
        seed: of the parameters.

    Returns:
        `(batch,)`, positive for a map that passes; NaN for constant maps.

    Raises:
        ValueError: as for :func:`parameter_randomisation`.

    References:
        A. Hedström et al., Sanity Checks Revisited, arXiv 2401.06465, 2024, section 3.2.
    """
    other = shuffled(model, seed) if fresh is None else fresh
    mixed = exchanged(model, other, layer_names(model))
    given, random = (
        histogram_entropy(_mean_map(each, explain, [x]), bins=bins) for each in (model, mixed)
    )
    return ratio(random - given, given)


def _noisy(x: Any, samples: int, noise: float, seed: int) -> list[Any]:
    """The input alone, or several with noise: the same for all networks."""
    if not noise >= 0 or (samples > 1) != (noise > 0):
        raise ValueError(
            f"noise above 0 goes with several samples, got noise {noise}, samples {samples}"
        )
    if samples == 1:
        return [x]
    given, rng = np.asarray(x), np.random.default_rng(seed)
    drawn = rng.normal(scale=noise, size=(samples, *given.shape))
    return [given + each.astype(given.dtype) for each in drawn]


def _mean_map(model: Any, explain: ExplainModel, inputs: Sequence[Any]) -> np.ndarray:
    """`(batch, pixels)`."""
    found = [rows(as_maps(explain(model, x))).astype(np.float64) for x in inputs]
    return np.mean(found, axis=0)
