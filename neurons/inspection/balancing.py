"""How the losses of several tasks become one: fixed weights, uncertainty, GradNorm.

A balance is called with the tasks' losses, the model and the batch, inside a loss of
:func:`neurons.fit`. Those that learn their weights need a model that carries them: wrap it in
:class:`Balanced`, and take `fit(...).model.model` when it is trained.

References:
    A. Kendall, Y. Gal, R. Cipolla, Multi-Task Learning Using Uncertainty to Weigh Losses, CVPR
    2018. Z. Chen et al., GradNorm: Gradient Normalization for Adaptive Loss Balancing, ICML 2018.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.inspection.gradient_share import task_gradients
from neurons.options import require

Losses = Callable[[Any, Any], Sequence[Array]]  # of model and batch, one per task
Balance = Callable[[Losses, Any, Any], Array]  # from them to the loss to descend on


class First(nnx.Variable):
    """What was measured at the first step: no parameter, but kept beside them."""


class Balanced(nnx.Module):
    """A model and, beside it, what a balance learns about its tasks.

    Args:
        model: answers to all that is called or asked here.
        tasks: how many.

    Attributes:
        balance: `(tasks,)` parameters, all 0 at the start: logarithms of the tasks' variances for
            :class:`Uncertainty`, of their weights up to a common term for :class:`GradNorm`.
        first: `(tasks,)` losses of the first step, NaN before it.

    Raises:
        ValueError: for fewer than two tasks.
    """

    def __init__(self, model: Any, tasks: int = 2) -> None:
        require("tasks", tasks, 2)
        self.model = model
        self.balance = nnx.Param(jnp.zeros(tasks))
        self.first = First(jnp.full(tasks, jnp.nan))

    def __call__(self, *inputs: Any) -> Any:
        """The model's answer."""
        return self.model(*inputs)


@dataclass(frozen=True)
class Fixed:
    """`L = sum_t w_t L_t`.

    Args:
        weights: one per task.

    Raises:
        ValueError: for a weight that is negative, or none above 0; on call for another number of
            tasks.
    """

    weights: tuple[float | int, ...]

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights) < 0 or not max(self.weights) > 0:
            raise ValueError(f"weights must not be negative, nor all 0: {self.weights}")

    def __call__(self, losses: Losses, model: Any, batch: Any) -> Float[Array, ""]:
        """The weighted sum."""
        found = losses(model, batch)
        if len(found) != len(self.weights):
            raise ValueError(f"{len(self.weights)} weights for {len(found)} tasks")
        # A task of weight 0 is left out: its part of the network is not even run.
        parts = [w * one for w, one in zip(self.weights, found, strict=True) if w]
        return jnp.stack(parts).sum()


@dataclass(frozen=True)
class Uncertainty:
    """`L = sum_t exp(-s_t) L_t + s_t / 2`, with `s_t` the logarithm of a variance, learned.

    Up to the factor of classification tasks this is Kendall et al.'s eq. 7 in the form of its
    numerically stable section 3.2: a task whose loss stays large counts less.
    """

    def __call__(self, losses: Losses, model: Any, batch: Any) -> Float[Array, ""]:
        """The loss; its gradient moves model and variances.

        Raises:
            TypeError: for a model that is not :class:`Balanced`.
            ValueError: for another number of tasks.
        """
        found, log_variance = _found(losses, model, batch)
        return (jnp.exp(-log_variance) * found + log_variance / 2).sum()


@dataclass(frozen=True)
class GradNorm:
    """`L = sum_t w_t L_t`, with weights that bring the tasks' gradients to the norms they need.

    With `G_t` the norm of the gradient of `w_t L_t` in the shared parameters and `r_t` the task's
    loss, relative to its first one and to the other tasks', the weights descend on
    `sum_t |G_t - mean(G) r_t^alpha|`, the mean and `r` held fixed (eq. 2): a task that learns more
    slowly gets larger gradients. Two things are ours: the weights are `T softmax(balance)`, which
    keeps them positive and their sum at T without a correction after each step, and the shared
    parameters may be all of an encoder's, not only its last layer's.

    The value is that of the weighted sum. Each step costs one more pass forward, and
    one back per task.

    Args:
        alpha: strength of the restoring force; the paper's 1.5 for tasks that differ much.
        shared: name in the path of the parameters that tasks share, see :func:`task_gradients`.

    Raises:
        ValueError: for a negative `alpha`; on call as :class:`Uncertainty`, or without a shared
            parameter.
    """

    alpha: float | int = 1.5
    shared: str = "parts"

    def __post_init__(self) -> None:
        if not self.alpha >= 0:
            raise ValueError(f"alpha must not be negative, got {self.alpha}")

    def __call__(self, losses: Losses, model: Any, batch: Any) -> Float[Array, ""]:
        """The loss; its gradient moves the model by the weighted sum, the weights by eq. 2.

        Raises:
            TypeError: for a model that is not :class:`Balanced`.
        """
        gradients = task_gradients(losses, model, batch, shared=self.shared)
        norms = jnp.linalg.norm(jax.lax.stop_gradient(gradients), axis=1)
        found, scores = _found(losses, model, batch)
        held = jax.lax.stop_gradient(found)
        model.first[...] = jnp.where(jnp.isnan(model.first[...]), held, model.first[...])
        weights = len(found) * jax.nn.softmax(scores)
        descend = self._pull(weights, norms, held / model.first[...])
        total = (jax.lax.stop_gradient(weights) * found).sum()
        return total + descend - jax.lax.stop_gradient(descend)

    def _pull(self, weights: Array, norms: Array, progress: Array) -> Float[Array, ""]:
        """Eq. 2: how far the gradients' norms are from those that their tasks need."""
        ours = weights * norms
        rate = progress / progress.mean()
        target = jax.lax.stop_gradient(ours.mean() * rate**self.alpha)
        return jnp.abs(ours - target).sum()


def task_weights(model: Any, balance: Balance) -> np.ndarray:
    """By how much each task's loss counts, shape `(tasks,)`.

    Args:
        model: as trained, :class:`Balanced`; any for :class:`Fixed` weights, which are returned.
        balance: what it was trained with.
    """
    if isinstance(balance, Fixed):
        return np.asarray(balance.weights, np.float64)
    scores = np.asarray(model.balance[...], np.float64)
    if isinstance(balance, Uncertainty):
        return np.exp(-scores)
    return len(scores) * np.exp(scores) / np.exp(scores).sum()


def _found(losses: Losses, model: Any, batch: Any) -> tuple[Array, Array]:
    """The tasks' losses and what the model carries for them."""
    if not isinstance(model, Balanced):
        raise TypeError(f"wrap the model in Balanced, which carries the weights: {type(model)}")
    found = jnp.stack(list(losses(model, batch)))
    scores = model.balance[...]
    if found.shape != scores.shape:
        raise ValueError(f"{found.size} tasks for a model balanced over {scores.size}")
    return found, scores
