"""MobileNetV2, with any neuron in the blocks.

References:
    M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, MobileNetV2: Inverted Residuals and
    Linear Bottlenecks, CVPR 2018, table 2.
"""

from collections.abc import Mapping

import numpy as np
from flax import nnx

from neurons.backbones.defect.blocks import ConvNorm, InvertedResidual, MeanHead, Names, Stage
from neurons.backbones.defect.staged import Plan, StagedNet
from neurons.backbones.defect.torch_names import load
from neurons.neuron import Neuron
from neurons.quadratic import conventional

# Expansion, channels, blocks and first stride of each group of blocks; the stage it belongs to.
GROUPS = (
    (1, 16, 1, 1, 0),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 2),
    (6, 64, 4, 2, 3),
    (6, 96, 3, 1, 3),
    (6, 160, 3, 2, 4),
    (6, 320, 1, 1, 4),
)
STEM, TOP = 32, 1280


def mobilenet_v2(
    neuron: Neuron = conventional,
    *,
    classes: int = 1000,
    channels: int = 3,
    width: float = 1.0,
    weights: Mapping[str, np.ndarray] | None = None,
    rngs: nnx.Rngs,
) -> StagedNet:
    """MobileNetV2 in the stages `stem, stage1, ..., stage4` of strides 2, 4, 8, 16 and 32.

    `stage4` ends with the 1x1 convolution to 1280 channels and its ReLU6; the others end with a
    linear bottleneck, whose values have both signs. torchvision drops a fifth of the last features
    while it trains; here nothing is dropped.

    Args:
        neuron: of the blocks' convolutions; the first, the last and the head are conventional.
        classes: number of logits.
        channels: of the images.
        width: factor of all channels, rounded to multiples of 8; the last 1280 never shrink.
        weights: arrays under torchvision's names, see :func:`load`.
        rngs: stream `params`.

    Raises:
        ValueError: for weights that do not fit; on call as :class:`StagedNet`.

    Example:
        >>> import jax.numpy as jnp
        >>> net = mobilenet_v2(width=0.25, classes=2, rngs=nnx.Rngs(0))
        >>> [features.shape[1:] for features in net.pyramid(jnp.ones((1, 32, 32, 3)))][-2:]
        [(2, 2, 24), (1, 1, 1280)]
    """
    first, last = _rounded(STEM * width), _rounded(TOP * max(1.0, width))
    stem = _outer(channels, first, 3, 2, "features.0", rngs)
    stages: list[list[nnx.Module]] = [[stem], [], [], [], []]
    widths, before, number = [0] * 5, first, 1
    for expansion, features, blocks, strides, stage in GROUPS:
        after = _rounded(features * width)
        for block in range(blocks):
            stages[stage].append(
                InvertedResidual(
                    neuron,
                    before,
                    after,
                    strides=1 if block else strides,
                    expansion=expansion,
                    name=f"features.{number}",
                    rngs=rngs,
                )
            )
            before, number = after, number + 1
        widths[stage] = after
    stages[-1].append(_outer(before, last, 1, 1, f"features.{number}", rngs))
    widths[-1] = last
    names = ("stem", "stage1", "stage2", "stage3", "stage4")
    plans = [Plan(*plan) for plan in zip(names, widths, (2, 4, 8, 16, 32), strict=True)]
    head = MeanHead(last, classes, name="classifier.1", rngs=rngs)
    net = StagedNet(plans, [Stage(blocks) for blocks in stages], head, channels=channels)
    return net if weights is None else load(net, weights)


def _outer(
    before: int, after: int, window: int, strides: int, name: str, rngs: nnx.Rngs
) -> ConvNorm:
    """The first convolution, or the last."""
    return ConvNorm(
        conventional,
        before,
        after,
        window,
        strides=strides,
        activation="relu6",
        names=Names(f"{name}.0", f"{name}.1"),
        rngs=rngs,
    )


def _rounded(channels: float) -> int:
    """The nearest multiple of 8, at least 8, and not below nine tenths of `channels`."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
