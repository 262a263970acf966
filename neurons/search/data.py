"""The data of a search: checked, brought to a sensible scale, compressed."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from neurons.search.frame import frame_of
from neurons.search.moments import Triangle, compress
from neurons.search.rows import Rows, rows_of

FEWEST = 8  # samples
_UNLIKE = 100.0  # ratio of the columns' spreads from which on they are scaled
_PLAIN = (1e-3, 1e4)  # largest magnitudes of inputs that need no scaling
Scale = Literal["auto", "none", "columns"]


@dataclass(frozen=True)
class Scaling:
    """How inputs were brought to scale before the search: `(x - shift) / width`.

    Args:
        shift: `(d,)`, or one number for all columns.
        width: likewise, above 0.
        kind: "none", "range" (one power of ten for all) or "columns".
    """

    shift: tuple[float, ...] = (0.0,)
    width: tuple[float, ...] = (1.0,)
    kind: str = "none"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Scaled inputs `(n, d)`."""
        if self.kind == "none":
            return x
        return (x - np.array(self.shift)) / np.array(self.width)


def scaling_of(x: np.ndarray, scale: Scale) -> Scaling:
    """What inputs `(n, d)` need.

    "columns" maps every column to [-1, 1], as the papers do; "auto" does so only where columns
    differ by more than a factor of 100, and divides all by one power of ten where they are huge or
    tiny.

    Raises:
        ValueError: for an unknown name.
    """
    if scale not in ("auto", "none", "columns"):
        raise ValueError(f"scale is 'auto', 'none' or 'columns', got {scale!r}")
    low, high = x.min(axis=0), x.max(axis=0)
    spread = high - low
    varying = spread[spread > 0]
    unlike = len(varying) > 0 and varying.max() > _UNLIKE * varying.min()
    if scale == "columns" or (scale == "auto" and unlike):
        width = np.where(spread > 0, spread, 2.0) / 2
        return Scaling(tuple((low + high) / 2), tuple(width), "columns")
    largest = float(np.abs(x).max())
    if scale == "auto" and largest > 0 and not _PLAIN[0] <= largest <= _PLAIN[1]:
        return Scaling((0.0,), (float(10.0 ** np.floor(np.log10(largest))),), "range")
    return Scaling()


@dataclass(frozen=True)
class Data:
    """What a search needs to know.

    Args:
        triangle: the compressed data, targets divided by `unit`.
        rows: the samples, or some of them.
        scaling: what was done to the inputs.
        unit: standard deviation of each target `(targets,)`.
        single: whether the target came as a vector.
        x: scaled inputs `(n, d)`; None if only a triangle is at hand.
        y: targets `(n, targets)` divided by `unit`.
    """

    triangle: Triangle
    rows: Rows | None
    scaling: Scaling
    unit: np.ndarray
    single: bool
    x: np.ndarray | None
    y: np.ndarray


def check(
    x: object, y: object, weights: object | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Inputs `(n, d)`, targets `(n, targets)` and weights `(n,)` as float64.

    Raises:
        ValueError: for other shapes, too few samples, values that are not finite, constant inputs
            or targets, or negative weights.
    """
    inputs = _floats("x", x)
    if inputs.ndim != 2:
        raise ValueError(f"x is (samples, inputs), got shape {inputs.shape}")
    targets = _floats("y", y)
    if targets.ndim not in (1, 2) or len(targets) != len(inputs):
        raise ValueError(
            f"y is (samples,) or (samples, targets) with {len(inputs)} samples, "
            f"got shape {targets.shape}"
        )
    targets = targets.reshape(len(targets), -1)
    if len(inputs) < FEWEST or not inputs.shape[1] or not targets.shape[1]:
        raise ValueError(
            f"a search needs at least {FEWEST} samples, one input and one target, got "
            f"{len(inputs)} samples, {inputs.shape[1]} inputs, {targets.shape[1]} targets"
        )
    if (np.ptp(targets, axis=0) == 0).any():
        column = int((np.ptp(targets, axis=0) == 0).argmax())
        raise ValueError(f"target {column} is constant ({targets[0, column]}): nothing to explain")
    if np.ptp(inputs) == 0:
        raise ValueError(f"every input is {inputs[0, 0]}: nothing explains the target")
    if weights is None:
        return inputs, targets, None
    own = _floats("weights", weights)
    if own.shape != (len(inputs),) or (own < 0).any() or not own.any():
        raise ValueError(
            f"weights are {len(inputs)} numbers >= 0, not all 0, got shape {own.shape}"
        )
    return inputs, targets, own


def _floats(name: str, values: object) -> np.ndarray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from error
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite, got {array[place]} at {place}")
    return array


def prepare(x: object, y: object, weights: object | None = None, scale: Scale = "auto") -> Data:
    """Check, scale and compress.

    Raises:
        ValueError: see `check`.
    """
    if isinstance(x, Triangle):
        if y is not None or weights is not None:
            raise ValueError("a triangle holds inputs, targets and weights: give no others")
        return _from_triangle(x)
    inputs, targets, own = check(x, y, weights)
    scaling = scaling_of(inputs, scale)
    inputs = scaling(inputs)
    unit = targets.std(axis=0)
    scaled = targets / unit
    triangle = compress(inputs, scaled, frame_of(inputs), weights=own)
    rows = rows_of(inputs, scaled, own)
    return Data(triangle, rows, scaling, unit, np.asarray(y).ndim == 1, inputs, scaled)


def _from_triangle(triangle: Triangle) -> Data:
    if triangle.samples < FEWEST:
        raise ValueError(f"a search needs at least {FEWEST} samples, got {triangle.samples}")
    factor = triangle.factor.copy()
    unit = np.linalg.norm(factor[1:, triangle.degree :], axis=0) / np.sqrt(triangle.samples)
    if not unit.all():
        raise ValueError(f"target {int((unit == 0).argmax())} is constant: nothing to explain")
    factor[:, triangle.degree :] /= unit
    scaled = replace(triangle, factor=factor)
    single = triangle.targets == 1
    return Data(scaled, None, Scaling(), unit, single, None, np.empty((0, triangle.targets)))
