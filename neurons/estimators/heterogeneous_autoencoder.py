"""Anomaly detection by autoencoders of two kinds of neuron, with scikit-learn's contract."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from neurons.backbones.autoencoder import AUTOENCODERS, Autoencoder
from neurons.catalogue import catalogue
from neurons.estimators.outliers import PyODView, Reason, probabilities, reasons
from neurons.estimators.reconstruction import Architecture, Reconstruction, Training, learn
from neurons.estimators.table import BLOCK, feature_names, scale_of, validated
from neurons.neuron import Neuron


class _Errors(NamedTuple):
    """Of a block of rows: their reconstruction, and every feature's share of the squared score."""

    expected: np.ndarray  # z-scored, (rows, d)
    squares: np.ndarray  # (rows, d)

    @property
    def scores(self) -> np.ndarray:
        """Distances between the rows and their reconstructions."""
        return np.sqrt(self.squares.sum(axis=1))

    @property
    def parts(self) -> np.ndarray:
        """The scores, split by feature."""
        scores = self.scores[:, None]
        return self.squares / np.where(scores > 0, scores, 1.0)


class HeterogeneousAutoencoder(OutlierMixin, BaseEstimator):
    """Rows that an autoencoder reconstructs badly are anomalous.

    The network learns to pass z-scored rows through a bottleneck. The score of a row is the
    distance `||z - z'||` between it and its reconstruction, in standard deviations of the training
    rows. Train on normal rows, or on rows of which few are anomalous.

    scikit-learn's signs: `score_samples` and `decision_function` are low, and `predict` is -1,
    where a row is anomalous. PyOD's are the opposite: :meth:`as_pyod` gives a view that has them;
    PyOD's names that clash with nothing are here too.

    The paper's network is `corrected=False, dropout=0.5, widths=(d // 2, d // 4)`. The defaults
    differ where others detected better, in the mean over nine public tables whose normal rows were
    fitted: without sigmoid and dropout at the output the AUC rises by 0.03, with wide layers and
    less dropout by 0.07 more.

    What lies outside a feature's training range is shown to the network as the range's end, so that
    no reconstruction follows a row to where there were no data. A feature that is constant in
    training is expected to stay so, and a deviation counts in its own unit.

    Args:
        architecture: one of "HAE-X", "HAE-Y", "HAE-I", "HAE-Yc", "HAE-Ic" and the homogeneous
            "AE-X", "QAE-X", "AE-Y", "QAE-Y", "AE", "QAE"; see `neurons.backbones.autoencoder`.
        widths: of the encoder's layers down to the bottleneck; by default as many as features, and
            half as many. The paper has `(d // 2, d // 4)`.
        first: the neuron that is quadratic in the paper, by its name in `neurons.catalogue()`. A
            `Neuron` will do too, but then the detector cannot be pickled.
        second: the neuron that is conventional in the paper.
        corrected: False for the paper's network, whose output passes a sigmoid and a dropout.
        dropout: rate in training.
        learning_rate: of Adam.
        relinear_scale: rate of the product and power terms, as a multiple of `learning_rate`.
        weight_decay: decoupled, of all parameters.
        batch_size: rows per step; all, if there are fewer.
        steps: of the optimizer, rounded to whole passes over the data, at least one.
        contamination: share of the training rows that counts as anomalous, in (0, 0.5]: it sets
            `offset_`; see :meth:`calibrate` for another way to set it.
        missing: "refuse" rows with NaN, or replace them by the feature's "mean"; then they count
            nothing, and the row's other errors are scaled up to the full number of features.
        random_state: a whole number, a `RandomState`, or None for a result that differs each time.

    Attributes:
        network_: the trained module, for z-scored rows of the features that vary in training; None
            if none does.
        mean_: of every feature.
        scale_: standard deviation of every feature; 1 where it is constant.
        varies_: which features vary.
        offset_: `decision_function` is `score_samples - offset_`.
        losses_: of every step.
        decision_scores_: `(n,)` PyOD's scores of the training rows, high where anomalous.
        threshold_: PyOD's, `-offset_`.
        labels_: `(n,)` PyOD's labels of the training rows, 1 for anomalous and 0 for normal.

    References:
        J.-X. Liao et al., heterogeneous autoencoder, arXiv 2204.01707.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 1)) * np.ones(4)
        >>> detector = HeterogeneousAutoencoder(architecture="AE", steps=300).fit(x)
        >>> detector.predict([[1, 1, 1, 1], [1, 1, 1, -9]]).tolist()
        [1, -1]
        >>> detector.explain([[1, 1, 1, -9]], top=1)[0][0].feature
        'x3'
    """

    def __init__(
        self,
        *,
        architecture: str = "HAE-X",
        widths: Sequence[int] | None = None,
        first: str | Neuron = "quadratic",
        second: str | Neuron = "conventional",
        corrected: bool = True,
        dropout: float = 0.1,
        learning_rate: float = 5e-3,
        relinear_scale: float = 0.05,
        weight_decay: float = 1e-5,
        batch_size: int = 128,
        steps: int = 1000,
        contamination: float = 0.1,
        missing: str = "refuse",
        random_state: Any = 0,
    ):
        self.architecture = architecture
        self.widths = widths
        self.first = first
        self.second = second
        self.corrected = corrected
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.relinear_scale = relinear_scale
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.steps = steps
        self.contamination = contamination
        self.missing = missing
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing == "mean"
        return tags

    def fit(self, X: Any, y: Any = None) -> "HeterogeneousAutoencoder":
        """Train on rows, and set the threshold.

        Args:
            X: rows `(n, d)`, at least two.
            y: ignored.

        Returns:
            The detector.

        Raises:
            ValueError: for parameters out of range; fewer than two rows; missing values, unless
                `missing="mean"`; a feature or row without any value, or values that overflow.
        """
        _check(self)
        X = validated(self, X, missing=self.missing, reset=True)
        self._scale = scale_of(X, feature_names(self))
        self.mean_, self.scale_, self.varies_ = self._scale
        self._reconstruction: Reconstruction | None = None
        self.losses_ = np.zeros(0, np.float32)
        if self.varies_.any():
            self._train(self._scale.z(X)[:, self.varies_])
        self.decision_scores_ = self._scores(X)
        self.offset_ = float(np.percentile(-self.decision_scores_, 100 * self.contamination))
        return self

    def _train(self, z: np.ndarray) -> None:
        random = check_random_state(self.random_state)
        architecture = Architecture(
            self.architecture,
            z.shape[1],
            tuple((z.shape[1], max(z.shape[1] // 2, 1)) if self.widths is None else self.widths),
            self.first,
            self.second,
            bool(self.corrected),
            float(self.dropout),
        )
        training = Training(
            int(self.steps),
            int(self.batch_size),
            float(self.learning_rate),
            float(self.relinear_scale),
            float(self.weight_decay),
        )
        found = learn(architecture, training, z, int(random.randint(2**31 - 1)))
        if not found.finite:
            warnings.warn(
                f"the training diverged; learning_rate={self.learning_rate} may be too high",
                ConvergenceWarning,
                stacklevel=3,
            )
        self._reconstruction, self.losses_ = found.reconstruction, found.losses

    @property
    def network_(self) -> Autoencoder | None:
        """The trained network."""
        check_is_fitted(self)
        return None if self._reconstruction is None else self._reconstruction.network

    @property
    def threshold_(self) -> float:
        """PyOD's threshold."""
        check_is_fitted(self)
        return -self.offset_

    @property
    def labels_(self) -> np.ndarray:
        """PyOD's labels of the training rows."""
        check_is_fitted(self)
        return (self.decision_scores_ > self.threshold_).astype(int)

    def score_samples(self, X: Any) -> np.ndarray:
        """Scores `(n,)` of rows `(n, d)`, low where anomalous: `-||z - z'||`.

        Rows pass in blocks: beside X and the scores, memory does not grow with their number. X may
        be a memory-mapped array of floats; of rows that come in parts,
        `map(detector.score_samples, parts)` makes scores part by part.

        Raises:
            ValueError: for another number of features, or values that `fit` would refuse.
        """
        return -self._scores(self._validated(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """`score_samples(X) - offset_`: negative where anomalous."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """-1 for anomalous rows, 1 for the others; -1 where a training that diverged left NaN."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def predict_proba(self, X: Any, method: str = "linear") -> np.ndarray:
        """PyOD's probabilities `(n, 2)` of being normal and anomalous.

        `method` is "linear", which is 1 from the most anomalous training row on, or "unify", see
        `neurons.estimators.outliers.probabilities`.
        """
        return probabilities(-self.score_samples(X), self.decision_scores_, method)

    def as_pyod(self) -> PyODView:
        """This detector with PyOD's signs: scores and labels high where anomalous."""
        return PyODView(self)

    def calibrate(self, X: Any) -> "HeterogeneousAutoencoder":
        """Set the threshold on rows that were not trained on, `contamination` of them beyond.

        The network knows its training rows. Of new rows like them more lie beyond the threshold of
        `fit`: over ten public tables 19 % in place of 5 %.

        Args:
            X: rows `(n, d)`, with as many anomalies as `contamination` says.

        Returns:
            The detector, with another `offset_`.
        """
        self.offset_ = float(np.percentile(self.score_samples(X), 100 * self.contamination))
        return self

    def contributions(self, X: Any) -> np.ndarray:
        """Every feature's part `(n, d)` in the score; a row sums to `-score_samples`.

        `(z_i - z'_i)^2 / ||z - z'||`, of which missing values have none.
        """
        X = self._validated(X)
        found = np.empty(X.shape)
        for rows, errors in self._blocks(X):
            found[rows] = errors.parts
        return found

    def reconstruct(self, X: Any) -> np.ndarray:
        """What the detector expects of rows `(n, d)`, in their own units."""
        X = self._validated(X)
        found = np.empty(X.shape)
        for rows, errors in self._blocks(X):
            found[rows] = errors.expected * self.scale_ + self.mean_
        return found

    def explain(
        self, X: Any, top: int = 3, *, names: Iterable[str] | None = None
    ) -> list[tuple[Reason, ...]]:
        """Why rows score as they do: for each, its `top` features by share of the score.

        Args:
            X: rows `(n, d)`.
            top: reasons for a row.
            names: of all features; by default the columns', or x0, x1, ...

        Raises:
            ValueError: for another number of names; else as :meth:`score_samples`.
        """
        parts, expected = self.contributions(X), self.reconstruct(X)
        X, given = self._validated(X), feature_names(self) if names is None else list(names)
        if len(given) != X.shape[1]:
            raise ValueError(f"names must be {X.shape[1]}, one of every feature, got {len(given)}")
        return [reasons(given, *row, top) for row in zip(X, expected, parts, strict=True)]

    def _validated(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return validated(self, X, missing=self.missing, reset=False)

    def _blocks(self, X: np.ndarray) -> Iterator[tuple[slice, _Errors]]:
        for at in range(0, len(X), BLOCK):
            rows = slice(at, min(at + BLOCK, len(X)))
            yield rows, self._errors(X[rows])

    def _errors(self, rows: np.ndarray) -> _Errors:
        z, present = self._scale.z(rows), ~np.isnan(rows)
        expected = np.zeros(z.shape)
        if self._reconstruction is not None:
            expected[:, self.varies_] = self._reconstruction(z[:, self.varies_])
        squares = np.where(present, np.square(z - expected), 0.0)
        return _Errors(expected, squares * (z.shape[1] / present.sum(axis=1, keepdims=True)))

    def _scores(self, X: np.ndarray) -> np.ndarray:
        found = np.empty(len(X))
        for rows, errors in self._blocks(X):
            found[rows] = errors.scores
        return found


def _check(given: HeterogeneousAutoencoder) -> None:
    """Refuse parameters out of range; the network checks its own."""
    if given.architecture not in AUTOENCODERS:
        allowed = ", ".join(AUTOENCODERS)
        raise ValueError(f"architecture is one of {allowed}; got {given.architecture!r}")
    for role in ("first", "second"):
        neuron = getattr(given, role)
        if not isinstance(neuron, Neuron) and (
            not isinstance(neuron, str) or neuron not in catalogue()
        ):
            raise ValueError(f"{role} is a neuron or a name in neurons.catalogue(), got {neuron!r}")
    if not isinstance(given.widths, Sequence | None):
        raise ValueError(f"widths is a sequence of whole numbers or None, got {given.widths!r}")
    if given.missing not in ("refuse", "mean"):
        raise ValueError(f'missing is "refuse" or "mean", got {given.missing!r}')
    for name in ("contamination", "dropout", "learning_rate", "relinear_scale", "weight_decay"):
        if not isinstance(getattr(given, name), Real):
            raise ValueError(f"{name} must be a number, got {getattr(given, name)!r}")
    ranges = {
        "contamination": (0 < given.contamination <= 0.5, "in (0, 0.5]"),
        "dropout": (0 <= given.dropout < 1, "in [0, 1)"),
        "learning_rate": (0 < given.learning_rate < np.inf, "above 0"),
        "relinear_scale": (0 <= given.relinear_scale < np.inf, "at least 0"),
        "weight_decay": (0 <= given.weight_decay < np.inf, "at least 0"),
        "steps": (_is_size(given.steps, 1), "a whole number of at least 1"),
        "batch_size": (_is_size(given.batch_size, 2), "a whole number of at least 2"),
    }
    for name, (fine, allowed) in ranges.items():
        if not fine:
            raise ValueError(f"{name} must be {allowed}, got {getattr(given, name)!r}")


def _is_size(value: Any, least: int) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and bool(value >= least)
