"""The auxiliary path: a small hierarchical transformer whose stages are aggregated step by step.

Four stages of SegFormer's form (overlapping patches, attention to a thinned picture, a feed-forward
network with a 3x3 depthwise convolution) give e_1 to e_4, each half as large as the one before;

    a_1 = conv3x3(e_1),      a_l = conv3x3([e_l, half(a_(l-1))])

carries what is fine to what is coarse. That the path is a siamese transformer and aggregates
progressively is the paper's; stages and formula are our reading.

References:
    E. Xie et al., SegFormer: Simple and Efficient Design for Semantic Segmentation with
    Transformers, NeurIPS 2021; Tri-path DINO, arXiv 2603.01498.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.defect.blocks import ConvNorm, Names
from neurons.convolution import Conv
from neurons.layer import Dense
from neurons.neuron import Neuron
from neurons.quadratic import conventional

Map = Float[Array, "batch rows columns features"]
Smaller = Float[Array, "batch fewer_rows fewer_columns out_features"]


class Plan(NamedTuple):
    """Sizes of the auxiliary path's stages, from fine to coarse.

    Args:
        widths: channels.
        heads: of the attention; each divides its width.
        thinning: side of the squares that keys and values are taken from.
        blocks: in each stage.
        expansion: of the feed-forward networks.
    """

    widths: tuple[int, ...] = (32, 64, 160, 256)
    heads: tuple[int, ...] = (1, 2, 5, 8)
    thinning: tuple[int, ...] = (8, 4, 2, 1)
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    expansion: int = 4


SEGFORMER_B0 = Plan()
SMALL = Plan((8, 16, 32, 48), (1, 2, 4, 6), (4, 2, 1, 1), (1, 1, 1, 1), 2)


class ThinnedAttention(nnx.Module):
    """Attention of every place to the means of squares of places."""

    def __init__(self, width: int, heads: int, thinning: int, *, rngs: nnx.Rngs) -> None:
        self.heads = heads
        self.query, self.key, self.value, self.out = (
            Dense(conventional, width, width, rngs=rngs) for _ in range(4)
        )
        square = (thinning, thinning)
        self.thin = (
            Conv(conventional, width, width, square, strides=thinning, rngs=rngs)
            if thinning > 1
            else None
        )
        self.norm = nnx.LayerNorm(width, rngs=rngs) if thinning > 1 else None

    def __call__(self, x: Map) -> Map:
        """The answers, place by place."""
        few = x if self.thin is None or self.norm is None else self.norm(self.thin(x))
        query, key, value = (
            part(given).reshape(len(x), -1, self.heads, x.shape[-1] // self.heads)
            for part, given in ((self.query, x), (self.key, few), (self.value, few))
        )
        return self.out(jax.nn.dot_product_attention(query, key, value).reshape(x.shape))


class MixedFeedForward(nnx.Module):
    """`down(gelu(depthwise3x3(up(x))))`: the depthwise convolution tells places apart."""

    def __init__(self, neuron: Neuron, width: int, expansion: int, *, rngs: nnx.Rngs) -> None:
        hidden = width * expansion
        self.up = Dense(neuron, width, hidden, rngs=rngs)
        self.mix = Conv(conventional, hidden, hidden, (3, 3), padding=1, groups=hidden, rngs=rngs)
        self.down = Dense(conventional, hidden, width, rngs=rngs)

    def __call__(self, x: Map) -> Map:
        """Place by place, with its neighbours."""
        return self.down(jax.nn.gelu(self.mix(self.up(x)), approximate=False))


class Block(nnx.Module):
    """`x + attention(norm(x))`, then `x + feed_forward(norm(x))`."""

    def __init__(
        self, neuron: Neuron, width: int, heads: int, thinning: int, expansion: int, rngs: nnx.Rngs
    ) -> None:
        self.norm1, self.norm2 = (nnx.LayerNorm(width, rngs=rngs) for _ in range(2))
        self.attention = ThinnedAttention(width, heads, thinning, rngs=rngs)
        self.feed_forward = MixedFeedForward(neuron, width, expansion, rngs=rngs)

    def __call__(self, x: Map) -> Map:
        """The places behind the block."""
        x = x + self.attention(self.norm1(x))
        return x + self.feed_forward(self.norm2(x))


class Stage(nnx.Module):
    """Overlapping patches of a stride, some blocks, a norm."""

    def __init__(
        self, neuron: Neuron, before: int, stride: int, plan: Plan, level: int, *, rngs: nnx.Rngs
    ) -> None:
        width, window = plan.widths[level], max(2 * stride - 1, 3)
        self.embed = Conv(
            conventional,
            before,
            width,
            (window, window),
            strides=stride,
            padding=window // 2,
            rngs=rngs,
        )
        sizes = (plan.heads[level], plan.thinning[level], plan.expansion)
        self.blocks = nnx.List(
            Block(neuron, width, *sizes, rngs) for _ in range(plan.blocks[level])
        )
        self.norm_in, self.norm_out = (nnx.LayerNorm(width, rngs=rngs) for _ in range(2))

    def __call__(self, x: Map) -> Smaller:
        """The smaller map."""
        x = self.norm_in(self.embed(x))
        for block in self.blocks:
            x = block(x)
        return self.norm_out(x)


class AuxiliaryPath(nnx.Module):
    """Fine structure of one picture, at four sizes.

    Args:
        width: channels of the maps.
        stride: pixels per place of the first; each further one has twice as many.
        plan: sizes of the stages, :data:`SEGFORMER_B0` or another.
        channels: of the picture.
        neuron: of the feed-forward networks and the aggregating convolutions.
        rngs: stream `params`.

    Raises:
        ValueError: for other than four stages, or heads that do not divide their width.
    """

    def __init__(
        self,
        width: int,
        *,
        stride: int = 4,
        plan: Plan = SEGFORMER_B0,
        channels: int = 3,
        neuron: Neuron = conventional,
        rngs: nnx.Rngs,
    ) -> None:
        if any(len(sizes) != 4 for sizes in plan[:4]):
            raise ValueError(f"four stages are needed, got {plan}")
        if any(w % h for w, h in zip(plan.widths, plan.heads, strict=True)):
            raise ValueError(f"heads {plan.heads} must divide widths {plan.widths}")
        befores, strides = (channels, *plan.widths), (stride, 2, 2, 2)
        self.stages = nnx.List(
            Stage(neuron, befores[level], strides[level], plan, level, rngs=rngs)
            for level in range(4)
        )
        self.gather = nnx.List(
            ConvNorm(neuron, own + (width if level else 0), width, 3, names=Names(), rngs=rngs)
            for level, own in enumerate(plan.widths)
        )

    def __call__(self, x: Float[Array, "batch height width channels"]) -> tuple[Array, ...]:
        """Four maps, from fine to coarse."""
        gathered: list[Array] = []
        for stage, gather in zip(self.stages, self.gather, strict=True):
            x = stage(x)
            given = [x, half(gathered[-1])] if gathered else [x]
            gathered.append(gather(jnp.concatenate(given, axis=-1)))
        return tuple(gathered)


def half(x: Map) -> Smaller:
    """Means of squares of 2x2 places; an odd side's last place is taken twice."""
    batch, rows, columns, features = x.shape
    x = jnp.pad(x, ((0, 0), (0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    return x.reshape(batch, -(-rows // 2), 2, -(-columns // 2), 2, features).mean(axis=(2, 4))
