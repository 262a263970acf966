"""Tables: rows of numbers with a target, and collections of them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurons.data.collection import Collection
from neurons.data.registry import DataError

Task = Literal["regression", "classification"]
_KINDS: dict[Task, str] = {"regression": "f", "classification": "iu"}


@dataclass(frozen=True, eq=False)
class Table:
    """Inputs and a target.

    Args:
        name: Name of the table.
        x: `(rows, inputs)` float64, in the units of the source.
        y: `(rows,)` float64 for a regression, int64 labels from 0 for a classification.
        columns: Names of the inputs.
        task: `"regression"` or `"classification"`.
        source: Where it comes from and how it differs from the papers' set, in words.
        simulated: Whether a formula made it.

    Raises:
        DataError: The arrays do not fit together, or a value is not finite.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64] | NDArray[np.int64]
    columns: tuple[str, ...]
    task: Task
    source: str
    simulated: bool = False

    def __post_init__(self) -> None:
        shape = self.x.shape
        if len(shape) != 2 or 0 in shape or self.y.shape != shape[:1]:
            raise self._refused("inputs (rows, columns) and a target each", f"{_of(self)}")
        if len(self.columns) != shape[1]:
            raise self._refused(f"{shape[1]} names of columns", f"{len(self.columns)}")
        if self.task not in _KINDS or self.y.dtype.kind not in _KINDS[self.task]:
            raise self._refused("float64 for a regression, int64 for a classification", _of(self))
        if not (np.isfinite(self.x).all() and np.isfinite(self.y).all()):
            row = int(np.argmin(np.isfinite(self.x).all(axis=1) & np.isfinite(self.y)))
            raise self._refused("finite numbers", f"another value in row {row}")
        if self.task == "classification" and set(np.unique(self.y)) != set(range(self.classes)):
            raise self._refused("labels 0, 1, ... without a gap", f"{np.unique(self.y)}")
        self.x.flags.writeable = self.y.flags.writeable = False

    def _refused(self, expected: str, found: str) -> DataError:
        return DataError(self.name, expected, found, "read the table again")

    @property
    def classes(self) -> int:
        """How many classes; 0 for a regression."""
        return int(self.y.max()) + 1 if self.task == "classification" else 0

    def __str__(self) -> str:
        kind = "simulated" if self.simulated else "real"
        return f"{self.name}: {len(self.x)} x {self.x.shape[1]}, {self.task} ({kind})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and numbers: a key for what was computed from them."""
        total = hashlib.sha256(f"{self.name} {self.columns} {self.task} {self.x.shape}".encode())
        for array in (self.x, self.y):
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


def _of(table: Table) -> str:
    return f"{table.x.dtype} {table.x.shape} with a target of {table.y.dtype} {table.y.shape}"


class Tables(Collection[Table]):
    """Several tables under one name; see :class:`~neurons.data.collection.Collection`."""
