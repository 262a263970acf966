"""Searches under other losses: weighted least-squares searches, then fits under the loss itself."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from neurons.search.archive import NODE_PENALTY, Archive, coefficients, constants_of, refit
from neurons.search.data import Data
from neurons.search.fitting import Evaluator, Term
from neurons.search.losses import Loss
from neurons.search.moments import moments
from neurons.search.result import Found, SearchResult
from neurons.search.rows import rows_of
from neurons.task_based import Expression

ROUNDS = 2  # searches; the second starts from what the first found
_SATURATED = 16  # moments of the first, formula-free prediction
_RIDGE = 1e-3
_TRIES = 25  # parabolas, one after the other, until the loss stands still
_TUNED = 6  # of them also tune the inner constants
_STILL = 1e-6
_CANDIDATES = 16

Surrogate = Callable[[np.ndarray, np.ndarray], tuple[Archive, SearchResult]]


def saturated(data: Data, loss: Loss, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A prediction `(n, targets)` by a free curve, under the loss: where to start."""
    assert data.x is not None
    basis = moments(data.x, data.triangle.frame, _SATURATED)
    basis[:, 0] = 1.0
    scale = np.linalg.norm(basis, axis=0) / np.sqrt(len(basis))
    basis = basis / np.where(scale > 0, scale, 1.0)
    ridge = _RIDGE * len(basis) * np.diag(np.arange(_SATURATED) > 0)
    prediction = np.zeros_like(y) if loss.likelihood else np.broadcast_to(np.median(y, 0), y.shape)
    least = np.inf
    for _ in range(_TRIES):
        loss = loss.at(y, prediction)
        total = float((weights * loss.value(y, prediction)).sum())
        if loss.scaled is None and total > least * (1 - _STILL):
            break
        least = total
        weight, target = loss.working(y, prediction)
        pull = basis * (weight * weights)[:, None]
        prediction = basis @ np.linalg.solve(basis.T @ pull + ridge, pull.T @ target)
    return prediction


def search_under(
    loss: Loss, data: Data, y: np.ndarray, weights: np.ndarray, surrogate: Surrogate
) -> SearchResult:
    """Search under a loss.

    Args:
        loss: the loss.
        data: the data, prepared for the squared loss.
        y: targets `(n, targets)`, not scaled.
        weights: the samples' own weights `(n,)`.
        surrogate: a search under the squared loss, given targets and weights.
    """
    assert data.x is not None
    prediction = saturated(data, loss, y, weights)
    loss = loss.at(y, prediction)
    for _ in range(ROUNDS):
        weight, target = loss.working(y, prediction)
        archive, result = surrogate(target, weight * weights)
        models = {m.terms: m for m in (*archive.ranked()[:_CANDIDATES], *archive.promising(4))}
        judged = [_Judge(loss, data.x, y, weights, archive).found(terms) for terms in models]
        best = min(judged, key=_score)
        prediction = best.predict(data.x)
    return _assembled(result, judged, best)


def _score(found: Found) -> float:
    return found.bic + NODE_PENALTY * found.complexity


def _assembled(result: SearchResult, judged: list[Found], best: Found) -> SearchResult:
    front: list[Found] = []
    for found in sorted(judged, key=lambda each: (each.complexity, each.loss)):
        if not front or found.loss < front[-1].loss * (1 - 1e-9):
            front.append(found)
    close = [f for f in judged if f is not best and f.bic <= best.bic + 2]
    return replace(
        result, best=best, front=tuple(front), equivalents=tuple(sorted(close, key=_score))
    )


class _Judge:
    """Fits of one loss on the samples."""

    def __init__(
        self, loss: Loss, x: np.ndarray, y: np.ndarray, weights: np.ndarray, archive: Archive
    ):
        self.loss, self.x, self.y, self.weights = loss, x, y, weights
        self.archive = archive

    def found(self, terms: tuple[Term, ...]) -> Found:
        """A model with constants and coefficients that minimise the loss."""
        operators = self.archive.evaluator.operators
        center = np.average(self.y, axis=0, weights=self.weights)
        prediction = np.broadcast_to(center, self.y.shape) * (not self.loss.likelihood)
        least, kept = np.inf, None
        for number in range(_TRIES):
            weight, target = self.loss.working(self.y, prediction)
            rows = rows_of(self.x, target, weight * self.weights)
            evaluator = Evaluator(rows, operators)
            if number < _TUNED:
                terms, _ = refit(evaluator, terms, iterations=2)
            betas = coefficients(evaluator, terms)
            values = evaluator.values(terms, constants_of(terms)[None])[0]
            intercept = rows.centre - rows.means(values) @ betas
            prediction = self.predict(terms, betas, intercept)
            total = float((self.weights * self.loss.value(self.y, prediction)).sum())
            gained = total < least * (1 - _STILL)
            if total < least:
                least, kept = total, (terms, betas, intercept, prediction)
            if not gained:
                break
        return self._as_found(*(kept or (terms, betas, intercept, prediction)))

    def predict(
        self, terms: tuple[Term, ...], betas: np.ndarray, intercept: np.ndarray
    ) -> np.ndarray:
        operators = self.archive.evaluator.operators
        columns = [Expression(term, operators)(self.x).sum(axis=1) for term in terms]
        return np.nan_to_num(intercept + np.stack(columns, axis=1) @ betas, nan=1e30)

    def _as_found(
        self,
        terms: tuple[Term, ...],
        betas: np.ndarray,
        intercept: np.ndarray,
        prediction: np.ndarray,
    ) -> Found:
        archive, loss, y, weights = self.archive, self.loss, self.y, self.weights
        model = archive.model(terms)
        count = archive.parameters(model)
        mean = np.average(loss.value(y, prediction), weights=weights)
        nothing = np.average(loss.value(y, self._constant()), weights=weights)
        unknown = tuple(tuple(float("nan") for _ in row) for row in betas)
        return Found(
            tuple(Expression(term, archive.evaluator.operators) for term in terms),
            tuple(tuple(float(value) for value in row) for row in betas),
            tuple(float(value) for value in intercept),
            unknown,
            tuple(float("nan") for _ in range(model.constants)),
            archive.complexity(model),
            float(mean),
            float(1 - mean / nothing) if nothing > 0 else 0.0,
            loss.bic(y, prediction, weights, count),
            float("nan"),
        )

    def _constant(self) -> np.ndarray:
        """The best prediction without inputs."""
        share = np.average(self.y, axis=0, weights=self.weights)
        if self.loss.name == "logistic":
            share = np.log(share / (1 - share))
        elif self.loss.name == "softmax":
            share = np.log(share)
        elif self.loss.name == "absolute":
            share = np.median(self.y, axis=0)
        return np.broadcast_to(share, self.y.shape)
