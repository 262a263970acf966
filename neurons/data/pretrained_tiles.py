"""Magnetic tiles together with weights that were trained on ImageNet: what weak labels need.

Some 800 pictures are too few to learn features from. The set that studies of explanations ask for
therefore holds both, so that a study has one source, whose digest names tiles and weights.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.magnetic_tile import magnetic_tile
from neurons.data.tiles import Tiles
from neurons.data.torch_files import pretrained

SIDE, FREE = 160, 400


@dataclass(frozen=True, eq=False)
class PretrainedTiles(Tiles):
    """:class:`Tiles` with the weights of a network that was trained on other pictures.

    Args:
        weights: Arrays of MobileNetV2 under torchvision's names.
    """

    weights: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over kinds, pixels, masks and weights."""
        total = hashlib.sha256(super().digest.encode())
        for name, values in self.weights.items():
            total.update(f"{name} {values.shape}\n".encode())
            total.update(np.ascontiguousarray(values).tobytes())
        return total.hexdigest()


def pretrained_tiles(
    folder: str | Path | None = None, *, side: int = SIDE, free: int = FREE
) -> PretrainedTiles:
    """All 392 defective magnetic tiles, free ones, and MobileNetV2's ImageNet weights.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        side: Height and width in pixels to which every image is brought.
        free: How many tiles without a defect.

    Raises:
        ValueError: As :func:`neurons.data.magnetic_tile`.
        DataError: A file is missing or damaged.

    References:
        Y. Huang, C. Qiu, K. Yuan, Surface defect saliency of magnetic tile, The Visual Computer
        36 (2020). Weights: torchvision, MobileNet_V2_Weights.IMAGENET1K_V1 (BSD-3).
    """
    tiles = magnetic_tile(folder, side=side, free=free)
    known = {part.name: getattr(tiles, part.name) for part in fields(Tiles)}
    known["name"] = "pretrained_tiles"
    return PretrainedTiles(**known, weights=pretrained("mobilenet_v2", folder))
