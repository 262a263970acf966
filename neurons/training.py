"""Training as a pure function: model, loss, optimizer, data and key in, a record out.

`fit` trains one model, `fit_seeds` the same model from many keys. Both run whole epochs, in one
compiled scan or as a Python loop over one compiled step, whichever the device likes better.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import Array

from neurons.epochs import Batches as Batches
from neurons.epochs import Fit as Fit
from neurons.epochs import Loop, Loss, Run, Select, TrainingState, widest_axis


def cross_entropy(model: Any, batch: tuple[Array, Array]) -> Array:
    """Mean softmax cross-entropy of `model(x)` logits against integer labels, `batch = (x, y)`."""
    x, labels = batch
    return optax.softmax_cross_entropy_with_integer_labels(model(x), labels).mean()


def fit(
    model: Any,
    loss: Loss,
    tx: optax.GradientTransformation,
    batches: Batches,
    *,
    key: Array,
    validation: Any = None,
    select: Select = "last",
    settings: Mapping[str, float] | None = None,
    loop: Loop = "auto",
    resume: TrainingState | None = None,
    on_epoch: Callable[[TrainingState], None] | None = None,
) -> Fit:
    """Train `model`; the model given is left as it was.

    Gradient clipping and schedules belong to `tx`: `optax.chain(optax.clip_by_global_norm(1.0),
    optax.sgd(optax.cosine_decay_schedule(0.1, batches.steps)))`. Batch statistics are updated,
    dropout streams restart from `key`.

    Args:
        model: an `nnx.Module`.
        loss: `loss(model, batch)` -> scalar, with `batch` rows of `batches.data`.
        tx: optimizer; see `neurons.relinear` for slower groups.
        batches: data, batch size and number of epochs.
        key: decides order and dropout; the same key gives the same run.
        validation: pytree like `batches.data`; its mean loss, in evaluation mode, is recorded
            after every epoch.
        select: "best" returns the epoch with the lowest validation loss, "last" the last.
        settings: values to set in the optimizer's state before the first step, by name
            (`learning_rate` under `optax.inject_hyperparams`, `relinear_scale`): runs that differ
            in nothing else share one compilation.
        loop: "scan" compiles whole epochs; "python" calls one compiled step at a time, which is
            10 to 40 times faster for convolutions on CPU; "auto" chooses.
        resume: state of an earlier run with the same arguments; training goes on after its last
            epoch, with the same result as an undisturbed run.
        on_epoch: receives the state after every epoch, e.g. to save it. Its arrays belong to the
            receiver only until it returns.

    Returns:
        The record, see :class:`Fit`.

    Raises:
        ValueError: for `select="best"` without validation data, an unknown `loop` or `select`, or
            a name in `settings` that is no number in the optimizer's state; for empty validation
            data, or a state to resume that has more epochs or other validation.

    Example:
        >>> from neurons import Dense, quadratic
        >>> x = jnp.linspace(-1, 1, 64)[:, None]
        >>> square = Batches((x, x**2), size=64, epochs=200)
        >>> error = lambda model, batch: jnp.mean((model(batch[0]) - batch[1]) ** 2)
        >>> start = Dense(quadratic, 1, 1, rngs=nnx.Rngs(0))
        >>> run = fit(start, error, optax.adam(0.05), square, key=jax.random.key(0))
        >>> bool(run.losses[-1] < 1e-3)
        True
    """
    run = Run(loss, tx, batches, validation, select, settings, loop, on_epoch)
    graphs, carry = run.begin(model, key)
    return run.go(graphs, carry, key, resume, seeds=None)[0]


def fit_seeds(
    build: Callable[..., Any],
    loss: Loss,
    tx: optax.GradientTransformation,
    batches: Batches,
    *,
    keys: Sequence[Array] | Array,
    validation: Any = None,
    select: Select = "last",
    settings: Mapping[str, float] | None = None,
    loop: Loop = "auto",
    vectorise: bool | None = None,
) -> tuple[Fit, ...]:
    """Train `build(rngs=nnx.Rngs(key))` once per key.

    Args:
        build: makes a fresh model; a module class with keyword `rngs` will do.
        loss: as for :func:`fit`, like all that follow but the last.
        tx: optimizer.
        batches: data, batch size and epochs.
        keys: one key per run; run i equals `fit(build(rngs=nnx.Rngs(keys[i])), ..., key=keys[i])`.
        validation: validation data.
        select: "best" or "last".
        settings: values to set in the optimizer's state.
        loop: "auto", "scan" or "python".
        vectorise: train all seeds in one program. By default so for models that scan and whose
            widest parameter axis is below 128: there it is faster, beyond it is slower on CPU.

    Returns:
        One :class:`Fit` per key.

    Raises:
        ValueError: without a key; else as :func:`fit`.
    """
    if len(keys) == 0:
        raise ValueError("fit_seeds needs at least one key")
    run = Run(loss, tx, batches, validation, select, settings, loop, None)
    starts = [run.begin(build(rngs=nnx.Rngs(key)), key) for key in keys]
    graphs = starts[0][0]
    if vectorise is None:
        vectorise = run.scans(graphs, starts[0][1]) and widest_axis(starts[0][1].params) < 128
    if not vectorise:
        pairs = zip(starts, keys, strict=True)
        return tuple(run.go(g, c, key, None, seeds=None)[0] for (g, c), key in pairs)
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(carry for _, carry in starts))
    return run.go(graphs, stacked, jnp.stack(list(keys)), None, seeds=len(keys))
