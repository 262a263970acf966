"""What the tests of training share: a little data, and when two runs are the same."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ROWS = 22
X = np.random.default_rng(0).normal(size=(ROWS, 3)).astype(np.float32)


def values(tree):
    """Leaves as NumPy arrays, keys of random streams as their bits."""
    leaves = jax.tree.leaves(tree)
    keys = [jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) for leaf in leaves]
    return [
        np.asarray(jax.random.key_data(v) if k else v) for v, k in zip(leaves, keys, strict=True)
    ]


def assert_same(one, other):
    """The same run, bit for bit."""
    np.testing.assert_array_equal(one.losses, other.losses)
    np.testing.assert_array_equal(one.validation, other.validation)
    assert one.epoch == other.epoch
    for a, b in zip(values(nnx.state(one.model)), values(nnx.state(other.model)), strict=True):
        np.testing.assert_array_equal(a, b)
