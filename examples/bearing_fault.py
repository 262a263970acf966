"""Diagnose a bearing with quadratic neurons, and see what the network looks at.

Runs on simulated records of an SKF 6205 bearing, about a minute on two cores. With the CWRU
records at hand (`python -m neurons.data fetch cwru`) replace `simulated("cwru")` by `load("cwru")`.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import neurons as nr
from neurons import data
from neurons.backbones.qttention import qcnn
from neurons.explain.qttention import amplitude_spectrum, concentration, qttention_map


def main(steps: int = 300) -> tuple[float, float]:
    """Train QCNN for `steps` steps at 0 dB; return test accuracy and the map's concentration."""
    records = data.simulated("cwru")
    splits = data.split(records, data.Protocol(snr_db=0.0, train_windows=300), seed=0)
    size = min(64, len(splits.train.y))
    epochs = max(1, steps * size // len(splits.train.y))
    batches = nr.Batches(tuple(splits.train), size, epochs)
    # The quadratic part learns a hundred times slower than the rest (ReLinear).
    rate = optax.cosine_decay_schedule(0.05, batches.steps)
    tx = nr.relinear(optax.sgd(rate, momentum=0.9), scale=0.01)
    run = nr.fit(qcnn(rngs=nnx.Rngs(0)), nr.cross_entropy, tx, batches, key=jax.random.key(0))

    logits = run.model(jnp.asarray(splits.test.x[::5]))
    accuracy = float((jnp.argmax(logits, axis=-1) == splits.test.y[::5]).mean())

    # An outer-race fault strikes at a known frequency: does the first layer attend to the strikes?
    label = records.classes.index("outer_021")
    recording = records.recordings[label]
    strikes = records.bearing.frequencies(recording.shaft_hz).bpfo
    signals = jnp.asarray(splits.test.x[splits.test.y == label][:20])
    attention = qttention_map(run.model.blocks[0].conv, signals)
    resolution = recording.rate / signals.shape[1]
    score = float(concentration(amplitude_spectrum(attention), resolution, strikes).mean())
    print(f"accuracy {accuracy:.3f} after {run.losses.size} steps (chance 0.1)")
    print(f"{score:.0%} of the map's energy lies at {strikes:.0f} Hz and its harmonics")
    return accuracy, float(np.clip(score, 0, 1))


if __name__ == "__main__":
    main()
