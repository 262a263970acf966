"""Which rows every training step sees."""

from dataclasses import dataclass
from typing import Any

import jax
from jax import Array
from jaxtyping import Int


@dataclass(frozen=True)
class Batches:
    """Arrays to draw mini-batches from, and for how long.

    Every epoch visits the rows in a new order and drops the incomplete last batch, so that all
    steps have one shape.

    Args:
        data: pytree of arrays with the examples on their first axis.
        size: examples per step; at most the number of examples.
        epochs: passes over the data.

    Raises:
        ValueError: for arrays of different lengths, or a size or epochs below 1.
    """

    data: Any
    size: int
    epochs: int

    def __post_init__(self) -> None:
        lengths = {leaf.shape[0] for leaf in jax.tree.leaves(self.data)}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(f"arrays must share one length above 0, got {sorted(lengths)}")
        if self.size < 1 or self.epochs < 1:
            raise ValueError(f"size and epochs must be at least 1: {self.size}, {self.epochs}")
        if self.size > self.examples:
            raise ValueError(f"size={self.size} exceeds the {self.examples} examples")

    @property
    def examples(self) -> int:
        """Number of rows."""
        return int(jax.tree.leaves(self.data)[0].shape[0])

    @property
    def steps_per_epoch(self) -> int:
        """Complete batches in one pass."""
        return self.examples // self.size

    @property
    def steps(self) -> int:
        """Steps in all, for schedules."""
        return self.steps_per_epoch * self.epochs

    def order(self, key: Array, epoch: int) -> Int[Array, "steps size"]:
        """Rows of every batch of one epoch."""
        rows = jax.random.permutation(jax.random.fold_in(key, epoch), self.examples)
        return rows[: self.steps_per_epoch * self.size].reshape(self.steps_per_epoch, self.size)
