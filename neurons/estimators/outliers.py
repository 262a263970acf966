"""What detectors of anomalies say beside scores: reasons, and PyOD's names and signs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import erf


class Reason(NamedTuple):
    """One feature's part in a row's score.

    Args:
        feature: its name.
        value: what the row has.
        expected: what the detector makes of the whole row there, in the same unit.
        share: of the score, from 0 to 1.
    """

    feature: str
    value: float
    expected: float
    share: float

    def __str__(self) -> str:
        expected = f"{self.feature} = {self.value:.4g}, expected {self.expected:.4g}"
        return f"{expected} ({self.share:.0%} of the score)"


def reasons(
    names: Sequence[str], values: np.ndarray, expected: np.ndarray, parts: np.ndarray, top: int
) -> tuple[Reason, ...]:
    """The `top` features of one row by their parts in its score, the largest first."""
    shares = parts / (parts.sum() or 1.0)
    order = np.argsort(-shares, kind="stable")[:top]
    columns = (values, expected, shares)
    return tuple(Reason(str(names[i]), *(float(column[i]) for column in columns)) for i in order)


class PyODView:
    """A detector under PyOD's contract: high scores and 1 mean anomalous.

    scikit-learn and PyOD both have `decision_function` and `predict`, with opposite signs and
    different labels; here they mean what PyOD's users expect. Nothing is copied.

    Args:
        detector: a `HeterogeneousAutoencoder`, fitted or not.

    Attributes:
        decision_scores_: `(n,)` scores of the training rows, high where anomalous.
        threshold_: the score above which a row counts as anomalous.
        labels_: `(n,)` 1 for the training rows above it, else 0.
    """

    def __init__(self, detector: Any) -> None:
        self.detector = detector

    def __repr__(self) -> str:
        return f"PyODView({self.detector!r})"

    @property
    def contamination(self) -> float:
        """Share of the training rows that count as anomalous."""
        return self.detector.contamination

    @property
    def decision_scores_(self) -> np.ndarray:
        """Scores of the training rows."""
        return self.detector.decision_scores_

    @property
    def threshold_(self) -> float:
        """The score above which a row counts as anomalous."""
        return self.detector.threshold_

    @property
    def labels_(self) -> np.ndarray:
        """1 for anomalous training rows, else 0."""
        return self.detector.labels_

    def fit(self, X: Any, y: Any = None) -> "PyODView":
        """Fit the detector on rows `(n, d)`."""
        self.detector.fit(X)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores `(n,)`, high where anomalous, of rows `(n, d)`."""
        return -self.detector.score_samples(X)

    def predict(self, X: Any) -> np.ndarray:
        """1 for anomalous rows, else 0."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit, and label the same rows."""
        return self.fit(X).labels_

    def predict_proba(self, X: Any, method: str = "linear") -> np.ndarray:
        """Probabilities `(n, 2)` of being normal and anomalous, see :func:`probabilities`."""
        return probabilities(self.decision_function(X), self.decision_scores_, method)


def probabilities(scores: np.ndarray, training: np.ndarray, method: str = "linear") -> np.ndarray:
    """Scores as PyOD's probabilities of being normal and anomalous, `(n, 2)`.

    Args:
        scores: `(n,)`, high where anomalous.
        training: scores of the training rows.
        method: "linear" puts 0 and 1 at the lowest and highest training score; "unify" is
            `erf(z / sqrt(2))` of the scores z-scored by the training's, 0 below their mean.

    Raises:
        ValueError: for another method.

    References:
        H.-P. Kriegel, P. Kroeger, E. Schubert, A. Zimek, Interpreting and Unifying Outlier Scores,
        SDM 2011.
    """
    if method == "linear":
        spread = np.ptp(training)
        found = (scores - training.min()) / (spread if spread > 0 else 1.0)
    elif method == "unify":
        spread = training.std()
        found = erf((scores - training.mean()) / ((spread if spread > 0 else 1.0) * np.sqrt(2)))
    else:
        raise ValueError(f'method must be "linear" or "unify", got {method!r}')
    anomalous = np.clip(found, 0, 1)
    return np.stack([1 - anomalous, anomalous], axis=1)
