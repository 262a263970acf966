"""Activations in the middle of a network, and what passes by them."""

from dataclasses import dataclass
from typing import Any

import jax
from jax import Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Beside:
    """Activations that a map is made of, and what passes by them to the head.

    What a head needs besides the explained activations (class tokens, skip connections, the other
    branch of a network) travels here. Methods read and change `activations` only.

    Args:
        activations: `(batch, *spatial, channels)`.
        rest: pytree of arrays `(batch, ...)`.
    """

    activations: Array
    rest: Any
