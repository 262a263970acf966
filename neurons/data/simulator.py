"""A physical simulator of vibration records of ball bearings with a local fault.

The acceleration in g is

    x(t) = sum_i w_i [s(t - t_i - gap) - s(t - t_i) / 2] + shaft(t) + rolling(t)

- `t_i` are the impacts. Their intervals are `(1 + slip e_i) / f` with the fault's frequency `f`
  and independent standard normal `e_i`: the phase drifts, as in a bearing whose cage slips.
- `s(t) = sum_m a_m exp(-z w_m t) sin(w_m sqrt(1 - z^2) t)` is the answer of the housing's
  modes, exact at every sample wherever between two samples the impact falls.
- A ball rolling at the speed `v` over a pit turns by the angle `c / ball_diameter`, `c` the
  pit's chord that it sinks into: the diameter `size`, or less if the pit is shallow. `a_m` is
  this velocity step times `w_m`, times the share of the momentum that the housing takes,
  times `exp(-n w_m / w_0)` for the `n` contacts between the fault and the sensor.
- It meets the pit's two edges `gap = size / v` apart, the way in with half the strength.
- `w_i` is the load at the fault (inner race: one cycle a shaft turn; ball: one a cage turn, and
  weaker at the inner race, which it meets every second time; outer race: constant), times a
  slow fluctuation, times a scatter from impact to impact.
- `shaft` holds three harmonics of the shaft, from unbalance and misalignment; `rolling` is the
  noise of healthy rolling, coloured by the same modes.

References:
    P. D. McFadden, J. D. Smith, "Model for the vibration produced by a single point defect in
    a rolling element bearing", J. Sound Vib. 96 (1984): impacts and load.
    J. Antoni, R. B. Randall, "A stochastic model for simulation and diagnostics of rolling
    element bearings with localized faults", J. Vib. Acoust. 125 (2003): the slip.
    N. Sawalhi, R. B. Randall, "Vibration response of spalled rolling element bearings", Mech.
    Syst. Signal Process. 25 (2011): the two edges of a pit.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from neurons.data import impacts
from neurons.data.bearings import FAULTS, HC7003, INCH, SKF_6205, Bearing, Fault, Recording, Records
from neurons.data.windows import add_noise

RESONANCE_HZ = (1200.0, 3100.0)
WAY_IN = 0.5  # strength of a pit's first edge beside its second
SHAFT_G = (0.02, 0.012, 0.006)  # harmonics at 30 Hz; they grow with the square of the speed
ROLLING_G = 0.06  # root mean square
SMOOTH = 0.5  # share of the rolling noise's power that the modes do not colour
MOUNTING = 0.03  # standard deviation of the logarithm of a mode's frequency, record to record
RATE = 12_000.0  # Hz
HIT_SIZE = 1e-3  # m
HIT_DEPTHS = (("minor", 5e-6), ("moderate", 10e-6), ("severe", 20e-6))  # m
SOURCE = "simulated by neurons.data.simulator"


def simulate(
    bearing: Bearing,
    shaft_hz: float,
    fault: Fault,
    size: float,
    *,
    seconds: float,
    rate: float,
    snr_db: float | None = None,
    resonance_hz: Sequence[float] = RESONANCE_HZ,
    damping: float = 0.04,
    slip: float = 0.01,
    load_angle: float = 0.0,
    depth: float = math.inf,
    name: str | None = None,
    seed: int,
) -> Recording:
    """One vibration record; the module's docstring has the formula.

    Args:
        bearing: Its geometry.
        shaft_hz: Speed of the shaft, in Hz.
        fault: `"normal"`, `"ball"`, `"inner"` or `"outer"`.
        size: Diameter of the pit in m, below the ball's; at 0 the bearing is normal.
        seconds: Length of the record, in s.
        rate: Samples per second, in Hz.
        snr_db: Ratio of the whole vibration to the sensor's white noise, in dB; None for none.
        resonance_hz: Natural frequencies of the housing, from 1 Hz to below `rate / 2`.
        damping: Damping ratio of every mode, above 0 and below 1.
        slip: Standard deviation of an interval between impacts, as a share of it; 0 to 0.1.
        load_angle: Angle between a fault of the outer race and the load, in rad.
        depth: Depth of the pit in m; it weakens the impact where the ball reaches the ground.
        name: Name of the record; by default the fault's.
        seed: Seed of everything random.

    Returns:
        The record, `round(seconds * rate)` samples in g.

    Raises:
        ValueError: An argument is out of range.
    """
    _check_fault(bearing, fault, size)
    _check_ranges(
        {
            "depth": (depth, depth > 0, "above 0 m"),
            "rate": (rate, 0 < rate < math.inf, "above 0 Hz"),
            "seconds": (seconds, 1 <= seconds * rate < math.inf, "at least one sample"),
            "resonance_hz": (resonance_hz, _resonant(resonance_hz, rate), "1 to rate / 2 Hz"),
            "damping": (damping, 0 < damping < 1, "above 0 and below 1"),
            "slip": (slip, 0 <= slip <= 0.1, "0 to 0.1"),
            "load_angle": (load_angle, math.isfinite(load_angle), "a finite angle in rad"),
        }
    )
    impact_hz = bearing.frequencies(shaft_hz).impacts(fault)
    poles, count = impacts.modes(resonance_hz, damping), round(seconds * rate)
    rngs = np.random.default_rng(seed).spawn(4)
    signal = _shaft(count, rate, shaft_hz, rngs[0]) + _rolling(count, rate, poles, rngs[1])
    if size > 0:
        times = impacts.impact_times(impact_hz, seconds, slip, rngs[2])
        weights = impacts.impact_weights(bearing, shaft_hz, fault, times, load_angle, rngs[2])
        gap = size / bearing.rolling_speed(shaft_hz)
        levels = impacts.strengths(bearing, shaft_hz, fault, size, depth, poles)
        for pole, level in zip(poles, levels, strict=True):
            signal += level * impacts.ring(times + gap, weights, count, rate, pole)
            signal -= level * WAY_IN * impacts.ring(times, weights, count, rate, pole)
    state: Fault = fault if size > 0 else "normal"
    noisy = add_noise(signal, snr_db, rngs[3])
    return Recording(name or state, noisy, rate, shaft_hz, state, float(size))


def simulated_cwru(seconds: float = 10.1, seed: int = 0) -> Records:
    """Ten records like those of `cwru`, made up: same bearing, speed, rate, classes and order.

    Args:
        seconds: Length of each record, in s.
        seed: Seed of everything random.

    Raises:
        ValueError: The length or the seed is out of range.
    """
    states: list[tuple[str, Fault, float, float]] = [("normal", "normal", 0.0, math.inf)]
    for fault in FAULTS[1:]:
        states += [(f"{fault}_{m:03d}", fault, m * 1e-3 * INCH, math.inf) for m in (7, 14, 21)]
    return _records("simulated_cwru", SKF_6205, 1797 / 60, states, seconds, seed)


def simulated_hit(seconds: float = 10.1, seed: int = 0) -> Records:
    """Ten records after the description of the private HIT set, made up.

    A normal bearing, and cracks of one size but three depths (minor, moderate, severe) on a
    ball, the inner and the outer race, at 1800 rpm and 12 kHz. Size, depths and the bearing's
    geometry are assumptions; the original records last 47 s.

    Args:
        seconds: Length of each record, in s.
        seed: Seed of everything random.

    Raises:
        ValueError: The length or the seed is out of range.
    """
    states: list[tuple[str, Fault, float, float]] = [("normal", "normal", 0.0, math.inf)]
    for fault in FAULTS[1:]:
        states += [(f"{fault}_{word}", fault, HIT_SIZE, depth) for word, depth in HIT_DEPTHS]
    return _records("simulated_hit", HC7003, 1800 / 60, states, seconds, seed)


def _records(
    name: str,
    bearing: Bearing,
    shaft_hz: float,
    states: Sequence[tuple[str, Fault, float, float]],
    seconds: float,
    seed: int,
) -> Records:
    seeds = np.random.SeedSequence(seed).generate_state(len(states), np.uint64)
    recordings = tuple(
        simulate(
            bearing,
            shaft_hz,
            fault,
            size,
            resonance_hz=_mounted(int(own)),
            depth=depth,
            seconds=seconds,
            rate=RATE,
            name=state,
            seed=int(own),
        )
        for (state, fault, size, depth), own in zip(states, seeds, strict=True)
    )
    return Records(name, recordings, bearing, SOURCE, simulated=True)


def _mounted(seed: int) -> tuple[float, ...]:
    # Every fault comes in a bearing of its own: mounting it shifts the housing's modes a little.
    shift = np.random.default_rng(seed).standard_normal(len(RESONANCE_HZ))
    return tuple(np.asarray(RESONANCE_HZ) * np.exp(MOUNTING * shift))


def _shaft(
    count: int, rate: float, shaft_hz: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    order = np.arange(1, len(SHAFT_G) + 1)[:, None]
    phase = 2 * np.pi * order * shaft_hz / rate * np.arange(count)  # (harmonics, samples)
    waves = np.sin(phase + rng.uniform(0, 2 * np.pi, order.shape))
    return (shaft_hz / 30) ** 2 * np.asarray(SHAFT_G) @ waves


def _rolling(
    count: int, rate: float, poles: NDArray[np.complex128], rng: np.random.Generator
) -> NDArray[np.float64]:
    signal = math.sqrt(SMOOTH) * rng.standard_normal(count)
    for pole in poles:
        noise = lfilter([1.0], [1.0, -np.exp(pole / rate)], rng.standard_normal(count)).imag
        variance = _power(pole / rate) * len(poles)
        signal += math.sqrt((1 - SMOOTH) / variance) * noise
    return ROLLING_G * signal


def _power(step: complex) -> float:
    # Sum over n of Im(exp(n step))^2: the variance of white noise through the mode.
    return 0.5 * (1 / (1 - math.exp(2 * step.real)) - (1 / (1 - np.exp(2 * step))).real)


def _check_fault(bearing: Bearing, fault: Fault, size: float) -> None:
    if fault not in FAULTS:
        raise ValueError(f"fault is {fault!r}; allowed: {', '.join(FAULTS)}")
    if fault == "normal" and size != 0:
        raise ValueError(f"size is {size!r} m for a normal bearing; allowed: 0")
    if not 0 <= size < bearing.ball_diameter:
        raise ValueError(f"size is {size!r}; allowed: 0 to below {bearing.ball_diameter} m")


def _check_ranges(ranges: Mapping[str, tuple[object, bool, str]]) -> None:
    for name, (value, fits, allowed) in ranges.items():
        if not fits:
            raise ValueError(f"{name} is {value!r}; allowed: {allowed}")


def _resonant(resonance_hz: Sequence[float], rate: float) -> bool:
    return len(resonance_hz) > 0 and all(1 <= hertz < rate / 2 for hertz in resonance_hz)
