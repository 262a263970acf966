"""Neighbours in a cloud of points: the nearest, the farthest, and reading features at them.

All functions take a batch of clouds, are pure, and may be jitted, vmapped and differentiated
through: the indices are integers, and gradients flow through what is gathered at them.
"""

from functools import partial, reduce

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Int

# Up to this many coordinates the distances are sums of squared differences, zero for equal points;
# above, products of matrices, which are faster and round like them.
_DIFFERENCES = 8
# Distances held at a time: on CPU as many as the caches take, elsewhere as many as fill the device.
_HELD = {"cpu": 2**20, "default": 2**28}


def knn(
    points: Float[Array, "batch points coordinates"],
    k: int,
    query: Float[Array, "batch queries coordinates"] | None = None,
) -> Int[Array, "batch queries k"]:
    """Indices of the `k` nearest points, the nearest first.

    Among points at equal distance those of lower index come first. A point is a neighbour of
    itself, as in DGCNN. Up to 8 coordinates the distance is the sum of squared differences: exact
    zeros for equal points, equal for equal differences. Above, `|p|^2 - 2 q.p` of centred points
    orders them, with a rounding of about 1e-7 of the cloud's squared radius.

    Args:
        points: `(batch, n, d)`, where neighbours are looked for.
        k: number of neighbours, from 1 to n.
        query: `(batch, m, d)`, whose neighbours are looked for; the points themselves if left out.

    Returns:
        `(batch, m, k)` indices into the points.

    Raises:
        ValueError: for empty clouds, a `k` out of range, shapes that do not fit, and values that
            are not finite (under `jit` values are unknown, and such a cloud's indices arbitrary).

    Example:
        >>> line = jnp.array([[[0.0], [1.0], [3.0], [3.5]]])
        >>> knn(line, 2)[0].tolist()
        [[0, 1], [1, 0], [2, 3], [3, 2]]
    """
    check_cloud(points, "points")
    if query is not None:
        check_cloud(query, "query")
        if query.shape[::2] != points.shape[::2]:
            raise ValueError(f"query {query.shape} does not fit points {points.shape}")
    if not 1 <= k <= points.shape[1]:
        raise ValueError(f"k must be from 1 to the number of points {points.shape[1]}, got {k}")
    return _nearest(points, points if query is None else query, k)


@partial(jax.jit, static_argnames="k")
def _nearest(points: Array, query: Array, k: int) -> Array:
    """The indices, found in as many passes as the memory of the platform asks for."""
    points, query = lax.stop_gradient(points), lax.stop_gradient(query)
    if points.shape[-1] > _DIFFERENCES:
        points, query = _with_lengths(points, query)
    passes = {where: partial(_in_passes, k=k, held=held) for where, held in _HELD.items()}
    return lax.platform_dependent(points, query, **passes)


def _with_lengths(points: Array, query: Array) -> tuple[Array, Array]:
    """One more coordinate, after which `q.p` is `|q|^2 - |q - p|^2`: no pass over all pairs."""
    center = points.mean(axis=1, keepdims=True)
    points, query = points - center, query - center
    lengths = (points * points).sum(axis=-1, keepdims=True)
    ones = jnp.ones_like(query[..., :1])
    return jnp.concatenate([2 * points, -lengths], -1), jnp.concatenate([query, ones], -1)


def _in_passes(points: Array, query: Array, *, k: int, held: int) -> Array:
    """Neighbours of so many queries at a time that about `held` distances are in memory."""
    batch, number, queries = *points.shape[:2], query.shape[1]
    passes = -(-queries // max(1, held // number))
    rows = -(-queries // passes)
    query = jnp.pad(query, ((0, 0), (0, passes * rows - queries), (0, 0)))
    query = query.reshape(batch * passes, rows, -1)
    clouds = jnp.repeat(jnp.arange(batch, dtype=jnp.int32), passes)

    def one(cloud_and_query: tuple[Array, Array]) -> Array:
        cloud, query = cloud_and_query
        return lax.top_k(_closeness(query, points[cloud]), k)[1]

    together = max(1, held // (rows * number))
    index = lax.map(one, (clouds, query), batch_size=together)
    return index.reshape(batch, passes * rows, k)[:, :queries]


def _closeness(query: Array, points: Array) -> Array:
    """What falls as the distance grows, `(queries, points)`."""
    if points.shape[-1] > _DIFFERENCES:
        return jnp.matmul(query, points.T, precision="highest")
    squares = (jnp.square(query[:, None, a] - points[None, :, a]) for a in range(points.shape[-1]))
    return -reduce(jnp.add, squares)


def farthest_points(
    points: Float[Array, "batch points coordinates"], count: int, start: int = 0
) -> Int[Array, "batch count"]:
    """Indices of `count` points spread over the cloud: each is farthest from those before it.

    `i_0 = start`, `i_j = argmax_i min_{l < j} |x_i - x_{i_l}|`; among equals the lowest index.
    Once all distinct points are taken the distances are zero, and index 0 repeats.

    Args:
        points: `(batch, n, d)`.
        count: number of points to take, from 1 to n.
        start: index of the first.

    Returns:
        `(batch, count)` indices into the points.

    Raises:
        ValueError: for empty clouds, values that are not finite, `count` or `start` out of range.

    References:
        Y. Eldar, M. Lindenbaum, M. Porat, Y. Zeevi, The Farthest Point Strategy for Progressive
        Image Sampling, IEEE Transactions on Image Processing 6 (1997).

    Example:
        >>> line = jnp.array([[[0.0], [1.0], [3.0], [4.0]]])
        >>> farthest_points(line, 3).tolist()
        [[0, 3, 1]]
    """
    check_cloud(points, "points")
    number = points.shape[1]
    if not 1 <= count <= number:
        raise ValueError(f"count must be from 1 to the number of points {number}, got {count}")
    if not 0 <= start < number:
        raise ValueError(f"start must be from 0 to {number - 1}, got {start}")
    return _spread(points, start, count)


@partial(jax.jit, static_argnames="count")
def _spread(points: Array, start: Array | int, count: int) -> Array:
    columns = [lax.stop_gradient(points[..., axis]) for axis in range(points.shape[-1])]
    indices = jnp.arange(points.shape[1], dtype=jnp.int32)[None]

    def step(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        nearest, last = state
        there = (jnp.take_along_axis(c, last[:, None], axis=1) for c in columns)
        squares = (jnp.square(c - one) for c, one in zip(columns, there, strict=True))
        nearest = jnp.minimum(nearest, reduce(jnp.add, squares))
        # On CPU a maximum and a minimum are 10 times faster than `argmax`.
        farthest = nearest == nearest.max(axis=1, keepdims=True)
        return (nearest, jnp.where(farthest, indices, points.shape[1] - 1).min(axis=1)), last

    first = jnp.full(points.shape[0], start, jnp.int32)
    far = jnp.full(points.shape[:2], jnp.inf, points.dtype)
    return lax.scan(step, (far, first), None, length=count)[1].T


def gather(
    features: Float[Array, "batch points channels"], index: Int[Array, "batch ..."]
) -> Float[Array, "batch ... channels"]:
    """The features of the points at `index`, cloud by cloud.

    Args:
        features: `(batch, n, c)`.
        index: `(batch, ...)`, from 0 to n - 1; others are clipped to that range.

    Returns:
        `(batch, ..., c)`.

    Raises:
        ValueError: when the batches differ.

    Example:
        >>> gather(jnp.arange(6.0).reshape(1, 3, 2), jnp.array([[2, 0]])).tolist()
        [[[4.0, 5.0], [0.0, 1.0]]]
    """
    if features.ndim != 3 or index.shape[:1] != features.shape[:1]:
        raise ValueError(f"index {index.shape} does not fit features {features.shape}")
    return jax.vmap(lambda cloud, rows: cloud.at[rows].get(mode="clip"))(features, index)


def check_cloud(points: Array, name: str) -> None:
    """Raise ValueError unless `points` is `(batch, n, d)`, not empty and, where known, finite."""
    if points.ndim != 3:
        raise ValueError(f"{name} must be (batch, points, coordinates), got shape {points.shape}")
    if 0 in points.shape[1:]:
        raise ValueError(f"{name} has an empty cloud: shape {points.shape}")
    if not isinstance(points, jax.core.Tracer):
        finite = np.isfinite(np.asarray(points)).all(axis=(1, 2))
        if not finite.all():
            raise ValueError(f"{name} has NaN or infinity, first in cloud {finite.argmin()}")
