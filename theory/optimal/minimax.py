"""The best piecewise-linear function in the largest error, by threading bars and exchanging them.

On finitely many samples the least error E is found by bisection: `theory.optimal.tunnel` says
exactly whether bars of half-height E can be passed. A fit of fewer samples can only be better, so
its E is a lower bound for a curve, or for more samples. The places where the fit misses the rest
most become samples too, and the neighbourhood of its knots is sampled finer, until the error on the
whole and the bound agree: E. Remez' exchange, with the tunnel as its solver.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from theory.optimal.result import Approximation, Fewest, certified
from theory.optimal.tunnel import Bars, Link, balance, complete, padded, sew, thread
from theory.piecewise import PiecewiseLinear

# Bisection ends when both ends agree to this, relative, or to the rounding of the values. In the
# exchange it starts with the first, and then keeps this much below the gap it has to close.
_TIGHT = 1e-12
_FIRST_TIGHT = 1e-3
_AHEAD = 0.02
# The exchange ends when error and bound agree to this, relative.
_AGREE = 1e-9
_ROUNDS = 12
_MOST_SEGMENTS = 10_000


@runtime_checkable
class Source(Protocol):
    """What is approximated: finitely many samples, or a curve with as many as one asks for."""

    @property
    def noise(self) -> float:
        """Errors below this are rounding."""

    def first(self, segments: int) -> np.ndarray:
        """`(places,)` increasing places to begin with, both ends of the domain among them."""

    def samples(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All samples there: places, values, half-heights of the bars of error 1; see `solve`."""

    def check(self, function: PiecewiseLinear, level: float) -> tuple[float, np.ndarray]:
        """The largest error of a function, and the places where it comes near or above `level`."""

    def improve(self, function: PiecewiseLinear, continuous: bool) -> PiecewiseLinear:
        """A function nearby with no larger error."""

    def around(self, function: PiecewiseLinear, places: np.ndarray) -> np.ndarray:
        """Places near the inner knots of a fit of `places`."""


@dataclass(frozen=True)
class Solution:
    """A fit of samples.

    Args:
        bound: no function of as many pieces has a smaller error.
        level: the error of the links, above the bound by rounding.
        links: the thread.
        tests: threads pulled.
    """

    bound: float
    level: float
    links: list[Link]
    tests: int


def solve(
    x: np.ndarray,
    values: np.ndarray,
    half: np.ndarray,
    segments: int,
    continuous: bool,
    low: float = 0.0,
    high: float = np.inf,
    tight: float = _TIGHT,
) -> Solution:
    """The best fit of samples, by bisection on its error.

    Args:
        x: `(samples,)` places, never decreasing.
        values: `(samples,)`.
        half: `(samples,)` 1 / weight.
        segments: most pieces.
        continuous: whether pieces have to meet.
        low: a known lower bound.
        high: a known error that can be reached.
        tight: how closely, relative, the bound and the level have to agree.
    """
    size = np.abs(values) / half
    noise = 4 * float(np.finfo(float).eps * size.max())
    level_line = float((np.abs(values - (values.max() + values.min()) / 2) / half).max())
    high = max(min(high, level_line) * (1 + tight), low) + 2 * noise
    level = low + noise if low > 0 else high / (4 * segments**2)
    links, tests = None, 0
    while links is None or high - low > tight * high + noise:
        found = thread(Bars.around(x, values, level * half), segments, continuous)
        tests += 1
        if complete(found):
            high, links, event = level, found, level * (1 - tight / 2) - noise / 2
        else:
            low, event = level, _next_event(x, values, half, found) * (1 + tight / 8)
            # An error that was known to be reached may be too low by rounding.
            high = high if low < high else 2 * high
        if links is None and high - low <= tight * high + noise:
            level = high
        else:
            level = _next_level(low, high, event if tests % 2 else 0.0, noise)
    if not continuous:
        links = balance(Bars.around(x, values, high * half), links)
    return Solution(low, high, links, tests)


def _next_level(low: float, high: float, event: float, noise: float) -> float:
    """Halves find where the error is; events, where a link gains a bar, find it exactly."""
    if high > 2 * low:
        return float(np.sqrt(max(low, noise, 1e-12 * high) * high))
    return event if low < event < high else (low + high) / 2


def _next_event(x: np.ndarray, y: np.ndarray, half: np.ndarray, links: list[Link]) -> float:
    """The least error at which some link would reach one bar more.

    A link misses bar k because of the bars i < j it touches: the three errors alternate, so that
    E (h_j + u h_i + (1 - u) h_k) = |u y_i + (1 - u) y_k - y_j| with x_j = u x_i + (1 - u) x_k.
    Where samples share a place, links do not tell which of them they miss: 0, which is no help.
    """
    if not links or (x[1:] == x[:-1]).any():
        return 0.0
    i, j = np.array([link.touched for link in links if link.missed]).T
    k = np.array([link.last + 1 for link in links if link.missed])
    u = (x[k] - x[j]) / (x[k] - x[i])
    width = half[j] + u * half[i] + (1 - u) * half[k]
    return float((np.abs(u * y[i] + (1 - u) * y[k] - y[j]) / width).min())


def exchange(source: Source, segments: int, continuous: bool) -> Approximation:
    """The best function of `segments` pieces, with a lower bound that meets its error.

    Args:
        source: what is approximated.
        segments: number of pieces.
        continuous: whether pieces have to meet.
    """
    places = source.first(segments)
    tried: list[tuple[float, PiecewiseLinear]] = []
    error, bound, tests, tight = np.inf, 0.0, 0, _FIRST_TIGHT
    for _ in range(_ROUNDS):
        found = solve(*source.samples(places), segments, continuous, bound, error, tight)
        function = padded(sew(places, found.links, continuous), segments)
        function = source.improve(function, continuous)
        reached, misses = source.check(function, found.bound)
        tests, bound = tests + found.tests, max(bound, found.bound)
        tried.append((reached, function))
        error = min(error, reached)
        if error - bound <= _AGREE * error or error <= source.noise:
            break
        tight = max(_TIGHT, _AHEAD * (error - bound) / error)
        places = _merged(places, np.concatenate([misses, source.around(function, places)]))
    best = min(tried, key=lambda pair: pair[0])[1]
    error = max(error, bound)
    done = error - bound <= _AGREE * error
    return certified(best, error, bound, "linf", tests, "tunnel", done, source.noise)


def _merged(places: np.ndarray, more: np.ndarray) -> np.ndarray:
    """All places, without those that rounding could not tell apart."""
    every = np.unique(np.concatenate([places, more]))
    size = np.maximum(np.abs(every[:-1]), np.abs(every[1:]))
    apart = np.diff(every) > 4 * np.finfo(float).eps * size
    kept = every[np.concatenate([[True], apart])]
    kept[-1] = places[-1]
    return kept


def fewest(source: Source, fit: "Fit", tolerance: float, continuous: bool, guess: int) -> Fewest:
    """The fewest segments whose error stays within a tolerance, and why fewer do not.

    Args:
        source: what is approximated.
        fit: (segments, continuous) -> the best approximation.
        tolerance: the largest error allowed.
        continuous: whether pieces have to meet.
        guess: about how many segments it will take.

    Raises:
        ValueError: for a tolerance that is not positive, or needs more than 10,000 segments.
    """
    check_tolerance(tolerance)
    if guess > _MOST_SEGMENTS:
        raise ValueError(f"tolerance {tolerance:g} needs about {guess} segments, above 10,000")
    places = source.first(guess)
    x, values, half = source.samples(places)
    bars = Bars.around(x, values, half * (tolerance + source.noise))
    # Samples need no more segments than the whole: a count to begin with, and a proof for fewer.
    segments = len(thread(bars, _MOST_SEGMENTS, continuous))
    best = fit(segments, continuous)
    while best.error > tolerance and segments < _MOST_SEGMENTS:
        segments += 1
        best = fit(segments, continuous)
    shorter = fit(segments - 1, continuous).lower_bound if segments > 1 else np.inf
    return Fewest(best, tolerance, shorter)


def check_tolerance(tolerance: float) -> float:
    """The tolerance, if it is a positive number; else a ValueError."""
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise ValueError(f"tolerance must be a positive number, got {tolerance!r}")
    return tolerance


def check_segments(segments: int) -> int:
    """The number of segments, if there is at least one; else a ValueError."""
    if segments < 1:
        raise ValueError(f"segments must be at least 1, got {segments}")
    return segments


@runtime_checkable
class Fit(Protocol):
    """A solver of one source."""

    def __call__(self, segments: int, continuous: bool) -> Approximation:
        """The best approximation with that many segments."""
