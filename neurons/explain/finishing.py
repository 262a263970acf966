"""From a raw map to what is shown: rectify, bring to a range, bring to the image's size.

The conventions of the libraries differ, and change numbers; here each is an option. Nothing is
added to a denominator: scaling a map by a positive number does not change its finished form, and a
map that is zero (or, for "minmax", constant) everywhere becomes zero, not NaN. A NaN stays NaN.
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from neurons.options import require

Normalise = Literal["minmax", "max", "none"]
Order = Literal["normalise_first", "resize_first"]
NORMALISATIONS = ("minmax", "max", "none")
ORDERS = ("normalise_first", "resize_first")


def finish(
    raw: Float[Array, " batch *spatial"],
    size: int | tuple[int, ...] | None = None,
    *,
    rectify: bool = True,
    normalise: Normalise = "minmax",
    order: Order = "normalise_first",
) -> Float[Array, " batch *size"]:
    """Finish raw maps for display or for a threshold.

    Args:
        raw: maps as the methods give them.
        size: of the result; one number for all axes; None leaves the layer's own.
        rectify: whether negative values become zero, as in the papers' final ReLU.
        normalise: "minmax" `(M - min) / (max - min)` of each map; "max" `M / max |M|`, which keeps
            signs and zero; "none".
        order: "normalise_first" as in pytorch-grad-cam, where interpolation leaves the largest
            value below 1; "resize_first" as in LayerCAM's code, where it is 1.

    Returns:
        `(batch, *size)`.

    Raises:
        ValueError: for an unknown option, a map without spatial axes, or a size of other axes.

    Example:
        >>> finish(jnp.array([[[-1.0, 0.0], [1.0, 2.0]]]))[0].tolist()
        [[0.0, 0.0], [0.5, 1.0]]
    """
    _known("normalise", normalise, NORMALISATIONS)
    _known("order", order, ORDERS)
    found = jax.nn.relu(raw) if rectify else raw
    if order == "resize_first":
        return normalised(resized(found, size), normalise)
    return resized(normalised(found, normalise), size)


def normalised(
    maps: Float[Array, " batch *spatial"], normalise: Normalise = "minmax"
) -> Float[Array, " batch *spatial"]:
    """Each map brought to a range, see :func:`finish`; without a range of its own, zero."""
    axes = tuple(range(1, maps.ndim))
    if normalise == "none" or not maps.size:
        return maps
    if normalise == "max":
        return _over(maps, jnp.max(jnp.abs(maps), axis=axes, keepdims=True))
    low = jnp.min(maps, axis=axes, keepdims=True)
    return _over(maps - low, jnp.max(maps, axis=axes, keepdims=True) - low)


def resized(
    maps: Float[Array, " batch *spatial"], size: int | tuple[int, ...] | None
) -> Float[Array, " batch *size"]:
    """Linear interpolation between pixel centres, without antialiasing: torch's and OpenCV's.

    Raises:
        ValueError: for maps without spatial axes, or a size of other axes or below 1.
    """
    axes = maps.ndim - 1
    if axes < 1:
        raise ValueError(f"maps are (batch, *spatial), got shape {maps.shape}")
    if size is None:
        return maps
    sizes = (size,) * axes if isinstance(size, int) else tuple(size)
    for length in sizes:
        require("a size", length)
    if len(sizes) != axes:
        raise ValueError(f"maps with {axes} spatial axes have no size {sizes}")
    if sizes == maps.shape[1:] or not len(maps):
        return maps if len(maps) else jnp.zeros((0, *sizes), maps.dtype)
    return jax.image.resize(maps, (len(maps), *sizes), "linear", antialias=False)


def _over(values: Array, size: Array) -> Array:
    """`values / size`, zero where the size is zero; its derivative has no NaN there either."""
    empty = size == 0
    return jnp.where(empty, jnp.zeros_like(values), values / jnp.where(empty, 1, size))


def _known(label: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{label} must be one of {', '.join(allowed)}, got {value!r}")
