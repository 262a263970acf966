"""The physics of `simulator`: when a fault strikes, how hard, and how the housing rings."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from neurons.data.bearings import Bearing, Fault

GRAVITY = 9.80665  # m/s^2 a g
MOMENTUM = 8e-3  # share of a ball's momentum that a mode of the housing takes
CONTACTS: dict[Fault, int] = {"outer": 1, "ball": 2, "inner": 3}  # between fault and sensor
CONTACT_HZ = 9e3  # a contact passes exp(-1) of the amplitude at this frequency
INNER_RACE = 0.7  # strength of a ball's impact on the inner race beside the outer
SCATTER = 0.2  # standard deviation of the logarithm of an impact's strength
FLUCTUATION = 0.3  # standard deviation of the logarithm of the load
FLUCTUATION_S = 0.5  # s between two independent values of the load


def modes(resonance_hz: Sequence[float], damping: float) -> NDArray[np.complex128]:
    """Poles `w (-z + i sqrt(1 - z^2))` of damped resonances, in 1/s, shape `(modes,)`."""
    w = 2 * np.pi * np.asarray(resonance_hz, dtype=complex)
    return np.asarray(w * complex(-damping, math.sqrt(1 - damping**2)), dtype=np.complex128)


def ring(
    times: NDArray[np.float64],
    weights: NDArray[np.float64],
    count: int,
    rate: float,
    pole: complex,
) -> NDArray[np.float64]:
    """Sum of `weights_i exp(-z w t) sin(w sqrt(1 - z^2) t)`, `t` the time since impact i.

    The samples are exact for impacts between two samples: the first sample after an impact
    starts a one-pole recursion at the phase it has there.

    Args:
        times: Impacts in s, shape `(impacts,)`; those beyond the record are left out.
        weights: Their strengths, shape `(impacts,)`.
        count: Samples of the record.
        rate: Samples per second, in Hz.
        pole: The mode's pole, in 1/s.

    Returns:
        Shape `(count,)`, in the weights' unit.
    """
    index = np.ceil(times * rate).astype(int)
    inside = index < count
    late = index[inside] / rate - times[inside]
    drive = np.zeros(count, dtype=complex)
    np.add.at(drive, index[inside], weights[inside] * np.exp(pole * late))
    return lfilter([1.0], [1.0, -np.exp(pole / rate)], drive).imag


def impact_times(
    rate_hz: float, seconds: float, slip: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Times in s at which a fault strikes: intervals `(1 + slip e) / rate_hz`, e normal."""
    enough = math.ceil(seconds * rate_hz * (1 + slip)) + 10
    intervals = (1 + slip * rng.standard_normal(enough)) / rate_hz
    times = rng.uniform(0, 1 / rate_hz) + np.cumsum(np.maximum(intervals, 0))
    return times[times < seconds]


def load_zone(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Load of a ball at an angle in rad from the load's direction: `|cos(angle / 2)|^3`.

    It is Stribeck's distribution `(1 - (1 - cos angle) / (2 e))^(3/2)` with `e = 1`, a bearing
    whose load just reaches around: 1 below the load, 0 opposite to it.
    """
    return np.abs(np.cos(angle / 2)) ** 3


def impact_weights(
    bearing: Bearing,
    shaft_hz: float,
    fault: Fault,
    times: NDArray[np.float64],
    load_angle: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Relative strength of every impact, shape of `times`: load, fluctuation, scatter."""
    cage_hz = bearing.frequencies(shaft_hz).ftf
    turns = {"outer": 0.0, "inner": shaft_hz, "ball": cage_hz}[fault] * times
    start = load_angle if fault == "outer" else rng.uniform(0, 2 * np.pi)
    weights = load_zone(start + 2 * np.pi * turns)
    if fault == "ball":
        weights = weights * np.where(np.arange(len(times)) % 2, INNER_RACE, 1.0)
    knots = np.arange(0, times[-1:].sum() + 2 * FLUCTUATION_S, FLUCTUATION_S)
    slow = np.interp(times, knots, rng.normal(0, FLUCTUATION, len(knots)))
    return weights * np.exp(slow + rng.normal(0, SCATTER, len(times)))


def strengths(
    bearing: Bearing,
    shaft_hz: float,
    fault: Fault,
    size: float,
    depth: float,
    poles: NDArray[np.complex128],
) -> NDArray[np.float64]:
    """Amplitude in g with which an impact under full load starts each mode, `(modes,)`."""
    diameter = bearing.ball_diameter
    chord = min(size, 2 * math.sqrt(diameter * depth))
    step = bearing.rolling_speed(shaft_hz) * chord / diameter  # m/s
    w = np.abs(poles)
    passed = np.exp(-CONTACTS[fault] * w / (2 * np.pi * CONTACT_HZ))
    return MOMENTUM * step * w * passed / GRAVITY
