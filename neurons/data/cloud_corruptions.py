"""What scanners do to clouds: noise, outliers, dropped points, hidden sides.

Every corruption takes clouds `(clouds, points, dimensions)` in the unit ball and a generator, and
returns clouds of the same shape: where points are lost, others of the cloud are repeated in their
place, as networks of a fixed number of points need it. Lengths are relative to the ball's radius.
"""

import numpy as np
from numpy.typing import NDArray

Clouds = NDArray[np.float32]
Random = np.random.Generator


def jittered(clouds: Clouds, deviation: float, random: Random) -> Clouds:
    """Gaussian noise on every coordinate.

    Args:
        clouds: `(clouds, points, dimensions)`.
        deviation: Standard deviation, in radii of the unit ball, at least 0.
        random: Generator.

    Raises:
        ValueError: For a deviation below 0, or clouds of another shape.
    """
    _check(clouds)
    if not deviation >= 0:
        raise ValueError(f"deviation is {deviation}; allowed: 0 and more")
    return _like(clouds, clouds + deviation * random.normal(size=clouds.shape))


def with_outliers(clouds: Clouds, share: float, random: Random) -> Clouds:
    """A share of the points replaced by points uniform in the unit ball.

    Args:
        clouds: `(clouds, points, dimensions)`.
        share: Share of the points, in [0, 1]; rounded to a number of points.
        random: Generator.

    Raises:
        ValueError: For a share out of range, or clouds of another shape.
    """
    lost, order = _lost(clouds, share, random)
    direction = random.normal(size=clouds.shape)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    radius = random.random(clouds.shape[:2]) ** (1 / clouds.shape[2])
    found = np.where((order < lost)[..., None], direction * radius[..., None], clouds)
    return _like(clouds, found)


def dropped(clouds: Clouds, share: float, random: Random) -> Clouds:
    """A share of the points lost, at random.

    Args:
        clouds: `(clouds, points, dimensions)`.
        share: Share of the points, in [0, 1); at least one point stays.
        random: Generator.

    Raises:
        ValueError: For a share out of range, no point left, or clouds of another shape.
    """
    lost, order = _lost(clouds, share, random)
    return _kept(clouds, order >= lost, random)


def cut(clouds: Clouds, share: float, random: Random) -> Clouds:
    """Occluded by a half-space: the share of the points farthest in a random direction is lost.

    Args:
        clouds: `(clouds, points, dimensions)`.
        share: Share of the points, in [0, 1); at least one point stays.
        random: Generator.

    Raises:
        ValueError: For a share out of range, no point left, or clouds of another shape.
    """
    lost, _ = _lost(clouds, share, random)
    height = np.einsum("bnd,bd->bn", clouds, _directions(clouds, random))
    order = np.argsort(np.argsort(-height, axis=1), axis=1)
    return _kept(clouds, order >= lost, random)


def seen(clouds: Clouds, random: Random, *, width: float = 0.3) -> Clouds:
    """Partial view: of points behind each other in a random direction, the front ones.

    The plane across the direction of view is divided into squares; a point is hidden when it lies
    more than `width` behind the nearest point of its square.

    Args:
        clouds: `(clouds, points, dimensions)`.
        random: Generator.
        width: Side of the squares, in radii of the unit ball, above 0.

    Raises:
        ValueError: For a width that is not above 0, or clouds of another shape.

    References:
        S. Katz, A. Tal, R. Basri, Direct visibility of point sets, SIGGRAPH 2007 (the exact
        operator; this one is a depth buffer).
    """
    _check(clouds)
    if not width > 0:
        raise ValueError(f"width is {width}; allowed: above 0")
    visible = np.stack(
        [
            _front(cloud, view, width)
            for cloud, view in zip(clouds, _directions(clouds, random), strict=True)
        ]
    )
    return _kept(clouds, visible, random)


def _front(cloud: NDArray, view: NDArray, width: float) -> NDArray[np.bool_]:
    depth = cloud @ view
    across = np.linalg.svd(view[None])[2][1:]  # orthonormal, across the direction of view
    squares = np.floor(cloud @ across.T / width).astype(np.int64)
    _, square = np.unique(squares, axis=0, return_inverse=True)
    nearest = np.full(square.max() + 1, np.inf)
    np.minimum.at(nearest, square.ravel(), depth)
    return np.asarray(depth <= nearest[square.ravel()] + width)


def _directions(clouds: Clouds, random: Random) -> NDArray[np.float64]:
    found = random.normal(size=(len(clouds), clouds.shape[2]))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def _lost(clouds: Clouds, share: float, random: Random) -> tuple[int, NDArray[np.int64]]:
    """How many points are lost, and a random rank of every point."""
    _check(clouds)
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; allowed: 0 to 1")
    order = np.argsort(random.random(clouds.shape[:2]), axis=1)
    return round(share * clouds.shape[1]), order


def _kept(clouds: Clouds, keep: NDArray[np.bool_], random: Random) -> Clouds:
    """The kept points in their places, and some of them again in the places of the others."""
    if not keep.any(axis=1).all():
        raise ValueError("at least one point of a cloud must stay")
    found = np.array(clouds)
    for cloud, stays in zip(found, keep, strict=True):
        cloud[~stays] = cloud[random.choice(np.flatnonzero(stays), size=int((~stays).sum()))]
    return found


def _check(clouds: Clouds) -> None:
    if clouds.ndim != 3 or 0 in clouds.shape or not np.isfinite(clouds).all():
        raise ValueError(f"needs finite (clouds, points, dimensions), got {clouds.shape}")


def _like(clouds: Clouds, found: NDArray) -> Clouds:
    return np.asarray(found, dtype=clouds.dtype)
