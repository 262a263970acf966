"""From four maps to one, top-down, with attention to the scale at every step.

    x_4 = block(p_4),      x_l = block(p_l + up(x_(l+1)))

A block is multi-level hybrid attention (MLHA), or the plain convolution that it is compared with.

References:
    X. Li et al., Selective Kernel Networks, CVPR 2019; S. Woo et al., CBAM, ECCV 2018;
    T.-Y. Lin et al., Feature Pyramid Networks, CVPR 2017; Tri-path DINO, arXiv 2603.01498.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.cbam import CBAM
from neurons.backbones.defect.blocks import ConvNorm, Names
from neurons.convolution import Conv
from neurons.neuron import Neuron
from neurons.quadratic import conventional

Map = Float[Array, "batch rows columns features"]
Fields = tuple[tuple[int, int], ...]  # window and dilation of each branch
Decoding = Literal["mlha", "plain"]
WINDOWS: Fields = ((1, 1), (3, 1), (5, 1), (7, 1))
DILATIONS: Fields = ((3, 1), (3, 2), (3, 4), (3, 8))
REDUCTION = 4  # of the channels, in both gates: the maps are narrow


class Separable(nnx.Module):
    """A depthwise convolution of one receptive field, a 1x1 convolution, a norm and a ReLU."""

    def __init__(
        self, neuron: Neuron, features: int, window: int, dilation: int, *, rngs: nnx.Rngs
    ) -> None:
        self.look = Conv(
            conventional,
            features,
            features,
            (window, window),
            padding=dilation * (window // 2),
            dilation=dilation,
            groups=features,
            bias=False,
            rngs=rngs,
        )
        self.mix = ConvNorm(neuron, features, features, 1, names=Names(), rngs=rngs)

    def __call__(self, x: Map) -> Map:
        """The activations."""
        return self.mix(self.look(x))


class MLHA(nnx.Module):
    """`x + CBAM(sum_k s_k b_k(x))`: parallel branches, weighted by channel, then attention.

    The weights `s = softmax_k(MLP(mean over space of sum_k b_k))` add up to 1 over the branches.
    That parallel convolutions adapt to several receptive fields is the paper's, and so is the name;
    the rest is our reading.

    Args:
        features: channels.
        fields: window and dilation of every branch, :data:`WINDOWS` or :data:`DILATIONS`.
        neuron: of the branches' 1x1 convolutions.
        norm: whether CBAM's spatial gate normalises its score. The authors of CBAM do so in their
            code and not in their formula; its statistics settle slowly, over some 500 steps.
        rngs: stream `params`.

    Raises:
        ValueError: without a branch, or for an even window, whose output would be of another size.
    """

    def __init__(
        self,
        features: int,
        *,
        fields: Fields = WINDOWS,
        neuron: Neuron = conventional,
        norm: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        if not fields or any(window % 2 == 0 for window, _ in fields):
            raise ValueError(f"branches with odd windows are needed, got {fields}")
        self.branches = nnx.List(Separable(neuron, features, *field, rngs=rngs) for field in fields)
        hidden = max(4, features // REDUCTION)
        self.narrow = nnx.Linear(features, hidden, rngs=rngs)
        self.widen = nnx.Linear(hidden, len(fields) * features, rngs=rngs)
        self.attend = CBAM(features, reduction=REDUCTION, norm=norm, rngs=rngs)

    def shares(
        self, seen: Float[Array, "branches batch rows columns features"]
    ) -> Float[Array, "branches batch features"]:
        """The weight of every branch, which add up to 1."""
        summed = seen.sum(axis=0).mean(axis=(1, 2))  # (batch, features)
        scores = self.widen(nnx.relu(self.narrow(summed)))
        scores = scores.reshape(len(summed), len(self.branches), -1).swapaxes(0, 1)
        return jax.nn.softmax(scores, axis=0)

    def __call__(self, x: Map) -> Map:
        """The activations, of the same shape."""
        seen = jnp.stack([branch(x) for branch in self.branches])
        mixed = jnp.einsum("kbf,kbhwf->bhwf", self.shares(seen), seen)
        return x + self.attend(mixed)


class PlainBlock(nnx.Module):
    """`x + relu(norm(conv3x3(x)))`: the same residual step with one receptive field."""

    def __init__(self, features: int, *, neuron: Neuron = conventional, rngs: nnx.Rngs) -> None:
        self.conv = ConvNorm(neuron, features, features, 3, names=Names(), rngs=rngs)

    def __call__(self, x: Map) -> Map:
        """The activations, of the same shape."""
        return x + self.conv(x)


class Decoder(nnx.Module):
    """Top-down over maps of one width.

    Args:
        kind: of its blocks, "mlha" or "plain".
        features: channels.
        levels: maps.
        fields: of the branches of "mlha".
        neuron: of the blocks.
        rngs: stream `params`.

    Raises:
        ValueError: for an unknown kind.
    """

    def __init__(
        self,
        kind: Decoding,
        features: int,
        levels: int = 4,
        *,
        fields: Fields = WINDOWS,
        neuron: Neuron = conventional,
        rngs: nnx.Rngs,
    ) -> None:
        if kind not in get_args(Decoding):
            raise ValueError(f"decoder is {kind!r}; allowed: {', '.join(get_args(Decoding))}")

        def block() -> MLHA | PlainBlock:
            if kind == "plain":
                return PlainBlock(features, neuron=neuron, rngs=rngs)
            return MLHA(features, fields=fields, neuron=neuron, rngs=rngs)

        self.blocks = nnx.List(block() for _ in range(levels))

    def __call__(self, maps: Sequence[Array]) -> Map:
        """The finest map, with what the others say, from maps in order from fine to coarse."""
        x = None
        for block, own in zip(reversed(self.blocks), reversed(maps), strict=True):
            x = block(own if x is None else own + enlarged(x, own.shape[1:3]))
        if x is None:
            raise ValueError("a decoder needs at least one map")
        return x


def enlarged(x: Map, size: Sequence[int]) -> Float[Array, "batch height width features"]:
    """The map at another size, bilinear with half-pixel centres."""
    shape = (len(x), *size, x.shape[-1])
    return x if shape == x.shape else jax.image.resize(x, shape, "bilinear", antialias=False)
