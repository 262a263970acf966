"""Data that lies in parts: every part becomes a triangle of 33 kB, and the triangles merge.

`compress_sharded` uses the devices of JAX, and all processes of `jax.distributed` that there are;
`compress_in` any `concurrent.futures.Executor`. All parts share one frame: `sketch` every part, and
`frame_of_sketches` gives it.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import cache, partial, reduce

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental import multihost_utils
from jax.sharding import Mesh, PartitionSpec

from neurons.search.frame import Frame, frame_of
from neurons.search.moments import DEGREE, Triangle, compress, triangle_of

Part = tuple[np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray, np.ndarray]
_AXIS = "parts"
_QUANTILES = 1024  # intervals between the quantiles that stand for a part's inputs


def sketch(x: np.ndarray) -> np.ndarray:
    """What a part tells of its inputs `(n, d)`: `(1026,)`, their number and their quantiles.

    Example:
        >>> sketch(np.array([[1.0, 3.0]]))[[0, 1, -1]]
        array([2., 1., 3.])
    """
    return np.append(x.size, np.quantile(x, np.linspace(0, 1, _QUANTILES + 1)))


def frame_of_sketches(sketches: Iterable[np.ndarray]) -> Frame:
    """The frame of all parts together.

    The interval is exact, so a linear frame is that of the whole data; where the tails are heavy,
    the bend comes from merged quantiles.

    Raises:
        ValueError: if all inputs are equal, or there is no part.
    """
    parts = np.array(list(sketches))
    if not len(parts):
        raise ValueError("there is no part to take a frame of")
    values = parts[:, 1:]
    share = np.full(_QUANTILES + 1, 1 / _QUANTILES)
    share[[0, -1]] /= 2  # the ends stand for half an interval
    order = np.argsort(values, axis=None, kind="stable")
    weight = (parts[:, :1] * share).ravel()[order]
    rank = (np.cumsum(weight) - weight / 2) / weight.sum()
    rank[[0, -1]] = 0.0, 1.0
    return frame_of(np.interp(np.linspace(0, 1, 4 * _QUANTILES + 1), rank, values.ravel()[order]))


def compress_in(
    executor: Executor,
    parts: Iterable[Part | Callable[[], Part]],
    frame: Frame,
    *,
    degree: int = DEGREE,
) -> Triangle:
    """The triangle of all parts, each compressed by one of the executor's workers.

    They merge in the parts' order: the result does not depend on the workers.

    Args:
        executor: of `concurrent.futures`, Dask (`client.get_executor()`) or mpi4py.
        parts: `(x, y)` or `(x, y, weights)`; or functions without arguments that return it, so
            that the worker reads its own data.
        frame: an interval that holds all inputs.
        degree: moments, a multiple of 8.

    Raises:
        ValueError: if there is no part.
    """
    work = partial(_compress_part, frame=frame, degree=degree)
    triangles = [job.result() for job in [executor.submit(work, part) for part in parts]]
    if not triangles:
        raise ValueError("there is no part to compress")
    return reduce(Triangle.merge, triangles)


def _compress_part(part: Part | Callable[[], Part], frame: Frame, degree: int) -> Triangle:
    x, y, *weights = part() if callable(part) else part
    return compress(x, y, frame, weights=weights[0] if weights else None, degree=degree)


def compress_sharded(
    x: np.ndarray,
    y: np.ndarray,
    frame: Frame,
    *,
    weights: np.ndarray | None = None,
    devices: Sequence[jax.Device] | None = None,
    degree: int = DEGREE,
    rows: int = 4096,
) -> Triangle:
    """`compress`, with the rows spread over devices, in float64.

    Every device reduces its rows to a triangle, block by block, and the triangles are gathered.
    Under `jax.distributed` every process passes its own rows, however many, and gets the triangle
    of all processes' rows.

    Args:
        x: this process's inputs `(n, d)`.
        y: its targets `(n,)` or `(n, targets)`.
        frame: an interval that holds all processes' inputs.
        weights: weights >= 0 of the samples' squared errors, `(n,)`.
        devices: this process's devices; all it has by default.
        degree: moments, a multiple of 8.
        rows: samples per block of a device.
    """
    devices = jax.local_devices() if devices is None else devices
    weights = np.ones(len(x)) if weights is None else weights
    data = (frame.inward(np.array(x, float)), y.reshape(len(y), -1), np.sqrt(weights)[:, None])
    blocks = [_blocks(np.asarray(part, float), len(devices), rows) for part in data]
    with jax.enable_x64(True):
        mesh = Mesh(np.array(devices), (_AXIS,))
        factor = np.asarray(_reducer(mesh, degree)(*blocks))
        if jax.process_count() > 1:
            factor = multihost_utils.process_allgather(factor).reshape(-1, factor.shape[1])
            total = int(multihost_utils.process_allgather(np.array([len(x)])).sum())
        else:
            total = len(x)
    return Triangle(triangle_of(np.asarray(factor)), total, frame, inputs=x.shape[1], degree=degree)


def _blocks(part: np.ndarray, devices: int, rows: int) -> np.ndarray:
    """Rows `(n, k)` as `(devices * blocks, rows, k)`, padded with zeros, which weigh nothing."""
    rows = max(1, min(rows, -(-len(part) // devices)))
    count = devices * max(1, -(-len(part) // (devices * rows)))
    padded = np.zeros((count * rows, part.shape[1]))
    padded[: len(part)] = part
    return padded.reshape(count, rows, -1)


@cache
def _reducer(mesh: Mesh, degree: int) -> Callable[..., Array]:
    """Blocks over a mesh to one triangle, up to the signs of its rows."""
    split = PartitionSpec(_AXIS)

    def reduce_all(u: Array, y: Array, root: Array) -> Array:
        own = _reduce_blocks(u, y, root, degree)
        return _upper(jax.lax.all_gather(own, _AXIS, tiled=True))

    # Without the check: it takes what all_gather returns, equal everywhere, for different.
    mapped = jax.shard_map(
        reduce_all, mesh=mesh, in_specs=split, out_specs=PartitionSpec(), check_vma=False
    )
    return jax.jit(mapped)


def _reduce_blocks(u: Array, y: Array, root: Array, degree: int) -> Array:
    """The triangle of one device's blocks; memory for one block's moments."""
    size = degree + y.shape[2]

    def step(factor: Array, block: tuple[Array, Array, Array]) -> tuple[Array, None]:
        inputs, targets, weight = block
        columns = jnp.concatenate([_moments(inputs, degree), targets], axis=1) * weight
        return _upper(jnp.concatenate([factor, columns])), None

    return jax.lax.scan(step, jnp.zeros((size, size)), (u, y, root))[0]


def _moments(u: Array, degree: int) -> Array:
    """`1, sum_i T_1(u_i), sum_i T_2(u_i), ...`, `(rows, degree)`, by the three-term recurrence."""

    def step(last: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        before, now = last
        return (now, 2 * u * now - before), now.sum(axis=1)

    first = (jnp.ones_like(u), u)
    sums = jax.lax.scan(step, first, None, length=degree - 1)[1]
    return jnp.concatenate([jnp.ones((1, len(u))), sums]).T


def _upper(rows: Array) -> Array:
    return jnp.linalg.qr(rows, mode="r")
