"""Layers on parts equal the plain layer on the parts put together, for every neuron."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest

import neurons as nr
from neurons.backbones.cloud_rain.edges import EdgeDense, JointDense

X = 0.5 * twins.draw((7, 2))
INDEX = jnp.asarray(np.random.default_rng(0).integers(0, 7, (7, 3)), jnp.int32)
CLOUD, POINTS = 0.5 * twins.draw((2, 1, 1)), 0.5 * twins.draw((2, 5, 3))
NAMES = sorted(nr.catalogue())


def layers(make, inputs):
    """A layer of every neuron; four neurons, since some add their own input."""
    return [twins.drawn(make, nr.catalogue()[name], inputs, 4) for name in NAMES]


def put_together():
    near = X[INDEX]
    own = jnp.broadcast_to(X[:, None], near.shape)
    return jnp.concatenate([near - own, own], axis=-1)


@pytest.fixture(scope="module")
def on_edges():
    """Ours and the plain layer's values, by neuron; compiled at once."""
    ours = layers(EdgeDense, 4)
    found = jax.jit(lambda: [(one.edges(X, INDEX), one(put_together())) for one in ours])
    return dict(zip(NAMES, found(), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_values_on_edges_equal_the_plain_layers(name, on_edges):
    ours, plain = on_edges[name]
    assert twins.relative_error(ours, plain) < 1e-4


@pytest.mark.parametrize("neuron", [nr.quadratic, nr.bilinear], ids=lambda neuron: neuron.name)
def test_values_on_parts_equal_the_plain_layers(neuron):
    layer = twins.drawn(JointDense, neuron, 4, 4)
    whole = jnp.concatenate([jnp.broadcast_to(CLOUD, (2, 5, 1)), POINTS], axis=-1)
    assert twins.relative_error(layer.joint(CLOUD, POINTS), layer(whole)) < 1e-4


def test_swapped_points_are_noticed(on_edges):
    layer = twins.drawn(EdgeDense, nr.quadratic, 4, 4)
    wrong = jnp.roll(put_together(), 2, axis=-1)
    assert twins.relative_error(layer(wrong), on_edges["quadratic"][0]) > 1e-2
