"""Training over several devices: seeds, or the rows of a batch, spread over a mesh.

Nothing changes but where arrays lie: a run is the same program on one device and on many, on one
machine and (after `jax.distributed.initialize`) on several, and gives the same result up to the
order of sums. Say it around what trains::

    with neurons.spread_over(jax.devices()):
        runs = neurons.fit_seeds(...)
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

_AXIS = "devices"
# Whom the caller lends, like `jax.default_device`: experiments train in places that no argument
# reaches, and where arrays lie is no part of what they compute.
_lent: ContextVar[tuple[jax.Device, ...]] = ContextVar("devices to train on", default=())


@contextmanager
def spread_over(devices: Sequence[jax.Device]) -> Iterator[None]:
    """Let `fit` and `fit_seeds` use several devices.

    Args:
        devices: e.g. `jax.devices()`; of several processes, all devices of each, and every process
            runs the same program.

    Raises:
        ValueError: without a device, or for one that is named twice.

    Example:
        >>> with spread_over(jax.devices()):
        ...     layout(seeds=8, size=32) is None or len(jax.devices()) > 1
        True
    """
    if not devices or len(set(devices)) != len(devices):
        raise ValueError(f"spread_over needs different devices, at least one; got {list(devices)}")
    token = _lent.set(tuple(devices))
    try:
        yield
    finally:
        _lent.reset(token)


@dataclass(frozen=True)
class Layout:
    """Where the arrays of one run lie.

    Args:
        mesh: the devices, on one axis.
        seeds: whether seeds are spread; the rows of each batch are, otherwise.
    """

    mesh: Mesh
    seeds: bool

    def everywhere(self, tree: Any) -> Any:
        """A copy on every device."""
        return self._put(tree, PartitionSpec())

    def state(self, tree: Any) -> Any:
        """What a step changes; with seeds on the first axis, if they are spread."""
        return self._cut(tree, 0) if self.seeds else self.everywhere(tree)

    def rows(self, rows: Any) -> Any:
        """Numbers of rows, `(steps, size)`, or `(seeds, steps, size)`."""
        return self._cut(rows, 0 if self.seeds else 1)

    def home(self, tree: Any) -> Any:
        """The whole of every leaf, on this process's default device."""
        return jax.tree.map(_unbound, _gather(self.mesh)(tree))

    def _cut(self, tree: Any, axis: int) -> Any:
        return self._put(tree, PartitionSpec(*[None] * axis, _AXIS))

    def _put(self, tree: Any, spec: PartitionSpec) -> Any:
        sharding = NamedSharding(self.mesh, spec)
        return jax.tree.map(
            lambda leaf: _plainly(leaf, lambda a: jax.device_put(a, sharding)), tree
        )


@lru_cache(maxsize=8)
def _gather(mesh: Mesh) -> Callable[[Any], Any]:
    """Copies everywhere, also from other processes; one program for all epochs."""
    return jax.jit(lambda tree: tree, out_shardings=NamedSharding(mesh, PartitionSpec()))


def layout(seeds: int | None, size: int) -> Layout | None:
    """How the devices of :func:`spread_over` are used; `None` where one does it all.

    Args:
        seeds: how many are trained at once, or `None` for a single run.
        size: rows of a batch.

    Returns:
        The layout. Where the seeds, or the rows, cannot be cut into as many equal parts as there
        are devices, the largest number of devices that can is used; of several processes, each
        does the whole then.
    """
    devices = _lent.get()
    used = usable(len(devices), seeds or size, jax.process_count())
    if used == 1:
        return None
    return Layout(Mesh(np.array(devices[:used]), (_AXIS,)), seeds is not None)


def usable(devices: int, parts: int, processes: int = 1) -> int:
    """How many devices can get equally many of some parts; of several processes all, or one."""
    used = max((n for n in range(1, devices + 1) if parts % n == 0), default=1)
    return used if used == devices or processes == 1 else 1


def _unbound(leaf: Array) -> Array:
    """A copy that may be used with arrays of any device."""
    return _plainly(leaf, lambda array: jnp.asarray(np.asarray(array)))


def _plainly(leaf: Array, move: Callable[[Array], Array]) -> Array:
    """An array moved; of keys their numbers are, which can go to other processes and to NumPy."""
    if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return move(leaf)
    numbers = move(jax.random.key_data(leaf))
    return jax.random.wrap_key_data(numbers, impl=jax.random.key_impl(leaf))
