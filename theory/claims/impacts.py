"""Do qttention maps show the impacts of a bearing fault?

A fault strikes at a known frequency. The score of a curve is the share of its spectrum's energy at
that frequency and two harmonics (`neurons.explain.qttention.concentration`), averaged over test
windows. Beside the maps stand the noisy signal's envelope spectrum, which is what an engineer
would look at, and `|gradient|` of the signal: what is left of the map without the network.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from scipy import stats

from neurons.data.bearings import Recording, Records
from neurons.data.windows import Split
from neurons.explain.qttention import (
    amplitude_spectrum,
    concentration,
    envelope_spectrum,
    qttention_maps,
)

PER_CLASS = 20
OFF_FREQUENCY = 1.37  # no ratio of fault frequencies or harmonics of the bearings used is near
SHOWN_LAYERS = 2


def impacts(model: Any, test: Split, records: Records) -> dict[str, Any]:
    """Scores of a quadratic network's maps on the test windows of all faults.

    Returns:
        Mean concentration of `maps` (a number per layer), `signal`, `gradient`, of the first map
        at a wrong frequency (`wrong_frequency`) and of an impulse train in place of a map
        (`impulse_train`); mean `kurtosis` of maps and of the signal; and for the largest fault of
        each kind an example window.
    """
    graph, state = nnx.split(model)
    largest, rows, examples = _largest(records), [], []
    for label, recording in enumerate(records.recordings):
        if recording.fault == "normal":
            continue
        signals = jnp.asarray(test.x[test.y == label][:PER_CLASS])
        maps = _maps(graph)(state, signals)
        hz = records.bearing.frequencies(recording.shaft_hz).impacts(recording.fault)
        rows.append(_scores(maps, signals, recording, hz))
        if label in largest:
            examples.append(_example(maps[:SHOWN_LAYERS], signals, recording, hz))
    mean = {name: np.mean([row[name] for row in rows], axis=0).tolist() for name in rows[0]}
    return {**mean, "examples": examples}


@lru_cache(maxsize=8)
def _maps(graph: Any) -> Callable[[Any, Array], Array]:
    return jax.jit(lambda state, signals: qttention_maps(nnx.merge(graph, state), signals))


def _scores(maps: Array, signals: Array, recording: Recording, hz: float) -> dict[str, Any]:
    flat = signals[..., 0]
    resolution = recording.rate / flat.shape[-1]
    train = impulse_train(flat.shape[-1], recording.rate, hz)[None]

    def score(spectrum: Array, at: float = hz) -> np.ndarray:
        return np.asarray(concentration(spectrum, resolution, at).mean(axis=-1))

    return {
        "maps": score(amplitude_spectrum(maps)),
        "signal": score(envelope_spectrum(flat)),
        "gradient": score(amplitude_spectrum(jnp.abs(jnp.asarray(jnp.gradient(flat, axis=-1))))),
        "wrong_frequency": score(amplitude_spectrum(maps), OFF_FREQUENCY * hz)[0],
        "impulse_train": score(amplitude_spectrum(train)),
        "map_kurtosis": stats.kurtosis(np.asarray(maps), axis=-1).mean(axis=-1),
        "signal_kurtosis": stats.kurtosis(np.asarray(flat), axis=-1).mean(axis=-1),
    }


def impulse_train(samples: int, rate: float, hz: float) -> Array:
    """A perfect map: one impulse per strike, blurred to the width of a short ringing."""
    phase = (np.arange(samples) * hz / rate) % 1
    return jnp.asarray(np.exp(-20 * phase), jnp.float32)


def _largest(records: Records) -> list[int]:
    """Labels of the largest fault of each kind; sizes ascend within a kind."""
    last = {recording.fault: label for label, recording in enumerate(records.recordings)}
    return [label for fault, label in last.items() if fault != "normal"]


def _example(maps: Array, signals: Array, recording: Recording, hz: float) -> dict[str, Any]:
    """The window whose first map scores at the median: neither best nor worst."""
    resolution = recording.rate / signals.shape[1]
    score = np.asarray(concentration(amplitude_spectrum(maps[0]), resolution, hz))
    middle = int(np.argsort(score)[len(score) // 2])
    shown = int((3.5 * hz) / resolution) + 1
    return {
        "class": recording.name,
        "rate": recording.rate,
        "fault_hz": hz,
        "signal": _digits(signals[middle, :, 0]),
        "maps": [_digits(layer[middle]) for layer in maps],
        "signal_spectrum": _digits(envelope_spectrum(signals[middle, :, 0])[:shown]),
        "map_spectra": [_digits(amplitude_spectrum(layer[middle])[:shown]) for layer in maps],
    }


def _digits(values: Array) -> list[float]:
    """Four digits are enough to draw, and keep the evidence small."""
    return [float(f"{value:.4g}") for value in np.asarray(values)]
