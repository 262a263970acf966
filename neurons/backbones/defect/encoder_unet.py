"""A U-shaped segmentation network on the stages of a classifier.

The decoder goes from the deepest stage to the shallowest: enlarge by repeating pixels, put the
stage's activations beside, a double convolution; once more at the image's own size, where nothing
is put beside; a 1x1 convolution gives the logits of every pixel. Frozen encoders can be run once:
`decode` takes activations that were kept.

References:
    O. Ronneberger, P. Fischer, T. Brox, U-Net: Convolutional Networks for Biomedical Image
    Segmentation, MICCAI 2015.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.defect.staged import StagedNet
from neurons.backbones.unet import DoubleConv
from neurons.convolution import Conv
from neurons.neuron import Neuron
from neurons.quadratic import conventional


class EncoderUNet(nnx.Module):
    """A segmentation network over images of any size from the encoder's stride on.

    Args:
        encoder: a classifier in stages; its head is not used.
        classes: logits per pixel.
        width: channels at the image's size; each deeper level has twice as many, up to 8 times.
        neuron: of the decoder's convolutions; the last 1x1 convolution is conventional.
        rngs: stream `params`.

    Raises:
        ValueError: on call, as :class:`StagedNet`.

    Example:
        >>> from neurons.backbones.defect import resnet18
        >>> encoder = resnet18(width=2, small=True, rngs=nnx.Rngs(0))
        >>> EncoderUNet(encoder, width=2, rngs=nnx.Rngs(0))(jnp.ones((1, 9, 8, 3))).shape
        (1, 9, 8, 1)
    """

    def __init__(
        self,
        encoder: StagedNet,
        *,
        classes: int = 1,
        width: int = 16,
        neuron: Neuron = conventional,
        rngs: nnx.Rngs,
    ) -> None:
        self.encoder = encoder
        levels = len(encoder.stages)
        widths = [width * 2 ** min(level, 3) for level in range(levels)]
        joined = [beside + below for beside, below in self._joined(encoder.widths, widths)]
        self.rise = nnx.List(
            DoubleConv(
                neuron, before, after, bias=neuron is not conventional, init="relinear", rngs=rngs
            )
            for before, after in zip(joined, reversed(widths), strict=True)
        )
        self.out = Conv(conventional, width, classes, (1, 1), padding=0, rngs=rngs)

    @staticmethod
    def _joined(stages: Sequence[int], widths: Sequence[int]) -> list[tuple[int, int]]:
        """Channels put beside, and channels from below, of every level from deep to shallow."""
        beside = [*stages[-2::-1], 0]
        return list(zip(beside, [stages[-1], *reversed(widths[1:])], strict=True))

    def features(
        self, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch height width features"]:
        """Activations of the decoder's last double convolution."""
        return self._decoded(self.encoder.pyramid(x), x.shape[1:3])

    def head(
        self, features: Float[Array, "batch height width features"]
    ) -> Float[Array, "batch height width classes"]:
        """Logits of every pixel from the decoder's last activations."""
        return self.out(features)

    def decode(
        self, pyramid: Sequence[Array], size: Sequence[int]
    ) -> Float[Array, "batch height width classes"]:
        """Logits of every pixel from the activations of all stages.

        Args:
            pyramid: `encoder.pyramid(x)`, from shallow to deep.
            size: height and width of the images.

        Raises:
            ValueError: for another number of stages, or a size below that of the first of them.
        """
        return self.head(self._decoded(pyramid, size))

    def __call__(
        self, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch height width classes"]:
        """Logits of every pixel."""
        return self.head(self.features(x))

    def _decoded(self, pyramid: Sequence[Array], size: Sequence[int]) -> Array:
        if len(pyramid) != len(self.rise):
            raise ValueError(f"expected {len(self.rise)} stages, got {len(pyramid)}")
        *kept, x = pyramid
        for double, beside in zip(self.rise, [*reversed(kept), None], strict=True):
            x = enlarge(x, size if beside is None else beside.shape[1:3])
            x = double(x if beside is None else jnp.concatenate([beside, x], axis=-1))
        return x


def enlarge(
    x: Float[Array, "batch rows columns features"], size: Sequence[int]
) -> Float[Array, "batch height width features"]:
    """Repeat every pixel as often as `size` asks for, and cut off what exceeds it.

    Raises:
        ValueError: for a size below the present one.
    """
    for axis, wanted in zip((1, 2), size, strict=True):
        present = x.shape[axis]
        if wanted < present:
            raise ValueError(f"cannot enlarge {x.shape[1:3]} to the smaller {tuple(size)}")
        times = -(-wanted // present)
        if times > 1:
            x = jnp.repeat(x, times, axis=axis)
        x = x[:, :wanted] if axis == 1 else x[:, :, :wanted]
    return x
