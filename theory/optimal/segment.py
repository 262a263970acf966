"""The best line of a segment, and how far the function stands off it at both ends.

By the optimality conditions (theorem T1 of the claims) every piece of an optimal approximation is
the best line of its own segment, so all that a knot sees of its neighbours is these residuals.
"""

from dataclasses import dataclass

import numpy as np

from theory.optimal.result import Norm
from theory.optimal.target import Target


@dataclass(frozen=True)
class BestLines:
    """Best lines of a batch of segments [s, t].

    Args:
        left: `(segments,)` value of the line at s.
        right: value at t.
        at_left: residual f - line at s.
        at_right: residual at t.
        cost: integral of |f - line|^p.
        jacobian: `(2, 2, segments)` derivatives of (at_left, at_right) by (s, t).
    """

    left: np.ndarray
    right: np.ndarray
    at_left: np.ndarray
    at_right: np.ndarray
    cost: np.ndarray
    jacobian: np.ndarray

    @property
    def joined(self) -> np.ndarray:
        """`(segments + 1,)` values at the knots of neighbours, means where they differ."""
        values = np.append(self.left, self.right[-1])
        values[1:-1] = (self.left[1:] + self.right[:-1]) / 2
        return values


def best_lines(target: Target, s: np.ndarray, t: np.ndarray, norm: Norm) -> BestLines:
    """Best lines in L2 of any function, in L1 of one that bends one way only.

    L2: with m0 and m1 the means of f and of f xi, xi in [-1, 1] along the segment, the line has
    the ends m0 - 3 m1 and m0 + 3 m1. L1: the line meets f a quarter and three quarters along
    (Hobby and Rice's canonical points).

    Args:
        target: the function.
        s: `(segments,)` left ends.
        t: `(segments,)` right ends, above s.
        norm: "l1" or "l2".
    """
    return _least_squares(target, s, t) if norm == "l2" else _canonical(target, s, t)


def _least_squares(target: Target, s: np.ndarray, t: np.ndarray) -> BestLines:
    h = t - s
    rule = target.pieces(s, t)
    f, owner = target(rule.nodes), rule.owner
    xi = (2 * rule.nodes - (s + t)[owner][:, None]) / h[owner][:, None]
    m0 = rule.integrals(f) / h
    m1 = rule.integrals(f * xi) / h
    residual = f - m0[owner][:, None] - 3 * m1[owner][:, None] * xi
    cost = rule.integrals(residual**2)
    ends, slopes = target(np.stack([s, t])), target.derivative(np.stack([s, t]))
    at_left, at_right = ends[0] - (m0 - 3 * m1), ends[1] - (m0 + 3 * m1)
    slope = 6 * m1 / h
    jacobian = np.array(
        [
            [slopes[0] - slope + 4 * at_left / h, 2 * at_right / h],
            [-2 * at_left / h, slopes[1] - slope - 4 * at_right / h],
        ]
    )
    return BestLines(m0 - 3 * m1, m0 + 3 * m1, at_left, at_right, cost, jacobian)


def _canonical(target: Target, s: np.ndarray, t: np.ndarray) -> BestLines:
    h = t - s
    x = np.stack([s, s + h / 4, t - h / 4, t])
    f, d = target(x), target.derivative(x)
    at_left = f[0] - 1.5 * f[1] + 0.5 * f[2]
    at_right = f[3] - 1.5 * f[2] + 0.5 * f[1]
    left, right = f[0] - at_left, f[3] - at_right
    # The residual changes sign at the quarter points: three integrals with alternating signs.
    lows, highs = x[:-1].T.ravel(), x[1:].T.ravel()
    rule = target.pieces(lows, highs)
    owner = rule.owner // 3
    part = (rule.nodes - s[owner][:, None]) / h[owner][:, None]
    line = (1 - part) * left[owner][:, None] + part * right[owner][:, None]
    areas = rule.integrals(target(rule.nodes) - line).reshape(-1, 3)
    jacobian = np.array(
        [
            [d[0] - 1.125 * d[1] + 0.125 * d[2], 0.375 * (d[2] - d[1])],
            [0.375 * (d[1] - d[2]), d[3] - 1.125 * d[2] + 0.125 * d[1]],
        ]
    )
    cost = np.abs(areas @ np.array([1.0, -1.0, 1.0]))
    return BestLines(left, right, at_left, at_right, cost, jacobian)
