"""Trained weights as JSON types, so that a study can recall them."""

import base64
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array


def packed(model: nnx.Module) -> list[str]:
    """All numbers with a fraction that a model holds, as text, for :func:`restored`."""
    leaves = jax.tree.leaves(nnx.state(model))
    return [
        base64.b64encode(np.asarray(leaf, np.float32).tobytes()).decode()
        for leaf in leaves
        if _is_float(leaf)
    ]


def restored(model: Any, stored: Sequence[str]) -> Any:
    """The model with what :func:`packed` gave; whole numbers and keys stay its own."""
    leaves, tree = jax.tree.flatten(nnx.state(model))
    texts = iter(stored)
    values = [_unpacked(next(texts), leaf.shape) if _is_float(leaf) else leaf for leaf in leaves]
    if next(texts, None) is not None:
        raise ValueError("more arrays are stored than the model has")
    nnx.update(model, jax.tree.unflatten(tree, values))
    return model


def _is_float(leaf: Any) -> bool:
    return bool(jnp.issubdtype(leaf.dtype, jnp.floating))


def _unpacked(text: str, shape: tuple[int, ...]) -> Array:
    return jnp.asarray(np.frombuffer(base64.b64decode(text), np.float32).reshape(shape))
