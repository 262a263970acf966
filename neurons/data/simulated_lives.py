"""Lives of bearings with a known cause of ageing, to stand in for those of PHM 2012.

Each record is noise in three parts: a floor of white noise, a part of low and one of high
frequency. One of the two bands grows with wear, the other wanders without meaning. How strong a
sound bearing is, when wear begins and how fast it grows differ from bearing to bearing.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from neurons.data.phm2012 import RATE, SAMPLES, Life, Lives

Band = Literal["low", "high", "none"]

BANDS: dict[str, tuple[float, float]] = {"low": (400.0, 2800.0), "high": (9800.0, 12200.0)}  # Hz
FLOOR = 0.15  # g
SOUND = 0.3  # g, of either band when the bearing is new
WORN = 4.0  # times as strong at the end of the life
WANDER = 0.25  # of the logarithm of a band's strength, from record to record
EVERY = 10  # as the packed file takes them
FOUR = ("Bearing1_1", "Bearing1_2", "Bearing1_3", "Bearing1_4")


def simulated_lives(
    seed: int = 0,
    *,
    bearings: Sequence[str] = FOUR,
    records: int = 400,
    ageing: Band = "low",
) -> Lives:
    """Run-to-failure bearings whose wear shows in one known band.

    Args:
        seed: Seed of everything random.
        bearings: Their names, as those of PHM 2012.
        records: Records in a whole life, on average; every tenth is made, and the last.
        ageing: Band that grows with wear: "low" (0.4 to 2.8 kHz), "high" (9.8 to 12.2 kHz), or
            "none", where nothing tells the age.

    Raises:
        ValueError: An unknown band, or lives too short for their tenth records.

    Example:
        >>> str(simulated_lives(bearings=("Bearing1_1", "Bearing1_3"), records=100))
        'simulated_phm2012: 2 bearings, 25 records (simulated)'
    """
    if ageing not in (*BANDS, "none"):
        raise ValueError(f"ageing is {ageing!r}; allowed: low, high, none")
    if records < 4 * EVERY:
        raise ValueError(f"records is {records}; allowed: from {4 * EVERY}")
    made = tuple(
        _life(name, records, ageing, np.random.default_rng([seed, place]))
        for place, name in enumerate(bearings)
    )
    return Lives("simulated_phm2012", made, simulated=True)


def _life(name: str, records: int, ageing: Band, rng: np.random.Generator) -> Life:
    count = round(records * rng.uniform(0.8, 1.2))
    index = np.unique([*range(0, count, EVERY), count - 1])
    age = index / (count - 1)
    onset, power = rng.uniform(0.0, 0.3), rng.uniform(0.8, 1.4)
    wear = np.clip((age - onset) / (1 - onset), 0, None) ** power
    signals = rng.normal(0.0, FLOOR, (len(index), 2, SAMPLES))
    for band in BANDS:
        grows = wear if band == ageing else np.zeros_like(wear)
        strength = SOUND * rng.uniform(0.8, 1.25) * WORN**grows
        strength = strength * np.exp(rng.normal(0.0, WANDER, len(index)))
        signals += strength[:, None, None] * _noise(band, len(index), rng)
    return Life(name, signals.astype(np.float32), index, count)


def _noise(band: str, records: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise in a band, `(records, 2, samples)`, of standard deviation 1 in each record."""
    sections = butter(4, BANDS[band], "bandpass", fs=RATE, output="sos")
    lead = SAMPLES // 10  # the filter's start is cut off
    white = rng.normal(size=(records, 2, lead + SAMPLES))
    found = sosfilt(sections, white, axis=-1)[..., lead:]
    return np.asarray(found / found.std(axis=-1, keepdims=True))
