"""Coherency, and harmonic means that judge an explanation by one number."""

from collections.abc import Sequence

import numpy as np

from neurons.explain.metrics.faithfulness import average_drop, masked
from neurons.explain.metrics.models import Explain, Scores, as_inputs, explained
from neurons.explain.metrics.pairs import Found, Stack, ratio, rows
from neurons.explain.metrics.road import FRACTIONS, road
from neurons.explain.metrics.similarity import pearson


def coherency(explain: Explain, x: Stack) -> Found:
    """Correlation of a map with the map of the input multiplied by it, from 0 to 1.

    `(1 + Pearson(M(x), M(x * M(x)))) / 2`.

    Args:
        explain: `(batch, *space, channels)` to maps `(batch, *space)` in [0, 1], at the inputs'
            size.
        x: `(batch, *space, channels)`.

    Returns:
        `(batch,)`, 1 if the map survives; NaN for constant maps or maps with NaN.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: for maps outside [0, 1] or of another size.

    References:
        S. Poppi et al., Revisiting The Evaluation of Class Activation Mapping for Explainability,
        arXiv 2104.10252, 2021, section 4.
    """
    images = as_inputs(x)
    found = _maps(explain, images)
    again = explained(explain, masked(images, found))
    return (1 + pearson(rows(found), again)) / 2


def adcc(scores: Scores, explain: Explain, x: Stack) -> Found:
    """Average drop, coherency and complexity in one number, their harmonic mean.

    `3 / (1 / coherency + 1 / (1 - complexity) + 1 / (1 - drop))`, with the mean relevance as
    complexity; 0 where one of the three is at its worst.

    Args:
        scores: as for :func:`average_drop`.
        explain: as for :func:`coherency`.
        x: `(batch, *space, channels)`.

    Returns:
        `(batch,)` in [0, 1]; NaN where one of the three is undefined.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: as for the parts.

    References:
        As for :func:`coherency`, section 5.
    """
    images = as_inputs(x)
    found = _maps(explain, images)
    drop = np.minimum(average_drop(scores, images, found), 1)
    return _harmonic([coherency(explain, images), 1 - rows(found).mean(axis=1), 1 - drop])


def arcc(
    scores: Scores,
    explain: Explain,
    x: Stack,
    *,
    fractions: Sequence[float] = FRACTIONS,
    noise: float = 0.01,
    seed: int = 0,
) -> Found:
    """ROAD, coherency and complexity in one number, their harmonic mean.

    As :func:`adcc` with `2 ROAD` cut to [0, 1] in place of `1 - drop`: pixels are imputed instead
    of blackened.

    Args:
        scores: probabilities, as for :func:`road`.
        explain: as for :func:`coherency`.
        x: `(batch, height, width, channels)`.
        fractions: as for :func:`road`.
        noise: as for :func:`road`.
        seed: as for :func:`road`.

    Returns:
        `(batch,)` in [0, 1]; NaN where one of the three is undefined.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: as for the parts.

    References:
        arXiv 2605.14641, 2026, as pytorch-grad-cam 1.5.7 computes it; its documentation calls the
        mean geometric.
    """
    images = as_inputs(x)
    found = _maps(explain, images)
    faithful = road(scores, images, found, fractions=fractions, noise=noise, seed=seed).combined
    parts = [coherency(explain, images), 1 - rows(found).mean(axis=1), np.clip(2 * faithful, 0, 1)]
    return _harmonic(parts)


def _maps(explain: Explain, x: np.ndarray) -> np.ndarray:
    return explained(explain, x).reshape(x.shape[:-1])


def _harmonic(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Harmonic mean of numbers in [0, 1]; 0 where one of them is."""
    found = np.stack(parts)
    worst = found.min(axis=0)
    mean = len(parts) / ratio(1.0, np.where(worst > 0, found, 1)).sum(axis=0)
    return np.where(np.isnan(worst), np.nan, np.where(worst > 0, mean, 0.0))
