"""Public anomaly tables: all of ODDS that is at hand (17) and ten of ADBench.

A table is named after its file in small letters. Five sets lie in both collections; those of
ADBench end in `_adbench` there. None is scaled or split here.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.anomaly_tables import AnomalyTable, AnomalyTables
from neurons.data.archives import Arrays, arrays
from neurons.data.registry import DataError, Entry, entries, find

Size = tuple[int, int, int]  # rows, inputs, anomalies

ODDS = (
    "arrhythmia", "cardio", "glass", "ionosphere", "letter", "lympho", "mnist", "musk", "optdigits",
    "pendigits", "pima", "satellite", "satimage-2", "shuttle", "vertebral", "vowels", "wbc",
)  # fmt: skip
ADBENCH: Mapping[str, str] = {
    "aloi": "1_ALOI",
    "fault": "12_fault",
    "glass_adbench": "14_glass",
    "ionosphere_adbench": "18_Ionosphere",
    "musk_adbench": "25_musk",
    "pendigits_adbench": "28_pendigits",
    "shuttle_adbench": "32_shuttle",
    "waveform": "41_Waveform",
    "wdbc": "43_WDBC",
    "wpbc": "46_WPBC",
}
_FILES = {
    **{name: f"odds/{name}.mat" for name in ODDS},
    **{name: f"adbench/{stem}.npz" for name, stem in ADBENCH.items()},
}
ANOMALY_TABLES = tuple(_FILES)

FIRST_TABLE = (
    "arrhythmia", "glass", "musk", "optdigits", "pendigits", "pima", "vertebral", "wbc",
)  # fmt: skip
"""The sets of the first table of the heterogeneous autoencoder, in its order."""

PAPER_SETS: Mapping[str, str] = {
    **{name: name for name in FIRST_TABLE},
    "ALOI": "aloi",
    "Ionosphere": "ionosphere_adbench",
    "Shuttle": "shuttle_adbench",
    "Waveform": "waveform",
    "WDBC": "wdbc",
    "WPBC": "wpbc",
}
"""The sets of its supplement that are at hand, by the paper's name; KDDCUP99 is not."""

# The first eight are those of the paper's repository. Of the others the supplement prints no
# size: these are of DAMI, the collection where sets of these names are usually taken from.
_OF_PAPER: Mapping[str, Size] = {
    "arrhythmia": (452, 274, 66),
    "glass": (214, 9, 9),
    "musk": (3062, 166, 97),
    "optdigits": (5216, 64, 150),
    "pendigits": (6870, 16, 156),
    "pima": (768, 8, 268),
    "vertebral": (240, 6, 30),
    "wbc": (378, 30, 21),
    "aloi": (50000, 27, 1508),
    "ionosphere_adbench": (351, 32, 126),
    "shuttle_adbench": (1013, 9, 13),
    "waveform": (3443, 21, 100),
    "wdbc": (367, 30, 10),
    "wpbc": (198, 33, 47),
}
_TWINS: Mapping[str, str] = {
    "glass_adbench": "glass of ODDS otherwise prepared, with other rows anomalous",
    "ionosphere_adbench": "ionosphere of ODDS without its first input, rescaled",
    "musk_adbench": "the same numbers as musk of ODDS",
    "pendigits_adbench": "the same numbers as pendigits of ODDS",
    "shuttle_adbench": "the same numbers as shuttle of ODDS",
}


def anomaly_table(name: str, folder: str | Path | None = None) -> AnomalyTable:
    """Read one public table.

    Args:
        name: One of `ANOMALY_TABLES`.
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        ValueError: There is no such table.
        DataError: A file is missing, damaged, or holds something else.

    References:
        S. Rayana, ODDS Library, Stony Brook University, 2016.
        S. Han et al., ADBench: Anomaly Detection Benchmark, NeurIPS 2022.
        G. O. Campos et al., On the evaluation of unsupervised outlier detection (DAMI), Data
        Mining and Knowledge Discovery 30 (2016).
        J.-X. Liao et al., Quadratic Neuron-empowered Heterogeneous Autoencoder, arXiv 2204.01707.
    """
    if name not in _FILES:
        raise ValueError(f"unknown table {name!r}; allowed: {', '.join(ANOMALY_TABLES)}")
    path = find(_entry(_FILES[name]), folder)
    return _table(name, path, arrays(path, ("X", "y")))


def anomalies(folder: str | Path | None = None) -> AnomalyTables:
    """All public tables, those of ODDS first.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        DataError: A file is missing, damaged, or holds something else.
    """
    made = tuple(anomaly_table(name, folder) for name in ANOMALY_TABLES)
    return AnomalyTables("anomalies", made, simulated=False)


def _entry(path: str) -> Entry:
    return next(entry for entry in entries(path.split("/")[0]) if entry.path == path)


def _table(name: str, path: Path, found: Arrays) -> AnomalyTable:
    x, y = found["X"], found["y"]
    numbers = x.dtype.kind in "fiu" and y.dtype.kind in "fiub"
    if not numbers or x.ndim != 2 or y.size != len(x):
        shapes = f"{x.dtype} {x.shape} with labels {y.dtype} {y.shape}"
        raise _refused(path, "numbers X (rows, inputs) with a label y each", shapes)
    bad = _labels(path, y)
    source = _source(name, (*x.shape, int(bad.sum())))
    return AnomalyTable(name, x.astype(np.float64), bad, source)


def _labels(path: Path, y: NDArray[np.generic]) -> NDArray[np.bool_]:
    values = np.unique(y)
    if not np.isin(values, (0, 1)).all():  # NaN is neither
        raise _refused(path, "labels 0 (normal) and 1 (anomalous)", f"{values[:9]}")
    return (y == 1).ravel()


def _source(name: str, size: Size) -> str:
    """Where a table comes from and how its size differs from the paper's, in words."""
    home = f"ODDS, {name}.mat" if name in ODDS else f"ADBench, {ADBENCH[name]}.npz"
    parts = [home, *([_TWINS[name]] if name in _TWINS else []), _beside(name, size)]
    return "; ".join(parts) + "."


def _beside(name: str, size: Size) -> str:
    if name not in _OF_PAPER:
        return "no set of the paper on the heterogeneous autoencoder"
    rows, inputs, bad = _OF_PAPER[name]
    same = size == _OF_PAPER[name]
    other = "the same size" if same else f"{rows:,} x {inputs} with {bad:,} anomalies"
    if name in FIRST_TABLE:
        return f"the file of the paper's repository has {other}"
    return f"the paper prints no size; the set of this name in DAMI has {other}"


def _refused(path: Path, expected: str, found: str) -> DataError:
    return DataError(path, expected, found, "put the file of the manifest there")
