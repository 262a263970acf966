"""What the networks on clouds of points share: layers with their normalisation, heads, checks."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.cloud_rain.geometry import check_cloud
from neurons.backbones.cloud_rain.pooling import Activation, pooled
from neurons.layer import Dense
from neurons.neuron import Branch, Neuron
from neurons.quadratic import conventional


def leaky_relu(x: Array) -> Array:
    """`max(x, 0.2 x)`, the activation of DGCNN."""
    return nnx.leaky_relu(x, 0.2)


def same(x: Array) -> Array:
    """No activation."""
    return x


@lru_cache
def without_shifts(neuron: Neuron) -> Neuron:
    """The neuron without the biases that a following normalisation makes idle.

    As in the authors' DGCNN: the biases of the linear and the power branch go, the factor's, which
    starts at 1, stays.

    Example:
        >>> from neurons import quadratic
        >>> without_shifts(quadratic).parameters(6), quadratic.parameters(6)
        (19, 21)
    """
    branches = tuple(
        replace(branch, bias=False) if _shifts(branch) else branch for branch in neuron.branches
    )
    return replace(neuron, name=f"{neuron.name} without shifts", branches=branches, size="")


def _shifts(branch: Branch) -> bool:
    return branch.bias and branch.reads_input and branch.group in ("linear", "power")


class Block(nnx.Module):
    """`activation(norm(layer(x)))` at every point."""

    def __init__(
        self,
        neuron: Neuron,
        in_features: int,
        out_features: int,
        activation: Activation = nnx.relu,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.layer = Dense(neuron, in_features, out_features, rngs=rngs)
        self.norm = batch_norm(out_features, rngs)
        self.activation = activation

    def __call__(self, x: Float[Array, "*batch in_features"]) -> Float[Array, "*batch features"]:
        """The block's activations."""
        return self.activation(self.norm(self.layer(x)))

    def pooled(
        self, x: Float[Array, "batch *kept points in_features"]
    ) -> Float[Array, "batch *kept features"]:
        """The largest activation over the last axis but one."""
        return pooled(lambda rows: (self.layer, (rows,)), self.norm, self.activation, x)


def blocks(
    neuron: Neuron,
    widths: Sequence[int],
    activation: Activation = nnx.relu,
    *,
    last: Activation | None = None,
    rngs: nnx.Rngs,
) -> list[Block]:
    """Blocks from `widths[0]` inputs on; `last` is the activation of the last one."""
    activations = [activation] * (len(widths) - 2) + [last or activation] * (len(widths) > 1)
    return [
        Block(neuron, before, after, act, rngs=rngs)
        for (before, after), act in zip(pairwise(widths), activations, strict=True)
    ]


class Head(nnx.Module):
    """Conventional hidden layers with normalisation and dropout, and a linear output.

    Args:
        in_features: inputs.
        hidden: widths of the hidden layers.
        out_features: outputs.
        activation: of the hidden layers.
        dropout: rate after each hidden layer.
        rngs: streams `params` and `dropout`.
    """

    def __init__(
        self,
        in_features: int,
        hidden: Sequence[int],
        out_features: int,
        activation: Activation,
        *,
        dropout: Sequence[float],
        rngs: nnx.Rngs,
    ) -> None:
        self.hidden = nnx.List(blocks(conventional, (in_features, *hidden), activation, rngs=rngs))
        self.dropouts = nnx.List(nnx.Dropout(rate, rngs=rngs) for rate in dropout)
        self.out = nnx.Linear((in_features, *hidden)[-1], out_features, rngs=rngs)

    def __call__(self, x: Float[Array, "*batch in_features"]) -> Float[Array, "*batch outputs"]:
        """Logits."""
        for block, dropout in zip(self.hidden, self.dropouts, strict=True):
            x = dropout(block(x))
        return self.out(x)


class CloudClassifier(nnx.Module):
    """Logits of clouds from features of clouds: what a subclass finds, and a conventional head."""

    classifier: Head

    def features(
        self, points: Float[Array, "batch points in_features"]
    ) -> Float[Array, "batch features"]:
        """One row per cloud, the same in any order of its points."""
        raise TypeError("CloudClassifier is abstract: use PointNet, DGCNN or PointNet2")

    def head(self, features: Float[Array, "batch features"]) -> Float[Array, "batch classes"]:
        """Logits from the features."""
        return self.classifier(features)

    def __call__(
        self, points: Float[Array, "batch points in_features"]
    ) -> Float[Array, "batch classes"]:
        """Logits of clouds."""
        return self.head(self.features(points))


class Matrix(nnx.Module):
    """A square matrix from features of a cloud; the identity at the start."""

    def __init__(
        self,
        in_features: int,
        hidden: Sequence[int],
        size: int,
        activation: Activation,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.size = size
        none = (0.0,) * len(hidden)
        self.head = Head(in_features, hidden, size**2, activation, dropout=none, rngs=rngs)
        self.head.out.kernel[...] = jnp.zeros_like(self.head.out.kernel[...])

    def __call__(self, x: Float[Array, "batch in_features"]) -> Float[Array, "batch size size"]:
        """One matrix per cloud."""
        found = self.head(x).reshape(-1, self.size, self.size)
        return found + jnp.eye(self.size, dtype=found.dtype)[None]


def batch_norm(features: int, rngs: nnx.Rngs) -> nnx.BatchNorm:
    """Batch normalisation with PyTorch's momentum.

    Flax's fast variance, `mean(x^2) - mean(x)^2`, cost quadratic networks two digits of their
    gradients (7e-4 beside 1e-5, against float64).
    """
    return nnx.BatchNorm(features, momentum=0.9, use_fast_variance=False, rngs=rngs)


def check_points(points: Array, in_features: int, least: int = 1) -> None:
    """Raise ValueError unless `points` is `(batch, n >= least, in_features)` and finite."""
    check_cloud(points, "points")
    if points.shape[-1] != in_features:
        raise ValueError(
            f"expected points (batch, points, {in_features}), got shape {points.shape}"
        )
    if points.shape[1] < least:
        raise ValueError(
            f"the network needs at least {least} points in a cloud, got {points.shape[1]}"
        )


def check_sizes(**sizes: int) -> None:
    """Raise ValueError for a size below 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size}")
