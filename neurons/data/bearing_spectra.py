"""Amplitude spectra of bearings, sound and failing, as a task for detectors of anomalies.

The heterogeneous autoencoder's paper takes bearing 2_5 of XJTU-SY, which is not at hand: 334
records of one life, 222 of them abnormal, resampled to 1024 samples, 512 amplitudes each. In its
place stand the lives of the PHM 2012 challenge that fail slowly, and the CWRU records. How the
paper told abnormal records is not printed; `onset` is the rule here.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample

from neurons.data.anomaly_tables import AnomalyTable, AnomalyTables
from neurons.data.bearings import SKF_6205, Fault
from neurons.data.cwru import cwru
from neurons.data.phm2012 import RATE, SAMPLES, Life, lives
from neurons.data.simulator import simulate

Floats = NDArray[np.float64]

POINTS = 1024  # samples of a window when it is transformed
WINDOWS = 2  # of a record, side by side: 50 ms each, as sampled at 20.48 kHz
BASELINE = 0.2  # share of a life, from its start, that tells how strong sound vibration is
DEVIATIONS = 6.0  # above the baseline's median, in robust standard deviations
LATE = 0.1  # a life whose failing part is a smaller share ends too suddenly to be a table
SIMULATED_RECORDS = 100
SIMULATED_ONSET = 0.6  # share of a simulated life
SIMULATED_PIT = 3e-3  # m, at the end of a simulated life


def amplitude_spectra(windows: Floats) -> Floats:
    """One-sided amplitudes, `2 |sum_t x_t exp(-2 pi i k t / 1024)| / 1024` for k = 1 ... 512.

    The mean (k = 0) is left out; at the Nyquist frequency (k = 512) the factor 2 is missing.

    Args:
        windows: `(windows, samples)`, any unit; brought to 1024 samples by Fourier resampling.

    Returns:
        `(windows, 512)` in the windows' unit.

    Example:
        >>> wave = 3 * np.sin(2 * np.pi * 20 * np.arange(2048) / 2048)
        >>> float(amplitude_spectra(wave[None])[0, 19].round(6))
        3.0
    """
    brought = windows if windows.shape[1] == POINTS else resample(windows, POINTS, axis=1)
    amplitudes = 2 * np.abs(np.fft.rfft(brought, axis=1)[:, 1:]) / POINTS  # (windows, 512)
    amplitudes[:, -1] /= 2
    return amplitudes


def onset(strength: Floats) -> int:
    """Where the last phase of a life begins: from there on, every record is too strong.

    Too strong is above the median plus six robust standard deviations (1.4826 times the median
    absolute deviation) of the first fifth of the life.

    Args:
        strength: `(records,)`, for instance the root mean square of each, in the order of time.

    Returns:
        Place of the first record of the last phase; `records` when the last one is not too strong.

    Example:
        >>> onset(np.array([1.0, 1.1, 0.9, 1.0, 9.0, 1.0, 1.1, 1.0, 8.0, 9.0]))
        8
    """
    early = strength[: max(2, round(BASELINE * len(strength)))]
    middle = np.median(early)
    limit = middle + DEVIATIONS * 1.4826 * np.median(np.abs(early - middle))
    usual = np.flatnonzero(strength <= limit)
    return int(usual[-1]) + 1 if usual.size else 0


def bearing_spectra(folder: str | Path | None = None) -> AnomalyTables:
    """Spectra of every life of PHM 2012 that fails slowly, and of the CWRU records.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        DataError: A file is missing, damaged, or holds something else.

    References:
        J.-X. Liao et al., Quadratic Neuron-empowered Heterogeneous Autoencoder, arXiv 2204.01707.
    """
    made = [_of_life(life) for life in lives(folder)]
    slow = [table for table in made if table.contamination >= LATE]
    return AnomalyTables("bearing_spectra", (*slow, _of_cwru(folder)), simulated=False)


def simulated_bearing_spectra(seed: int = 0) -> AnomalyTables:
    """Spectra of two simulated lives, one failing at the outer and one at the inner race.

    A pit appears at 60 % of the life and grows to 3 mm at its end, in proportion to time; rows
    from then on are anomalous, which here is known and not told by `onset`.

    Args:
        seed: Seed of everything random.
    """
    faults: tuple[Fault, ...] = ("outer", "inner")
    made = tuple(_simulated(fault, [seed, place]) for place, fault in enumerate(faults))
    return AnomalyTables("simulated_bearing_spectra", made, simulated=True)


def _of_life(life: Life) -> AnomalyTable:
    signals = life.signals[:, 0].astype(np.float64)  # horizontal: (records, samples)
    start = onset(signals.std(axis=1))
    source = (
        f"PHM 2012, {life.name}, in place of the paper's XJTU-SY bearing: every tenth record, "
        f"horizontal, {WINDOWS} windows each; anomalous from record {start} of {len(signals)} on, "
        f"where the root mean square rises for good by {DEVIATIONS:g} robust deviations. Strength "
        "alone tells the label, as it may in the paper."
    )
    late = np.repeat(np.arange(len(signals)) >= start, WINDOWS)
    return AnomalyTable(life.name, _rows(signals), late, source)


def _of_cwru(folder: str | Path | None) -> AnomalyTable:
    """All normal windows, and as many of faults, an equal number from each."""
    records = cwru(folder=folder, common_rate=True).recordings
    normal = _windows(records[0].signal)
    share = math.ceil(len(normal) / (len(records) - 1))
    faulty = [_windows(recording.signal)[:share] for recording in records[1:]]
    windows = np.concatenate([normal, *faulty])
    source = (
        "CWRU, 12 kHz, 0 hp, in place of the paper's XJTU-SY bearing: seeded faults of nine kinds "
        "beside one normal record, which was sampled at 48 kHz and brought to 12 kHz."
    )
    y = np.arange(len(windows)) >= len(normal)
    return AnomalyTable("cwru", amplitude_spectra(windows), y, source)


def _windows(signal: Floats) -> Floats:
    return signal[: len(signal) // POINTS * POINTS].reshape(-1, POINTS)


def _rows(signals: Floats) -> Floats:
    return amplitude_spectra(signals.reshape(len(signals) * WINDOWS, -1))


def _simulated(fault: Fault, seed: list[int]) -> AnomalyTable:
    age = np.linspace(0, 1, SIMULATED_RECORDS)
    pits = SIMULATED_PIT * np.clip((age - SIMULATED_ONSET) / (1 - SIMULATED_ONSET), 0, None)
    seeds = np.random.SeedSequence(seed).generate_state(len(age), np.uint64)
    signals = [_record(fault, float(pit), int(own)) for pit, own in zip(pits, seeds, strict=True)]
    source = f"simulated: a pit that grows at the {fault} race from record {np.argmax(pits > 0)} on"
    bad = np.repeat(pits > 0, WINDOWS)
    return AnomalyTable(f"{fault}_race", _rows(np.stack(signals)), bad, source, simulated=True)


def _record(fault: Fault, pit: float, seed: int) -> Floats:
    state: Fault = fault if pit > 0 else "normal"
    seconds = SAMPLES / RATE
    made = simulate(SKF_6205, 30.0, state, pit, seconds=seconds, rate=RATE, snr_db=20.0, seed=seed)
    return made.signal
