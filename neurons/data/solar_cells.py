"""Solar cells in electroluminescence (ELPV), graded by experts: the class and the reader.

The pictures lie in the optional package `elpv-dataset` (90 MB), or in a clone of its repository.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from neurons.data.pictures import Fit, Size, check_size, read_grey
from neurons.data.registry import DataError

Doubtful = Literal["keep", "drop"]

GRADES = (0.0, 1 / 3, 2 / 3, 1.0)
TYPES = ("mono", "poly")
CLONES = ("", "elpv", "src/elpv_dataset/data")  # where a given folder may hold the table
AT = 0.5  # probability from which a cell counts as defective
SOURCE = "solar cells ELPV (Buerhop-Lutz et al. 2018; images CC BY-NC-SA 4.0)"


@dataclass(frozen=True, eq=False)
class SolarCells:
    """Grey pictures of solar cells with the probability that each is defective.

    Args:
        name: Name of the set.
        images: `(cells, height, width)` float32 in [0, 1].
        probability: `(cells,)` float64, the experts' grade: 0, 1/3, 2/3 or 1.
        kinds: "mono" or "poly", the silicon of each cell.
        source: Where they come from, in words.
        simulated: Whether a simulator drew them.

    Raises:
        DataError: The arrays do not fit together, or a value is out of range.
    """

    name: str
    images: NDArray[np.float32]
    probability: NDArray[np.float64]
    kinds: tuple[str, ...]
    source: str = SOURCE
    simulated: bool = False

    def __post_init__(self) -> None:
        cells = len(self.kinds)
        fits = self.images.ndim == 3 and self.images.shape[0] == cells == self.probability.size
        if not fits or self.images.dtype != np.float32 or cells == 0:
            found = f"{self.images.dtype} {self.images.shape}, {self.probability.shape} grades"
            expected = "float32 images (cells, height, width) with a grade and a kind each"
            raise DataError(self.name, expected, found, "read the set again")
        lowest = min(self.images.min(), self.probability.min())
        highest = max(self.images.max(), self.probability.max())
        if not (lowest >= 0 and highest <= 1):  # NaN fails, too
            expected = "pixels and probabilities in [0, 1]"
            raise DataError(self.name, expected, f"{lowest} to {highest}", "scale them")
        self.images.flags.writeable = self.probability.flags.writeable = False

    def __str__(self) -> str:
        count, height, width = self.images.shape
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(self.kinds).items()))
        state = f"{kinds}, {self.defective.sum()} defective"
        kind = "simulated" if self.simulated else "real"
        return f"{self.name}: {self.source}, {count} cells of {height}x{width}: {state} ({kind})"

    @property
    def defective(self) -> NDArray[np.bool_]:
        """Whether the probability is at least one half, shape `(cells,)`."""
        return np.asarray(self.probability >= AT)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over kinds, grades and pixels: a key for what was computed from them."""
        total = hashlib.sha256(f"{self.name} {self.kinds} {self.images.shape}\n".encode())
        total.update(np.ascontiguousarray(self.probability).tobytes())
        total.update(np.ascontiguousarray(self.images).tobytes())
        return total.hexdigest()


def elpv(
    folder: str | Path | None = None,
    *,
    side: Size = 64,
    types: tuple[str, ...] = TYPES,
    doubtful: Doubtful = "keep",
    fit: Fit = "squeeze",
) -> SolarCells:
    """2,624 solar cells of 300 x 300 pixels: 1,074 monocrystalline, 1,550 polycrystalline.

    There is no official split: use `neurons.data.folds` over pairs of kind and grade.

    Args:
        folder: Folder to look in first for `labels.csv` and `images/`: a clone of the set's
            repository, or a data folder with `elpv/`; then the installed package `elpv-dataset`.
        side: Height and width in pixels to which every picture is brought, or `(height, width)`.
        types: Kinds of silicon to read: "mono", "poly" or both.
        doubtful: "keep" all grades, of which 2/3 and 1 count as defective; or "drop" 1/3 and 2/3.
        fit: As :func:`neurons.data.magnetic_tile`.

    Raises:
        ValueError: For an option that is not allowed.
        DataError: The package is missing, or a file is missing or damaged.

    References:
        C. Buerhop-Lutz et al., A benchmark for visual identification of defective solar cells in
        electroluminescence imagery, EU PVSEC 2018.
    """
    check_size(side, fit)
    if not types or not set(types) <= set(TYPES) or doubtful not in get_args(Doubtful):
        allowed = "types of 'mono' and 'poly', doubtful 'keep' or 'drop'"
        raise ValueError(f"got types {types!r} and doubtful {doubtful!r}; allowed: {allowed}")
    base = _base(folder)
    rows = [
        (file, grade, kind)
        for file, grade, kind in _labels(base / "labels.csv")
        if kind in types and (doubtful == "keep" or grade in (0.0, 1.0))
    ]
    if not rows:
        raise DataError(base / "labels.csv", f"cells of {types}", "none", "ask for others")
    images = np.stack([read_grey(base / file, side, fit) for file, _, _ in rows])
    scaled = np.clip(images / np.float32(255), 0, 1)
    return SolarCells("elpv", scaled, np.array([r[1] for r in rows]), tuple(r[2] for r in rows))


def _base(folder: str | Path | None) -> Path:
    """The folder that holds the table and the pictures."""
    places = [Path(folder) / inner for inner in CLONES] if folder is not None else []
    for place in places:
        if (place / "labels.csv").is_file():
            return place
    try:
        return Path(str(files("elpv_dataset"))) / "data"
    except ModuleNotFoundError as error:
        install = 'pip install "neuron-companion[elpv]"'
        raise DataError("elpv", "the package elpv-dataset", "none", install) from error


def _labels(path: Path) -> list[tuple[str, float, str]]:
    """File, grade and kind of every cell; the table has three columns, parted by blanks."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        way_out = "give the folder that holds labels.csv and images/"
        raise DataError(path, "a table of file, grade and type", str(error), way_out) from error
    return [_label(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _label(path: Path, number: int, line: str) -> tuple[str, float, str]:
    try:
        file, grade, kind = line.split()
        nearest = min(GRADES, key=lambda g: abs(g - float(grade)))
        if abs(nearest - float(grade)) > 1e-3 or kind not in TYPES:
            raise ValueError(line)
    except ValueError as error:
        expected = "file, grade (0, 1/3, 2/3, 1) and type (mono, poly)"
        raise DataError(f"{path}, line {number}", expected, line, "mend the line") from error
    return file, nearest, kind
