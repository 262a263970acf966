"""Autoencoders of z-scored rows: trained once, then applied block by block."""

from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from neurons.backbones.autoencoder import Autoencoder, autoencoder, reconstruction_error
from neurons.catalogue import catalogue
from neurons.estimators.networks import in_blocks
from neurons.estimators.table import BLOCK
from neurons.neuron import Neuron
from neurons.relinear import relinear
from neurons.training import Batches, fit

_LEAST_STEPS = 50  # of an epoch; each has a fixed cost


class Architecture(NamedTuple):
    """What makes the network; neurons by name can be pickled."""

    name: str
    in_features: int
    widths: tuple[int, ...]
    first: str | Neuron
    second: str | Neuron
    corrected: bool
    dropout: float

    def build(self, key: Array) -> Autoencoder:
        """The network at its start."""
        return autoencoder(
            self.name,
            self.in_features,
            widths=self.widths,
            first=_neuron(self.first),
            second=_neuron(self.second),
            corrected=self.corrected,
            dropout=self.dropout,
            rngs=nnx.Rngs(key),
        )


class Training(NamedTuple):
    """How long, and how fast."""

    steps: int
    batch_size: int
    learning_rate: float
    relinear_scale: float
    weight_decay: float


class Reconstruction:
    """A trained autoencoder; it keeps arrays alone, so that it can be pickled.

    Args:
        architecture: of the network.
        weights: its parameters and running statistics, by name.
        low: smallest value of every feature in training; the network sees nothing beyond.
        high: largest value.
    """

    def __init__(
        self, architecture: Architecture, weights: Any, low: np.ndarray, high: np.ndarray
    ) -> None:
        self.architecture, self.weights = architecture, weights
        self.low, self.high = low, high

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "network"}

    @cached_property
    def network(self) -> Autoencoder:
        """The network in evaluation mode, for z-scored rows."""
        model = nnx.eval_shape(self.architecture.build, jax.random.key(0))
        model.eval()
        nnx.update(model, jax.tree.map(jnp.asarray, self.weights))
        for _, stream in nnx.to_flat_state(nnx.state(model, nnx.RngState)):
            is_key = isinstance(stream, nnx.RngKey)  # dropout's, silent from now on
            stream.set_value(jax.random.key(0) if is_key else jnp.zeros((), jnp.uint32))
        return model

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """What the network makes of rows `(n, d)`, in float64; in blocks of one shape."""
        graph, state = nnx.split(self.network)
        shown = np.clip(z, self.low, self.high)
        return in_blocks(lambda block: _apply(graph, state, block), shown, BLOCK)


class Learnt(NamedTuple):
    """A trained network, and how the training went."""

    reconstruction: Reconstruction
    losses: np.ndarray
    finite: bool


def learn(architecture: Architecture, training: Training, z: np.ndarray, seed: int) -> Learnt:
    """Train on z-scored rows `(n, d)`."""
    start, order = jax.random.split(jax.random.key(seed))
    low, high = z.min(axis=0), z.max(axis=0)
    size = min(training.batch_size, len(z))
    # A small table is repeated, since every epoch has a cost of its own.
    wanted = min(_LEAST_STEPS, training.steps)
    z = np.tile(z.astype(np.float32), (max(1, round(wanted * size / len(z))), 1))
    epochs = max(1, round(training.steps / (len(z) // size)))
    run = fit(
        architecture.build(start),
        reconstruction_error,
        _optimizer(training.learning_rate, training.relinear_scale, training.weight_decay),
        Batches(jnp.asarray(z), size, epochs),
        key=order,
        loop="scan",
    )
    weights = nnx.to_pure_dict(nnx.state(run.model, _KEPT))
    found = Reconstruction(architecture, jax.tree.map(np.asarray, weights), low, high)
    return Learnt(found, run.losses, run.finite)


_KEPT = nnx.Any(nnx.Param, nnx.BatchStat)


@partial(jax.jit, static_argnums=0)
def _apply(graph: Any, state: Any, rows: Array) -> Array:
    return nnx.merge(graph, state)(rows)


@lru_cache(maxsize=64)
def _optimizer(rate: float, scale: float, decay: float) -> optax.GradientTransformation:
    """Adam; one object each, so that runs of equal shapes compile once.

    As one flat vector the parameters compile and train faster than as many small arrays.
    """
    return relinear(optax.flatten(optax.adamw(rate, weight_decay=decay)), scale)


def _neuron(given: str | Neuron) -> Neuron:
    return given if isinstance(given, Neuron) else catalogue()[given]
