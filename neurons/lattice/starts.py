"""Where the knots of a fit begin, and how dead pieces come back to life."""

import numpy as np
from jaxtyping import Float

from neurons.lattice.samples import Samples

# Knots per segment with which the curvature is estimated: fewer miss bends, more see noise.
_FINE = 4
# Share of the density that is spread evenly, so that straight parts get knots too.
_EVEN = 0.1


def fitted_values(samples: Samples, knots: Float[np.ndarray, " knots"]) -> np.ndarray:
    """Values at the knots of the continuous function that fits the samples best."""
    piece = np.clip(np.searchsorted(knots, samples.x, side="right") - 1, 0, knots.size - 2)
    part = (samples.x - knots[piece]) / (knots[piece + 1] - knots[piece])
    # Normal equations of hat functions: tridiagonal, and well conditioned where samples are.
    ends = samples.weights * (1 - part), samples.weights * part
    count, inner = knots.size, np.arange(knots.size - 1)
    matrix, right = np.zeros((count, count)), np.zeros(count)
    for shift, weight, hat in ((0, ends[0], 1 - part), (1, ends[1], part)):
        matrix[inner + shift, inner + shift] += np.bincount(piece, weight * hat, count - 1)
        right[inner + shift] += np.bincount(piece, weight * samples.y, count - 1)
    matrix[inner, inner + 1] = matrix[inner + 1, inner] = np.bincount(
        piece, ends[0] * part, count - 1
    )
    values: np.ndarray = np.linalg.lstsq(matrix, right, rcond=1e-13)[0]
    return values


def knot_places(samples: Samples, segments: int, shares: np.ndarray) -> np.ndarray:
    """Knots that leave given shares of the knot density to their left.

    The best L2 fit by many segments has knots at a density of |f''|^(2/5); f'' is estimated from
    the samples by a finer fit.

    Args:
        samples: what is to be fitted.
        segments: of the fit; decides how finely f'' is estimated.
        shares: `(knots,)` increasing from 0 to 1; multiples of 1 / segments for the density itself.
    """
    fine = min(_FINE * segments, samples.x.size - 1)
    grid = np.quantile(samples.x, np.linspace(0, 1, fine + 1))
    slopes = np.diff(fitted_values(samples, grid)) / np.diff(grid)
    bends = np.abs(np.diff(slopes)) / ((grid[2:] - grid[:-2]) / 2)
    density = np.pad(bends**0.4, 1, mode="edge") if bends.size else np.ones(fine + 1)
    masses = np.diff(grid) * (density[1:] + density[:-1]) / 2
    even = np.diff(grid) / 2
    total = masses.sum()
    masses = (1 - _EVEN) * masses / total + _EVEN * even if total > 0 else even
    shared = np.concatenate([[0.0], np.cumsum(masses)])
    return apart(np.interp(shares * shared[-1], shared, grid), samples)


def apart(knots: np.ndarray, samples: Samples) -> np.ndarray:
    """Sorted knots from -1 to 1 that keep a least distance; others are spread evenly between."""
    least = 1e-3 / (knots.size - 1)
    found = np.sort(knots)
    found[0], found[-1] = samples.x[0], samples.x[-1]
    gaps = np.maximum(np.diff(found), least)
    return np.concatenate([found[:1], found[0] + np.cumsum(gaps) * 2 / gaps.sum()])


def random_shares(generator: np.random.Generator, segments: int, wild: bool) -> np.ndarray:
    """Shares for :func:`knot_places`: the density's own, jittered; or `wild`, anywhere."""
    inner = np.arange(1, segments) / segments
    if wild:
        inner = generator.uniform(size=segments - 1)
    else:
        inner = inner + generator.normal(0, 0.25 / segments, segments - 1)
    return np.concatenate([[0.0], np.sort(np.clip(inner, 0.0, 1.0)), [1.0]])


def revived(samples: Samples, knots: np.ndarray, segments: int) -> np.ndarray:
    """Knots of exactly so many segments: the worst are split, needless knots removed.

    Gradients never reach a piece that is nowhere active. It is put where it is needed most: it
    halves the segment whose samples are missed most.
    """
    while knots.size - 1 > segments:
        knots = np.delete(knots, 1 + int(np.argmin(_cost_of_each(samples, knots))))
    while knots.size - 1 < segments:
        missed = np.square(np.interp(samples.x, knots, fitted_values(samples, knots)) - samples.y)
        piece = np.clip(np.searchsorted(knots, samples.x, side="right") - 1, 0, knots.size - 2)
        worst = int(np.bincount(piece, missed * samples.weights, knots.size - 1).argmax())
        knots = np.insert(knots, worst + 1, (knots[worst] + knots[worst + 1]) / 2)
    return knots


def _cost_of_each(samples: Samples, knots: np.ndarray) -> list[float]:
    """Error of the best fit without each of the inner knots."""
    left = [np.delete(knots, i) for i in range(1, knots.size - 1)]
    fits = [(t, fitted_values(samples, t)) for t in left]
    return [float(samples.errors(t[None], v[None])[0]) for t, v in fits]
