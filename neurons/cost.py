"""What a model costs: parameters and multiplications."""

from typing import Any

import jax
from flax import nnx

from neurons.counting import count_multiplications


def parameters(model: Any) -> int:
    """Number of trained parameters of an `nnx` module.

    Example:
        >>> from neurons import Dense, quadratic
        >>> parameters(Dense(quadratic, 5, 2, rngs=nnx.Rngs(0)))
        36
    """
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))


def multiplications(model: Any, *inputs: Any) -> int:
    """Multiplications of one forward pass of an `nnx` module, as the model is written.

    Matrix products, convolutions and element-wise products all count, the transforms of inputs
    (one multiplication per square) included; see :func:`count_multiplications`. Use
    `model.eval()` first to count inference.

    Args:
        model: the module.
        *inputs: arrays, or `jax.ShapeDtypeStruct`; nothing is computed. The count is for the whole
            batch: use a batch of one for the cost of an example.

    Raises:
        ValueError: for a model with a loop of unknown length.

    Example:
        >>> from neurons import Dense, quadratic
        >>> layer = Dense(quadratic, 5, 2, rngs=nnx.Rngs(0))
        >>> multiplications(layer, jax.ShapeDtypeStruct((1, 5), "float32"))
        37
    """
    graph, state = nnx.split(model)

    def forward(state: Any, *inputs: Any) -> Any:
        return nnx.merge(graph, state, copy=True)(*inputs)

    return count_multiplications(forward, state, *inputs)
