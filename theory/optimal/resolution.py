"""From a callable to panels: sample it until polynomials reproduce it.

A user's callable may be slow, compile for every shape, or have a kink or a root at an end. It is
sampled once: panels are halved until degree-15 Chebyshev interpolation resolves the function, so
that panels crowd where it is hard. All solvers then work with the panels.
"""

from collections.abc import Callable

import jax
import numpy as np
from numpy.polynomial import chebyshev

from theory.optimal.target import DEGREE, Target

_FIRST_PANELS = 8
_MOST_PANELS = 4096
# Tails below this, relative to the largest value, are rounding; float32 results have fewer digits.
_RESOLVED: dict[np.dtype, float] = {np.dtype(np.float64): 4e-15, np.dtype(np.float32): 2e-6}
# Values that grow by this factor as panels shrink belong to a pole, not to a jump.
_POLE = 1e3
# A panel of so many grains of floating point is wide enough to tell a slope from a jump.
_COARSE = 1e3
# No panel is shorter than this part of the domain, however hard the function is there.
_SHORTEST = 1e-30
# Batches sent to the callable are multiples of this, so that a jitted one compiles seldom.
_BATCH = 128

# Chebyshev points of the first kind leave out the ends, where a derivative may be infinite.
_POINTS = chebyshev.chebpts1(DEGREE + 1)
_TO_COEFFICIENTS = np.linalg.inv(chebyshev.chebvander(_POINTS, DEGREE))


def resolve(function: Callable[..., object], domain: tuple[float, float]) -> Target:
    """Sample a callable until polynomials on panels reproduce it to rounding.

    Args:
        function: of an array of float64, vectorised or not, NumPy or JAX (called with 64-bit types
            enabled). Kinks, jumps and infinite slopes are found; a feature narrower than about a
            hundredth of the domain may be missed.
        domain: (low, high), both finite.

    Raises:
        ValueError: for a bad domain, values that are not finite, of the wrong shape, growing
            beyond bounds (a pole), or too rough to resolve.

    Example:
        >>> target = resolve(np.exp, (0.0, 1.0))
        >>> bool(abs(target(0.3) - np.exp(0.3)) < 1e-15), target.curvature
        (True, 'convex')
    """
    low, high = _domain(domain)
    sample = _Sampler(function)
    ends = sample(np.array([low, high]))
    left = np.linspace(low, high, _FIRST_PANELS + 1)[:-1]
    width = np.full(_FIRST_PANELS, (high - low) / _FIRST_PANELS)
    done: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    size, first_size, resolved = float(np.abs(ends).max()), None, 0.0
    panels = 0
    while left.size:
        points = left[:, None] + width[:, None] * (1 + _POINTS) / 2
        values = sample(points.ravel()).reshape(points.shape)
        size = max(size, float(np.abs(values).max()))
        first_size = size if first_size is None else first_size
        if size > _POLE * first_size:
            worst = points.ravel()[np.abs(values).argmax()]
            raise ValueError(f"the function grows beyond bounds near x = {worst:.6g}: a pole?")
        rows = values @ _TO_COEFFICIENTS.T
        resolved = _RESOLVED[sample.dtype] * size
        # Where x itself is rounded, so is f, in proportion to its slope; at a jump it is not that.
        reach = np.maximum(np.abs(left), np.abs(left + width))
        grain = 8 * np.finfo(float).eps * reach
        shaken = np.where(width > _COARSE * grain, grain / width, 0) * np.abs(rows[:, 1:]).sum(1)
        fine = np.abs(rows[:, -3:]).max(axis=1) <= resolved + shaken
        shortest = np.maximum(grain, _SHORTEST * (high - low))
        tiny = ~fine & (width <= shortest)
        rows[tiny] = _chords(sample, left[tiny], width[tiny])
        done.append((left[fine | tiny], width[fine | tiny], rows[fine | tiny]))
        rough = ~(fine | tiny)
        panels += int((fine | tiny).sum())
        if panels + 2 * rough.sum() > _MOST_PANELS:
            raise ValueError(
                f"the function is too rough to resolve near x = {left[rough][0]:.6g}: noise or "
                "fast oscillation; give samples (x, y) instead"
            )
        halved = width[rough] / 2
        left = np.concatenate([left[rough], left[rough] + halved])
        width = np.concatenate([halved, halved])
    order = np.argsort(np.concatenate([part[0] for part in done]))
    edges = np.concatenate([part[0] for part in done])[order]
    coefficients = np.concatenate([part[2] for part in done])[order]
    return Target(np.append(edges, high), coefficients, resolved / 16)


def _domain(domain: object) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in domain)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise ValueError(f"domain must be (low, high), got {domain!r}") from None
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"domain must be (low, high), finite with low < high, got {domain!r}")
    if (high - low) <= 1e-9 * max(abs(low), abs(high)):
        raise ValueError(f"domain {domain!r} is too narrow for float64")
    return low, high


class _Sampler:
    """A callable that is checked at every call; scalar functions are looped over."""

    def __init__(self, function: Callable[..., object]) -> None:
        if not callable(function):
            raise TypeError(f"needs a callable or data (x, y), got {type(function).__name__}")
        self._function = function
        self._loop = False
        self.dtype: np.dtype = np.dtype(np.float64)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        padded = np.pad(x, (0, -x.size % _BATCH), mode="edge")
        with jax.enable_x64(True), np.errstate(all="ignore"):
            values = self._raw(padded)
        if values.shape != padded.shape:
            raise ValueError(
                f"the function must return one number per point: {values.shape} for {padded.shape}"
            )
        if values.dtype == np.float32:
            self.dtype = np.dtype(np.float32)
        found = values[: x.size].astype(np.float64)
        if not np.isfinite(found).all():
            bad = x[~np.isfinite(found)][0]
            raise ValueError(f"the function is not finite at x = {bad:.6g}: a pole in the domain?")
        return found

    def _raw(self, x: np.ndarray) -> np.ndarray:
        if not self._loop:
            try:
                values = np.asarray(self._function(x))
                if values.shape == () and x.size > 1:
                    values = np.broadcast_to(values, x.shape)
                return _real(values)
            except (TypeError, ValueError) as error:
                self._loop = True
                try:
                    return self._raw(x)
                except Exception:
                    self._loop = False
                    raise error from None
        return _real(np.array([self._function(float(point)) for point in x]))


def _real(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "fiub":
        raise ValueError(f"the function must return real numbers, got {values.dtype}")
    return values if values.dtype == np.float32 else values.astype(np.float64)


def _chords(sample: _Sampler, left: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Straight lines for panels too narrow to halve: what a kink or a jump leaves over."""
    rows = np.zeros((left.size, DEGREE + 1))
    if left.size:
        ends = sample(np.concatenate([left, left + width])).reshape(2, -1)
        rows[:, 0], rows[:, 1] = ends.mean(axis=0), (ends[1] - ends[0]) / 2
    return rows
