"""A classifier in stages: activations after any of them, logits from any of them."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.defect.blocks import Head, Stage


class Plan(NamedTuple):
    """What is known of a stage before its weights are: name, channels and stride to the image."""

    name: str
    width: int
    stride: int


class StagedNet(nnx.Module):
    """A classifier of images cut into stages, from shallow to deep.

    For every stage `s`, `net(x) == net.head(net.features(x, s), s)`.

    Args:
        plans: name, channels and stride of each stage.
        parts: the stages, in the same order.
        out: from the last activations to logits.
        channels: of the images.

    Attributes:
        stages: names of the stages, from shallow to deep.
        widths: channels after each stage.
        strides: pixels of the image, along a side, per pixel of each stage's activations.
    """

    def __init__(
        self, plans: Sequence[Plan], parts: Sequence[Stage], out: Head, *, channels: int
    ) -> None:
        self.stages = tuple(plan.name for plan in plans)
        self.widths = tuple(plan.width for plan in plans)
        self.strides = tuple(plan.stride for plan in plans)
        self.parts, self.out, self.channels = nnx.List(parts), out, channels

    def features(
        self, x: Float[Array, "batch height width channels"], stage: str | None = None
    ) -> Float[Array, "batch rows columns features"]:
        """Activations after `stage`, the last one by default.

        Raises:
            ValueError: for an unknown stage, another number of axes or channels, or sides shorter
                than the stage's stride.
            TypeError: for pixels that are no floating-point numbers.
        """
        place = self._place(stage)
        self._check(x, place)
        for part in self.parts[: place + 1]:
            x = part(x)
        return x

    def head(
        self, features: Float[Array, "batch rows columns features"], stage: str | None = None
    ) -> Float[Array, "batch classes"]:
        """Logits from the activations after `stage`, the last one by default.

        Raises:
            ValueError: for an unknown stage, or activations of another shape than this stage's.
        """
        place = self._place(stage)
        width = self.widths[place]
        if features.ndim != 4 or features.shape[-1] != width:
            raise ValueError(
                f"expected activations of {self.stages[place]!r}, (batch, rows, columns, {width}), "
                f"got shape {features.shape}"
            )
        for part in self.parts[place + 1 :]:
            features = part(features)
        return self.out(features)

    def pyramid(self, x: Float[Array, "batch height width channels"]) -> tuple[Array, ...]:
        """Activations after every stage, from shallow to deep.

        Raises:
            ValueError: as :meth:`features` of the last stage.
            TypeError: as :meth:`features`.
        """
        self._check(x, len(self.stages) - 1)
        found = []
        for part in self.parts:
            x = part(x)
            found.append(x)
        return tuple(found)

    def __call__(
        self, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch classes"]:
        """Logits of images."""
        return self.head(self.features(x))

    def _place(self, stage: str | None) -> int:
        if stage is None:
            return len(self.stages) - 1
        if stage not in self.stages:
            raise ValueError(f"unknown stage {stage!r}; allowed: {', '.join(self.stages)}")
        return self.stages.index(stage)

    def _check(self, x: Array, place: int) -> None:
        if x.ndim != 4 or x.shape[-1] != self.channels:
            raise ValueError(
                f"expected images (batch, height, width, {self.channels}), got shape {x.shape}"
                "; `preprocess` gives grey images three channels"
            )
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise TypeError(
                f"expected floating-point pixels, got {x.dtype}; `preprocess` converts uint8"
            )
        if min(x.shape[1:3]) < self.strides[place]:
            raise ValueError(
                f"images of {x.shape[1]}x{x.shape[2]} pixels are smaller than the stride "
                f"{self.strides[place]} of {self.stages[place]!r}"
            )
