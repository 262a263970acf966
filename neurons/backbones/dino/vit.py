"""A vision transformer of DINOv3's form: any image size, any neuron in the feed-forward networks.

Tokens are `[class; registers; patches]`, patches row by row. A block is

    t <- t + s1 * attention(norm1(t)),      t <- t + s2 * feed_forward(norm2(t))

with rotary positions on the queries and keys of the patches (`neurons.backbones.dino.rotary`), and
learned scales s1, s2 by channel.

References:
    O. Siméoni et al., DINOv3, arXiv 2508.10104; Hugging Face transformers, `models/dinov3_vit`.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Bool, Float

from neurons.backbones.dino.rotary import rotary_table, rotate
from neurons.backbones.dino.variants import Shape
from neurons.layer import Dense
from neurons.neuron import Branch, Neuron
from neurons.quadratic import conventional, linear

EPSILON = 1e-5
START = 0.02  # deviation of the tokens' start

Pool = Literal["class", "patches", "both"]
Tokens = Float[Array, "batch tokens embedding"]
Grid = tuple[int, int]

gated = Neuron(
    "gated",
    "(w.x + b) (v.x + c) sigmoid(v.x + c)",
    (linear, Branch("g", group="product")),
    lambda up, gate: up * jax.nn.silu(gate),
    size="2n + 2",
    work="2n + 2",
    reference="N. Shazeer, GLU variants improve transformer, arXiv 2002.05202; with biases",
)
"""The hidden neuron of DINOv3's larger networks: SwiGLU with biases."""


class Encoded(NamedTuple):
    """What the last block gives behind the final norm.

    Args:
        token: `(batch, embedding)` the class token.
        registers: `(batch, registers, embedding)`.
        patches: `(batch, rows, columns, embedding)`.
    """

    token: Float[Array, "batch embedding"]
    registers: Float[Array, "batch registers embedding"]
    patches: Float[Array, "batch rows columns embedding"]


class Attention(nnx.Module):
    """Attention of every token to every other, in heads."""

    def __init__(self, shape: Shape, *, rngs: nnx.Rngs) -> None:
        self.heads = shape.heads
        self.query, self.key, self.value, self.out = (
            Dense(conventional, shape.width, shape.width, bias=bias, rngs=rngs)
            for bias in (shape.bias, False, shape.bias, True)
        )

    def __call__(self, t: Tokens, table: tuple[Array, Array]) -> Tokens:
        """The tokens' answers, `(batch, tokens, width)`."""
        split = (*t.shape[:-1], self.heads, -1)
        query, key, value = (part(t).reshape(split) for part in (self.query, self.key, self.value))
        query, key = rotate(query, table), rotate(key, table)
        return self.out(jax.nn.dot_product_attention(query, key, value).reshape(t.shape))


class FeedForward(nnx.Module):
    """`down(gelu(up(x)))`, or `down(gated(x))`: the same two layers with another hidden neuron."""

    def __init__(self, shape: Shape, neuron: Neuron | None, *, rngs: nnx.Rngs) -> None:
        self.gelu = not shape.gated  # of a gated neuron the gate is the activation
        hidden = neuron or (gated if shape.gated else conventional)
        self.up = Dense(hidden, shape.width, shape.hidden, rngs=rngs)
        self.down = Dense(conventional, shape.hidden, shape.width, rngs=rngs)

    def __call__(self, t: Tokens) -> Tokens:
        """Token by token."""
        hidden = self.up(t)
        return self.down(jax.nn.gelu(hidden, approximate=False) if self.gelu else hidden)


class Block(nnx.Module):
    """One layer of the transformer."""

    def __init__(self, shape: Shape, neuron: Neuron | None, *, rngs: nnx.Rngs) -> None:
        self.norm1, self.norm2 = (_norm(shape.width, rngs) for _ in range(2))
        self.attention = Attention(shape, rngs=rngs)
        self.feed_forward = FeedForward(shape, neuron, rngs=rngs)
        self.scale1, self.scale2 = (nnx.Param(jnp.ones(shape.width)) for _ in range(2))

    def __call__(self, t: Tokens, table: tuple[Array, Array]) -> Tokens:
        """The tokens behind the block."""
        scale1, scale2 = (scale[...][None, None] for scale in (self.scale1, self.scale2))
        t = t + scale1 * self.attention(self.norm1(t), table)
        return t + scale2 * self.feed_forward(self.norm2(t))


class VisionTransformer(nnx.Module):
    """A transformer over patches, of DINOv3's form.

    Args:
        shape: sizes, one of :data:`neurons.backbones.dino.VARIANTS` or another.
        classes: logits of a linear layer behind the pooled tokens; None gives the pooled tokens.
        pool: what is pooled behind the final norm: the "class" token, the mean of the "patches",
            or "both" side by side.
        neuron: hidden neurons of the feed-forward networks; by default conventional ones, or
            :data:`gated` where the shape says so. Behind any but gated shapes follows a GELU.
        channels: of the images.
        rngs: stream `params`.

    Attributes:
        stages: "embedding", "block1", ... to cut at, for `features` and `head`.
        grid: rows and columns of the patches for a `head` that gets tokens alone; None takes a
            square. Set it for explanations of images that are not square.

    Raises:
        ValueError: for an unknown pool; on call for images smaller than a patch or of other
            channels, an unknown stage, or tokens that do not fit the grid.

    Example:
        >>> net = VisionTransformer(Shape(16, 2, 2, 32), classes=3, rngs=nnx.Rngs(0))
        >>> net(jnp.ones((1, 32, 48, 3))).shape
        (1, 3)
    """

    def __init__(
        self,
        shape: Shape,
        *,
        classes: int | None = None,
        pool: Pool = "class",
        neuron: Neuron | None = None,
        channels: int = 3,
        rngs: nnx.Rngs,
    ) -> None:
        if pool not in get_args(Pool):
            raise ValueError(f"pool is one of {', '.join(get_args(Pool))}; got {pool!r}")
        self.shape, self.pool, self.channels = shape, pool, channels
        self.stages = ("embedding", *(f"block{n}" for n in range(1, shape.layers + 1)))
        self.grid: Grid | None = None
        self.token, self.mask = (_tokens(1, shape.width, rngs) for _ in range(2))
        self.registers = _tokens(shape.registers, shape.width, rngs)
        self.embed = Dense(conventional, channels * shape.patch**2, shape.width, rngs=rngs)
        self.blocks = nnx.List(Block(shape, neuron, rngs=rngs) for _ in range(shape.layers))
        self.norm = _norm(shape.width, rngs)
        pooled = shape.width * (2 if pool == "both" else 1)
        self.out = None if classes is None else Dense(conventional, pooled, classes, rngs=rngs)

    def __call__(self, x: Float[Array, "batch height width channels"]) -> Float[Array, "batch _"]:
        """Logits, or the pooled tokens of a network without classes."""
        return self._answer(self.encode(x))

    def encode(
        self,
        x: Float[Array, "batch height width channels"],
        masked: Bool[Array, "batch rows columns"] | None = None,
    ) -> Encoded:
        """Class token, registers and patches behind the final norm.

        Args:
            x: standardised images; what a multiple of the patch leaves over at the lower and
                right border is not seen.
            masked: patches whose content is replaced by the mask token.
        """
        grid = self.grid_of(x)
        table = self._table(grid)
        t = self.tokens(x, masked)
        for block in self.blocks:
            t = block(t, table)
        return self._encoded(t, grid)

    def tokens(
        self,
        x: Float[Array, "batch height width channels"],
        masked: Bool[Array, "batch rows columns"] | None = None,
    ) -> Tokens:
        """The tokens that enter the first block."""
        rows, columns = self.grid_of(x)
        side, batch = self.shape.patch, len(x)
        x = x[:, : rows * side, : columns * side]
        x = x.reshape(batch, rows, side, columns, side, self.channels).swapaxes(2, 3)
        patches = self.embed(x.reshape(batch, rows * columns, -1))
        if masked is not None:
            patches = jnp.where(masked.reshape(batch, -1, 1), self.mask[...][None], patches)
        prefix = jnp.concatenate([self.token[...], self.registers[...]])
        prefix = jnp.broadcast_to(prefix, (batch, *prefix.shape)).astype(patches.dtype)
        return jnp.concatenate([prefix, patches], axis=1)

    def intermediate(
        self,
        x: Float[Array, "batch height width channels"],
        layers: Sequence[int],
        *,
        norm: bool = True,
    ) -> tuple[Float[Array, "batch rows columns embedding"], ...]:
        """Patches behind some blocks, as maps.

        Args:
            x: standardised images.
            layers: numbers of blocks from 1; 0 are the tokens that enter the first.
            norm: whether the final norm is applied to each, as DINOv3's backbone does.

        Raises:
            ValueError: for a block that does not exist.
        """
        wrong = [n for n in layers if not 0 <= n <= len(self.blocks)]
        if wrong:
            raise ValueError(f"blocks {wrong}; allowed: 0 to {len(self.blocks)}")
        grid = self.grid_of(x)
        table, t = self._table(grid), self.tokens(x)
        found = {0: t}
        for number, block in enumerate(self.blocks[: max(layers, default=0)], 1):
            found[number] = t = block(t, table)
        kept = (self.norm(found[n]) if norm else found[n] for n in layers)
        return tuple(self._on_grid(t, grid) for t in kept)

    def features(
        self, x: Float[Array, "batch height width channels"], stage: str | None = None
    ) -> Tokens:
        """Tokens behind a stage, by default the last block; no final norm."""
        table, t = self._table(self.grid_of(x)), self.tokens(x)
        for block in self.blocks[: self._place(stage)]:
            t = block(t, table)
        return t

    def head(self, tokens: Tokens, stage: str | None = None) -> Float[Array, "batch _"]:
        """Logits, or pooled tokens, from the tokens behind a stage."""
        grid = self._known_grid(tokens)
        table = self._table(grid)
        for block in self.blocks[self._place(stage) :]:
            tokens = block(tokens, table)
        return self._answer(self._encoded(tokens, grid))

    def grid_of(self, x: Array) -> Grid:
        """Rows and columns of the patches of images.

        Raises:
            ValueError: for images smaller than a patch, or of other axes or channels.
        """
        side = self.shape.patch
        if x.ndim != 4 or x.shape[3] != self.channels or min(x.shape[1:3]) < side:
            raise ValueError(
                f"expected images (batch, height, width, {self.channels}) of at least "
                f"{side} x {side} pixels, got shape {x.shape}"
            )
        return x.shape[1] // side, x.shape[2] // side

    def _table(self, grid: Grid) -> tuple[Array, Array]:
        shape = self.shape
        channels = shape.width // shape.heads
        return rotary_table(*grid, channels, prefix=shape.prefix, base=shape.base)

    def _place(self, stage: str | None) -> int:
        """How many blocks lie before the cut."""
        if stage is None:
            return len(self.blocks)
        if stage not in self.stages:
            raise ValueError(f"stages are {', '.join(self.stages)}; got {stage!r}")
        return self.stages.index(stage)

    def _known_grid(self, tokens: Tokens) -> Grid:
        patches = tokens.shape[1] - self.shape.prefix
        side = round(max(patches, 0) ** 0.5)
        rows, columns = self.grid or (side, side)
        if tokens.ndim != 3 or patches < 1 or rows * columns != patches:
            raise ValueError(
                f"{self.shape.prefix} tokens and a grid {rows} x {columns} do not fit tokens of "
                f"shape {tokens.shape}; set `grid` to rows and columns of the patches"
            )
        return rows, columns

    def _encoded(self, t: Tokens, grid: Grid) -> Encoded:
        t = self.norm(t)
        return Encoded(t[:, 0], t[:, 1 : self.shape.prefix], self._on_grid(t, grid))

    def _on_grid(self, t: Tokens, grid: Grid) -> Float[Array, "batch rows columns embedding"]:
        return t[:, self.shape.prefix :].reshape(len(t), *grid, -1)

    def _answer(self, found: Encoded) -> Float[Array, "batch _"]:
        mean = found.patches.mean(axis=(1, 2))
        parts = {"class": [found.token], "patches": [mean], "both": [found.token, mean]}
        pooled = jnp.concatenate(parts[self.pool], axis=-1)
        return pooled if self.out is None else self.out(pooled)


def _norm(width: int, rngs: nnx.Rngs) -> nnx.LayerNorm:
    # The variance from centred values: the difference of two means loses digits.
    return nnx.LayerNorm(width, epsilon=EPSILON, use_fast_variance=False, rngs=rngs)


def _tokens(count: int, width: int, rngs: nnx.Rngs) -> nnx.Param[Array]:
    return nnx.Param(START * jax.random.normal(rngs.params(), (count, width)))
