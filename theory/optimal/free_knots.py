"""Continuous piecewise lines through data with knots anywhere: descent, knot by knot, and leaps."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.linalg import solveh_banded
from scipy.optimize import minimize

from theory.optimal.anchors import Anchor, best_knot, carried, first_anchor, snapped
from theory.optimal.series import Scaled

# A fall of the sum of squares by less, relative to it, is no progress.
_PROGRESS = 1e-11
# Steps that gain less are left to the sweeps.
_GLIDING = 1e-6
# And relative to all squares of the data: below is rounding.
_ROUNDING = 1e-30

Fit = tuple[float, np.ndarray]


def polished(data: Scaled, knots: Float[np.ndarray, " knots"], sweeps: int = 60) -> Fit:
    """The local optimum around some knots.

    A quasi-Newton run on the sum of squares as a function of the knots (the values eliminated),
    then sweeps that put every knot on the best place between its neighbours, exact over all gaps
    between the samples.

    Args:
        data: the samples.
        knots: `(segments + 1,)` start, from 0 to 1.
        sweeps: at most so many.

    Returns:
        The sum of squares and the knots.

    References:
        G. Golub and V. Pereyra, The differentiation of pseudo-inverses and nonlinear least squares
        problems whose variables separate, SIAM J. Numer. Anal. 10(2), 1973.
    """
    knots = snapped(data, knots)
    best, gliding = swept(data, (total(data, knots), knots)), True
    for _ in range(sweeps):
        last = best
        if gliding:
            best = _lower(best, _smooth(data, best[1]))
            gliding = best[0] < last[0] * (1 - _GLIDING)
        best = swept(data, best)
        if not _falls(best[0], last[0], data):
            break
    return best


def total(data: Scaled, knots: Float[np.ndarray, " knots"]) -> float:
    """Least sum of squares with given knots, the values free."""
    return _before(data, knots)[-1].cost


def inserted(data: Scaled, knots: Float[np.ndarray, " knots"]) -> Fit:
    """One more knot where it helps most, nothing else moved; (inf, knots) if there is no room."""
    before, after = _before(data, knots), _after(data, knots)
    found = [
        best_knot(data, knots[i], knots[i + 1], before[i], after[i + 1])
        for i in range(knots.size - 1)
    ]
    where = int(np.argmin([cost for cost, _ in found]))
    cost, place = found[where]
    return cost, np.insert(knots, where + 1, place) if np.isfinite(cost) else knots


def relocated(data: Scaled, fit: Fit) -> Fit:
    """The first improvement by taking one knot out, putting it where it helps most, polishing."""
    leaps = [inserted(data, np.delete(fit[1], i)) for i in range(1, fit[1].size - 1)]
    for leap in sorted(leaps, key=lambda leap: leap[0])[:4]:
        if leap[0] < 2 * fit[0]:
            for _ in range(3):
                leap = swept(data, leap)
            if _falls(leap[0], fit[0], data):
                return polished(data, leap[1])
    return fit


def leapt(data: Scaled, fit: Fit, leaps: int = 12) -> Fit:
    """A fit after leaps of single knots, as long as one improves it."""
    for _ in range(leaps):
        leap = relocated(data, fit)
        if leap is fit:
            break
        fit = leap
    return fit


def grown(data: Scaled, segments: int) -> np.ndarray:
    """Knots set one by one, each where it helps most, all adjusted after each."""
    knots = np.array([0.0, 1.0])
    while knots.size <= segments:
        cost, knots = inserted(data, knots)
        if not np.isfinite(cost):
            return spread_out(data, segments)
        _, knots = swept(data, (cost, knots))
    return knots


def spread_out(data: Scaled, segments: int) -> np.ndarray:
    """Knots on samples, as many samples in every piece."""
    return data.u[np.linspace(0, data.u.size - 1, segments + 1).round().astype(int)]


def _before(data: Scaled, knots: np.ndarray) -> list[Anchor]:
    anchors = [first_anchor(data, 0)]
    for here, there in pairwise(knots):
        anchors.append(carried(data, anchors[-1], here, there))
    return anchors


def _after(data: Scaled, knots: np.ndarray) -> list[Anchor]:
    anchors = [first_anchor(data, -1)]
    for here, there in pairwise(knots[::-1]):
        anchors.append(carried(data, anchors[-1], here, there))
    return anchors[::-1]


def swept(data: Scaled, fit: Fit, between: bool = True) -> Fit:
    """Every knot once, from left to right, on its best place, `between` samples too or on one."""
    cost, knots = fit[0], fit[1].copy()
    after, before = _after(data, knots), first_anchor(data, 0)
    for i in range(1, knots.size - 1):
        found, place = best_knot(data, knots[i - 1], knots[i + 1], before, after[i + 1], between)
        if found < cost:
            cost, knots[i] = found, place
        before = carried(data, before, knots[i - 1], knots[i])
    return cost, knots


def _smooth(data: Scaled, knots: np.ndarray) -> Fit:
    """A quasi-Newton run over the logarithms of the knots' distances."""
    steps = np.diff(knots)

    result = minimize(
        _loss,
        np.zeros(steps.size),
        (data, steps, 1 / max(total(data, knots), _ROUNDING)),
        method="L-BFGS-B",
        jac=True,
        bounds=[(-3.0, 3.0)] * steps.size,
        options={"maxiter": 50, "gtol": 1e-9},
    )
    places = _spaced(steps, result.x)[0]
    if not (np.diff(places) > 0).all():
        return np.inf, knots
    places = snapped(data, places)
    return total(data, places), places


def _spaced(steps: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knots whose distances are `steps`, each times exp(log), brought to sum 1; the distances."""
    parts = steps * np.exp(logs - logs.max())
    parts = parts / parts.sum()
    return np.concatenate([[0.0], np.cumsum(parts)[:-1], [1.0]]), parts


def _loss(
    logs: np.ndarray, data: Scaled, steps: np.ndarray, scale: float
) -> tuple[float, np.ndarray]:
    """The sum of squares and its derivative by the logarithms, times `scale`."""
    places, parts = _spaced(steps, logs)
    square, by_knot = _gradient(data, places)
    pull = np.append(np.cumsum(by_knot[::-1])[::-1], 0.0)  # by the distances
    return square * scale, scale * parts * (pull - parts @ pull)


def _gradient(data: Scaled, knots: np.ndarray) -> Fit:
    """Sum of squares with given knots and its derivative by the inner ones."""
    pieces = knots.size - 1
    bounds = np.append(0, np.searchsorted(data.u, knots[1:-1], side="right"))
    piece = np.repeat(np.arange(pieces), np.diff(np.append(bounds, data.u.size)))
    part = (data.u - knots[piece]) / np.diff(knots)[piece]

    w, pull, count = data.w, data.w * data.v, np.bincount
    rising, falling = w * part, w * (1 - part)
    diagonal = np.zeros(knots.size)
    diagonal[:-1] = count(piece, falling * (1 - part), pieces)
    diagonal[1:] += count(piece, rising * part, pieces)
    right = np.zeros(knots.size)
    right[:-1] = count(piece, pull * (1 - part), pieces)
    right[1:] += count(piece, pull * part, pieces)
    beside = np.append(0.0, count(piece, rising * (1 - part), pieces))
    values = solveh_banded(np.stack([beside, diagonal * (1 + 1e-14) + 1e-14]), right)
    rest = data.v - values[piece] * (1 - part) - values[piece + 1] * part
    slopes = np.diff(values) / np.diff(knots)
    before = count(piece, rising * rest, pieces) * slopes
    after = count(piece, falling * rest, pieces) * slopes
    return float((w * rest) @ rest), 2 * (before[:-1] + after[1:])


def _lower(first: Fit, second: Fit) -> Fit:
    return second if second[0] < first[0] else first


def _falls(new: float, old: float, data: Scaled) -> bool:
    return bool(new < old * (1 - _PROGRESS) - _ROUNDING * (data.w @ data.v**2))
