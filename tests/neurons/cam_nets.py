"""Small networks to explain, cut by hand and as modules."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import neurons as nr


class Tiny(nnx.Module):
    """Two convolutions with ReLU; the head is a mean over space and a linear layer."""

    stages = ("first", "second")

    def __init__(self, classes=3, *, channels=2, width=4, rngs):
        self.first = nr.Conv(nr.conventional, channels, width, (3, 3), padding=1, rngs=rngs)
        self.norm = nnx.BatchNorm(width, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.second = nr.Conv(
            nr.conventional, width, width, (3, 3), strides=2, padding=1, rngs=rngs
        )
        self.out = nnx.Linear(width, classes, rngs=rngs)

    def features(self, x, stage=None):
        first = nnx.relu(self.norm(self.first(x)))
        return first if stage == "first" else nnx.relu(self.second(self.drop(first)))

    def head(self, features, stage=None):
        if stage == "first":
            features = nnx.relu(self.second(self.drop(features)))
        return self.out(features.mean(axis=(1, 2)))


def tiny(classes=3, **options):
    """A Tiny whose every parameter is drawn, so that nothing is zero by its start."""
    net = Tiny(classes, **options, rngs=nnx.Rngs(0))
    random = np.random.default_rng(3)
    state = nnx.state(net, nnx.Param)
    nnx.update(net, jax.tree.map(lambda leaf: drawn(random, leaf.shape) / 2, state))
    net.norm.mean[...] = jnp.full(net.norm.mean.shape, 0.1)
    return net


def drawn(random, shape):
    return jnp.asarray(random.normal(size=shape), jnp.float32)


def images(batch=3, side=8, channels=2, seed=5):
    return drawn(np.random.default_rng(seed), (batch, side, side, channels))


def smooth_pair(weights):
    """A head without a kink, `tanh(sum_k A^k W^k_c) + mean(A^2)`, on activations as they are."""

    def head(a):
        space = tuple(range(1, a.ndim - 1))
        inner = jnp.tanh(jnp.einsum("b...k,kc->b...c", a, weights)).mean(axis=space)
        return inner * (1 + jnp.square(a).mean(axis=(*space, a.ndim - 1)))[:, None]

    return (lambda x: x), head
