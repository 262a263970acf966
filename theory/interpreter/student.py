"""The network that learns a black box: a ReLU MLP, trained on its answers."""

import itertools
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.training import Batches, Fit, fit
from theory.interpreter.black_box import Kind
from theory.interpreter.sampling import Place
from theory.regions import PiecewiseAffine, from_layers, from_modules

BATCH = 256
RATE = 3e-3
_EPOCH = 50  # steps in an epoch, at least


class Lesson(NamedTuple):
    """What the network learns.

    Args:
        x: `(points, in_features)` samples.
        responses: `(points, outputs)` of the black box.
    """

    x: Float[np.ndarray, "points in_features"]
    responses: Float[np.ndarray, "points outputs"]


class Student(nnx.Module):
    """Linear maps with ReLU in between."""

    def __init__(self, widths: Sequence[int], *, rngs: nnx.Rngs) -> None:
        steps = itertools.pairwise(widths)
        self.layers = nnx.List([nnx.Linear(i, o, rngs=rngs) for i, o in steps])

    def __call__(self, x: Array) -> Array:
        """Outputs `(batch, outputs)`."""
        for layer in self.layers[:-1]:
            x = jax.nn.relu(layer(x))
        return self.layers[-1](x)


def _loss(kind: Kind, model: Any, batch: tuple[Array, Array]) -> Array:
    """Cross-entropy with probabilities or labels, squared error of scores and values.

    Nothing is added for the labels where the black box says more than labels: the sum of two
    cross-entropies is least between probability and indicator, and was measured to cost both local
    and global fidelity.
    """
    x, responses = batch
    outputs = model(x)
    if kind in ("probabilities", "labels"):
        return optax.softmax_cross_entropy(outputs, responses).mean()
    return ((outputs - responses) ** 2).mean()


# One object per kind: equal losses share a compilation.
_LOSSES = {kind: partial(_loss, kind) for kind in ("probabilities", "scores", "labels", "values")}


@lru_cache
def _optimizer(steps: int) -> optax.GradientTransformation:
    return optax.adam(optax.cosine_decay_schedule(RATE, steps))


def taught(
    lesson: Lesson, kind: Kind, where: Place, hidden: Sequence[int], steps: int, key: Array
) -> tuple[PiecewiseAffine, Fit]:
    """Train a network and express it in the user's units.

    Args:
        lesson: samples and answers.
        kind: of the answers.
        where: centre and scale that the inputs are standardised by.
        hidden: widths of the hidden layers.
        steps: optimisation steps, at most; whole epochs of batches of 256.
        key: start and order.

    Returns:
        The network, standardisation folded into its first and last layer, and the record.
    """
    shift, size = _units(lesson.responses, kind)
    # Few samples are repeated: an epoch is one compiled scan, and a short one is all overhead.
    rows = np.tile(np.arange(len(lesson.x)), -(-_EPOCH * BATCH // len(lesson.x)))
    arrays = (
        jnp.asarray((lesson.x[rows] - where.centre) / where.scale, jnp.float32),
        jnp.asarray((lesson.responses[rows] - shift) / size, jnp.float32),
    )
    batches = Batches(arrays, BATCH, max(1, round(steps * BATCH / len(rows))))
    start, order = jax.random.split(key)
    student = Student((lesson.x.shape[1], *hidden, lesson.responses.shape[1]), rngs=nnx.Rngs(start))
    run = fit(student, _LOSSES[kind], _optimizer(batches.steps), batches, key=order, loop="scan")
    return _folded(run.model, where, shift, size), run


def _units(responses: np.ndarray, kind: Kind) -> tuple[np.ndarray, float]:
    """What is subtracted from responses, and what they are divided by, before training."""
    none = np.zeros(responses.shape[1])
    if kind in ("probabilities", "labels"):
        return none, 1.0
    shift = responses.mean(axis=0) if kind == "values" else none
    size = float(np.sqrt(((responses - shift) ** 2).mean()))
    return shift, size if size > 0 else 1.0


def _folded(model: Student, where: Place, shift: np.ndarray, size: float) -> PiecewiseAffine:
    """The same function of inputs and outputs in the user's units, in float64."""
    net = from_modules([*model.layers])
    kernels, biases = [*net.weights], [*net.biases]
    kernels[0] = kernels[0] / where.scale[:, None]
    biases[0] = biases[0] - where.centre @ kernels[0]
    kernels[-1], biases[-1] = kernels[-1] * size, biases[-1] * size + shift
    return from_layers(kernels, biases)
