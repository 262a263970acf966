"""A model that can only be asked: what it answers, checked, in one form for every kind of model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float, Int

Task = Literal["classification", "regression"]
Kind = Literal["probabilities", "scores", "labels", "values"]
Ask = Callable[[np.ndarray], Any]
# More labels than this are taken for the values of a regression.
_MOST_CLASSES = 1000
# Responses of an estimator are used if they agree with its labels on this share of some points.
_AGREEING, _PROBED = 0.95, 1000


@dataclass(frozen=True)
class BlackBox:
    """A model that is asked at points `(points, in_features)`; made by :func:`opened`.

    Args:
        kind: what it answers: "probabilities" or "scores" of classes, "labels", or "values" of a
            regression.
        classes: `(classes,)` names of the classes; empty for a regression.
        ask_labels: labels, if they do not follow from the responses.
        ask: probabilities, scores, labels or values.
    """

    kind: Kind
    classes: np.ndarray
    ask_labels: Ask | None
    ask: Ask

    @property
    def task(self) -> Task:
        """What it solves."""
        return "regression" if self.kind == "values" else "classification"

    @property
    def outputs(self) -> int:
        """Columns of :meth:`responses`."""
        return max(self.classes.size, 1)

    def labels(self, x: np.ndarray) -> Int[np.ndarray, " points"]:
        """Number of the class at every point; -1 for a label that is not among `classes`."""
        if self.ask_labels is None and self.kind != "labels":
            return self.responses(x).argmax(axis=1)
        found = _answer(self.ask_labels or self.ask, x)
        if found.ndim != 1:
            raise ValueError(f"labels must be ({len(x)},), the black box gave {found.shape}")
        return encoded(found, self.classes)

    def responses(self, x: np.ndarray) -> Float[np.ndarray, "points outputs"]:
        """Probabilities, scores, labels as indicators, or values."""
        if self.kind == "labels":
            return (self.labels(x)[:, None] == np.arange(self.classes.size)).astype(np.float64)
        found = _columns(_answer(self.ask, x), self.kind)
        if found.shape[1] != self.outputs:
            raise ValueError(
                f"black box gave {found.shape[1]} columns here and {self.outputs} before"
            )
        return found


def opened(black_box: Any, x: np.ndarray, task: Task | None = None) -> BlackBox:
    """Find out what a model answers, by asking it at `x`.

    Args:
        black_box: a callable from `(points, in_features)` float64 to labels `(points,)`, values
            `(points,)` or `(points, 1)`, or probabilities or scores `(points, classes)`; an
            estimator with scikit-learn's `predict`, and `predict_proba` or `decision_function` if
            it has them; an `nnx.Module`.
        x: `(points, in_features)` points to ask at; of a model that gives labels only, all its
            classes must show up there.
        task: "classification" or "regression"; by default whatever the answers look like: one
            column of floating-point numbers is a regression.

    Raises:
        TypeError: for something that cannot be asked.
        ValueError: for answers of a wrong shape, NaN, or another task.
    """
    if task not in (None, "classification", "regression"):
        raise ValueError(f'task must be "classification", "regression" or None, got {task!r}')
    made = _estimator(black_box) if hasattr(black_box, "predict") else None
    if made is not None:
        if not _consistent(made, x[:_PROBED]):
            made = BlackBox("labels", made.classes, None, black_box.predict)
    else:
        made = _function(_callable(black_box), x, task)
    if task is not None and made.task != task:
        raise ValueError(f"task={task!r}, but the black box answers {made.kind}")
    made.responses(x[:2])  # a wrong shape shows now, and not after the sampling
    return made


def _callable(black_box: Any) -> Ask:
    ask = getattr(black_box, "predict", black_box)
    if not callable(ask):
        raise TypeError(f"a black box is a callable or has predict, got {type(black_box).__name__}")
    if not isinstance(black_box, nnx.Module):
        return ask
    network: Any = black_box
    forward = nnx.jit(lambda model, points: model(points))
    return lambda x: np.asarray(forward(network, jnp.asarray(x, jnp.float32)), np.float64)


def _estimator(model: Any) -> BlackBox | None:
    """A classifier that says which classes it knows; its `predict` has the last word on labels."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return None
    if isinstance(classes, list):
        raise ValueError("a black box answers one question; this estimator has several outputs")
    names = np.asarray(classes)
    if hasattr(model, "predict_proba"):
        return BlackBox("probabilities", names, model.predict, model.predict_proba)
    if hasattr(model, "decision_function"):
        return BlackBox("scores", names, model.predict, model.decision_function)
    return BlackBox("labels", names, None, model.predict)


def _consistent(model: BlackBox, x: np.ndarray) -> bool:
    """Whether the highest response says the label; not so for a score per pair of classes."""
    if model.kind == "labels":
        return True
    found = _columns(_answer(model.ask, x), model.kind)
    if found.shape[1] != model.outputs:
        return False
    return float((found.argmax(axis=1) == model.labels(x)).mean()) >= _AGREEING


def _function(ask: Ask, x: np.ndarray, task: Task | None) -> BlackBox:
    """A callable, whose answers say what it is."""
    found = _answer(ask, x)
    wide = found.ndim == 2 and found.shape[1] > 1
    if wide and task == "regression":
        raise ValueError(f"a regression has one output, the black box gave {found.shape}")
    if wide:
        sums = np.abs(found.sum(axis=1) - 1).max()
        kind: Kind = "probabilities" if found.min() >= 0 and sums < 1e-3 else "scores"
        return BlackBox(kind, np.arange(found.shape[1]), None, ask)
    number = found.dtype.kind == "f"
    if task == "regression" or (task is None and number):
        if found.dtype.kind not in "fiub":
            raise ValueError(f"a regression has numbers as values, got {found.dtype}")
        return BlackBox("values", np.zeros(0), None, ask)
    if found.ndim != 1:
        raise ValueError(f"labels must be ({len(x)},), the black box gave {found.shape}")
    classes = np.unique(found)
    if classes.size > _MOST_CLASSES:
        raise ValueError(f'{classes.size} labels: say task="regression" if they are values')
    return BlackBox("labels", classes, None, ask)


def encoded(labels: np.ndarray, classes: np.ndarray) -> Int[np.ndarray, " points"]:
    """Number of every label among the sorted `classes`, -1 if it is not there."""
    place = np.minimum(np.searchsorted(classes, labels), classes.size - 1)
    return np.where(classes[place] == labels, place, -1)


def _answer(ask: Ask, x: np.ndarray) -> np.ndarray:
    """One answer per point, and no NaN among them."""
    found = np.asarray(ask(x))
    if found.ndim not in (1, 2) or len(found) != len(x) or 0 in found.shape:
        raise ValueError(
            f"black box gave shape {found.shape} for {len(x)} points; allowed: ({len(x)},) labels "
            f"or values, ({len(x)}, classes) probabilities or scores"
        )
    if found.dtype.kind not in "fiubUSO":
        raise ValueError(f"black box gave {found.dtype}; allowed: numbers, Booleans and text")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        bad = np.flatnonzero(~np.isfinite(found.reshape(len(x), -1)).all(axis=1))
        raise ValueError(
            f"black box gave NaN or infinity at {bad.size} of {len(x)} points, first at "
            f"x = {x[bad[0]].tolist()}"
        )
    return found


def _columns(found: np.ndarray, kind: Kind) -> np.ndarray:
    """Answers as columns of float64; the score of two classes is one of the second against 0."""
    found = found.astype(np.float64).reshape(len(found), -1)
    if kind == "scores" and found.shape[1] == 1:
        return np.concatenate([-found / 2, found / 2], axis=1)
    return found


def check_several(classes: np.ndarray, labels: Int[np.ndarray, " points"]) -> None:
    """Raise ValueError unless there are two classes among the labels of sampled points."""
    seen = np.unique(labels)
    if seen.size < 2:
        name = classes[seen[0]] if seen[0] >= 0 else "an unknown one"
        raise ValueError(
            f"black box gives one class only, {name}, at all {len(labels)} sampled points: there "
            "is no boundary to interpret; widen the domain or give other data"
        )
