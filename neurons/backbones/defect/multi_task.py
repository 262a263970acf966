"""One encoder, two answers: is this sample defective, and where.

A classification head reads the deepest activations, a U-shaped decoder all of them; what either
learns reaches the other through the encoder they share. As a classifier the network is cut into
stages like any :class:`StagedNet`, so that maps explain its decision; frozen encoders can be run
once: `decode` takes activations that were kept.

References:
    H.-C. Dong et al., Sample-Centric Multi-Task Learning for Detection and Segmentation of
    Industrial Surface Defects, arXiv 2510.13226. The abstract alone was at hand: a shared encoder
    with both heads is the paper's, what the heads are made of is our reading.
"""

from collections.abc import Sequence
from typing import NamedTuple

from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.defect.blocks import Pooling, SampleHead
from neurons.backbones.defect.encoder_unet import EncoderUNet
from neurons.backbones.defect.staged import Plan, StagedNet
from neurons.neuron import Neuron
from neurons.quadratic import conventional


class MultiTask(NamedTuple):
    """Both answers.

    Args:
        logits: `(batch,)` of a defective sample.
        masks: `(batch, height, width, 1)` logits of a defective pixel.
    """

    logits: Array
    masks: Array


class MultiTaskNet(nnx.Module):
    """A classifier and a segmentation network that share their encoder.

    For every stage `s`, `net.head(net.features(x, s), s)[:, 0] == net(x).logits`.

    Args:
        encoder: a classifier in stages, of any neuron; its stages are used, its head is not.
        width: channels of the decoder at the image's size, as for :class:`EncoderUNet`.
        neuron: of the decoder's convolutions.
        pooling: of the classification head.
        rngs: stream `params`.

    Raises:
        ValueError: for an unknown pooling; on call, as :class:`StagedNet`.

    Example:
        >>> import jax.numpy as jnp
        >>> from neurons.backbones.defect import resnet18
        >>> encoder = resnet18(width=2, small=True, rngs=nnx.Rngs(0))
        >>> found = MultiTaskNet(encoder, width=2, rngs=nnx.Rngs(0))(jnp.ones((1, 9, 8, 3)))
        >>> found.logits.shape, found.masks.shape
        ((1,), (1, 9, 8, 1))
    """

    def __init__(
        self,
        encoder: StagedNet,
        *,
        width: int = 16,
        neuron: Neuron = conventional,
        pooling: Pooling = "both",
        rngs: nnx.Rngs,
    ) -> None:
        plans = map(Plan, encoder.stages, encoder.widths, encoder.strides)
        head = SampleHead(encoder.widths[-1], pooling=pooling, rngs=rngs)
        shared = StagedNet(tuple(plans), encoder.parts, head, channels=encoder.channels)
        self.unet = EncoderUNet(shared, width=width, neuron=neuron, rngs=rngs)

    @property
    def encoder(self) -> StagedNet:
        """What both answers share, with the classification head behind it."""
        return self.unet.encoder

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the encoder's stages, from shallow to deep."""
        return self.encoder.stages

    def features(
        self, x: Float[Array, "batch height width channels"], stage: str | None = None
    ) -> Float[Array, "batch rows columns features"]:
        """The encoder's activations after `stage`; see :meth:`StagedNet.features`."""
        return self.encoder.features(x, stage)

    def head(
        self, features: Float[Array, "batch rows columns features"], stage: str | None = None
    ) -> Float[Array, "batch 1"]:
        """The sample's logit from activations after `stage`; see :meth:`StagedNet.head`."""
        return self.encoder.head(features, stage)

    def decode(self, pyramid: Sequence[Array], size: Sequence[int]) -> MultiTask:
        """Both answers from the activations of all stages.

        Args:
            pyramid: `encoder.pyramid(x)`, from shallow to deep.
            size: height and width of the masks.

        Raises:
            ValueError: as :meth:`EncoderUNet.decode`.
        """
        masks = self.unet.decode(pyramid, size)
        return MultiTask(self.encoder.head(pyramid[-1])[:, 0], masks)

    def __call__(self, x: Float[Array, "batch height width channels"]) -> MultiTask:
        """Both answers."""
        return self.decode(self.encoder.pyramid(x), x.shape[1:3])
