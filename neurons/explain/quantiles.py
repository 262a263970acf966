"""Quantiles of the positive part of a tensor, per sample: thresholds of truncated gradients."""

import math

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

_LARGEST = {"float32": 0x7F800000, "float64": 0x7FF0000000000000}  # the bits of infinity


def positive_quantile(values: Float[Array, "batch ..."], q: float | int) -> Float[Array, " batch"]:
    """The q-quantile of every sample's positive entries.

    `theta_q = inf {t >= 0 : at least the share q of the positive entries is <= t}`

    so that `theta_0 = 0` and `theta_1` is the largest entry; between, it is an entry of the sample
    (`numpy.quantile(..., method="inverted_cdf")`). Found exactly, to the last bit, by bisecting
    the bit patterns of positive floats, which are ordered as the numbers are: on CPU several
    times faster than a sort.

    Args:
        values: samples on the first axis; NaN and entries that are not positive do not count.
        q: share in [0, 1].

    Returns:
        One threshold per sample, 0 where nothing is positive; gradients do not flow through it.

    Raises:
        ValueError: for `q` outside [0, 1].

    Example:
        >>> positive_quantile(jnp.array([[-5.0, 1.0, 2.0, 3.0, 4.0]]), 0.5).tolist()
        [2.0]
    """
    check_share(q)
    if q == 0 or values.size == 0:
        return jnp.zeros(values.shape[:1], values.dtype)
    wide = jnp.float64 if values.dtype == jnp.float64 else jnp.float32
    flat = lax.stop_gradient(values).reshape(values.shape[0], -1).astype(wide)
    return _bisect(flat, q).astype(values.dtype)


def check_share(q: float | int) -> None:
    """Raise ValueError unless `q` lies in [0, 1]."""
    if not 0 <= q <= 1 or math.isnan(q):
        raise ValueError(f"a quantile's share must lie in [0, 1], got {q}")


def _bisect(flat: Float[Array, "batch entries"], q: float | int) -> Float[Array, " batch"]:
    whole = jnp.int64 if flat.dtype == jnp.float64 else jnp.int32
    bits = lax.bitcast_convert_type(flat, whole)
    largest = jnp.full((), _LARGEST[flat.dtype.name], whole)
    # Negative floats have negative bits; NaN lies above infinity.
    bits = jnp.where((bits > 0) & (bits <= largest), bits, jnp.full((), -1, whole))
    count = jnp.sum(bits > 0, axis=1, dtype=whole)
    # A product that rounding lifted above a whole number still means that number.
    rank = jnp.ceil(count.astype(jnp.float32) * q - 1e-3).astype(whole)

    def halve(_: Int[Array, ""], ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = low + (high - low) // 2
        below = jnp.sum((bits >= 0) & (bits <= middle[:, None]), axis=1, dtype=whole)
        enough = below >= rank
        return jnp.where(enough, low, middle + 1), jnp.where(enough, middle, high)

    start = (jnp.zeros_like(rank), jnp.full_like(rank, largest))
    _, found = lax.fori_loop(0, 8 * flat.dtype.itemsize - 1, halve, start)
    return lax.bitcast_convert_type(found, flat.dtype)
