"""What metrics ask of a network: scores of inputs and maps of inputs, as functions.

A score function takes `(batch, *space, channels)` and returns `(batch,)`, the score of the
explained class; an explanation takes the same and returns `(batch, *space)` or any other shape per
image. Metrics call them with inputs of one shape only, so that a compiled function is compiled
once.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from jax import Array

from neurons.explain.metrics.pairs import Stack, as_maps, rows

Scores: TypeAlias = Callable[[Any], Any]
Explain: TypeAlias = Callable[[Any], Any]
Baseline: TypeAlias = float | Array | np.ndarray


def as_inputs(x: Stack) -> np.ndarray:
    """Inputs as a NumPy array.

    Args:
        x: `(batch, *space, channels)` in float32 or float64.

    Raises:
        TypeError: for other numbers: 8-bit images would be cut off where they are filled in.
        ValueError: without an axis of space and one of channels.
    """
    found = np.asarray(x)
    if found.dtype not in (np.float32, np.float64):
        raise TypeError(f"inputs must be float32 or float64, got {found.dtype}")
    if found.ndim < 3 or 0 in found.shape[1:]:
        raise ValueError(f"inputs are (batch, *space, channels), got shape {found.shape}")
    return found


def scored(scores: Scores, x: np.ndarray) -> np.ndarray:
    """Scores in float64.

    Raises:
        ValueError: unless there is one per input.
    """
    found = np.asarray(scores(x), dtype=np.float64)
    if found.shape != (len(x),):
        raise ValueError(
            f"scores must be one number per input, ({len(x)},), got shape {found.shape}"
        )
    return found


def explained(explain: Explain, x: np.ndarray) -> np.ndarray:
    """Maps of inputs, `(batch, pixels)` in float64.

    Raises:
        ValueError: unless there is one per input.
    """
    found = as_maps(explain(x))
    if len(found) != len(x):
        raise ValueError(f"{len(x)} inputs need as many maps, got shape {found.shape}")
    return rows(found).astype(np.float64)


def beside(maps: Stack, x: np.ndarray) -> np.ndarray:
    """Maps that lie over the inputs, pixel on pixel.

    Raises:
        ValueError: for another size than the inputs'.
    """
    found = as_maps(maps)
    if found.shape != x.shape[:-1]:
        raise ValueError(
            f"maps must have the inputs' size {x.shape[:-1]}, got {found.shape}: resize them first"
        )
    return found


def ranks(maps: np.ndarray, seed: int) -> np.ndarray:
    """Place of every pixel of its map, 0 for the highest; equal pixels in random order.

    Args:
        maps: `(batch, *space)`.
        seed: of the order among equals; the same for all maps of a batch.
    """
    flat = rows(maps)
    shuffled = np.random.default_rng(seed).permutation(flat.shape[1])
    order = shuffled[np.argsort(-flat[:, shuffled], axis=1, kind="stable")]
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(flat.shape[1])[None], axis=1)
    return found.reshape(maps.shape)
