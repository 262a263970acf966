"""Several methods on several data sets: average ranks, and which of them differ.

References:
    J. Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR 7 (2006),
    section 3.2.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

Values = Float[np.ndarray, "sets methods"]


class Friedman(NamedTuple):
    """Friedman's test of "all methods are alike".

    Args:
        statistic: chi-square with `methods - 1` degrees of freedom, corrected for ties.
        p: chance of at least this much, were they alike.
    """

    statistic: float
    p: float


def average_ranks(values: Values) -> Float[np.ndarray, " methods"]:
    """Mean over sets of every method's rank, 1 for the largest value; ties share their ranks.

    Raises:
        ValueError: For fewer than two methods, no set, or NaN.

    Example:
        >>> average_ranks(np.array([[0.9, 0.8, 0.8], [0.7, 0.6, 0.5]]))
        array([1.  , 2.25, 2.75])
    """
    _check(values)
    return np.asarray(stats.rankdata(-values, axis=1).mean(axis=0))


def friedman(values: Values) -> Friedman:
    """Friedman's test on ranks within sets; equal methods throughout have the p-value 1.

    Raises:
        ValueError: For fewer than three methods, fewer than two sets, or NaN.
    """
    _check(values)
    sets, methods = values.shape
    if sets < 2 or methods < 3:
        raise ValueError(f"needs 2 sets and 3 methods, got {sets} and {methods}")
    if (values == values[:, :1]).all():
        return Friedman(0.0, 1.0)
    statistic, p = stats.friedmanchisquare(*values.T)
    return Friedman(float(statistic), float(p))


def critical_difference(methods: int, sets: int, level: float = 0.05) -> float:
    """Nemenyi's difference of average ranks: two methods that far apart differ.

    `q sqrt(methods (methods + 1) / (6 sets))` with `q` the upper `level` quantile of the
    studentised range of `methods` normal variables, over the square root of 2.

    Raises:
        ValueError: For fewer than two methods, no set, or a level outside (0, 1).

    Example:
        >>> round(critical_difference(methods=4, sets=14), 2)
        1.25
    """
    if methods < 2 or sets < 1 or not 0 < level < 1:
        got = f"{methods} methods, {sets} sets, level {level}"
        raise ValueError(f"needs 2 methods, a set and a level in (0, 1); got {got}")
    quantile = float(stats.studentized_range.ppf(1 - level, methods, np.inf))
    return quantile / 2**0.5 * (methods * (methods + 1) / (6 * sets)) ** 0.5


def alike(ranks: Float[np.ndarray, " methods"], difference: float) -> list[tuple[int, ...]]:
    """Largest groups of methods whose ranks lie within the difference.

    Args:
        ranks: average rank of every method.
        difference: of :func:`critical_difference`.

    Returns:
        Groups of at least two places in `ranks`, best first, none within another.

    Example:
        >>> alike(np.array([3.0, 1.0, 1.5, 2.2]), difference=1.0)
        [(1, 2), (2, 3), (3, 0)]
    """
    order = np.argsort(ranks, kind="stable")
    reached = [int(np.sum(ranks[order] <= ranks[first] + difference)) for first in order]
    groups, covered = [], 0
    for start, end in enumerate(reached):
        if end > max(covered, start + 1):
            groups.append(tuple(int(place) for place in order[start:end]))
            covered = end
    return groups


def _check(values: Values) -> None:
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 2 or np.isnan(values).any():
        raise ValueError(f"needs numbers (sets, methods), two methods or more: {values.shape}")
