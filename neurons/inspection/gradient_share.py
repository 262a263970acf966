"""Who moves the shared encoder: what samples and tasks contribute to its gradient.

Where a loss is a mean over samples, `L = mean_i l_i`, the gradient in the shared parameters is the
mean of `g_i = grad l_i`, and the share of a group of samples is
`sum_(i in group) |g_i| / sum_i |g_i|`: how hard each pulls, even where two pull against each other.
With several tasks, `l_i = sum_t w_t l_it`, the inner products `<g_it, g_iu>` are all that is needed
for any weights, and for the angle between tasks; they are what is kept.

Batch statistics would tie the samples of a batch together: gradients are those of the model in
evaluation mode.

References:
    H.-C. Dong et al., Sample-Centric Multi-Task Learning, arXiv 2510.13226, abstract ("at the
    gradient level"): the quantity is our reading. Cosines between tasks: T. Yu et al., Gradient
    Surgery for Multi-Task Learning, NeurIPS 2020, definition 1.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Bool, Float

from neurons.options import require

Losses = Callable[[Any, Any], Sequence[Array]]
Grams = Float[np.ndarray, "samples tasks tasks"]


def task_gradients(
    losses: Losses, model: Any, batch: Any, *, shared: str = "parts"
) -> Float[Array, "tasks parameters"]:
    """The gradient of every task's loss in the shared parameters, one long vector each.

    Args:
        losses: of model and batch, one scalar per task.
        model: an `nnx.Module`; it is left as it is.
        batch: as `losses` takes it.
        shared: name of an attribute in the path of the shared parameters: "parts" holds the stages
            of a :class:`neurons.backbones.defect.MultiTaskNet`.

    Raises:
        ValueError: if no parameter has that name in its path.
    """
    within = nnx.All(nnx.Param, nnx.PathContains(shared))
    graph, ours, rest = nnx.split(model, within, ...)  # type: ignore[misc]
    if not jax.tree.leaves(ours):
        raise ValueError(f"the model has no parameter below an attribute named {shared!r}")

    def found(ours: Any) -> Array:
        return jnp.stack(list(losses(nnx.merge(graph, ours, rest, copy=True), batch)))

    values, pull = jax.vjp(found, ours)
    # One pass back per task: together they would be one with grouped convolutions, which are slow.
    rows = [pull(one)[0] for one in jnp.eye(values.size, dtype=values.dtype)]
    return jnp.stack([jnp.concatenate([v.ravel() for v in jax.tree.leaves(row)]) for row in rows])


def gradient_grams(
    losses: Losses, model: Any, data: Any, *, shared: str = "parts", size: int = 1
) -> Grams:
    """Inner products of the tasks' gradients in the shared parameters, sample by sample.

    Args:
        losses: as for :func:`task_gradients`, means over samples; keep the same function, each new
            one compiles anew.
        model: taken in evaluation mode; it is left as it is.
        data: pytree of arrays, samples on their first axis.
        shared: as for :func:`task_gradients`.
        size: samples that a gradient is the mean of: 1 for single samples, or a batch; samples
            that do not fill the last batch are left out.

    Returns:
        `found[i, t, u] = <g_it, g_iu>`.

    Raises:
        ValueError: as :func:`task_gradients`, or for data with fewer samples than `size`.

    Example:
        >>> class Line(nnx.Module):
        ...     def __init__(self): self.parts = nnx.Param(jnp.array([1.0, 2.0]))
        >>> losses = lambda line, x: (line.parts[0] * x.mean(), line.parts[1] * x.mean())
        >>> gradient_grams(losses, Line(), jnp.array([3.0, 4.0])).tolist()
        [[[9.0, 0.0], [0.0, 9.0]], [[16.0, 0.0], [0.0, 16.0]]]
    """
    require("size", size)
    count = len(jax.tree.leaves(data)[0]) // size
    if not count:
        raise ValueError(f"there are fewer samples than size={size}")
    model = nnx.clone(model)
    model.eval()
    graph, state = nnx.split(model)
    known = jax.tree.map(np.asarray, data)  # whose rows are cheaper to take
    rows = [slice(size * place, size * (place + 1)) for place in range(count)]
    parts = [jax.tree.map(lambda leaf, at=at: leaf[at], known) for at in rows]
    gram = _program(losses, graph, shared)
    return np.stack([np.asarray(gram(state, part)) for part in parts])


@lru_cache(maxsize=16)
def _program(losses: Losses, graph: Any, shared: str) -> Callable[[Any, Any], Array]:
    """Compiled once for all models that differ in values only."""

    @jax.jit
    def gram(state: Any, batch: Any) -> Array:
        found = task_gradients(losses, nnx.merge(graph, state, copy=True), batch, shared=shared)
        return jnp.einsum("tp,up->tu", found, found, precision=jax.lax.Precision.HIGHEST)

    return gram


def gradient_norms(
    grams: Grams, weights: Sequence[float | int] | np.ndarray
) -> Float[np.ndarray, " samples"]:
    """Norm of every sample's gradient, `|sum_t w_t g_it|`.

    Args:
        grams: from :func:`gradient_grams`.
        weights: of the tasks.

    Raises:
        ValueError: for another number of weights than tasks.
    """
    w = np.asarray(weights, np.float64)
    if w.shape != grams.shape[1:2]:
        raise ValueError(f"weights of shape {w.shape} for {grams.shape[1]} tasks")
    return np.sqrt(np.maximum(np.einsum("t,stu,u->s", w, grams.astype(np.float64), w), 0))


def gradient_share(
    grams: Grams,
    group: Bool[np.ndarray, " samples"],
    weights: Sequence[float | int] | np.ndarray,
) -> float:
    """The share of the gradient's norm that a group of samples contributes.

    Args:
        grams: from :func:`gradient_grams`.
        group: which samples.
        weights: of the tasks, as the loss has them.

    Returns:
        In [0, 1]; NaN where no sample has a gradient.

    Raises:
        ValueError: as :func:`gradient_norms`, or for another number of samples.
    """
    if group.shape != grams.shape[:1]:
        raise ValueError(f"{len(grams)} samples, but a group among {group.shape}")
    norms = gradient_norms(grams, weights)
    return float(norms[group].sum() / norms.sum()) if norms.sum() > 0 else float("nan")


def task_cosines(grams: Grams, one: int = 0, other: int = 1) -> Float[np.ndarray, " samples"]:
    """Cosine of the angle between two tasks' gradients.

    Args:
        grams: from :func:`gradient_grams`, of single samples or of batches.
        one: number of a task.
        other: number of another.

    Returns:
        In [-1, 1]; NaN where either gradient is zero.
    """
    both = grams.astype(np.float64)
    norms = np.sqrt(both[:, one, one] * both[:, other, other])
    cosine = both[:, one, other] / np.where(norms > 0, norms, np.nan)
    return np.asarray(np.clip(cosine, -1, 1))
