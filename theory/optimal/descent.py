"""Local optimisation of knots and values together, for functions of any shape.

The error is a smooth function of knots t and of the values of every piece at its ends. Widths are a
softmax, so that knots cannot cross or collide; BFGS gets close, and for L2 Newton's method on the
optimality conditions (segment.py) finishes.
"""

import numpy as np
from scipy.optimize import minimize

from theory.optimal.result import Norm, exponent
from theory.optimal.segment import best_lines
from theory.optimal.target import Target
from theory.optimal.tridiagonal import solve_tridiagonal
from theory.piecewise import PiecewiseLinear

_MOST_STEPS = 500
_POLISH = 30
# Widths of the softmax, in logarithms relative to the mean: no segment is shorter than e^-18.
_NARROW = 18.0


def error_of(target: Target, function: PiecewiseLinear, norm: Norm) -> float:
    """(integral |f - s|^p)^(1/p), p = 1 or 2, by Gauss quadrature (p = 1: cut at sign changes)."""
    cost, *_ = _cost(target, function.knots, function.left, function.right, norm)
    return float(cost ** (1 / exponent(norm)))


def descend(
    target: Target, start: np.ndarray, norm: Norm, continuous: bool
) -> tuple[PiecewiseLinear, float, int]:
    """A local optimum near `start`.

    Args:
        target: the function.
        start: `(segments + 1,)` knots.
        norm: "l1" or "l2".
        continuous: whether neighbouring pieces share their value.

    Returns:
        The approximation, its error, and the number of evaluations.
    """
    low, high = target.domain
    n = start.size - 1
    size = target.size
    ends = target(start)
    values = ends if continuous else np.concatenate([ends[:-1], ends[1:]])
    # Shifts by the softmax of a constant are no change: the first width is the reference.
    widths = np.log(np.maximum(np.diff(start), np.exp(-_NARROW) * (high - low) / n))
    scale = _Scale(target, n, continuous, norm)
    found = minimize(
        scale,
        np.concatenate([widths, values / size]),
        jac=True,
        method="BFGS",
        options={"maxiter": _MOST_STEPS, "gtol": 1e-11},
    )
    knots, left, right = scale.unpack(found.x)
    best = PiecewiseLinear(knots, left, right)
    error = error_of(target, best, norm)
    if norm == "l2":
        polished = _polish(target, knots, continuous)
        if polished is not None and (other := error_of(target, polished, norm)) <= error:
            return polished, other, int(found.nfev)
    return best, error, int(found.nfev)


class _Scale:
    """The error to the power p, and its gradient, in well-scaled variables.

    Args:
        target: the function.
        segments: number of pieces.
        continuous: whether neighbours share a value.
        norm: "l1" or "l2".
    """

    def __init__(self, target: Target, segments: int, continuous: bool, norm: Norm) -> None:
        self.target, self.n, self.continuous, self.norm = target, segments, continuous, norm
        self.unit: float | None = None

    def unpack(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Knots, left values, right values."""
        low, high = self.target.domain
        share = self._shares(x)
        knots = low + (high - low) * np.concatenate([[0.0], np.cumsum(share)])
        knots[-1] = high
        values = x[self.n :] * self.target.size
        if self.continuous:
            return knots, values[:-1], values[1:]
        return knots, values[: self.n], values[self.n :]

    def _shares(self, x: np.ndarray) -> np.ndarray:
        logits = np.clip(x[: self.n] - x[: self.n].max(), -_NARROW, 0)
        share = np.exp(logits)
        return share / share.sum()

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        knots, left, right = self.unpack(x)
        cost, by_left, by_right, by_start, by_end = _cost(
            self.target, knots, left, right, self.norm
        )
        self.unit = self.unit or max(cost, 1e-300)
        # Moving a knot moves the end of one piece and the start of the next; the last one stays.
        by_knot = np.append(by_end[:-1] + by_start[1:], 0.0)
        low, high = self.target.domain
        share = self._shares(x)
        by_share = (high - low) * np.cumsum(by_knot[::-1])[::-1]
        by_logit = share * (by_share - (share * by_share).sum())
        if self.continuous:
            by_value = np.append(by_left, 0.0) + np.append(0.0, by_right)
        else:
            by_value = np.concatenate([by_left, by_right])
        gradient = np.concatenate([by_logit, by_value * self.target.size])
        return cost / self.unit, gradient / self.unit


def _cost(
    target: Target, knots: np.ndarray, left: np.ndarray, right: np.ndarray, norm: Norm
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The integral of |f - s|^p; its derivatives by left, right, start and end of the pieces."""
    nodes, weights, owner, part = _nodes(target, knots)
    residual = target(nodes) - (1 - part) * left[owner] - part * right[owner]
    if norm == "l1":
        cuts = _sign_changes(target, knots, left, right, nodes, residual, owner)
        nodes, weights, owner, part = _nodes(target, knots, cuts)
        residual = target(nodes) - (1 - part) * left[owner] - part * right[owner]
        force, cost = np.sign(residual), (weights * np.abs(residual)).sum()
    else:
        force, cost = 2 * residual, (weights * residual**2).sum()
    pull = weights * force
    n = left.size
    to_left = np.bincount(owner.ravel(), (pull * (1 - part)).ravel(), n)
    to_right = np.bincount(owner.ravel(), (pull * part).ravel(), n)
    slope = (right - left) / np.diff(knots)
    p = exponent(norm)
    edge_left = np.abs(target(knots[:-1]) - left) ** p
    edge_right = np.abs(target(knots[1:]) - right) ** p
    return (
        float(cost),
        -to_left,
        -to_right,
        slope * to_left - edge_left,
        slope * to_right + edge_right,
    )


def _nodes(
    target: Target, knots: np.ndarray, cuts: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gauss nodes and weights, the piece they belong to, and how far along it they are."""
    ends = knots if cuts is None else np.unique(np.concatenate([knots, cuts]))
    rule = target.pieces(ends[:-1], ends[1:])
    piece = np.clip(np.searchsorted(knots, ends[:-1], side="right") - 1, 0, knots.size - 2)
    owner = np.broadcast_to(piece[rule.owner][:, None], rule.nodes.shape)
    part = (rule.nodes - knots[owner]) / (knots[owner + 1] - knots[owner])
    return rule.nodes, rule.weights, owner, part


def _sign_changes(
    target: Target,
    knots: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    nodes: np.ndarray,
    residual: np.ndarray,
    owner: np.ndarray,
) -> np.ndarray:
    """Where f - s changes its sign inside the pieces: bisection and secants between nodes."""
    flat, values, piece = nodes.ravel(), residual.ravel(), owner.ravel()
    change = (values[1:] * values[:-1] < 0) & (piece[1:] == piece[:-1])
    low, high = flat[:-1][change], flat[1:][change]
    at_low, at_high, piece = values[:-1][change], values[1:][change], piece[:-1][change]
    slope = (right - left)[piece] / np.diff(knots)[piece]
    for _ in range(8):
        middle = np.clip(low - at_low * (high - low) / (at_high - at_low), low, high)
        value = target(middle) - left[piece] - slope * (middle - knots[piece])
        below = value * at_low > 0
        low, at_low = np.where(below, middle, low), np.where(below, value, at_low / 2)
        high, at_high = np.where(below, high, middle), np.where(below, at_high / 2, value)
        at_low = np.where(at_low == 0, np.copysign(1e-300, -at_high), at_low)
        at_high = np.where(at_high == 0, np.copysign(1e-300, -at_low), at_high)
    return (low + high) / 2


def _polish(target: Target, knots: np.ndarray, continuous: bool) -> PiecewiseLinear | None:
    """Newton's method on R(t_(i-1), t_i) = L(t_i, t_(i+1)), or R = -L where a jump wants to be."""
    lines = best_lines(target, knots[:-1], knots[1:], "l2")
    same = (lines.at_right[:-1] * lines.at_left[1:] > 0) | continuous
    sign = np.where(same, 1.0, -1.0)
    for _ in range(_POLISH):
        (left_s, left_t), (right_s, right_t) = lines.jacobian
        mismatch = lines.at_right[:-1] - sign * lines.at_left[1:]
        if mismatch.size == 0:
            break
        step = solve_tridiagonal(
            right_s[1:-1],
            right_t[:-1] - sign * left_s[1:],
            -sign[:-1] * left_t[1:-1],
            -mismatch,
        )
        widths = np.diff(knots)
        relative = np.abs(step / np.minimum(widths[1:], widths[:-1])).max()
        if not relative < 0.3:
            return None  # singular, or BFGS was not close: its result stands
        knots = knots + np.concatenate([[0.0], step, [0.0]])
        lines = best_lines(target, knots[:-1], knots[1:], "l2")
        if relative < 1e-12:
            break
    if not continuous:
        return PiecewiseLinear(knots, lines.left, lines.right)
    return PiecewiseLinear.through(knots, lines.joined)
