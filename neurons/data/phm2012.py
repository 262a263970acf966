"""Reader of the run-to-failure bearings of the PHM 2012 challenge (FEMTO, PRONOSTIA rig).

The packed file holds every tenth record of all 17 lives, and the last one; the challenge's own
files are read by `neurons.data.phm2012_csv`. A record lasts 0.1 s; one was taken every 10 s.
Conditions 1, 2 and 3 (the first number of a name) are 1800 rpm and 4000 N, 1650 rpm and 4200 N,
1500 rpm and 5000 N. A life ends when a sample exceeds 20 g.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.archives import Arrays, arrays
from neurons.data.registry import DataError, entries, find

RATE = 25_600.0  # Hz
SAMPLES = 2560  # a record
PERIOD = 10.0  # s from one record to the next
NAME = re.compile(r"Bearing(\d)_(\d)")
BEARINGS = (
    *(f"Bearing1_{n}" for n in range(1, 8)),
    *(f"Bearing2_{n}" for n in range(1, 8)),
    *(f"Bearing3_{n}" for n in range(1, 4)),
)


@dataclass(frozen=True, eq=False)
class Life:
    """Vibration of one bearing from new to failed.

    Args:
        name: Name of the bearing.
        signals: `(records, 2, samples)` float32 acceleration in g, horizontal and vertical; the
            load acts horizontally.
        index: `(records,)` number of each record in the whole life, from 0, increasing.
        records: Records in the whole life, one every 10 s.
    """

    name: str
    signals: NDArray[np.float32]
    index: NDArray[np.int64]
    records: int

    def __post_init__(self) -> None:
        if NAME.fullmatch(self.name) is None:
            raise ValueError(f"name is {self.name!r}; allowed: as 'Bearing1_3'")

    @property
    def condition(self) -> int:
        """Speed and load it ran at: 1, 2 or 3."""
        return int(self.name[len("Bearing")])

    @property
    def elapsed(self) -> NDArray[np.float64]:
        """`(records,)` time of each record since the first of the life, in s."""
        return np.asarray(self.index, np.float64) * PERIOD


@dataclass(frozen=True, eq=False)
class Lives:
    """Run-to-failure bearings of one set.

    Args:
        name: Name of the set.
        lives: One per bearing.
        simulated: Whether a simulator made them.

    Raises:
        ValueError: No lives, or two of one name.
    """

    name: str
    lives: tuple[Life, ...]
    simulated: bool

    def __post_init__(self) -> None:
        if not self.lives or len(set(self.bearings)) < len(self.lives):
            raise ValueError(f"bearings are {self.bearings}; allowed: at least one, no name twice")

    @property
    def bearings(self) -> tuple[str, ...]:
        """Names of the bearings."""
        return tuple(life.name for life in self.lives)

    def __str__(self) -> str:
        kind = "simulated" if self.simulated else "real"
        records = sum(len(life.signals) for life in self.lives)
        return f"{self.name}: {len(self.lives)} bearings, {records} records ({kind})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names, times and samples: a key for what was computed from them."""
        total = hashlib.sha256()
        for life in self.lives:
            total.update(f"{life.name} {life.records}\n".encode())
            total.update(life.index.astype("<i8").tobytes())
            total.update(life.signals.astype("<f4").tobytes())
        return total.hexdigest()


def phm2012(folder: str | Path | None = None) -> Lives:
    """All 17 lives as one set, from the packed file: every tenth record, and the last.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        DataError: As :func:`lives`.
    """
    return Lives("phm2012", lives(folder), simulated=False)


def lives(folder: str | Path | None = None) -> tuple[Life, ...]:
    """All 17 lives, in the order of their names.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        DataError: The file is missing, damaged, or holds something else.

    References:
        P. Nectoux et al., PRONOSTIA: An experimental platform for bearings accelerated
        degradation tests, IEEE International Conference on Prognostics and Health Management, 2012.
    """
    (entry,) = entries("phm2012")
    path = find(entry, folder)
    parts = [f"{name}{part}" for name in BEARINGS for part in ("", "_index", "_records")]
    found = arrays(path, parts)
    return tuple(_life(path, name, found) for name in BEARINGS)


def _life(path: Path, name: str, found: Arrays) -> Life:
    raw, index, records = (found[f"{name}{part}"] for part in ("", "_index", "_records"))
    fits = raw.dtype.kind == "i" and raw.ndim == 3 and raw.shape[1:] == (2, SAMPLES)
    rising = index.shape == raw.shape[:1] and len(index) > 0 and (np.diff(index) > 0).all()
    if not (fits and rising and records.size == 1 and 0 <= index[0] <= index[-1] < records):
        shapes = f"{raw.dtype} {raw.shape}, numbers {index.shape} of {records}"
        expected = f"{name}: integers (records, 2, {SAMPLES}) with increasing numbers"
        raise DataError(path, expected, shapes, "put the file of the manifest there")
    signals = raw.astype(np.float32) / np.float32(1000)  # the file's unit is a thousandth of g
    return Life(name, signals, index.astype(np.int64), int(records))
