"""Neurons that are no polynomials: closed forms in special cases, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx

import neurons as nr
from neurons.kernel import is_negative, log_magnitude


def dense(neuron, inputs=3, **weights):
    layer = nr.Dense(neuron, inputs, 1, rngs=nnx.Rngs(0))
    for name, value in weights.items():
        parameter = getattr(layer, name)
        parameter[...] = jnp.asarray(value, jnp.float32).reshape(parameter.shape)
    return layer


def test_a_product_unit_multiplies_divides_and_keeps_signs():
    layer = dense(nr.product_unit, kernel_r=[1, 1, -1])
    x = jnp.asarray([[2.0, -3.0, 4.0], [-2.0, -3.0, -0.5], [-2.0, 3.0, 4.0]])
    np.testing.assert_allclose(layer(x)[:, 0], x[:, 0] * x[:, 1] / x[:, 2], rtol=1e-5)


def test_a_product_unit_takes_an_input_of_zero_for_a_millionth():
    assert dense(nr.product_unit, 1, kernel_r=[1.0])(jnp.zeros(1)) == pytest.approx(1e-6, rel=1e-4)
    np.testing.assert_allclose(log_magnitude(jnp.asarray([0.0, -np.e])), [np.log(1e-6), 1], 1e-6)
    np.testing.assert_array_equal(is_negative(jnp.asarray([-2.0, 0.0, 2.0])), [1, 0, 0])


def test_distances_are_zero_at_their_centre_and_bells_one():
    centre = jnp.asarray([0.5, -1.0, 2.0])
    for neuron, value in ((nr.kervolution_l1, 0), (nr.kervolution_l2, 0), (nr.gaussian, 1)):
        layer = dense(neuron, kernel_r=centre)
        assert float(layer(centre)[0]) == pytest.approx(value, abs=1e-5)
        assert float(layer(centre + 1.0)[0]) < value - 0.5
    assert float(dense(nr.kervolution_l1, kernel_r=centre)(centre + 1.0)[0]) == -3


def test_a_radial_neuron_sees_the_length_only():
    layer = dense(nr.radial, kernel_w=[2.0], bias_c=[1.0])
    rotation = jnp.linalg.qr(twins.draw((3, 3)))[0]
    x = twins.draw((5, 3))
    expected = 1 + 2 * (np.asarray(x) ** 2).sum(axis=1)
    np.testing.assert_allclose(layer(x)[:, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(layer(x @ rotation)[:, 0], expected, rtol=1e-5)


def test_gates_and_maxima_agree_with_jax():
    x = twins.draw((5, 4))
    gated = twins.drawn(nr.Dense, nr.glu, 4, 3)
    halves = jnp.concatenate(
        [x @ gated.weights(name) + gated.offset(name)[None] for name in "rg"], axis=1
    )
    np.testing.assert_allclose(gated(x), jax.nn.glu(halves), rtol=1e-5)
    swish = twins.drawn(nr.Dense, nr.swiglu, 4, 3)
    expected = (x @ swish.weights("r")) * jax.nn.silu(x @ swish.weights("g"))
    np.testing.assert_allclose(swish(x), expected, rtol=1e-5)
    rectifier = dense(nr.maxout(2), kernel_r=[[1, 0], [1, 0], [1, 0]], bias_r=[0, 0])
    np.testing.assert_allclose(rectifier(x[:, :3])[:, 0], jax.nn.relu(x[:, :3].sum(1)), atol=1e-6)


def test_options_of_one_are_the_conventional_neuron():
    x = twins.draw((5, 3))
    for neuron in (nr.maxout(1), nr.kervolution_polynomial(1), nr.pi_sigma(1)):
        assert neuron.degenerate == "conventional"
        layer, plain = (nr.Dense(n, 3, 4, rngs=nnx.Rngs(1)) for n in (neuron, nr.conventional))
        np.testing.assert_array_equal(layer(x), plain(x))


@pytest.mark.parametrize(
    ("build", "label"), [(nr.maxout, "pieces"), (nr.kervolution_polynomial, "power")]
)
@pytest.mark.parametrize("value", [0, -2, 1.5, True])
def test_options_below_one_are_refused(build, label, value, unchecked):
    with pytest.raises(ValueError, match=f"{label} must be a whole number of at least 1, got"):
        build(value)
