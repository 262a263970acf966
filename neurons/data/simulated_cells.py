"""Drawn solar cells: grey texture under dark bars, graded as experts would, without masks."""

import numpy as np
from numpy.typing import NDArray

from neurons.data.simulated_defects import simulated_defects
from neurons.data.solar_cells import GRADES, TYPES, SolarCells

SOURCE = "drawn by neurons.data.simulated_cells"
BARS, BAR = 3, 0.75  # bars across a cell, and the share of the light that they let through
CORNER = 0.3  # of half a side: monocrystalline cells are cut from round wafers
CONTRAST, AREA = (0.05, 0.4), (0.004, 0.08)
LEAST = 12


def simulated_cells(seed: int = 0, *, images: int = 240, side: int = 32) -> SolarCells:
    """Cells of both kinds in turn, half of them with a dark blob, scratch or cluster of pits.

    A defect that is darker than the median of all defects has the grade 1, another one 2/3; a free
    cell has 1/3 where a light stain lies on it, else 0. Every cell has three dark bars, those of
    the kind "mono" dark corners, too.

    Args:
        seed: Seed of everything random, at least 0.
        images: How many, at least 12.
        side: Height and width in pixels, at least 16.

    Raises:
        ValueError: For a value outside its bounds.

    >>> simulated_cells(images=12, side=16).kinds[5:8]
    ('mono', 'poly', 'poly')
    """
    if images < LEAST:
        raise ValueError(f"needs at least {LEAST} cells, got {images}")
    drawn = simulated_defects(seed, images=images, side=side, contrast=CONTRAST, area=AREA)
    # Six neighbours hold every kind of defect: both kinds of cell get all of them.
    kinds = tuple(TYPES[number // 6 % 2] for number in range(images))
    covers = {kind: _cover(kind, side) for kind in TYPES}
    cover = np.stack([covers[kind] for kind in kinds])
    strong = drawn.contrast > np.median(drawn.contrast[drawn.defective])
    grade = np.where(drawn.defective, 2 + strong, drawn.stained)
    pictures = (drawn.images * cover).astype(np.float32)
    return SolarCells(
        "simulated_cells", pictures, np.array(GRADES)[grade], kinds, SOURCE, simulated=True
    )


def _cover(kind: str, side: int) -> NDArray[np.float64]:
    """The share of the light that reaches the camera, `(side, side)`."""
    cover = np.ones((side, side))
    cover[:, [round((bar + 0.5) * side / BARS) for bar in range(BARS)]] = BAR
    if kind == "mono":
        away = abs(np.linspace(-1, 1, side))
        cover[away[:, None] + away > 2 - CORNER] = 0.0
    return cover
