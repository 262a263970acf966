"""Does a network learn better with its own saliency maps? The gain, and what else would bring it.

`python examples/train_with_a_prior.py` takes about a minute on two cores; it uses magnetic tiles if
`$NEURONS_DATA` has them, drawn ones otherwise. A second network learns from the same few pictures
with the first one's maps of the defects; the controls decide what its gain may be called.
"""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import neurons as nr
from neurons import conventional, data
from neurons.backbones.resnet import ResNet
from neurons.explain.metrics import pixel_ap
from neurons.inspection import Extras, train_with_prior

ARMS = ("knowledge prior", "no prior", "another image's map", "logit distillation", "true mask")
build = partial(ResNet, conventional, 8, width=8, channels=1, classes=2)


@lru_cache
def optimizer(steps: int) -> optax.GradientTransformation:
    """Adam with a decaying rate."""
    return optax.adamw(optax.cosine_decay_schedule(3e-3, steps))


def main(steps: int = 150, few: int = 120, arms: tuple[str, ...] = ARMS) -> dict[str, float]:
    """Train every arm for `steps` steps; return the average precision on unseen pictures."""
    tiles = data.simulated_defects(images=600, side=32, contrast=(0.02, 0.3), area=(0.005, 0.05))
    if data.available("magnetic_tile"):
        tiles = data.magnetic_tile(side=32, free=400)
    x, y = tiles.images[..., None], jnp.asarray(tiles.defective, jnp.int32)
    learned, unseen = np.split(np.random.default_rng(0).permutation(len(y)), [few])

    batches = nr.Batches((x[learned], y[learned]), 24, max(1, steps * 24 // few))
    tx, key = optimizer(batches.steps), jax.random.key(0)
    first = nr.fit(build(rngs=nnx.Rngs(0)), nr.cross_entropy, tx, batches, key=key).model
    models, options = {"first network": first}, {"size": 24, "epochs": batches.epochs}
    options |= {"key": jax.random.key(1), "beside": Extras(tiles.masks[learned])}
    for arm in arms:
        run = train_with_prior(first, build, *batches.data, optimizer, arm=arm, **options)
        models[arm] = run.model

    found = {}
    print(f"{tiles}\n{few} pictures to learn from")
    for name, model in models.items():
        logits = np.asarray(nnx.jit(lambda model, x: model(x))(model, x[unseen]))
        found[name] = float(pixel_ap(np.diff(logits).T, tiles.defective[None, unseen])[0])
        print(f"{name:20} average precision {found[name]:.3f}, {nr.parameters(model)} parameters")
    return found


if __name__ == "__main__":
    main()
