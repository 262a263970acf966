"""Networks of the inspection study: pictures, what enters the trained stages, and those stages.

On real pictures the first three stages are MobileNetV2's, trained on ImageNet and frozen; their
activations are computed once for a set, in the four flips that training uses. Two more stages and
a head with two logits, of which the second is the defect's, are trained on them. On drawn
pictures, for which there are no such weights, four stages are trained from scratch. Either way the
whole network is one `StagedNet` that ends with the stages `stage1, ..., stage4`, and so is its
trained part on what enters it, which ends with `stage3, stage4`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

import neurons as nr
from neurons.backbones.defect import StagedNet, preprocess
from neurons.backbones.defect.blocks import ConvNorm, MeanHead, Names, Stage
from neurons.backbones.defect.staged import Plan
from theory.claims.localisation_study_detectors import backbone

Set = Literal["tiles", "cells", "drawn"]

SETS: tuple[Set, ...] = ("tiles", "cells", "drawn")
STAGES = ("stem", "stage1", "stage2", "stage3", "stage4")
FROZEN = 3  # stages of the pretrained network
CHUNK = 8  # pictures in the frozen stages at once: what they need stays in the cache
FLIPS = ((1, 1), (1, -1), (-1, 1), (-1, -1))  # steps along rows and columns; the first is none


class Shape(NamedTuple):
    """A trained network: channels that enter, then of each stage; what halves the size before."""

    widths: tuple[int, ...]
    pools: tuple[int, ...]
    strides: tuple[int, ...]


PRETRAINED = Shape((32, 32, 32), (0, 2), (1, 1))
# Strides in place of poolings: half the time of a step on a CPU, where shallow layers cost most.
SCRATCH = Shape((3, 8, 16, 16, 24), (0, 0, 0, 0), (2, 1, 2, 1))


@dataclass(frozen=True, eq=False)
class Part:
    """One of the sets, ready to be divided and learned.

    Args:
        name: "tiles", "cells" or "drawn".
        images: `(pictures, height, width)` grey levels in [0, 1].
        labels: `(pictures,)` int32, 1 for a defective picture.
        kinds: by which folds are stratified.
        masks: `(pictures, height, width)` bool; None where there are none.
        parts: the piece that each picture shows; empty if each shows its own.
        data: the set of all three, for the weights.
    """

    name: Set
    images: np.ndarray
    labels: np.ndarray
    kinds: tuple[str, ...]
    masks: np.ndarray | None
    parts: tuple[str, ...]
    data: Any

    @property
    def side(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def pretrained(self) -> bool:
        """Whether the first stages are frozen ones."""
        return bool(self.data.weights) and self.name != "drawn"

    @property
    def entered(self) -> np.ndarray:
        """What the trained stages take, `(flips, pictures, rows, columns, channels)`."""
        return activations(self.data, self.name, STAGES[FROZEN - 1] if self.pretrained else "")


@lru_cache(maxsize=6)
def part(data: Any, which: Set) -> Part:
    """A part of a `neurons.data.Surfaces`.

    Raises:
        ValueError: for another name.
    """
    if which not in SETS:
        raise ValueError(f"unknown part {which!r}; allowed: {', '.join(SETS)}")
    found = getattr(data, which)
    kinds, masks = found.kinds, getattr(found, "masks", None)
    if masks is None:
        pairs = zip(kinds, found.probability, strict=True)
        kinds = tuple(f"{kind} {grade:.2f}" for kind, grade in pairs)
    labels = found.defective.astype(np.int32)
    return Part(which, found.images, labels, kinds, masks, getattr(found, "parts", ()), data)


@lru_cache(maxsize=8)
def activations(data: Any, which: Set, stage: str = "") -> np.ndarray:
    """Activations of all pictures after a frozen stage, in the four flips of :data:`FLIPS`.

    Args:
        data: a `neurons.data.Surfaces`.
        which: the part.
        stage: "stem", "stage1" or "stage2" of the pretrained network; "" for the pictures as the
            network takes them.

    Returns:
        `(flips, pictures, rows, columns, channels)`, float32.
    """
    images, net = part(data, which).images, backbone(data) if stage else None
    flipped = [preprocess(np.ascontiguousarray(images[:, ::a, ::b])) for a, b in FLIPS]
    if net is None:
        return np.stack(flipped)
    run = _features(net, stage)
    return np.stack([in_chunks(run, np.asarray(x), CHUNK) for x in flipped])


def _features(net: StagedNet, stage: str) -> Callable[[Array], Array]:
    """The activations after a stage, as a compiled function that is cheap to call."""
    graph, state = nnx.split(net)

    @jax.jit
    def run(state: Any, x: Array) -> Array:
        return nnx.merge(graph, state).features(x, stage)

    return partial(run, state)


def build(data: Any, which: Set, *, rngs: nnx.Rngs) -> StagedNet:
    """A fresh trainable network on `part.entered`, logits `(batch, 2)`."""
    shape = PRETRAINED if part(data, which).pretrained else SCRATCH
    layers = [
        ConvNorm(nr.conventional, *widths, 3, strides=step, names=Names(), rngs=rngs)
        for widths, step in zip(pairwise(shape.widths), shape.strides, strict=True)
    ]
    stages = [Stage([layer], pool=pool) for layer, pool in zip(layers, shape.pools, strict=True)]
    head = MeanHead(shape.widths[-1], 2, name="", rngs=rngs)
    return StagedNet(_plans(shape), stages, head, channels=shape.widths[0])


def _plans(shape: Shape) -> list[Plan]:
    steps = [max(1, pool) * step for pool, step in zip(shape.pools, shape.strides, strict=True)]
    strides = np.cumprod(steps).tolist()
    names = STAGES[-len(shape.pools) :]
    return [Plan(*plan) for plan in zip(names, shape.widths[1:], strides, strict=True)]


def whole(data: Any, which: Set, net: StagedNet) -> StagedNet:
    """The frozen stages and the trained ones as one network, in evaluation mode.

    It takes pictures as `preprocess` gives them.
    """
    base = backbone(data) if part(data, which).pretrained else None
    if base is None:
        return net
    before = [Plan(*p) for p in zip(base.stages, base.widths, base.strides, strict=True)][:FROZEN]
    scale = before[-1].stride
    after = [
        Plan(name, width, scale * stride)
        for name, width, stride in zip(net.stages, net.widths, net.strides, strict=True)
    ]
    joined = StagedNet([*before, *after], [*base.parts[:FROZEN], *net.parts], net.out, channels=3)
    joined.eval()
    return joined


@nnx.jit
def called(model: Any, x: Array) -> Any:
    """What a model answers."""
    return model(x)


def outputs(model: Any, x: np.ndarray, size: int = 64) -> Any:
    """What a model answers to many rows, in chunks of one shape; leaves are NumPy's."""
    return in_chunks(partial(called, model), x, size)


def in_chunks(function: Callable[[Array], Any], x: np.ndarray, size: int) -> Any:
    """A function of many rows, called with `size` rows at a time: one shape, one compilation.

    Args:
        function: of `(size, ...)`; its leaves have as many rows. Each row must be on its own.
        x: `(rows, ...)`; the last chunk is filled up with the first row.
        size: rows of a chunk.

    Returns:
        What it returns of all rows, with leaves of NumPy.
    """
    count, last = len(x), -(-len(x) // size) * size
    padded = np.concatenate([x, np.repeat(x[:1], last - count, axis=0)])
    parts = [function(jnp.asarray(padded[at : at + size])) for at in range(0, last, size)]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *parts)
