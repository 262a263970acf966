"""How well scores tell anomalies: without a threshold, and at the papers' threshold.

A larger score is more anomalous throughout. All numbers are shares from 0 to 1, as the papers
print them.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from theory.claims.scores import macro_scores

Average = Literal["macro", "binary"]
Labels = Bool[np.ndarray, " rows"]
RowScores = Float[np.ndarray, " rows"]


class Detection(NamedTuple):
    """What a threshold makes of scores, shares from 0 to 1.

    Args:
        precision: flagged rows that are anomalous.
        recall: anomalous rows that are flagged.
        f1: harmonic mean of the two; the mean over both classes of it, where macro.
    """

    precision: float
    recall: float
    f1: float


def roc_auc(labels: Labels, scores: RowScores) -> float:
    """Area under the receiver operating characteristic.

    The chance that an anomalous row scores above a normal one, ties counted half: with ranks R of
    the scores, `(sum of R over the p anomalies - p (p + 1) / 2) / (p n)`.

    Args:
        labels: True for an anomaly.
        scores: larger is more anomalous; infinity is allowed.

    Raises:
        ValueError: For different lengths, NaN, or labels of one kind only.

    Example:
        >>> roc_auc(np.array([False, False, True]), np.array([0.1, 0.4, 0.4]))
        0.75
    """
    _check(labels, scores)
    bad, good = int(labels.sum()), int((~labels).sum())
    ranks = float(rankdata(scores)[labels].sum())
    return (ranks - bad * (bad + 1) / 2) / (bad * good)


def average_precision(labels: Labels, scores: RowScores) -> float:
    """Sum over thresholds of precision times the gain in recall; rows of one score come together.

    Args:
        labels: True for an anomaly.
        scores: larger is more anomalous.

    Raises:
        ValueError: For different lengths, NaN, or labels of one kind only.

    Example:
        >>> average_precision(np.array([True, False, True]), np.array([3.0, 2.0, 1.0])).__round__(4)
        0.8333
    """
    _check(labels, scores)
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of equal scores
    hits = np.cumsum(labels[order])[last]
    gains = np.diff(hits, prepend=0) / labels.sum()
    return float((gains * hits / (last + 1)).sum())


def threshold(scores: RowScores, contamination: float) -> float:
    """The `(1 - contamination)` quantile of the training scores, as PyOD and the paper set it.

    Args:
        scores: of the training rows.
        contamination: expected share of anomalies, from 0 to 1.

    Raises:
        ValueError: For no score, NaN, or a share out of range.
    """
    if not 0 <= contamination <= 1:
        raise ValueError(f"contamination is {contamination!r}; allowed: 0 to 1")
    if scores.size == 0 or np.isnan(scores).any():
        raise ValueError(
            f"scores must be numbers, at least one; got {scores.size} with NaN or none"
        )
    return float(np.quantile(scores, 1 - contamination))


def detection(labels: Labels, flagged: Labels, average: Average = "binary") -> Detection:
    """Precision, recall and F1; a ratio without a denominator counts as 0, as in scikit-learn.

    Args:
        labels: True for an anomaly.
        flagged: True where the score is above the threshold.
        average: `"binary"` looks at the anomalies only; `"macro"` takes the mean over anomalies
            and normal rows, which is higher wherever anomalies are few.

    Raises:
        ValueError: For different lengths, no row, or another average.

    Example:
        >>> truth, found = np.array([True, True, False]), np.array([True, False, False])
        >>> detection(truth, found).recall, detection(truth, found, "macro").recall
        (0.5, 0.75)
    """
    if average not in get_args(Average):
        raise ValueError(f"average is {average!r}; allowed: {', '.join(get_args(Average))}")
    macro = macro_scores(labels.astype(np.int64), flagged.astype(np.int64), 2)
    if average == "macro":
        return Detection(macro.precision / 100, macro.recall / 100, macro.f1 / 100)
    hits, alarms, bad = (int(rows.sum()) for rows in (labels & flagged, flagged, labels))
    return Detection(_share(hits, alarms), _share(hits, bad), _share(2 * hits, alarms + bad))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _check(labels: Labels, scores: RowScores) -> None:
    if labels.shape != scores.shape:
        raise ValueError(f"needs a score a label: {labels.shape} labels, {scores.shape} scores")
    if np.isnan(scores).any():
        raise ValueError(f"scores must be numbers; {np.isnan(scores).sum()} are NaN")
    if labels.all() or not labels.any():
        raise ValueError(f"needs both kinds of rows: {labels.sum()} of {labels.size} are anomalous")
