"""How images enter a network that was trained on ImageNet, or on others."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, core
from jax.typing import ArrayLike
from jaxtyping import Float


class Colours(NamedTuple):
    """Mean and deviation by colour of the images that a network was trained on, in [0, 1]."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


IMAGENET = Colours((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def preprocess(
    images: ArrayLike, colours: Colours = IMAGENET
) -> Float[Array, "batch height width 3"]:
    """Standardise images as torchvision does: `(x - mean) / deviation` by colour.

    A grey image enters as one whose three colours are equal.

    Args:
        images: `(batch, height, width)` grey, `(batch, height, width, 1)` grey or
            `(batch, height, width, 3)` red, green, blue. Floating-point values from 0 to 1, or
            uint8 from 0 to 255, which are divided by 255.
        colours: mean and deviation.

    Returns:
        float32; of a floating-point input, its own type.

    Raises:
        ValueError: for another shape, or for floating-point values outside 0 to 1 (unseen while
            `jax.jit` traces).
        TypeError: for another type.

    References:
        torchvision, `transforms._presets.ImageClassification`: mean (0.485, 0.456, 0.406),
        deviation (0.229, 0.224, 0.225).

    Example:
        >>> preprocess(np.zeros((5, 32, 32), np.uint8)).shape
        (5, 32, 32, 3)
    """
    x = coloured(images)
    mean, deviation = (jnp.asarray(v, x.dtype).reshape(1, 1, 1, 3) for v in colours)
    return (x - mean) / deviation


def coloured(images: ArrayLike) -> Float[Array, "batch height width 3"]:
    """Images from 0 to 1 in three colours, of any that :func:`preprocess` takes."""
    x = _in_unit_interval(images)
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4 or x.shape[-1] not in (1, 3):
        raise ValueError(
            "expected images (batch, height, width), (batch, height, width, 1) or "
            f"(batch, height, width, 3), got shape {np.shape(images)}"
        )
    return jnp.broadcast_to(x, (*x.shape[:-1], 3))


def _in_unit_interval(images: ArrayLike) -> Array:
    x = jnp.asarray(images)
    if x.dtype == jnp.uint8:
        return x.astype(jnp.float32) / 255
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"expected floating-point values from 0 to 1, or uint8; got {x.dtype}")
    # NaN is let through: it shows in every output. The comparison needs values, not tracers.
    if not isinstance(x, core.Tracer) and x.size and bool(jnp.any((x < 0) | (x > 1))):
        raise ValueError(f"expected values from 0 to 1, got {float(x.min())} to {float(x.max())}")
    return x
