"""How much of a bearing's life is left: SAL-CNN against the clock and a constant.

`python examples/bearing_life.py` takes about a minute on two cores; it uses the bearings of the
PHM 2012 challenge if `$NEURONS_DATA` has them, simulated ones otherwise. The last bearing of the
first condition is left out; the network learns from the others what 800 s of vibration (eight
records, 100 s apart) tell of the share of life that is left. An error of 25 points is what saying
"one half" at every record gives: more than that is worthless.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import neurons as nr
from neurons import data
from neurons.backbones import remaining_life as rl
from neurons.data.phm2012 import PERIOD


def error(model: rl.SALCNN, batch: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Mean squared error of the share that is left, at every record of some rl.stretches."""
    return jnp.mean(jnp.square(nnx.sigmoid(model.along(batch[0])) - batch[1]))


def main(steps: int = 150) -> dict[str, float]:
    """Train for `steps` steps; return mean absolute errors in points (% of life)."""
    known = data.phm2012() if data.available("phm2012") else data.simulated_lives()
    *lives, held_out = [life for life in known.lives if life.condition == 1]
    signals = np.concatenate([life.signals for life in (*lives, held_out)])
    pictures = np.asarray(rl.log_spectrogram(jnp.asarray(signals), size=(32, 4)))
    ends = np.cumsum([len(life.signals) for life in lives])
    *learned, judged = np.split(np.moveaxis(pictures, 1, -1), ends)  # (records, 32, 4, 2) each
    standardise = rl.Standardiser.fit(np.concatenate(learned))

    cut = [rl.stretches(standardise(x), look_back=8, length=23, every=4) for x in learned]
    labels = [data.linear_label(life)[at] for life, (_, at) in zip(lives, cut, strict=True)]
    rows = np.concatenate([x for x, _ in cut]), np.concatenate(labels)
    batches = nr.Batches(rows, 10, max(1, steps * 10 // len(rows[0])))
    net = rl.SALCNN(widths=(8, 16, 32), memory=32, momentum=0.9, rngs=nnx.Rngs(0))
    tx = optax.adam(optax.cosine_decay_schedule(3e-3, batches.steps))
    model = nr.fit(net, error, tx, batches, key=jax.random.key(0)).model

    x, places = rl.stretches(standardise(judged), look_back=8, length=23, every=16)
    left, truth = np.zeros(len(judged)), data.linear_label(held_out)
    left[places] = nnx.jit(lambda net, x: nnx.sigmoid(net.along(x)))(model, jnp.asarray(x))
    clock = rl.MeanLife.fit([life.records * PERIOD for life in lives])(held_out.elapsed)
    found = {"SAL-CNN": left, "mean life": clock, "constant 50 %": np.full(len(truth), 0.5)}
    errors = {name: 100 * float(np.abs(share - truth).mean()) for name, share in found.items()}
    for name, points in errors.items():
        print(f"{held_out.name} of {known}: {name} is wrong by {points:.1f} % of life")
    return errors


if __name__ == "__main__":
    main()
