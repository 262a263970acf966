"""How concentrated a map is, whatever it shows: sparseness, entropy, number of pixels that count.

All metrics take the magnitude of the relevance and, but for the L1 form, do not change when the
map is multiplied by a number.
"""

import numpy as np

from neurons.explain.metrics.pairs import Found, Stack, as_maps, finite, ratio, rows, undefined
from neurons.options import require


def sparseness(maps: Stack) -> Found:
    """Gini index of the magnitudes, 0 for a constant map, `1 - 1/n` for a single pixel.

    With magnitudes `a_1 <= ... <= a_n`: `sum_i (2 i - n - 1) a_i / (n sum_i a_i)`.

    Args:
        maps: `(batch, *space)`.

    Returns:
        `(batch,)` in [0, 1); NaN for a map of zeros or with NaN.

    References:
        P. Chalasani et al., Concise Explanations of Neural Networks using Adversarial Training,
        arXiv 1810.06583, 2020, section 5.

    Example:
        >>> sparseness(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, -2.0]])).tolist()
        [0.0, 0.75]
    """
    magnitudes = _magnitudes(maps)
    pixels = magnitudes.shape[1]
    ranks = 2 * np.arange(1, pixels + 1) - pixels - 1
    weighed = (np.sort(magnitudes, axis=1) * ranks).sum(axis=1)
    return undefined(ratio(weighed, pixels * magnitudes.sum(axis=1)), magnitudes)


def complexity(maps: Stack) -> Found:
    """Entropy in nats of the magnitudes as shares of their sum.

    Args:
        maps: `(batch, *space)`.

    Returns:
        `(batch,)` from 0 for a single pixel to `ln n` for a constant map; NaN for a map of zeros
        or with NaN.

    References:
        U. Bhatt, A. Weller, J. M. F. Moura, Evaluating and Aggregating Feature-based Model
        Explanations, arXiv 2005.00631, 2020, section 2.
    """
    magnitudes = _magnitudes(maps)
    share = ratio(magnitudes, magnitudes.sum(axis=1, keepdims=True))
    return undefined(_entropy(share), share)


def effective_complexity(maps: Stack, *, threshold: float = 1e-2) -> Found:
    """Number of pixels whose magnitude exceeds a share of the largest one.

    Args:
        maps: `(batch, *space)`.
        threshold: share of the largest magnitude, in [0, 1).

    Returns:
        `(batch,)` from 0, for a map of zeros, to the number of pixels; NaN for a map with NaN.

    Raises:
        ValueError: for a threshold outside [0, 1).

    References:
        A.-P. Nguyen, M. R. Martínez, On quantitative aspects of model interpretability, arXiv
        2007.07584, 2020, section 4; there a pixel counts whose loss changes the prediction.
    """
    if not 0 <= threshold < 1:
        raise ValueError(
            f"threshold is a share of the largest magnitude in [0, 1), got {threshold}"
        )
    magnitudes = _magnitudes(maps)
    return undefined((magnitudes > threshold).sum(axis=1).astype(np.float64), magnitudes)


def histogram_entropy(maps: Stack, *, bins: int = 100) -> Found:
    """Entropy in nats of the histogram of a map's values, over equal bins between its extremes.

    Args:
        maps: `(batch, *space)`.
        bins: of the histogram.

    Returns:
        `(batch,)` from 0 for a constant map to `ln bins`; NaN for a map with values that are not
        finite.

    Raises:
        ValueError: without a bin.

    References:
        A. Hedström et al., Sanity Checks Revisited, arXiv 2401.06465, 2024, section 3.2.
    """
    require("bins", bins)
    values = finite(rows(as_maps(maps))).astype(np.float64)
    low = values.min(axis=1, keepdims=True)
    place = ratio(values - low, values.max(axis=1, keepdims=True) - low) * bins
    # The highest value belongs to the last bin.
    bin_of = np.minimum(np.nan_to_num(place), bins - 1).astype(int)
    flat = bin_of + bins * np.arange(len(values))[:, None]
    counts = np.bincount(flat.ravel(), minlength=bins * len(values)).reshape(len(values), bins)
    return undefined(_entropy(counts / max(values.shape[1], 1)), values)


def l1_complexity(maps: Stack) -> Found:
    """Mean magnitude, `sum |map| / n`: ARCC's complexity of a map that lies in [0, 1].

    Args:
        maps: `(batch, *space)`.

    Returns:
        `(batch,)`; NaN for a map with NaN.

    References:
        S. Poppi et al., Revisiting The Evaluation of Class Activation Mapping for Explainability,
        arXiv 2104.10252, 2021, section 4.
    """
    return np.abs(rows(as_maps(maps)).astype(np.float64)).mean(axis=1)


def _entropy(share: np.ndarray) -> np.ndarray:
    logarithm = np.log(share, out=np.zeros_like(share), where=share > 0)
    # From 0 and not from -0.
    return 0 - (share * logarithm).sum(axis=1)


def _magnitudes(maps: Stack) -> np.ndarray:
    """`(batch, pixels)` magnitudes over the largest of the map; zeros stay zeros."""
    found = np.abs(finite(rows(as_maps(maps))).astype(np.float64))
    most = found.max(axis=1, keepdims=True)
    return np.divide(found, most, out=found, where=most > 0)
