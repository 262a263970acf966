"""Which public files exist, where they lie on this machine, and whether they are intact.

The manifest beside this file names every file of every set with its size, its SHA-256 and
its address. A set's name is the first folder of its paths; a name of `GROUPS` stands for several.
"""

import csv
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

GROUPS: Mapping[str, tuple[str, ...]] = {
    "anomalies": ("odds", "adbench"),
    "bearing_spectra": ("phm2012", "cwru"),
    "mnist_points": ("images",),
    "pretrained_tiles": ("magnetic_tile", "weights"),
    "scenes": ("change",),
    "surfaces": ("magnetic_tile", "weights"),
}
"""Names that stand for other sets, of which each is also a set by itself."""

PACKAGES: Mapping[str, str] = {"surfaces": "elpv_dataset"}
"""Packages that hold pictures of a set besides its files."""


class DataError(Exception):
    """Data that cannot be found, read or trusted: which file, what was wrong, what to do.

    Args:
        file: The file, record or set in question.
        expected: What a usable one looks like.
        found: What was there instead.
        way_out: What the reader of the message can do.
    """

    def __init__(self, file: str | Path, expected: str, found: str, way_out: str):
        super().__init__(str(file), expected, found, way_out)
        self.file, self.expected, self.found, self.way_out = self.args

    def __str__(self) -> str:
        return f"{self.file}: expected {self.expected}, found {self.found}; {self.way_out}"


@dataclass(frozen=True)
class Entry:
    """One file of the manifest.

    Args:
        path: Path below a data folder, `set/.../file`, with forward slashes.
        bytes: Size in bytes.
        sha256: Its SHA-256, 64 hexadecimal digits.
        url: Public address; empty when there is none.
    """

    path: str
    bytes: int
    sha256: str
    url: str

    @property
    def set(self) -> str:
        """Name of the set the file belongs to."""
        return self.path.split("/", 1)[0]

    @property
    def file(self) -> str:
        """Path of the file inside its set."""
        return self.path.split("/", 1)[1]


def manifest() -> tuple[Entry, ...]:
    """Every file this package knows, in the manifest's order."""
    text = files("neurons.data").joinpath("manifest.csv").read_text(encoding="utf-8")
    return tuple(
        Entry(row["path"], int(row["bytes"]), row["sha256"], row["url"])
        for row in csv.DictReader(text.splitlines())
    )


def names() -> tuple[str, ...]:
    """Names of the sets, and of the groups of sets, sorted."""
    sets = {entry.set for entry in manifest()}
    groups = {group for group, members in GROUPS.items() if sets.issuperset(members)}
    return tuple(sorted(sets | groups))


def entries(name: str) -> tuple[Entry, ...]:
    """The files of one set, or of all sets of a group, in the manifest's order.

    Raises:
        ValueError: The name is no set.
    """
    members = GROUPS.get(name, (name,))
    found = tuple(entry for entry in manifest() if entry.set in members)
    if not found:
        raise ValueError(f"unknown data set {name!r}; allowed: {', '.join(names())}")
    return found


def file_of(entry: Entry, name: str) -> str:
    """Path of a file inside the set `name`; inside a group, the path with the set's folder."""
    return entry.file if entry.set == name else entry.path


def cache() -> Path:
    """The user's cache folder: `$XDG_CACHE_HOME` or `~/.cache`, then `neuron-companion`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neuron-companion"


def roots(folder: str | Path | None = None) -> tuple[Path, ...]:
    """Data folders in the order they are searched: `folder`, `$NEURONS_DATA`, the cache."""
    given = (folder, os.environ.get("NEURONS_DATA"))
    return (*(Path(root) for root in given if root), cache())


def check(path: Path, entry: Entry) -> Path:
    """Compare a file with its entry, size first, and return its path.

    Raises:
        DataError: The size or the SHA-256 differs, or the file cannot be read.
    """
    fetch = f"delete it and run `python -m neurons.data fetch {entry.set}`"
    try:
        if (size := path.stat().st_size) != entry.bytes:
            raise DataError(path, f"{entry.bytes} bytes", f"{size} bytes", fetch)
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(path, "a readable file", str(error), "check its permissions") from error
    if found != entry.sha256:
        raise DataError(path, f"SHA-256 {entry.sha256}", found, fetch)
    return path


def present(entry: Entry, folder: str | Path | None = None) -> Path | None:
    """Path of the first file that lies where the entry belongs, unchecked; None if none does."""
    places = (root / entry.path for root in roots(folder))
    return next((path for path in places if path.is_file()), None)


def find(entry: Entry, folder: str | Path | None = None) -> Path:
    """Path of one file, its size and SHA-256 checked.

    Raises:
        DataError: The file is missing or is not the one of the manifest.
    """
    path = present(entry, folder)
    if path is None:
        searched = ", ".join(str(root) for root in roots(folder))
        way_out = f"run `python -m neurons.data fetch {entry.set}` or set NEURONS_DATA"
        raise DataError(entry.path, "a file", f"none in {searched}", way_out)
    return check(path, entry)


def locate(name: str, folder: str | Path | None = None) -> dict[str, Path]:
    """Checked paths of all files of a set.

    Args:
        name: Name of the set.
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Returns:
        Path inside the set (see `file_of`) -> path on this machine, in the manifest's order.

    Raises:
        ValueError: The name is no set.
        DataError: A file is missing, truncated or altered.
    """
    return {file_of(entry, name): find(entry, folder) for entry in entries(name)}


def verify(name: str, folder: str | Path | None = None) -> tuple[DataError, ...]:
    """Every problem of a set's files, as `locate` would raise them; empty when all is well.

    Raises:
        ValueError: The name is no set.
    """
    problems = []
    for entry in entries(name):
        try:
            find(entry, folder)
        except DataError as error:
            problems.append(error)
    return tuple(problems)


def available(name: str, folder: str | Path | None = None) -> bool:
    """Whether all files of a set are here and intact, and its package, if any, is installed."""
    package = PACKAGES.get(name)
    return (package is None or find_spec(package) is not None) and not verify(name, folder)


def digest(name: str) -> str:
    """SHA-256 over the paths and hashes of a set's files: the version of the data."""
    lines = sorted(f"{entry.sha256} {entry.path}\n" for entry in entries(name))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
