"""ROAD: remove pixels in the order of a map and fill them in from around, so that no hole shows.

A hole of constant colour is itself a cue. Here a removed pixel becomes the weighted mean of its
neighbours, removed ones included: one sparse linear system per image.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from neurons.explain.metrics.models import Scores, as_inputs, beside, ranks, scored
from neurons.explain.metrics.pairs import Found, Stack, as_masks, rows, undefined

SIDE, DIAGONAL = 1 / 6, 1 / 12
FRACTIONS: tuple[float, ...] = tuple(tenth / 10 for tenth in range(1, 10))


class Road(NamedTuple):
    """Scores after removal, by order of removal.

    Args:
        fractions: `(fractions,)` share of the pixels removed.
        most_relevant_first: `(batch, fractions)` scores; low for a faithful map (MoRF).
        least_relevant_first: `(batch, fractions)` scores; high for a faithful map (LeRF).
    """

    fractions: Found
    most_relevant_first: Found
    least_relevant_first: Found

    @property
    def combined(self) -> Found:
        """`(batch,)` mean over the fractions of `(LeRF - MoRF) / 2`; 0 for chance."""
        return (self.least_relevant_first - self.most_relevant_first).mean(axis=1) / 2


def road(
    scores: Scores,
    x: Stack,
    maps: Stack,
    *,
    fractions: Sequence[float] = FRACTIONS,
    noise: float = 0.01,
    seed: int = 0,
) -> Road:
    """Scores after the most, and after the least relevant pixels are removed and imputed.

    Args:
        scores: `(batch, height, width, channels)` to `(batch,)`.
        x: `(batch, height, width, channels)`.
        maps: `(batch, height, width)` at the inputs' size.
        fractions: shares of the pixels to remove, in (0, 1); at least one pixel goes and one
            stays.
        noise: see :func:`impute`.
        seed: of the noise, and of the order among pixels of equal relevance.

    Returns:
        The scores; NaN for maps with NaN.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: for inputs that are no images, maps of another size, scores of another shape,
            or fractions outside (0, 1).

    References:
        Y. Rong, T. Leemann et al., A Consistent and Efficient Evaluation Strategy for Attribution
        Methods, ICML 2022, arXiv 2202.00449.
    """
    images = as_inputs(x)
    lying = beside(maps, images)
    shares = np.asarray(fractions, dtype=np.float64)
    if shares.ndim != 1 or not shares.size or not ((shares > 0) & (shares < 1)).all():
        raise ValueError(f"fractions are shares in (0, 1), at least one, got {fractions}")
    found = []
    for order in (lying, -lying):
        places = ranks(order, seed)
        pixels = rows(places).shape[1]
        counts = np.clip(np.rint(shares * pixels).astype(int), 1, max(pixels - 1, 1))
        found.append(
            [
                scored(scores, impute(images, places < count, noise=noise, seed=seed))
                for count in counts
            ]
        )
    most, least = (undefined(np.stack(each), rows(lying)).T for each in found)
    return Road(shares, most, least)


def impute(x: Stack, removed: Stack, *, noise: float = 0.01, seed: int = 0) -> Found:
    """Fill removed pixels in from around, as noisy linear imputation does.

    Every removed pixel equals the mean of its neighbours in the image, sides weighing 1/6 and
    diagonals 1/12, plus Gaussian noise.

    Args:
        x: `(batch, height, width, channels)` in float32 or float64.
        removed: `(batch, height, width)` bool.
        noise: standard deviation, in the inputs' unit.
        seed: of the noise.

    Returns:
        As `x`.

    Raises:
        TypeError: for inputs that are not float32 or float64.
        ValueError: for inputs that are no images, another shape of `removed`, an image of which
            nothing stays, or negative noise.

    References:
        As for :func:`road`, section 5.
    """
    images = as_inputs(x)
    if images.ndim != 4:
        raise ValueError(f"imputation is for (batch, height, width, channels), got {images.shape}")
    if not noise >= 0:
        raise ValueError(f"noise is a standard deviation of at least 0, got {noise}")
    holes = as_masks(removed, images.shape[:-1])
    if holes.all(axis=(1, 2)).any():
        raise ValueError("an image of which no pixel stays can't be filled in")
    drawn = np.random.default_rng(seed).normal(scale=noise, size=images.shape)
    filled = [_solved(image, hole) for image, hole in zip(images, holes, strict=True)]
    stacked = np.stack(filled) if filled else images
    return np.where(holes[..., None], stacked + drawn, images).astype(images.dtype)


def _solved(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The image with its hole filled, in float64."""
    weights, totals = _neighbours(*hole.shape)
    unknown = np.flatnonzero(hole)
    found = image.reshape(hole.size, -1).astype(np.float64)
    if not unknown.size:
        return found.reshape(image.shape)
    known = np.flatnonzero(~hole)
    rows_of = weights[unknown]
    system = sparse.diags_array(totals[unknown]) - rows_of[:, unknown]
    # Symmetric: an ordering of A^T + A fills in least.
    solver = splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    found[unknown] = solver.solve(rows_of[:, known] @ found[known])
    return found.reshape(image.shape)


@lru_cache(maxsize=8)
def _neighbours(height: int, width: int) -> tuple[sparse.csr_array, np.ndarray]:
    """Weight of every neighbour of every pixel, and their sum: less than 1 at the border."""
    row, column = np.indices((height, width)).reshape(2, -1)
    starts, ends, weights = [], [], []
    for down, right in product((-1, 0, 1), repeat=2):
        if (down, right) == (0, 0):
            continue
        to_row, to_column = row + down, column + right
        inside = (to_row >= 0) & (to_row < height) & (to_column >= 0) & (to_column < width)
        starts.append(np.flatnonzero(inside))
        ends.append((to_row * width + to_column)[inside])
        weights.append(np.full(inside.sum(), DIAGONAL if down and right else SIDE))
    places = (np.concatenate(starts), np.concatenate(ends))
    shape = (height * width,) * 2
    found = sparse.csr_array((np.concatenate(weights), places), shape=shape)
    return found, np.asarray(found.sum(axis=1)).ravel()
