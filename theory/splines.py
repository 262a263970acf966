"""Every continuous piecewise-quadratic spline is a quadratic ReLU network, exactly."""

import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from theory.exact_layers import linear_layer, quadratic_layer


class SplineNetwork(nnx.Module):
    """One hidden layer of quadratic ReLU neurons and a linear readout, in float64.

    Args:
        knots: `(knots,)` where the bends are, without the ends.
        bends: `(knots, 2)` beta and alpha of the jump `(x - t)(alpha x + beta)` at every knot.
        first: `(3,)` coefficients of 1, x, x^2 of the leftmost piece.
        interval: where the network equals the spline.
    """

    def __init__(
        self,
        knots: np.ndarray,
        bends: np.ndarray,
        first: np.ndarray,
        interval: tuple[float, float],
    ) -> None:
        ends = np.array(interval)
        beta, alpha = bends[:, 0], bends[:, 1]
        # M of the construction: alpha x + beta + M is positive on the whole interval.
        lift = np.abs(beta[:, None] + alpha[:, None] * ends).max(axis=1, initial=0) + 1
        floor = np.abs(first) @ np.abs(ends).max() ** np.arange(3) + 1
        ones, zeros = np.ones_like(knots), np.zeros_like(knots)
        self.hidden = quadratic_layer(
            [[*ones, *ones, first[1]]],
            [*-knots, *-knots, first[0] + floor],
            [[*alpha, *zeros, 0]],
            [*(beta + lift), *ones, 1],
            [[*zeros, *zeros, first[2]]],
            [*zeros, *zeros, 0],
        )
        self.readout = linear_layer(np.array([[*ones, *-lift, 1]]).T, [-floor])

    def __call__(self, x: Float[Array, "*batch 1"]) -> Float[Array, "*batch 1"]:
        """The spline at `x`; call under `jax.enable_x64(True)` for its full precision."""
        return self.readout(nnx.relu(self.hidden(x)))


def spline_network(knots: ArrayLike, pieces: ArrayLike) -> SplineNetwork:
    """Build the network that equals a continuous piecewise-quadratic spline on [a, b].

    The leftmost piece, lifted above zero, is one neuron. At a knot t the polynomial changes by
    `(x - t)(alpha x + beta)`, and for M with `alpha x + beta + M > 0` on [a, b]

        (x-t)_+ (alpha x + beta) = relu((x-t)(alpha x + beta + M)) - M relu(x-t),

    two neurons. For n pieces that are 2(n-1) + 1 of them; 2(n-1) + 3 suffice if the readout has no
    bias of its own.

    Args:
        knots: `(n + 1,)` increasing and finite: a, the bends, b.
        pieces: `(n, 3)` coefficients of 1, x, x^2 on every piece.

    Returns:
        The network, exact on [a, b] up to the rounding of float64.

    Raises:
        ValueError: for wrong shapes, knots that do not increase, or pieces that do not meet.

    References:
        F.-L. Fan et al., On Expressivity and Trainability of Quadratic Networks, arXiv 2110.06081
        (spline theory); the construction is ours.

    Example:
        >>> net = spline_network([-1, 0, 1], [[0, 0, 0], [0, 0, 1]])  # x^2 for x > 0, else 0
        >>> import jax
        >>> with jax.enable_x64(True):
        ...     net(np.array([[-0.5], [0.5]]))[:, 0].tolist()
        [0.0, 0.25]
    """
    places, rows = np.asarray(knots, np.float64), np.asarray(pieces, np.float64)
    _check(places, rows)
    inner, jumps = places[1:-1], np.diff(rows, axis=0)
    # (x - t)(alpha x + beta) = alpha x^2 + (beta - alpha t) x - beta t.
    bends = np.stack([jumps[:, 1] + jumps[:, 2] * inner, jumps[:, 2]], axis=1)
    return SplineNetwork(inner, bends, rows[0], (float(places[0]), float(places[-1])))


def _check(knots: np.ndarray, pieces: np.ndarray) -> None:
    if knots.ndim != 1 or knots.size < 2 or pieces.shape != (knots.size - 1, 3):
        raise ValueError(f"needs knots (n + 1,) and pieces (n, 3): {knots.shape}, {pieces.shape}")
    if not (np.isfinite(knots).all() and np.isfinite(pieces).all()):
        raise ValueError("knots and pieces must be finite")
    if (np.diff(knots) <= 0).any():
        raise ValueError(f"knots must increase, got {knots.tolist()}")
    powers = knots[1:-1, None] ** np.arange(3)
    left, right = (pieces[:-1] * powers).sum(1), (pieces[1:] * powers).sum(1)
    size = (np.abs(pieces[:-1]) * np.abs(powers)).sum(1) + np.abs(pieces[1:] * powers).sum(1)
    apart = np.abs(left - right) > 1e-9 * size
    if apart.any():
        raise ValueError(f"pieces do not meet at the knots {knots[1:-1][apart].tolist()}")
