"""Which structures are worth fitting, and from where: what the pools' columns promise."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from neurons.search.archive import Archive
from neurons.search.fitting import Term
from neurons.search.pool import Pool, gains, pair_gains, power_terms
from neurons.search.projection import basis_of

_PAIRS = 1 << 17  # pairs weighed at once: 1 MB an array stays in the cache

_NEAR = 0.25  # relative difference below which constants are neighbours


@dataclass(frozen=True)
class Proposal:
    """A structure worth fitting, with places to start.

    Args:
        base: powers of x that stand beside.
        terms: the other terms, with any constants.
        starts: constants `(starts, all)`.
        promise: squared loss, above the rest, at the best start, times the handicap of its size.
    """

    base: tuple[int, ...]
    terms: tuple[Term, ...]
    starts: np.ndarray
    promise: float

    @property
    def whole(self) -> tuple[Term, ...]:
        """All terms."""
        return (*power_terms(self.base), *self.terms)


def subsets(powers: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """All sets of at most so many powers, small ones first."""
    for size in range(most + 1):
        yield from combinations(powers, size)


def base_columns(archive: Archive, powers: Sequence[int]) -> np.ndarray:
    """Columns `(powers, rows)` of powers of x."""
    return archive.evaluator.columns(power_terms(powers), np.empty((1, 0)))[0]


def _left(basis: np.ndarray, target: np.ndarray) -> float:
    """Squared loss that a basis leaves of the targets."""
    return float(((target - basis @ (basis.T @ target)) ** 2).sum())


def singles(
    archive: Archive, pool: Pool, bases: Iterable[tuple[int, ...]], keep: int, starts: int
) -> list[Proposal]:
    """One term of the pool beside a few powers: the `keep` most promising skeletons per base."""
    target = archive.evaluator.problem.target
    found = []
    for powers in bases:
        basis = basis_of(base_columns(archive, powers))
        left = _left(basis, target)
        promises = (left - gains(pool.columns, basis, target)) * pool.handicap
        for places in _by_owner(pool, promises, keep, starts):
            term = pool.skeletons[pool.owner[places[0]]].term
            promise = float(promises[places[0]])
            found.append(Proposal(powers, (term,), _spread_out(pool.rows(places), starts), promise))
    return sorted(found, key=lambda proposal: proposal.promise * 3.0 ** len(proposal.base))


def _by_owner(pool: Pool, promises: np.ndarray, keep: int, starts: int) -> Iterator[np.ndarray]:
    """For the `keep` best skeletons, the places of their best columns."""
    order = np.lexsort((promises, pool.owner))
    edges = np.flatnonzero(np.diff(pool.owner[order], prepend=-1, append=-1))
    best = promises[order[edges[:-1]]]
    for group in np.argsort(best, kind="stable")[:keep]:
        yield order[edges[group] : min(edges[group] + 6 * starts, edges[group + 1])]


def _spread_out(constants: np.ndarray, starts: int) -> np.ndarray:
    """A few of the constants `(rows, all)`, best first, that lead to different minima.

    The best of every pattern of signs comes first, then what is no neighbour of those.
    """
    _, best = np.unique(np.sign(constants), axis=0, return_index=True)
    known = [constants[place] for place in np.sort(best)[:starts]]
    for row in constants:
        if len(known) == starts:
            break
        near = (np.abs(row - other) <= _NEAR * (np.abs(row) + np.abs(other)) for other in known)
        if not any(each.all() for each in near):
            known.append(row)
    return np.array(known)


def pairs(
    archive: Archive,
    firsts: Pool,
    pool: Pool,
    bases: Iterable[tuple[int, ...]],
    keep: int,
    starts: int = 4,
) -> list[Proposal]:
    """Two terms, one of each pool, beside a few powers."""
    target = archive.evaluator.problem.target
    found: dict[tuple[object, ...], tuple[float, int, int]] = {}
    bases = {powers: basis_of(base_columns(archive, powers)) for powers in bases}
    for powers, basis in bases.items():
        left = _left(basis, target)
        for i, j, promise in _best_pairs(firsts, pool, basis, left, target, 40 * keep):
            one, two = firsts.skeletons[firsts.owner[i]].term, pool.skeletons[pool.owner[j]].term
            key = (powers, frozenset((one, two)))
            found.setdefault(key, (promise, int(firsts.owner[i]), int(pool.owner[j])))
    best = sorted(found.items(), key=lambda item: item[1][0])[:keep]
    return [
        Proposal(
            powers,  # type: ignore[arg-type]
            (firsts.skeletons[one].term, pool.skeletons[two].term),
            _starts_of(firsts.part(one), pool.part(two), bases[powers], target, starts),  # type: ignore[index]
            promise,
        )
        for (powers, _), (promise, one, two) in best
    ]


def _starts_of(
    one: Pool, two: Pool, basis: np.ndarray, target: np.ndarray, starts: int
) -> np.ndarray:
    """Where two skeletons together explain most, in different places."""
    gain = pair_gains(one.columns, two.columns, basis, target).ravel()
    order = np.argsort(-gain, kind="stable")[: 64 * starts]
    i, j = np.divmod(order, len(two.owner))
    return _spread_out(np.concatenate([one.rows(i), two.rows(j)], axis=1), starts)


def _best_pairs(
    firsts: Pool, pool: Pool, basis: np.ndarray, left: float, target: np.ndarray, count: int
) -> list[tuple[int, int, float]]:
    """The pairs that leave least: places in both pools, and the promise."""
    if not len(firsts.owner):
        return []
    step = max(1, _PAIRS // len(firsts.owner))
    found: list[tuple[np.ndarray, np.ndarray]] = []  # places and promises, chunk by chunk
    worst = np.inf
    for start in range(0, len(pool.owner), step):
        part = slice(start, start + step)
        promise = left - pair_gains(firsts.columns, pool.columns[part], basis, target)
        promise *= firsts.handicap[:, None] * pool.handicap[part]
        flat = promise.ravel()
        good = np.flatnonzero(flat < worst)
        good = good[_smallest(flat[good], count)]
        rows, columns = np.divmod(good, promise.shape[1])
        found.append((rows * len(pool.owner) + columns + start, flat[good]))
        if sum(len(places) for places, _ in found) > 4 * count:
            found = [_merged(found, count)]
            worst = float(found[0][1][-1])
    places, promises = _merged(found, count)
    rows, columns = np.divmod(places, len(pool.owner))
    return list(zip(rows.tolist(), columns.tolist(), promises.tolist(), strict=True))


def _merged(
    found: Sequence[tuple[np.ndarray, np.ndarray]], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The best of several chunks, best first."""
    found = [(np.empty(0, int), np.empty(0)), *found]
    places, promises = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.argsort(promises, kind="stable")[:count]
    return places[order], promises[order]


def _smallest(values: np.ndarray, count: int) -> np.ndarray:
    if len(values) > count:
        chosen = np.argpartition(values, count)[:count]
    else:
        chosen = np.arange(len(values))
    return chosen[np.argsort(values[chosen], kind="stable")]
