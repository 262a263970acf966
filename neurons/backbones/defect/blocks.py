"""What the classifiers of surfaces are made of: convolution, normalisation, activation."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from neurons.convolution import Conv
from neurons.neuron import Neuron
from neurons.quadratic import conventional

Activation = Literal["relu", "relu6", "none"]
Pooling = Literal["mean", "max", "both"]


class Names(NamedTuple):
    """What torchvision calls a convolution and the normalisation behind it; "" for none."""

    conv: str = ""
    norm: str = ""


class ConvNorm(nnx.Module):
    """A convolution that pads to keep the size, batch normalisation, and an activation.

    Args:
        neuron: of the convolution.
        in_features: input channels.
        out_features: output channels.
        window: height and width of the kernel, odd.
        strides: of the convolution.
        groups: `in_features` for a depthwise convolution.
        norm: whether batch normalisation follows.
        bias: whether torchvision's convolution has a bias, which a normalisation would remove;
            another neuron than the conventional one has its own in any case.
        activation: "relu", "relu6" or "none".
        names: of the two in torchvision's files.
        rngs: stream `params`.
    """

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        window: int,
        *,
        strides: int = 1,
        groups: int = 1,
        norm: bool = True,
        bias: bool = False,
        activation: Activation = "relu",
        names: Names,
        rngs: nnx.Rngs,
    ) -> None:
        self.activation, self.bias, self.names = activation, bias, names
        self.conv = Conv(
            neuron,
            in_features,
            out_features,
            (window, window),
            strides=strides,
            padding=window // 2,
            groups=groups,
            bias=bias or neuron is not conventional,
            rngs=rngs,
        )
        self.norm = nnx.BatchNorm(out_features, momentum=0.9, rngs=rngs) if norm else None

    def __call__(
        self, x: Float[Array, "batch height width in_features"]
    ) -> Float[Array, "batch rows columns out_features"]:
        """The activations."""
        x = self.conv(x)
        x = x if self.norm is None else self.norm(x)
        if self.activation == "none":
            return x
        return nnx.relu(x) if self.activation == "relu" else nnx.relu6(x)


class Residual(nnx.Module):
    """Two 3x3 convolutions beside a shortcut, `relu(shortcut(x) + residual(x))`.

    Where the shape changes the shortcut is a 1x1 convolution with batch normalisation (option B
    of He et al.), conventional like the stem.
    """

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        *,
        strides: int,
        name: str,
        rngs: nnx.Rngs,
    ) -> None:
        self.first = ConvNorm(
            neuron,
            in_features,
            out_features,
            3,
            strides=strides,
            names=Names(f"{name}.conv1", f"{name}.bn1"),
            rngs=rngs,
        )
        self.second = ConvNorm(
            neuron,
            out_features,
            out_features,
            3,
            activation="none",
            names=Names(f"{name}.conv2", f"{name}.bn2"),
            rngs=rngs,
        )
        same = strides == 1 and in_features == out_features
        self.shortcut = (
            None
            if same
            else ConvNorm(
                conventional,
                in_features,
                out_features,
                1,
                strides=strides,
                activation="none",
                names=Names(f"{name}.downsample.0", f"{name}.downsample.1"),
                rngs=rngs,
            )
        )

    def __call__(
        self, x: Float[Array, "batch height width in_features"]
    ) -> Float[Array, "batch rows columns out_features"]:
        """The activations."""
        beside = x if self.shortcut is None else self.shortcut(x)
        return nnx.relu(beside + self.second(self.first(x)))


class InvertedResidual(nnx.Module):
    """Widen by 1x1, 3x3 depthwise, narrow by 1x1 without activation; the input added if it fits."""

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        *,
        strides: int,
        expansion: int,
        name: str,
        rngs: nnx.Rngs,
    ) -> None:
        hidden = in_features * expansion
        steps = [(hidden, hidden, 3, strides, hidden)]
        if expansion > 1:
            steps.insert(0, (in_features, hidden, 1, 1, 1))
        layers = [
            ConvNorm(
                neuron,
                before,
                after,
                window,
                strides=step,
                groups=groups,
                activation="relu6",
                names=Names(f"{name}.conv.{place}.0", f"{name}.conv.{place}.1"),
                rngs=rngs,
            )
            for place, (before, after, window, step, groups) in enumerate(steps)
        ]
        last = ConvNorm(
            neuron,
            hidden,
            out_features,
            1,
            activation="none",
            names=Names(f"{name}.conv.{len(steps)}", f"{name}.conv.{len(steps) + 1}"),
            rngs=rngs,
        )
        self.layers = nnx.List([*layers, last])
        self.adds = strides == 1 and in_features == out_features

    def __call__(
        self, x: Float[Array, "batch height width in_features"]
    ) -> Float[Array, "batch rows columns out_features"]:
        """The activations."""
        y = x
        for layer in self.layers:
            y = layer(y)
        return x + y if self.adds else y


class Stage(nnx.Module):
    """Blocks in a row, behind a max pooling that halves the size, if any.

    Args:
        blocks: applied in their order.
        pool: window of the pooling: 0 for none, 2 as in VGG, 3 as in ResNet.
    """

    def __init__(self, blocks: Sequence[nnx.Module], *, pool: int = 0) -> None:
        self.blocks, self.pool = nnx.List(blocks), pool

    def __call__(
        self, x: Float[Array, "batch height width in_features"]
    ) -> Float[Array, "batch rows columns out_features"]:
        """The activations."""
        if self.pool:
            edge = ((self.pool - 1) // 2,) * 2
            x = nnx.max_pool(x, (self.pool, self.pool), strides=(2, 2), padding=(edge, edge))
        for block in self.blocks:
            x = block(x)
        return x


class MeanHead(nnx.Module):
    """The mean over space, and one linear layer: the head whose weights CAM reads.

    Args:
        in_features: channels.
        classes: number of logits.
        name: of the linear layer in torchvision's files.
        rngs: stream `params`.
    """

    def __init__(self, in_features: int, classes: int, *, name: str, rngs: nnx.Rngs) -> None:
        self.names = (name,)
        self.layers = nnx.List([nnx.Linear(in_features, classes, rngs=rngs)])

    def __call__(
        self, x: Float[Array, "batch rows columns in_features"]
    ) -> Float[Array, "batch classes"]:
        """Logits."""
        return self.layers[0](jnp.mean(x, axis=(1, 2)))


class HiddenHead(nnx.Module):
    """VGG's own head: pooling by two, the mean over 7x7 parts, and three linear layers.

    Args:
        in_features: channels.
        hidden: width of both hidden layers, 4096 in the paper.
        classes: number of logits.
        rngs: stream `params`.
    """

    def __init__(self, in_features: int, hidden: int, classes: int, *, rngs: nnx.Rngs) -> None:
        self.names = ("classifier.0", "classifier.3", "classifier.6")
        sizes = ((49 * in_features, hidden), (hidden, hidden), (hidden, classes))
        self.layers = nnx.List([nnx.Linear(*size, rngs=rngs) for size in sizes])

    def __call__(
        self, x: Float[Array, "batch rows columns in_features"]
    ) -> Float[Array, "batch classes"]:
        """Logits.

        Raises:
            ValueError: for activations that are too small to be pooled.
        """
        if min(x.shape[1:3]) < 2:
            raise ValueError(f"activations of {x.shape[1:3]} are too small for a last pooling by 2")
        x = nnx.max_pool(x, (2, 2), strides=(2, 2))
        rows, columns = (shares(size, 7, x.dtype) for size in x.shape[1:3])
        x = jnp.einsum("bhwc,ih,jw->bcij", x, rows, columns)  # torch flattens channels first
        first, second, last = self.layers
        x = nnx.relu(first(x.reshape(x.shape[0], -1)))
        return last(nnx.relu(second(x)))


class SampleHead(nnx.Module):
    """Pooling over space and one linear layer to a single logit.

    The mean forgets a defect of few pixels, the maximum one of low contrast: "both" puts them side
    by side.

    Args:
        in_features: channels.
        pooling: "mean", "max" or "both".
        rngs: stream `params`.

    Raises:
        ValueError: for another pooling.
    """

    def __init__(self, in_features: int, *, pooling: Pooling = "both", rngs: nnx.Rngs) -> None:
        if pooling not in get_args(Pooling):
            raise ValueError(f"pooling is {pooling!r}; allowed: {', '.join(get_args(Pooling))}")
        self.pooling = pooling
        count = 2 if pooling == "both" else 1
        self.names = ("fc",)
        self.layers = nnx.List([nnx.Linear(count * in_features, 1, rngs=rngs)])

    def __call__(
        self, x: Float[Array, "batch rows columns in_features"]
    ) -> Float[Array, "batch 1"]:
        """The logit of every sample."""
        found = []
        if self.pooling != "max":
            found.append(x.mean(axis=(1, 2)))
        if self.pooling != "mean":
            found.append(x.max(axis=(1, 2)))
        return self.layers[0](jnp.concatenate(found, axis=-1))


Head = MeanHead | HiddenHead | SampleHead


def shares(size: int, parts: int, dtype: DTypeLike) -> Float[Array, "parts size"]:
    """Weights of an adaptive mean: part i averages the places `i size // parts` to its end."""
    starts = [i * size // parts for i in range(parts)]
    ends = [-(-(i + 1) * size // parts) for i in range(parts)]
    rows = [
        [(start <= place < end) / (end - start) for place in range(size)]
        for start, end in zip(starts, ends, strict=True)
    ]
    return jnp.asarray(rows, dtype)
