"""Bearing-fault classifiers of the Qttention paper: one network, any neuron.

Six convolution blocks (wide first kernel) and a two-layer head, on vibration windows of 2,048
samples. With quadratic neurons it is QCNN, with conventional ones WDCNN.

References:
    J.-X. Liao, H.-C. Dong, Z.-Q. Sun, J. Sun, S. Zhang, F.-L. Fan, Attention-embedded Quadratic
    Network (Qttention) for Effective and Interpretable Bearing Fault Diagnosis, arXiv 2206.00390,
    IEEE Transactions on Instrumentation and Measurement 72, 2023.
"""

from itertools import pairwise

from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.convolution import Conv
from neurons.layer import Layer
from neurons.neuron import Neuron
from neurons.quadratic import conventional, quadratic

WINDOW = 2048


def max_pool(x: Float[Array, "batch length channels"]) -> Float[Array, "batch half channels"]:
    """Maximum over pairs of neighbours; trains faster on CPU than a reduce-window."""
    batch, length, channels = x.shape
    return x.reshape(batch, length // 2, 2, channels).max(axis=2)


class Block(nnx.Module):
    """Convolution, batch normalisation, ReLU, pooling by two."""

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        kernel_size: int,
        *,
        strides: int = 1,
        padding: int = 1,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = Conv(
            neuron,
            in_features,
            out_features,
            kernel_size,
            strides=strides,
            padding=padding,
            rngs=rngs,
        )
        self.norm = nnx.BatchNorm(out_features, momentum=0.9, rngs=rngs)

    def __call__(
        self, x: Float[Array, "batch length channels"]
    ) -> Float[Array, "batch shorter out_features"]:
        """The block's activations."""
        return max_pool(nnx.relu(self.norm(self.conv(x))))


class BearingNet(nnx.Module):
    """Six convolution blocks and a head over windows of 2,048 samples.

    Args:
        neuron: of every convolution; the head is conventional.
        channels: output channels of the six blocks.
        hidden: width of the head's hidden layer.
        classes: number of logits.
        rngs: streams `params` and `dropout`.

    Raises:
        ValueError: for another number than six of channels; on call for a shape other than
            (batch, 2048, 1).
    """

    def __init__(
        self,
        neuron: Neuron,
        channels: tuple[int, ...] = (16, 32, 64, 64, 64, 64),
        hidden: int = 100,
        classes: int = 10,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        if len(channels) != 6:
            raise ValueError(f"the network has 6 blocks, got channels={channels}")
        first = Block(neuron, 1, channels[0], 64, strides=8, padding=28, rngs=rngs)
        middle = [
            Block(neuron, before, after, 3, padding=0 if number == 4 else 1, rngs=rngs)
            for number, (before, after) in enumerate(pairwise(channels))
        ]
        self.blocks = nnx.List([first, *middle])
        self.hidden = nnx.Linear(3 * channels[-1], hidden, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.out = nnx.Linear(hidden, classes, rngs=rngs)

    def features(self, x: Float[Array, "batch 2048 1"]) -> Float[Array, "batch 3 channels"]:
        """Activations of the last block."""
        if x.ndim != 3 or x.shape[1:] != (WINDOW, 1):
            raise ValueError(f"expected windows (batch, {WINDOW}, 1), got shape {x.shape}")
        for block in self.blocks:
            x = block(x)
        return x

    def head(self, features: Float[Array, "batch 3 channels"]) -> Float[Array, "batch classes"]:
        """Logits from the last block's activations."""
        flat = features.reshape(features.shape[0], -1)
        return self.out(self.dropout(nnx.relu(self.hidden(flat))))

    def __call__(self, x: Float[Array, "batch 2048 1"]) -> Float[Array, "batch classes"]:
        """Logits of vibration windows."""
        return self.head(self.features(x))

    def layer_inputs(self, x: Float[Array, "batch 2048 1"]) -> list[tuple[Layer, Array]]:
        """Every convolution with the input it receives, for `neurons.explain.qttention`."""
        found: list[tuple[Layer, Array]] = []
        for block in self.blocks:
            found.append((block.conv, x))
            x = block(x)
        return found


def qcnn(*, classes: int = 10, rngs: nnx.Rngs) -> BearingNet:
    """QCNN: 158,534 parameters for ten classes."""
    return BearingNet(quadratic, classes=classes, rngs=rngs)


def wdcnn(*, classes: int = 10, rngs: nnx.Rngs) -> BearingNet:
    """WDCNN, the conventional twin of QCNN: 66,790 parameters for ten classes."""
    return BearingNet(conventional, classes=classes, rngs=rngs)


def slim_qcnn(*, classes: int = 10, rngs: nnx.Rngs) -> BearingNet:
    """QCNN with 16 channels throughout: 16,262 parameters for ten classes."""
    return BearingNet(quadratic, (16,) * 6, hidden=20, classes=classes, rngs=rngs)


def wide_wdcnn(*, classes: int = 10, rngs: nnx.Rngs) -> BearingNet:
    """WDCNN widened to QCNN's size, the equal-parameter control: 158,571 parameters."""
    widths = (26, 52, 104, 104, 104, 104)
    return BearingNet(conventional, widths, hidden=117, classes=classes, rngs=rngs)
