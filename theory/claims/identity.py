"""Does the qttention factorisation hold to rounding?"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike

from neurons.convolution import Conv
from neurons.explain.qttention import factorise
from neurons.layer import Dense, Layer
from neurons.quadratic import quadratic
from theory.claims.claim import Lab


def identity_error(lab: Lab, seed: int, dtype: DTypeLike) -> float:
    """Largest relative error over random dense, 1-d and 2-d convolution layers."""
    keys = jax.random.split(jax.random.fold_in(lab.key, seed), 3)
    rngs = nnx.Rngs(keys[0])
    cases: tuple[tuple[Layer, tuple[int, ...]], ...] = (
        (Dense(quadratic, 50, 20, init="common", dtype=dtype, rngs=rngs), (8, 50)),
        (
            Conv(quadratic, 1, 16, 64, strides=8, init="common", dtype=dtype, rngs=rngs),
            (4, 2048, 1),
        ),
        (Conv(quadratic, 6, 8, (3, 3), init="common", dtype=dtype, rngs=rngs), (2, 9, 9, 6)),
    )
    return max(
        _relative_error(layer, jax.random.normal(keys[1], shape, dtype), lab.fault == "drop_bias")
        for layer, shape in cases
    )


def _relative_error(layer: Layer, x: Array, drop_bias: bool) -> float:
    graph, state = nnx.split(layer)

    @jax.jit
    def error(state: Any, x: Array) -> Array:
        layer = nnx.merge(graph, state)
        exact, factors = layer(x), factorise(layer, x)
        if drop_bias:
            factors = factors._replace(bias=jnp.zeros_like(factors.bias))
        return jnp.abs(factors.output() - exact).max() / jnp.abs(exact).max()

    return float(error(state, x))
