"""Labelled point clouds: the class that holds them, and their place in the unit ball."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neurons.data.images import check_labels
from neurons.data.registry import DataError

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class PointClouds:
    """Labelled clouds of equally many points, split for training and testing.

    Args:
        name: Name of the set.
        x_train: `(clouds, points, dimensions)` float32 in 2 or 3 dimensions, without units: the
            readers and simulators centre every cloud and scale it into the unit ball.
        y_train: `(clouds,)` int64 labels, places in `classes`.
        x_test: As `x_train`.
        y_test: As `y_train`.
        classes: Names of the classes.
        source: Where they come from, in words.
        simulated: Whether a simulator drew them.
        parts_train: `(clouds, points)` int64 places in `part_names`, where points have labels.
        parts_test: As `parts_train`.
        part_names: Names of the parts; empty where points have none.

    Raises:
        DataError: The arrays do not fit together, are empty, or hold a value that is not finite.
    """

    name: str
    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    classes: tuple[str, ...]
    source: str
    simulated: bool
    parts_train: NDArray[np.int64] | None = None
    parts_test: NDArray[np.int64] | None = None
    part_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            label = f"{self.name} ({part})"
            _check(label, x, y, len(self.classes))
            _check_parts(label, x, getattr(self, f"parts_{part}"), len(self.part_names))
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            found = f"{self.x_train.shape[1:]} and {self.x_test.shape[1:]}"
            raise DataError(self.name, "clouds of one shape", found, "read the set again")
        for array in self._arrays():
            array.flags.writeable = False

    def _arrays(self) -> tuple[NDArray, ...]:
        found = (self.x_train, self.y_train, self.x_test, self.y_test)
        parts = (self.parts_train, self.parts_test)
        return (*found, *(part for part in parts if part is not None))

    def __str__(self) -> str:
        points, dimensions = self.x_train.shape[1:]
        kind = "simulated" if self.simulated else "real"
        count = f"{len(self.y_train)} + {len(self.y_test)} clouds of {points} points"
        return f"{self.name}: {self.source}, {count} in {dimensions}-d ({kind})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names, points and labels: a key for what was computed from them."""
        header = f"{self.name} {self.classes} {self.part_names} {self.x_train.shape}\n"
        total = hashlib.sha256(header.encode())
        for array in self._arrays():
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


def unit_ball(points: Floats) -> Floats:
    """Every cloud with its mean at the origin and its farthest point at distance 1.

    `x -> (x - mean x) / max |x - mean x|`; rotations and mirrors commute with it.

    Args:
        points: `(..., points, dimensions)` in any unit of length.

    Returns:
        As `points`, without units, in the same dtype.

    Raises:
        ValueError: Without points, for values that are not finite, or if all points of a cloud
            are the same.

    Example:
        >>> unit_ball(np.array([[0.0, 0.0], [4.0, 0.0]])).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]
    """
    points = np.asarray(points)
    if points.ndim < 2 or 0 in points.shape:
        raise ValueError(f"needs (..., points, dimensions), none of them 0; got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError(f"coordinates must be finite; {np.sum(~np.isfinite(points))} are not")
    # In float64: the mean of float32 coordinates far from the origin loses the cloud.
    centred = points - points.mean(axis=-2, keepdims=True, dtype=np.float64)
    reach = np.linalg.norm(centred, axis=-1).max(axis=-1)
    # The mean itself is rounded: differences of that size are no shape.
    if (reach <= 1e-12 * np.abs(points).max(axis=(-1, -2))).any():
        raise ValueError("all points of a cloud are the same: it has no size to scale by")
    scaled: Floats = (centred / reach[..., None, None]).astype(points.dtype)
    return scaled


def _check(label: str, x: NDArray, y: NDArray, classes: int) -> None:
    if x.ndim != 3 or x.dtype != np.float32 or y.shape != x.shape[:1] or 0 in x.shape:
        found = f"{x.dtype} {x.shape} with labels {y.dtype} {y.shape}"
        expected = "float32 (clouds, points, dimensions), none of them 0, with a label each"
        raise DataError(label, expected, found, "read the set again")
    if x.shape[2] not in (2, 3):
        raise DataError(label, "2 or 3 dimensions", f"{x.shape[2]}", "read the set again")
    if not np.isfinite(x).all():
        cloud = int(np.argmin(np.isfinite(x).all(axis=(1, 2))))
        raise DataError(label, "finite coordinates", f"others in cloud {cloud}", "leave it out")
    check_labels(label, y, classes)


def _check_parts(label: str, x: NDArray, parts: NDArray | None, names: int) -> None:
    if parts is None:
        if names:
            raise DataError(label, f"labels of {names} parts", "none", "give none of both")
    elif parts.shape != x.shape[:2]:
        expected, found = f"a part for every point, {x.shape[:2]}", f"{parts.shape}"
        raise DataError(label, expected, found, "read the set again")
    else:
        check_labels(f"{label}, parts", parts, names)
