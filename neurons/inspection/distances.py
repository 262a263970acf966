"""How far two saliency maps are apart: what the consistency term of training with a prior sums.

With P the map of the network in training and Q that of its teacher, both without negative values,
and i over the n positions of one image:

    mse       mean_i (P_i - Q_i)^2
    l1        mean_i |P_i - Q_i|
    kl        sum_i q_i log(q_i / p_i)          p, q: the maps as shares of one
    cos       1 - <P, Q> / (|P| |Q|)
    soft_iou  1 - sum_i min(P_i, Q_i) / sum_i max(P_i, Q_i)

All have the signature `distance(ours, theirs) -> (batch,)`, are zero for equal maps, and have
finite derivatives everywhere, maps of zeros included: two of them are equal, and one of them is at
the largest distance, 1, from any other map under `cos` and `soft_iou`.

References:
    H.-C. Dong, G. Liu, D. Ye, B. Liu, Network Knowledge Prior Guided Learning for Data-Efficient
    Surface Defect Detection, arXiv 2605.17780. The abstract alone was at hand: it names no
    distance; these are our reading of "consistency".
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

Maps = Float[Array, " batch *space"]
Distances = Float[Array, " batch"]
Shares = Literal["sum", "softmax"]

FLOOR = 1e-3
"""Added to maps in [0, 1] before they become shares: no share is zero, no logarithm infinite."""


def mse(ours: Maps, theirs: Maps) -> Distances:
    """Mean squared difference.

    Args:
        ours: `(batch, *space)`.
        theirs: as `ours`.

    Returns:
        `(batch,)`, at least 0; at most 1 for maps in [0, 1].

    Raises:
        ValueError: for maps of different shapes, or without space.

    Example:
        >>> mse(jnp.array([[0.0, 1.0]]), jnp.array([[1.0, 1.0]])).tolist()
        [0.5]
    """
    p, q = _flat(ours, theirs)
    return jnp.mean(jnp.square(p - q), axis=1)


def l1(ours: Maps, theirs: Maps) -> Distances:
    """Mean absolute difference.

    Arguments, result and errors as for :func:`mse`.
    """
    p, q = _flat(ours, theirs)
    return jnp.mean(jnp.abs(p - q), axis=1)


def kl(
    ours: Maps, theirs: Maps, *, shares: Shares = "sum", floor: float | int = FLOOR
) -> Distances:
    """Kullback-Leibler divergence of our shares from theirs, nats.

    Args:
        ours: `(batch, *space)`, without negative values for "sum".
        theirs: as `ours`.
        shares: "sum" divides `M + floor` by its sum; "softmax" takes `exp M` over its sum.
        floor: positive; see :data:`FLOOR`.

    Returns:
        `(batch,)`, at least 0 but for rounding; 0 for maps of equal shares.

    Raises:
        ValueError: for unknown shares or a floor that is not positive; else as :func:`mse`.
    """
    if shares not in ("sum", "softmax"):
        raise ValueError(f'shares must be "sum" or "softmax", got {shares!r}')
    if not floor > 0:
        raise ValueError(f"floor must be positive, got {floor}")
    logs = [_log_shares(one, shares, floor) for one in _flat(ours, theirs)]
    return jnp.sum(jnp.exp(logs[1]) * (logs[1] - logs[0]), axis=1)


def cos(ours: Maps, theirs: Maps) -> Distances:
    """One less the cosine: blind to the size of either map.

    Arguments and errors as for :func:`mse`.

    Returns:
        `(batch,)` in [0, 1] for maps without negative values, in [0, 2] else.
    """
    p, q = _flat(ours, theirs)
    lengths = _length(p) * _length(q)
    cosine = jnp.sum(p * q, axis=1) / jnp.where(lengths > 0, lengths, 1)
    return jnp.where(_empty(p) & _empty(q), jnp.zeros_like(cosine), 1 - cosine)


def soft_iou(ours: Maps, theirs: Maps) -> Distances:
    """One less the soft intersection over union of maps without negative values.

    Arguments and errors as for :func:`mse`. Of binary maps it is one less the IoU.

    Returns:
        `(batch,)` in [0, 1].
    """
    p, q = _flat(ours, theirs)
    shared, either = jnp.minimum(p, q).sum(axis=1), jnp.maximum(p, q).sum(axis=1)
    iou = shared / jnp.where(either > 0, either, 1)
    return jnp.where(either > 0, 1 - iou, jnp.zeros_like(iou))


DISTANCES: Mapping[str, Callable[..., Distances]] = MappingProxyType(
    {"mse": mse, "l1": l1, "kl": kl, "cos": cos, "soft_iou": soft_iou}
)
"""By name."""


def _flat(ours: Array, theirs: Array) -> tuple[Array, Array]:
    if ours.shape != theirs.shape or ours.ndim < 2:
        raise ValueError(
            f"two maps (batch, *space) of one shape are compared, got {ours.shape}, {theirs.shape}"
        )
    return ours.reshape(len(ours), -1), theirs.reshape(len(theirs), -1)


def _log_shares(maps: Float[Array, "batch places"], shares: Shares, floor: float | int) -> Array:
    if shares == "softmax":
        return jax.nn.log_softmax(maps, axis=1)
    raised = maps + floor
    return jnp.log(raised) - jnp.log(raised.sum(axis=1, keepdims=True))


def _empty(maps: Float[Array, "batch places"]) -> Bool[Array, " batch"]:
    return jnp.all(maps == 0, axis=1)


def _length(maps: Float[Array, "batch places"]) -> Distances:
    """Euclidean; 0 with derivative 0, not NaN, for a map of zeros."""
    empty = _empty(maps)
    squares = jnp.where(empty, jnp.ones_like(maps[:, 0]), jnp.sum(jnp.square(maps), axis=1))
    return jnp.where(empty, jnp.zeros_like(squares), jnp.sqrt(squares))
