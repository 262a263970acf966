"""Does the network look where the map says: remove it, restore it, keep nothing else."""

import math
from typing import Any, Literal, NamedTuple

import numpy as np

from neurons.explain.metrics.models import (
    Baseline,
    Scores,
    as_inputs,
    beside,
    ranks,
    scored,
)
from neurons.explain.metrics.pairs import Found, Stack, ratio, rows, undefined
from neurons.options import require


class Curve(NamedTuple):
    """Scores while pixels are replaced in the order of a map.

    Args:
        fractions: `(points,)` share of the pixels replaced, from 0 to 1.
        scores: `(batch, points)`.
    """

    fractions: Found
    scores: Found

    @property
    def area(self) -> Found:
        """`(batch,)` area under the curve, by trapezoids: a mean score."""
        return np.trapezoid(self.scores, self.fractions, axis=1)


def replacement_curve(
    scores: Scores,
    x: Stack,
    maps: Stack,
    *,
    kind: Literal["deletion", "insertion"] = "deletion",
    steps: int = 20,
    baseline: Baseline = 0.0,
    seed: int = 0,
) -> Curve:
    """Scores while pixels are replaced, all channels at once, the most relevant first.

    Args:
        scores: `(batch, *space, channels)` to `(batch,)`; probabilities in the paper.
        x: `(batch, *space, channels)`.
        maps: `(batch, *space)` at the inputs' size.
        kind: "deletion" puts the baseline in the input's place; "insertion" the input in the
            baseline's, which in the paper is a blurred input.
        steps: most intervals of the curve.
        baseline: a number, or an array that broadcasts to `x`.
        seed: orders pixels of equal relevance.

    Returns:
        The curve; NaN for maps with NaN.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: for an unknown kind, maps of another size, scores of another shape, or no step.

    References:
        V. Petsiuk, A. Das, K. Saenko, RISE: Randomized Input Sampling for Explanation of Black-box
        Models, arXiv 1806.07421, 2018, section 4.3.
    """
    if kind not in ("deletion", "insertion"):
        raise ValueError(f'kind must be "deletion" or "insertion", got {kind!r}')
    require("steps", steps)
    images = as_inputs(x)
    lying = beside(maps, images)
    places = ranks(lying, seed)
    blank = np.broadcast_to(np.asarray(baseline, images.dtype), images.shape)
    before, after = (images, blank) if kind == "deletion" else (blank, images)
    pixels = math.prod(lying.shape[1:])
    counts = [*range(0, pixels, -(-pixels // steps)), pixels]
    found = [
        scored(scores, np.where((places < count)[..., None], after, before)) for count in counts
    ]
    return Curve(np.array(counts) / pixels, undefined(np.stack(found), rows(lying)).T)


def deletion(scores: Scores, x: Stack, maps: Stack, **options: Any) -> Found:
    """Area under the deletion curve, `(batch,)`: the lower, the more faithful.

    Arguments, options, errors and reference as for :func:`replacement_curve`.

    Example:
        >>> x = np.array([[[3.0], [1.0]]])
        >>> deletion(lambda x: x.sum(axis=(1, 2)), x, np.array([[2.0, 1.0]])).tolist()
        [1.5]
    """
    return replacement_curve(scores, x, maps, kind="deletion", **options).area


def insertion(scores: Scores, x: Stack, maps: Stack, **options: Any) -> Found:
    """Area under the insertion curve, `(batch,)`: the higher, the more faithful.

    Arguments, options, errors and reference as for :func:`replacement_curve`.
    """
    return replacement_curve(scores, x, maps, kind="insertion", **options).area


def average_drop(scores: Scores, x: Stack, maps: Stack) -> Found:
    """Relative loss of score when the input is multiplied by its map, `max(0, y - y') / y`.

    Args:
        scores: `(batch, *space, channels)` to `(batch,)`; a probability, or a positive logit.
        x: `(batch, *space, channels)`.
        maps: `(batch, *space)` in [0, 1], at the inputs' size.

    Returns:
        `(batch,)`, whose mean is the average drop; NaN for scores that are not positive, or maps
        with NaN.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: for maps outside [0, 1] or of another size, or scores of another shape.

    References:
        A. Chattopadhay et al., Grad-CAM++, arXiv 1710.11063, 2018, section 4.1.
    """
    before, after = _kept(scores, x, maps)
    positive = np.where(before > 0, before, np.nan)
    return np.maximum(ratio(before - after, positive), 0)


def increase_in_confidence(scores: Scores, x: Stack, maps: Stack) -> Found:
    """Whether the score rises when the input is multiplied by its map.

    Arguments, errors and reference as for :func:`average_drop`.

    Returns:
        `(batch,)` 1 or 0, whose mean is the share of such inputs; NaN for scores that are no
        numbers, or maps with NaN.
    """
    before, after = _kept(scores, x, maps)
    known = ~np.isnan(before + after)
    return np.where(known, (before < after).astype(np.float64), np.nan)


def _kept(scores: Scores, x: Stack, maps: Stack) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the inputs, and of the inputs times their maps."""
    images = as_inputs(x)
    lying = beside(maps, images)
    before, after = scored(scores, images), scored(scores, masked(images, lying))
    return undefined(before, rows(lying)), after


def masked(x: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Inputs times maps that lie over them.

    Raises:
        ValueError: for maps outside [0, 1].
    """
    if ((maps < 0) | (maps > 1)).any():
        raise ValueError("maps must lie in [0, 1] to be multiplied with the input")
    return x * maps[..., None].astype(x.dtype)
