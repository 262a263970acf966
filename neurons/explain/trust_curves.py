"""What a score of doubt costs and finds: missed defects flagged against good parts flagged.

Among the images that a classifier calls normal, "missed" are the false negatives, the others are
true negatives. An image is flagged where its score is above a threshold; the cost of a threshold is
the share of the true negatives that it flags, its recall that of the missed defects.
"""

import math
from typing import NamedTuple

import numpy as np
from jax import Array
from jaxtyping import Bool, Float
from scipy import special

from neurons.explain.metrics.pairs import ratio
from neurons.explain.metrics.ranking import auc, pixel_ap

Values = Float[Array | np.ndarray, " images"]
Missed = Bool[Array | np.ndarray, " images"]


class Tradeoff(NamedTuple):
    """All thresholds at once, from one that flags nothing to one that flags everything.

    Args:
        threshold: `(points,)` falling; an image is flagged where its score is above. The first is
            infinite or the largest score, the last below all scores.
        recall: `(points,)` share of the missed defects that is flagged; NaN where there are none.
        cost: `(points,)` share of the true negatives that is flagged; NaN where there are none.
        misses: number of missed defects.
        normals: number of true negatives.
    """

    threshold: np.ndarray
    recall: np.ndarray
    cost: np.ndarray
    misses: int
    normals: int

    def recall_at(self, cost: float) -> float:
        """The largest recall at no more than this cost; NaN without missed defects or normals."""
        affordable = self.recall[self.cost <= cost]
        return float(affordable[-1]) if affordable.size else math.nan

    def cost_at(self, recall: float = 1.0) -> float:
        """The least cost of at least this recall; NaN without missed defects or normals."""
        enough = self.cost[self.recall >= recall]
        return float(enough[0]) if enough.size else math.nan


def tradeoff(scores: Values, missed: Missed) -> Tradeoff:
    """Recall and cost at every threshold; images of one score are flagged together.

    Args:
        scores: of images that were predicted normal, larger is more doubtful.
        missed: which of them have a defect.

    Raises:
        ValueError: for different lengths or NaN among the scores.

    Example:
        >>> found = tradeoff(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]))
        >>> found.recall.tolist(), found.cost.tolist()
        ([0.0, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 1.0])
    """
    values, truth = _checked(scores, missed)
    levels = np.unique(values)[::-1]
    bounds = np.concatenate([levels, [-np.inf]])  # above the largest: nothing is flagged
    counts = []
    for part in (values[truth], values[~truth]):
        ranked = np.sort(part)
        counts.append(len(part) - np.searchsorted(ranked, bounds, side="right"))
    recall, cost = ratio(counts[0], truth.sum()), ratio(counts[1], (~truth).sum())
    return Tradeoff(bounds, recall, cost, int(truth.sum()), int((~truth).sum()))


def auroc(scores: Values, missed: Missed) -> float:
    """The chance that a missed defect scores above a true negative, ties half; NaN if either lacks.

    Raises:
        ValueError: as :func:`tradeoff`.
    """
    values, truth = _checked(scores, missed)
    return float(auc(_ordered(values), truth[None])[0]) if values.size else math.nan


def average_precision(scores: Values, missed: Missed) -> float:
    """Area under precision over recall of the missed defects; NaN if there are none.

    Raises:
        ValueError: as :func:`tradeoff`.
    """
    values, truth = _checked(scores, missed)
    return float(pixel_ap(_ordered(values), truth[None])[0]) if values.size else math.nan


def limit_for(scores: Values, alpha: float, *, beyond: bool = False) -> float:
    """The threshold that flags at most the share alpha of true negatives.

    The `(1 - alpha)` quantile of their scores, an order statistic: of n scores the
    `ceil((1 - alpha) n)`-th smallest, so that at most `alpha n` of them lie above.

    Args:
        scores: of the true negatives of a validation set, never of missed defects.
        alpha: share of true negatives that may be flagged, in (0, 1).
        beyond: take the `ceil((1 - alpha) (n + 1))`-th, as conformal prediction does: then a new
            true negative is flagged with a chance of at most alpha, the draw of the validation set
            included. Infinite where n is too small for that.

    Returns:
        The threshold.

    Raises:
        ValueError: without a score, with NaN, or for alpha outside (0, 1).

    References:
        V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World, 2005.

    Example:
        >>> limit_for(np.arange(10.0), 0.2), limit_for(np.arange(10.0), 0.2, beyond=True)
        (7.0, 8.0)
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a share of true negatives in (0, 1), got {alpha}")
    values = np.sort(np.asarray(scores, np.float64))
    if not values.size or np.isnan(values).any():
        raise ValueError(
            "a threshold needs the scores of true negatives, numbers, at least one; got "
            f"{values.size}, {np.isnan(values).sum()} of them NaN"
        )
    # A product such as 0.9 * 10 may be a rounding error above the whole number it stands for.
    rank = math.ceil((1 - alpha) * (values.size + beyond) - 1e-9)
    return float(values[max(rank, 1) - 1]) if rank <= values.size else math.inf


class Share(NamedTuple):
    """A share that was counted, with its exact interval.

    Args:
        hits: how many of them.
        total: of how many.
        low: lower end of the interval.
        high: upper end.
    """

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """`hits / total`; NaN of none."""
        return self.hits / self.total if self.total else math.nan


def clopper_pearson(hits: int, total: int, confidence: float = 0.95) -> Share:
    """The exact interval of a share: all rates under which this count is no surprise.

    With a = (1 - confidence) / 2 the ends are the a quantile of Beta(k, n - k + 1) and the 1 - a
    quantile of Beta(k + 1, n - k); 0 at k = 0, 1 at k = n. Of nothing the interval is [0, 1].

    Args:
        hits: k, from 0 to `total`.
        total: n.
        confidence: two-sided level in (0, 1).

    Raises:
        ValueError: for a count outside [0, total], or a confidence outside (0, 1).

    References:
        C. J. Clopper, E. S. Pearson, The Use of Confidence or Fiducial Limits Illustrated in the
        Case of the Binomial, Biometrika 26, 1934.

    Example:
        >>> found = clopper_pearson(10, 10)  # all of ten: the closed form 0.025 ** (1 / 10)
        >>> round(found.low, 6), found.high
        (0.691503, 1.0)
    """
    if not 0 <= hits <= total:
        raise ValueError(f"a count lies between 0 and the total, got {hits} of {total}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), got {confidence}")
    tail, rest = (1 - confidence) / 2, total - hits
    low = special.betaincinv(hits, rest + 1, tail) if hits else 0.0
    high = special.betaincinv(hits + 1, rest, 1 - tail) if rest else 1.0
    return Share(hits, total, float(low), float(high))


def flagged(scores: Values, limit: float, confidence: float = 0.95) -> Share:
    """How many scores lie above a limit, or are no number, with the exact interval of the share."""
    values = np.asarray(scores)
    return clopper_pearson(int((~(values <= limit)).sum()), values.size, confidence)


def _checked(scores: Values, missed: Missed) -> tuple[np.ndarray, np.ndarray]:
    values, truth = np.asarray(scores, np.float64), np.asarray(missed)
    if values.shape != truth.shape or values.ndim != 1 or truth.dtype != bool:
        raise ValueError(
            f"needs a score and a truth value per image, got shapes {values.shape}, {truth.shape} "
            f"and {truth.dtype}"
        )
    if np.isnan(values).any():
        raise ValueError(f"scores must be numbers; {np.isnan(values).sum()} are NaN")
    return values, truth


def _ordered(values: np.ndarray) -> np.ndarray:
    """Places in order, equal where values are: infinite scores are ranked as well."""
    return np.unique(values, return_inverse=True)[1].reshape(1, -1).astype(np.float64)
