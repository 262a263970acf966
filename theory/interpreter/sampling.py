"""Where a black box is asked: near the data, all over the domain, and at its decision boundary."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from theory.regions.polytope import as_box

# Jitter of the held-out points, in standard deviations of each feature.
HELD_OUT_JITTER = 0.1
_HELD_OUT_POINTS = 4000
_BISECTIONS = 8
_WITH_DATA = 4  # rows, at least: one of them is held out


@dataclass(frozen=True)
class Sampling:
    """How the samples are shared out; what is left of 1 lies near the data.

    Args:
        uniform: share drawn uniformly from the domain.
        gaussian: share drawn from the normal distribution with the mean and the deviations of the
            data, or of the domain.
        boundary: share found by bisection between points of unlike labels; a classification only.
        jitter: least and largest jitter of the data, in standard deviations; drawn
            log-uniformly for every sample.
        held_out: share of the data's rows that is never trained on.

    Raises:
        ValueError: for shares below 0 or of more than 1 together, or a jitter that is not
            0 < least <= largest.
    """

    uniform: float = 0.1
    gaussian: float = 0.1
    boundary: float = 0.2
    jitter: tuple[float, float] = (0.05, 1.5)
    held_out: float = 0.25

    def __post_init__(self) -> None:
        shares = (self.uniform, self.gaussian, self.boundary)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError(f"shares must be at least 0 and 1 together at most, got {shares}")
        if not 0 < self.jitter[0] <= self.jitter[1]:
            raise ValueError(f"jitter must be 0 < least <= largest, got {self.jitter}")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out is a fraction in (0, 1), got {self.held_out}")


class Place(NamedTuple):
    """Where the black box lives.

    Args:
        box: `(in_features, 2)` the domain: low and high.
        centre: `(in_features,)` mean of every feature.
        scale: `(in_features,)` its standard deviation: the unit of jitter and distances.
        rows: `(rows, in_features)` data to train near; none without data.
        held_out: `(rows, in_features)` data that is kept back; none without data.
    """

    box: Float[np.ndarray, "in_features 2"]
    centre: Float[np.ndarray, " in_features"]
    scale: Float[np.ndarray, " in_features"]
    rows: Float[np.ndarray, "rows in_features"]
    held_out: Float[np.ndarray, "held_rows in_features"]

    def inside(self, x: np.ndarray) -> np.ndarray:
        """`x`, moved to the nearest point of the domain."""
        return np.clip(x, self.box[:, 0], self.box[:, 1])


def generator(key: Array) -> np.random.Generator:
    """NumPy's generator, seeded by a JAX key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def place(
    data: ArrayLike | None,
    domain: ArrayLike | None,
    sampling: Sampling,
    random: np.random.Generator,
) -> Place:
    """The place that data, a domain or both describe.

    Without a domain it is the smallest box around the data; a feature that never changes gets the
    width 1 there. With both, rows outside the domain are left out.

    Raises:
        ValueError: for neither, unlike dimensions, numbers that are not finite, fewer than four
            rows, or a domain without low < high.
    """
    if data is None:
        if domain is None:
            raise ValueError("needs data (rows, in_features), a domain (in_features, 2), or both")
        box = as_box(domain)
        none = np.zeros((0, len(box)))
        return Place(box, box.mean(axis=1), np.ptp(box, axis=1) / np.sqrt(12), none, none)
    rows = _rows(data)
    box = _around(rows) if domain is None else as_box(domain, rows.shape[1])
    rows = rows[((rows >= box[:, 0]) & (rows <= box[:, 1])).all(axis=1)]
    if len(rows) < _WITH_DATA:
        raise ValueError(f"needs at least {_WITH_DATA} rows in the domain, got {len(rows)}")
    order = random.permutation(len(rows))
    kept_back = max(1, round(sampling.held_out * len(rows)))
    seen = rows[order[kept_back:]]
    scale = seen.std(axis=0)
    scale = np.where(scale > 0, scale, np.ptp(box, axis=1) / np.sqrt(12))
    return Place(box, seen.mean(axis=0), scale, seen, rows[order[:kept_back]])


def _rows(data: ArrayLike) -> np.ndarray:
    rows = np.array(data, np.float64)
    if rows.ndim != 2 or rows.shape[1] < 1:
        raise ValueError(f"data must be (rows, in_features), got shape {rows.shape}")
    if not np.isfinite(rows).all():
        row = int(np.argmin(np.isfinite(rows).all(axis=1)))
        raise ValueError(f"data must be finite, got {rows[row].tolist()} in row {row}")
    return rows


def _around(rows: np.ndarray) -> np.ndarray:
    if len(rows) == 0:
        raise ValueError("data has no rows")
    low, high = rows.min(axis=0), rows.max(axis=0)
    wider = np.where(high > low, 0.0, 0.5)
    return np.stack([low - wider, high + wider], axis=1)


def spread(
    where: Place, count: int, sampling: Sampling, random: np.random.Generator, boundary: float
) -> Float[np.ndarray, "points in_features"]:
    """Samples that need no labels: all but the share `boundary` of `count`.

    The data's own rows come first.
    """
    d = len(where.box)
    uniform, gaussian = round(sampling.uniform * count), round(sampling.gaussian * count)
    near = count - uniform - gaussian - round(boundary * count)
    if len(where.rows) == 0:
        near, uniform = 0, uniform + near
    own = where.rows[:near]
    parts = [
        own,
        jittered(where, where.rows, near - len(own), sampling.jitter, random),
        random.uniform(where.box[:, 0], where.box[:, 1], (uniform, d)),
        where.inside(where.centre + where.scale * random.normal(size=(gaussian, d))),
    ]
    return np.concatenate(parts)


def jittered(
    where: Place,
    rows: np.ndarray,
    count: int,
    jitter: tuple[float, float],
    random: np.random.Generator,
) -> Float[np.ndarray, "points in_features"]:
    """`count` rows drawn at random, each moved by normal noise of log-uniform size."""
    if count == 0:
        return np.zeros((0, rows.shape[1]))
    chosen = rows[random.integers(len(rows), size=count)]
    sizes = np.exp(random.uniform(np.log(jitter[0]), np.log(jitter[1]), (count, 1)))
    return where.inside(chosen + sizes * where.scale * random.normal(size=chosen.shape))


def at_boundary(
    ask: Callable[[np.ndarray], Int[np.ndarray, " points"]],
    x: Float[np.ndarray, "points in_features"],
    labels: Int[np.ndarray, " points"],
    count: int,
    random: np.random.Generator,
) -> Float[np.ndarray, "count in_features"]:
    """Points around the boundary, by bisection between points of unlike labels.

    Half of them lie within 2^-8 of their pair's distance from a change of label; the others are
    spread by 3 % of it along the pair, on both sides.

    Args:
        ask: labels of the black box.
        x: points whose labels are known.
        labels: their labels, at least two.
        count: how many to find.
        random: generator.
    """
    first = random.integers(len(x), size=count)
    second = _unlike(labels, first, random)
    start, own = x[first], labels[first]
    reach = x[second] - start
    low, high = np.zeros(count), np.ones(count)
    for _ in range(_BISECTIONS if count else 0):
        middle = (low + high) / 2
        same = ask(start + middle[:, None] * reach) == own
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    apart = 0.03 * random.normal(size=count) * (random.random(count) < 0.5)
    # No share beyond [0, 1]: both ends of the pair are in the domain, and so is all between.
    return start + np.clip((low + high) / 2 + apart, 0, 1)[:, None] * reach


def _unlike(labels: np.ndarray, first: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """For each of the first points one of another label, all of them equally likely."""
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    start = np.searchsorted(ordered, labels[first], side="left")
    alike = np.searchsorted(ordered, labels[first], side="right") - start
    drawn = random.integers(len(labels) - alike)
    return order[np.where(drawn < start, drawn, drawn + alike)]


def held_out_points(where: Place, random: np.random.Generator) -> np.ndarray:
    """Points to judge by: see :func:`like_held_out`."""
    return like_held_out(where, where.held_out, _HELD_OUT_POINTS, random)


def like_held_out(
    where: Place, rows: np.ndarray, count: int, random: np.random.Generator
) -> Float[np.ndarray, "points in_features"]:
    """Rows, equally often, jittered by 0.1 deviations; without rows uniform points of the domain.

    At least `count` of them.
    """
    if len(rows) == 0:
        return random.uniform(where.box[:, 0], where.box[:, 1], (count, len(where.box)))
    copies = np.repeat(rows, -(-count // len(rows)), axis=0)
    noise = HELD_OUT_JITTER * where.scale * random.normal(size=copies.shape)
    return where.inside(copies + noise)
