"""What became what between two pictures of a place? Maps, their errors, and text from the labels.

`python examples/detect_change.py` takes about three minutes on two cores. It draws aerial scenes in
which seasons, light and a shifted camera change most pixels, and what is asked for, the class of
land cover, changes few. A small Tri-path network learns to tell one from the other; a threshold on
the difference of colours does not.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import neurons as nr
from neurons import data
from neurons.backbones.change_detection import Tally, TriPath, change_loss
from neurons.backbones.change_detection.auxiliary import SMALL
from neurons.backbones.dino import Shape


def loss(net: TriPath, batch: tuple[jax.Array, ...]) -> jax.Array:
    """Focal, Dice and Lovasz loss of both dates' maps."""
    before, after, labels = batch
    return change_loss(net(before, after), labels)


def main(steps: int = 300, pairs: int = 480, side: int = 32, **parts: Any) -> dict[str, float]:
    """Train for `steps` steps; return mIoU and SeK on places that were not trained on.

    `parts` are `TriPath`'s: `auxiliary=False, decoder="plain"` leaves two of its ideas out.
    """
    scenes = data.simulated_scenes(count=pairs, side=side)
    learn, judge = (scenes.take(scenes.places % 5 != 0), scenes.take(scenes.places % 5 == 0))
    texts = data.regions(*judge.labels[0], scenes.classes, least=4)
    print(scenes, *(data.sentences(kind)[0] for kind in data.summary(texts)), sep="\n  ")

    labels = jnp.asarray(learn.labels, jnp.int32)
    batches = nr.Batches((learn.before, learn.after, labels), 8, max(1, steps * 8 // len(learn)))
    backbone = Shape(width=32, layers=3, heads=2, hidden=64, registers=1, patch=8)
    net = TriPath(len(scenes.classes), backbone, width=16, plan=SMALL, rngs=nnx.Rngs(0), **parts)
    tx = optax.adamw(optax.cosine_decay_schedule(5e-3, batches.steps))
    net = nr.fit(net, loss, tx, batches, key=jax.random.key(0)).model
    found = nnx.jit(lambda net, a, b: net(a, b).decided())(net, judge.before, judge.after)

    colours = abs(scenes.after - scenes.before).mean(axis=-1)
    threshold = np.quantile(colours, 1 - learn.changed.mean())  # marks as much as there is
    simple = abs(judge.after - judge.before).mean(axis=-1) > threshold
    truth = judge.labels.reshape(-1, side, side)
    counts = Tally.empty(1 + len(scenes.classes)).add(np.reshape(found, truth.shape), truth)
    marked = Tally.empty(2).add(simple.astype(int), judge.changed.astype(int))
    print(f"mIoU {counts.miou:.3f}, SeK {counts.sek:.3f}; difference of colours {marked.miou:.3f}")
    return {"mIoU": counts.miou, "SeK": counts.sek, "difference of colours": marked.miou}


if __name__ == "__main__":
    main()
