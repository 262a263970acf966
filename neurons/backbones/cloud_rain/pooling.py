"""Batch normalisation and maximum in one pass over each cloud.

`max_j activation(norm(z_j))` needs of `z` no more than its moments and its largest (where the
normalisation's scale is negative: its smallest) values, since activations rise. So `z`, the widest
array of these networks, is never kept: tile by tile it is computed, read, and, in the backward
pass, computed again. On CPU writing it to fresh memory would take as long as its product, and the
passes over an edge's `z` are 8 times faster in a tile of 1 MB, which stays in the cache.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax
from jaxtyping import Float

Activation = Callable[[Array], Array]
# From some of a cloud's rows to their z, and all of these rows: arrays with as many entries.
Rows = tuple[Callable[..., Array], tuple[Array, ...]]

_TILE = 2**18  # entries of z that are computed together on CPU: 1 MB in float32


def pooled(
    prepare: Callable[..., Rows],
    norm: nnx.BatchNorm,
    activation: Activation,
    *clouds: Array,
) -> Float[Array, "batch *kept features"]:
    """`activation(norm(z)).max(axis=-2)` for every cloud's `z`.

    The moments follow the law of total variance: `var z = mean_t var z_t + var_t mean z_t` over
    tiles t of one size.

    Args:
        prepare: from one cloud's arrays to a function and rows: the function of some rows gives
            their `z` `(rows, features)`, pooled over rows, or `(rows, pooled, features)`.
        norm: batch normalisation; updated in training mode.
        activation: an activation that never falls.
        *clouds: arrays with the clouds on their first axis.

    Returns:
        One `(features,)`, or `(rows, features)`, per cloud.
    """
    scale, _ = _parameters(norm)
    sign = jnp.where(scale < 0, -jnp.ones_like(scale), jnp.ones_like(scale))

    def summary(z: Array) -> Any:
        top = (z * _like(sign, z)).max(axis=-2)
        if norm.use_running_average:
            return top, None
        axes = tuple(range(z.ndim - 1))
        mean = z.mean(axis=axes)
        return top, (mean, jnp.square(z - _like(mean, z)).mean(axis=axes))

    def one(cloud: tuple[Array, ...]) -> Any:
        return _by_tile(summary, *prepare(*cloud))

    each = lax.map if jax.default_backend() == "cpu" else _at_once
    top, moments = each(one, clouds)  # (batch, tiles, ...)
    top = top.max(axis=1) if top.ndim == 3 else top.reshape(len(top), -1, top.shape[-1])
    factor, shift = affine(norm, moments)
    return activation(top * _like(jnp.abs(factor), top) + _like(shift, top))


def _by_tile(
    summary: Callable[[Array], Any], respond: Callable[..., Array], rows: tuple[Array, ...]
) -> Any:
    """The summary of every tile of rows, computed again where gradients need it."""
    count = len(rows[0])
    row = jax.eval_shape(respond, *(array[:1] for array in rows)).size
    size = _tile_rows(count, row) if jax.default_backend() == "cpu" else count
    tiles = tuple(array.reshape(-1, size, *array.shape[1:]) for array in rows)
    one = jax.checkpoint(lambda tile: summary(respond(*tile)))
    return lax.map(one, tiles)


def _tile_rows(count: int, row: int) -> int:
    """The largest divisor of `count` whose rows fit in a tile; all, should it be a small one."""
    most = max(1, min(count, _TILE // row))
    size = next(rows for rows in range(most, 0, -1) if count % rows == 0)
    return size if 4 * size >= most else count


def _at_once(one: Callable[[Any], Any], clouds: Any) -> Any:
    return jax.vmap(one)(clouds)


def affine(norm: nnx.BatchNorm, moments: tuple[Array, Array] | None) -> tuple[Array, Array]:
    """Factor and shift per feature of the normalisation, whose running moments move on.

    Args:
        norm: batch normalisation.
        moments: `(*tiles, features)` means and variances of each tile in training mode; `None`
            for the running ones.
    """
    if moments is None:
        mean, variance = norm.mean[...], norm.var[...]
    else:
        means, variances = (moment.reshape(-1, moment.shape[-1]) for moment in moments)
        mean = means.mean(axis=0)
        variance = variances.mean(axis=0) + jnp.square(means - mean[None]).mean(axis=0)
        for running, now in ((norm.mean, mean), (norm.var, variance)):
            kept = norm.momentum * running[...]
            running[...] = kept + (1 - norm.momentum) * lax.stop_gradient(now)
    scale, shift = _parameters(norm)
    factor = scale * lax.rsqrt(variance + norm.epsilon)
    return factor, shift - mean * factor


def _parameters(norm: nnx.BatchNorm) -> tuple[Array, Array]:
    assert norm.scale is not None  # for the type checker: these networks' norms have both
    assert norm.bias is not None
    return norm.scale[...], norm.bias[...]


def _like(row: Array, z: Array) -> Array:
    """`row` with as many axes as `z`."""
    return row.reshape((1,) * (z.ndim - 1) + row.shape)
