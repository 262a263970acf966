"""Do maps depend on the class that they are made for."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from neurons.explain.metrics.pairs import Found, as_maps, rows
from neurons.explain.metrics.randomisation import Similarity
from neurons.explain.metrics.similarity import spearman
from neurons.options import require

ExplainClass: TypeAlias = Callable[[Any, Any], Any]


class Discrimination(NamedTuple):
    """How alike the maps of different classes are.

    Args:
        similarity: `(batch,)` mean over the pairs of classes; NaN where a map is constant.
        identical: `(batch,)` bool, whether all classes share one map, up to rounding.
    """

    similarity: Found
    identical: Found


def random_logit(
    explain: ExplainClass,
    x: Any,
    target: Any,
    *,
    classes: int,
    similarity: Similarity = spearman,
    seed: int = 0,
) -> Found:
    """Similarity of the map of a class to the map of another class, drawn at random.

    Args:
        explain: `(x, target)` to one map per input, with `target` int `(batch,)`.
        x: the network's input.
        target: `(batch,)` int, the explained classes.
        classes: number of classes, at least 2.
        similarity: as for :func:`parameter_randomisation`.
        seed: draws the other classes.

    Returns:
        `(batch,)`, 1 where the map does not depend on the class; NaN for constant maps.

    Raises:
        ValueError: for fewer than 2 classes, targets out of range, or not one map per input.

    References:
        L. Sixt, M. Granz, T. Landgraf, When Explanations Lie, arXiv 1912.09818, 2020, section 5.
    """
    require("classes", classes, 2)
    chosen = np.asarray(target)
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer):
        raise ValueError(f"targets are whole numbers (batch,), got {chosen.dtype} {chosen.shape}")
    if ((chosen < 0) | (chosen >= classes)).any():
        raise ValueError(f"targets must lie in [0, {classes}), got {chosen.tolist()}")
    steps = np.random.default_rng(seed).integers(1, classes, len(chosen))
    other = ((chosen + steps) % classes).astype(chosen.dtype)
    return similarity(*(_maps(explain, x, each) for each in (chosen, other)))


def class_discrimination(
    explain: ExplainClass,
    x: Any,
    *,
    batch: int,
    classes: int,
    similarity: Similarity = spearman,
    tolerance: float = 1e-6,
) -> Discrimination:
    """Compare the maps of every pair of classes.

    Maps that are the same for all classes are the sign of a target that never reached the method,
    or of a method that takes none (EigenCAM).

    Args:
        explain: as for :func:`random_logit`.
        x: the network's input.
        batch: number of inputs.
        classes: number of classes, at least 2.
        similarity: as for :func:`random_logit`.
        tolerance: largest difference of equal maps, as a share of their largest magnitude.

    Returns:
        Similarity and whether the maps are identical; maps with NaN are not.

    Raises:
        ValueError: for fewer than 2 classes, or not one map per input.
    """
    require("classes", classes, 2)
    found = [_maps(explain, x, np.full(batch, c, np.int32)) for c in range(classes)]
    pairs = [similarity(a, b) for n, a in enumerate(found) for b in found[n + 1 :]]
    spread = np.ptp(np.stack(found), axis=0).max(axis=1)
    most = np.abs(np.stack(found)).max(axis=(0, 2))
    return Discrimination(np.mean(pairs, axis=0), spread <= tolerance * most)


def _maps(explain: ExplainClass, x: Any, target: np.ndarray) -> np.ndarray:
    found = as_maps(explain(x, target))
    if len(found) != len(target):
        raise ValueError(f"{len(target)} targets need as many maps, got shape {found.shape}")
    return rows(found).astype(np.float64)
