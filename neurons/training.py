"""Training as a pure function: model, loss, optimizer, data and key in, a record out.

`fit` trains one model, `fit_seeds` the same model from many keys. Both run whole epochs, in one
compiled scan or as a Python loop over one compiled step, whichever the device likes better.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import Array

from neurons.batches import Batches as Batches
from neurons.epochs import Fit as Fit
from neurons.epochs import Loop, Loss, Run, Select, TrainingState, stacked, widest_axis


def cross_entropy(model: Any, batch: tuple[Array, Array]) -> Array:
    """Mean softmax cross-entropy of `model(x)` logits against integer labels, `batch = (x, y)`."""
    x, labels = batch
    return optax.softmax_cross_entropy_with_integer_labels(model(x), labels).mean()


def squared_error(model: Any, batch: tuple[Array, Array]) -> Array:
    """Mean squared error of `model(x)` against `y` of its shape, `batch = (x, y)`."""
    x, y = batch
    return jnp.mean(jnp.square(model(x) - y))


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
        >>> from neurons import Dense, quadratic, squared_error
        >>> x = jnp.linspace(-1, 1, 64)[:, None]
        >>> square = Batches((x, x**2), size=64, epochs=200)
        >>> start = Dense(quadratic, 1, 1, rngs=nnx.Rngs(0))
        >>> run = fit(start, squared_error, optax.adam(0.05), square, key=jax.random.key(0))
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
    batches: Batches | Sequence[Batches],
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
        batches: data, batch size and epochs; or one `Batches` per key, of equal shapes, where
            every run has data of its own, e.g. a split.
        keys: one key per run; run i equals `fit(build(rngs=nnx.Rngs(keys[i])), ..., key=keys[i])`.
        validation: validation data; with a `Batches` per key, a list of as many.
        select: "best" or "last".
        settings: values to set in the optimizer's state.
        loop: "auto", "scan" or "python".
        vectorise: train all seeds in one program. By default so for models that scan and whose
            widest parameter axis is below 128: there it is faster, beyond it is slower on CPU.

    Returns:
        One :class:`Fit` per key.

    Raises:
        ValueError: without a key, or for another number of `Batches` or validation sets than keys,
            or `Batches` that differ in shape, size or epochs; else as :func:`fit`.
    """
    if len(keys) == 0:
        raise ValueError("fit_seeds needs at least one key")
    pairs = _own_data(batches, validation, len(keys))
    runs = [Run(loss, tx, *pair, select, settings, loop, None) for pair in pairs]
    starts = [runs[0].begin(build(rngs=nnx.Rngs(key)), key) for key in keys]
    graphs, first = starts[0]
    if vectorise is None:
        vectorise = runs[0].scans(graphs, first) and widest_axis(first.params) < 128
    if not vectorise:
        singles = zip(itertools.cycle(runs), starts, keys, strict=False)
        return tuple(run.go(g, c, key, None, seeds=None)[0] for run, (g, c), key in singles)
    own = [(part.data, held_out) for part, held_out in pairs] if len(pairs) > 1 else ()
    carry = stacked([carry for _, carry in starts])
    return runs[0].go(graphs, carry, jnp.stack(list(keys)), None, seeds=len(keys), own=own)


def _own_data(
    batches: Batches | Sequence[Batches], validation: Any, count: int
) -> list[tuple[Batches, Any]]:
    """Batches and validation of every run; one pair where all runs share them."""
    if isinstance(batches, Batches):
        return [(batches, validation)]
    held_out = [None] * len(batches) if validation is None else list(validation)
    if not len(batches) == len(held_out) == count:
        raise ValueError(
            f"{count} keys need as many Batches and as many validation sets, or one for all; "
            f"got {len(batches)} and {len(held_out)}"
        )
    pairs = list(zip(batches, held_out, strict=True))
    if len({_layout(*pair) for pair in pairs}) > 1:
        raise ValueError(
            "Batches of one call must agree in shapes, size and epochs; got "
            + "; ".join(sorted({_layout(*pair) for pair in pairs}))
        )
    return pairs


def _layout(batches: Batches, held_out: Any) -> str:
    shapes = jax.tree.map(lambda leaf: f"{leaf.dtype}{leaf.shape}", (batches.data, held_out))
    return f"{shapes}, size={batches.size}, epochs={batches.epochs}"
