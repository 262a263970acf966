"""Rolling bearings, their fault frequencies, and vibration records measured on them."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from neurons.data.registry import DataError

Fault = Literal["normal", "ball", "inner", "outer"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
INCH = 0.0254  # m


class FaultFrequencies(NamedTuple):
    """How often a bearing's parts meet, in Hz.

    Attributes:
        bpfo: Balls passing a point of the outer race.
        bpfi: Balls passing a point of the inner race.
        bsf: Spin of a ball. A pit on a ball meets both races in one turn, so its impacts come
            at `2 * bsf`.
        ftf: Turns of the cage.
    """

    bpfo: float
    bpfi: float
    bsf: float
    ftf: float

    def impacts(self, fault: Fault) -> float:
        """Impacts per second of a fault, in Hz; 0 for a normal bearing."""
        return {"normal": 0.0, "ball": 2 * self.bsf, "inner": self.bpfi, "outer": self.bpfo}[fault]


@dataclass(frozen=True)
class Bearing:
    """Geometry of a ball bearing whose outer ring stands still.

    With `r = ball_diameter / pitch_diameter * cos(contact_angle)` and a shaft at `f` Hz,
    rolling without slip gives `bpfo = balls f (1 - r) / 2`, `bpfi = balls f (1 + r) / 2`,
    `ftf = f (1 - r) / 2` and `bsf = f (1 - r^2) pitch_diameter / (2 ball_diameter)`.

    Args:
        balls: Number of balls.
        ball_diameter: In m.
        pitch_diameter: Diameter of the circle through the balls' centres, in m.
        contact_angle: In rad, from 0 to below pi/2.

    Raises:
        ValueError: The balls do not fit, or a number is out of range.

    References:
        R. B. Randall, J. Antoni, "Rolling element bearing diagnostics - a tutorial",
        Mech. Syst. Signal Process. 25 (2011), eqs. 1-4.

    >>> round(SKF_6205.frequencies(1797 / 60).bpfo, 2)
    107.36
    """

    balls: int
    ball_diameter: float
    pitch_diameter: float
    contact_angle: float = 0.0

    def __post_init__(self) -> None:
        if not (isinstance(self.balls, int) and self.balls >= 2):
            raise ValueError(f"balls is {self.balls!r}; allowed: an integer from 2")
        if not 0 < self.ball_diameter < math.inf:
            raise ValueError(f"ball_diameter is {self.ball_diameter!r}; allowed: above 0 m")
        room = self.pitch_diameter * math.sin(math.pi / self.balls)  # chord between neighbours
        if not self.ball_diameter <= room < math.inf:
            raise ValueError(
                f"{self.balls} balls of ball_diameter {self.ball_diameter} m do not fit a "
                f"pitch_diameter of {self.pitch_diameter} m; allowed: up to {room} m"
            )
        if not 0 <= self.contact_angle < math.pi / 2:
            raise ValueError(f"contact_angle is {self.contact_angle!r}; allowed: 0 to below pi/2")

    @property
    def ratio(self) -> float:
        """`ball_diameter / pitch_diameter * cos(contact_angle)`, without a unit."""
        return self.ball_diameter / self.pitch_diameter * math.cos(self.contact_angle)

    def frequencies(self, shaft_hz: float) -> FaultFrequencies:
        """Fault frequencies for a shaft turning at `shaft_hz` Hz.

        Raises:
            ValueError: The shaft's speed is not positive and finite.
        """
        _positive("shaft_hz", shaft_hz, "Hz")
        half, r = shaft_hz / 2, self.ratio
        spin = half * (1 - r**2) * self.pitch_diameter / self.ball_diameter
        count = self.balls * half
        return FaultFrequencies(count * (1 - r), count * (1 + r), spin, half * (1 - r))

    def rolling_speed(self, shaft_hz: float) -> float:
        """Speed in m/s at which a contact point runs over either race and over the ball.

        It is `pi ball_diameter bsf`, the same on all three as nothing slips.
        """
        return math.pi * self.ball_diameter * self.frequencies(shaft_hz).bsf


SKF_6205 = Bearing(balls=9, ball_diameter=0.3126 * INCH, pitch_diameter=1.537 * INCH)
"""Deep-groove drive-end bearing of the CWRU rig, as its data center gives the geometry."""

HC7003 = Bearing(13, ball_diameter=4.7625e-3, pitch_diameter=26e-3, contact_angle=math.radians(15))
"""Angular-contact bearing of the HIT rig. An assumption: bore 17 mm and outside diameter 35 mm
(mean 26 mm) are the 7003 size; 13 balls of 3/16 in at 15 degrees are a common filling of it,
not the maker's statement about this bearing."""


@dataclass(frozen=True, eq=False)
class Recording:
    """One vibration record of a bearing in one state.

    Args:
        name: Name of the state, for instance `inner_014`.
        signal: Acceleration in g, shape `(samples,)`; kept as a read-only float64 array.
        rate: Samples per second, in Hz.
        shaft_hz: Speed of the shaft, in Hz.
        fault: Where the fault is: `"normal"`, `"ball"`, `"inner"` or `"outer"`.
        size: Diameter of the fault in m; 0 exactly for a normal bearing.
        load_hp: Load of the motor in horsepower.

    Raises:
        DataError: The signal is empty, no real vector, or holds NaN or infinity.
        ValueError: Another argument is out of range.
    """

    name: str
    signal: NDArray[np.float64]
    rate: float
    shaft_hz: float
    fault: Fault
    size: float
    load_hp: float = 0.0

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"fault is {self.fault!r}; allowed: {', '.join(FAULTS)}")
        _positive("rate", self.rate, "Hz")
        _positive("shaft_hz", self.shaft_hz, "Hz")
        if not 0 <= self.size < math.inf or (self.size == 0) != (self.fault == "normal"):
            raise ValueError(
                f"size is {self.size!r} m for fault {self.fault!r}; "
                "allowed: above 0 m for a fault, 0 for normal"
            )
        if not 0 <= self.load_hp < math.inf:
            raise ValueError(f"load_hp is {self.load_hp!r}; allowed: 0 and above")
        object.__setattr__(self, "signal", check_signal(self.name, self.signal))


@dataclass(frozen=True, eq=False)
class Records:
    """A set of records, one a class; a class's label is its place.

    Args:
        name: Name of the set.
        recordings: The records, in the order of their labels.
        bearing: The bearing they were measured on.
        source: Where they come from, in words.
        simulated: Whether a simulator made them.

    Raises:
        ValueError: No records, or two of the same name.
    """

    name: str
    recordings: tuple[Recording, ...]
    bearing: Bearing
    source: str
    simulated: bool

    def __post_init__(self) -> None:
        if not self.recordings or len(set(self.classes)) < len(self.recordings):
            raise ValueError(
                f"records {self.name!r} have the classes {self.classes}; "
                "allowed: at least one, no name twice"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their labels."""
        return tuple(recording.name for recording in self.recordings)

    def __str__(self) -> str:
        kilohertz = _listed(recording.rate / 1e3 for recording in self.recordings)
        horsepower = _listed(recording.load_hp for recording in self.recordings)
        kind = "simulated" if self.simulated else "real"
        return f"{self.name}: {self.source}, {kilohertz} kHz, {horsepower} hp ({kind})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names, rates, speeds and samples: a key for what was computed from them."""
        total = hashlib.sha256()
        for recording in self.recordings:
            total.update(f"{recording.name} {recording.rate} {recording.shaft_hz}\n".encode())
            total.update(recording.signal.astype("<f8").tobytes())
        return total.hexdigest()


def check_signal(name: str, signal: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return a record's signal `(samples,)` as a read-only float64 array.

    Raises:
        DataError: It is empty, no real vector, or holds NaN or infinity; names record and index.
    """
    raw = np.asarray(signal)
    if raw.dtype.kind not in "fiu" or raw.ndim != 1 or raw.size == 0:
        found = f"{raw.dtype} of shape {raw.shape}"
        raise DataError(name, "a real vector, not empty", found, "read the record again")
    bad = np.flatnonzero(~np.isfinite(raw))
    if bad.size:
        found = f"{bad.size} others, the first is {raw[bad[0]]} at index {bad[0]}"
        raise DataError(name, "finite samples", found, "repair or leave out the record")
    clean = raw.astype(np.float64)
    clean.flags.writeable = False
    return clean


def _listed(values: Iterable[float]) -> str:
    return " and ".join(f"{value:g}" for value in sorted(set(values)))


def _positive(name: str, value: float, unit: str) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}; allowed: above 0 {unit}, finite")
