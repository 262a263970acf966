"""S2M: what changed between two pictures, decoded beside sentences that say what may have changed.

A siamese vision transformer encodes both dates; tokens of what differs read, by cross-attention,
from a fixed bank of sentences (`sentence_bank`), the same for every picture; two maps come out. In
training, tokens under a region are drawn to the sentences that are true of it (`alignment_loss`),
which labels give for nothing; when it answers, the network sees two pictures and no label.

Training has two stages: a network without a bank learns to segment, then :func:`reading` gives it
one and both losses are learned together. Without a bank it is its own vision-only twin.

References:
    K. Zheng, H.-C. Dong et al., Masks Can Talk (S2M), arXiv 2605.07178: text from labels, two
    stages, a multimodal decoder, a bidirectional contrastive loss. Sizes, the bank, and how tokens
    read from it are our construction.
"""

from collections.abc import Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float, Int

from neurons.backbones.change_detection.contrast import (
    Directions,
    contrast,
    region_means,
    shares,
    unit,
)
from neurons.backbones.change_detection.maps import ChangeLogits
from neurons.backbones.change_detection.sentence_bank import Bank
from neurons.backbones.defect.preprocessing import Colours, preprocess
from neurons.backbones.dino import WEB, Shape, VisionTransformer
from neurons.layer import Dense
from neurons.options import require
from neurons.quadratic import conventional

START = 0.07  # of the learned temperature
COLDEST, WARMEST = 0.01, 1.0
LEAST_WIDTH = 16  # channels of a pixel

Pictures = Float[Array, "batch height width 3"]
Tokens = Float[Array, "batch rows columns embedding"]
Queries = Float[Array, "batch tokens embedding"]


class Read(nnx.Module):
    """Attention of every token to some vectors: `t + out(softmax(q k / sqrt(d)) v)`, in heads.

    Args:
        width: of the tokens.
        source: of the vectors that are read.
        heads: of the attention.
        rngs: stream `params`. The output layer starts at zero: at first nothing is added.
    """

    def __init__(self, width: int, source: int, heads: int, *, rngs: nnx.Rngs) -> None:
        self.heads = heads
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.query, self.out = (Dense(conventional, width, width, rngs=rngs) for _ in range(2))
        self.key, self.value = (Dense(conventional, source, width, rngs=rngs) for _ in range(2))
        _silence(self.out)

    def __call__(self, t: Queries, vectors: Float[Array, "count source"] | None = None) -> Queries:
        """The tokens and what they read, in the vectors or, without any, in each other."""
        asked = self.norm(t)
        # All pictures read the same vectors: one picture of all tokens reads them in one product.
        query = self.query(asked if vectors is None else asked.reshape(1, -1, t.shape[-1]))
        told = asked if vectors is None else vectors[None]
        split = (*query.shape[:2], self.heads, -1), (*told.shape[:2], self.heads, -1)
        found = jax.nn.dot_product_attention(
            query.reshape(split[0]), self.key(told).reshape(split[1]),
            self.value(told).reshape(split[1]),
        )  # fmt: skip
        return t + self.out(found.reshape(t.shape))


class FeedForward(nnx.Module):
    """`t + down(gelu(up(norm(t))))`, token by token."""

    def __init__(self, width: int, *, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.up = Dense(conventional, width, 2 * width, rngs=rngs)
        self.down = Dense(conventional, 2 * width, width, rngs=rngs)

    def __call__(self, t: Tokens) -> Tokens:
        """The tokens and what is added to them."""
        return t + self.down(jax.nn.gelu(self.up(self.norm(t))))


class Enlarge(nnx.Module):
    """Tokens to pixels: twice the size at every step, half the channels, then the pixels' colours.

    Args:
        width: of the tokens.
        patch: pixels along the side of a token.
        out: channels of a pixel.
        rngs: stream `params`.
    """

    def __init__(self, width: int, patch: int, out: int, *, rngs: nnx.Rngs) -> None:
        factors = _factors(patch)
        widths = [width]
        for _ in factors:
            widths.append(max(LEAST_WIDTH, widths[-1] // 2))
        self.factors = tuple(factors)
        self.steps = nnx.List(
            Dense(conventional, few, many * factor**2, rngs=rngs)
            for (few, many), factor in zip(pairwise(widths), factors, strict=True)
        )
        self.colours = Dense(conventional, 9, widths[-1], rngs=rngs)
        self.mix = Dense(conventional, widths[-1], widths[-1], rngs=rngs)
        self.out = Dense(conventional, widths[-1], out, rngs=rngs)

    def __call__(self, t: Tokens, colours: Float[Array, "batch height width 9"]) -> Array:
        """`(batch, height, width, out)`."""
        for step, factor in zip(self.steps, self.factors, strict=True):
            t = jax.nn.gelu(_spread(step(t), factor))
        t = jax.nn.gelu(t + self.colours(colours))
        return self.out(jax.nn.gelu(self.mix(t)))


class S2M(nnx.Module):
    """Maps of what changed, from two pictures and a bank of sentences.

    Args:
        classes: N; logits have N + 1, 0 being "no change".
        backbone: the siamese encoder, of a shape and untrained, or a network that is there.
        bank: what may be read; None is the vision-only twin.
        width: of the decoder's tokens.
        heads: of its attention.
        maps: 2 for the classes of both dates, 1 for a single map.
        layers: blocks of the backbone whose patches are decoded; half-way and last by default.
        colours: by which pictures are standardised, as the backbone's weights ask for.
        rngs: stream `params`.

    Raises:
        ValueError: for a size below 1, heads that do not divide the width, or other maps than 1
            and 2; on call for pictures that differ in shape.

    Example:
        >>> net = S2M(4, Shape(16, 2, 2, 32, patch=4), None, width=16, rngs=nnx.Rngs(0))
        >>> [logits.shape for logits in net(jnp.ones((1, 8, 10, 3)), jnp.zeros((1, 8, 10, 3))).maps]
        [(1, 8, 10, 5), (1, 8, 10, 5)]
    """

    def __init__(
        self,
        classes: int,
        backbone: Shape | VisionTransformer,
        bank: Bank | None,
        *,
        width: int = 64,
        heads: int = 4,
        maps: int = 2,
        layers: Sequence[int] | None = None,
        colours: Colours = WEB,
        rngs: nnx.Rngs,
    ) -> None:
        for label, value in (("classes", classes), ("width", width), ("heads", heads)):
            require(label, value)
        if maps not in (1, 2) or width % heads:
            raise ValueError(f"1 or 2 maps, and heads that divide {width}; got {maps} and {heads}")
        net = VisionTransformer(backbone, rngs=rngs) if isinstance(backbone, Shape) else backbone
        depth, size = net.shape.layers, net.shape.width
        self.backbone, self.bank, self.maps, self.colours = net, bank, maps, colours
        self.layers = tuple(layers) if layers else tuple(sorted({(depth + 1) // 2, depth}))
        self.gather = Dense(conventional, len(self.layers) * size, width, rngs=rngs)
        self.compare = Dense(conventional, 3 * width, width, rngs=rngs)
        self.context = Read(width, width, heads, rngs=rngs)
        self.read = None if bank is None else Read(width, bank.width, heads, rngs=rngs)
        self.think = FeedForward(width, rngs=rngs)
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.enlarge = Enlarge(width, net.shape.patch, maps * (classes + 1), rngs=rngs)
        self.speak = None if bank is None else Dense(conventional, width, bank.width, rngs=rngs)
        self.log_temperature = None if bank is None else nnx.Param(jnp.log(jnp.asarray(START)))

    def __call__(self, before: Pictures, after: Pictures) -> ChangeLogits:
        """Logits of every pixel.

        Args:
            before: pictures of the first date, of any size, colours in [0, 1].
            after: of the second date, of the same shape.
        """
        return self.answer(self.tokens(before, after), before, after)

    def tokens(self, before: Pictures, after: Pictures) -> Tokens:
        """What the decoder knows of every patch, the last row and column filled up at the border.

        Args:
            before: as for a call.
            after: likewise.
        """
        _check(before, after)
        both = self._entered(jnp.concatenate([before, after]))
        stages = self.backbone.intermediate(both, self.layers)
        first, second = jnp.split(self.gather(jnp.concatenate(stages, axis=-1)), 2)
        t = self.compare(jnp.concatenate([first, second, jnp.abs(first - second)], axis=-1))
        batch, rows, columns, width = t.shape
        t = self.context(t.reshape(batch, rows * columns, width))
        if self.read is not None and self.bank is not None:
            t = self.read(t, self.bank().reshape(-1, self.bank.width))
        return self.norm(self.think(t.reshape(batch, rows, columns, width)))

    def answer(self, tokens: Tokens, before: Pictures, after: Pictures) -> ChangeLogits:
        """Logits from the tokens, and the colours of the pixels they stand for."""
        height, width = before.shape[1:3]
        first, second = jnp.split(self._entered(jnp.concatenate([before, after])), 2)
        seen = jnp.concatenate([first, second, jnp.abs(first - second)], axis=-1)
        logits = self.enlarge(tokens, seen)[:, :height, :width]
        return ChangeLogits(tuple(jnp.split(logits, self.maps, axis=-1)))

    def described(
        self, tokens: Tokens, regions: Int[Array, "batch height width"], count: int
    ) -> Float[Array, "batch count bank_width"]:
        """A vector for every region, of unit length, to be compared with the bank's.

        Args:
            tokens: of :meth:`tokens`.
            regions: 0 for none, 1 to `count` the region of each pixel.
            count: regions of a picture at most; those that are nowhere get some vector.

        Raises:
            ValueError: for a network without a bank.
        """
        if self.speak is None:
            raise ValueError("a network without a bank of sentences describes no region")
        patch = self.backbone.shape.patch
        return unit(self.speak(region_means(tokens, shares(regions, patch, count))))

    def _entered(self, x: Pictures) -> Array:
        """Standardised, border pixels repeated up to a whole number of patches."""
        patch = self.backbone.shape.patch
        down, right = (-size % patch for size in x.shape[1:3])
        edges = ((0, 0), (0, down), (0, right), (0, 0))
        return jnp.pad(preprocess(x, self.colours), edges, mode="edge")

    @property
    def temperature(self) -> Float[Array, ""]:
        """The learned temperature, kept within bounds."""
        if self.log_temperature is None:
            raise ValueError("a network without a bank of sentences has no temperature")
        return jnp.clip(jnp.exp(self.log_temperature[...]), COLDEST, WARMEST)


def alignment_loss(
    net: S2M,
    tokens: Tokens,
    regions: Int[Array, "batch height width"],
    numbers: Int[Array, "batch count"],
    *,
    directions: Directions = "both",
) -> Float[Array, ""]:
    """The contrastive loss of a batch: its regions against the sentences about them.

    Args:
        net: with a bank.
        tokens: of `net.tokens`.
        regions: 0 for none, 1 to count the region of each pixel.
        numbers: of each region's description, its row in the bank; -1 where there is none.
        directions: see :func:`neurons.backbones.change_detection.contrast.contrast`.

    Returns:
        Of M regions that have pixels and a description, against the sentences of these M, every
        template of each: sentences of one description are true of all regions that have it.
        0 without any.

    Raises:
        ValueError: for a network without a bank, or unknown directions.
    """
    if net.bank is None:
        raise ValueError("a network without a bank of sentences cannot be aligned with any")
    count = numbers.shape[1]
    vectors = net.described(tokens, regions, count)
    places = jnp.arange(1, count + 1, dtype=regions.dtype)[None, :, None]
    there = (regions.reshape(len(regions), 1, -1) == places).any(axis=-1)
    shown, told = (there & (numbers >= 0)).ravel(), numbers.ravel()
    said = net.bank()[jnp.maximum(told, 0)]
    templates = said.shape[1]
    return contrast(
        vectors.reshape(-1, net.bank.width),
        said.reshape(-1, net.bank.width),
        jnp.repeat(told[:, None] == told[None], templates, axis=1),
        temperature=net.temperature,
        directions=directions,
        shown=shown,
        told=jnp.repeat(shown, templates),
    )


def reading(net: S2M, bank: Bank, *, rngs: nnx.Rngs) -> S2M:
    """The second stage: a network that goes on from another one, with a bank to read from.

    Args:
        net: of the first stage; it is left as it is.
        bank: what may be read.
        rngs: stream `params`, for what is new: how to read and speak.

    Returns:
        A network whose answers are those of `net` until it is trained.
    """
    shape, heads = net.backbone.shape, net.context.heads
    classes = net.enlarge.out.out_features // net.maps - 1
    width = net.gather.out_features
    made = S2M(
        classes, shape, bank, width=width, heads=heads, maps=net.maps, layers=net.layers,
        colours=net.colours, rngs=rngs,
    )  # fmt: skip
    made.backbone = nnx.clone(net.backbone)
    for name in ("gather", "compare", "context", "think", "norm", "enlarge"):
        setattr(made, name, nnx.clone(getattr(net, name)))
    return made


def _silence(layer: Dense) -> None:
    """All parameters 0."""
    state = nnx.state(layer, nnx.Param)
    nnx.update(layer, jax.tree.map(jnp.zeros_like, state))


def _factors(patch: int) -> list[int]:
    """Twos, then what is left of an odd patch: their product is the patch."""
    factors = []
    while patch % 2 == 0:
        factors.append(2)
        patch //= 2
    return factors + [patch] * (patch > 1)


def _spread(t: Array, factor: int) -> Array:
    """Channels to pixels, `(batch, rows * factor, columns * factor, channels / factor^2)`."""
    batch, rows, columns, channels = t.shape
    t = t.reshape(batch, rows, columns, factor, factor, channels // factor**2)
    return t.swapaxes(2, 3).reshape(batch, rows * factor, columns * factor, -1)


def _check(before: Array, after: Array) -> None:
    if before.shape != after.shape or before.ndim != 4 or before.shape[-1] != 3:
        raise ValueError(
            "expected pictures (batch, height, width, 3) of both dates and of one shape, got "
            f"{before.shape} and {after.shape}"
        )
    if 0 in before.shape:
        raise ValueError(f"pictures without pixels: {before.shape}")
