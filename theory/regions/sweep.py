"""Going through a network layer by layer, cutting parts of the input space where its units bend.

What a part is differs, and how a wall halves it: intervals and polygons, or polytopes. The order
of the cuts, the affine maps on the parts and the pieces that their units are on are the same.
"""

import itertools
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float, Int

from theory.regions.activation import Activation
from theory.regions.cells import Cells
from theory.regions.network import PiecewiseAffine
from theory.regions.polytopes import Polytopes

# Slopes below this, relative to what they were summed from, are rounding: the unit is constant.
FLAT = 1e-13
# So many parts go through a layer together; the arrays of more leave the processor's cache.
_TOGETHER = 2048

# What a box is cut into: each knows how to take some, join others, and halve all by walls.
Parts = TypeVar("Parts", Cells, Polytopes)


@dataclass(frozen=True)
class Block(Generic[Parts]):
    """Parts that have gone through some layers, and the affine maps of the last one's units.

    Args:
        parts: a block of them.
        weights: `(parts, units, in_features)`.
        biases: `(parts, units)`.
        patterns: `(parts, units_so_far)`.
        layer: how many layers are done.
    """

    parts: Parts
    weights: Float[np.ndarray, "parts units in_features"]
    biases: Float[np.ndarray, "parts units"]
    patterns: Int[np.ndarray, "parts units_so_far"]
    layer: int = 0

    def split(self) -> "list[Block[Parts]]":
        """As several blocks that are not too large."""
        ends = [*range(0, len(self.parts), _TOGETHER), len(self.parts)]
        pieces = [slice(*pair) for pair in itertools.pairwise(ends)]
        return [
            Block(
                self.parts.take(np.arange(one.start, one.stop)),
                self.weights[one], self.biases[one], self.patterns[one], self.layer,
            )
            for one in pieces
        ]  # fmt: skip


def sweep(
    net: PiecewiseAffine, whole: Parts, size: float, most: int
) -> tuple[Parts, Int[np.ndarray, "regions units"]]:
    """All regions inside a whole, and their activation patterns.

    Args:
        net: the network.
        whole: one part.
        size: of the whole around zero, to tell parts and slopes from rounding.
        most: so many regions are tolerated.

    Raises:
        ValueError: if there are more.
    """
    d = net.in_features
    none = np.zeros((1, 0), np.int64)
    todo: list[Block[Parts]] = [Block(whole, np.eye(d)[None], np.zeros((1, d)), none)]
    done: list[Block[Parts]] = []
    while todo:
        block = todo.pop()
        if block.layer == len(net.activations):
            done.append(block)
            continue
        known = sum(len(other.parts) for other in (*todo, *done))
        todo += _through_layer(net, block, size, most - known).split()[::-1]
    parts = done[0].parts.joined([block.parts for block in done[1:]])
    return parts, np.concatenate([block.patterns for block in done])


def _through_layer(
    net: PiecewiseAffine, block: Block[Parts], size: float, most: int
) -> Block[Parts]:
    kernel, bias = net.weights[block.layer], net.biases[block.layer]
    made = net.activations[block.layer]
    flat = _constant(kernel, bias, block, size)
    weights, biases = kernel.T @ block.weights, block.biases @ kernel + bias
    parts, source, pieces = _cut(block.parts, weights, biases, flat, made, size, most)
    slopes = made.slopes[pieces]
    return Block(
        parts,
        slopes[:, :, None] * weights[source],
        slopes * biases[source] + made.intercepts[pieces],
        np.concatenate([block.patterns[source], pieces], axis=1),
        block.layer + 1,
    )


def _constant(kernel: np.ndarray, bias: np.ndarray, block: Block[Parts], size: float) -> np.ndarray:
    """Whether a unit is constant on a part but for rounding: `(parts, units)`."""
    scales = np.linalg.norm(block.weights, axis=2) * size + np.abs(block.biases)
    slopes = np.linalg.norm(kernel.T @ block.weights, axis=2)
    return slopes * size <= FLAT * (scales @ np.abs(kernel) + np.abs(bias))


def _cut(
    parts: Parts,
    weights: np.ndarray,
    biases: np.ndarray,
    flat: np.ndarray,
    made: Activation,
    size: float,
    most: int,
) -> tuple[Parts, np.ndarray, np.ndarray]:
    """Cut at all thresholds of a layer: parts, the one each comes from, units' pieces there."""
    steps, source = [], np.arange(len(parts))
    for unit in range(biases.shape[1]):
        for threshold in made.thresholds:
            levels = biases[source, unit] - threshold
            parts, (order, beyond) = parts.halved(
                weights[source, unit], levels, flat[source, unit], size
            )
            check_number(len(parts), most)
            steps.append((unit, order, beyond))
            source = source[order]
    return parts, source, _replayed(steps, len(parts), biases.shape[1])


def _replayed(
    steps: list[tuple[int, np.ndarray, np.ndarray]], parts: int, units: int
) -> np.ndarray:
    """How many thresholds of each unit lie below each part, from the steps of the cuts.

    Followed back from the last one: to carry all units along would take longer than the cuts.
    """
    pieces, where = np.zeros((parts, units), np.int64), np.arange(parts)
    for unit, order, beyond in reversed(steps):
        pieces[:, unit] += beyond[where]
        where = order[where]
    return pieces


def check_number(found: int, most: int) -> None:
    """Raise ValueError if there are more regions than tolerated."""
    if found > most:
        raise ValueError(
            f"there are more regions than tolerated, by at least {found - most}: allow more with "
            "most=, or take a smaller box"
        )
