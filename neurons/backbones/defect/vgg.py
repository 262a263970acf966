"""VGG-16, with any neuron in all convolutions.

References:
    K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition,
    ICLR 2015, configuration D.
    B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, Learning Deep Features for
    Discriminative Localization, CVPR 2016 (the head: mean over space and one linear layer).
"""

from collections.abc import Mapping

import numpy as np
from flax import nnx

from neurons.backbones.defect.blocks import ConvNorm, HiddenHead, MeanHead, Names, Stage
from neurons.backbones.defect.staged import Plan, StagedNet
from neurons.backbones.defect.torch_names import load
from neurons.neuron import Neuron
from neurons.quadratic import conventional

DEPTHS = (2, 2, 3, 3, 3)
FACTORS = (1, 2, 4, 8, 8)


def vgg16(
    neuron: Neuron = conventional,
    *,
    classes: int = 2,
    channels: int = 3,
    width: int = 64,
    norm: bool = True,
    hidden: int | None = None,
    weights: Mapping[str, np.ndarray] | None = None,
    rngs: nnx.Rngs,
) -> StagedNet:
    """VGG-16 in the stages `stage1, ..., stage5` of strides 1, 2, 4, 8 and 16.

    A stage ends with its last ReLU, where maps are read off; the pooling opens the next one.

    Args:
        neuron: of all convolutions.
        classes: number of logits.
        channels: of the images.
        width: channels of `stage1`; later stages have 2, 4, 8 and 8 times as many.
        norm: whether batch normalisation follows every convolution (torchvision's `vgg16_bn`);
            without it a deep VGG hardly learns from scratch.
        hidden: `None` for the head of CAM, without a last pooling: mean over space and one linear
            layer. A width for the paper's head of three linear layers, 4096 there, which pools
            once more: its images have sides of at least 32 pixels.
        weights: arrays under torchvision's names, see :func:`load`.
        rngs: stream `params`.

    Raises:
        ValueError: for weights that do not fit; on call as :class:`StagedNet`.

    Example:
        >>> import jax.numpy as jnp
        >>> net = vgg16(width=2, rngs=nnx.Rngs(0))
        >>> net.features(jnp.ones((5, 16, 16, 3))).shape
        (5, 1, 1, 16)
    """
    plans = [
        Plan(f"stage{place + 1}", width * factor, 2**place) for place, factor in enumerate(FACTORS)
    ]
    parts, before, number = [], channels, 0
    for place, (depth, plan) in enumerate(zip(DEPTHS, plans, strict=True)):
        blocks = []
        for _ in range(depth):
            names = Names(f"features.{number}", f"features.{number + 1}" if norm else "")
            width = plan.width
            block = ConvNorm(neuron, before, width, 3, norm=norm, bias=True, names=names, rngs=rngs)
            blocks.append(block)
            before, number = plan.width, number + (3 if norm else 2)
        parts.append(Stage(blocks, pool=2 if place else 0))
        number += 1  # torchvision counts the pooling too
    head = (
        MeanHead(before, classes, name="classifier.6", rngs=rngs)
        if hidden is None
        else HiddenHead(before, hidden, classes, rngs=rngs)
    )
    net = StagedNet(plans, parts, head, channels=channels)
    return net if weights is None else load(net, weights)
