"""Maps as rankings of pixels: no threshold is chosen, all are.

Pixels of equal value enter together, so that no order among them is invented: a constant map
scores what chance scores.
"""

import numpy as np

from neurons.explain.metrics.pairs import Found, Stack, paired, ratio, rows, undefined
from neurons.explain.metrics.shapes import regions


def pixel_ap(maps: Stack, masks: Stack, *, pooled: bool = False) -> Found:
    """Average precision of the pixels: `sum_n (R_n - R_(n-1)) P_n` over falling thresholds.

    Args:
        maps: `(batch, *space)`; higher is more defective.
        masks: `(batch, *space)` bool.
        pooled: rank the pixels of all images together.

    Returns:
        `(batch,)`, or `()` if pooled, in [0, 1]; the mask's share of the pixels for a constant
        map; NaN for an empty mask or a map with NaN.

    Raises:
        ValueError: for maps and masks of different shapes.

    Example:
        >>> pixel_ap(np.array([[0.9, 0.8, 0.1]]), np.array([[1, 0, 1]])).round(3).tolist()
        [0.833]
    """
    values, truth = paired(maps, masks)
    values, truth = rows(values, pooled=pooled), rows(truth, pooled=pooled)
    found, other = _rising(values, truth, ~truth)
    precision = found[:, 1:] / (found[:, 1:] + other[:, 1:])
    total = ratio((np.diff(found, axis=1) * precision).sum(axis=1), found[:, -1])
    return _shaped(undefined(total, values), pooled)


def auc(maps: Stack, masks: Stack, *, pooled: bool = False) -> Found:
    """Area under the ROC curve: the chance that a defect pixel outranks another, ties half.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.
        pooled: rank the pixels of all images together.

    Returns:
        `(batch,)`, or `()` if pooled, in [0, 1]; 0.5 for a constant map; NaN for an empty or full
        mask, or a map with NaN.

    Raises:
        ValueError: for maps and masks of different shapes.
    """
    values, truth = paired(maps, masks)
    values, truth = rows(values, pooled=pooled), rows(truth, pooled=pooled)
    found, other = _rising(values, truth, ~truth)
    area = ratio(_area(found, other, other[:, -1:]), found[:, -1] * other[:, -1])
    return _shaped(undefined(area, values), pooled)


def aupro(maps: Stack, masks: Stack, *, limit: float = 0.3, pooled: bool = False) -> Found:
    """Area under the per-region overlap, up to a rate of false positives, over that rate.

    The overlap at a threshold is the mean over true regions of the share that is marked: small
    regions count as much as large ones. The rate is the share of the pixels outside every mask
    that is marked. Between thresholds, and at the limit, the curve is linear.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool; regions touch over corners.
        limit: rate of false positives in (0, 1].
        pooled: one threshold for all images and the mean over all their regions, as in the
            benchmark; images without a defect then add false positives.

    Returns:
        `(batch,)`, or `()` if pooled, in [0, 1]; `limit / 2` for a constant map; NaN without a
        region, without a pixel outside, or for a map with NaN.

    Raises:
        ValueError: for a limit outside (0, 1], or maps and masks of different shapes.

    References:
        P. Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 129, 2021, section 4.
    """
    if not 0 < limit <= 1:
        raise ValueError(f"limit is a rate of false positives in (0, 1], got {limit}")
    values, truth = paired(maps, masks)
    weights, outside = rows(_region_weights(truth), pooled=pooled), rows(~truth, pooled=pooled)
    values = rows(values, pooled=pooled)
    overlap, other = _rising(values, weights, outside)
    cut = limit * other[:, -1:]
    area = ratio(_area(overlap, other, cut), overlap[:, -1] * cut[:, 0])
    return _shaped(undefined(area, values), pooled)


def share_of_top(values: np.ndarray, truth: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Expected share of the `count` highest values that is true, ties broken by chance.

    Args:
        values: `(batch, pixels)`.
        truth: `(batch, pixels)` bool.
        count: `(batch,)` how many, at least 1.

    Returns:
        `(batch,)` in [0, 1]; NaN for rows with NaN.
    """
    cut = np.take_along_axis(-np.sort(-values, axis=1), count[:, None] - 1, axis=1)
    above, level = values > cut, values == cut
    sure, tied = (above & truth).sum(axis=1), (level & truth).sum(axis=1)
    room = count - above.sum(axis=1)
    return undefined((sure + room * ratio(tied, level.sum(axis=1))) / count, values)


def _rising(
    values: np.ndarray, gain: np.ndarray, cost: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of `gain` and `cost` over the pixels at or above each value, highest value first.

    Returns:
        Two arrays `(batch, pixels + 1)` from 0 to the totals; pixels of equal value share theirs.
    """
    order = np.argsort(-values, axis=1)
    ranked = np.take_along_axis(values, order, axis=1)
    pixels = values.shape[1]
    last = np.full(values.shape, pixels - 1)
    differs = ranked[:, 1:] != ranked[:, :-1]
    last[:, :-1] = np.where(differs, np.arange(pixels - 1), pixels - 1)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    return _summed(gain, order, last), _summed(cost, order, last)


def _summed(weights: np.ndarray, order: np.ndarray, last: np.ndarray) -> np.ndarray:
    sums = np.take_along_axis(weights, order, axis=1).cumsum(axis=1, dtype=np.float64)
    return np.pad(np.take_along_axis(sums, last, axis=1), [(0, 0), (1, 0)])


def _area(height: np.ndarray, along: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """Area of the polygon under `height` over `along`, up to `cut`."""
    width, start = np.diff(along, axis=1), along[:, :-1]
    inside = np.clip(ratio(cut - start, width), 0, 1)  # NaN where the curve rises straight up
    low = height[:, :-1]
    mean = low + inside * np.diff(height, axis=1) / 2
    return np.where(width > 0, inside * width * mean, 0).sum(axis=1)


def _region_weights(truth: np.ndarray) -> np.ndarray:
    """One over the size of the region that a pixel lies in, 0 outside."""
    labels, _ = regions(truth)
    sizes = np.bincount(labels.ravel(), minlength=1).astype(np.float64)
    sizes[0] = np.inf
    return (1 / sizes)[labels]


def _shaped(found: np.ndarray, pooled: bool) -> np.ndarray:
    return found.reshape(()) if pooled else found
