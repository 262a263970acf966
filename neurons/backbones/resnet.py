"""Residual networks for small images, with any neuron: ResNet and QResNet.

The residual network of He et al. for CIFAR: a conventional stem, three stages of `n` blocks with
`width`, `2 width` and `4 width` channels, the mean over space, a linear head; depth `6 n + 2`.
Where the shape changes, the shortcut takes every second pixel and pads channels with zeros, so
that it has no parameters. The neuron under study sits in the blocks and nowhere else.

ReLinear's QResNet draws `w_r` from He's normal distribution, of variance `2 / fan_in`; `Conv`
draws it uniformly with variance `1 / (3 fan_in)`. With batch normalisation behind every
convolution a kernel's scale changes no output, only the size of its first steps; without, it does.

References:
    K. He, X. Zhang, S. Ren, J. Sun, Deep Residual Learning for Image Recognition, CVPR 2016,
    section 4.2 (shortcut: option A).
    F.-L. Fan, M. Li, F. Wang, R. Lai, G. Wang, On Expressivity and Trainability of Quadratic
    Networks, arXiv 2110.06081 (code: QResNet, compact neuron, ReZero).
"""

import math
from dataclasses import replace

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.convolution import Conv
from neurons.layer import Init
from neurons.neuron import Neuron
from neurons.quadratic import compact, conventional, quadratic

# The authors' code keeps a bias in both convolutions of the compact neuron; the two add up.
COMPACT = replace(
    compact,
    name="compact_two_biases",
    formula="w_r.x + b_r + w_b.x^2 + c",
    branches=tuple(replace(branch, bias=True) for branch in compact.branches),
    plain=lambda x, w, b: w.r @ x + b.r + w.b @ x**2 + b.b,
    size="2n + 2",
)


class Stem(nnx.Module):
    """A conventional 3x3 convolution without biases, batch normalisation and ReLU."""

    def __init__(self, channels: int, width: int, *, norm: bool, rngs: nnx.Rngs) -> None:
        self.conv = Conv(conventional, channels, width, (3, 3), padding=1, bias=False, rngs=rngs)
        self.norm = _norm(width, rngs) if norm else None

    def __call__(
        self, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch height width features"]:
        """The stem's activations."""
        x = self.conv(x)
        return nnx.relu(x if self.norm is None else self.norm(x))


class Block(nnx.Module):
    """Two 3x3 convolutions beside a shortcut: `relu(shortcut(x) + a residual(x))`.

    `a` is 1, or under ReZero a trained number that starts at 0.
    """

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        *,
        strides: int,
        bias: bool,
        norm: bool,
        rezero: bool,
        init: Init,
        rngs: nnx.Rngs,
    ) -> None:
        self.strides, self.out_features = strides, out_features
        shapes = ((in_features, strides), (out_features, 1))
        self.convs = nnx.List(
            Conv(
                neuron,
                features,
                out_features,
                (3, 3),
                strides=step,
                padding=1,
                bias=bias,
                init=init,
                rngs=rngs,
            )
            for features, step in shapes
        )
        self.norms = nnx.List(_norm(out_features, rngs) for _ in shapes) if norm else None
        self.share = nnx.Param(jnp.zeros(())) if rezero else None

    def residual(
        self, x: Float[Array, "batch height width in_features"]
    ) -> Float[Array, "batch rows columns out_features"]:
        """What the block adds to its shortcut."""
        first, second = self.convs
        if self.norms is None:
            return second(nnx.relu(first(x)))
        return self.norms[1](second(nnx.relu(self.norms[0](first(x)))))

    def __call__(
        self, x: Float[Array, "batch height width in_features"]
    ) -> Float[Array, "batch rows columns out_features"]:
        """The block's activations."""
        residual = self.residual(x)
        if self.share is not None:
            residual = residual * jnp.broadcast_to(self.share[...], residual.shape)
        return nnx.relu(shortcut(x, self.strides, self.out_features) + residual)


def shortcut(
    x: Float[Array, "batch height width in_features"], strides: int, out_features: int
) -> Float[Array, "batch rows columns out_features"]:
    """Every `strides`-th pixel, with zero channels on both sides (option A of He et al.)."""
    missing = out_features - x.shape[-1]
    beside = (missing // 2, missing - missing // 2)
    return jnp.pad(x[:, ::strides, ::strides], ((0, 0), (0, 0), (0, 0), beside))


class ResNet(nnx.Module):
    """A residual network for small images.

    Args:
        neuron: of the blocks' convolutions; stem and head are conventional.
        depth: `6 n + 2` for n blocks in each of the three stages.
        width: channels of the stem and the first stage; the stages have 1, 2 and 4 times as many.
        channels: of the images.
        classes: number of logits.
        bias: whether the blocks' convolutions have biases; batch normalisation removes a
            conventional one's.
        norm: whether batch normalisation follows every convolution.
        rezero: whether each residual is multiplied by a trained number that starts at 0.
        init: start of the blocks' convolutions, see `neurons.Conv`.
        rngs: stream `params`.

    Raises:
        ValueError: for a depth that is not `6 n + 2`; on call for a shape other than
            (batch, height, width, channels).

    Example:
        >>> from neurons import quadratic
        >>> net = ResNet(quadratic, 8, width=2, rngs=nnx.Rngs(0))
        >>> net(jnp.ones((5, 16, 16, 3))).shape
        (5, 10)
    """

    def __init__(
        self,
        neuron: Neuron,
        depth: int = 20,
        *,
        width: int = 16,
        channels: int = 3,
        classes: int = 10,
        bias: bool = True,
        norm: bool = True,
        rezero: bool = False,
        init: Init = "relinear",
        rngs: nnx.Rngs,
    ) -> None:
        if depth < 8 or depth % 6 != 2:
            raise ValueError(f"depth must be 6 n + 2 with n of at least 1, got {depth}")
        self.channels = channels
        self.stem = Stem(channels, width, norm=norm, rngs=rngs)
        widths = [width * 2**stage for stage in range(3) for _ in range((depth - 2) // 6)]
        self.blocks = nnx.List(
            Block(
                neuron,
                before,
                after,
                strides=after // before,
                bias=bias,
                norm=norm,
                rezero=rezero,
                init=init,
                rngs=rngs,
            )
            for before, after in zip([width, *widths], widths, strict=False)
        )
        self.out = nnx.Linear(4 * width, classes, rngs=rngs)

    def features(
        self, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch rows columns features"]:
        """Activations of the last block, at a quarter of the image's height and width."""
        if x.ndim != 4 or x.shape[-1] != self.channels:
            raise ValueError(
                f"expected images (batch, height, width, {self.channels}), got shape {x.shape}"
            )
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return x

    def head(
        self, features: Float[Array, "batch rows columns features"]
    ) -> Float[Array, "batch classes"]:
        """Logits from the last block's activations."""
        return self.out(features.mean(axis=(1, 2)))

    def __call__(
        self, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch classes"]:
        """Logits of images."""
        return self.head(self.features(x))


def resnet(
    depth: int = 20, *, width: int = 16, channels: int = 3, classes: int = 10, rngs: nnx.Rngs
) -> ResNet:
    """The conventional network without biases: 269,722 parameters at depth 20."""
    return ResNet(
        conventional, depth, width=width, channels=channels, classes=classes, bias=False, rngs=rngs
    )


def qresnet(
    depth: int = 20, *, width: int = 16, channels: int = 3, classes: int = 10, rngs: nnx.Rngs
) -> ResNet:
    """QResNet, with quadratic neurons in all blocks: 806,266 parameters at depth 20."""
    return ResNet(quadratic, depth, width=width, channels=channels, classes=classes, rngs=rngs)


def compact_qresnet(
    depth: int = 20, *, width: int = 16, channels: int = 3, classes: int = 10, rngs: nnx.Rngs
) -> ResNet:
    """QResNet without the product term: 538,330 parameters at depth 20."""
    return ResNet(COMPACT, depth, width=width, channels=channels, classes=classes, rngs=rngs)


def wide_resnet(
    depth: int = 20, *, width: int = 16, channels: int = 3, classes: int = 10, rngs: nnx.Rngs
) -> ResNet:
    """ResNet widened to the size of the QResNet of this `width`, the equal-parameter control.

    A quadratic layer has three kernels, and a kernel grows with the square of the width: the
    smallest width of at least `sqrt(3)` times the given one, 28 for 16 (822,790 parameters).
    """
    return resnet(depth, width=equal_width(width), channels=channels, classes=classes, rngs=rngs)


def equal_width(width: int) -> int:
    """Width at which the conventional network has the parameters of the quadratic one."""
    return math.ceil(math.sqrt(3) * width)


def _norm(features: int, rngs: nnx.Rngs) -> nnx.BatchNorm:
    return nnx.BatchNorm(features, momentum=0.9, rngs=rngs)
