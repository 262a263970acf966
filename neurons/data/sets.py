"""Sets by name: read from files, or made by a simulator."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neurons.data.bearings import Records
from neurons.data.cwru import cwru
from neurons.data.images import Images, images
from neurons.data.magnetic_tile import Tiles, magnetic_tile
from neurons.data.simulated_images import simulated_shapes, simulated_tiles
from neurons.data.simulated_tables import simulated_tables
from neurons.data.simulator import simulated_cwru, simulated_hit
from neurons.data.tables import Tables
from neurons.data.tabular import tables

DataSet = Records | Images | Tiles | Tables

READERS: Mapping[str, Callable[..., DataSet]] = {
    "cwru": cwru,
    "images": images,
    "magnetic_tile": magnetic_tile,
    "tabular": tables,
}
SIMULATORS: Mapping[str, Callable[..., DataSet]] = {
    "cwru": simulated_cwru,
    "hit": simulated_hit,
    "images": simulated_shapes,
    "magnetic_tile": simulated_tiles,
    "tabular": simulated_tables,
}


def load(name: str, folder: str | Path | None = None, **options: Any) -> DataSet:
    """Read a real set, checked against the manifest.

    Args:
        name: `"cwru"`, `"images"`, `"magnetic_tile"` or `"tabular"`.
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        **options: The reader's own, e.g. `load=1` or `subset="mnist"`.

    Raises:
        ValueError: There is no reader of this name.
        DataError: A file is missing or damaged.
    """
    if name not in READERS:
        raise ValueError(f"unknown data set {name!r}; allowed: {', '.join(READERS)}")
    return READERS[name](folder=folder, **options)


def simulated(name: str, seed: int = 0) -> DataSet:
    """Make a set that stands in for a real one; its `simulated` says so.

    Args:
        name: `"cwru"`, `"hit"`, `"images"`, `"magnetic_tile"` or `"tabular"`.
        seed: Seed of everything random.

    Raises:
        ValueError: There is no simulator of this name.
    """
    if name not in SIMULATORS:
        raise ValueError(f"unknown simulated set {name!r}; allowed: {', '.join(SIMULATORS)}")
    return SIMULATORS[name](seed=seed)
