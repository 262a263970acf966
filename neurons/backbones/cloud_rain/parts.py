"""Part segmentation of clouds of points: PointNet and DGCNN that label every point.

Features of the cloud stand beside those of the point, and, where asked for, the cloud's category.

References:
    C. R. Qi, H. Su, K. Mo, L. J. Guibas, PointNet, CVPR 2017.
    Y. Wang et al., Dynamic Graph CNN for Learning on Point Clouds, ACM TOG 38(5), 2019.
    Y. Cui, L. Ruan, H.-C. Dong, Q. Li, Z. Wu, T. Zeng, F.-L. Fan, Cloud-RAIN: Point Cloud Analysis
    with Reflectional Invariance, arXiv 2305.07814 (code: the same widths, quadratic neurons before
    the head, in DGCNN also in the head's first layer).
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float, Int

from neurons.backbones.cloud_rain.blocks import (
    Block,
    Head,
    batch_norm,
    blocks,
    check_points,
    check_sizes,
    leaky_relu,
    same,
    without_shifts,
)
from neurons.backbones.cloud_rain.dgcnn import EdgeConv, EdgeTransform
from neurons.backbones.cloud_rain.edges import JointDense
from neurons.backbones.cloud_rain.geometry import knn
from neurons.backbones.cloud_rain.pointnet import Transform
from neurons.backbones.cloud_rain.pooling import Activation
from neurons.neuron import Neuron
from neurons.quadratic import conventional


class PartFeatures(NamedTuple):
    """What is known of the cloud `(batch, m)`, and of each of its points `(batch, n, l)`."""

    cloud: Float[Array, "batch cloud_features"]
    points: Float[Array, "batch points point_features"]


class PartHead(nnx.Module):
    """Logits of every point from the features of its cloud and its own."""

    def __init__(
        self,
        neuron: Neuron,
        sizes: tuple[int, int],
        hidden: Sequence[int],
        parts: int,
        activation: Activation,
        *,
        dropout: Sequence[float],
        rngs: nnx.Rngs,
    ) -> None:
        self.layer = JointDense(neuron, sum(sizes), hidden[0], rngs=rngs)
        self.norm = batch_norm(hidden[0], rngs)
        self.activation = activation
        self.dropout = nnx.Dropout(dropout[0], rngs=rngs)
        self.rest = Head(hidden[0], hidden[1:], parts, activation, dropout=dropout[1:], rngs=rngs)

    def __call__(self, features: PartFeatures) -> Float[Array, "batch points parts"]:
        """Logits."""
        z = self.layer.joint(features.cloud[:, None], features.points)
        return self.rest(self.dropout(self.activation(self.norm(z))))


class PointClassifier(nnx.Module):
    """Logits of every point from features of its cloud and its own."""

    classifier: PartHead

    def features(
        self,
        points: Float[Array, "batch points in_features"],
        category: Int[Array, " batch"] | None = None,
    ) -> PartFeatures:
        """What is known of the clouds and of their points."""
        raise TypeError("PointClassifier is abstract: use PointNetParts or DGCNNParts")

    def head(self, features: PartFeatures) -> Float[Array, "batch points parts"]:
        """Logits of every point from the features."""
        return self.classifier(features)

    def __call__(
        self,
        points: Float[Array, "batch points in_features"],
        category: Int[Array, " batch"] | None = None,
    ) -> Float[Array, "batch points parts"]:
        """Logits of every point."""
        return self.head(self.features(points, category))


class PointNetParts(PointClassifier):
    """PointNet with logits for every point.

    Args:
        neuron: of the layers at every point; transforms and head are conventional.
        parts: number of logits.
        in_features: coordinates (and other channels) of a point.
        widths: of the layers at every point, three or more.
        hidden: widths of the head's hidden layers.
        categories: number of categories of clouds, 0 for none.
        input_transform: whether the points are first multiplied by a learned matrix; the published
            network does so.
        feature_transform: whether the features before the last two layers are; likewise.
        rngs: stream `params`.

    Raises:
        ValueError: for sizes below 1; on call for a shape other than (batch, n, in_features), an
            empty cloud, and a category where there is none, or none where there are some.

    Example:
        >>> from neurons import quadratic
        >>> net = PointNetParts(quadratic, 5, widths=(4, 4, 8), hidden=(8,), rngs=nnx.Rngs(0))
        >>> net(jnp.ones((2, 32, 3))).shape
        (2, 32, 5)
    """

    def __init__(
        self,
        neuron: Neuron,
        parts: int,
        *,
        in_features: int = 3,
        widths: Sequence[int] = (64, 128, 128, 512, 2048),
        hidden: Sequence[int] = (256, 256, 128),
        categories: int = 0,
        input_transform: bool = False,
        feature_transform: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        check_sizes(parts=parts, in_features=in_features, hidden=len(hidden))
        if len(widths) < 3:
            raise ValueError(f"widths needs three layers or more, got {tuple(widths)}")
        self.in_features, self.categories = in_features, categories
        self.blocks = nnx.List(blocks(neuron, (in_features, *widths), last=same, rngs=rngs))
        sizes = {"widths": (64, 128, 1024), "hidden": (512, 256)}
        self.input_transform = (
            Transform(in_features, **sizes, rngs=rngs) if input_transform else None
        )
        self.feature_transform = (
            Transform(widths[-3], **sizes, rngs=rngs) if feature_transform else None
        )
        self.classifier = PartHead(
            conventional,
            (widths[-1] + categories, sum(widths)),
            hidden,
            parts,
            nnx.relu,
            dropout=(0.0,) * len(hidden),
            rngs=rngs,
        )

    def features(
        self,
        points: Float[Array, "batch points in_features"],
        category: Int[Array, " batch"] | None = None,
    ) -> PartFeatures:
        """The last layer's maxima beside the category; the activations of all layers."""
        check_points(points, self.in_features)
        known = _one_hot(category, self.categories)
        x, found = points, []
        if self.input_transform is not None:
            x = x @ self.input_transform(x)
        for number, block in enumerate(self.blocks):
            x = block(x)
            found.append(x)
            if number == len(self.blocks) - 3 and self.feature_transform is not None:
                x = x @ self.feature_transform(x)
        cloud = [x.max(axis=1), *known]
        return PartFeatures(jnp.concatenate(cloud, axis=-1), jnp.concatenate(found, axis=-1))


class DGCNNParts(PointClassifier):
    """DGCNN with logits for every point.

    Args:
        neuron: of all layers up to the head's first; the transform and the rest are conventional.
        parts: number of logits.
        in_features: coordinates (and other channels) of a point.
        neighbours: k; a cloud has at least so many points.
        widths: of the layers on edges, for each of the convolutions on edges.
        embedding: width of the layer on all of them together.
        category_width: width of the layer on the category.
        hidden: widths of the head's hidden layers.
        categories: number of categories of clouds, 0 for none.
        input_transform: whether the points are first multiplied by a learned matrix; the published
            network does so.
        dropout: rate after the head's hidden layers but the last.
        bias: as in `DGCNN`.
        rngs: streams `params` and `dropout`.

    Raises:
        ValueError: for sizes below 1; on call as `PointNetParts`, and for fewer points than
            neighbours.

    Example:
        >>> from neurons import quadratic
        >>> small = {"neighbours": 4, "widths": ((4, 4), (4,)), "embedding": 8, "hidden": (8,)}
        >>> DGCNNParts(quadratic, 5, **small, rngs=nnx.Rngs(0))(jnp.ones((2, 32, 3))).shape
        (2, 32, 5)
    """

    def __init__(
        self,
        neuron: Neuron,
        parts: int,
        *,
        in_features: int = 3,
        neighbours: int = 20,
        widths: Sequence[Sequence[int]] = ((64, 64), (64, 64), (64,)),
        embedding: int = 1024,
        category_width: int = 64,
        hidden: Sequence[int] = (256, 256, 128),
        categories: int = 0,
        input_transform: bool = False,
        dropout: float = 0.5,
        bias: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        check_sizes(parts=parts, in_features=in_features, neighbours=neighbours)
        check_sizes(widths=len(widths), hidden=len(hidden))
        neuron = neuron if bias else without_shifts(neuron)
        self.in_features, self.neighbours, self.categories = in_features, neighbours, categories
        self.input_transform = EdgeTransform(in_features, rngs=rngs) if input_transform else None
        lasts = [layers[-1] for layers in widths]
        self.convs = nnx.List(
            EdgeConv(neuron, before, layers, rngs=rngs)
            for before, layers in zip((in_features, *lasts), widths, strict=False)
        )
        self.embed = Block(neuron, sum(lasts), embedding, leaky_relu, rngs=rngs)
        self.category = (
            Block(neuron, categories, category_width, leaky_relu, rngs=rngs) if categories else None
        )
        self.classifier = PartHead(
            neuron,
            (embedding + category_width * bool(categories), sum(lasts)),
            hidden,
            parts,
            leaky_relu,
            dropout=(dropout,) * (len(hidden) - 1) + (0.0,),
            rngs=rngs,
        )

    def features(
        self,
        points: Float[Array, "batch points in_features"],
        category: Int[Array, " batch"] | None = None,
    ) -> PartFeatures:
        """The embedding's maxima beside the category's layer; all convolutions' activations."""
        check_points(points, self.in_features, self.neighbours)
        known = _one_hot(category, self.categories)
        x, found = points, []
        if self.input_transform is not None:
            x = x @ self.input_transform(x, knn(x, self.neighbours))
        for conv in self.convs:
            x = conv(x, knn(x, self.neighbours))
            found.append(x)
        x = jnp.concatenate(found, axis=-1)
        cloud = [self.embed.pooled(x)]
        if self.category is not None:
            cloud.append(self.category(known[0]))
        return PartFeatures(jnp.concatenate(cloud, axis=-1), x)


def _one_hot(category: Array | None, categories: int) -> list[Array]:
    """The categories as vectors; nothing for a network that knows none."""
    if (category is None) != (categories == 0):
        raise ValueError(
            f"the network knows {categories} categories: give the category of every cloud if, and "
            "only if, there are some"
        )
    return [] if category is None else [nnx.one_hot(category, categories, dtype=jnp.float32)]
