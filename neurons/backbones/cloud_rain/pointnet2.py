"""PointNet++ with any neuron: small PointNets on neighbourhoods of ever fewer points.

References:
    C. R. Qi, L. Yi, H. Su, L. J. Guibas, PointNet++: Deep Hierarchical Feature Learning on Point
    Sets in a Metric Space, NeurIPS 2017, arXiv 1706.02413 (SSG and MSG).
    Y. Cui, L. Ruan, H.-C. Dong, Q. Li, Z. Wu, T. Zeng, F.-L. Fan, Cloud-RAIN: Point Cloud Analysis
    with Reflectional Invariance, arXiv 2305.07814 (code: quadratic neurons in all these layers).
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float, Int

from neurons.backbones.cloud_rain.blocks import (
    CloudClassifier,
    Head,
    blocks,
    check_points,
    check_sizes,
)
from neurons.backbones.cloud_rain.geometry import farthest_points, gather, knn
from neurons.neuron import Neuron


class Scale(NamedTuple):
    """One kind of neighbourhood of a level: its size, its reach, and the layers on it.

    Args:
        neighbours: points in a neighbourhood.
        radius: beyond which a neighbour is replaced by the centre; `None` for the nearest points
            however far.
        widths: of the layers.
    """

    neighbours: int
    radius: float | None
    widths: tuple[int, ...]


class Level(NamedTuple):
    """A set abstraction: how many centres, and the scales of their neighbourhoods."""

    centres: int
    scales: tuple[Scale, ...]


SINGLE_SCALE = (
    Level(512, (Scale(32, 0.2, (64, 64, 128)),)),
    Level(128, (Scale(64, 0.4, (128, 128, 256)),)),
)
MULTI_SCALE = (
    Level(
        512,
        (
            Scale(16, 0.1, (32, 32, 64)),
            Scale(32, 0.2, (64, 64, 128)),
            Scale(128, 0.4, (64, 96, 128)),
        ),
    ),
    Level(
        128,
        (
            Scale(32, 0.2, (64, 64, 128)),
            Scale(64, 0.4, (128, 128, 256)),
            Scale(128, 0.8, (128, 128, 256)),
        ),
    ),
)


def centres(
    points: Float[Array, "batch points coordinates"], count: int
) -> Int[Array, "batch count"]:
    """Farthest points from the one farthest from the mean on: the same in any order of points."""
    batch, number, _ = points.shape
    off = jnp.square(points - points.mean(axis=1, keepdims=True)).sum(axis=-1)
    ahead = jnp.broadcast_to(jnp.arange(number, dtype=jnp.int32), (batch, number))
    order = (ahead + off.argmax(axis=1).astype(jnp.int32)[:, None]) % number
    chosen = farthest_points(gather(points, order), count)
    return jnp.take_along_axis(order, chosen, axis=1)


def ball(
    points: Float[Array, "batch points coordinates"],
    middle: Float[Array, "batch centres coordinates"],
    radius: float | None,
    neighbours: int,
) -> Int[Array, "batch centres neighbours"]:
    """The nearest points within the radius, filled up with the nearest of all.

    The authors' code takes the first points in the ball by index, which depends on the order of
    points; this takes the nearest, which does not.
    """
    index = knn(points, neighbours, middle)
    if radius is None:
        return index
    distances = jnp.square(gather(points, index) - middle[:, :, None]).sum(axis=-1)
    return jnp.where(distances <= radius**2, index, index[..., :1])


class SetAbstraction(nnx.Module):
    """Centres, and for each the largest activations over its neighbourhoods.

    A neighbour j of the centre c holds `(x_j - x_c, f_j)`.

    Args:
        neuron: of all layers.
        coordinates: of a point.
        in_features: features of a point beside its coordinates.
        level: centres and scales.
        rngs: stream `params`.
    """

    def __init__(
        self, neuron: Neuron, coordinates: int, in_features: int, level: Level, *, rngs: nnx.Rngs
    ) -> None:
        self.level = level
        self.scales = nnx.List(
            nnx.List(blocks(neuron, (coordinates + in_features, *scale.widths), rngs=rngs))
            for scale in level.scales
        )

    def __call__(
        self,
        points: Float[Array, "batch points coordinates"],
        features: Float[Array, "batch points in_features"],
    ) -> tuple[Float[Array, "batch centres coordinates"], Float[Array, "batch centres features"]]:
        """The centres and their features, scale by scale."""
        middle = gather(points, centres(points, self.level.centres))
        found = []
        for scale, layers in zip(self.level.scales, self.scales, strict=True):
            index = ball(points, middle, scale.radius, scale.neighbours)
            offsets = gather(points, index) - middle[:, :, None]
            x = jnp.concatenate([offsets, gather(features, index)], axis=-1)
            for block in layers[:-1]:
                x = block(x)
            found.append(layers[-1].pooled(x))  # (batch, centres, features)
        return middle, jnp.concatenate(found, axis=-1)


class PointNet2(CloudClassifier):
    """PointNet++, classifier of clouds of points.

    Args:
        neuron: of the layers on points; the head is conventional.
        classes: number of logits.
        in_features: channels of a point: its coordinates, then others.
        coordinates: how many of the channels are coordinates; all if left out.
        levels: set abstractions, `SINGLE_SCALE` or `MULTI_SCALE` as published, whose radii are for
            clouds in the unit ball.
        widths: of the layers on the last centres together; the last is the number of features.
        hidden: widths of the head's hidden layers.
        dropout: rate after each of them.
        rngs: streams `params` and `dropout`.

    Raises:
        ValueError: for sizes below 1; on call for a shape other than (batch, n, in_features), or
            fewer points than centres or neighbours.

    Example:
        >>> from neurons import quadratic
        >>> small = {"levels": (Level(8, (Scale(4, 0.5, (4,)),)),), "widths": (8,), "hidden": (8,)}
        >>> PointNet2(quadratic, 10, **small, rngs=nnx.Rngs(0))(jnp.ones((5, 32, 3))).shape
        (5, 10)
    """

    def __init__(
        self,
        neuron: Neuron,
        classes: int,
        *,
        in_features: int = 3,
        coordinates: int | None = None,
        levels: Sequence[Level] = SINGLE_SCALE,
        widths: Sequence[int] = (256, 512, 1024),
        hidden: Sequence[int] = (512, 256),
        dropout: float = 0.4,
        rngs: nnx.Rngs,
    ) -> None:
        self.coordinates = in_features if coordinates is None else coordinates
        check_sizes(classes=classes, coordinates=self.coordinates, layers=len(widths))
        _check_levels(levels)
        if self.coordinates > in_features:
            raise ValueError(f"{coordinates} coordinates are more than in_features={in_features}")
        self.in_features, self.least = in_features, _least(levels)
        given = in_features - self.coordinates
        sizes = [given, *(sum(scale.widths[-1] for scale in level.scales) for level in levels)]
        self.abstractions = nnx.List(
            SetAbstraction(neuron, self.coordinates, size, level, rngs=rngs)
            for size, level in zip(sizes, levels, strict=False)
        )
        last = (self.coordinates + sizes[-1], *widths)
        self.blocks = nnx.List(blocks(neuron, last, rngs=rngs))
        rates = (dropout,) * len(hidden)
        self.classifier = Head(widths[-1], hidden, classes, nnx.relu, dropout=rates, rngs=rngs)

    def features(
        self, points: Float[Array, "batch points in_features"]
    ) -> Float[Array, "batch features"]:
        """The last layer's maxima over the last centres."""
        check_points(points, self.in_features, self.least)
        middle, x = points[..., : self.coordinates], points[..., self.coordinates :]
        for abstraction in self.abstractions:
            middle, x = abstraction(middle, x)
        x = jnp.concatenate([middle, x], axis=-1)
        for block in self.blocks[:-1]:
            x = block(x)
        return self.blocks[-1].pooled(x)


def _least(levels: Sequence[Level]) -> int:
    """Points that a cloud needs for the first level's centres and neighbourhoods."""
    if not levels:
        return 1
    return max(levels[0].centres, *(scale.neighbours for scale in levels[0].scales))


def _check_levels(levels: Sequence[Level]) -> None:
    available: int | None = None
    for number, level in enumerate(levels):
        needed = max((level.centres, *(scale.neighbours for scale in level.scales)))
        check_sizes(centres=level.centres, scales=len(level.scales))
        for scale in level.scales:
            check_sizes(neighbours=scale.neighbours, layers=len(scale.widths))
        if available is not None and needed > available:
            raise ValueError(
                f"level {number} needs {needed} points, but the one before has {available} centres"
            )
        available = level.centres
