"""Attention over channels, then over places: the convolutional block attention module."""

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.convolution import Conv
from neurons.quadratic import conventional

REDUCTION = 16  # of the channels, in the middle of the channel gate
WINDOW = 7  # of the spatial gate
MOMENTUM = 0.99  # of its statistics: 1 - 0.01 as PyTorch counts


class ChannelGate(nnx.Module):
    """`x * sigmoid(mlp(mean(x)) + mlp(max(x)))`, mean and maximum over space, one shared `mlp`.

    The multilayer perceptron goes from C channels to C / reduction, a ReLU, and back to C.

    Args:
        features: channels C.
        reduction: how many times fewer the hidden channels are; at least one is left.
        rngs: stream `params`.

    Raises:
        ValueError: for features or a reduction below 1.

    References:
        S. Woo, J. Park, J.-Y. Lee, I. S. Kweon, "CBAM: Convolutional Block Attention Module",
        ECCV 2018, eq. 2.
    """

    def __init__(self, features: int, *, reduction: int = REDUCTION, rngs: nnx.Rngs) -> None:
        if features < 1 or reduction < 1:
            raise ValueError(
                f"features and reduction must be at least 1, got {features} and {reduction}"
            )
        hidden = max(1, features // reduction)
        self.narrow = nnx.Linear(features, hidden, rngs=rngs)
        self.widen = nnx.Linear(hidden, features, rngs=rngs)

    def gate(
        self, x: Float[Array, "batch height width features"]
    ) -> Float[Array, "batch 1 1 features"]:
        """The weight of every channel, in (0, 1)."""
        mean, largest = x.mean(axis=(1, 2)), x.max(axis=(1, 2))
        weight = nnx.sigmoid(self._mlp(mean) + self._mlp(largest))
        return weight[:, None, None, :]

    def __call__(
        self, x: Float[Array, "batch height width features"]
    ) -> Float[Array, "batch height width features"]:
        """The channels, weighted."""
        return x * self.gate(x)

    def _mlp(self, pooled: Float[Array, "batch features"]) -> Float[Array, "batch features"]:
        return self.widen(nnx.relu(self.narrow(pooled)))


class SpatialGate(nnx.Module):
    """`x * sigmoid(norm(conv([max(x), mean(x)])))`, maximum and mean over channels, in this order.

    The convolution is 7x7 from two channels to one and has no bias. The batch normalisation
    (epsilon 1e-5, statistics that keep 0.99 of themselves) is in the authors' code and not in the
    paper's formula. Its statistics are updated in training mode, as in all of `neurons.backbones`.

    Args:
        norm: whether the batch normalisation is there.
        momentum: share of the running statistics that a step keeps. After n steps `momentum^n` of
            the start is left in them: with 0.99, a training of 40 steps ends with two thirds.
        rngs: stream `params`.

    References:
        S. Woo, J. Park, J.-Y. Lee, I. S. Kweon, "CBAM: Convolutional Block Attention Module",
        ECCV 2018, eq. 3; github.com/Jongchan/attention-module.
    """

    def __init__(self, *, norm: bool = True, momentum: float = MOMENTUM, rngs: nnx.Rngs) -> None:
        window = (WINDOW, WINDOW)
        # Each plane by itself, then their sum: the same sum of 98 products, and a depthwise
        # convolution, which halves the time of a whole network's step on a CPU.
        self.conv = Conv(
            conventional, 2, 2, window, padding=WINDOW // 2, groups=2, bias=False, rngs=rngs
        )
        self.norm = nnx.BatchNorm(1, momentum=momentum, epsilon=1e-5, rngs=rngs) if norm else None

    def gate(
        self, x: Float[Array, "batch height width features"]
    ) -> Float[Array, "batch height width 1"]:
        """The weight of every place, in (0, 1)."""
        pooled = [x.max(axis=-1, keepdims=True), x.mean(axis=-1, keepdims=True)]
        score = self.conv(jnp.concatenate(pooled, axis=-1)).sum(axis=-1, keepdims=True)
        return nnx.sigmoid(score if self.norm is None else self.norm(score))

    def __call__(
        self, x: Float[Array, "batch height width features"]
    ) -> Float[Array, "batch height width features"]:
        """The places, weighted."""
        return x * self.gate(x)


class CBAM(nnx.Module):
    """A channel gate, and a spatial gate on its result.

    In a residual network it stands on the branch, before the addition.

    Args:
        features: channels.
        reduction: of the channel gate.
        norm: whether the spatial gate normalises its score over the batch.
        momentum: of the spatial gate's running statistics; less for short trainings.
        rngs: stream `params`.

    Raises:
        ValueError: for features or a reduction below 1; on call, for another shape than
            `(batch, height, width, features)`.

    References:
        S. Woo, J. Park, J.-Y. Lee, I. S. Kweon, "CBAM: Convolutional Block Attention Module",
        ECCV 2018.

    Example:
        >>> attend = CBAM(32, rngs=nnx.Rngs(0))
        >>> attend(jnp.ones((2, 8, 6, 32))).shape
        (2, 8, 6, 32)
    """

    def __init__(
        self,
        features: int,
        *,
        reduction: int = REDUCTION,
        norm: bool = True,
        momentum: float = MOMENTUM,
        rngs: nnx.Rngs,
    ) -> None:
        self.channels = ChannelGate(features, reduction=reduction, rngs=rngs)
        self.space = SpatialGate(norm=norm, momentum=momentum, rngs=rngs)
        self.features = features

    def __call__(
        self, x: Float[Array, "batch height width features"]
    ) -> Float[Array, "batch height width features"]:
        """The activations, weighted by channel and by place."""
        if x.ndim != 4 or x.shape[-1] != self.features:
            raise ValueError(
                f"expected activations (batch, height, width, {self.features}), got {x.shape}"
            )
        return self.space(self.channels(x))
