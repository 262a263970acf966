"""What a search has found so far: the best constants of every structure it has tried."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from neurons.search.fitting import Evaluator, Term, fit
from neurons.search.skeletons import Skeleton
from neurons.search.space import Space
from neurons.task_based.expression import Token

HANDICAP = 1.35  # factor by which a further node must lower the loss to look promising
NODE_PENALTY = 0.4  # in units of BIC, for every node of a formula


def bare(term: Term) -> Term:
    """A term with 1.0 in its constants' places."""
    return tuple(1.0 if isinstance(token, float) else token for token in term)


def structure_of(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Terms without their constants' values, in a fixed order."""
    return tuple(sorted(map(bare, terms), key=repr))


@dataclass(frozen=True)
class Model:
    """A sum of terms with fitted inner constants; coefficients follow by least squares.

    Args:
        terms: the terms, constants in place.
        excess: squared loss above the problem's rest; below 0 where the model has what no smooth
            function can have, a kink.
    """

    terms: tuple[Term, ...]
    excess: float

    @property
    def constants(self) -> int:
        """How many inner constants it has."""
        return sum(isinstance(token, float) for term in self.terms for token in term)


@dataclass
class Archive:
    """The models of one search.

    Args:
        evaluator: the data.
        space: the language.
        models: by structure.
        skeletons: what is known of terms' constants.
        rows: the samples themselves, if they are at hand.
        scores: of the models, by structure.
    """

    evaluator: Evaluator
    space: Space
    models: dict[tuple[Term, ...], Model] = field(default_factory=dict)
    skeletons: dict[Term, Skeleton] = field(default_factory=dict)
    rows: Evaluator | None = None
    scores: dict[tuple[Term, ...], float] = field(default_factory=dict)

    def offer(self, terms: tuple[Term, ...], excess: float) -> bool:
        """Take a model in if its structure is new or fits better than before; whether it was."""
        if not np.isfinite(excess) or self._cancels(terms) or self._interpolates(terms):
            return False
        key = structure_of(terms)
        if key in self.models and self.models[key].excess <= excess:
            return False
        self.models[key] = model = Model(tuple(terms), float(excess))
        self.scores[key] = self.score(model)
        return True

    def _cancels(self, terms: tuple[Term, ...]) -> bool:
        """Whether big terms of opposite sign make up a small sum: a limit, not a formula."""
        if len(terms) < 2:
            return False
        columns = self.evaluator.columns(terms, constants_of(terms)[None])[0]
        sizes = np.linalg.norm(columns, axis=1)
        if not sizes.all():
            return True
        smallest = np.linalg.svd(columns / sizes[:, None], compute_uv=False)[-1]
        return bool(smallest < 1e-3)

    def model(self, terms: tuple[Term, ...]) -> Model:
        """The archive's model of these terms' structure, or one that has not been fitted."""
        return self.models.get(structure_of(terms), Model(terms, np.inf))

    def _interpolates(self, terms: tuple[Term, ...]) -> bool:
        """Whether the model has more parameters than half the samples can carry."""
        problem = self.evaluator.problem
        return 2 * self.parameters(Model(terms, 0.0)) > problem.samples * problem.targets

    def loss(self, model: Model) -> float:
        """Squared loss, noise included."""
        return model.excess + self.evaluator.problem.rest

    def parameters(self, model: Model) -> int:
        """Coefficients and intercepts of all targets, and inner constants."""
        return self.evaluator.problem.targets * (len(model.terms) + 1) + model.constants

    def complexity(self, model: Model) -> int:
        """Nodes of the whole formula: terms, coefficients, intercept and the signs between."""
        of = self.space.complexity
        constant, times, plus = of.get("constant", 1), of.get("*", 1), of.get("+", 1)
        terms = sum(self.space.size(term) + constant + times for term in model.terms)
        return terms + len(model.terms) * plus + constant

    def bic(self, model: Model) -> float:
        """Bayesian information criterion."""
        return float(self.evaluator.problem.bic(self.loss(model), self.parameters(model)))

    def score(self, model: Model) -> float:
        """BIC with a penalty for every node: lower is better.

        Inner constants count thrice: a coefficient becomes a weight, they stay what they are.
        """
        nodes = self.complexity(model) + 2 * model.constants
        return self.bic(model) + NODE_PENALTY * nodes

    def misfit(self, model: Model) -> float:
        """p-value of the test of a model against the best smooth function."""
        return self.evaluator.problem.misfit(self.loss(model), self.parameters(model))

    def ranked(self) -> list[Model]:
        """Models by score, best first."""
        return [self.models[key] for key in sorted(self.models, key=self.scores.__getitem__)]

    def simplest_exact(self) -> int | None:
        """Complexity of the simplest model that fits to the last digit; None without one."""
        floor = self.evaluator.problem.floor
        exact = (model for model in self.models.values() if self.loss(model) <= floor)
        return min((self.complexity(model) for model in exact), default=None)

    def solved(self, level: float = 0.05) -> bool:
        """Whether the best model leaves nothing that the data shows, at a level of the test."""
        if not self.models:
            return False
        best = self.models[min(self.models, key=self.scores.__getitem__)]
        problem = self.evaluator.problem
        if self.loss(best) <= problem.floor:
            return True
        return problem.noisy and bool(self.misfit(best) > level)

    def look_closer(self, most: int = 6) -> None:
        """Fit promising models to the samples themselves, where the triangle may have cut tails.

        Where the best smooth function leaves nothing, the triangle holds everything.
        """
        problem = self.evaluator.problem
        if self.rows is None or problem.rest <= 1e-24 * problem.total:
            return
        for model in self.promising(most):
            terms, loss = refit(self.rows, model.terms, iterations=12)
            whole = self.rows.problem.whole  # type: ignore[attr-defined]
            exact = loss <= self.rows.problem.floor
            if exact or whole:
                self.offer(terms, (0.0 if exact else loss) - problem.rest)

    def promising(self, most: int) -> list[Model]:
        """The best by score, the best of every complexity, the simplest as good as any smooth f."""
        ranked = self.ranked()
        close = [m for m in ranked if m.excess < 10 * self.evaluator.problem.rest]
        front, least = [], np.inf
        for model in sorted(ranked, key=lambda each: (self.complexity(each), each.excess)):
            if model.excess < 0.5 * least:
                front.append(model)
                least = model.excess
        simple = sorted(close, key=self.complexity)[:most]
        all_of_them = (*ranked[:most], *front[-most:], *simple)
        chosen = {structure_of(model.terms): model for model in all_of_them}
        return list(chosen.values())


def constants_of(terms: Iterable[Iterable[Token]]) -> np.ndarray:
    """All inner constants in the terms' order."""
    return np.array([t for term in terms for t in term if isinstance(t, float)])


def fill(terms: Iterable[Term], constants: Iterable[float]) -> tuple[Term, ...]:
    """Terms with other inner constants."""
    given = iter(constants)
    return tuple(
        tuple(float(next(given)) if isinstance(t, float) else t for t in term) for term in terms
    )


def refit(
    evaluator: Evaluator, terms: tuple[Term, ...], iterations: int = 24
) -> tuple[tuple[Term, ...], float]:
    """Terms with their constants tuned from where they are, and the squared loss."""
    constants, losses = fit(evaluator, terms, constants_of(terms)[None], iterations=iterations)
    return fill(terms, constants[0]), float(losses[0])


def coefficients(evaluator: Evaluator, terms: tuple[Term, ...]) -> np.ndarray:
    """Least-squares coefficients `(terms, targets)`."""
    columns = evaluator.columns(terms, constants_of(terms)[None])[0]
    scale = np.linalg.norm(columns, axis=1)
    scale[scale == 0] = 1.0
    found = np.linalg.lstsq((columns / scale[:, None]).T, evaluator.problem.target, rcond=None)[0]
    return found / scale[:, None]


def excess_of(evaluator: Evaluator, terms: tuple[Term, ...]) -> float:
    """Squared loss above the rest with the constants as they are."""
    return float((evaluator.residual(terms, constants_of(terms)[None]) ** 2).sum())
