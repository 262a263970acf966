"""What a model costs."""

from typing import Any

import jax
from flax import nnx


def parameters(model: Any) -> int:
    """Number of trained parameters of an `nnx` module.

    Example:
        >>> from neurons import Dense, quadratic
        >>> parameters(Dense(quadratic, 5, 2, rngs=nnx.Rngs(0)))
        36
    """
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
