"""Which terms belong in the model: forward and backward steps on the extended BIC.

Every step refines all parameters jointly, so that terms which share a part of their variance (a
product of order 4 and one of order 2, say) settle between themselves what is whose.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from neurons.search.cp_fit import EXACT, Factors, Fit, Table, Terms, refine
from neurons.search.cp_start import Whitening, start_product

_TRIED = 3  # candidates per step whose parameters are refined jointly
_HOPE = 0.6  # share of a product's price that refinement may still earn
_SETTLING = 8  # steps after a term is dropped, enough to see whether it is missed


@dataclass(frozen=True)
class Choices:
    """What a model may consist of.

    Args:
        shared: powers that may have one coefficient for all inputs.
        own: powers that may have a coefficient per input.
        orders: orders of products.
        max_rank: products of one order at most.
        starts: starts per product.
    """

    shared: tuple[int, ...]
    own: tuple[int, ...]
    orders: tuple[int, ...]
    max_rank: int
    starts: int

    @property
    def count(self) -> int:
        """Number of terms to choose from."""
        return len(self.shared) + len(self.own) + len(self.orders)


class Candidate(NamedTuple):
    """A model to try.

    Args:
        terms: its terms.
        products: factors to start from.
        promise: the score that it promises before joint refinement.
        slack: how much better than its promise it may turn out.
    """

    terms: Terms
    products: tuple[Factors, ...]
    promise: float
    slack: float = 0.0


class TermSearch:
    """The search, for one table of data.

    Args:
        table: the data.
        whitening: of its inputs.
        choices: what a model may consist of.
        generator: source of starts.
    """

    def __init__(
        self, table: Table, whitening: Whitening, choices: Choices, generator: np.random.Generator
    ) -> None:
        self.table, self.whitening = table, whitening
        self.choices, self.generator = choices, generator
        self.rows, self.inputs = table.x.shape

    def score(self, fit: Fit) -> float:
        """Extended BIC: `n log s^2 + p log n + 2 t log T`, with `t` of `T` terms chosen.

        The variance `s^2 = RSS / (n - p)` is the unbiased one: with many parameters a row, the
        usual RSS / n would let chance in.
        """
        return self._score(fit.rss, fit.parameters, fit.terms)

    def _score(self, rss: float, parameters: int, terms: Terms) -> float:
        n = self.rows
        penalty = parameters * math.log(n) + 2 * terms.count * math.log(self.choices.count)
        return n * math.log(max(rss / max(n - parameters, 1), EXACT)) + penalty

    def run(self) -> Fit:
        """From the constant alone to the model that no single step improves."""
        fit = refine(self.table, Terms())
        while not fit.exact:
            following = self._forward(fit, self.choices.starts)
            if following is None:
                break
            fit = self._backward(following, fit.terms)
        return refine(self.table, fit.terms, fit.products, tolerance=1e-12)

    def _forward(self, fit: Fit, starts: int) -> Fit | None:
        """The best model with one term more, if it is better.

        Candidates are refined in the order of their promise, until the best one holds more than
        the next one promises. What columns promise they hold; a product's start is no optimum.
        """
        score, best = self.score(fit), None
        found = [c for c in self._additions(fit, starts) if c.promise - c.slack < score]
        for candidate in sorted(found, key=lambda one: one.promise)[:_TRIED]:
            if candidate.promise > score and best is not None:
                break
            refined = refine(self.table, candidate.terms, candidate.products)
            if self.score(refined) < score:
                score, best = self.score(refined), refined
        return best

    def _additions(self, fit: Fit, starts: int) -> Iterator[Candidate]:
        terms, choices = fit.terms, self.choices
        for k in choices.shared:
            if k not in terms.shared and k not in terms.own:
                more = replace(terms, shared=(*terms.shared, k))
                yield self._with_columns(fit, more, self.table.power_sum(k))
        for k in choices.own:
            if k not in terms.own:
                rest = tuple(one for one in terms.shared if one != k)
                more = replace(terms, shared=rest, own=(*terms.own, k))
                yield self._with_columns(fit, more, self.table.power(k))
        for k in choices.orders:
            if terms.products.count(k) < choices.max_rank and self._fits(fit, k):
                yield self._with_product(fit, k, starts)

    def _fits(self, fit: Fit, order: int) -> bool:
        """Half as many parameters as rows at most: beyond, criteria for model choice fail."""
        return fit.parameters + order * self.inputs <= self.rows // 2

    def _with_columns(self, fit: Fit, terms: Terms, columns: np.ndarray) -> Candidate:
        tangent = fit.tangent
        apart = columns - tangent @ (tangent.T @ columns)
        kept, _, rank, _ = np.linalg.lstsq(apart, fit.residual, rcond=1e-10)
        rss = fit.rss - float(fit.residual @ (apart @ kept))
        return Candidate(terms, fit.products, self._score(rss, fit.parameters + int(rank), terms))

    def _with_product(self, fit: Fit, order: int, starts: int) -> Candidate:
        start = start_product(
            self.table, fit, order, self.generator, whitening=self.whitening, starts=starts
        )
        terms = replace(fit.terms, products=(*fit.terms.products, order))
        parameters = fit.parameters + order * (self.inputs - 1) + 1
        promise = self._score(fit.rss - start.gain, parameters, terms)
        price = self._score(fit.rss, parameters, terms) - self.score(fit)
        return Candidate(terms, (*fit.products, start.factors), promise, _HOPE * price)

    def _backward(self, fit: Fit, before: Terms) -> Fit:
        """Drop, simplify or merge terms for as long as that is better; `before` is worse."""
        while True:
            fits = [
                refine(self.table, terms, products, steps=_SETTLING)
                for terms, products in _reductions(fit, self.choices)
                if terms != before
            ]
            best = min([*fits, *self._merged(fit)], key=self.score, default=None)
            if best is None or self.score(best) >= self.score(fit):
                return fit
            fit = best

    def _merged(self, fit: Fit) -> Iterator[Fit]:
        """Two products of one order replaced by a new one: greedy products can be too many."""
        terms, products = fit.terms, fit.products
        for pair in combinations(range(len(products)), 2):
            order, other = (terms.products[number] for number in pair)
            if order == other:
                kept = [number for number in range(len(products)) if number not in pair]
                fewer = replace(terms, products=tuple(terms.products[number] for number in kept))
                rest = refine(self.table, fewer, [products[n] for n in kept], steps=_SETTLING)
                again = self._with_product(rest, order, self.choices.starts)
                yield refine(self.table, again.terms, again.products)


def _reductions(fit: Fit, choices: Choices) -> Iterator[tuple[Terms, tuple[Factors, ...]]]:
    """All models with one term less, or with one coefficient in place of one per input."""
    terms, products = fit.terms, fit.products
    for k in terms.shared:
        yield replace(terms, shared=_without(terms.shared, k)), products
    for k in terms.own:
        yield replace(terms, own=_without(terms.own, k)), products
        if k in choices.shared:
            fewer = replace(terms, own=_without(terms.own, k), shared=(*terms.shared, k))
            yield fewer, products
    for number in range(len(products)):
        orders = terms.products[:number] + terms.products[number + 1 :]
        yield replace(terms, products=orders), products[:number] + products[number + 1 :]


def _without(values: tuple[int, ...], value: int) -> tuple[int, ...]:
    return tuple(one for one in values if one != value)
