"""Do attributions add up: to a change of score (completeness), to every change (infidelity)."""

from typing import Literal, TypeAlias

import numpy as np

from neurons.explain.metrics.models import Baseline, Scores, as_inputs, scored
from neurons.explain.metrics.pairs import Found, Stack, as_maps, ratio, rows
from neurons.options import require

Change: TypeAlias = Literal["noise", "patches"]


def completeness(scores: Scores, x: Stack, maps: Stack, *, baseline: Baseline = 0.0) -> Found:
    """What the attributions leave unexplained: `sum M - (f(x) - f(baseline))`.

    Args:
        scores: `(batch, *space, channels)` to `(batch,)`.
        x: `(batch, *space, channels)`.
        maps: `(batch, ...)` attributions of any shape.
        baseline: a number, or an array that broadcasts to `x`.

    Returns:
        `(batch,)` in the score's unit, 0 for complete attributions.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: for scores of another shape, or not one map per input.

    References:
        M. Sundararajan, A. Taly, Q. Yan, Axiomatic Attribution for Deep Networks, arXiv
        1703.01365, 2017, section 3.

    Example:
        >>> x = np.array([[[1.0], [2.0]]])
        >>> completeness(lambda x: 3 * x.sum(axis=(1, 2)), x, 3 * x[..., 0]).tolist()
        [0.0]
    """
    images = as_inputs(x)
    attributed = _attributions(maps, images).sum(axis=1)
    blank = np.broadcast_to(np.asarray(baseline, images.dtype), images.shape)
    return attributed - (scored(scores, images) - scored(scores, blank))


def infidelity(
    scores: Scores,
    x: Stack,
    maps: Stack,
    *,
    change: Change = "noise",
    size: float = 0.1,
    samples: int = 20,
    scaled: bool = False,
    seed: int = 0,
) -> Found:
    """Mean square of `I . M - (f(x) - f(x - I))` over random changes I of the input.

    Args:
        scores: `(batch, *space, channels)` to `(batch,)`.
        x: `(batch, *space, channels)`.
        maps: attributions, `(batch, *space, channels)`, or `(batch, *space)` for all channels
            alike.
        change: "noise" subtracts Gaussian noise; "patches" sets a random square (or segment, or
            cube) to zero, in all channels.
        size: the noise's standard deviation, in the input's unit; or the patch's side as a share
            of the shortest side of the input.
        samples: changes per input.
        scaled: multiply the attributions by the number that makes the result least, so that only
            their proportions count.
        seed: of the changes.

    Returns:
        `(batch,)` in the score's unit squared; 0 for the gradient of a linear score, under noise.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: for an unknown change, a size or number of samples that is not positive, maps
            of another size, or scores of another shape.

    References:
        C.-K. Yeh et al., On the (In)fidelity and Sensitivity of Explanations, arXiv 1901.09392,
        2019, section 2.
    """
    if change not in ("noise", "patches"):
        raise ValueError(f'change must be "noise" or "patches", got {change!r}')
    if not 0 < size < np.inf or (change == "patches" and size > 1):
        raise ValueError(f"size must be positive, for patches at most 1, got {size}")
    require("samples", samples)
    images = as_inputs(x)
    attributed = as_maps(maps).astype(np.float64)
    if attributed.shape not in (images.shape, images.shape[:-1]):
        raise ValueError(f"maps must have the inputs' size {images.shape}, got {attributed.shape}")
    attributed = attributed.reshape(*images.shape[:-1], -1)
    before, rng = scored(scores, images), np.random.default_rng(seed)
    expected, found = np.empty((2, samples, len(images)))
    for number in range(samples):
        after = _changed(images, change, size, rng)
        step = (images - after).astype(np.float64)
        expected[number] = rows(step * attributed).sum(axis=1)
        found[number] = before - scored(scores, after)
    if scaled:
        fit = ratio((expected * found).sum(axis=0), (expected**2).sum(axis=0))
        expected = expected * np.where((expected == 0).all(axis=0), 0.0, fit)
    return ((expected - found) ** 2).mean(axis=0)


def _changed(x: np.ndarray, change: Change, size: float, rng: np.random.Generator) -> np.ndarray:
    if change == "noise":
        return x - rng.normal(scale=size, size=x.shape).astype(x.dtype)
    space = x.shape[1:-1]
    side = max(1, round(size * min(space)))
    inside = np.ones(x.shape[:-1], bool)
    for axis, length in enumerate(space):
        start = rng.integers(0, length - side + 1, len(x))[:, None]
        along = (np.arange(length) >= start) & (np.arange(length) < start + side)
        inside &= along.reshape(len(x), *[length if a == axis else 1 for a in range(len(space))])
    return np.where(inside[..., None], x.dtype.type(0), x)


def _attributions(maps: Stack, x: np.ndarray) -> np.ndarray:
    found = as_maps(maps)
    if len(found) != len(x):
        raise ValueError(f"{len(x)} inputs need as many maps, got shape {found.shape}")
    return rows(found).astype(np.float64)
