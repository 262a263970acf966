"""The MLP as universal interpreter: a black box in, exact affine regions and rules out."""

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from theory.interpreter.black_box import BlackBox as BlackBox
from theory.interpreter.black_box import Task, check_several, opened
from theory.interpreter.explanation import Explanation as Explanation
from theory.interpreter.interpretation import Interpretation as Interpretation
from theory.interpreter.interpretation import feature_names
from theory.interpreter.rules import Rule as Rule
from theory.interpreter.rules import Rules as Rules
from theory.interpreter.sampling import (
    Place,
    at_boundary,
    generator,
    held_out_points,
    place,
    spread,
)
from theory.interpreter.sampling import Sampling as Sampling
from theory.interpreter.student import Lesson, taught
from theory.interpreter.surrogate import LinearSurrogate as LinearSurrogate
from theory.interpreter.surrogate import linear_surrogate as linear_surrogate

_FEWEST = 100
_USUAL = Sampling()


def interpret(
    black_box: Any,
    data: ArrayLike | None = None,
    domain: ArrayLike | None = None,
    *,
    key: Array,
    task: Task | None = None,
    hidden: Sequence[int] = (64, 64),
    samples: int = 40_000,
    steps: int = 5000,
    sampling: Sampling = _USUAL,
    features: Iterable[str] | None = None,
) -> Interpretation:
    """Approximate a black box by a ReLU network whose every prediction is explicit.

    The black box is asked near the data, all over the domain and at its decision boundary; a
    network learns the answers (cross-entropy with probabilities or labels, squared error of scores
    or values); what it computes is a finite list of polytopes with an affine map each.

    Args:
        black_box: a callable on `(points, in_features)` float64, a scikit-learn estimator or an
            `nnx.Module`; see :func:`theory.interpreter.black_box.opened` for what it may answer.
        data: `(rows, in_features)` inputs that matter; a quarter of the rows is held out.
        domain: `(in_features, 2)` low and high of every input; by default the box of the data.
        key: decides samples, start and order; the same key gives the same interpretation.
        task: "classification" or "regression", where the answers leave it open.
        hidden: widths of the hidden layers.
        samples: points to train on. In all the black box is asked about four times as often: for
            labels, for responses, in the bisection.
        steps: optimisation steps on batches of 256.
        sampling: how the samples are shared out.
        features: names of the inputs.

    Returns:
        The interpretation.

    Raises:
        TypeError: for something that cannot be asked.
        ValueError: without data and domain, for unlike dimensions, a domain without low < high,
            or answers that are of a wrong shape, not finite, or of one class only.

    References:
        H. Dong et al., How to Explain Neural Networks: an Approximation Perspective, arXiv
        2105.07831; Interpretability as Approximation, Electronics 13(22):4339, 2024. The sampling
        and the training are ours.

    Example:
        >>> ring = lambda x: (x**2).sum(axis=1) < 0.5
        >>> story = interpret(ring, domain=[[-1, 1], [-1, 1]], key=jax.random.key(0), steps=1500)
        >>> story.fidelity > 0.97, bool(story.explain([0.6, 0.0]).label)
        (True, True)
    """
    _check(hidden, samples, steps)
    random = generator(key)
    where = place(data, domain, sampling, random)
    names = feature_names(features, len(where.box))
    opening, lesson = _asked(black_box, where, samples, sampling, task, random)
    judged = held_out_points(where, random)
    network, run = taught(lesson, opening.kind, where, hidden, steps, jax.random.fold_in(key, 1))
    return Interpretation(
        network, opening, where, lesson.x, judged, np.asarray(run.losses), names, key
    )


def _check(hidden: Sequence[int], samples: int, steps: int) -> None:
    if min(hidden, default=1) < 1:
        raise ValueError(f"hidden widths must be at least 1, got {[*hidden]}")
    if samples < _FEWEST:
        raise ValueError(f"samples must be at least {_FEWEST}, got {samples}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")


def _asked(
    black_box: Any,
    where: Place,
    samples: int,
    sampling: Sampling,
    task: Task | None,
    random: np.random.Generator,
) -> tuple[BlackBox, Lesson]:
    """Samples and answers; boundary-seeking ones once the labels of the others are known."""
    share = 0.0 if task == "regression" else sampling.boundary
    x = spread(where, samples, sampling, random, share)
    box = opened(black_box, x, task)
    if box.task == "regression":
        missing = spread(where, samples - len(x), sampling, random, 0.0)
        x = np.concatenate([x, missing])
        return box, Lesson(x, box.responses(x))
    labels = box.labels(x)
    check_several(box.classes, labels)
    found = at_boundary(box.labels, x, labels, samples - len(x), random)
    x, labels = np.concatenate([x, found]), np.concatenate([labels, box.labels(found)])
    known = labels >= 0  # a class that only the boundary's samples show is none of `classes`
    return box, Lesson(x[known], box.responses(x[known]))
