"""Maps beside masks: what every metric accepts, and how it is checked."""

import math
from typing import Any, TypeAlias

import numpy as np
from jax import Array
from jaxtyping import Shaped

Stack: TypeAlias = Shaped[Array | np.ndarray, "batch ..."]
Found: TypeAlias = np.ndarray


def as_maps(maps: Any) -> np.ndarray:
    """Maps as a NumPy array of floats.

    Args:
        maps: `(batch, *space)` real numbers; integers become float64, half precisions float32.

    Returns:
        The maps in float32 or float64.

    Raises:
        ValueError: without a spatial axis, without a pixel, or for numbers that are not real.
    """
    found = np.asarray(maps)
    if found.ndim < 2 or 0 in found.shape[1:]:
        raise ValueError(f"maps need a batch axis and pixels, got shape {found.shape}")
    # bfloat16 is of NumPy's kind V.
    half = found.dtype.name in ("bfloat16", "float16")
    if not half and found.dtype.kind not in "biuf":
        raise ValueError(f"maps must be real numbers, got {found.dtype}")
    if found.dtype in (np.float32, np.float64):
        return found
    return found.astype(np.float32 if half else np.float64)


def as_masks(masks: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Masks as a NumPy array of truth values.

    Args:
        masks: `(batch, *space)` bool, or numbers that are all 0 or 1.
        shape: that of the maps beside them.

    Returns:
        The masks as bool.

    Raises:
        ValueError: for other numbers (a mask of 0 and 255 is compared with 0 by the caller), or
            another shape.
    """
    found = np.asarray(masks)
    if shape is not None and found.shape != shape:
        raise ValueError(f"masks must have the maps' shape {shape}, got {found.shape}")
    if found.ndim < 2 or 0 in found.shape[1:]:
        raise ValueError(f"masks need a batch axis and pixels, got shape {found.shape}")
    if found.dtype == bool:
        return found
    truth = found.astype(bool)
    if not np.array_equal(truth.astype(found.dtype), found):
        raise ValueError("masks must be bool, or hold 0 and 1 only")
    return truth


def paired(maps: Any, masks: Any) -> tuple[np.ndarray, np.ndarray]:
    """:func:`as_maps` and :func:`as_masks` of one shape."""
    found = as_maps(maps)
    return found, as_masks(masks, found.shape)


def rows(stack: np.ndarray, *, pooled: bool = False) -> np.ndarray:
    """`(batch, pixels)`, or all pixels of the batch in one row."""
    if pooled:
        return stack.reshape(1, stack.size)
    return stack.reshape(len(stack), math.prod(stack.shape[1:]))


def ratio(part: Any, whole: Any) -> np.ndarray:
    """`part / whole` in float64, NaN where the whole is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    shape = np.broadcast_shapes(part.shape, whole.shape)
    return np.divide(part, whole, out=np.full(shape, np.nan), where=whole != 0)


def finite(stack: np.ndarray) -> np.ndarray:
    """`stack` with NaN in place of infinities, which have no share of a sum."""
    return np.where(np.isfinite(stack), stack, stack.dtype.type(np.nan))


def undefined(found: np.ndarray, stack: np.ndarray) -> np.ndarray:
    """`found` with NaN for every row of `stack` that holds one: nothing is ranked against NaN."""
    broken = np.isnan(stack).any(axis=1)
    return np.where(broken, np.nan, found)
