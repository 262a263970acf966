"""Losses other than the squared one, each as a sequence of weighted least-squares problems.

Near a prediction every loss is, or lies below, a parabola: the weights and working targets of that
parabola turn it into the squared loss, which the triangle can hold.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax, softmax

_SMALL = 1e-3  # of the typical error or of the largest weight: keeps weights finite
_HUBER = 1.345  # robust standard deviations: 95 % efficient for normal errors
Working = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Loss:
    """A loss of targets and predictions, both `(n, targets)`.

    Args:
        name: as `search` takes it.
        value: the loss of every sample `(n,)`.
        working: weights `(n,)` and targets `(n, targets)` of the parabola at a prediction.
        likelihood: whether the loss is a negative log-likelihood; if not, an error's scale is
            estimated beside it.
        scaled: makes the loss for errors of a scale, where it depends on one.
    """

    name: str
    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    working: Callable[[np.ndarray, np.ndarray], Working]
    likelihood: bool
    scaled: Callable[[float], "Loss"] | None = None

    def at(self, y: np.ndarray, prediction: np.ndarray) -> "Loss":
        """The loss with its scale taken, robustly, from a prediction's errors."""
        if self.scaled is None:
            return self
        return self.scaled(float(np.median(np.abs(y - prediction)) / 0.6745) or 1e-12)

    def bic(self, y: np.ndarray, prediction: np.ndarray, weights: np.ndarray, k: int) -> float:
        """Bayesian information criterion of a prediction made with k parameters."""
        total, count = float((weights * self.value(y, prediction)).sum()), len(y)
        fit = total if self.likelihood else count * np.log(max(total / count, 1e-300))
        return 2 * fit + k * np.log(count)


def _absolute(y: np.ndarray, prediction: np.ndarray) -> Working:
    error = np.abs(y - prediction).sum(axis=1)
    return 1 / np.maximum(error, _SMALL * max(error.mean(), 1e-300)), y


def huber(scale: float = 1.0) -> Loss:
    """Huber's loss, quadratic up to 1.345 times the errors' standard deviation."""
    bend = _HUBER * scale

    def value(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        error = np.abs(y - prediction)
        return np.where(error < bend, error**2 / 2, bend * (error - bend / 2)).sum(axis=1)

    def working(y: np.ndarray, prediction: np.ndarray) -> Working:
        error = np.abs(y - prediction).max(axis=1)
        return np.minimum(1.0, bend / np.maximum(error, 1e-300)), y

    return Loss("huber", value, working, likelihood=False, scaled=huber)


def _logistic(y: np.ndarray, prediction: np.ndarray) -> Working:
    chance = expit(prediction)
    weight = np.maximum(chance * (1 - chance), _SMALL)
    return weight[:, 0], prediction + (y - chance) / weight


def _softmax(y: np.ndarray, prediction: np.ndarray) -> Working:
    """The curvature diag(p) - pp' is at most twice the largest p (1 - p)."""
    chance = softmax(prediction, axis=1)
    weight = np.maximum(2 * (chance * (1 - chance)).max(axis=1), 10 * _SMALL)
    return weight, prediction + (y - chance) / weight[:, None]


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("absolute", lambda y, p: np.abs(y - p).sum(axis=1), _absolute, likelihood=False),
        huber(),
        Loss(
            "logistic",
            lambda y, p: np.logaddexp(0, np.where(y > 0, -p, p)).sum(axis=1),
            _logistic,
            likelihood=True,
        ),
        Loss(
            "softmax",
            lambda y, p: -(y * log_softmax(p, axis=1)).sum(axis=1),
            _softmax,
            likelihood=True,
        ),
    )
}


def encode(loss: str, y: np.ndarray) -> np.ndarray:
    """Targets `(n, targets)` of a classification loss from labels `(n,)`, or as they are.

    Raises:
        ValueError: for labels that are not 0 and 1 ("logistic"), not 0 to K - 1 ("softmax"), or of
            one class only.
    """
    if loss not in ("logistic", "softmax"):
        return y
    labels = y.reshape(len(y), -1)
    if labels.shape[1] != 1 or (labels != np.round(labels)).any() or labels.min() < 0:
        raise ValueError(f"loss {loss!r} takes labels (samples,) that are whole numbers >= 0")
    classes = int(labels.max()) + 1
    missing = set(range(classes)) - set(labels[:, 0].astype(int).tolist())
    if missing or classes < 2 or (loss == "logistic" and classes > 2):
        allowed = "0 and 1" if loss == "logistic" else "0 to K - 1, all of them present, K >= 2"
        raise ValueError(f"loss {loss!r} takes labels {allowed}, got {np.unique(labels).tolist()}")
    if loss == "logistic":
        return labels
    return np.eye(classes)[labels[:, 0].astype(int)]
