"""What the networks for remaining life are made of."""

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.cbam import CBAM, MOMENTUM
from neurons.convolution import Conv
from neurons.neuron import Neuron

SEGMENT = 64  # samples of the raw signal from one place of the stem to the next


class AttentionBlock(nnx.Module):
    """Convolution, batch normalisation, ReLU, CBAM if wanted, and pooling by two.

    Args:
        neuron: of the convolution.
        in_features: input channels.
        out_features: output channels.
        window: height and width of the kernel.
        attention: whether CBAM stands before the pooling.
        momentum: of CBAM's running statistics.
        rngs: stream `params`.
    """

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        *,
        window: tuple[int, int] = (3, 3),
        attention: bool = True,
        momentum: float = MOMENTUM,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = Conv(neuron, in_features, out_features, window, bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(out_features, momentum=0.9, rngs=rngs)
        self.attention = CBAM(out_features, momentum=momentum, rngs=rngs) if attention else None

    def __call__(
        self, x: Float[Array, "batch height width in_features"]
    ) -> Float[Array, "batch rows columns out_features"]:
        """The activations; a side of one place stays as it is."""
        x = nnx.relu(self.norm(self.conv(x)))
        return pool(x if self.attention is None else self.attention(x))


class RawStem(nnx.Module):
    """A learned bank of filters on the signal, in the place of a spectrogram.

    Each place sees two neighbouring segments of the signal: a convolution of 128 samples with a
    stride of 64. Places become rows, and there is one column.

    Args:
        channels: of the signal.
        filters: of the bank.
        rngs: stream `params`.
    """

    def __init__(self, channels: int, filters: int, *, rngs: nnx.Rngs) -> None:
        self.bank = nnx.Linear(2 * SEGMENT * channels, filters, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(filters, momentum=0.9, rngs=rngs)

    def __call__(
        self, x: Float[Array, "batch samples channels"]
    ) -> Float[Array, "batch places 1 filters"]:
        """What the filters find."""
        batch, samples, channels = x.shape
        places = samples // SEGMENT
        parts = x[:, : places * SEGMENT].reshape(batch, places, SEGMENT * channels)
        pairs = jnp.concatenate([parts[:, :-1], parts[:, 1:]], axis=-1)
        return nnx.relu(self.norm(self.bank(pairs)))[:, :, None]


def pool(
    x: Float[Array, "batch height width channels"],
) -> Float[Array, "batch rows columns channels"]:
    """The largest of every two by two places; a side of one place is left, an odd rest dropped."""
    batch, height, width, channels = x.shape
    high, wide = min(2, height), min(2, width)
    x = x[:, : height // high * high, : width // wide * wide]
    x = x.reshape(batch, height // high, high, width // wide, wide, channels)
    return x.max(axis=(2, 4))
