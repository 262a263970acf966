"""Layers of quadratic neurons as what they are: a quadratic form for each output."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

import neurons as nr

_KNOWN = (nr.conventional, nr.quadratic, nr.product_only, nr.compact, nr.power_only)


@dataclass(frozen=True)
class QuadraticForm:
    """q(x) = x^T Q x + w.x + b, one for each output.

    Args:
        matrices: `(out, in_features, in_features)` symmetric Q.
        weights: `(out, in_features)` w.
        biases: `(out,)` b.
    """

    matrices: Float[np.ndarray, "out in_features in_features"]
    weights: Float[np.ndarray, "out in_features"]
    biases: Float[np.ndarray, " out"]

    def __call__(self, x: ArrayLike) -> Float[np.ndarray, "points out"]:
        """Values at `x` `(points, in_features)`."""
        points = np.asarray(x, np.float64)
        squares = np.einsum("pi,oij,pj->po", points, self.matrices, points, optimize=True)
        return squares + points @ self.weights.T + self.biases

    def gradient(self, x: ArrayLike) -> Float[np.ndarray, "points out in_features"]:
        """2 Q x + w at `x` `(points, in_features)`: the local weights, which change with x."""
        return 2 * np.einsum("oij,pj->poi", self.matrices, np.asarray(x, np.float64)) + self.weights


def quadratic_form(layer: nr.Dense) -> QuadraticForm:
    """The exact form of a dense layer of quadratic neurons.

    (w_r.x + b_r)(w_g.x + b_g) + w_b.x^2 + c is x^T Q x + w.x + b with
    Q = (w_r w_g^T + w_g w_r^T) / 2 + diag(w_b), w = b_g w_r + b_r w_g, b = b_r b_g + c.

    Args:
        layer: of conventional, quadratic, product_only, compact or power_only neurons.

    Raises:
        ValueError: for other neurons.

    Example:
        >>> from flax import nnx
        >>> layer = nr.Dense(nr.quadratic, 3, 2, init="common", rngs=nnx.Rngs(0))
        >>> x = np.array([[1.0, -2.0, 3.0]])
        >>> np.allclose(quadratic_form(layer)(x), layer(x), atol=1e-5)
        True
    """
    if layer.neuron not in _KNOWN:
        known = ", ".join(neuron.name for neuron in _KNOWN)
        raise ValueError(f"knows the neurons {known}; got {layer.neuron.name}")
    inputs, outputs = layer.in_features, layer.out_features
    linear, shift = _branch(layer, "r", (inputs, outputs), 0.0)
    gate, level = _branch(layer, "g", (inputs, outputs), 1.0)
    power, rest = _branch(layer, "b", (inputs, outputs), 0.0)
    product = np.einsum("io,jo->oij", linear, gate)
    matrices = (product + product.transpose(0, 2, 1)) / 2
    matrices += power.T[:, :, None] * np.eye(inputs)
    return QuadraticForm(matrices, (level * linear + shift * gate).T, shift * level + rest)


def _branch(
    layer: nr.Dense, name: str, shape: tuple[int, int], default: float
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias; of a branch that the neuron lacks 0 and the default."""
    if name not in [branch.name for branch in layer.neuron.branches]:
        return np.zeros(shape), np.full(shape[1], default)
    kernel, offset = layer.weights(name), layer.offset(name)
    # Without biases the offset is one number for all neurons.
    return np.asarray(kernel, np.float64), np.broadcast_to(
        np.asarray(offset, np.float64), shape[1:]
    )
