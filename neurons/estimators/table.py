"""Tables of rows and features: what is allowed in them, and z-scores."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

BLOCK = 1024  # rows at a time; a fixed shape compiles once and bounds the memory
_FARTHEST = 1e150  # standard deviations; its square is finite


class Scale(NamedTuple):
    """Mean and standard deviation of every feature, and which of them vary."""

    mean: np.ndarray
    deviation: np.ndarray  # 1 where a feature is constant
    varies: np.ndarray

    def z(self, rows: np.ndarray) -> np.ndarray:
        """Rows in standard deviations from the mean; 0 where a value is missing."""
        with np.errstate(over="ignore"):
            z = (rows.astype(np.float64) - self.mean) / self.deviation
        return np.nan_to_num(np.clip(z, -_FARTHEST, _FARTHEST), nan=0.0, copy=False)


def scale_of(x: np.ndarray, names: list[str]) -> Scale:
    """The scale of the rows `x`, whose missing values are left out.

    Raises:
        ValueError: for a feature without any value, or with values whose squares overflow.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of features without a value
        mean, deviation = (of(x, axis=0, dtype=np.float64) for of in (np.nanmean, np.nanstd))
        low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
        bad = ~np.isfinite(mean + deviation)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        empty = np.isnan(x[:, first]).all()
        why = "has no value at all" if empty else "has values too large to square"
        raise ValueError(f"feature {names[first]} {why}: leave it out or rescale it")
    varies = (high > low) & (deviation > 0)
    # A constant's mean is itself, without rounding.
    return Scale(np.where(varies, mean, low), np.where(varies, deviation, 1.0), varies)


def validated(estimator: BaseEstimator, X: Any, *, missing: str, reset: bool) -> np.ndarray:
    """Rows as floats, not copied where they are floats already.

    Args:
        estimator: keeps the number and names of the features.
        X: rows `(n, d)`, at least two to fit.
        missing: "refuse" for an error where a value is NaN.
        reset: whether to fit, or to be held to what was fitted.

    Raises:
        ValueError: for what is no table of finite numbers, and for rows without any value.
    """
    X = validate_data(
        estimator,
        X,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan",
        ensure_min_samples=2 if reset else 1,
        reset=reset,
    )
    for at in range(0, len(X), BLOCK):
        holes = np.isnan(X[at : at + BLOCK])
        if missing == "refuse" and holes.any():
            raise ValueError(
                f"Input X contains NaN, first in row {at + _first(holes.any(axis=1))}: "
                'drop such rows, or set missing="mean"'
            )
        if holes.all(axis=1).any():
            raise ValueError(
                f"row {at + _first(holes.all(axis=1))} has no value at all: leave it out"
            )
    return X


def feature_names(estimator: BaseEstimator) -> list[str]:
    """The columns' names, or x0, x1, ..."""
    given = getattr(estimator, "feature_names_in_", None)
    return [f"x{i}" for i in range(estimator.n_features_in_)] if given is None else list(given)


def _first(flags: np.ndarray) -> int:
    return int(np.flatnonzero(flags)[0])
