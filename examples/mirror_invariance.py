"""Does a network on point clouds know a shape in the mirror?

Trains a PointNet on upright shapes, and the same with power-only neurons in principal axes
(Cloud-RAIN), then shows both the test shapes in mirrors. About ten seconds.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import neurons as nr
from neurons.backbones.cloud_rain import Invariant, PointNet, canonical
from neurons.data import procedural_shapes
from theory.invariance import invariance_gap, mirrors

CLASSES = ("sphere", "cone", "torus", "tee", "chair", "monitor")


def main(steps: int = 300) -> dict[str, tuple[float, float, float]]:
    """Train both for `steps` steps; accuracy upright, in mirrors, and the invariance gap."""
    shapes = procedural_shapes(train=600, test=300, points=64, classes=CLASSES)
    test, labels = jnp.asarray(shapes.x_test), shapes.y_test
    normals = np.random.default_rng(0).normal(size=(300, 1, 3))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    # I - 2 n n^T turns every shape into its image in a mirror of its own.
    reflected = test - 2 * jnp.asarray((test * normals).sum(2, keepdims=True) * normals)

    train = jnp.asarray(shapes.x_train)
    found = {}
    for name, neuron, seen in (
        ("PointNet", nr.conventional, train),
        ("Cloud-RAIN", nr.power_only, canonical(train).points),
    ):
        net = PointNet(neuron, len(CLASSES), widths=(16, 32, 64), hidden=(32,), rngs=nnx.Rngs(0))
        batches = nr.Batches((seen, jnp.asarray(shapes.y_train, jnp.int32)), 30, steps // 20)
        rate = optax.cosine_decay_schedule(5e-3, batches.steps)
        net = nr.fit(net, nr.cross_entropy, optax.adam(rate), batches, key=jax.random.key(0)).model
        model = Invariant(net) if name == "Cloud-RAIN" else net
        upright, mirrored = (
            float((np.asarray(model(x)).argmax(axis=1) == labels).mean()) for x in (test, reflected)
        )
        gap = invariance_gap(model, test, mirrors(3), key=jax.random.key(1), samples=4).largest
        found[name] = upright, mirrored, gap
        print(f"{name:10}  upright {upright:.3f}  in mirrors {mirrored:.3f}  ", end="")
        print(f"largest change of a logit {gap:.1e}")
    return found


if __name__ == "__main__":
    main()
