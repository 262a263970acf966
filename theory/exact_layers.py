"""Layers whose weights are given, in float64: what constructive proofs build with.

Call them under `jax.enable_x64(True)`; elsewhere JAX rounds what they return to float32.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import ArrayLike

import neurons as nr


def quadratic_layer(
    kernel_r: ArrayLike,
    bias_r: ArrayLike,
    kernel_g: ArrayLike,
    bias_g: ArrayLike,
    kernel_b: ArrayLike,
    bias_b: ArrayLike,
) -> nr.Dense:
    """A layer of quadratic neurons `(x W_r + b_r)(x W_g + b_g) + x^2 W_b + c`.

    Args:
        kernel_r: `(in_features, out_features)` W_r, like `kernel_g` and `kernel_b`.
        bias_r: `(out_features,)` b_r, like `bias_g`.
        kernel_g: W_g.
        bias_g: b_g.
        kernel_b: W_b.
        bias_b: c.

    Raises:
        ValueError: for shapes that do not fit each other.

    Example:
        >>> square = quadratic_layer([[1]], [0], [[1]], [0], [[0]], [0])
        >>> float(square(jnp.array([3.0]))[0])
        9.0
    """
    values = {
        "kernel_r": kernel_r,
        "bias_r": bias_r,
        "kernel_g": kernel_g,
        "bias_g": bias_g,
        "kernel_b": kernel_b,
        "bias_b": bias_b,
    }
    arrays = {name: np.asarray(value, np.float64) for name, value in values.items()}
    if arrays["kernel_r"].ndim != 2:
        raise ValueError(f"kernel_r is (in, out), got shape {arrays['kernel_r'].shape}")
    n, m = arrays["kernel_r"].shape
    for name, array in arrays.items():
        expected = (n, m) if name.startswith("kernel") else (m,)
        if array.shape != expected:
            raise ValueError(f"{name} needs shape {expected}, got {array.shape}")
    with jax.enable_x64(True):
        # Only the shapes are built: drawing weights that are replaced would cost a compilation.
        layer = nnx.eval_shape(
            lambda: nr.Dense(nr.quadratic, n, m, dtype=jnp.float64, rngs=nnx.Rngs(0))
        )
        nnx.update(layer, {name: jnp.asarray(array) for name, array in arrays.items()})
    return layer


def linear_layer(kernel: ArrayLike, bias: ArrayLike) -> nnx.Linear:
    """A linear layer `x W + b` in float64.

    Args:
        kernel: `(in_features, out_features)` W.
        bias: `(out_features,)` b.

    Raises:
        ValueError: for shapes that do not fit each other.
    """
    weights, offsets = np.asarray(kernel, np.float64), np.asarray(bias, np.float64)
    if weights.ndim != 2 or offsets.shape != weights.shape[1:]:
        raise ValueError(f"kernel (in, out) and bias (out,): {weights.shape} and {offsets.shape}")
    with jax.enable_x64(True):
        layer = nnx.eval_shape(
            lambda: nnx.Linear(*weights.shape, param_dtype=jnp.float64, rngs=nnx.Rngs(0))
        )
        nnx.update(layer, {"kernel": jnp.asarray(weights), "bias": jnp.asarray(offsets)})
    return layer


def xor_neuron() -> nr.Dense:
    """One quadratic neuron that is exclusive or on {0, 1}^2: `(x_1 - x_2)(x_1 - x_2)`.

    Example:
        >>> xor_neuron()(jnp.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]))[:, 0].tolist()
        [0.0, 1.0, 1.0, 0.0]
    """
    return quadratic_layer([[1], [-1]], [0], [[1], [-1]], [0], [[0], [0]], [0])


def product_neuron() -> nr.Dense:
    """One quadratic neuron that multiplies its two inputs: `x_1 x_2`, two weights of 1."""
    return quadratic_layer([[1], [0]], [0], [[0], [1]], [0], [[0], [0]], [0])


def square_norm_neuron(d: int) -> nr.Dense:
    """One quadratic neuron that is `|x|^2` in `d` dimensions.

    Raises:
        ValueError: for d below 1.
    """
    if d < 1:
        raise ValueError(f"d must be at least 1, got {d}")
    zeros, ones = np.zeros((d, 1)), np.ones((d, 1))
    return quadratic_layer(zeros, [0], zeros, [0], ones, [0])
