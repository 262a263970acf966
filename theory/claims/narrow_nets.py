"""One-hidden-layer networks of many widths, trained in one program.

A network of width w is one of the widest whose other hidden neurons are switched off: they give
zero and receive no gradient. So all widths and seeds share one compilation and one batched run.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from neurons.layer import Dense
from neurons.neuron import Neuron
from neurons.quadratic import quadratic
from neurons.relinear import relinear
from neurons.training import Batches, Fit, fit_seeds
from theory.claims.claim import Lab

BATCH, EPOCHS = 64, 50


class Setting(NamedTuple):
    """Learning rate, and the scale of grown parameters."""

    rate: float
    relinear_scale: float = 1.0


# Three settings for either kind: the same tuning budget.
GRID = {
    True: tuple(Setting(0.01, scale) for scale in (0.01, 0.1, 1.0)),
    False: tuple(Setting(rate) for rate in (0.003, 0.01, 0.03)),
}


class Task(NamedTuple):
    """What the networks learn.

    Args:
        name: of the task, for the lab's memory.
        train: inputs `(examples, features)` and targets.
        test: fresh examples.
        outputs: of the network.
        loss: `loss(model, batch)`.
        score: `score(outputs, targets)` on test examples, a number.
        better: 1 if a higher score is better, -1 if a lower one is.
    """

    name: str
    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    outputs: int
    loss: Callable[[Any, Any], Array]
    score: Callable[[np.ndarray, np.ndarray], float]
    better: int = 1


class Net(nnx.Module):
    """`neuron`, ReLU, `neuron`, with `width` of `widest` hidden neurons switched on."""

    def __init__(
        self,
        neuron: Neuron,
        inputs: int,
        width: int,
        widest: int,
        outputs: int,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.hidden = Dense(neuron, inputs, widest, rngs=rngs)
        self.out = Dense(neuron, widest, outputs, rngs=rngs)
        # The start of a net of this width, whatever the widest is.
        for name in ("kernel_r", "bias_r"):
            start = getattr(self.out, name)
            start[...] = start[...] * np.sqrt(widest / width).astype(np.float32)
        self.on = nnx.Variable((jnp.arange(widest) < width).astype(jnp.float32))

    def __call__(self, x: Array) -> Array:
        """Outputs `(batch, outputs)`."""
        hidden = jax.nn.relu(self.hidden(x))
        return self.out(hidden * self.on[...].reshape(*(1,) * (hidden.ndim - 1), -1))


def size(neuron: Neuron, inputs: int, width: int, outputs: int) -> int:
    """Parameters of a network of that width."""
    return neuron.parameters(inputs, width) + neuron.parameters(width, outputs)


def scores(lab: Lab, task: Task, neuron: Neuron, widths: Sequence[int]) -> list[list[float]]:
    """Test scores `[width][seed]` at the tuned setting, recalled or trained.

    Inputs are standardised. Adam with cosine annealing, batches of 64, the budget's share of 50
    epochs.
    """
    name = f"{task.name}/{neuron.name}/widths {','.join(map(str, widths))}"
    found: list[list[float]] = lab.recall(name, lambda: _scores(lab, task, neuron, widths))
    return found


def _scores(lab: Lab, task: Task, neuron: Neuron, widths: Sequence[int]) -> list[list[float]]:
    """Choose a setting on a quarter of the training examples with one seed, then train anew."""
    task = _standardised(task)
    (x, y), held_out = task.train, len(task.train[0]) // 4
    kept, tried_on = (x[held_out:], y[held_out:]), (x[:held_out], y[:held_out])
    tuning = task._replace(train=kept, test=tried_on)
    keys = jax.random.split(lab.key, (lab.budget.seeds + 1) * len(widths))
    tried = []
    for setting in GRID[neuron is quadratic]:
        runs = _train(lab, tuning, neuron, widths, setting, keys[: len(widths)])
        tried.append((task.better * np.mean(_judge(runs, tuning)), setting))
    repeated = [width for width in widths for _ in range(lab.budget.seeds)]
    runs = _train(lab, task, neuron, repeated, max(tried)[1], keys[len(widths) :])
    return np.reshape(_judge(runs, task), (len(widths), -1)).tolist()


def _standardised(task: Task) -> Task:
    mean, deviation = task.train[0].mean(axis=0), task.train[0].std(axis=0)

    def standard(part: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return (part[0] - mean) / deviation, part[1]

    return task._replace(train=standard(task.train), test=standard(task.test))


def _judge(runs: Sequence[Fit], task: Task) -> list[float]:
    graph, _ = nnx.split(runs[0].model)
    outputs = jax.jit(lambda state, x: nnx.merge(graph, state)(x))
    x, y = jnp.asarray(task.test[0]), task.test[1]
    return [task.score(np.asarray(outputs(nnx.split(run.model)[1], x)), y) for run in runs]


def _train(
    lab: Lab,
    task: Task,
    neuron: Neuron,
    widths: Sequence[int],
    setting: Setting,
    keys: Array,
) -> tuple[Fit, ...]:
    """One network per entry of `widths`."""
    x, y = task.train
    epochs = max(1, round(EPOCHS * lab.budget.effort))
    batches = Batches((jnp.asarray(x), jnp.asarray(y)), min(BATCH, len(x)), epochs)
    left: Iterator[int] = iter(widths)

    def build(rngs: nnx.Rngs) -> Net:  # called once per key, in order
        return Net(neuron, x.shape[1], next(left), max(widths), task.outputs, rngs=rngs)

    return fit_seeds(
        build,
        task.loss,
        _optimizer(batches.steps, neuron is quadratic),
        batches,
        keys=keys,
        settings=setting._asdict() if neuron is quadratic else {"rate": setting.rate},
        loop="scan",
        vectorise=True,
    )


@lru_cache
def _optimizer(steps: int, grown: bool) -> optax.GradientTransformation:
    """Adam whose rate, and the scale of grown parameters, can be set without recompiling."""
    schedule = optax.cosine_decay_schedule(1.0, steps)

    def annealed(rate: float | Array) -> optax.GradientTransformation:
        return optax.chain(
            optax.scale_by_adam(), optax.scale_by_schedule(schedule), optax.scale(-rate)
        )

    adam = optax.inject_hyperparams(annealed)(rate=1.0)
    return relinear(adam, 1.0) if grown else adam
