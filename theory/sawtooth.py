"""Squares and products by ReLU networks that fold: how cheaply kinks imitate a parabola.

The tent map applied s times is a sawtooth of 2^(s-1) teeth; x minus a sum of sawteeth over 4^s is
the interpolation of x^2 at multiples of 2^-m. The error falls by four with every layer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class ReluNetwork:
    """A ReLU network as its weights, in float64.

    Args:
        kernels: `(in, out)` of every layer.
        biases: `(out,)` of every layer.
    """

    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def __call__(
        self, x: Float[np.ndarray, "points inputs"]
    ) -> Float[np.ndarray, "points outputs"]:
        """The network at `x`; ReLU after all layers but the last."""
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ kernel + bias, 0)
        return x @ self.kernels[-1] + self.biases[-1]

    @property
    def weights(self) -> int:
        """Weights and biases that are not zero."""
        return sum(int(np.count_nonzero(a)) for a in (*self.kernels, *self.biases))

    @property
    def neurons(self) -> int:
        """Hidden neurons."""
        return sum(bias.size for bias in self.biases[:-1])


def sawtooth_square(m: int) -> ReluNetwork:
    """Approximate x^2 on [0, 1] by `m` hidden layers of three neurons; error 2^(-2m-2).

    Args:
        m: sawteeth, and hidden layers.

    Raises:
        ValueError: for m below 1.

    References:
        D. Yarotsky, Error bounds for approximations with deep ReLU networks, Neural Networks 94,
        2017, arXiv 1610.01145.

    Example:
        >>> float(sawtooth_square(2)(np.array([[0.5]]))[0, 0])
        0.25
    """
    return _folding([np.ones((1, 1))], [np.zeros(1)], np.ones((1, 1)), m)


def sawtooth_product(m: int) -> ReluNetwork:
    """Approximate xy on [-1, 1]^2 as ((x+y)/2)^2 - ((x-y)/2)^2; error at most 2^(-2m-2).

    One layer for the two absolute values, then two :func:`sawtooth_square` side by side.

    Args:
        m: sawteeth.

    Raises:
        ValueError: for m below 1.
    """
    half_sum, half_difference = np.array([0.5, 0.5]), np.array([0.5, -0.5])
    signed = np.stack([half_sum, -half_sum, half_difference, -half_difference], axis=1)
    absolute = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=float)
    return _folding([signed, absolute], [np.zeros(4), np.zeros(2)], np.array([[1.0], [-1.0]]), m)


def _folding(
    start: Sequence[np.ndarray], offsets: Sequence[np.ndarray], mix: np.ndarray, m: int
) -> ReluNetwork:
    """`m` folds of every coordinate in [0, 1], after linear layers `start`, then `mix`.

    A block of three neurons holds the sawtooth g, g - 1/2 and the approximation so far; g folds to
    2 g - 4 relu(g - 1/2).
    """
    if m < 1:
        raise ValueError(f"m must be at least 1, got {m}")
    blocks = np.eye(start[-1].shape[1])
    copy = np.kron(blocks, np.ones((1, 3)))
    bias = np.tile([0.0, -0.5, 0.0], len(blocks))
    kernels, biases = [*start[:-1], start[-1] @ copy], [*offsets[:-1], offsets[-1] @ copy + bias]
    for fold in range(1, m):
        tent = np.array([2.0, -4.0, 0.0])
        rest = np.array([0.0, 0.0, 1.0]) - tent / 4**fold
        kernels.append(np.kron(blocks, np.stack([tent, tent, rest], axis=1)))
        biases.append(bias)
    last = np.array([0.0, 0.0, 1.0]) - np.array([2.0, -4.0, 0.0]) / 4**m
    kernels.append(np.kron(blocks, last[:, None]) @ mix)
    return ReluNetwork(tuple(kernels), (*biases, np.zeros(1)))


def square_segments(error: float) -> int:
    """Linear pieces that x^2 on [0, 1] needs for a largest error of `error`: 1 / sqrt(8 error).

    A chord over length h misses a parabola by h^2/4, the best line by h^2/8; n pieces of equal
    length are the best, so that the bound is attained.

    Args:
        error: above 0.

    Raises:
        ValueError: for an error that is not positive.

    Example:
        >>> square_segments(1 / 8 / 100)
        10
    """
    if not error > 0:
        raise ValueError(f"error must be positive, got {error}")
    return math.ceil(1 / math.sqrt(8 * error) - 1e-9)


def fewest_relu_neurons(error: float) -> int:
    """Hidden neurons that no ReLU network for x^2 on [0, 1] can do without, whatever its depth.

    A layer of n neurons multiplies the number of linear pieces by at most n + 1 <= 2^n, so that
    :func:`square_segments` pieces take log2 of their number.

    Args:
        error: largest error allowed, above 0.

    Raises:
        ValueError: for an error that is not positive.
    """
    return math.ceil(math.log2(square_segments(error)))
