"""U-shaped segmentation networks with any neuron: UNet and QUNet.

On the way down, double 3x3 convolutions and pooling by two; on the way up, a transposed 2x2
convolution of stride 2, the activations of the same size put beside it, and a double convolution.
A 1x1 convolution gives the logits of every pixel. With quadratic neurons everywhere and one level
less it is the QUNet of the parametric-efficiency paper.

References:
    O. Ronneberger, P. Fischer, T. Brox, U-Net: Convolutional Networks for Biomedical Image
    Segmentation, MICCAI 2015; in the form of the repository milesial/Pytorch-UNet, which the
    paper's code compares with.
    F.-L. Fan, H.-C. Dong, Z. Wu, L. Ruan, T. Zeng, Y. Cui, J.-X. Liao, One Neuron Saved Is One
    Neuron Earned: On Parametric Efficiency of Quadratic Networks, arXiv 2303.06316.
"""

import math
from itertools import pairwise

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.convolution import Conv, ConvTranspose
from neurons.layer import Init
from neurons.neuron import Neuron
from neurons.quadratic import conventional, quadratic


def max_pool(
    x: Float[Array, "batch height width channels"],
) -> Float[Array, "batch rows columns channels"]:
    """Maximum over squares of 2x2 pixels; trains faster on CPU than a reduce-window."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


class DoubleConv(nnx.Module):
    """Twice: 3x3 convolution, batch normalisation, ReLU."""

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        *,
        bias: bool,
        init: Init,
        rngs: nnx.Rngs,
    ) -> None:
        self.convs = nnx.List(
            Conv(neuron, features, out_features, (3, 3), padding=1, bias=bias, init=init, rngs=rngs)
            for features in (in_features, out_features)
        )
        self.norms = nnx.List(
            nnx.BatchNorm(out_features, momentum=0.9, rngs=rngs) for _ in range(2)
        )

    def __call__(
        self, x: Float[Array, "batch height width in_features"]
    ) -> Float[Array, "batch height width out_features"]:
        """The activations after the second ReLU."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = nnx.relu(norm(conv(x)))
        return x


class UNet(nnx.Module):
    """A segmentation network over images whose sides are multiples of `2^levels`.

    Args:
        neuron: of every layer.
        widths: channels at full size and after each pooling; `levels = len(widths) - 1`.
        channels: of the images.
        classes: logits per pixel.
        bias: whether the convolutions before batch normalisation have biases; the others have.
        init: start of all layers, see `neurons.Conv`.
        rngs: stream `params`.

    Raises:
        ValueError: for fewer than two widths; on call for a shape other than (batch, height,
            width, channels) or sides that are no multiples of `2^levels`.

    Example:
        >>> net = UNet(quadratic, (2, 4), rngs=nnx.Rngs(0))
        >>> net(jnp.ones((5, 8, 6, 3))).shape
        (5, 8, 6, 2)
    """

    def __init__(
        self,
        neuron: Neuron,
        widths: tuple[int, ...],
        *,
        channels: int = 3,
        classes: int = 2,
        bias: bool = True,
        init: Init = "relinear",
        rngs: nnx.Rngs,
    ) -> None:
        if len(widths) < 2:
            raise ValueError(f"a U-shape needs at least two widths, got {widths}")
        self.channels, self.multiple = channels, 2 ** (len(widths) - 1)
        self.down = nnx.List(
            DoubleConv(neuron, before, after, bias=bias, init=init, rngs=rngs)
            for before, after in pairwise((channels, *widths))
        )
        steps = list(pairwise(reversed(widths)))
        self.rise = nnx.List(
            ConvTranspose(neuron, below, above, (2, 2), strides=2, padding=0, init=init, rngs=rngs)
            for below, above in steps
        )
        self.up = nnx.List(
            DoubleConv(neuron, 2 * above, above, bias=bias, init=init, rngs=rngs)
            for _, above in steps
        )
        self.out = Conv(neuron, widths[0], classes, (1, 1), padding=0, init=init, rngs=rngs)

    def features(
        self, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch height width features"]:
        """Activations of the decoder's last double convolution."""
        self._check(x.shape)
        kept: list[Array] = []
        for level, double in enumerate(self.down):
            x = double(max_pool(x) if level else x)
            kept.append(x)
        for rise, double, beside in zip(self.rise, self.up, kept[-2::-1], strict=True):
            x = double(jnp.concatenate([beside, rise(x)], axis=-1))
        return x

    def head(
        self, features: Float[Array, "batch height width features"]
    ) -> Float[Array, "batch height width classes"]:
        """Logits of every pixel from the decoder's last activations."""
        return self.out(features)

    def __call__(
        self, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch height width classes"]:
        """Logits of every pixel."""
        return self.head(self.features(x))

    def _check(self, shape: tuple[int, ...]) -> None:
        fits = len(shape) == 4 and shape[-1] == self.channels
        if not fits or any(side < 1 or side % self.multiple for side in shape[1:3]):
            raise ValueError(
                f"expected images (batch, height, width, {self.channels}) with sides that are "
                f"multiples of {self.multiple}, got shape {shape}"
            )


QUNET, UNET = (32, 64, 128, 256), (64, 128, 256, 512, 1024)


def unet(*, part: int = 1, channels: int = 3, classes: int = 2, rngs: nnx.Rngs) -> UNet:
    """UNet: 31,037,698 parameters; with the widths divided by `part`, fewer.

    Raises:
        ValueError: for a part that does not divide the widths.
    """
    return UNet(
        conventional,
        _divided(UNET, part),
        channels=channels,
        classes=classes,
        bias=False,
        rngs=rngs,
    )


def qunet(*, part: int = 1, channels: int = 3, classes: int = 2, rngs: nnx.Rngs) -> UNet:
    """QUNet: quadratic neurons, half UNet's widths, one level less: 5,779,718 parameters.

    Raises:
        ValueError: for a part that does not divide the widths.
    """
    return UNet(quadratic, _divided(QUNET, part), channels=channels, classes=classes, rngs=rngs)


def slim_unet(*, part: int = 1, channels: int = 3, classes: int = 2, rngs: nnx.Rngs) -> UNet:
    """UNet of QUNet's shape and size, the equal-parameter control: 5,896,354 parameters.

    QUNet's levels with the smallest widths of at least `sqrt(3)` times its own, since a quadratic
    layer has three kernels.

    Raises:
        ValueError: for a part that does not divide QUNet's widths.
    """
    first = math.ceil(math.sqrt(3) * _divided(QUNET, part)[0])
    widths = tuple(first * 2**level for level in range(len(QUNET)))
    return UNet(conventional, widths, channels=channels, classes=classes, bias=False, rngs=rngs)


def _divided(widths: tuple[int, ...], part: int) -> tuple[int, ...]:
    if part < 1 or widths[0] % part:
        raise ValueError(f"part must divide the widths {widths}, got {part}")
    return tuple(width // part for width in widths)
