"""The neuron search as a regressor of scikit-learn."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from neurons.search import Backend, Budget, Evolution, Found, SearchResult, Space, search
from neurons.search.data import FEWEST, Scale
from neurons.search.space import FUNCTIONS
from neurons.task_based import Expression, Operator


def regression_data(estimator: BaseEstimator, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets for a search, checked the scikit-learn way; the estimator is told."""
    X, y = validate_data(
        estimator,
        X,
        y,
        dtype=np.float64,
        multi_output=True,
        y_numeric=True,
        ensure_min_samples=FEWEST,
    )
    return X, y.astype(np.float64)


class NeuronSearch(RegressorMixin, BaseEstimator):
    """Finds one formula f such that `y = c + sum_i f(x_i)`, and predicts with it.

    `neurons.search` with scikit-learn's contract. Every input passes through the same f, so that
    inputs whose effects differ are beyond it: the formula is meant to become a neuron, as in
    `TaskBasedRegressor`. A target that does not vary is explained by its value.

    Args:
        powers: whole exponents of at least 1 that x may have.
        functions: names of functions of one argument.
        operators: custom operators of one argument.
        terms: the most terms a formula may have.
        max_complexity: the most nodes of a formula.
        complexity: what operators count as, where not 1; see `Space`, like the next three.
        constraints: operator -> the most nodes its argument may have.
        nested: operator -> {operator: how often it may occur inside}.
        products: whether terms may be products of functions.
        engine: "auto", "dictionary", "genetic", "operon", "pysr", "tnsr" or a back-end.
        islands: of the genetic stage; see `Evolution`, like the next three.
        population: individuals on an island.
        epochs: how often the islands meet; 0 leaves the stage out.
        generations: between two meetings.
        scale: "none"; "columns" maps every column to [-1, 1]; "auto" does so where needed.
        guesses: formulas to start from.
        time_limit: in seconds; None for none. With one, results depend on the machine.
        executor: runs the islands side by side.
        random_state: a whole number, a `RandomState`, or None for a result that differs each time.

    Attributes:
        result_: the `SearchResult` of the targets that vary; None if none does.
        formula_: f, its numbers rounded to six digits, without the intercept; `Expression.parse`
            reads it. For several targets a tuple. It holds for inputs as `result_.scaling` maps
            them.
        intercept_: c, a number or `(targets,)`.
        n_features_in_: inputs per sample.
        feature_names_in_: their names, where `X` had names.

    References:
        F.-L. Fan et al., task-based neurons, arXiv 2405.02369.

    Example:
        >>> x = np.random.default_rng(0).uniform(-2, 2, (200, 5))
        >>> NeuronSearch(powers=(1, 2, 3)).fit(x, (2.5 * x**3 - 0.5 * x).sum(axis=1)).formula_
        '-0.5*x + 2.5*x**3'
    """

    def __init__(
        self,
        *,
        powers: Iterable[int] = tuple(range(1, 9)),
        functions: Iterable[str] = FUNCTIONS,
        operators: Iterable[Operator] = (),
        terms: int = 4,
        max_complexity: int = 30,
        complexity: Mapping[str, int] | None = None,
        constraints: Mapping[str, int] | None = None,
        nested: Mapping[str, Mapping[str, int]] | None = None,
        products: bool = True,
        engine: str | Backend = "auto",
        islands: int = 4,
        population: int = 32,
        epochs: int = 4,
        generations: int = 6,
        scale: Scale = "auto",
        guesses: Iterable[str | Expression] = (),
        time_limit: float | None = None,
        executor: Executor | None = None,
        random_state: Any = 0,
    ):
        self.powers = powers
        self.functions = functions
        self.operators = operators
        self.terms = terms
        self.max_complexity = max_complexity
        self.complexity = complexity
        self.constraints = constraints
        self.nested = nested
        self.products = products
        self.engine = engine
        self.islands = islands
        self.population = population
        self.epochs = epochs
        self.generations = generations
        self.scale = scale
        self.guesses = guesses
        self.time_limit = time_limit
        self.executor = executor
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True  # one formula for all inputs weighs none of them
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "NeuronSearch":
        """Search.

        Args:
            X: inputs `(n, d)`, at least 8 samples.
            y: target `(n,)`, or several `(n, targets)`, which share f's terms.
            sample_weight: weights >= 0 of the squared errors `(n,)`; samples of weight 0 do not
                count. Whole weights are no repetitions: more samples would allow longer formulas.

        Returns:
            The estimator.

        Raises:
            ValueError: for parameters that `Space`, `Budget` or `search` refuse, or data that
                cannot be searched.
            BackendUnavailable: if the engine's package is missing.
        """
        space, budget = self._space(), self._budget()
        X, y = regression_data(self, X, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
            counts = sample_weight != 0  # `search` refuses those below 0
            X, y, sample_weight = X[counts], y[counts], sample_weight[counts]
        self._single = y.ndim == 1
        targets = y.reshape(len(y), -1)
        self._varies = np.ptp(targets, axis=0) > 0
        self.result_ = None
        if not len(y) or self._varies.any():
            self.result_ = search(
                X,
                targets[:, self._varies],
                space,
                engine=self.engine,
                budget=budget,
                weights=sample_weight,
                scale=self.scale,
                guesses=self.guesses,
                key=int(check_random_state(self.random_state).randint(2**31 - 1)),
                executor=self.executor,
            )
        self._tell(targets[0])
        return self

    def _space(self) -> Space:
        names = ("powers", "functions", "operators", "terms", "max_complexity", "products")
        given = {name: getattr(self, name) for name in names}
        for name in ("complexity", "constraints", "nested"):
            given[name] = getattr(self, name) or {}
        return Space(**given)

    def _budget(self) -> Budget:
        names = ("islands", "population", "epochs", "generations")
        evolution = Evolution(**{name: getattr(self, name) for name in names})
        return Budget(self.time_limit, evolution)

    def _tell(self, row: np.ndarray) -> None:
        """Formulas and intercepts of all targets; `row` holds those that do not vary."""
        formulas, intercepts = ["0.0"] * len(row), row.copy()
        for number, target in enumerate(np.flatnonzero(self._varies)):
            best = self.result_.best  # type: ignore[union-attr]
            formulas[target] = _text(best, number)
            intercepts[target] = best.intercept[number]
        self.formula_ = formulas[0] if self._single else tuple(formulas)
        self.intercept_ = float(intercepts[0]) if self._single else intercepts

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())  # a result holds a read-only table: no pickle
        if state.get("result_") is not None:
            state["result_"] = state["result_"].to_json()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if isinstance(state.get("result_"), str):
            self.result_ = SearchResult.from_json(state["result_"], self._space().table)

    def predict(self, X: Any) -> np.ndarray:
        """Targets `(n,)`, or `(n, targets)` if there were several, for inputs `(n, d)`."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        found = np.tile(np.atleast_1d(self.intercept_), (len(X), 1))
        if self.result_ is not None:
            found[:, self._varies] = self.result_.predict(X).reshape(len(X), -1)
        return found[:, 0] if self._single else found


def _text(found: Found, target: int) -> str:
    own = tuple((row[target],) for row in found.coefficients)
    return str(replace(found, coefficients=own, intercept=(found.intercept[target],)))
