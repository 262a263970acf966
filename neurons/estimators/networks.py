"""The networks that the estimators train: hidden layers of one neuron."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.layer import Dense
from neurons.neuron import Neuron

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "hard_tanh": jax.nn.hard_tanh,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
}
RANGE = (-1.0, 1.0)  # of every layer's inputs
_BLOCK = 512  # rows of one forward pass; a fixed shape compiles once


class Network(nnx.Module):
    """Hidden layers of one neuron and a linear output; without hidden layers, the neuron itself.

    Args:
        neuron: of all layers but the output.
        in_features: inputs.
        layers: widths of the hidden layers.
        out_features: outputs.
        activation: a name of `ACTIVATIONS`.
        rngs: randomness of the start.
    """

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        layers: Sequence[int],
        out_features: int,
        activation: str,
        *,
        rngs: nnx.Rngs,
    ):
        sizes = (in_features, *layers)
        self.activation = activation
        self.hidden = nnx.List(
            Dense(neuron, size, width, rngs=rngs)
            for size, width in zip(sizes, layers, strict=False)
        )
        self.out: nnx.Module = (
            nnx.Linear(sizes[-1], out_features, rngs=rngs)
            if layers
            else Dense(neuron, in_features, out_features, rngs=rngs)
        )

    def __call__(self, x: Float[Array, "batch in_features"]) -> Float[Array, "batch out_features"]:
        """Outputs for inputs on [-1, 1]."""
        for layer in self.hidden:
            x = ACTIVATIONS[self.activation](layer(x))
        return self.out(x)


def outputs(network: Network, x: np.ndarray) -> np.ndarray:
    """Outputs `(n, out_features)` for inputs `(n, in_features)`, in float64.

    Rows pass in blocks of one shape: one compilation, and the same result in any company.
    """
    return in_blocks(lambda block: _apply(network, block), x, _BLOCK)


def in_blocks(apply: Callable[[Array], Array], x: np.ndarray, size: int) -> np.ndarray:
    """`apply` of rows `(n, in_features)` in blocks of `size`, the last one padded; in float64."""
    blocks = (x[at : at + size].astype(np.float32) for at in range(0, len(x), size))
    padded = (np.pad(block, ((0, size - len(block)), (0, 0))) for block in blocks)
    found = [np.asarray(apply(jnp.asarray(block))) for block in padded]
    return np.concatenate(found)[: len(x)].astype(np.float64)


@nnx.jit
def _apply(model: Network, x: Array) -> Array:
    return model(x)


@lru_cache(maxsize=64)
def adam(rate: float, steps: int) -> optax.GradientTransformation:
    """Adam with a decaying rate; one object each, so that runs of equal shapes compile once."""
    return optax.adam(optax.cosine_decay_schedule(rate, steps))
