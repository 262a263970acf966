"""Coordinates of a cloud that turn with it: principal axes, and frames built from the points.

A frame is an orthogonal matrix whose columns are axes. It is computed in float64, whatever the
points are in and whether or not JAX's x64 is on, and no gradient flows through it: the derivative
of an eigenvector grows as one over the gap between eigenvalues.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from neurons.backbones.cloud_rain.geometry import check_cloud
from neurons.backbones.cloud_rain.point_axes import Symmetry, point_axes

GAP = 1e-3


class Canonical(NamedTuple):
    """A cloud in its principal axes.

    Args:
        points: `(batch, n, d)`, the points from the center along the axes.
        frame: `(batch, d, d)`, the axes as columns, of descending variance. Their signs are
            arbitrary.
        center: `(batch, d)`, the mean.
        gap: `(batch,)`, the smallest difference of neighbouring variances over the largest
            variance; differences among variances of zero do not count. The coordinates are
            uncertain by about 1e-7 of the cloud's size over this gap.
        spectrum: `(batch, d)`, the variances along the axes.
    """

    points: Array
    frame: Array
    center: Array
    gap: Array
    spectrum: Array


def canonical(points: Float[Array, "batch points coordinates"]) -> Canonical:
    """The canonical representation by principal component analysis: `Z = (P - mean) V`.

    `V` holds the eigenvectors of the covariance, of descending eigenvalue. A cloud that is turned,
    mirrored or shifted has the same `Z` up to the sign of each column, as long as the eigenvalues
    differ; where they do not, any axes of the eigenspace may come out, see :func:`frames`.

    Args:
        points: `(batch, n, d)` with d of 2 or 3.

    Returns:
        Coordinates, axes, center, gap and variances. Gradients flow to the points through the
        coordinates, for axes held fixed.

    Raises:
        ValueError: for empty clouds, values that are not finite, and other d.

    References:
        Y. Cui, L. Ruan, H.-C. Dong, Q. Li, Z. Wu, T. Zeng, F.-L. Fan, Cloud-RAIN: Point Cloud
        Analysis with Reflectional Invariance, arXiv 2305.07814.

    Example:
        >>> found = canonical(jnp.array([[[0.0, 0.0], [0.0, 4.0], [1.0, 2.0], [-1.0, 2.0]]]))
        >>> jnp.abs(found.points[0]).round(4).tolist(), found.gap.round(4).tolist()
        ([[2.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0.75])
    """
    check_dimension(points)
    return _canonical(points)


def frames(
    points: Float[Array, "batch points coordinates"], group: Symmetry = "O", gap: float = GAP
) -> Float[Array, "batch frames coordinates coordinates"]:
    """The set of frames over which an average is invariant.

    The principal axes with all signs, `2^d` frames for O(d); with the signs that make a rotation,
    `2^(d-1)` frames for SO(d). They turn with the cloud only if its eigenvalues differ: clouds
    with a relative gap under `gap` get :func:`point_frame` in place of the principal axes.

    The average is invariant everywhere and continuous almost everywhere: it jumps where the cloud
    changes so that its gap passes `gap`, or that eigenvalues cross. Unweighted frames cannot do
    better for every cloud (N. Dym, H. Lawrence, J. Siegel, arXiv 2402.16077).

    Args:
        points: `(batch, n, d)` with d of 2 or 3.
        group: "O" (mirrors too) or "SO" (rotations only, determinant 1).
        gap: relative gap under which principal axes are not trusted; 0 trusts them always.

    Returns:
        `(batch, 2^d or 2^(d-1), d, d)`, axes as columns.

    Raises:
        ValueError: for empty clouds, values that are not finite, other d, an unknown group.

    References:
        O. Puny, M. Atzmon, H. Ben-Hamu, I. Misra, A. Grover, E. Smith, Y. Lipman, Frame Averaging
        for Invariant and Equivariant Network Design, arXiv 2110.03336.

    Example:
        >>> cloud = jax.random.normal(jax.random.key(0), (1, 9, 3))
        >>> frames(cloud, "O").shape, jnp.linalg.det(frames(cloud, "SO")).round(4).tolist()
        ((1, 8, 3, 3), [[1.0, 1.0, 1.0, 1.0]])
    """
    base = trusted(points, group, gap).frame
    return base[:, None] * jnp.asarray(signs(points.shape[-1], group), base.dtype)[None, :, None]


def trusted(
    points: Float[Array, "batch points coordinates"], group: Symmetry = "O", gap: float = GAP
) -> Canonical:
    """Principal axes where the eigenvalues differ, axes built from the points where they do not.

    Args:
        points: `(batch, n, d)` with d of 2 or 3.
        group: for "SO" the determinant of the frame is 1.
        gap: relative gap under which principal axes are not trusted; 0 trusts them always.

    Returns:
        As :func:`canonical`, in the trusted axes; gap and spectrum are the covariance's.

    Raises:
        ValueError: as :func:`frames`, and for a negative gap.
    """
    check_dimension(points)
    check_group(group)
    if gap < 0:
        raise ValueError(f"gap must not be negative, got {gap}")
    return _trusted(points, group, gap)


def point_frame(
    points: Float[Array, "batch points coordinates"], group: Symmetry = "O"
) -> Float[Array, "batch coordinates coordinates"]:
    """Axes through two of the cloud's own points, which turn with it whatever its eigenvalues.

    The first axis points from the center to the point of largest score, the second towards the
    point of largest score among directions orthogonal to the first, the third completes them. The
    scores are invariant: the squared distance times a sum over all points of a rational function
    of their distances. In a symmetric cloud points tie, but those that tie are images of each
    other, and the cloud looks the same from each: the coordinates come out equal up to the order
    of the points and, for "O", the signs. For "SO" mirror images are told apart by determinants.

    Costs `n^2` per cloud. Like every choice of one frame it is discontinuous: where two points
    that are no images of each other have equal scores.

    Args:
        points: `(batch, n, d)` with d of 2 or 3.
        group: "O": right up to signs; "SO": determinant 1, right up to two signs at a time.

    Returns:
        `(batch, d, d)`, axes as columns.

    Raises:
        ValueError: as :func:`frames`.
    """
    check_dimension(points)
    check_group(group)
    fixed = lax.stop_gradient(points)
    return point_axes(fixed - _canonical(fixed).center[:, None], group)


def signs(d: int, group: Symmetry) -> np.ndarray:
    """All vectors of d signs; for "SO" those whose product is 1.

    Example:
        >>> signs(2, "SO").tolist()
        [[1.0, 1.0], [-1.0, -1.0]]
    """
    every = np.array(np.meshgrid(*[[1.0, -1.0]] * d, indexing="ij")).reshape(d, -1).T
    return every if group == "O" else every[every.prod(axis=1) > 0]


def check_dimension(points: Array) -> None:
    """Raise ValueError unless `points` are clouds in the plane or in space, finite, not empty."""
    check_cloud(points, "points")
    if points.shape[-1] not in (2, 3):
        raise ValueError(f"points must have 2 or 3 coordinates, got shape {points.shape}")


def check_group(group: str) -> None:
    """Raise ValueError for a group other than "O" and "SO"."""
    if group not in ("O", "SO"):
        raise ValueError(f'group must be "O" or "SO", got {group!r}')


@jax.jit
def _canonical(points: Array) -> Canonical:
    fixed = lax.stop_gradient(points)
    with jax.enable_x64(True):
        wide = lax.convert_element_type(fixed, jnp.float64)
        center = wide.mean(axis=1)
        centered = wide - center[:, None]
        covariance = jnp.einsum("bni,bnj->bij", centered, centered) / points.shape[1]
        values, axes = (a[..., ::-1] for a in jnp.linalg.eigh(covariance))
        found = (axes, center, _relative_gap(values, wide), values)
        axes, center, gap, values = (lax.convert_element_type(a, points.dtype) for a in found)
    # The center moves with the points, also for the gradient; its value is the float64 one.
    mean = points.mean(axis=1)
    moving = mean + (center - lax.stop_gradient(mean))
    return Canonical(_turned(points, moving, axes), axes, moving, gap, values)


def _turned(points: Array, center: Array, axes: Array) -> Array:
    """Coordinates along the axes, `(batch, n, d)`."""
    return jnp.einsum("bni,bij->bnj", points - center[:, None], axes, precision="highest")


def _relative_gap(values: Array, points: Array) -> Array:
    """Smallest difference of neighbours over the largest, among variances above rounding.

    Within an eigenspace of variance zero all coordinates are zero, whatever its axes.
    """
    rounding = float(np.finfo(np.float32).eps) * jnp.abs(points).max(axis=(1, 2))
    zero = jnp.maximum(1e-12 * values[:, 0], jnp.square(rounding))[:, None]
    spread = (values[:, :-1] - values[:, 1:]) / jnp.maximum(values[:, :1], zero)
    return jnp.where(values[:, :-1] > zero, spread, jnp.ones_like(spread)).min(axis=1)


@partial(jax.jit, static_argnames=("group", "gap"))
def _trusted(points: Array, group: Symmetry, gap: float) -> Canonical:
    found = _canonical(points)
    axes = found.frame
    if group == "SO":
        axes = axes.at[:, :, -1].multiply(jnp.sign(jnp.linalg.det(axes))[:, None])
    if gap > 0:
        poor = found.gap < gap
        centered = lax.stop_gradient(points - found.center[:, None])
        local = lax.cond(
            poor.any(),
            partial(point_axes, group=group),
            lambda _: jnp.zeros_like(axes),
            centered,
        )
        axes = jnp.where(poor[:, None, None], local, axes)
    return found._replace(points=_turned(points, found.center, axes), frame=axes)
