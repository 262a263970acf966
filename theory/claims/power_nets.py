"""Small networks of power neurons on many tables, splits and seeds, trained in one program.

A hidden neuron computes `sum_(k in K) w_k.x^k + b`: conventional with K = {1}, else the task-based
neuron of its K. Networks of one batch differ in table, split, K and width: inputs are padded with
zeros, absent powers and neurons are multiplied by zero, so that all share one compilation. The
output layer is conventional.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from theory.claims.power_searches import HIGHEST, Powers

RATE, BATCH, STEPS = 0.01, 32, 20_000


class Split(NamedTuple):
    """One table, scaled and split.

    Args:
        x: `(rows, inputs)`, scaled to [-1, 1].
        y: `(rows,)`, scaled to [-1, 1] or labels.
        train: rows for training; the others are for testing.
        classes: 0 for a regression.
    """

    x: np.ndarray
    y: np.ndarray
    train: np.ndarray
    classes: int

    @property
    def outputs(self) -> int:
        """Of a network."""
        return max(1, self.classes)


class Net(NamedTuple):
    """One network to train.

    Args:
        split: its data.
        powers: K of its hidden neurons.
        widths: neurons of the two hidden layers.
    """

    split: Split
    powers: Powers
    widths: tuple[int, int]

    @property
    def parameters(self) -> int:
        """How many are trained."""
        (first, second), terms = self.widths, len(self.powers)
        inputs, outputs = self.split.x.shape[1], self.split.outputs
        hidden = first * (terms * inputs + 1) + second * (terms * first + 1)
        return hidden + outputs * (second + 1)


def conventional(split: Split, more_than: int) -> Net:
    """The smallest network of conventional neurons, 2:1, with more parameters than given."""
    width = 1
    while (net := Net(split, (1,), (width, -(-width // 2)))).parameters <= more_than:
        width += 1
    return net


def trained_errors(nets: Sequence[Net], key: Array, effort: float) -> list[float]:
    """Errors on the test rows after training: mean squared, or share of wrong labels.

    Sigmoid after the hidden layers; starts uniform within 1 / sqrt(inputs of the layer); Adam with
    cosine annealing from 0.01, batches of 32 drawn with replacement (the same places of every
    split), `effort` times 20,000 steps.
    A share of no wrong label counts as half a label.

    Args:
        nets: networks, of whatever tables.
        key: decides starts and batches.
        effort: fraction of the steps, in (0, 1].
    """
    steps = max(1, round(effort * STEPS))
    stacked = _stacked(nets)
    widest = tuple(int(w) for w in np.max([net.widths for net in nets], axis=0))
    train = _program(steps, *widest)
    of_batches, of_starts = jax.random.split(key)
    shares = jax.random.uniform(of_batches, (steps, BATCH))
    outputs = np.asarray(train(jax.random.split(of_starts, len(nets)), stacked, shares))
    return [_error(net.split, out) for net, out in zip(nets, outputs, strict=True)]


def _error(split: Split, outputs: np.ndarray) -> float:
    test = np.setdiff1d(np.arange(len(split.x)), split.train)
    found, y = outputs[test], split.y[test]
    if not split.classes:
        return float(np.mean((found[:, 0] - y) ** 2))
    wrong = np.sum(found[:, : split.classes].argmax(axis=1) != y)
    return float(max(wrong, 0.5) / len(test))


class _Shape(NamedTuple):
    """Extents that all networks of a stack are padded to."""

    rows: int
    inputs: int
    outputs: int
    slots: int
    highest: int
    trained: int
    first: int
    second: int


def _stacked(nets: Sequence[Net]) -> dict[str, Array]:
    """Everything in which networks differ, padded to one shape."""
    highest = HIGHEST if any(net.powers != (1,) for net in nets) else 1
    rows = max(len(net.split.x) for net in nets)
    inputs = max(net.split.x.shape[1] for net in nets)
    outputs = max(net.split.outputs for net in nets)
    slots = max(len(net.powers) for net in nets)
    widest = np.max([net.widths for net in nets], axis=0)
    trained = max(len(net.split.train) for net in nets)
    shape = _Shape(rows, inputs, outputs, slots, highest, trained, *map(int, widest))
    padded = [_padded(net, shape) for net in nets]
    return {name: jnp.asarray(np.stack([p[name] for p in padded])) for name in padded[0]}


def _padded(net: Net, shape: _Shape) -> dict[str, np.ndarray]:
    split, (n, d) = net.split, net.split.x.shape
    x, y = np.zeros((shape.rows, shape.inputs), np.float32), np.zeros(shape.rows, np.float32)
    x[:n, :d], y[:n] = split.x, split.y
    chosen = np.zeros((shape.slots, shape.highest), np.float32)
    for slot, power in enumerate(net.powers):
        chosen[slot, power - 1] = 1
    first, second = net.widths
    fans = np.array([d, first, second], np.float32)
    return {
        "x": x,
        "y": y,
        "train": np.resize(split.train, shape.trained).astype(np.int32),
        "count": np.array(len(split.train), np.float32),
        "chosen": chosen,
        "bounds": 1 / np.sqrt(fans),
        "on1": (np.arange(shape.first) < first).astype(np.float32),
        "on2": (np.arange(shape.second) < second).astype(np.float32),
        "logits": np.where(np.arange(shape.outputs) < split.outputs, 0, -1e9).astype(np.float32),
        "labels": np.array(split.classes > 0),
    }


def _aggregate(layer: Any, chosen: Array, x: Array) -> Array:
    """`sum_(k in K) w_k.x^k + b` for rows `(batch, inputs)`; `layer` is kernels and bias."""
    kernels, bias = layer
    powers = [x]
    for _ in range(chosen.shape[1] - 1):
        powers.append(powers[-1] * x)
    terms = jnp.einsum("sp,pbn->sbn", chosen, jnp.stack(powers))
    return jnp.einsum("sbn,snm->bm", terms, kernels) + bias[None]


def forward(params: Any, net: Any, x: Array) -> Array:
    """Outputs `(batch, outputs)`; those that a table has not are very negative."""
    first, second, (kernel, bias) = params
    hidden = jax.nn.sigmoid(_aggregate(first, net["chosen"], x)) * net["on1"][None]
    hidden = jax.nn.sigmoid(_aggregate(second, net["chosen"], hidden)) * net["on2"][None]
    return hidden @ kernel + (bias + net["logits"])[None]


def _start(key: Array, net: Any, inputs: int, first: int, second: int) -> Any:
    slots, outputs = net["chosen"].shape[0], net["logits"].shape[0]
    shapes = ((slots, inputs, first), (slots, first, second), (second, outputs))
    params = []
    for number, shape in enumerate(shapes):
        keys = jax.random.split(jax.random.fold_in(key, number))
        kernel, bias = (
            net["bounds"][number] * jax.random.uniform(k, s, minval=-1.0)
            for k, s in zip(keys, (shape, shape[-1:]), strict=True)
        )
        params.append((kernel, bias))
    return params


def _loss(params: Any, net: Any, x: Array, y: Array) -> Array:
    out = forward(params, net, x)
    squared = jnp.mean(jnp.square(out[:, 0] - y))
    labels = jnp.where(net["labels"], y, 0.0).astype(jnp.int32)
    entropy = optax.softmax_cross_entropy_with_integer_labels(out, labels).mean()
    return jnp.where(net["labels"], entropy, squared)


@lru_cache
def _program(steps: int, first: int, second: int) -> Any:
    """Compiled training of a stack of networks."""
    tx = optax.adam(optax.cosine_decay_schedule(RATE, steps))

    def train(key: Array, net: Any, shares: Array) -> Array:
        params = _start(key, net, net["x"].shape[-1], first, second)

        def step(carry: Any, share: Array) -> tuple[Any, None]:
            params, state = carry
            rows = net["train"][(share * net["count"]).astype(jnp.int32)]
            grads = jax.grad(_loss)(params, net, net["x"][rows], net["y"][rows])
            updates, state = tx.update(grads, state, params)
            return (optax.apply_updates(params, updates), state), None

        carry, _ = jax.lax.scan(step, (params, tx.init(params)), shares)
        return forward(carry[0], net, net["x"])

    return jax.jit(jax.vmap(train, in_axes=(0, 0, None)))
