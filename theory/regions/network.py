"""Fully connected networks of piecewise-linear units, and what they are at a point: affine."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from theory.piecewise import PiecewiseLinear
from theory.regions.activation import Activation, activation
from theory.regions.polytope import Polytope

# Effective weights are worked out for so many numbers at a time.
_CHUNK = 4_000_000


@dataclass(frozen=True)
class PiecewiseAffine:
    """A network that is affine wherever no unit changes its piece; made by :func:`from_layers`.

    h_0 = x, z_l = h_(l-1) W_l + b_l, h_l = s(z_l), and the output is z_L. Where the pieces of all
    units are fixed this is one affine map, exact but for rounding in float64.

    Args:
        weights: of each layer, `(in_features, out_features)`.
        biases: of each layer, `(out_features,)`.
        activations: of all layers but the last.

    Example:
        >>> hat = from_layers([[[1, 1]], [[1], [-2]]], [[0, -1], [0]])
        >>> hat([[0.5], [1.5]]).ravel().tolist(), hat.local([[1.5]])[0].tolist()
        ([0.5, 0.5], [[[-1.0]]])
    """

    weights: tuple[Float[np.ndarray, "_ _"], ...]
    biases: tuple[Float[np.ndarray, " _"], ...]
    activations: tuple[Activation, ...]

    def __call__(self, x: ArrayLike) -> Float[np.ndarray, "points out"]:
        """Outputs at `x` `(points, in_features)`."""
        return self._run(self.points(x))[0]

    def pattern(self, x: ArrayLike) -> Int[np.ndarray, "points units"]:
        """Which piece every hidden unit is on, layer by layer, at `x` `(points, in_features)`."""
        return self._run(self.points(x))[1]

    def local(
        self, x: ArrayLike
    ) -> tuple[Float[np.ndarray, "points out in_features"], Float[np.ndarray, "points out"]]:
        """The affine map around every point: output = weights @ x + bias, exactly.

        Args:
            x: `(points, in_features)`.

        Returns:
            Effective weights and biases.
        """
        return self.affine(self.pattern(x))

    def affine(
        self, patterns: Int[np.ndarray, "points units"]
    ) -> tuple[Float[np.ndarray, "points out in_features"], Float[np.ndarray, "points out"]]:
        """The affine map that belongs to each activation pattern."""
        width = max(self.out_features * max(w.shape[0] for w in self.weights), 1)
        step = max(_CHUNK // width, 1)
        starts = range(0, max(len(patterns), 1), step)
        parts = [self._affine(patterns[start : start + step]) for start in starts]
        return np.concatenate([w for w, _ in parts]), np.concatenate([b for _, b in parts])

    def _affine(self, patterns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From the output back to the input, since there are few outputs."""
        shape = (len(patterns), self.out_features, self.weights[-1].shape[0])
        weights = np.broadcast_to(self.weights[-1].T, shape)
        biases = np.broadcast_to(self.biases[-1], shape[:2])
        pieces = np.split(patterns, np.cumsum(self.hidden)[:-1], axis=1) if self.hidden else []
        layers = zip(self.weights, self.biases, self.activations, pieces, strict=False)
        for kernel, bias, made, piece in reversed([*layers]):
            slopes, intercepts = made.slopes[piece], made.intercepts[piece]
            shift = slopes * bias + intercepts
            biases = biases + np.einsum("poh,ph->po", weights, shift)
            weights = (weights * slopes[:, None]) @ kernel.T
        return np.array(weights), np.array(biases)

    def forms(
        self, x: ArrayLike
    ) -> list[tuple[Float[np.ndarray, "units in_features"], Float[np.ndarray, " units"]]]:
        """Pre-activations of every hidden layer as affine maps of the input, at one point `x`."""
        h = self.points(np.asarray(x, np.float64)[None])[0]
        weights, biases, found = np.eye(self.in_features), np.zeros(self.in_features), []
        for kernel, bias, made in zip(self.weights, self.biases, self.activations, strict=False):
            weights, biases = kernel.T @ weights, biases @ kernel + bias
            found.append((weights, biases))
            z = h @ kernel + bias
            piece = made.piece(z)
            weights = made.slopes[piece, None] * weights
            biases = made.slopes[piece] * biases + made.intercepts[piece]
            h = made(z)
        return found

    def polytope(self, x: ArrayLike) -> Polytope:
        """The region of the point `x` `(in_features,)`: where no unit leaves its piece.

        Returns:
            An inequality for both ends of every unit's piece, redundant ones included.
        """
        pieces = np.split(self.pattern(np.asarray(x)[None])[0], np.cumsum(self.hidden)[:-1])
        forms = self.forms(x)
        rows = [
            _walls(weights, biases, made, piece)
            for (weights, biases), made, piece in zip(forms, self.activations, pieces, strict=False)
        ]
        normals = [np.zeros((0, self.in_features)), *(normals for normals, _ in rows)]
        return Polytope(
            np.concatenate(normals), np.concatenate([np.zeros(0), *(c for _, c in rows)])
        )

    @property
    def in_features(self) -> int:
        """Number of inputs d."""
        return self.weights[0].shape[0]

    @property
    def out_features(self) -> int:
        """Number of outputs."""
        return self.weights[-1].shape[1]

    @cached_property
    def hidden(self) -> tuple[int, ...]:
        """Units of every hidden layer."""
        return tuple(bias.size for bias in self.biases[:-1])

    def points(self, x: ArrayLike) -> Float[np.ndarray, "points in_features"]:
        """`x` as float64.

        Raises:
            ValueError: for another shape than `(points, in_features)`.
        """
        places = np.asarray(x, np.float64)
        if places.ndim != 2 or places.shape[1] != self.in_features:
            raise ValueError(f"x must be (points, {self.in_features}), got shape {places.shape}")
        return places

    def _run(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outputs and patterns."""
        pieces = [np.zeros((len(x), 0), np.int64)]
        for kernel, bias, made in zip(self.weights, self.biases, self.activations, strict=False):
            z = x @ kernel + bias
            pieces.append(made.piece(z))
            x = made(z)
        return x @ self.weights[-1] + self.biases[-1], np.concatenate(pieces, axis=1)


def _walls(
    weights: np.ndarray, biases: np.ndarray, made: Activation, piece: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Inequalities a.x <= c that keep every unit on its piece."""
    ends = np.concatenate([[-np.inf], made.thresholds, [np.inf]])
    low, high = ends[piece], ends[piece + 1]
    below, above = np.isfinite(low), np.isfinite(high)
    return (
        np.concatenate([-weights[below], weights[above]]),
        np.concatenate([(biases - low)[below], (high - biases)[above]]),
    )


def from_layers(
    weights: Sequence[ArrayLike],
    biases: Sequence[ArrayLike],
    activation: "str | PiecewiseLinear | Activation | Sequence" = "relu",
    slope: float = 0.01,
) -> PiecewiseAffine:
    """A network from its layers' arrays.

    Args:
        weights: `(in_features, out_features)` of each layer.
        biases: `(out_features,)` of each layer.
        activation: of all layers but the last: "relu", "leaky_relu", "hard_tanh", "identity", a
            continuous :class:`theory.piecewise.PiecewiseLinear`, or a sequence, one a layer.
        slope: of "leaky_relu" below zero.

    Raises:
        ValueError: for layers that do not fit together, numbers that are not finite, or an
            unknown activation.
    """
    kernels = tuple(np.asarray(kernel, np.float64) for kernel in weights)
    offsets = tuple(np.asarray(bias, np.float64) for bias in biases)
    _check(kernels, offsets)
    return PiecewiseAffine(kernels, offsets, _activations(activation, len(kernels) - 1, slope))


def _activations(
    which: "str | PiecewiseLinear | Activation | Sequence", layers: int, slope: float
) -> tuple[Activation, ...]:
    if isinstance(which, str | PiecewiseLinear | Activation):
        return (activation(which, slope),) * layers
    if len(which) != layers:
        raise ValueError(f"needs an activation for {layers} hidden layers, got {len(which)}")
    return tuple(activation(one, slope) for one in which)


def _check(kernels: tuple[np.ndarray, ...], biases: tuple[np.ndarray, ...]) -> None:
    if not kernels or len(kernels) != len(biases):
        raise ValueError(
            f"needs as many biases as weights, at least one: {len(kernels)} and {len(biases)}"
        )
    width = kernels[0].shape[0] if kernels[0].ndim == 2 else -1
    for layer, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        if kernel.ndim != 2 or min(kernel.shape) < 1 or kernel.shape[0] != width:
            raise ValueError(
                f"layer {layer}: weights must be (in_features, out_features)"
                f"{f' with in_features={width}' if width > 0 else ''}, got shape {kernel.shape}"
            )
        width = kernel.shape[1]
        if bias.shape != (width,):
            raise ValueError(f"layer {layer}: biases must be ({width},), got shape {bias.shape}")
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise ValueError(f"layer {layer}: weights and biases must be finite")
