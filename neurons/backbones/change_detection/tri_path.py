"""Tri-path DINO: coarse semantics and fine structure of two dates, fused and decoded.

1. Both pictures pass the main path (a DINOv3 transformer) and the auxiliary path, with the same
   weights: four maps each, of strides patch/4 to 2 patch.
2. On every path and at every size the dates become a change, `d = W [own, other, |own - other|]`.
3. A gate mixes the paths, `p = g d_main + (1 - g) d_auxiliary`: the third path.
4. The decoder goes from the coarsest p to the finest, with multi-level hybrid attention (MLHA).
5. A 1x1 convolution gives logits, which are enlarged to the picture.

With two heads, steps 2 to 5 run once for each date, with the same weights and the dates exchanged:
exchanging the pictures exchanges the maps, exactly.

References:
    Tri-path DINO: Feature Complementary Learning for Remote Sensing Multi-Class Change Detection,
    arXiv 2603.01498. The abstract and a summary were at hand: paths, MLHA and the loss's terms are
    the paper's, all sizes and formulas are our reading.
"""

from typing import Any, Literal

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.change_detection.auxiliary import SEGFORMER_B0, AuxiliaryPath, Plan
from neurons.backbones.change_detection.decoder import WINDOWS, Decoder, Decoding, Fields, enlarged
from neurons.backbones.change_detection.fusion import GatedFusion, TemporalFusion
from neurons.backbones.change_detection.main_path import LEVELS, MainPath, Training
from neurons.backbones.change_detection.maps import ChangeLogits, MapLogits
from neurons.backbones.defect.preprocessing import Colours
from neurons.backbones.defect.preprocessing import preprocess as standardised
from neurons.backbones.dino.preprocessing import WEB
from neurons.backbones.dino.variants import Shape
from neurons.backbones.dino.vit import VisionTransformer
from neurons.beside import Beside
from neurons.convolution import Conv
from neurons.neuron import Neuron
from neurons.options import require
from neurons.quadratic import conventional

Image = Float[Array, "batch height width 3"]
Pair = tuple[Image, Image] | Float[Array, "batch 2 height width 3"]
PATHS = ("main", "auxiliary", "fused")


class TriPath(nnx.Module):
    """A detector of what changed, and into what, between two pictures of a place.

    Pictures of any size will do: they are continued by their border pixels to whole patches, and
    the logits are cut back. For every stage `s`, `net.head(net.features(pair, s), s)` equals
    `net(*pair).stacked`; stages are for explanations (`neurons.explain.cam`), whose target is a
    function such as :func:`change_evidence`.

    Args:
        classes: N, without "unchanged".
        backbone: the main path's transformer, or a shape for a fresh one. Its patch must be a
            multiple of 4. Of a given transformer a copy is taken.
        main: whether there is a main path.
        auxiliary: whether there is an auxiliary path.
        decoder: "mlha" or, to compare with, "plain".
        heads: maps: 2, one for each date, or 1.
        width: channels of the fused maps and of the decoder.
        training: what of the transformer is trained: "all", low-rank "adapters", or nothing
            ("frozen").
        rank: of the adapters.
        plan: sizes of the auxiliary path.
        fields: window and dilation of the decoder's branches.
        colours: by which pictures are standardised, as the transformer's weights ask for.
        neuron: of the auxiliary path's, the fusion's and the decoder's convolutions.
        rngs: stream `params`.

    Attributes:
        stages: "main1" (finest) to "main4", "auxiliary1" to "auxiliary4", as far as the path is
            there, "fused1" to "fused4", "decoder". Where there are two heads, a stage's activations
            are those of both dates side by side.

    Raises:
        ValueError: without any path, for classes below 1, other than one or two heads, a patch
            that is no multiple of 4, or an unknown option; on call for pictures whose sizes differ,
            or an unknown stage.
        TypeError: on call for pixels that are no floating-point numbers.

    Example:
        >>> import jax
        >>> options = {"width": 4, "auxiliary": False, "decoder": "plain"}
        >>> net = TriPath(3, Shape(16, 2, 2, 32, patch=8), **options, rngs=nnx.Rngs(0))
        >>> net.eval()
        >>> before, after = jnp.zeros((1, 20, 30, 3)), jnp.ones((1, 20, 30, 3))
        >>> [one.shape for one in jax.eval_shape(net, before, after).maps]
        [(1, 20, 30, 4), (1, 20, 30, 4)]
    """

    def __init__(
        self,
        classes: int,
        backbone: Shape | VisionTransformer,
        *,
        main: bool = True,
        auxiliary: bool = True,
        decoder: Decoding = "mlha",
        heads: Literal[1, 2] = 2,
        width: int = 128,
        training: Training = "all",
        rank: int = 8,
        plan: Plan = SEGFORMER_B0,
        fields: Fields = WINDOWS,
        colours: Colours = WEB,
        neuron: Neuron = conventional,
        rngs: nnx.Rngs,
    ) -> None:
        require("classes", classes)
        require("width", width)
        if heads not in (1, 2) or not (main or auxiliary):
            raise ValueError(
                f"one or two heads and at least one path are needed, got heads={heads}, "
                f"main={main}, auxiliary={auxiliary}"
            )
        shape = backbone if isinstance(backbone, Shape) else backbone.shape
        if shape.patch % 4:
            raise ValueError(f"maps at a quarter of the patch need 4 to divide {shape.patch}")
        self.heads, self.colours, self.patch = heads, colours, shape.patch
        net = backbone
        if isinstance(net, Shape) and main:
            net = VisionTransformer(net, rngs=rngs)
        self.main = (
            MainPath(net, width, training=training, rank=rank, rngs=rngs)
            if isinstance(net, VisionTransformer) and main
            else None
        )
        stride = shape.patch // 4
        self.auxiliary = (
            AuxiliaryPath(width, stride=stride, plan=plan, neuron=neuron, rngs=rngs)
            if auxiliary
            else None
        )
        self.change = nnx.Dict(
            {
                path: nnx.List(
                    TemporalFusion(neuron, width, width, rngs=rngs) for _ in range(LEVELS)
                )
                for path, there in (("main", main), ("auxiliary", auxiliary))
                if there
            }
        )
        self.gates = nnx.List(
            GatedFusion(width, rngs=rngs) for _ in range(LEVELS if main and auxiliary else 0)
        )
        self.decoder = Decoder(decoder, width, LEVELS, fields=fields, neuron=neuron, rngs=rngs)
        self.out = Conv(conventional, width, classes + 1, (1, 1), padding=0, rngs=rngs)
        paths = (*self.change, "fused")
        numbered = (f"{path}{level + 1}" for path in paths for level in range(LEVELS))
        self.stages = (*numbered, "decoder")

    def __call__(self, before: Image, after: Image) -> ChangeLogits:
        """Logits of the one map, or of the two dates' maps."""
        maps = self.head(self.features((before, after)))
        return ChangeLogits(tuple(maps[:, place] for place in range(self.heads)))

    def features(self, pair: Pair, stage: str | None = None) -> Beside:
        """Activations behind a stage, by default the decoder, and what passes by them.

        Args:
            pair: pictures of both dates with values from 0 to 1, as two arrays or as one.
            stage: one of `stages`.
        """
        path, level = self._place(stage)
        before, after = self._dates(pair)
        maps = self._changes(before, after)
        if path in ("fused", "decoder"):
            maps = {"fused": self._fused(maps)}
        if path == "decoder":
            maps = {"decoder": (self.decoder(maps["fused"]),)}
        beside = {name: [self._fold(one) for one in found] for name, found in maps.items()}
        # An image without channels tells the head the size of the pictures.
        frame = jnp.zeros((*before.shape[:3], 0), before.dtype)
        return Beside(beside[path].pop(level), (frame, beside))

    def head(self, given: Beside, stage: str | None = None) -> MapLogits:
        """Logits of all maps from the activations behind a stage."""
        path, level = self._place(stage)
        frame, beside = given.rest
        beside = {**beside, path: list(beside[path])}
        beside[path].insert(level, given.activations)
        maps = {name: tuple(map(self._unfold, found)) for name, found in beside.items()}
        if path in PATHS[:2]:
            maps = {"fused": self._fused(maps)}
        if path != "decoder":
            maps = {"decoder": (self.decoder(maps["fused"]),)}
        logits = self.out(*maps["decoder"])  # (heads x batch, rows, columns, classes)
        size = frame.shape[1:3]
        whole = enlarged(logits, self._whole(size))[:, : size[0], : size[1]]
        return whole.reshape(self.heads, -1, *whole.shape[1:]).swapaxes(0, 1)

    def _changes(self, before: Image, after: Image) -> dict[str, tuple[Array, ...]]:
        """The maps d of every path there is, the dates' one after the other."""
        x = jnp.concatenate([before, after])
        rows, columns = self._whole(x.shape[1:3])
        edges = ((0, 0), (0, rows - x.shape[1]), (0, columns - x.shape[2]), (0, 0))
        x = jnp.pad(standardised(x, self.colours), edges, mode="edge")
        found = {}
        for name, path in (("main", self.main), ("auxiliary", self.auxiliary)):
            if path is not None:
                pairs = zip(self.change[name], path(x), strict=True)
                found[name] = tuple(fuse(*self._as_seen(one)) for fuse, one in pairs)
        return found

    def _as_seen(self, maps: Array) -> tuple[Array, Array]:
        """Maps of a date and of the other, for every head."""
        own, other = maps, jnp.roll(maps, len(maps) // 2, axis=0)
        shown = len(maps) * self.heads // 2
        return own[:shown], other[:shown]

    def _fused(self, maps: dict[str, tuple[Array, ...]]) -> tuple[Array, ...]:
        """The third path."""
        if not self.gates:
            return next(iter(maps.values()))
        pairs = zip(self.gates, maps["main"], maps["auxiliary"], strict=True)
        return tuple(gate(main, auxiliary) for gate, main, auxiliary in pairs)

    def _fold(self, x: Array) -> Array:
        """From one head after the other to heads side by side: the batch stays the first axis."""
        x = x.reshape(self.heads, -1, *x.shape[1:])
        return jnp.moveaxis(x, 0, 3).reshape(*x.shape[1:4], -1)

    def _unfold(self, x: Array) -> Array:
        x = jnp.moveaxis(x.reshape(*x.shape[:3], self.heads, -1), 3, 0)
        return x.reshape(-1, *x.shape[2:])

    def _whole(self, size: tuple[int, ...]) -> tuple[int, int]:
        """Sides of whole patches."""
        rows, columns = (-(-side // self.patch) * self.patch for side in size)
        return rows, columns

    def _place(self, stage: str | None) -> tuple[str, int]:
        stage = "decoder" if stage is None else stage
        if stage not in self.stages:
            raise ValueError(f"stages are {', '.join(self.stages)}; got {stage!r}")
        return (stage, 0) if stage == "decoder" else (stage[:-1], int(stage[-1]) - 1)

    def _dates(self, pair: Any) -> tuple[Array, Array]:
        before, after = pair if isinstance(pair, tuple) else (pair[:, 0], pair[:, 1])
        shapes = before.shape, after.shape
        if shapes[0] != shapes[1] or len(shapes[0]) != 4 or shapes[0][3] != 3 or 0 in shapes[0]:
            raise ValueError(
                "expected two pictures of one size, (batch, height, width, 3), got "
                f"{shapes[0]} and {shapes[1]}"
            )
        return before, after
