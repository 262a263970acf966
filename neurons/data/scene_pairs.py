"""Pairs of pictures of one place at two dates, with what changed marked for each date."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurons.data.registry import DataError

Floats = NDArray[np.float32]
Labels = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Scenes:
    """Bi-temporal pictures with a map of classes for each date, empty where nothing changed.

    Args:
        name: Name of the set.
        before: `(pairs, height, width, 3)` float32 in [0, 1], colours at the first date.
        after: The same at the second date.
        labels_before: `(pairs, height, width)` int8: 0 where nothing changed, else the class 1 to
            N that was there at the first date.
        labels_after: The same at the second date; of a set that only says where something
            changed (LEVIR-CD), equal to `labels_before`.
        classes: Names of the N classes, that of class 1 first.
        places: `(pairs,)` whole numbers; pairs that show one place share a number and belong
            into one fold.
        simulated: Whether a simulator drew them.
        cover_before: `(pairs, height, width)` int8, the class 1 to N everywhere at the first date;
            None where it is not known.
        cover_after: The same at the second date.

    Raises:
        DataError: The arrays do not fit together, values are out of range, or a pixel is marked
            at one date only.
    """

    name: str
    before: Floats
    after: Floats
    labels_before: Labels
    labels_after: Labels
    classes: tuple[str, ...]
    places: NDArray[np.int64]
    simulated: bool
    cover_before: Labels | None = None
    cover_after: Labels | None = None

    def __post_init__(self) -> None:
        self._check_shapes()
        self._check_values()
        for values in self._arrays:
            values.flags.writeable = False

    def _check_shapes(self) -> None:
        shape = self.labels_before.shape
        pictures = all(one.shape == (*shape, 3) for one in (self.before, self.after))
        covers = [c.shape for c in (self.cover_before, self.cover_after) if c is not None]
        alike = {self.labels_after.shape, *covers} == {shape} and len(covers) in (0, 2)
        floats = {self.before.dtype, self.after.dtype} == {np.dtype(np.float32)}
        bytes_ = {values.dtype for values in self._arrays[2:-1]} == {np.dtype(np.int8)}
        whole = np.issubdtype(self.places.dtype, np.integer) and self.places.shape == shape[:1]
        fits = len(shape) == 3 and 0 not in shape and pictures and alike and whole
        if not (fits and floats and bytes_ and self.classes):
            found = ", ".join(f"{values.dtype} {values.shape}" for values in self._arrays)
            expected = (
                "float32 pictures (pairs, height, width, 3) of two dates, int8 maps of one shape "
                "(pairs, height, width), a place for each, and a class"
            )
            raise DataError(self.name, expected, found, "read the set again")

    def _check_values(self) -> None:
        for date in (self.before, self.after):
            if not (date.min() >= 0 and date.max() <= 1):  # NaN fails, too
                found = f"{date.min()} to {date.max()}"
                raise DataError(self.name, "colours in [0, 1]", found, "scale them")
        for values in self._arrays[2:-1]:
            if values.min() < 0 or values.max() > len(self.classes):
                found = f"{values.min()} to {values.max()}"
                expected = f"classes from 0 to {len(self.classes)}"
                raise DataError(self.name, expected, found, "name all classes")
        once = int(((self.labels_before > 0) != (self.labels_after > 0)).sum())
        if once:
            expected = "pixels that are marked at both dates or at none"
            raise DataError(self.name, expected, f"{once} at one date only", "mark them at both")

    @property
    def _arrays(self) -> tuple[NDArray[np.generic], ...]:
        covers = [c for c in (self.cover_before, self.cover_after) if c is not None]
        maps = (self.labels_before, self.labels_after, *covers)
        return (self.before, self.after, *maps, self.places)

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.places)

    def __str__(self) -> str:
        count, height, width = self.labels_before.shape
        places, kind = len(set(self.places.tolist())), "simulated" if self.simulated else "real"
        return (
            f"{self.name}: {count} pairs of {height}x{width} at {places} places, "
            f"{len(self.classes)} {'class' if len(self.classes) == 1 else 'classes'}, "
            f"{100 * self.changed.mean():.1f} % changed ({kind})"
        )

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Whether each pixel changed, `(pairs, height, width)`."""
        return np.asarray(self.labels_after > 0)

    @property
    def labels(self) -> Labels:
        """The maps of both dates, `(pairs, 2, height, width)`."""
        return np.stack([self.labels_before, self.labels_after], axis=1)

    @property
    def binary(self) -> bool:
        """Whether it is only known where something changed, and not what became what."""
        return len(self.classes) == 1

    def take(self, rows: ArrayLike) -> "Scenes":
        """Some of the pairs, by number or by a mask, in the order given."""
        chosen = np.asarray(rows)
        if chosen.dtype != np.bool_:
            chosen = chosen.astype(np.int64)
        return self._mapped(lambda values: values[chosen], self.places[chosen])

    def cut(self, side: int) -> "Scenes":
        """Square tiles that do not overlap; pixels left over at the far borders are left out.

        Args:
            side: Of a tile in pixels, at most height and width.

        Returns:
            The tiles of each pair one after another, row by row, with the pair's place.

        Raises:
            ValueError: A tile would be larger than the pictures, or less than a pixel.
        """
        height, width = self.labels_before.shape[1:]
        if not 1 <= side <= min(height, width):
            raise ValueError(f"side is {side}; allowed: 1 to {min(height, width)} pixels")
        tiles = (height // side) * (width // side)
        return self._mapped(lambda values: _tiles(values, side), np.repeat(self.places, tiles))

    def _mapped(self, change: Callable[[Any], Any], places: NDArray[np.int64]) -> "Scenes":
        """The same set after a change of every picture and map."""
        first, second = self.cover_before, self.cover_after
        return replace(
            self,
            before=change(self.before),
            after=change(self.after),
            labels_before=change(self.labels_before),
            labels_after=change(self.labels_after),
            places=places,
            cover_before=None if first is None else change(first),
            cover_after=None if second is None else change(second),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names, places, colours and maps: a key for what was computed from them."""
        head = f"{self.name} {self.classes} {self.labels_before.shape} {len(self._arrays)}\n"
        total = hashlib.sha256(head.encode())
        for values in self._arrays:
            total.update(np.ascontiguousarray(values).tobytes())
        return total.hexdigest()


def _tiles(values: NDArray[Any], side: int) -> NDArray[Any]:
    pairs, height, width, *channels = values.shape
    down, right = height // side, width // side
    whole = values[:, : down * side, : right * side]
    grid = whole.reshape(pairs, down, side, right, side, *channels).swapaxes(2, 3)
    return np.ascontiguousarray(grid.reshape(-1, side, side, *channels))
