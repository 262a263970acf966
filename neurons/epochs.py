"""The machinery of training: state, compiled programs, the loop over epochs.

`neurons.training` is the door; nothing here is meant to be called from elsewhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float

from neurons.batches import Batches
from neurons.spread import layout

Loss = Callable[[Any, Any], Array]
Loop = Literal["auto", "scan", "python"]
Select = Literal["best", "last"]


class Carry(NamedTuple):
    """What a training step reads and writes: trained parameters, other state, optimizer state."""

    params: Any
    rest: Any
    optimizer: Any


class Best(NamedTuple):
    """Parameters and state of the epoch with the lowest validation loss so far."""

    value: Any
    epoch: Any
    params: Any
    rest: Any


@dataclass(frozen=True)
class TrainingState:
    """Everything that continuing needs; a pytree of arrays but for the number of epochs done."""

    epoch: int
    carry: Carry
    best: Best
    losses: tuple[Array, ...]
    validation: tuple[Array, ...]


@dataclass(frozen=True)
class Fit:
    """Result of a training run.

    Args:
        model: the trained model, in evaluation mode: of the last epoch, or of the best one by
            validation loss.
        losses: `(steps,)` training loss of each step.
        validation: `(epochs,)` validation loss after each epoch; empty without validation data.
        epoch: the epoch the model is from, counted from 1; 0 if no validation loss was finite,
            so that the best model is the start.
        finite: whether every loss was finite; a diverged run keeps its NaN and says so here.
        state: give it to `fit(resume=...)` to go on.
    """

    model: Any
    losses: Float[np.ndarray, " steps"]
    validation: Float[np.ndarray, " epochs"]
    epoch: int
    finite: bool
    state: TrainingState


class Graphs(NamedTuple):
    """The model's static parts: for training and for evaluation."""

    train: Any
    evaluate: Any


@dataclass(frozen=True)
class Run:
    """Arguments of a training run, checked."""

    loss: Loss
    tx: optax.GradientTransformation
    batches: Batches
    validation: Any
    select: Select
    settings: Mapping[str, float] | None
    loop: Loop
    on_epoch: Callable[[TrainingState], None] | None

    def __post_init__(self) -> None:
        if self.select not in ("best", "last"):
            raise ValueError(f'select must be "best" or "last", got {self.select!r}')
        if self.loop not in ("auto", "scan", "python"):
            raise ValueError(f'loop must be "auto", "scan" or "python", got {self.loop!r}')
        if self.select == "best" and self.validation is None:
            raise ValueError('select="best" needs validation data')
        if self.validation is not None and 0 in map(len, jax.tree.leaves(self.validation)):
            raise ValueError("validation data is empty; leave it out to train without")

    def begin(self, model: Any, key: Array) -> tuple[Graphs, Carry]:
        """Split the model; its arrays are copied, since steps reuse their memory."""
        model = nnx.clone(model)
        model.eval()
        evaluate, _ = nnx.split(model)
        model.train()
        train, params, rest = split_state(model)
        params = jax.tree.map(jnp.copy, params)
        rest = _restart_streams(jax.tree.map(jnp.copy, rest), key)
        return Graphs(train, evaluate), Carry(params, rest, self._optimizer(params))

    def _optimizer(self, params: Any) -> Any:
        state = self.tx.init(params)
        for name, value in (self.settings or {}).items():
            found = optax.tree_utils.tree_get_all_with_path(state, name)
            if not found or not all(_is_number(leaf) for _, leaf in found):
                raise ValueError(f"the optimizer's state has no number to set named {name!r}")
            state = optax.tree_utils.tree_set(state, **{name: jnp.asarray(value, jnp.float32)})
        return state

    def scans(self, graphs: Graphs, carry: Carry) -> bool:
        """Whether to compile whole epochs."""
        if self.loop != "auto":
            return self.loop == "scan"
        if jax.default_backend() != "cpu":
            return True
        arguments = (carry, self.batches.data, jnp.arange(self.batches.size))
        leaves, structure = jax.tree.flatten(jax.eval_shape(lambda *a: a, *arguments))
        return not _convolves(graphs.train, self.loss, self.tx, structure, tuple(leaves))

    def go(
        self,
        graphs: Graphs,
        carry: Carry,
        key: Array,
        resume: TrainingState | None,
        seeds: int | None,
        own: Sequence[tuple[Any, Any]] = (),
    ) -> tuple[Fit, ...]:
        """Run the epochs that are left, and split the record by seed.

        `own` holds data and validation of every seed where each has its own.
        """
        scans = self.scans(graphs, jax.tree.map(lambda a: a[0], carry) if seeds else carry)
        programs = _compile(graphs, self.loss, self.tx, scans, seeds is not None, bool(own))
        state = _continuable(resume, self) if resume else _first_state(carry, seeds)
        # Steps overwrite the state they are given; the caller keeps its own.
        state = replace(state, carry=jax.tree.map(jnp.copy, state.carry))
        shared = (self.batches.data, self.validation)
        data, validation = jax.tree.map(jnp.asarray, stacked(own) if own else shared)
        spread = layout(seeds, self.batches.size)
        if spread:
            state = _on_arrays(spread.state, state)
            place = spread.state if own else spread.everywhere
            data, validation = place(data), place(validation)
        for epoch in range(state.epoch, self.batches.epochs):
            if seeds:
                rows = jax.vmap(lambda k, e=epoch: self.batches.order(k, e))(key)
            else:
                rows = self.batches.order(key, epoch)
            rows = spread.rows(rows) if spread else rows
            state = self._epoch(programs, state, data, validation, rows)
            if self.on_epoch is not None:
                self.on_epoch(_on_arrays(spread.home, state) if spread else state)
        state = _on_arrays(spread.home, state) if spread else state
        return _records(graphs, state, self.select, seeds)

    def _epoch(
        self, programs: "_Programs", state: TrainingState, data: Any, held_out: Any, rows: Array
    ) -> TrainingState:
        carry, losses = programs.epoch(state.carry, data, rows)
        epoch, best, validation = state.epoch + 1, state.best, state.validation
        if self.validation is not None:
            value = _mean_loss(programs, carry, held_out, self.batches.size)
            validation = (*validation, value)
            if self.select == "best":
                best = programs.keep(best, value, jnp.asarray(epoch), carry)
        return TrainingState(epoch, carry, best, (*state.losses, losses), validation)


def split_state(model: Any) -> tuple[Any, Any, Any]:
    """Static part, trained parameters, everything else."""
    graph, params, rest = nnx.split(model, nnx.Param, ...)  # type: ignore[misc]
    return graph, params, rest


def _restart_streams(rest: Any, key: Array) -> Any:
    """Random streams (dropout) start from `key`, each from its own fold."""
    number = iter(range(1_000_000))

    def restart(variable: Any) -> Any:
        if isinstance(variable, nnx.RngKey):
            # The order of epochs folds small numbers into the key: stay clear of them.
            return variable.replace(jax.random.fold_in(key, 2**31 + next(number)))
        if isinstance(variable, nnx.RngCount):
            return variable.replace(jnp.zeros_like(variable[...]))
        return variable

    return jax.tree.map(restart, rest, is_leaf=lambda v: isinstance(v, nnx.Variable))


def _is_number(leaf: Any) -> bool:
    """A real scalar: a rate or a scale, no counter and no tree of moments."""
    return isinstance(leaf, Array) and leaf.ndim == 0 and jnp.issubdtype(leaf.dtype, jnp.floating)


def stacked(trees: Sequence[Any]) -> Any:
    """Trees of arrays as one, seeds on the first axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def widest_axis(params: Any) -> int:
    """Longest axis of any parameter."""
    return max(max(leaf.shape, default=1) for leaf in jax.tree.leaves(params))


def _continuable(state: TrainingState, run: Run) -> TrainingState:
    """The state, if the run can go on from it."""
    if state.epoch > run.batches.epochs:
        raise ValueError(f"{state.epoch} epochs are done, more than epochs={run.batches.epochs}")
    validated = 0 if run.validation is None else state.epoch
    if len(state.validation) != validated:
        raise ValueError(
            f"the state has validation losses of {len(state.validation)} of its {state.epoch} "
            "epochs: resume with the validation data it began with"
        )
    return state


def _first_state(carry: Carry, seeds: int | None) -> TrainingState:
    shape = (seeds,) if seeds else ()
    copy = partial(jax.tree.map, jnp.copy)
    worst = Best(
        jnp.full(shape, jnp.inf), jnp.zeros(shape, int), copy(carry.params), copy(carry.rest)
    )
    return TrainingState(0, carry, worst, (), ())


def _on_arrays(change: Callable[[Any], Any], state: TrainingState) -> TrainingState:
    """The state with its arrays changed."""
    arrays = (state.carry, state.best, state.losses, state.validation)
    return TrainingState(state.epoch, *change(arrays))


def _step(
    graph: Any, loss: Loss, tx: optax.GradientTransformation, carry: Carry, data: Any, rows: Array
) -> tuple[Carry, Array]:
    """One optimisation step on the given rows."""
    batch = jax.tree.map(lambda leaf: leaf[rows], data)

    def objective(params: Any) -> tuple[Array, Any]:
        model = nnx.merge(graph, params, carry.rest, copy=True)
        value = loss(model, batch)
        return value, split_state(model)[2]

    (value, rest), grads = jax.value_and_grad(objective, has_aux=True)(carry.params)
    updates, optimizer = tx.update(grads, carry.optimizer, carry.params)
    return Carry(optax.apply_updates(carry.params, updates), rest, optimizer), value


def _evaluate(graph: Any, loss: Loss, carry: Carry, data: Any) -> Array:
    return loss(nnx.merge(graph, carry.params, carry.rest, copy=True), data)


def _keep(best: Best, value: Array, epoch: Array, carry: Carry) -> Best:
    """The better of the two; a NaN is never better."""
    better = value < best.value
    new = Best(value, epoch.astype(best.epoch.dtype), carry.params, carry.rest)
    return jax.tree.map(partial(_choose, better), new, best)


def _choose(condition: Array, new: Array, old: Array) -> Array:
    if jnp.issubdtype(new.dtype, jax.dtypes.prng_key):
        return new  # a stream's key never changes within a run
    return jnp.where(condition, new, old)


@lru_cache(maxsize=128)
def _convolves(graph: Any, loss: Loss, tx: Any, structure: Any, leaves: tuple[Any, ...]) -> bool:
    """Whether a step with arguments of these shapes contains a convolution."""
    step = partial(_step, graph, loss, tx)
    return "conv_general_dilated" in str(jax.make_jaxpr(step)(*structure.unflatten(leaves)))


class _Programs(NamedTuple):
    epoch: Callable[..., tuple[Carry, Array]]
    evaluate: Callable[..., Array]
    keep: Callable[..., Best]
    rows: int  # axis of the data that counts examples


@lru_cache(maxsize=128)
def _compile(
    graphs: Graphs,
    loss: Loss,
    tx: optax.GradientTransformation,
    scans: bool,
    many: bool,
    own: bool,
) -> _Programs:
    """The compiled programs of a run; runs that differ in values only share them."""
    step = partial(_step, graphs.train, loss, tx)
    evaluate = partial(_evaluate, graphs.evaluate, loss)
    keep: Callable[..., Any] = _keep
    if many:
        of_data = 0 if own else None
        step = jax.vmap(step, in_axes=(0, of_data, 0))
        evaluate = jax.vmap(evaluate, in_axes=(0, of_data))
        keep = jax.vmap(_keep, in_axes=(0, 0, None, 0))
    axis = 1 if many else 0

    def scan(carry: Carry, data: Any, rows: Array) -> tuple[Carry, Array]:
        by_step = jnp.moveaxis(rows, axis, 0)
        carry, losses = jax.lax.scan(lambda c, r: step(c, data, r), carry, by_step)
        return carry, jnp.moveaxis(losses, 0, -1)

    single = jax.jit(step, donate_argnums=0)

    def python(carry: Carry, data: Any, rows: Array) -> tuple[Carry, Array]:
        losses = []
        for number in range(rows.shape[axis]):
            carry, value = single(carry, data, rows.take(number, axis=axis))
            losses.append(value)
        return carry, jnp.stack(losses, axis=-1)

    epoch = jax.jit(scan, donate_argnums=0) if scans else python
    return _Programs(epoch, jax.jit(evaluate), jax.jit(keep), int(own))


def _mean_loss(programs: _Programs, carry: Carry, data: Any, size: int) -> Array:
    """Mean loss over chunks, weighted by their length: memory stays that of a few batches."""
    before = (slice(None),) * programs.rows
    examples = jax.tree.leaves(data)[0].shape[programs.rows]
    chunk = max(size, 512)
    total = jnp.zeros(())
    for start in range(0, examples, chunk):
        rows = (*before, slice(start, start + chunk))
        part = jax.tree.map(lambda leaf, at=rows: leaf[at], data)
        total = total + programs.evaluate(carry, part) * min(chunk, examples - start)
    return total / examples


def _records(
    graphs: Graphs, state: TrainingState, select: Select, seeds: int | None
) -> tuple[Fit, ...]:
    chosen: Best | Carry = state.best if select == "best" else state.carry
    losses = np.concatenate([np.asarray(part) for part in state.losses] or [np.zeros(0)], axis=-1)
    none = np.zeros((0,) if seeds is None else (seeds, 0))
    validation = (
        np.stack([np.asarray(v) for v in state.validation], -1) if state.validation else none
    )

    def record(seed: int | None) -> Fit:
        def pick(tree: Any) -> Any:
            return tree if seed is None else jax.tree.map(lambda leaf: leaf[seed], tree)

        of_seed = losses if seed is None else losses[seed]
        best_epoch = int(np.asarray(pick(state.best.epoch)))
        return Fit(
            model=nnx.merge(graphs.evaluate, pick(chosen.params), pick(chosen.rest), copy=True),
            losses=of_seed,
            validation=validation if seed is None else validation[seed],
            epoch=best_epoch if select == "best" else state.epoch,
            finite=bool(np.isfinite(of_seed).all()),
            state=TrainingState(
                state.epoch,
                pick(state.carry),
                pick(state.best),
                pick(state.losses),
                pick(state.validation),
            ),
        )

    return tuple(record(seed) for seed in ([None] if seeds is None else range(seeds)))
