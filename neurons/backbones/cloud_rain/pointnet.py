"""PointNet with any neuron: the same layers at every point, then the maximum over all points.

References:
    C. R. Qi, H. Su, K. Mo, L. J. Guibas, PointNet: Deep Learning on Point Sets for 3D
    Classification and Segmentation, CVPR 2017.
    Y. Cui, L. Ruan, H.-C. Dong, Q. Li, Z. Wu, T. Zeng, F.-L. Fan, Cloud-RAIN: Point Cloud Analysis
    with Reflectional Invariance, arXiv 2305.07814 (code: quadratic neurons in place of the
    convolutions, no transform of the input, the transform of the features kept).
"""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.backbones.cloud_rain.blocks import (
    CloudClassifier,
    Head,
    Matrix,
    blocks,
    check_points,
    check_sizes,
    same,
)
from neurons.neuron import Neuron
from neurons.quadratic import conventional


class Transform(nnx.Module):
    """A matrix per cloud, found by a small conventional PointNet, that starts as the identity."""

    def __init__(
        self, features: int, widths: Sequence[int], hidden: Sequence[int], *, rngs: nnx.Rngs
    ) -> None:
        self.blocks = nnx.List(blocks(conventional, (features, *widths), rngs=rngs))
        self.matrix = Matrix(widths[-1], hidden, features, nnx.relu, rngs=rngs)

    def __call__(
        self, x: Float[Array, "batch points features"]
    ) -> Float[Array, "batch features features"]:
        """The matrices A; points are transformed as `x A`."""
        for block in self.blocks[:-1]:
            x = block(x)
        return self.matrix(self.blocks[-1].pooled(x))


def orthogonality_penalty(matrices: Float[Array, "batch n n"]) -> Float[Array, ""]:
    """`mean |A A^T - I|_F` over the batch, PointNet's regulariser of feature transforms."""
    eye = jnp.eye(matrices.shape[-1], dtype=matrices.dtype)[None]
    gap = jnp.einsum("bij,bkj->bik", matrices, matrices) - eye
    squares = jnp.square(gap).sum(axis=(1, 2))
    # At A = I, where training starts, the root's gradient is infinite: take 0 there.
    safe = jnp.where(squares > 0, squares, jnp.ones_like(squares))
    return jnp.where(squares > 0, jnp.sqrt(safe), jnp.zeros_like(squares)).mean()


class PointNet(CloudClassifier):
    """Classifier of clouds of points.

    Args:
        neuron: of the layers at every point; transforms and head are conventional.
        classes: number of logits.
        in_features: coordinates (and other channels) of a point.
        widths: of the layers at every point; the last is the number of features.
        hidden: widths of the head's hidden layers.
        input_transform: whether the points are first multiplied by a learned matrix; the quadratic
            network of the paper has none.
        feature_transform: whether the features of the first layer are; the paper's has one. Its
            regulariser is :func:`orthogonality_penalty` of :meth:`transformed`'s matrix.
        dropout: rate before the logits.
        rngs: streams `params` and `dropout`.

    Raises:
        ValueError: for sizes below 1; on call for a shape other than (batch, n, in_features), or
            an empty cloud.

    Example:
        >>> from neurons import quadratic
        >>> net = PointNet(quadratic, 10, widths=(4, 8, 16), hidden=(8,), rngs=nnx.Rngs(0))
        >>> net(jnp.ones((5, 32, 3))).shape
        (5, 10)
    """

    def __init__(
        self,
        neuron: Neuron,
        classes: int,
        *,
        in_features: int = 3,
        widths: Sequence[int] = (64, 128, 1024),
        hidden: Sequence[int] = (512, 256),
        input_transform: bool = False,
        feature_transform: bool = False,
        dropout: float = 0.4,
        rngs: nnx.Rngs,
    ) -> None:
        check_sizes(classes=classes, in_features=in_features, layers=len(widths))
        self.in_features = in_features
        self.blocks = nnx.List(blocks(neuron, (in_features, *widths), last=same, rngs=rngs))
        self.input_transform = (
            Transform(in_features, widths, hidden, rngs=rngs) if input_transform else None
        )
        self.feature_transform = (
            Transform(widths[0], widths, hidden, rngs=rngs) if feature_transform else None
        )
        rates = [0.0] * (len(hidden) - 1) + [dropout] * bool(hidden)
        self.classifier = Head(widths[-1], hidden, classes, nnx.relu, dropout=rates, rngs=rngs)

    def transformed(
        self, points: Float[Array, "batch points in_features"]
    ) -> tuple[Float[Array, "batch features"], Float[Array, "batch n n"] | None]:
        """The features, and the matrices of the feature transform if there is one."""
        check_points(points, self.in_features)
        x, matrices = points, None
        if self.input_transform is not None:
            x = x @ self.input_transform(x)
        for number, block in enumerate(self.blocks[:-1]):
            x = block(x)
            if number == 0 and self.feature_transform is not None:
                matrices = self.feature_transform(x)
                x = x @ matrices
        return self.blocks[-1].pooled(x), matrices

    def features(
        self, points: Float[Array, "batch points in_features"]
    ) -> Float[Array, "batch features"]:
        """The last layer's maxima over the points."""
        return self.transformed(points)[0]
