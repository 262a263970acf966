import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import neurons as nr
from theory.regions import quadratic_form

KNOWN = [nr.conventional, nr.quadratic, nr.product_only, nr.compact, nr.power_only]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("neuron", KNOWN, ids=lambda neuron: neuron.name)
def test_the_form_is_the_layer(neuron, bias):
    layer = nr.Dense(neuron, 4, 3, bias=bias, init="common", rngs=nnx.Rngs(0))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(50, 4)), jnp.float32)
    form = quadratic_form(layer)
    np.testing.assert_allclose(form(x), layer(x), atol=1e-5)
    assert (form.matrices == form.matrices.transpose(0, 2, 1)).all()


def test_the_gradient_is_the_layers():
    layer = nr.Dense(nr.quadratic, 4, 3, init="common", rngs=nnx.Rngs(0))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(4, 4)), jnp.float32)
    slopes = jax.vmap(jax.jacobian(layer))(x)
    np.testing.assert_allclose(quadratic_form(layer).gradient(x), slopes, atol=1e-5)


def test_another_neuron_is_noticed():
    layer = nr.Dense(nr.quadratic, 4, 3, init="common", rngs=nnx.Rngs(0))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(50, 4)), jnp.float32)
    layer.kernel_g[...] = -layer.kernel_g[...]
    assert np.abs(quadratic_form(layer)(x) - np.asarray(layer(x))).max() < 1e-5
    before = quadratic_form(layer)
    layer.kernel_g[...] = 2 * layer.kernel_g[...]
    assert np.abs(before(x) - np.asarray(layer(x))).max() > 1e-2


def test_other_neurons_are_refused():
    with pytest.raises(ValueError, match="knows the neurons conventional, "):
        quadratic_form(nr.Dense(nr.gaussian, 2, 2, rngs=nnx.Rngs(0)))
