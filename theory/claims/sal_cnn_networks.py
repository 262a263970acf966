"""Networks of the study on remaining life: SAL-CNN, its ablations and a multi-scale CNN.

All arms learn the same stretches of the same bearings, as many steps at one rate. A stretch is some
consecutive records; a network answers at each of them that has enough before it. Spectrograms are
computed once for a data set and standardised by the training bearings of each fold.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

import neurons as nr
from neurons.backbones.remaining_life import (
    SALCNN,
    MultiScaleCNN,
    Standardiser,
    band_rows,
    log_spectrogram,
    stretches,
)
from neurons.data.life_labels import linear_label
from neurons.data.phm2012 import RATE, Life
from neurons.explain import split
from neurons.explain.gradients import integrated_gradients
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.inspection_study_networks import in_chunks
from theory.claims.localisation_study_detectors import adam

SIZE = (32, 4)  # frequencies of 400 Hz and frames of a record
WIDTHS, MEMORY = (8, 16, 32, 64), 32
ANSWERS, EVERY = 16, 4  # of a stretch; records from the start of one to the next
BATCH, STRETCHES, STEPS, LEAST = 10, 320, 320, 8
SMALL_BATCH = 3  # on simulated lives, to be done in seconds
LEARNING_RATE = 3e-3
MOMENTUM = 0.9  # CBAM's 0.99 would leave half of the start in the statistics of 64 steps
LAST = 8  # steps whose mean loss is the training's
CHUNK = 6  # stretches that a network answers at once
PATH = 4  # gradients along the path of the integrated ones

SAL = "SAL-CNN"
_net = partial(SALCNN, widths=WIDTHS, memory=MEMORY, momentum=MOMENTUM)
ARMS: Mapping[str, Callable[..., Any]] = {
    SAL: _net,
    "no CBAM": partial(_net, attention=False),
    "multi-scale CNN": partial(MultiScaleCNN, SIZE, widths=WIDTHS, hidden=64),
    "no LSTM": partial(_net, memory=0, records=1),
    "raw signal": partial(_net, raw=True),
    "CNN only": partial(_net, memory=0, records=1, attention=False),
}
MULTI, NO_LSTM, NO_CBAM, RAW, CNN = (
    "multi-scale CNN",
    "no LSTM",
    "no CBAM",
    "raw signal",
    "CNN only",
)

BANDS: Mapping[str, tuple[float, float]] = {
    f"{low / 1000:g} to {(low + 3200) / 1000:g} kHz": (low, low + 3200.0)
    for low in (0.0, 3200.0, 6400.0, 9600.0)
}
LOW, HIGH = next(iter(BANDS)), tuple(BANDS)[-1]


@lru_cache(maxsize=4)
def records(data: Any, raw: bool) -> Mapping[str, np.ndarray]:
    """What enters a network, of every bearing.

    Returns:
        `(records, frequencies, frames, channels)`, or of raw signals `(records, samples,
        channels)` in g.
    """
    if raw:
        return {life.name: np.swapaxes(life.signals, 1, 2) for life in data.lives}
    run = jax.jit(partial(log_spectrogram, size=SIZE))
    found = {life.name: in_chunks(run, life.signals, 64) for life in data.lives}
    return {name: np.moveaxis(x, 1, -1) for name, x in found.items()}


def loss(model: Any, batch: tuple[Array, Array]) -> Array:
    """Mean squared error of the remaining share at every record that is answered."""
    x, share = batch
    return jnp.mean(jnp.square(nnx.sigmoid(model.along(x)) - share))


class Trained(NamedTuple):
    """What a training left.

    Attributes:
        net: in evaluation mode.
        standardise: with statistics of the training bearings.
        loss: mean of the last :data:`LAST` steps.
    """

    net: Any
    standardise: Standardiser
    loss: float


def trained(lab: Lab, arm: str, lives: Sequence[Life], seed: int) -> Trained:
    """A network that learned from some bearings."""
    key = jax.random.fold_in(lab.key, seed)
    standardise = _statistics(lab.data, _raw(arm), tuple(life.name for life in lives))
    batches = _lesson(lab, arm, lives, standardise, seed)
    net = ARMS[arm](rngs=nnx.Rngs(key))
    run = nr.fit(net, loss, adam(batches.steps, LEARNING_RATE), batches, key=key)
    return Trained(run.model, standardise, float(run.losses[-LAST:].mean()))


@lru_cache(maxsize=64)
def _statistics(data: Any, raw: bool, names: tuple[str, ...]) -> Standardiser:
    return Standardiser.fit(np.concatenate([records(data, raw)[name] for name in names]))


def _lesson(
    lab: Lab, arm: str, lives: Sequence[Life], standardise: Standardiser, seed: int
) -> nr.Batches:
    """Stretches with their labels; as many for every fold, so that all share a compilation."""
    known = standardise(np.concatenate([records(lab.data, _raw(arm))[life.name] for life in lives]))
    cut = [_places(arm, len(life.signals), EVERY) for life in lives]
    starts = np.cumsum([0, *(len(life.signals) for life in lives[:-1])])
    x = np.concatenate([one + at for (one, _), at in zip(cut, starts, strict=True)])
    labels = [linear_label(life)[at] for life, (_, at) in zip(lives, cut, strict=True)]
    size = SMALL_BATCH if lab.data.simulated else BATCH
    count = max(size, round(STRETCHES * lab.budget.data))
    rows = np.resize(numpy_generator(lab, 1, seed).permutation(len(x)), count)
    steps = max(LEAST, round(STEPS * lab.budget.effort))
    epochs = max(1, round(steps / (count // size)))
    data = (known[x[rows]], np.concatenate(labels)[rows])
    return nr.Batches(jax.tree.map(jnp.asarray, data), size, epochs)


def _places(arm: str, count: int, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Which records each stretch of a life holds, and at which of them it is answered."""
    look_back = _template(arm).records
    return stretches(np.arange(count), look_back, ANSWERS + look_back - 1, every)


@lru_cache(maxsize=8)
def _template(arm: str) -> Any:
    return ARMS[arm](rngs=nnx.Rngs(0))


def _raw(arm: str) -> bool:
    return arm == RAW


def predicted(lab: Lab, arm: str, known: Trained, life: Life, hidden: str = "") -> np.ndarray:
    """The remaining share at every record of a life, `(records,)`.

    Args:
        lab: with the data.
        arm: the network's.
        known: the network.
        life: of any bearing.
        hidden: a band of :data:`BANDS` that is set to the training bearings' mean.
    """
    rows, places = _places(arm, len(life.signals), ANSWERS)
    x = known.standardise(records(lab.data, _raw(arm))[life.name])[rows]
    if hidden:
        x[:, :, band_rows(BANDS[hidden], SIZE[0], RATE)] = 0
    found = np.zeros(len(life.signals))
    found[places] = in_chunks(partial(_answers, known.net), x, CHUNK)
    return found


@nnx.jit
def _answers(net: Any, x: Array) -> Array:
    return nnx.sigmoid(net.along(x))


class _Answers(nnx.Module):
    """The sum of a network's answers along a stretch, cut at its input."""

    def __init__(self, net: Any) -> None:
        self.net = net

    def features(self, x: Array) -> Array:
        return x

    def head(self, x: Array) -> Array:
        return jnp.sum(self.net.along(x), axis=1, keepdims=True)


def attribution(lab: Lab, arm: str, known: Trained, life: Life) -> np.ndarray:
    """Share of each frequency in the integrated gradients of a life's logits, `(frequencies,)`.

    The baseline is the training bearings' mean, as for a hidden band; sizes count, not signs.
    """
    rows, _ = _places(arm, len(life.signals), ANSWERS)
    x = known.standardise(records(lab.data, _raw(arm))[life.name])[rows]
    halves = split(_Answers(known.net))
    run = partial(integrated_gradients, *halves, steps=PATH, channels="none")
    found = np.abs(in_chunks(run, x, CHUNK)).sum(axis=(0, 1, 3, 4))
    return np.asarray(found / found.sum())
