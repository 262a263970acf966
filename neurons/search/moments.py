r"""Compression: what the data says about `y = c + sum_i f(x_i)`, in one small triangle.

The squared loss depends on the data only through the Chebyshev moments
`M[r, p] = sum_i T_p(u_ri)` of the mapped inputs. One QR of `[1 | M | y]` leaves a triangle from
which the loss of any smooth f follows, exact up to truncation, whatever the numbers of samples and
inputs. Triangles of parts of the data merge by a QR of the stacked triangles.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from neurons.search.frame import Frame

DEGREE = 64
_STRIDE = 8
_BLOCK = 1 << 18  # input values per block: the work arrays stay in the second-level cache


def moments(x: np.ndarray, frame: Frame, degree: int = DEGREE) -> np.ndarray:
    r"""Chebyshev moments `(n, degree)` of inputs `(n, d)`: `M[r, p] = sum_i T_p(u_ri)`.

    `2 T_a T_b = T_{a+b} + T_{a-b}`: only T_0 ... T_7 and T_8, T_16, ... are evaluated, and one
    product of two thin matrices per sample gives the rest; three times faster than all of them.

    Args:
        x: inputs `(n, d)` inside the frame.
        frame: the interval.
        degree: how many moments, a multiple of 8.
    """
    rows = max(1, _BLOCK // max(1, x.shape[1] * 2 * _STRIDE))
    found = np.empty((len(x), degree))
    for start in range(0, len(x), rows):
        found[start : start + rows] = _block(frame.inward(x[start : start + rows]), degree)
    return found


def _block(u: np.ndarray, degree: int) -> np.ndarray:
    n = len(u)
    fine = _chebyshev(u, u, _STRIDE)  # (n, 8, d): T_0 ... T_7
    stride = 2 * u * fine[:, -1] - fine[:, -2]  # T_8
    coarse = _chebyshev(stride, stride, degree // _STRIDE)  # T_0, T_8, T_16, ...
    sums = coarse @ fine.swapaxes(1, 2)  # (n, a, b): sum_i T_8a T_b
    found = np.empty((n, degree // _STRIDE, _STRIDE))
    found[:, 0] = sums[:, 0]
    if degree > _STRIDE:
        mirror = np.concatenate([sums[:, 1, :1], found[:, 0, :0:-1]], axis=1)  # T_8 ... T_1
        for a in range(1, degree // _STRIDE):
            found[:, a] = 2 * sums[:, a] - mirror
            found[:, a, 0] = sums[:, a, 0]
            follow = sums[:, a + 1, 0] if a + 1 < degree // _STRIDE else found[:, a, 0]
            mirror = np.concatenate([follow[:, None], found[:, a, :0:-1]], axis=1)
    return found.reshape(n, degree)


def _chebyshev(first: np.ndarray, by: np.ndarray, count: int) -> np.ndarray:
    """T_0 ... T_(count-1) of `by`, `(n, count, d)`."""
    n, d = first.shape
    values = np.empty((n, count, d))
    values[:, 0] = 1.0
    if count > 1:
        values[:, 1] = first
    for p in range(2, count):
        np.multiply(by, values[:, p - 1], out=values[:, p])
        values[:, p] *= 2
        values[:, p] -= values[:, p - 2]
    return values


@dataclass(frozen=True)
class Triangle:
    """The data, compressed.

    Args:
        factor: upper triangle `(degree + targets, degree + targets)` of `[1 | M_1 ... | y]`.
        samples: how many rows went in.
        frame: the interval of the inputs.
        inputs: inputs per sample.
        degree: moments, the constant's among them.
    """

    factor: np.ndarray
    samples: int
    frame: Frame
    inputs: int
    degree: int = DEGREE

    @property
    def targets(self) -> int:
        """How many targets the data has."""
        return self.factor.shape[1] - self.degree

    def merge(self, other: "Triangle") -> "Triangle":
        """The triangle of both data sets together.

        Raises:
            ValueError: for triangles of different frames, degrees or targets.
        """
        mine, theirs = ((each.frame, each.inputs, each.factor.shape) for each in (self, other))
        if mine != theirs:
            raise ValueError(
                "only triangles of one frame, degree and number of inputs and targets merge, got "
                f"{mine} and {theirs}"
            )
        factor = triangle_of(np.concatenate([self.factor, other.factor]))
        return replace(self, factor=factor, samples=self.samples + other.samples)


def triangle_of(rows: np.ndarray) -> np.ndarray:
    """The square upper triangle R of a QR, its diagonal >= 0, padded by zeros if rows are few."""
    factor = np.linalg.qr(rows, mode="r")
    signs = np.where(np.diagonal(factor) < 0, -1.0, 1.0)
    padded = np.zeros((rows.shape[1], rows.shape[1]))
    padded[: len(factor)] = factor * signs[:, None]
    return padded


def compress(
    x: np.ndarray,
    y: np.ndarray,
    frame: Frame,
    *,
    weights: np.ndarray | None = None,
    degree: int = DEGREE,
    rows: int = 2048,
) -> Triangle:
    """Compress data; memory beyond the data does not grow with the number of samples.

    Args:
        x: inputs `(n, d)`.
        y: targets `(n,)` or `(n, targets)`.
        frame: an interval that holds the inputs.
        weights: weights >= 0 of the samples' squared errors, `(n,)`.
        degree: moments, a multiple of 8.
        rows: samples per block.
    """
    targets = y.reshape(len(y), -1)
    factor = np.zeros((degree + targets.shape[1],) * 2)
    for start in range(0, len(x), rows):
        part = slice(start, start + rows)
        block = np.empty((len(x[part]), degree + targets.shape[1]))
        block[:, :degree] = moments(x[part], frame, degree)
        block[:, 0] = 1.0  # T_0 sums to d, a constant like any other
        block[:, degree:] = targets[part]
        if weights is not None:
            block *= np.sqrt(weights[part])[:, None]
        factor = triangle_of(np.concatenate([factor, block]))
    return Triangle(factor, len(x), frame, x.shape[1], degree)


def stream(
    parts: Iterable[tuple[np.ndarray, np.ndarray]], frame: Frame, *, degree: int = DEGREE
) -> Triangle:
    """Compress data that comes in parts `(x, y)`, one at a time.

    Raises:
        ValueError: if there is no part, or an input lies outside the frame.
    """
    compressed = (_checked(x, y, frame, degree) for x, y in parts)
    first = next(compressed, None)
    if first is None:
        raise ValueError("a stream needs at least one part, got none")
    return reduce(Triangle.merge, compressed, first)


def _checked(x: np.ndarray, y: np.ndarray, frame: Frame, degree: int) -> Triangle:
    if len(x) and (x.min() < frame.low or x.max() > frame.high):
        raise ValueError(
            f"inputs reach from {x.min()} to {x.max()}, outside the frame "
            f"{frame.low} to {frame.high}"
        )
    return compress(np.asarray(x, float), np.asarray(y, float), frame, degree=degree)
