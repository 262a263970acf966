"""Reader of the PHM 2012 challenge's own files: a folder per bearing, a csv file per record.

A line is hour, minute, second, microsecond, horizontal and vertical acceleration in g. Most files
are separated by commas, those of Full_Test_Set/Bearing1_4 by semicolons; the microseconds are
often written with an exponent, as 1.9691e+05.
"""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.phm2012 import BEARINGS, SAMPLES, Life, Lives
from neurons.data.phm2012_challenge import RECORDS
from neurons.data.registry import DataError

COLUMNS = 6
FILE = re.compile(r"acc_(\d{5})\.csv")
SETS = ("Learning_set", "Full_Test_Set")  # whole lives; Test_set holds truncated ones
AGAIN = "copy it from the challenge's data again"


def read_record(path: str | Path) -> NDArray[np.float32]:
    """Acceleration of one record, `(2, 2560)` in g: horizontal, vertical.

    Args:
        path: A file `acc_#####.csv`, separated by commas or by semicolons.

    Raises:
        DataError: It cannot be read, has another number of lines or columns, or holds what is no
            finite number: the file, and the line or column, are named.
    """
    path = Path(path)
    try:
        with path.open(encoding="ascii") as stream, warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy warns of an empty file
            separator = ";" if ";" in stream.readline() else ","
            stream.seek(0)
            table = np.loadtxt(stream, delimiter=separator, ndmin=2)
    # Missing, no text, a word, an empty field, a line of another length, a warning.
    except (OSError, ValueError, UserWarning) as error:
        expected = f"{SAMPLES} lines of {COLUMNS} numbers"
        raise DataError(path, expected, f"{type(error).__name__}: {error}", AGAIN) from error
    return _checked(path, table)


def _checked(path: Path, table: NDArray[np.float64]) -> NDArray[np.float32]:
    lines, columns = table.shape
    if columns != COLUMNS:
        expected = f"{COLUMNS} columns, hour to vertical acceleration"
        raise DataError(path, expected, f"{columns} columns", "give it records of acceleration")
    if lines != SAMPLES:
        raise DataError(path, f"{SAMPLES} lines", f"{lines} lines", AGAIN)
    bad = np.argwhere(~np.isfinite(table))
    if bad.size:
        line, column = bad[0] + 1
        found = f"{len(bad)} others, the first in line {line}, column {column}"
        raise DataError(path, "finite numbers", found, AGAIN)
    return np.ascontiguousarray(table[:, 4:].T, np.float32)


def read_life(folder: str | Path, every: int = 1, records: int | None = None) -> Life:
    """The life of one bearing, from its folder.

    Args:
        folder: A folder `Bearing#_#` with records numbered from 1 without a gap; other files,
            as those of temperature, are passed over.
        every: Take every so many records, and the last.
        records: How many there must be; by default as many as there are.

    Returns:
        The life; its `index` counts records from 0.

    Raises:
        DataError: The folder has no records, one is missing, there are more than `records`, or
            one that is taken is damaged; names the file.
        ValueError: `every` is below 1.
    """
    if every < 1:
        raise ValueError(f"every is {every!r}; allowed: from 1")
    folder = Path(folder)
    numbers = {int(match[1]) for match in _files(folder)}
    count = max(numbers, default=0) if records is None else records
    if count == 0:
        raise DataError(folder, "files acc_00001.csv, acc_00002.csv, ...", "none", AGAIN)
    missing = sorted(set(range(1, count + 1)) - numbers)
    if missing:
        found = f"{len(numbers)} of {count} records"
        raise DataError(folder / _name(missing[0]), "a file", found, AGAIN)
    if max(numbers) > count:
        found = f"records up to {max(numbers)}"
        raise DataError(folder / _name(count + 1), f"{count} records", found, "remove what is more")
    index = np.unique([*range(0, count, every), count - 1])
    signals = np.stack([read_record(folder / _name(int(place) + 1)) for place in index])
    return Life(folder.name, signals, index.astype(np.int64), count)


def read_lives(root: str | Path, every: int = 10) -> Lives:
    """All 17 whole lives of the challenge, from the tree of its own files.

    With every tenth record it gives the same arrays as the packed file, see
    :func:`neurons.data.phm2012.lives`.

    Args:
        root: Folder with `Learning_set` and `Full_Test_Set`, and in them `Bearing1_1`, ...
        every: Take every so many records, and the last; 1 takes half a gigabyte of memory.

    Raises:
        DataError: A bearing or a record is missing, or one is damaged; names the file.
        ValueError: `every` is below 1.
    """
    found = tuple(
        read_life(_folder(Path(root), name), every, records=RECORDS[name]) for name in BEARINGS
    )
    return Lives(f"phm2012, every {every}", found, simulated=False)


def _folder(root: Path, name: str) -> Path:
    places = [root / part / name for part in SETS]
    found = [place for place in places if place.is_dir()]
    if not found:
        expected = f"a folder in {' or '.join(SETS)}"
        raise DataError(root / name, expected, "none", "give the folder that holds them")
    return found[0]


def _files(folder: Path) -> Iterator[re.Match[str]]:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise DataError(folder, "a folder of records", str(error), AGAIN) from error
    return filter(None, map(FILE.fullmatch, names))


def _name(number: int) -> str:
    return f"acc_{number:05d}.csv"
