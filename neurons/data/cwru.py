"""Reader of the Case Western Reserve bearing records: drive end, ten classes.

Measured on the files of 0 hp: the fault records are sampled at 12 kHz, as their names say,
the normal record at 48 kHz. Median power on the 10th to 40th multiple of the shaft's speed,
over that halfway between: normal 87 at 48 kHz and 1.0 at 12 kHz, faults 29 to 1019 at 12 kHz.
Who takes windows of 2048 samples from all ten records, as the papers do, compares windows of
43 ms of the normal class with windows of 171 ms of the others; `common_rate` removes that.
"""

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, matlab, whosmat
from scipy.signal import resample_poly

from neurons.data.bearings import FAULTS, INCH, SKF_6205, Fault, Recording, Records, check_signal
from neurons.data.registry import DataError, Entry, entries, find

RATE = 12_000.0  # Hz, the fault records
NORMAL_RATE = 48_000.0  # Hz, the normal record
NOMINAL_RPM = (1797.0, 1772.0, 1750.0, 1730.0)  # by load in hp
SHORTEST = 12_000  # samples: a second; the records last ten
FILE = re.compile(
    r"(?:12k_Drive_End_)?(?P<fault>normal|B|IR|OR)(?P<mils>\d{3})?(?:@6)?_(?P<load>\d)_\d+\.mat"
)
FAULT_OF: dict[str, Fault] = {"normal": "normal", "B": "ball", "IR": "inner", "OR": "outer"}
SOURCE = "Case Western Reserve University Bearing Data Center, seeded fault test data, drive end"


class DriveEnd(NamedTuple):
    """What a file holds: `signal` in g, shape `(samples,)`, and `rpm`, None if not stated."""

    signal: NDArray[np.float64]
    rpm: float | None


def cwru(load: int = 0, folder: str | Path | None = None, *, common_rate: bool = False) -> Records:
    """The ten records of one load, in the fixed order of their labels.

    Normal, then pits of 7, 14 and 21 thousandths of an inch on a ball, on the inner race and
    on the outer race (at 6 o'clock, in the load zone).

    Args:
        load: Load of the motor in horsepower: 0, 1, 2 or 3.
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        common_rate: Bring the normal record, sampled at 48 kHz, to the 12 kHz of the others.
            The papers do not.

    Raises:
        ValueError: The load is none of 0 to 3.
        DataError: The load's files are not in the manifest, or a file is missing or damaged.

    References:
        W. A. Smith, R. B. Randall, "Rolling element bearing diagnostics using the Case
        Western Reserve University data: A benchmark study", Mech. Syst. Signal Process. 64-65
        (2015).
    """
    if load not in range(len(NOMINAL_RPM)):
        raise ValueError(f"load is {load!r} hp; allowed: 0, 1, 2, 3")
    recordings = [_recording(entry, match, folder) for entry, match in _entries(load)]
    if common_rate:
        recordings = [_at_rate(recording) for recording in recordings]
    ordered = tuple(sorted(recordings, key=_order))
    name = f"cwru_{load}hp" + "_12khz" * common_rate
    return Records(name, ordered, SKF_6205, SOURCE, simulated=False)


def read_mat(path: str | Path) -> DriveEnd:
    """Read the drive-end acceleration and the speed from one file of the data center.

    Args:
        path: A MATLAB 5 file with one variable `X###_DE_time`, acceleration in g, and
            perhaps `X###RPM`.

    Raises:
        DataError: Anything else, whatever the bytes: file, expected and found are named.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("error")  # scipy warns of damage where it goes on reading
            return _drive_end(path, stream)
    except DataError:
        raise
    # A damaged file ends in almost any exception of scipy's reader, zlib's or struct's.
    except Exception as error:
        raise _unreadable(path, "a MATLAB 5 file", f"{type(error).__name__}: {error}") from error


def _drive_end(path: Path, stream: BinaryIO) -> DriveEnd:
    if (version := matlab.matfile_version(stream))[0] != 1:
        raise _unreadable(path, "a MATLAB 5 file", f"version {version}")
    stream.seek(0)
    names = [name for name, *_ in whosmat(stream)]
    wanted = [name for name in names if re.fullmatch(r"X\d+(_DE_time|RPM)", name)]
    times = [name for name in wanted if name.endswith("_DE_time")]
    if len(times) != 1:
        raise _unreadable(path, "one variable X###_DE_time", f"the variables {names}")
    stream.seek(0)
    found = loadmat(stream, variable_names=wanted)
    rpm = found.get(times[0].replace("_DE_time", "RPM"))
    return DriveEnd(_signal(path, found[times[0]]), None if rpm is None else _rpm(path, rpm))


def _signal(path: Path, value: object) -> NDArray[np.float64]:
    if not (_real(value) and value.ndim == 2 and 1 in value.shape and value.size >= SHORTEST):
        expected = f"a real column of at least {SHORTEST} samples"
        raise _unreadable(path, expected, _form(value))
    return check_signal(str(path), value.ravel())


def _rpm(path: Path, value: object) -> float:
    if not (_real(value) and value.size == 1 and 0 < value.item() < np.inf):
        raise _unreadable(path, "one positive speed X###RPM", f"{_form(value)}: {value}")
    return float(value.item())


def _real(value: object) -> TypeGuard[NDArray[np.float64]]:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu"


def _form(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return type(value).__name__


def _unreadable(path: Path, expected: str, found: str) -> DataError:
    return DataError(path, expected, found, "delete it and run `python -m neurons.data fetch cwru`")


def _entries(load: int) -> list[tuple[Entry, re.Match[str]]]:
    known = [(entry, match) for entry in entries("cwru") if (match := FILE.fullmatch(entry.file))]
    chosen = [(entry, match) for entry, match in known if int(match["load"]) == load]
    if not chosen:
        loads = sorted({int(match["load"]) for _, match in known})
        way_out = f"ask for a load in {loads}, or add the files to the manifest"
        raise DataError("cwru", f"files of load {load} hp", "none in the manifest", way_out)
    return chosen


def _recording(entry: Entry, match: re.Match[str], folder: str | Path | None) -> Recording:
    fault, mils, load = FAULT_OF[match["fault"]], match["mils"], int(match["load"])
    signal, rpm = read_mat(find(entry, folder))
    return Recording(
        name=f"{fault}_{mils}" if mils else fault,
        signal=signal,
        rate=RATE if mils else NORMAL_RATE,
        shaft_hz=(rpm or NOMINAL_RPM[load]) / 60,
        fault=fault,
        size=int(mils) * 1e-3 * INCH if mils else 0.0,
        load_hp=float(load),
    )


def _order(recording: Recording) -> tuple[int, float]:
    return FAULTS.index(recording.fault), recording.size


def _at_rate(recording: Recording) -> Recording:
    if recording.rate == RATE:
        return recording
    signal = resample_poly(recording.signal, int(RATE), int(recording.rate))
    return replace(recording, signal=signal, rate=RATE)
