"""From proposals to models: fit, compare, simplify."""

from collections.abc import Callable, Sequence

import numpy as np

from neurons.search.archive import Archive, Model, bare, constants_of, excess_of, fill, refit
from neurons.search.fitting import Evaluator, Term, fit
from neurons.search.proposals import Proposal, base_columns
from neurons.search.skeletons import is_sensible

Stop = Callable[[], bool]


def never() -> bool:
    """The answer of a search without limits."""
    return False


def settle(
    archive: Archive, proposals: Sequence[Proposal], stop: Stop = never, level: float = 0.05
) -> bool:
    """Fit proposals, all a little and the best fifth to the end; then look closer and simplify.

    Once a model is exact, only simpler ones are fitted.

    Args:
        archive: where models go.
        proposals: what to fit.
        stop: asked before every fit.
        level: p-value of the test for misfit from which on a model will do.

    Returns:
        Whether the search is over: the data has no more to say, or `stop` says so.
    """
    Settling(archive, stop).go(proposals)
    prune(archive)
    if not archive.solved(level):
        archive.look_closer()
        prune(archive)
    return archive.solved(level) or stop()


class Settling:
    """One round of fits.

    Args:
        archive: where models go.
        stop: asked before every fit.
    """

    def __init__(self, archive: Archive, stop: Stop):
        self.archive, self.stop = archive, stop
        self.limit = archive.simplest_exact()
        self.beside: dict[tuple[int, ...], Evaluator] = {}

    def go(self, proposals: Sequence[Proposal]) -> None:
        """Fit all a little, then the best fifth to the end."""
        tried = []
        for proposal in proposals:
            fitted = self._fit(proposal, proposal.starts, 5)
            if fitted is not None:
                constants, losses = fitted
                tried.append((losses.min(), proposal, constants[np.argsort(losses)[:3]]))
        tried.sort(key=lambda each: each[0])
        for _, proposal, starts in tried[: max(4, len(tried) // 5)]:
            self._fit(proposal, starts, 40)

    def _fit(
        self, proposal: Proposal, starts: np.ndarray, iterations: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        archive, whole = self.archive, proposal.whole
        size = archive.complexity(Model(whole, 0.0))
        too_big = size >= self.limit if self.limit else size > archive.space.max_complexity
        if too_big or len(whole) > archive.space.terms or self.stop():
            return None
        evaluator = self._evaluator(proposal.base)
        constants, losses = fit(evaluator, proposal.terms, starts, iterations=iterations)
        for at in np.argsort(losses):
            terms = fill(whole, constants[at])
            if sensible(archive, terms):
                archive.offer(terms, losses[at])
                break
        if losses.min() <= archive.evaluator.problem.floor:
            self.limit = archive.simplest_exact()
        return constants, losses

    def _evaluator(self, base: tuple[int, ...]) -> Evaluator:
        """The problem with the powers projected out."""
        if base not in self.beside:
            whole = self.archive.evaluator
            problem = whole.problem.beside(base_columns(self.archive, base))
            self.beside[base] = Evaluator(problem, whole.operators)
        return self.beside[base]


def sensible(archive: Archive, terms: tuple[Term, ...]) -> bool:
    """Whether no constant has run away to where its function degenerates."""
    nodes, operators = archive.evaluator.problem.nodes, archive.evaluator.operators
    for term in terms:
        skeleton = archive.skeletons.get(bare(term))
        if skeleton and not is_sensible(skeleton, constants_of((term,)), nodes, operators):
            return False
    return True


def prune(archive: Archive, models: int = 2) -> None:
    """Offer the best models with terms left out, one after the other, as long as that helps."""
    for model in archive.ranked()[:models]:
        terms = model.terms
        while len(terms) > 1:
            shorter = (terms[:place] + terms[place + 1 :] for place in range(len(terms)))
            tried = [refit(archive.evaluator, each) for each in shorter]
            fewer = min(tried, key=lambda pair: pair[1])
            archive.offer(*fewer)
            now = Model(terms, excess_of(archive.evaluator, terms))
            if archive.score(Model(*fewer)) > archive.score(now):
                break
            terms = fewer[0]
