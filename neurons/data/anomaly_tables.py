"""Tables with rows that do not belong, and the split on which detectors are judged."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from neurons.data.collection import Collection
from neurons.data.registry import DataError

Missing = Literal["refuse", "mean"]


@dataclass(frozen=True, eq=False)
class AnomalyTable:
    """Rows of numbers, each normal or anomalous.

    Args:
        name: Name of the table.
        x: `(rows, inputs)` float64, in the units of the source; NaN where a value is missing.
        y: `(rows,)` bool, True for an anomaly.
        source: Where it comes from and how it differs from the paper's set, in words.
        simulated: Whether a formula made it.

    Raises:
        DataError: The arrays do not fit together, or a value is infinite.

    Example:
        >>> table = AnomalyTable("toy", np.zeros((4, 2)), np.array([0, 0, 0, 1], bool), "ours")
        >>> print(table)
        toy: 4 x 2, 1 anomalous (25.0 %, real)
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.bool_]
    source: str
    simulated: bool = False

    def __post_init__(self) -> None:
        x, y = self.x, self.y
        fits = x.ndim == 2 and 0 not in x.shape and y.shape == x.shape[:1]
        if not (fits and x.dtype == np.float64 and y.dtype == np.bool_):
            found = f"{x.dtype} {x.shape} with labels {y.dtype} {y.shape}"
            expected = "float64 (rows, inputs) with a bool each"
            raise DataError(self.name, expected, found, "read the table again")
        if np.isinf(x).any():
            found = f"infinity in {_listed(np.isinf(x))}"
            raise DataError(self.name, "finite numbers, or NaN", found, "repair these rows")
        x.flags.writeable = y.flags.writeable = False

    @property
    def contamination(self) -> float:
        """Share of the rows that are anomalous, from 0 to 1."""
        return float(self.y.mean())

    def __str__(self) -> str:
        kind = "simulated" if self.simulated else "real"
        size, share = f"{len(self.x)} x {self.x.shape[1]}", f"{100 * self.contamination:.1f}"
        return f"{self.name}: {size}, {self.y.sum()} anomalous ({share} %, {kind})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over name and numbers: a key for what was computed from them."""
        total = hashlib.sha256(f"{self.name} {self.x.shape}\n".encode())
        for array in (self.x, self.y):
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


class AnomalyTables(Collection[AnomalyTable]):
    """Several tables under one name; see :class:`~neurons.data.collection.Collection`."""


@dataclass(frozen=True, eq=False)
class AnomalySplit:
    """Normal rows to train on, and the other rows to find the anomalies among.

    Args:
        name: Name of the table.
        train: `(n, inputs)` float32, normal rows, scaled.
        test: `(m, inputs)` float32, scaled alike.
        labels: `(m,)` bool, True for an anomaly.
        train_rows: `(n,)` places of the training rows in the table, increasing.
        test_rows: `(m,)` places of the test rows, increasing.
        center: `(inputs,)` float64 means of the training rows.
        scale: `(inputs,)` float64 standard deviations of the training rows; 1 where constant.
        train_missing: `(n, inputs)` bool, True where a mean stands for a missing value.
        test_missing: `(m, inputs)` bool, likewise.
    """

    name: str
    train: NDArray[np.float32]
    test: NDArray[np.float32]
    labels: NDArray[np.bool_]
    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]
    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    train_missing: NDArray[np.bool_]
    test_missing: NDArray[np.bool_]

    @property
    def contamination(self) -> float:
        """Share of anomalies among the rows of both parts: the paper's threshold uses it."""
        return float(self.labels.sum() / (len(self.train) + len(self.test)))


def split_anomalies(
    table: AnomalyTable,
    seed: int,
    *,
    train_share: float = 0.8,
    missing: Missing = "refuse",
    rows: int | None = None,
) -> AnomalySplit:
    """Split as the paper does: a share of the normal rows trains; the rest is tested.

    Every column is brought to mean 0 and variance 1 by the training rows alone,
    `(x - mean) / standard deviation`; a column that is constant there is only centred. All
    seeds give parts of the same sizes.

    Args:
        table: The table.
        seed: Seed of which rows train, and of which are kept where `rows` is given.
        train_share: Share of the normal rows that train, above 0 and below 1.
        missing: `"refuse"` a table with missing values, or put the `"mean"` of the training rows.
        rows: Keep at most this many rows, with the table's share of anomalies.

    Raises:
        ValueError: An argument is out of range.
        DataError: Fewer than two normal rows; missing values that are refused, or fill a column
            of the training rows; or numbers too large for float32.

    References:
        J.-X. Liao et al., Quadratic Neuron-empowered Heterogeneous Autoencoder, arXiv
        2204.01707: the share and the scaling are those of its released code.

    Example:
        >>> table = AnomalyTable("toy", np.eye(10), np.arange(10) < 2, "ours")
        >>> split = split_anomalies(table, seed=0)
        >>> split.train.shape, split.test.shape, int(split.labels.sum())
        ((6, 10), (4, 10), 2)
    """
    _check_options(train_share, missing, rows)
    random = np.random.default_rng(seed)
    normal = np.flatnonzero(~table.y)
    anomalous = np.flatnonzero(table.y)
    if rows is not None and rows < len(table.y):
        normal, anomalous = _thinned(normal, anomalous, rows, random)
    if len(normal) < 2:
        found = f"{len(normal)} of {len(table.y)} rows normal"
        raise DataError(table.name, "two normal rows to train and test on", found, "use more rows")
    count = min(max(round(train_share * len(normal)), 1), len(normal) - 1)
    drawn = random.permutation(normal)
    train, test = np.sort(drawn[:count]), np.sort(np.concatenate([drawn[count:], anomalous]))
    _check_missing(table, np.concatenate([train, test]), missing)
    center, scale = _moments(table, train)
    scaled = [_scaled(table, part, center, scale) for part in (train, test)]
    gaps = [np.isnan(table.x[part]) for part in (train, test)]
    return AnomalySplit(
        table.name, scaled[0], scaled[1], table.y[test], train, test, center, scale, *gaps
    )


def _check_options(train_share: float, missing: str, rows: int | None) -> None:
    if not 0 < train_share < 1:
        raise ValueError(f"train_share is {train_share!r}; allowed: above 0 and below 1")
    if missing not in get_args(Missing):
        raise ValueError(f"missing is {missing!r}; allowed: {', '.join(get_args(Missing))}")
    if rows is not None and rows < 3:
        raise ValueError(f"rows is {rows!r}; allowed: 3 and more, or None for all")


def _thinned(
    normal: NDArray[np.int64],
    anomalous: NDArray[np.int64],
    rows: int,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of both kinds in the table's proportion, at least one anomaly where there is any."""
    share = len(anomalous) / (len(normal) + len(anomalous))
    bad = min(max(round(rows * share), 1), len(anomalous))
    good = min(rows - bad, len(normal))
    return random.choice(normal, good, replace=False), random.choice(anomalous, bad, replace=False)


def _check_missing(table: AnomalyTable, kept: NDArray[np.int64], missing: str) -> None:
    gaps = np.zeros(len(table.y), bool)
    gaps[kept] = np.isnan(table.x[kept]).any(axis=1)
    if missing == "refuse" and gaps.any():
        found = f"values missing in {_listed(gaps[:, None])}"
        way_out = 'repair these rows, or impute with missing="mean"'
        raise DataError(table.name, "a value in every cell", found, way_out)


def _moments(
    table: AnomalyTable, train: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and spread of every column over the training rows, missing values left out."""
    x = table.x[train]
    empty = np.flatnonzero(np.isnan(x).all(axis=0))
    if empty.size:
        found = f"none in column {empty[0]}"
        raise DataError(table.name, "values in every column of the training rows", found, "drop it")
    with np.errstate(over="ignore", invalid="ignore"):  # _scaled refuses what overflows
        center, spread = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
        # The mean of equal numbers is off by up to this: a spread below it is rounding.
        rounding = len(x) * np.finfo(np.float64).eps * np.abs(center)
    return center, np.where(spread > rounding, spread, 1.0)


def _scaled(
    table: AnomalyTable,
    part: NDArray[np.int64],
    center: NDArray[np.float64],
    scale: NDArray[np.float64],
) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        z = np.where(np.isnan(table.x[part]), 0.0, (table.x[part] - center) / scale)
        scaled = z.astype(np.float32)
    bad = ~np.isfinite(scaled) | ~np.isfinite(scale)
    if bad.any():
        found = f"overflow in column {np.flatnonzero(bad.any(axis=0))[0]}"
        raise DataError(table.name, "scaled numbers that fit float32", found, "rescale it")
    return scaled


def _listed(marked: NDArray[np.bool_]) -> str:
    """Which rows are marked: all of them, or the first five."""
    rows = np.flatnonzero(marked.any(axis=1))
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"row{'s' * (len(rows) > 1)} {', '.join(str(row) for row in rows[:5])}{more}"
