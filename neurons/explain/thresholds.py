"""Thresholds of maps, one for each map."""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from neurons.explain.maps import Maps
from neurons.explain.quantiles import check_share
from neurons.options import require


def otsu(maps: Maps, bins: int = 256) -> Float[Array, " batch"]:
    """Otsu's threshold of every map: between the two classes that lie furthest apart.

    The largest `w_0 w_1 (m_0 - m_1)^2` over the edges of a histogram from the map's smallest to its
    largest value; w and m are shares and means (of bin centres) below and above.

    Args:
        maps: one map per sample.
        bins: of the histogram.

    Returns:
        `(batch,)`: `maps > threshold` is the upper class. Of equally good edges the lowest; a
        constant map's threshold is its value, so that nothing lies above; NaN for a map with NaN.

    Raises:
        ValueError: for fewer than two bins or maps without entries.

    References:
        N. Otsu, A Threshold Selection Method from Gray-Level Histograms, IEEE Trans. SMC 1979.

    Example:
        >>> bool(0.1 <= otsu(jnp.array([[0.0, 0.1, 0.9, 1.0]]))[0] < 0.9)
        True
    """
    require("bins", bins, 2)
    flat = _flat(maps)
    low, high = flat.min(axis=1), flat.max(axis=1)
    span = high - low
    constant = span == 0
    steps = (flat - low[:, None]) / jnp.where(constant, jnp.ones_like(span), span)[:, None]
    places = jnp.clip((steps * bins).astype(jnp.int32), 0, bins - 1)
    counts = jax.vmap(lambda row: jnp.bincount(row, length=bins))(places).astype(flat.dtype)
    centres = (jnp.arange(bins, dtype=flat.dtype) + 0.5) / bins
    best = jnp.argmax(_between(counts, centres), axis=1)
    edge = low + span * (best + 1).astype(flat.dtype) / bins
    found = jnp.nextafter(edge, low)  # what lies on the edge belongs to the upper class
    return jnp.where(constant | jnp.isnan(span), low, found)


def quantile(maps: Maps, q: float | int) -> Float[Array, " batch"]:
    """The q-quantile of every map's entries; `maps > threshold` holds for the share 1 - q.

    Raises:
        ValueError: for `q` outside [0, 1] or maps without entries.
    """
    check_share(q)
    return jnp.quantile(_flat(maps), float(q), axis=1)


def _between(
    counts: Float[Array, "batch bins"], centres: Float[Array, " bins"]
) -> Float[Array, "batch edges"]:
    """Variance between the classes left and right of every inner edge."""
    weighed = counts * centres[None]
    below, mass = (jnp.cumsum(part, axis=1)[:, :-1] for part in (counts, weighed))
    above, rest = (part.sum(axis=1, keepdims=True) for part in (counts, weighed))
    above, rest = above - below, rest - mass
    gap = mass / jnp.maximum(below, 1) - rest / jnp.maximum(above, 1)
    return below * above * gap**2


def _flat(maps: Maps) -> Float[Array, "batch entries"]:
    if maps.ndim < 2 or 0 in maps.shape[1:]:
        raise ValueError(f"a threshold needs maps (batch, *spatial) with entries: {maps.shape}")
    return maps.reshape(len(maps), math.prod(maps.shape[1:]))
