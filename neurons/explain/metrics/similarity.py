"""How alike two maps are: correlation of values and of ranks."""

import numpy as np
from scipy import stats

from neurons.explain.metrics.pairs import Found, Stack, as_maps, ratio, rows


def pearson(a: Stack, b: Stack) -> Found:
    """Pearson's correlation of the pixels of two maps.

    Args:
        a: `(batch, *space)`.
        b: as `a`.

    Returns:
        `(batch,)` in [-1, 1]; NaN where a map is constant or holds NaN.

    Raises:
        ValueError: for different shapes.
    """
    first, second = _both(a, b)
    return _correlation(first, second)


def spearman(a: Stack, b: Stack) -> Found:
    """Spearman's correlation of the ranks of the pixels, equal pixels at their mean rank.

    Arguments, result and errors as for :func:`pearson`.

    Example:
        >>> spearman(np.array([[1.0, 2.0, 9.0]]), np.array([[0.1, 0.2, 0.3]])).round(6).tolist()
        [1.0]
    """
    first, second = _both(a, b)
    ordered = [stats.rankdata(each, axis=1, nan_policy="propagate") for each in (first, second)]
    return _correlation(*ordered)


def _both(a: Stack, b: Stack) -> tuple[np.ndarray, np.ndarray]:
    first, second = as_maps(a), as_maps(b)
    if first.shape != second.shape:
        raise ValueError(f"maps to compare must share a shape: {first.shape}, {second.shape}")
    return rows(first), rows(second)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    first, second = _unit(a), _unit(b)
    return np.clip((first * second).sum(axis=1), -1, 1)


def _unit(values: np.ndarray) -> np.ndarray:
    """Deviations from the mean over their length; NaN for constant rows, exactly."""
    lowest = values.min(axis=1, keepdims=True)
    spread = (values.max(axis=1, keepdims=True) - lowest).astype(np.float64)
    scaled = ratio(values - lowest, spread)
    centred = scaled - scaled.mean(axis=1, keepdims=True)
    return ratio(centred, np.sqrt((centred**2).sum(axis=1, keepdims=True)))
