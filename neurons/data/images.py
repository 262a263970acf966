"""Small labelled images: the class that holds them, and the reader of two public subsets."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurons.data.archives import Arrays, arrays
from neurons.data.registry import DataError, Entry, entries, find

Subset = Literal["cifar10", "mnist"]
FILES: dict[Subset, str] = {"cifar10": "cifar10_jpeg_subset.npz", "mnist": "mnist_5k.npz"}
KEYS: dict[Subset, tuple[str, ...]] = {
    "cifar10": ("x_train", "y_train", "x_test", "y_test", "classes"),
    "mnist": ("x", "y"),
}
SOURCES: dict[Subset, str] = {
    "cifar10": "CIFAR-10, re-encoded subset (A. Krizhevsky 2009)",
    "mnist": "MNIST, subset (Y. LeCun, C. Cortes, C. Burges)",
}
MNIST_TEST = 5  # every fifth image: the file is sorted by digit, and not split


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images, split for training and testing.

    Args:
        name: Name of the set.
        x_train: `(images, height, width, channels)` float32 in [0, 1].
        y_train: `(images,)` integer labels, places in `classes`.
        x_test: As `x_train`.
        y_test: As `y_train`.
        classes: Names of the classes.
        source: Where they come from, in words.
        simulated: Whether a simulator drew them.

    Raises:
        DataError: The arrays do not fit together, or values are out of range.
    """

    name: str
    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    classes: tuple[str, ...]
    source: str
    simulated: bool

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            _check(f"{self.name} ({part})", x, y, len(self.classes))
            for array in (x, y):
                array.flags.writeable = False
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            found = f"{self.x_train.shape[1:]} and {self.x_test.shape[1:]}"
            raise DataError(self.name, "images of one shape", found, "read the set again")

    def __str__(self) -> str:
        height, width, channels = self.x_train.shape[1:]
        kind = "simulated" if self.simulated else "real"
        count = f"{len(self.y_train)} + {len(self.y_test)} images of {height}x{width}x{channels}"
        return f"{self.name}: {self.source}, {count} ({kind})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over classes, pixels and labels: a key for what was computed from them."""
        total = hashlib.sha256(f"{self.name} {self.classes} {self.x_train.shape}\n".encode())
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


def images(folder: str | Path | None = None, *, subset: Subset = "cifar10") -> Images:
    """Read a subset of CIFAR-10 (1,500 + 400 colour images) or of MNIST (4,000 + 1,000 digits).

    Neither file has a public address of its own: put them into a data folder by hand.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        subset: `"cifar10"` or `"mnist"`.

    Raises:
        ValueError: There is no such subset.
        DataError: The file is missing, damaged, or holds something else.

    References:
        A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
        Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
        recognition, Proc. IEEE 86 (1998).
    """
    if subset not in FILES:
        raise ValueError(f"subset is {subset!r}; allowed: {', '.join(FILES)}")
    path = find(_entry(FILES[subset]), folder)
    return read_images(path, subset)


def read_images(path: str | Path, subset: Subset) -> Images:
    """Read one of the two `.npz` files, whatever its bytes.

    Raises:
        DataError: It is none of them: file, expected and found are named.
    """
    found = arrays(path, KEYS[subset])
    return _cifar10(found) if subset == "cifar10" else _mnist(found)


def _cifar10(found: Arrays) -> Images:
    return Images(
        "cifar10",
        _pixels(found["x_train"]),
        found["y_train"].astype(np.int64),
        _pixels(found["x_test"]),
        found["y_test"].astype(np.int64),
        tuple(str(name) for name in found["classes"]),
        SOURCES["cifar10"],
        simulated=False,
    )


def _mnist(found: Arrays) -> Images:
    x, y = _pixels(found["x"][..., None]), found["y"].astype(np.int64)
    classes = tuple(str(digit) for digit in range(10))
    test = np.arange(len(y)) % MNIST_TEST == 0
    return Images(
        "mnist", x[~test], y[~test], x[test], y[test], classes, SOURCES["mnist"], simulated=False
    )


def _pixels(values: NDArray[np.generic]) -> NDArray[np.float32]:
    return values.astype(np.float32) / np.float32(255)


def _entry(file: str) -> Entry:
    return next(entry for entry in entries("images") if entry.file == file)


def _check(label: str, x: NDArray[np.generic], y: NDArray[np.generic], classes: int) -> None:
    if x.ndim != 4 or x.dtype != np.float32 or y.shape != x.shape[:1] or not y.size:
        found = f"{x.dtype} {x.shape} with labels {y.dtype} {y.shape}"
        expected = "float32 (images, height, width, channels) with a label each"
        raise DataError(label, expected, found, "read the set again")
    # Written so that NaN fails, too.
    if not (x.min() >= 0 and x.max() <= 1):
        raise DataError(label, "pixels in [0, 1]", f"{x.min()} to {x.max()}", "scale them")
    check_labels(label, y, classes)


def check_labels(label: str, y: NDArray[np.generic], classes: int) -> None:
    """Raise DataError unless `y` holds whole numbers from 0 to `classes - 1`."""
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= classes:
        found = f"{y.dtype} from {y.min()} to {y.max()}"
        raise DataError(label, f"integer labels below {classes}", found, "read the set again")
