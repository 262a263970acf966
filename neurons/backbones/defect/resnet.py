"""ResNet-18 and ResNet-34 as published for large images, with any neuron in the blocks.

References:
    K. He, X. Zhang, S. Ren, J. Sun, Deep Residual Learning for Image Recognition, CVPR 2016,
    table 1 (shortcut: option B).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from flax import nnx

from neurons.backbones.defect.blocks import ConvNorm, MeanHead, Names, Residual, Stage
from neurons.backbones.defect.staged import Plan, StagedNet
from neurons.backbones.defect.torch_names import load
from neurons.neuron import Neuron
from neurons.quadratic import conventional


def resnet18(
    neuron: Neuron = conventional,
    *,
    classes: int = 2,
    channels: int = 3,
    width: int = 64,
    small: bool = False,
    weights: Mapping[str, np.ndarray] | None = None,
    rngs: nnx.Rngs,
) -> StagedNet:
    """ResNet-18 in the stages `stem, stage1, ..., stage4`.

    The stem is a 7x7 convolution of stride 2; `stage1` begins with its max pooling, so that the
    strides are 2, 4, 8, 16 and 32.

    Args:
        neuron: of the 3x3 convolutions in the blocks; stem, shortcuts and head are conventional.
        classes: number of logits.
        channels: of the images.
        width: channels of the stem and `stage1`; later stages have 2, 4 and 8 times as many.
        small: for images of few pixels: a 3x3 stem of stride 1 and no pooling, so that the strides
            are 1, 1, 2, 4 and 8.
        weights: arrays under torchvision's names, see :func:`load`.
        rngs: stream `params`.

    Raises:
        ValueError: for weights that do not fit; on call as :class:`StagedNet`.

    Example:
        >>> import jax.numpy as jnp
        >>> net = resnet18(width=2, small=True, rngs=nnx.Rngs(0))
        >>> net.features(jnp.ones((5, 16, 16, 3)), "stage2").shape
        (5, 8, 8, 4)
    """
    options = {"classes": classes, "channels": channels, "width": width}
    return _resnet((2, 2, 2, 2), neuron, small=small, weights=weights, rngs=rngs, **options)


def resnet34(
    neuron: Neuron = conventional,
    *,
    classes: int = 2,
    channels: int = 3,
    width: int = 64,
    small: bool = False,
    weights: Mapping[str, np.ndarray] | None = None,
    rngs: nnx.Rngs,
) -> StagedNet:
    """ResNet-34: 3, 4, 6 and 3 blocks a stage; all else as :func:`resnet18`."""
    options = {"classes": classes, "channels": channels, "width": width}
    return _resnet((3, 4, 6, 3), neuron, small=small, weights=weights, rngs=rngs, **options)


def _resnet(
    depths: Sequence[int],
    neuron: Neuron,
    *,
    classes: int,
    channels: int,
    width: int,
    small: bool,
    weights: Mapping[str, np.ndarray] | None,
    rngs: nnx.Rngs,
) -> StagedNet:
    widths = [width * 2**stage for stage in range(4)]
    strides = (1, 1, 2, 4, 8) if small else (2, 4, 8, 16, 32)
    plans = [
        Plan("stem" if place == 0 else f"stage{place}", features, stride)
        for place, (features, stride) in enumerate(zip([width, *widths], strides, strict=True))
    ]
    stem = ConvNorm(
        conventional,
        channels,
        width,
        3 if small else 7,
        strides=strides[0],
        names=Names("conv1", "bn1"),
        rngs=rngs,
    )
    parts = [Stage([stem])]
    for place, (before, after) in enumerate(pairwise([width, *widths]), start=1):
        blocks = _blocks(neuron, before, after, depths[place - 1], place, rngs)
        parts.append(Stage(blocks, pool=3 if place == 1 and not small else 0))
    net = StagedNet(
        plans, parts, MeanHead(widths[-1], classes, name="fc", rngs=rngs), channels=channels
    )
    return net if weights is None else load(net, weights)


def _blocks(
    neuron: Neuron, before: int, after: int, depth: int, stage: int, rngs: nnx.Rngs
) -> list[Residual]:
    return [
        Residual(
            neuron,
            after if block else before,
            after,
            strides=1 if block or stage == 1 else 2,
            name=f"layer{stage}.{block}",
            rngs=rngs,
        )
        for block in range(depth)
    ]
