"""Three kinds of surface in one set: magnetic tiles, solar cells, and drawn tiles.

What is claimed of inspection should hold on more than one material. The set that such studies ask
for holds all of them, and ImageNet weights for the real ones, so that a study has one source with
one digest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.magnetic_tile import magnetic_tile
from neurons.data.simulated_cells import simulated_cells
from neurons.data.simulated_defects import simulated_defects
from neurons.data.solar_cells import SolarCells, elpv
from neurons.data.tiles import Tiles
from neurons.data.torch_files import pretrained

TILE_SIDE, CELL_SIDE, FREE = 128, 96, 400
DRAWN_SIDE, DRAWN = 32, 600  # small enough to learn from scratch on a CPU
SIMULATED = 150
# Low enough that networks of some hundred steps miss defects; a fifth of the area is a pixel wide.
CONTRAST, AREA = (0.02, 0.3), (0.003, 0.05)


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Pictures of three materials, each with labels and kinds.

    Args:
        tiles: Metal, with a mask of the defective pixels.
        cells: Solar cells, without masks.
        drawn: Drawn tiles, of which everything is known.
        weights: Arrays of MobileNetV2 under torchvision's names; empty for simulated sets.
    """

    tiles: Tiles
    cells: SolarCells
    drawn: Tiles
    weights: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    name: str = "surfaces"

    def __str__(self) -> str:
        return f"{self.name}: {self.tiles}; {self.cells}; {self.drawn}"

    @property
    def simulated(self) -> bool:
        """Whether a simulator drew tiles and cells, too."""
        return self.tiles.simulated or self.cells.simulated

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the three sets and the weights."""
        parts = f"{self.tiles.digest} {self.cells.digest} {self.drawn.digest}\n"
        total = hashlib.sha256(parts.encode())
        for name, values in self.weights.items():
            total.update(f"{name} {values.shape}\n".encode())
            total.update(np.ascontiguousarray(values).tobytes())
        return total.hexdigest()


def surfaces(
    folder: str | Path | None = None,
    *,
    tile_side: int = TILE_SIDE,
    cell_side: int = CELL_SIDE,
    free: int = FREE,
) -> Surfaces:
    """All defective magnetic tiles and free ones, all solar cells, drawn tiles, and weights.

    Pictures of one tile's piece must stay together, see :func:`neurons.data.magnetic_tile`. Of the
    cells it is not known which were cut from one module; no two pictures of them are equal.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache. The
            cells come from it if it holds `elpv/`, else from the package `elpv-dataset`.
        tile_side: Height and width of a tile in pixels.
        cell_side: Height and width of a cell in pixels.
        free: How many tiles without a defect.

    Raises:
        ValueError: As :func:`neurons.data.magnetic_tile` and :func:`neurons.data.elpv`.
        DataError: A file or the package is missing, or a file is damaged.

    References:
        Y. Huang, C. Qiu, K. Yuan, Surface defect saliency of magnetic tile, The Visual Computer
        36 (2020). C. Buerhop-Lutz et al., A benchmark for visual identification of defective
        solar cells in electroluminescence imagery, EU PVSEC 2018. Weights: torchvision,
        MobileNet_V2_Weights.IMAGENET1K_V1 (BSD-3).
    """
    return Surfaces(
        magnetic_tile(folder, side=tile_side, free=free),
        elpv(folder, side=cell_side),
        simulated_defects(0, images=DRAWN, side=DRAWN_SIDE, contrast=CONTRAST, area=AREA),
        pretrained("mobilenet_v2", folder),
    )


def simulated_surfaces(
    seed: int = 0, *, images: int = SIMULATED, side: int = DRAWN_SIDE
) -> Surfaces:
    """Drawn tiles of high contrast, drawn cells, and drawn tiles of low contrast; no weights.

    All three have the same shape, so that programs compiled for one serve the others.

    Args:
        seed: Seed of everything random, at least 0.
        images: How many of each, at least 12.
        side: Height and width in pixels, at least 16.

    Raises:
        ValueError: For a value outside its bounds.
    """
    return Surfaces(
        simulated_defects(seed + 1, images=images, side=side, contrast=(0.1, 0.5), area=AREA),
        simulated_cells(seed + 2, images=images, side=side),
        simulated_defects(seed, images=images, side=side, contrast=CONTRAST, area=AREA),
    )
