"""Classification scores of the bearing papers, in percent."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int


class Scores(NamedTuple):
    """Macro averages over classes, in percent.

    Args:
        f1: mean of 2 TP / (2 TP + FP + FN).
        precision: mean of TP / (TP + FP).
        recall: mean of TP / (TP + FN), the fault detection rate.
        false_positive_rate: mean of FP / (FP + TN).
    """

    f1: float
    precision: float
    recall: float
    false_positive_rate: float


def macro_scores(
    labels: Int[np.ndarray, " examples"], predicted: Int[np.ndarray, " examples"], classes: int
) -> Scores:
    """Macro scores; a ratio without a denominator counts as 0, as in scikit-learn.

    Args:
        labels: true classes.
        predicted: predicted classes.
        classes: number of classes.

    Raises:
        ValueError: for different lengths, no example, or labels outside [0, classes).

    Example:
        >>> macro_scores(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 2).recall
        75.0
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.shape != predicted.shape or labels.size == 0:
        raise ValueError(f"needs equally many labels: {labels.shape}, {predicted.shape}")
    both = np.concatenate([labels, predicted])
    if both.min() < 0 or both.max() >= classes:
        raise ValueError(f"labels must lie in [0, {classes}), got {both.min()} to {both.max()}")
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2)
    confusion = confusion.reshape(classes, classes)
    hits = np.diag(confusion).astype(float)
    actual, claimed = confusion.sum(axis=1), confusion.sum(axis=0)
    false_alarms, others = claimed - hits, labels.size - actual
    return Scores(
        _mean_ratio(2 * hits, actual + claimed),
        _mean_ratio(hits, claimed),
        _mean_ratio(hits, actual),
        _mean_ratio(false_alarms, others),
    )


def _mean_ratio(part: np.ndarray, whole: np.ndarray) -> float:
    ratio = np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
    return 100 * float(ratio.mean())
