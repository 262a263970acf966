"""Searches for a set of powers: the library's, one over all sets, and the papers' genetic one."""

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from neurons.search.search import search
from neurons.search.space import Space
from neurons.search.tnsr import Tnsr

Powers = tuple[int, ...]
Finder = Callable[[np.ndarray, np.ndarray, int], Powers]
HIGHEST, MOST = 7, 5  # greatest power, and how many a formula may have
PRECISION = 1e-20  # share of y's variance that float64 cannot tell from zero


@lru_cache
def supports(highest: int, most: int) -> tuple[Powers, ...]:
    """All sets of at most `most` powers out of 1 to `highest`, the empty one first."""
    sizes = range(min(most, highest) + 1)
    powers = range(1, highest + 1)
    return tuple(s for size in sizes for s in itertools.combinations(powers, size))


def exact_search(
    x: np.ndarray,
    y: np.ndarray,
    *,
    highest: int = HIGHEST,
    most: int = MOST,
    penalty: float | None = None,
) -> Powers:
    """The set of powers with the least BIC of `y = a_0 + sum_(k in K) a_k sum_j x_j^k`.

    The papers' language is small enough to be searched whole: 119 sets of up to five of seven
    powers. One QR decomposition leaves a triangle; every set is a least-squares problem in it.

    Args:
        x: `(rows, inputs)`.
        y: `(rows,)`.
        highest: greatest power.
        most: powers of a set.
        penalty: of one power; log(rows) by default, which makes it BIC.

    Returns:
        The powers, rising; at least one, the best single one if a constant is better still.

    Example:
        >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 3))
        >>> exact_search(x, (2 * x**3 - x).sum(axis=1))
        (1, 3)
    """
    rows = len(y)
    triangle = _triangle(x, y, highest)
    penalty = np.log(rows) if penalty is None else penalty
    least = PRECISION * max(float(np.var(y)), np.finfo(float).tiny)
    found: dict[Powers, float] = {}
    for support in supports(highest, most)[1:]:
        loss = _residual(triangle, support) / rows
        found[support] = rows * np.log(max(loss, least)) + penalty * len(support)
    return min(found, key=lambda s: found[s])


def _triangle(x: np.ndarray, y: np.ndarray, highest: int) -> np.ndarray:
    scaled = np.asarray(x, np.float64) / (np.abs(x).max() or 1.0)
    sums, power = [np.ones(len(y))], np.ones_like(scaled)
    for _ in range(highest):
        power = power * scaled
        sums.append(power.sum(axis=1))
    return np.asarray(np.linalg.qr(np.stack([*sums, y], axis=1), mode="r"))


def _residual(triangle: np.ndarray, support: Sequence[int]) -> float:
    """Sum of squares that the set leaves."""
    columns = triangle[:, [0, *support]]
    solution, *_ = np.linalg.lstsq(columns, triangle[:, -1], rcond=1e-12)
    left = triangle[:, -1] - columns @ solution
    return float(left @ left)


def library_search(x: np.ndarray, y: np.ndarray, seed: int) -> Powers:
    """The powers of the best formula of `neurons.search` among sums of powers."""
    space = Space(powers=range(1, HIGHEST + 1), functions=(), terms=MOST)
    found = search(x, y, space, scale="none", key=seed).best
    # ("x",) or ("x", k, "**"): the language has nothing else.
    return tuple(sorted(int(term.postfix[1]) if term.postfix[1:] else 1 for term in found.terms))


def genetic(generations: int, *, mended: bool) -> Finder:
    """The papers' genetic search as a finder, with their settings but for the generations."""
    engine = Tnsr(generations=generations, mended=mended)

    def find(x: np.ndarray, y: np.ndarray, seed: int) -> Powers:
        return engine.run(x, y, seed).powers

    return find
