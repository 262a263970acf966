"""What a map explains: one number per sample, chosen from the logits.

Every method differentiates, or watches, a score per sample. `None` takes the logit of the class
that the network predicts, an integer that of one class for all samples, an array that of a class
for each; a function turns the logits into scores itself (for example the sum of a segmentation
network's logits over a region).

A binary classifier with a single logit z is read as the two logits (-z, z): class 1 is scored by
z, class 0 by -z, and z > 0 predicts class 1. The score of a class is never clipped at zero, so a
sample that the network misjudges has a map for its true class like any other.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.tree_util import Partial
from jaxtyping import Float, Int

Target = int | np.integer | np.ndarray | Array | Callable[[Array], Array] | None


def scores(logits: Float[Array, " batch *rest"], target: Any = None) -> Float[Array, " batch"]:
    """The score that each sample is explained by.

    `y_b = logits[b, c_b]`; of a single logit, `-logits[b]` for class 0 and `logits[b]` for class 1.

    Args:
        logits: `(batch, classes)`; `(batch, 1)` or `(batch,)` of a binary classifier; any shape
            behind the batch where `target` is a function.
        target: None for the predicted class; a class; an integer array `(batch,)` of classes; or a
            function from the logits, as the network gives them, to scores `(batch,)`.

    Returns:
        `(batch,)`. NaN, with gradient NaN, for a sample with a NaN among its logits, and for a
        class that does not exist where only a compiled program knows it.

    Raises:
        ValueError: for a class that does not exist, targets of another length than the batch,
            logits of other axes without a function, or a function that does not return `(batch,)`.
        TypeError: for classes that are no integers.

    Example:
        >>> logits = jnp.array([[2.0, 5.0], [4.0, 3.0]])
        >>> scores(logits).tolist(), scores(logits, 0).tolist()
        ([5.0, 4.0], [2.0, 4.0])
        >>> scores(jnp.array([-3.0, 2.0]), jnp.array([1, 0])).tolist()  # single logits, both wrong
        [-3.0, -2.0]
    """
    if callable(target):
        return _called(target, logits)
    logits = class_logits(logits)
    chosen = _argmax(logits) if target is None else classes(target, *logits.shape)
    known = (chosen >= 0) & (chosen < logits.shape[1])
    known &= ~jnp.isnan(logits).any(axis=1)
    # 0 for the classes not asked for; NaN everywhere, in value and gradient, if none can be given.
    weights = jax.nn.one_hot(chosen, logits.shape[1], dtype=logits.dtype)
    weights = jnp.where(known[:, None], weights, jnp.full_like(weights, jnp.nan))
    asked = weights != 0  # an infinite logit of another class is not asked for
    return jnp.sum(jnp.where(asked, weights * logits, jnp.zeros_like(logits)), axis=1)


def class_logits(logits: Float[Array, " batch *rest"]) -> Float[Array, "batch classes"]:
    """Logits by class; a single logit z becomes `(-z, z)`.

    Raises:
        ValueError: for more axes than `(batch, classes)`, or no class at all.
    """
    if logits.ndim == 1:
        logits = logits[:, None]
    if logits.ndim != 2 or logits.shape[1] == 0:
        raise ValueError(
            f"a class is chosen from logits (batch, classes), got shape {logits.shape}; give a "
            "function from these logits to one score per sample as the target"
        )
    return jnp.concatenate([-logits, logits], axis=1) if logits.shape[1] == 1 else logits


def predicted(logits: Float[Array, " batch *rest"]) -> Int[Array, " batch"]:
    """The class with the largest logit, of equal ones the first; a single z > 0 is class 1."""
    return _argmax(class_logits(logits))


def _argmax(logits: Float[Array, "batch classes"]) -> Int[Array, " batch"]:
    """The predicted class, through which no gradient flows."""
    return jnp.argmax(jax.lax.stop_gradient(logits), axis=1).astype(jnp.int32)


def classes(target: Any, batch: int, number: int) -> Int[Array, " batch"]:
    """A class for every sample, checked as far as the values are known.

    Args:
        target: a class, or an integer array `(batch,)`.
        batch: samples.
        number: of classes.

    Returns:
        `(batch,)` int32.

    Raises:
        ValueError: for another length than the batch, or a known class outside `[0, number)`.
        TypeError: for classes that are no integers.
    """
    given = target if isinstance(target, jax.core.Tracer) else np.asarray(target)
    if given.dtype.kind not in "iu":
        raise TypeError(f"classes are integers, got {given.dtype}; scores come from a function")
    if given.shape not in ((), (batch,)):
        raise ValueError(f"{batch} samples need one class or {batch}, got shape {given.shape}")
    if isinstance(given, np.ndarray) and not ((given >= 0) & (given < number)).all():
        wrong = given[(given < 0) | (given >= number)].flat[0]
        raise ValueError(f"class {wrong} does not exist: the network has classes 0 to {number - 1}")
    return jnp.broadcast_to(jnp.asarray(given, jnp.int32), (batch,))


def settled(target: Any, logits: Float[Array, " batch *rest"]) -> Any:
    """The target as a pytree, with the class fixed that these logits predict.

    For methods that change the input or the activations and ask for the same class again.
    """
    if callable(target):
        return target if isinstance(target, Partial) else Partial(target)
    return predicted(logits) if target is None else classes(target, *class_logits(logits).shape)


def _called(target: Callable[[Array], Array], logits: Array) -> Array:
    found = target(logits)
    if not isinstance(found, jax.Array) or found.shape != logits.shape[:1]:
        raise ValueError(
            f"a target function maps logits {logits.shape} to scores {logits.shape[:1]}, got "
            f"{getattr(found, 'shape', type(found).__name__)}"
        )
    return found
