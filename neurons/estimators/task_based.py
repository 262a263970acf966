"""Networks of the neuron that a search finds, as estimators of scikit-learn."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from neurons.estimators.base import TaskBasedNetwork
from neurons.estimators.search import regression_data
from neurons.search.data import FEWEST
from neurons.training import cross_entropy, squared_error


class TaskBasedRegressor(RegressorMixin, TaskBasedNetwork):
    """A network of the neuron that suits the data: searched, built, trained.

    Targets are standardised inside. Parameters and attributes: see `TaskBasedNetwork`.

    Example:
        >>> x = np.random.default_rng(0).uniform(-1, 1, (200, 4))
        >>> model = TaskBasedRegressor(layers=(4,), epochs=100).fit(x, (x**3).sum(axis=1))
        >>> model.formula_, model.n_parameters_, bool(model.score(x, (x**3).sum(axis=1)) > 0.9)
        ('x**3', 25, True)
    """

    _loss = staticmethod(squared_error)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> "TaskBasedRegressor":
        """Search and train.

        Args:
            X: inputs `(n, d)`, at least 8 samples.
            y: target `(n,)`, or several `(n, targets)`.

        Returns:
            The estimator.

        Raises:
            ValueError: for parameters out of range, or data that cannot be searched.
            BackendUnavailable: if the engine's package is missing.
        """
        self._check_parameters()
        X, y = regression_data(self, X, y)
        self._single = y.ndim == 1
        targets = y.reshape(len(y), -1)
        self._mean, spread = targets.mean(axis=0), targets.std(axis=0)
        self._spread = np.where(np.ptp(targets, axis=0) > 0, spread, 1.0)
        targets = (targets - self._mean) / self._spread
        self._learn(X, targets, targets.astype(np.float32), targets.shape[1])
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Targets `(n,)`, or `(n, targets)` if there were several, for inputs `(n, d)`."""
        found = self._forward(X) * self._spread + self._mean
        return found[:, 0] if self._single else found


class TaskBasedClassifier(ClassifierMixin, TaskBasedNetwork):
    """A network of the neuron that suits the classes: searched, built, trained.

    The search explains the classes' indicators, of two classes one. Parameters and attributes: see
    `TaskBasedNetwork`; `classes_` holds the labels.

    Example:
        >>> x = np.random.default_rng(0).uniform(-1, 1, (300, 3))
        >>> inside = (x**2).sum(axis=1) < 1
        >>> model = TaskBasedClassifier(layers=(4,), formula="x**2", epochs=100).fit(x, inside)
        >>> model.predict_proba(x).shape, bool(model.score(x, inside) > 0.9)
        ((300, 2), True)
    """

    _loss = staticmethod(cross_entropy)

    def fit(self, X: Any, y: Any) -> "TaskBasedClassifier":
        """Search and train.

        Args:
            X: inputs `(n, d)`, at least 8 samples.
            y: labels `(n,)`, of at least two classes.

        Returns:
            The estimator.

        Raises:
            ValueError: for parameters out of range, or data that cannot be searched.
            BackendUnavailable: if the engine's package is missing.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=FEWEST)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        count = len(self.classes_)
        if count < 2:
            raise ValueError(f"a classifier needs at least 2 classes, got 1 class: {y[0]!r}")
        indicators = np.eye(count)[labels]
        wanted = indicators[:, 1:] if count == 2 else indicators
        self._learn(X, wanted, labels.astype(np.int32), count)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities `(n, classes)` in the order of `classes_`, for inputs `(n, d)`."""
        logits = self._forward(X)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """Labels `(n,)` for inputs `(n, d)`."""
        found = self.predict_proba(X)
        return self.classes_[found.argmax(axis=1)]
