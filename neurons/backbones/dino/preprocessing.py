"""How images enter DINOv3: to [0, 1], to a size of whole patches, and standardised, in this order.

References:
    Hugging Face transformers, `DINOv3ViTImageProcessor` (resizes after rescaling);
    facebookresearch/dinov3, README (colours of web and of satellite images).
"""

import jax
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from neurons.backbones.defect.preprocessing import IMAGENET, Colours, coloured
from neurons.backbones.defect.preprocessing import preprocess as standardised

WEB = IMAGENET
SATELLITE = Colours((0.430, 0.411, 0.296), (0.213, 0.156, 0.143))


def preprocess(
    images: ArrayLike,
    size: tuple[int, int] | None = None,
    *,
    colours: Colours = WEB,
    patch: int = 16,
) -> Float[Array, "batch height width 3"]:
    """Resize images to whole patches and standardise their colours.

    Args:
        images: `(batch, height, width)` grey, or with 1 or 3 channels; floats from 0 to 1 or uint8.
        size: height and width; by default each side's nearest multiple of the patch.
        colours: :data:`WEB` or :data:`SATELLITE`, as the weights ask for.
        patch: side of a patch in pixels.

    Returns:
        float32; of a floating-point input, its own type.

    Raises:
        ValueError: for a size that is no multiple of the patch, an empty one, or as
            :func:`neurons.backbones.defect.preprocess`.
        TypeError: for another type.

    Example:
        >>> import numpy as np
        >>> preprocess(np.zeros((1, 70, 100, 3), np.uint8)).shape
        (1, 64, 96, 3)
    """
    x = coloured(images)
    height, width = size or (max(1, round(side / patch)) * patch for side in x.shape[1:3])
    if min(height, width) < patch or height % patch or width % patch:
        raise ValueError(f"size {height} x {width} must be multiples of the patch, {patch} pixels")
    if (height, width) != x.shape[1:3]:
        shape = (len(x), height, width, x.shape[3])
        # Interpolation leaves [0, 1] by rounding alone.
        x = jax.image.resize(x, shape, "linear", antialias=True).clip(0, 1)
    return standardised(x, colours)
