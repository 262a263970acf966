"""When not to trust "no defect": a classifier with a guard, against lowering its threshold.

`python examples/guard_a_classifier.py` takes about a minute on two cores; it uses magnetic tiles if
`$NEURONS_DATA` has them, drawn ones otherwise. A small network that saw few defects misses some.
The guard compares what the network responds to with what speaks for a defect, and flags what looks
doubtful; its limit is set on true negatives of validation pictures, so that it flags a tenth of
them. Whether that beats flagging the largest defect probabilities is what the last line says.
"""

import jax
import numpy as np
import optax
from flax import nnx

import neurons as nr
from neurons import data
from neurons.backbones.defect import resnet18
from neurons.explain import Guard
from neurons.explain.trust_curves import flagged, limit_for


def main(steps: int = 300, side: int = 32, alpha: float = 0.1) -> dict[str, float]:
    """Train for `steps` steps; return the recall of missed defects, and the cost in good parts."""
    tiles = data.simulated_defects(images=900, side=side, contrast=(0.02, 0.3), area=(0.003, 0.05))
    if data.available("magnetic_tile"):
        tiles = data.magnetic_tile(side=side, free=400)
    x, y = tiles.images[..., None], tiles.defective.astype(int)
    part = np.random.default_rng(0).choice(3, len(y), p=(0.4, 0.3, 0.3))  # learn, set, judge

    epochs = max(1, steps * 32 // int(sum(part == 0)))
    batches = nr.Batches((x[part == 0], y[part == 0]), 32, epochs)
    tx = optax.adamw(optax.cosine_decay_schedule(3e-3, batches.steps))
    net = resnet18(channels=1, classes=2, width=8, small=True, rngs=nnx.Rngs(0))
    model = nr.fit(net, nr.cross_entropy, tx, batches, key=jax.random.key(0)).model

    known = x[part == 1], y[part == 1]
    guard = Guard.fit(model, known, alpha=alpha, stage="stage3")
    found, truth = guard(x[part == 2]), y[part == 2]
    normal = found.prediction == 0
    missed, good = normal & (truth == 1), normal & (truth == 0)
    print(f"{tiles}\n{missed.sum()} of {truth.sum()} defects are missed, {found.flag.sum()} flags")

    sure = guard(known[0])  # what else could be flagged at the same price: the most likely defects
    price = limit_for(sure.probability[(sure.prediction == 0) & (known[1] == 0)], alpha)
    scores = {"guard": (found.score, guard.limit), "lower threshold": (found.probability, price)}
    shares = {}
    for name, (score, limit) in scores.items():
        recall, cost = flagged(score[missed], limit), flagged(score[good], limit)
        shares[name], shares[f"{name}, cost"] = recall.value, cost.value
        ends = f"95 % [{recall.low:.2f}, {recall.high:.2f}]"
        print(f"{name:15} finds {recall.value:.2f} of them {ends}, flags {cost.value:.2f} of good")
    return shares


if __name__ == "__main__":
    main()
