"""Sets by name: read from files, or made by a simulator."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neurons.data.anomalies import anomalies
from neurons.data.anomaly_tables import AnomalyTables
from neurons.data.bearing_spectra import bearing_spectra, simulated_bearing_spectra
from neurons.data.bearings import Records
from neurons.data.change_sets import ChangeSet, change_set, simulated_change_set
from neurons.data.cloud_readers import mnist_points, modelnet10
from neurons.data.cwru import cwru
from neurons.data.images import Images, images
from neurons.data.magnetic_tile import magnetic_tile
from neurons.data.phm2012 import Lives, phm2012
from neurons.data.pointclouds import PointClouds
from neurons.data.pretrained_tiles import pretrained_tiles
from neurons.data.procedural_shapes import procedural_shapes
from neurons.data.simulated_anomalies import simulated_anomalies
from neurons.data.simulated_cells import simulated_cells
from neurons.data.simulated_clouds import simulated_mnist_points, simulated_modelnet10
from neurons.data.simulated_defects import simulated_defects
from neurons.data.simulated_images import simulated_shapes, simulated_tiles
from neurons.data.simulated_lives import simulated_lives
from neurons.data.simulated_tables import simulated_tables
from neurons.data.simulator import simulated_cwru, simulated_hit
from neurons.data.solar_cells import SolarCells, elpv
from neurons.data.surfaces import Surfaces, simulated_surfaces, surfaces
from neurons.data.tables import Tables
from neurons.data.tabular import tables
from neurons.data.tiles import Tiles

DataSet = (
    Records
    | Images
    | Tiles
    | SolarCells
    | Surfaces
    | Tables
    | AnomalyTables
    | PointClouds
    | ChangeSet
    | Lives
)

READERS: Mapping[str, Callable[..., DataSet]] = {
    "anomalies": anomalies,
    "bearing_spectra": bearing_spectra,
    "cwru": cwru,
    "elpv": elpv,
    "images": images,
    "magnetic_tile": magnetic_tile,
    "mnist_points": mnist_points,
    "modelnet10": modelnet10,
    "phm2012": phm2012,
    "pretrained_tiles": pretrained_tiles,
    "scenes": change_set,
    "surfaces": surfaces,
    "tabular": tables,
}
SIMULATORS: Mapping[str, Callable[..., DataSet]] = {
    "anomalies": simulated_anomalies,
    "bearing_spectra": simulated_bearing_spectra,
    "cells": simulated_cells,
    "cwru": simulated_cwru,
    "defects": simulated_defects,
    "hit": simulated_hit,
    "images": simulated_shapes,
    "magnetic_tile": simulated_tiles,
    "mnist_points": simulated_mnist_points,
    "modelnet10": simulated_modelnet10,
    "phm2012": simulated_lives,
    "pointclouds": procedural_shapes,
    "pretrained_tiles": simulated_defects,
    "scenes": simulated_change_set,
    "surfaces": simulated_surfaces,
    "tabular": simulated_tables,
}


def load(name: str, folder: str | Path | None = None, **options: Any) -> DataSet:
    """Read a real set, checked against the manifest.

    Args:
        name: A key of `READERS`: "anomalies", "bearing_spectra", "cwru", "images",
            "elpv" (from its own package), "magnetic_tile", "mnist_points", "modelnet10",
            "phm2012", "pretrained_tiles", "scenes", "surfaces" or "tabular".
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
        name: A key of `SIMULATORS`: those of `READERS` but "elpv", or "cells",
            "defects", "hit", "pointclouds".
        seed: Seed of everything random.

    Raises:
        ValueError: There is no simulator of this name.
    """
    if name not in SIMULATORS:
        raise ValueError(f"unknown simulated set {name!r}; allowed: {', '.join(SIMULATORS)}")
    return SIMULATORS[name](seed=seed)
