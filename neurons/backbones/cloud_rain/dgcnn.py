"""DGCNN with any neuron: layers on the edges between nearest neighbours, found anew in every layer.

An edge from point i to its neighbour j holds `(x_j - x_i, x_i)`.

References:
    Y. Wang, Y. Sun, Z. Liu, S. E. Sarma, M. M. Bronstein, J. M. Solomon, Dynamic Graph CNN for
    Learning on Point Clouds, ACM Transactions on Graphics 38(5), 2019, arXiv 1801.07829.
    Y. Cui, L. Ruan, H.-C. Dong, Q. Li, Z. Wu, T. Zeng, F.-L. Fan, Cloud-RAIN: Point Cloud Analysis
    with Reflectional Invariance, arXiv 2305.07814 (code: quadratic neurons in place of the
    convolutions, without biases in the branches r and b).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float, Int

from neurons.backbones.cloud_rain.blocks import (
    Block,
    CloudClassifier,
    Head,
    Matrix,
    batch_norm,
    blocks,
    check_points,
    check_sizes,
    leaky_relu,
    without_shifts,
)
from neurons.backbones.cloud_rain.edges import EdgeDense
from neurons.backbones.cloud_rain.geometry import knn
from neurons.backbones.cloud_rain.pooling import pooled
from neurons.neuron import Neuron
from neurons.quadratic import conventional


class EdgeBlock(nnx.Module):
    """`activation(norm(layer(edges)))`, and its maximum over the neighbours."""

    def __init__(
        self, neuron: Neuron, in_features: int, out_features: int, *, rngs: nnx.Rngs
    ) -> None:
        self.layer = EdgeDense(neuron, 2 * in_features, out_features, rngs=rngs)
        self.norm = batch_norm(out_features, rngs)

    def __call__(
        self,
        x: Float[Array, "batch points in_features"],
        index: Int[Array, "batch points neighbours"],
    ) -> Float[Array, "batch points neighbours features"]:
        """The activations of all edges."""
        return leaky_relu(self.norm(jax.vmap(self.layer.edges)(x, index)))

    def pooled(
        self,
        x: Float[Array, "batch points in_features"],
        index: Int[Array, "batch points neighbours"],
    ) -> Float[Array, "batch points features"]:
        """The largest activation over each point's neighbours."""
        return pooled(self.layer.prepare, self.norm, leaky_relu, x, index)


class EdgeConv(nnx.Module):
    """Layers on the edges to the nearest neighbours, and the maximum over them.

    Args:
        neuron: of the layers.
        in_features: of a point.
        widths: of the layers, one or more.
        rngs: stream `params`.
    """

    def __init__(
        self, neuron: Neuron, in_features: int, widths: Sequence[int], *, rngs: nnx.Rngs
    ) -> None:
        self.first = EdgeBlock(neuron, in_features, widths[0], rngs=rngs)
        self.more = nnx.List(blocks(neuron, widths, leaky_relu, rngs=rngs))

    def __call__(
        self,
        x: Float[Array, "batch points in_features"],
        index: Int[Array, "batch points neighbours"],
    ) -> Float[Array, "batch points features"]:
        """The largest activation over each point's neighbours."""
        if not self.more:
            return self.first.pooled(x, index)
        x = self.first(x, index)
        for block in self.more[:-1]:
            x = block(x)
        return self.more[-1].pooled(x)


class EdgeTransform(nnx.Module):
    """A matrix per cloud, found by conventional layers on edges, that starts as the identity."""

    def __init__(
        self,
        features: int,
        widths: Sequence[int] = (64, 128),
        embedding: int = 1024,
        hidden: Sequence[int] = (512, 256),
        *,
        rngs: nnx.Rngs,
    ) -> None:
        neuron = without_shifts(conventional)
        self.conv = EdgeConv(neuron, features, widths, rngs=rngs)
        self.embed = Block(neuron, widths[-1], embedding, leaky_relu, rngs=rngs)
        self.matrix = Matrix(embedding, hidden, features, leaky_relu, rngs=rngs)

    def __call__(
        self,
        x: Float[Array, "batch points features"],
        index: Int[Array, "batch points neighbours"],
    ) -> Float[Array, "batch features features"]:
        """The matrices A; points are transformed as `x A`."""
        return self.matrix(self.embed.pooled(self.conv(x, index)))


class DGCNN(CloudClassifier):
    """Classifier of clouds of points by their edges.

    Args:
        neuron: of the layers on edges and of the embedding; the head is conventional.
        classes: number of logits.
        in_features: coordinates (and other channels) of a point.
        neighbours: k; a cloud has at least so many points.
        widths: of the layers on edges.
        embedding: width of the layer on all of them together; features are twice as many.
        hidden: widths of the head's hidden layers.
        dropout: rate after each hidden layer.
        bias: whether linear and power branches have biases beside the normalisation's; the
            published network has none.
        rngs: streams `params` and `dropout`.

    Raises:
        ValueError: for sizes below 1; on call for a shape other than (batch, n, in_features), or
            fewer points than neighbours.

    Example:
        >>> from neurons import quadratic
        >>> net = DGCNN(quadratic, 10, neighbours=4, widths=(4, 8), embedding=8, rngs=nnx.Rngs(0))
        >>> net(jnp.ones((5, 32, 3))).shape
        (5, 10)
    """

    def __init__(
        self,
        neuron: Neuron,
        classes: int,
        *,
        in_features: int = 3,
        neighbours: int = 20,
        widths: Sequence[int] = (64, 64, 128, 256),
        embedding: int = 1024,
        hidden: Sequence[int] = (512, 256),
        dropout: float = 0.5,
        bias: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        check_sizes(classes=classes, in_features=in_features, neighbours=neighbours)
        check_sizes(layers=len(widths))
        neuron = neuron if bias else without_shifts(neuron)
        self.in_features, self.neighbours = in_features, neighbours
        before = (in_features, *widths[:-1])
        self.convs = nnx.List(
            EdgeConv(neuron, a, (b,), rngs=rngs) for a, b in zip(before, widths, strict=True)
        )
        self.embed = Block(neuron, sum(widths), embedding, leaky_relu, rngs=rngs)
        rates = (dropout,) * len(hidden)
        self.classifier = Head(2 * embedding, hidden, classes, leaky_relu, dropout=rates, rngs=rngs)

    def features(
        self, points: Float[Array, "batch points in_features"]
    ) -> Float[Array, "batch features"]:
        """The embedding's maxima, then its means, over the points."""
        check_points(points, self.in_features, self.neighbours)
        x, found = points, []
        for conv in self.convs:
            x = conv(x, knn(x, self.neighbours))
            found.append(x)
        x = self.embed(jnp.concatenate(found, axis=-1))
        return jnp.concatenate([x.max(axis=1), x.mean(axis=1)], axis=-1)
