"""Is the relevance where the defect is: mass, ranks, the highest point.

Where a map is tied, the metrics give the mean over all ways to break the ties: a constant map
scores what chance scores, on every machine.
"""

import numpy as np

from neurons.explain.metrics.pairs import Found, Stack, finite, paired, ratio, rows, undefined
from neurons.explain.metrics.ranking import share_of_top
from neurons.explain.metrics.shapes import dilated


def relevance_mass(maps: Stack, masks: Stack) -> Found:
    """Positive relevance inside the mask over all positive relevance.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.

    Returns:
        `(batch,)` in [0, 1]; NaN for an empty mask, or a map without positive values or with values
        that are not finite.

    Raises:
        ValueError: for maps and masks of different shapes.

    References:
        L. Arras, A. Osman, W. Samek, CLEVR-XAI: a benchmark dataset for the ground truth
        evaluation of neural network explanations, Information Fusion 81, 2022, section 3.

    Example:
        >>> relevance_mass(np.array([[3.0, 1.0, -5.0]]), np.array([[1, 0, 1]])).tolist()
        [0.75]
    """
    values, truth = _flat(maps, masks)
    values = finite(values)
    positive = np.maximum(values, 0).astype(np.float64)
    # Relevance may be as large as its precision allows: the sums must stay finite.
    positive = ratio(positive, positive.max(axis=1, keepdims=True))
    share = ratio((positive * truth).sum(axis=1), positive.sum(axis=1))
    return undefined(np.where(truth.any(axis=1), share, np.nan), values)


def relevance_rank(maps: Stack, masks: Stack) -> Found:
    """Share of the mask's n pixels that are among the n pixels of highest relevance.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.

    Returns:
        `(batch,)` in [0, 1]; NaN for an empty mask or a map with NaN.

    Raises:
        ValueError: for maps and masks of different shapes.

    References:
        As for :func:`relevance_mass`.
    """
    values, truth = _flat(maps, masks)
    size = truth.sum(axis=1)
    found = share_of_top(values, truth, np.maximum(size, 1))
    return np.where(size > 0, found, np.nan)


def top_k_intersection(maps: Stack, masks: Stack, k: int) -> Found:
    """Share of the `k` pixels of highest relevance that lie in the mask.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.
        k: number of pixels.

    Returns:
        `(batch,)` in [0, 1]; NaN for an empty mask or a map with NaN.

    Raises:
        ValueError: for `k` below 1 or above the number of pixels, or maps and masks of different
            shapes.

    References:
        J. Theiner, E. Müller-Budack, R. Ewerth, Interpretable Semantic Photo Geolocation, WACV
        2022.
    """
    values, truth = _flat(maps, masks)
    if not 1 <= k <= values.shape[1]:
        raise ValueError(f"k must lie in [1, {values.shape[1]}], got {k}")
    found = share_of_top(values, truth, np.full(len(values), k))
    return np.where(truth.any(axis=1), found, np.nan)


def pointing_game(maps: Stack, masks: Stack, *, tolerance: float = 0.0) -> Found:
    """Does the highest point of the map lie in the mask, or close to it?

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.
        tolerance: Euclidean distance to the mask that still counts, pixels; the paper takes 15.

    Returns:
        `(batch,)` 1 or 0, the share of the highest points that hit if there are several; NaN for
        an empty mask or a map with NaN.

    Raises:
        ValueError: for a negative tolerance, or maps and masks of different shapes.

    References:
        J. Zhang et al., Top-down Neural Attention by Excitation Backprop, arXiv 1608.00507, 2016,
        section 4.2.
    """
    values, truth = paired(maps, masks)
    near = rows(dilated(truth, tolerance))
    values = rows(values)
    found = share_of_top(values, near, _peaks(values))
    return np.where(near.any(axis=1), found, np.nan)


def _peaks(values: np.ndarray) -> np.ndarray:
    """How many pixels share the highest value; at least 1, for rows with NaN."""
    return np.maximum((values == values.max(axis=1, keepdims=True)).sum(axis=1), 1)


def _flat(maps: Stack, masks: Stack) -> tuple[np.ndarray, np.ndarray]:
    values, truth = paired(maps, masks)
    return rows(values), rows(truth)
