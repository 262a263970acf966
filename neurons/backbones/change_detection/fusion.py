"""How two dates become one change, and two paths one."""

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.defect.blocks import ConvNorm, Names
from neurons.convolution import Conv
from neurons.neuron import Neuron
from neurons.quadratic import conventional

Map = Float[Array, "batch rows columns features"]


class TemporalFusion(nnx.Module):
    """`d = relu(norm(W [own, other, |own - other|]))`: what one date says beside the other.

    Exchanging the dates gives the other date's d: with one W for both, the maps of a network
    change places with its pictures.

    Args:
        neuron: of the 1x1 convolution W.
        in_features: channels of one date.
        out_features: channels of d.
        rngs: stream `params`.
    """

    def __init__(
        self, neuron: Neuron, in_features: int, out_features: int, *, rngs: nnx.Rngs
    ) -> None:
        self.mix = ConvNorm(neuron, 3 * in_features, out_features, 1, names=Names(), rngs=rngs)

    def __call__(self, own: Map, other: Map) -> Float[Array, "batch rows columns out_features"]:
        """The change as `own`'s date sees it."""
        return self.mix(jnp.concatenate([own, other, jnp.abs(own - other)], axis=-1))


class GatedFusion(nnx.Module):
    """`p = g main + (1 - g) auxiliary`, `g = sigmoid(W [main, auxiliary])` by place and channel.

    Args:
        features: channels of both paths.
        rngs: stream `params`.
    """

    def __init__(self, features: int, *, rngs: nnx.Rngs) -> None:
        self.weigh = Conv(conventional, 2 * features, features, (1, 1), padding=0, rngs=rngs)

    def gate(self, main: Map, auxiliary: Map) -> Map:
        """g, the main path's share, in (0, 1)."""
        return nnx.sigmoid(self.weigh(jnp.concatenate([main, auxiliary], axis=-1)))

    def __call__(self, main: Map, auxiliary: Map) -> Map:
        """The paths, mixed."""
        gate = self.gate(main, auxiliary)
        return gate * main + (1 - gate) * auxiliary
