"""Optimal approximation of a function that bends one way only, with a certificate.

For f convex the residual of every best line is positive at both ends, so that the optimum among
discontinuous fits meets at its knots: continuity is free, and a partition is stationary if and only
if the residuals on both sides of every knot agree,

    R(t_(i-1), t_i) = L(t_i, t_(i+1)).

Two facts make global optima provable. R grows in t_i and falls in t_(i-1), L the other way round:
the costs satisfy Monge's condition, best responses are monotone, and no stationary partition can be
crossed by a family of partitions that all want to move the same way. Shooting gives such families:
a first knot tau determines all others through the equations, and t_n(tau) = b is one equation in
one unknown. If t_n grows with tau, the partition found by Newton's method is the only one.
"""

import numpy as np

from theory.optimal.laws import density_knots
from theory.optimal.result import Approximation, Norm, certified, exponent
from theory.optimal.segment import BestLines, best_lines
from theory.optimal.target import Target
from theory.optimal.tridiagonal import solve_tridiagonal
from theory.piecewise import PiecewiseLinear

_MOST_STEPS = 80
# A Newton step may not shrink a segment below this part of itself.
_SHRINK = 0.25
# Below this part of the neighbouring segments steps shrink quadratically until rounding stops them.
_NEAR = 1e-4
# Shots are followed to this accuracy of the residuals; they lie far enough apart for it.
_AIM = 1e-7
_SHOT_STEPS = 12
# Shots end where less than this part of the domain is left.
_NO_ROOM = 1e-12
_TINY = np.finfo(float).tiny
# First knots that are shot from, relative to the one found.
_SHOTS = np.concatenate([np.geomspace(1e-2, 0.98, 14), np.geomspace(1.02, 1e3, 14)])


def solve_convex(
    target: Target, segments: int, norm: Norm, start: np.ndarray | None = None
) -> Approximation | None:
    """Newton's method on the stationarity equations, then the certificate.

    Args:
        target: convex or concave.
        segments: number of pieces.
        norm: "l1" or "l2".
        start: `(segments + 1,)` knots to start from; by default the asymptotically optimal density.

    Returns:
        The optimum, or `None` where the equations have no regular solution: a function with
        straight parts, or kinks where knots want to stand. With one segment the best line.
    """
    if target.curvature not in ("convex", "concave"):
        return None
    bent, chord = bending_up(target)
    knots = density_knots(bent, segments, norm) if start is None else start
    found = _newton(bent, knots, norm)
    if found is None:
        return None
    knots, step, iterations = found
    lines = best_lines(bent, knots[:-1], knots[1:], norm)
    unique = segments <= 2 or _only_solution(bent, knots, norm)
    bound = _bound(bent, knots, step, norm) if unique else 0.0
    values = (lines.joined if target.curvature == "convex" else -lines.joined) + chord(knots)
    power = 1 / exponent(norm)
    return certified(
        PiecewiseLinear.through(knots, values),
        float(lines.cost.sum() ** power),
        float(bound**power),
        norm,
        iterations,
        "newton",
    )


def bending_up(target: Target) -> tuple[Target, PiecewiseLinear]:
    """The function less its chord, bending up, and the chord: fewer digits cancel."""
    low, high = target.domain
    chord = PiecewiseLinear.through([low, high], target([low, high]))
    less = target.minus(chord.left[0], chord.right[0])
    return less if target.curvature == "convex" else less.negative(), chord


def _newton(
    target: Target, knots: np.ndarray, norm: Norm
) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Knots with equal residuals, the last step, and the number of steps.

    The equations are taken in logarithms: a residual is about f'' h^2 / 12, so that log R - log L
    is nearly linear in the logarithms of the widths.
    """
    step, best = np.zeros(knots.size), np.inf
    for iteration in range(_MOST_STEPS):
        lines = best_lines(target, knots[:-1], knots[1:], norm)
        if not ((lines.at_left > 0).all() and (lines.at_right > 0).all()):
            return None
        step[1:-1] = _newton_step(lines)
        if not np.isfinite(step).all():
            return None
        widths = np.diff(knots)
        shrinking = -np.diff(step) / widths
        relative = np.abs(step[1:-1] / np.minimum(widths[1:], widths[:-1])).max(initial=0)
        if relative == 0 or best / 2 <= relative <= _NEAR:
            return knots, step, iteration
        best = min(best, relative)
        knots = knots + step * min(1.0, (1 - _SHRINK) / max(shrinking.max(), _TINY))
        if (np.diff(knots) <= 0).any():
            return None
    return None


def _newton_step(lines: BestLines) -> np.ndarray:
    """The solution of the tridiagonal system for log R - log L = 0."""
    (left_s, left_t), (right_s, right_t) = lines.jacobian
    mismatch = np.log(lines.at_right[:-1]) - np.log(lines.at_left[1:])
    return solve_tridiagonal(
        right_s[1:-1] / lines.at_right[1:-1],
        right_t[:-1] / lines.at_right[:-1] - left_s[1:] / lines.at_left[1:],
        -left_t[1:-1] / lines.at_left[1:-1],
        -mismatch,
    )


def _bound(target: Target, knots: np.ndarray, step: np.ndarray, norm: Norm) -> float:
    """Least cost of any partition with its knots in the box around ours.

    Costs grow with their interval, so the segments' common parts [high_(i-1), low_i] cost no more
    than the segments do. Between low_i and high_i the residual on either side of the knot is at
    least what it is at the end of the common part, since R grows in t and L falls in s.
    """
    p = exponent(norm)
    reach = 4 * np.abs(step) + 8 * np.finfo(float).eps * np.abs(knots)
    reach[[0, -1]] = 0
    low, high = knots[:-1] + reach[:-1], knots[1:] - reach[1:]
    lines = best_lines(target, low, high, norm)
    between = np.minimum(lines.at_right[:-1], lines.at_left[1:]) ** p * 2 * reach[1:-1]
    rounding = 8 * np.finfo(float).eps * target.size * (high - low) ** (1 / p)
    root = np.maximum(lines.cost ** (1 / p) - rounding, 0)
    return float((root**p).sum() + between.sum())


def _only_solution(target: Target, knots: np.ndarray, norm: Norm) -> bool:
    """Whether t_n grows with the first knot over all shots, crossing b at the known one."""
    low, high = target.domain
    first = low + (knots[1] - low) * _SHOTS
    first, factor = first[first < high], _SHOTS[first < high]
    reached = _shoot(target, first, knots.size - 1, norm)
    landed = np.isfinite(reached)
    return bool(
        landed[factor < 1].all()
        and not landed[factor > 1].any()
        and (np.diff(reached[landed]) > 0).all()
    )


def _shoot(target: Target, first: np.ndarray, segments: int, norm: Norm) -> np.ndarray:
    """`(shots,)` the n-th knot that the equations lead to; infinite if it is beyond the domain."""
    low, high = target.domain
    reached = np.full_like(first, np.inf)
    alive, before, knot = np.arange(first.size), np.full_like(first, low), first
    wanted = best_lines(target, before, knot, norm).at_right
    for _ in range(segments - 1):
        if (wanted <= 0).any():
            return np.full_like(first, np.nan)  # a straight part: nothing tells the knots apart
        # The next knot must leave room that floating point can see.
        room = high - knot > _NO_ROOM * (high - low)
        state = np.stack([alive, before, knot, wanted])[:, room]
        ceiling = _ceilings(target, state[2], 2 * state[2] - state[1], state[3], norm)
        alive, before, knot, wanted = state[:, np.isfinite(ceiling)]
        ceiling = ceiling[np.isfinite(ceiling)]
        if alive.size == 0:
            return reached
        after, wanted = _next_knot(target, knot, wanted, knot - before, ceiling, norm)
        before, knot = knot, after
    reached[alive.astype(int)] = knot
    return reached


def _ceilings(
    target: Target, s: np.ndarray, guess: np.ndarray, wanted: np.ndarray, norm: Norm
) -> np.ndarray:
    """Some t with L(s, t) above `wanted`; infinite where even the end of the domain is too near."""
    high = target.domain[1]
    near = np.minimum(guess + (guess - s), high)
    found = np.where(best_lines(target, s, near, norm).at_left > wanted, near, np.inf)
    rest = np.flatnonzero(np.isinf(found) & (near < high))
    if rest.size:
        end = np.full(rest.size, high)
        beyond = best_lines(target, s[rest], end, norm).at_left > wanted[rest]
        found[rest] = np.where(beyond, high, np.inf)
    return found


def _next_knot(
    target: Target,
    s: np.ndarray,
    wanted: np.ndarray,
    width: np.ndarray,
    high: np.ndarray,
    norm: Norm,
) -> tuple[np.ndarray, np.ndarray]:
    """The t with L(s, t) = wanted, and R(s, t): Newton in logarithms in a shrinking bracket."""
    low, t = s.copy(), np.minimum(s + width, (s + high) / 2)
    # Short shots have residuals of the size of rounding.
    aim = np.maximum(_AIM, 256 * np.finfo(float).eps * target.size / wanted)
    for _ in range(_SHOT_STEPS):
        lines = best_lines(target, s, t, norm)
        ratio = np.log(np.maximum(lines.at_left, _TINY) / wanted)
        if (np.abs(ratio) < aim).all():
            break
        low, high = np.where(ratio < 0, t, low), np.where(ratio > 0, t, high)
        slope = (t - s) * lines.jacobian[0, 1] / np.maximum(lines.at_left, _TINY)
        with np.errstate(all="ignore"):
            tried = s + (t - s) * np.exp(-ratio / slope)
        inside = (tried > low) & (tried < high)
        t = np.where(inside, tried, (low + high) / 2)
    return t, lines.at_right
