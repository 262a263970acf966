"""What the estimators of task-based networks share: search, build, train."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax import Array
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from neurons.cost import parameters
from neurons.estimators.networks import ACTIVATIONS, RANGE, Network, adam, outputs
from neurons.estimators.search import NeuronSearch
from neurons.search.data import Scaling
from neurons.search.result import SearchResult
from neurons.task_based import Expression
from neurons.training import Batches, fit


class TaskBasedNetwork(BaseEstimator):
    """What `TaskBasedRegressor` and `TaskBasedClassifier` share.

    Inputs are mapped to [-1, 1]: with one map for all columns where every one spans at least half
    of the whole interval, so that f stays one function, else each column by itself. The neuron is
    the best formula that is finite there; one may fit all samples and have a pole between them.

    Args:
        layers: widths of the hidden layers; with none, the outputs are neurons themselves.
        activation: "hard_tanh", which passes on what the neurons say as long as it lies on [-1, 1],
            "tanh" or "sigmoid"; all keep inputs of the next layer there.
        formula: terms of the neuron, to leave out the search; "x" makes a conventional network.
        search: how to search, a `NeuronSearch`; by default for polynomials of degree 8, as in the
            papers. Its `scale` and `random_state` are set here.
        normalise: whether every term is brought to the size of x on [-1, 1].
        learning_rate: of Adam at the start; it decays to 0 as a cosine.
        batch_size: samples per step; all, if there are fewer.
        epochs: passes over the data.
        validation_fraction: share of the samples that is held out to choose the best epoch.
        random_state: a whole number, a `RandomState`, or None for a result that differs each time.

    Attributes:
        formula_: the terms that the neuron weighs; `Expression.parse` reads it.
        search_: the fitted `NeuronSearch`; None with a given formula.
        network_: the trained module, for inputs on [-1, 1].
        n_parameters_: its trained numbers.
        scaling_: maps inputs to [-1, 1]; what lies outside the training range counts as its end.
        n_iter_: the epoch that the network is from.
        losses_: of every step.
        validation_losses_: of every epoch; empty with nothing held out.

    References:
        F.-L. Fan et al., task-based neurons, arXiv 2405.02369.
    """

    _loss: Callable[[Any, Any], Array]

    def __init__(
        self,
        *,
        layers: Sequence[int] = (10,),
        activation: str = "hard_tanh",
        formula: str | Expression | None = None,
        search: NeuronSearch | None = None,
        normalise: bool = True,
        learning_rate: float = 0.03,
        batch_size: int = 64,
        epochs: int = 200,
        validation_fraction: float = 0.1,
        random_state: Any = 0,
    ):
        self.layers = layers
        self.activation = activation
        self.formula = formula
        self.search = search
        self.normalise = normalise
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def _check_parameters(self) -> None:
        if not isinstance(self.layers, Sequence) or not all(map(_is_size, self.layers)):
            raise ValueError(f"layers are widths of at least 1, as (10, 10), got {self.layers}")
        if self.activation not in ACTIVATIONS:
            allowed = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation is one of {allowed}, got {self.activation!r}")
        if self.search is not None and not isinstance(self.search, NeuronSearch):
            raise ValueError(f"search is a NeuronSearch or None, got {self.search!r}")
        for name in ("epochs", "batch_size"):
            if not _is_size(getattr(self, name)):
                raise ValueError(
                    f"{name} is a whole number of at least 1, got {getattr(self, name)}"
                )
        if not 0 < self.learning_rate < np.inf:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(
                "validation_fraction lies in [0, 1), where 0 means to train on all samples, "
                f"got {self.validation_fraction}"
            )

    def _learn(self, x: np.ndarray, wanted: np.ndarray, y: np.ndarray, outputs: int) -> None:
        """Find the neuron for `wanted` `(n, targets)`; train a network on labels or values `y`."""
        random = check_random_state(self.random_state)
        self.scaling_ = _scaling(x)
        x = self._scaled(x)
        terms = self._terms(x, wanted, int(random.randint(2**31 - 1)))
        self.formula_ = str(terms)
        start, train = jax.random.split(jax.random.key(int(random.randint(2**31 - 1))))
        network = Network(
            terms.to_neuron(normalise=RANGE if self.normalise else None),
            x.shape[1],
            tuple(self.layers),
            outputs,
            self.activation,
            rngs=nnx.Rngs(start),
        )
        self._train(network, x.astype(np.float32), y, train, random)
        self.n_parameters_ = parameters(self.network_)

    def _terms(self, x: np.ndarray, wanted: np.ndarray, seed: int) -> Expression:
        """What the neuron weighs: as given, or as found."""
        self.search_ = None
        if self.formula is not None:
            given = self.formula
            terms = given if isinstance(given, Expression) else Expression.parse(given)
            if not _usable(terms):
                raise ValueError(f"formula must be finite on [-1, 1], got {terms}")
            return terms
        # Polynomials, as in the papers' experiments: found at once and finite everywhere.
        search = NeuronSearch(functions=()) if self.search is None else clone(self.search)
        self.search_ = search.set_params(scale="none", random_state=seed).fit(x, wanted)
        linear = Expression(("x",))  # where no target varies
        return next(filter(_usable, _candidates(self.search_.result_)), linear)

    def _train(
        self,
        network: Network,
        x: np.ndarray,
        y: np.ndarray,
        key: Array,
        random: np.random.RandomState,
    ) -> None:
        order = random.permutation(len(x))
        held = order[: int(len(x) * self.validation_fraction)]
        rows = order[len(held) :]
        batches = Batches((x[rows], y[rows]), min(self.batch_size, len(rows)), self.epochs)
        run = fit(
            network,
            self._loss,
            adam(float(self.learning_rate), batches.steps),
            batches,
            key=key,
            validation=(x[held], y[held]) if len(held) else None,
            select="best" if len(held) else "last",
            loop="scan",
        )
        if not run.finite:
            warnings.warn(
                f"the training diverged; learning_rate={self.learning_rate} may be too high",
                ConvergenceWarning,
                stacklevel=4,
            )
        self.network_, self.n_iter_ = run.model, run.epoch
        self.losses_, self.validation_losses_ = run.losses, run.validation

    def _forward(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return outputs(self.network_, self._scaled(X))

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        return np.clip(self.scaling_(x), *RANGE)


def _is_size(value: Any) -> bool:
    return isinstance(value, int | np.integer) and bool(value >= 1)


def _candidates(result: SearchResult | None) -> list[Expression]:
    if result is None:
        return []
    return [found.sum for found in (result.best, *result.equivalents, *reversed(result.front))]


def _usable(terms: Expression) -> bool:
    return terms.domain(*RANGE) == (RANGE,)


def _scaling(x: np.ndarray) -> Scaling:
    low, high = x.min(axis=0), x.max(axis=0)
    whole = high.max() - low.min()
    if 2 * (high - low).min() >= whole:
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
        if 4 * abs(low + high).max() <= whole:  # then 0 stays 0, and x^3 is x^3
            high = np.maximum(-low, high)
            low = -high
    width = np.where(high > low, high - low, 2.0) / 2
    return Scaling(tuple((low + high) / 2), tuple(width), "columns")
