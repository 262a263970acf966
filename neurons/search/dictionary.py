"""The first stages: a small dictionary that is always read, and a rich one if need be."""

from functools import cached_property
from itertools import combinations

import numpy as np

from neurons.search.archive import Archive
from neurons.search.pool import Pool, fill_pool, power_terms
from neurons.search.projection import project_out
from neurons.search.proposals import base_columns, pairs, singles, subsets
from neurons.search.settle import Stop, never, settle
from neurons.search.skeletons import Skeleton, basic, rich, shifted, simple, without_twins

# One right formula in twenty fails a test at 5 %: the more has been tried, the more likely is that.
_TRIED, _TRIED_HARD = 0.01, 0.001


class Dictionary:
    """Rounds of a search, from cheap to dear; each says whether the data has no more to say.

    Args:
        archive: the data, and where models go.
        stop: asked before every fit.
    """

    def __init__(self, archive: Archive, stop: Stop = never):
        self.archive, self.stop = archive, stop

    def polynomials(self) -> bool:
        """Every sum of at most four powers, by exact least squares."""
        archive, powers = self.archive, self.archive.space.powers
        columns = base_columns(archive, powers)
        for size in range(1, min(archive.space.terms, 4, len(powers)) + 1):
            chosen = list(combinations(range(len(powers)), size))
            left = project_out(columns[np.array(chosen)], archive.evaluator.problem.target)
            for places, excess in zip(chosen, np.einsum("srt,srt->s", left, left), strict=True):
                archive.offer(power_terms([powers[place] for place in places]), float(excess))
        return archive.solved()

    def simple_terms(self) -> bool:
        """One function with one inner constant beside at most two powers."""
        most, each = (200, 12) if self.archive.evaluator.problem.noisy else (40, 4)
        proposals = singles(self.archive, self._simple, self._bases(5, 2), each, 4)
        return settle(self.archive, proposals[:most], self.stop)

    def simple_pairs(self) -> bool:
        """Two such functions, one of them without a power."""
        plain = {skeleton.term for skeleton in basic(self.archive.space)}
        count = sum(skeleton.term in plain for skeleton in self._simple.skeletons)
        firsts = self._simple.part(0, count)  # they come first
        return settle(self.archive, pairs(self.archive, firsts, self._simple, [()], 48), self.stop)

    def shifted_terms(self) -> bool:
        """One function with all its constants beside at most one power."""
        proposals = singles(self.archive, self._shifted, self._bases(3, 1), 80, 5)
        return settle(self.archive, proposals, self.stop, _TRIED)

    def rich_terms(self) -> bool:
        """Shifts, compositions, products and quotients beside at most two powers."""
        proposals = singles(self.archive, self._rich, self._bases(3, 2), 50, 5)
        return settle(self.archive, proposals, self.stop, _TRIED_HARD)

    def shifted_pairs(self) -> bool:
        """Two functions with all their constants, beside at most one power."""
        pool = self._shifted
        proposals = pairs(self.archive, pool, pool, self._bases(3, 1), 150)
        return settle(self.archive, proposals, self.stop, _TRIED_HARD)

    def rich_sweep(self) -> bool:
        """Every skeleton there is, beside as many powers as may be."""
        most = [max(self._bases(3, self.archive.space.terms - 1), key=len)]
        proposals = singles(self.archive, self._rich, most, len(self._rich.skeletons), 4)
        return settle(self.archive, proposals, self.stop, _TRIED_HARD)

    def rich_pairs(self) -> bool:
        """A simple function and a rich one, beside at most one power."""
        firsts = self._pool(basic(self.archive.space), (10, 10, 10))
        proposals = pairs(self.archive, firsts, self._rich, self._bases(1, 1), 150)
        return settle(self.archive, proposals, self.stop, _TRIED_HARD)

    def _bases(self, highest: int, most: int) -> list[tuple[int, ...]]:
        small = [power for power in self.archive.space.powers if power <= highest]
        return list(subsets(small, min(most, self.archive.space.terms - 1)))

    @cached_property
    def _simple(self) -> Pool:
        return self._pool(simple(self.archive.space), (24, 24, 24))

    @cached_property
    def _shifted(self) -> Pool:
        return self._pool(shifted(self.archive.space), (24, 48, 64))

    @cached_property
    def _rich(self) -> Pool:
        return self._pool(rich(self.archive.space), (24, 100, 160))

    def _pool(self, skeletons: list[Skeleton], samples: tuple[int, int, int]) -> Pool:
        archive, evaluator = self.archive, self.archive.evaluator
        skeletons = without_twins(skeletons, evaluator.problem.nodes, evaluator.operators)
        archive.skeletons.update({skeleton.term: skeleton for skeleton in skeletons})
        sizes = [archive.space.size(skeleton.term) for skeleton in skeletons]
        return fill_pool(archive.evaluator, skeletons, sizes, samples)
