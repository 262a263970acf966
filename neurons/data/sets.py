"""Bearing sets by name: read from files, or made by the simulator."""

from pathlib import Path

from neurons.data.bearings import Records
from neurons.data.cwru import cwru
from neurons.data.simulator import simulated_cwru, simulated_hit

READERS = {"cwru": cwru}
SIMULATORS = {"cwru": simulated_cwru, "hit": simulated_hit}


def load(name: str, folder: str | Path | None = None) -> Records:
    """Read a real set, checked against the manifest.

    Args:
        name: `"cwru"`.
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        ValueError: There is no reader of this name.
        DataError: A file is missing or damaged.
    """
    if name not in READERS:
        raise ValueError(f"unknown data set {name!r}; allowed: {', '.join(READERS)}")
    return READERS[name](folder=folder)


def simulated(name: str, seed: int = 0) -> Records:
    """Make a set that stands in for a real one; its `simulated` says so.

    Args:
        name: `"cwru"` or `"hit"`.
        seed: Seed of everything random.

    Raises:
        ValueError: There is no simulator of this name.
    """
    if name not in SIMULATORS:
        raise ValueError(f"unknown simulated set {name!r}; allowed: {', '.join(SIMULATORS)}")
    return SIMULATORS[name](seed=seed)
