"""Labels for remaining life: the share that is left, linear or flat until degradation begins."""

import numpy as np
from numpy.typing import NDArray

from neurons.data.phm2012 import Life

Floats = NDArray[np.float64]

BASELINE = 0.2  # share of the records, from the first, that are taken for sound
SIGMAS = 3.0
RUN = 3  # records in a row: single impacts on a sound bearing are no degradation


def rms(life: Life) -> Floats:
    """Root mean square of every record and channel, `(records, 2)` in g."""
    return np.asarray(np.sqrt(np.square(life.signals.astype(np.float64)).mean(axis=-1)))


def linear_label(life: Life) -> NDArray[np.float32]:
    """Share of the life that is left, `(T - t) / T`, `(records,)`; 0 at the last record.

    T is the number of records of the whole life and t the record's number from 1.
    """
    return ((life.records - 1 - life.index) / life.records).astype(np.float32)


def first_prediction_time(
    strength: Floats, *, baseline: float = BASELINE, sigmas: float = SIGMAS, run: int = RUN
) -> int:
    """Place of the record from which on degradation shows.

    The first of `run` records in a row whose strength exceeds the mean of the sound ones by
    `sigmas` of their standard deviations.

    Args:
        strength: `(records,)`, for instance the root mean square of each, in the order of time.
        baseline: Share of the records, from the first, that are taken for sound; at least two.
        sigmas: Standard deviations.
        run: Records in a row.

    Returns:
        The place; the last record's if degradation never shows.

    Raises:
        ValueError: Fewer than two records, or a number out of range.

    Example:
        >>> first_prediction_time(np.array([1.0, 1.1, 1.0, 1.1, 9.0, 1.0, 5.0, 6.0, 7.0, 8.0]))
        6
    """
    if strength.ndim != 1 or len(strength) < 2:
        raise ValueError(f"strength has shape {strength.shape}; allowed: at least two records")
    if not 0 < baseline <= 1 or sigmas < 0 or run < 1:
        raise ValueError(
            f"baseline is {baseline}, sigmas {sigmas} and run {run}; "
            "allowed: in (0, 1], from 0 and from 1"
        )
    early = strength[: max(2, round(baseline * len(strength)))]
    above = strength > early.mean() + sigmas * early.std()
    rows = np.convolve(above, np.ones(run, int), mode="valid")
    hits = np.flatnonzero(rows == run)
    return int(hits[0]) if hits.size else len(strength) - 1


def piecewise_label(life: Life, start: int | None = None) -> NDArray[np.float32]:
    """1 until degradation shows, then a straight line to 0 at the last record, `(records,)`.

    Args:
        life: The life.
        start: Place of the record where the line begins; by default the
            :func:`first_prediction_time` of the horizontal root mean square.
    """
    start = first_prediction_time(rms(life)[:, 0]) if start is None else start
    first, last = life.index[start], life.records - 1
    falling = (last - life.index) / max(1, last - first)
    return np.clip(falling, 0, 1).astype(np.float32)
