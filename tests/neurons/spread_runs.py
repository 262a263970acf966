"""Trains on the devices of this process, or of several; a script that prints what came of it.

`python spread_runs.py` uses the devices there are; `python spread_runs.py ADDRESS COUNT NUMBER`
joins COUNT processes at ADDRESS first.
"""

import json
import sys
from contextlib import nullcontext
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import neurons as nr


class Convolved(nnx.Module):
    """A convolution with batch statistics and dropout: what could go wrong when a batch is cut."""

    def __init__(self, *, rngs):
        self.conv = nr.Conv(nr.quadratic, 1, 4, 3, rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.drop = nnx.Dropout(0.1, rngs=rngs)
        self.out = nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, x):
        return self.out(self.drop(nnx.relu(self.norm(self.conv(x)))).mean(axis=(1, 2)))


SEEDS, SIZE, EPOCHS = 8, 16, 3


def runs():
    """Losses of seeds that learn a square, also from data of their own, and of a picture net."""
    x = jnp.linspace(-1, 1, 48)[:, None]
    tx = optax.adam(0.05)
    keys = jax.random.split(jax.random.key(0), SEEDS)
    build = partial(nr.Dense, nr.quadratic, 1, 1)
    square = nr.Batches((x, x**2), SIZE, EPOCHS)
    own = [nr.Batches((x, x**2 + n), SIZE, EPOCHS) for n in range(SEEDS)]
    many = nr.fit_seeds(
        build, nr.squared_error, tx, square, keys=keys, validation=(x, x**2), select="best"
    )
    apart = nr.fit_seeds(build, nr.squared_error, tx, own, keys=keys)
    few = nr.fit_seeds(build, nr.squared_error, tx, square, keys=keys[:6])
    images = jax.random.normal(jax.random.key(1), (48, 8, 8, 1))
    labels = (images.mean(axis=(1, 2, 3)) > 0).astype(jnp.int32)
    seen = []
    net = nr.fit(
        Convolved(rngs=nnx.Rngs(0)),
        nr.cross_entropy,
        optax.sgd(0.1, momentum=0.9),  # Adam would follow the last digits of gradients near zero
        nr.Batches((images, labels), SIZE, EPOCHS),
        key=keys[0],
        validation=(images, labels),
        on_epoch=lambda state: seen.append(state.epoch),
    )
    return {
        "seeds": [run.losses.tolist() for run in many],
        "validation": [run.validation.tolist() for run in many],
        "epochs": [run.epoch for run in many],
        "own": [run.losses.tolist() for run in apart],
        "few": [run.losses.tolist() for run in few],
        "batches": net.losses.tolist(),
        "answers": np.asarray(net.model(images[:4])).tolist(),
        "seen": seen,
    }


def main():
    if len(sys.argv) > 1:
        address, count, number = sys.argv[1:]
        jax.distributed.initialize(address, int(count), int(number))
    devices = jax.devices()
    with nr.spread_over(devices) if len(devices) > 1 else nullcontext():
        found = runs()
    sys.stdout.write(json.dumps({"devices": len(devices), **found}) + "\n")


if __name__ == "__main__":
    main()
