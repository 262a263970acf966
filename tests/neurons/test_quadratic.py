"""The quadratic family: exact special cases, what its parameters know of themselves."""

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from linear_maps import MAPS

import neurons as nr
from neurons.quadratic import FAMILY, distinct_products, pairwise_products

each_neuron = pytest.mark.parametrize("neuron", FAMILY, ids=lambda n: n.name)
three_maps = pytest.mark.parametrize("m", [MAPS[0], MAPS[1], MAPS[5]], ids=lambda m: m.name)


@each_neuron
@given(x=arrays(np.float32, (2, 2), elements=st.floats(-1e3, 1e3, width=32)))
def test_dense_equals_the_formula_and_is_finite_for_any_input(neuron, x):
    layer = MAPS[0].drawn(neuron)
    y = np.asarray(layer(jnp.asarray(x)))
    assert np.isfinite(y).all()
    # Terms as large as x^2 may cancel: float32's error is relative to them.
    scale = 1 + np.abs(x).max() ** 2
    np.testing.assert_allclose(y, twins.output(layer, twins.float64(x)), atol=1e-5 * scale)


def test_one_quadratic_neuron_computes_xor():
    layer = nr.Dense(nr.quadratic, 2, 1, rngs=nnx.Rngs(0))
    weights = jnp.asarray([[1.0], [-1.0]])
    layer.kernel_r[...] = layer.kernel_g[...] = weights
    layer.bias_r[...] = layer.bias_g[...] = jnp.zeros(1)
    corners = jnp.asarray([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(layer(corners)[:, 0], [0, 1, 1, 0])


@given(x=arrays(np.float32, (2, 2), elements=st.integers(-999, 999).map(float)))
def test_product_and_squared_radius_are_exact(x):
    product = nr.Dense(nr.quadralib_t4, 2, 1, bias=False, rngs=nnx.Rngs(0))
    product.kernel_r[...], product.kernel_g[...] = jnp.eye(2)[:, :1], jnp.eye(2)[:, 1:]
    np.testing.assert_array_equal(product(jnp.asarray(x))[:, 0], x[:, 0] * x[:, 1])
    radius = nr.Dense(nr.power_only, 2, 1, bias=False, rngs=nnx.Rngs(0))
    radius.kernel_b[...] = jnp.ones((2, 1))
    np.testing.assert_array_equal(radius(jnp.asarray(x))[:, 0], (x**2).sum(axis=1))


def test_pairwise_products_run_row_by_row():
    np.testing.assert_array_equal(
        pairwise_products(jnp.asarray([2.0, 3.0, 5.0])), [4, 6, 10, 6, 9, 15, 10, 15, 25]
    )


def test_distinct_products_leave_out_the_second_half():
    np.testing.assert_array_equal(
        distinct_products(jnp.asarray([2.0, 3.0, 5.0])), [4, 6, 10, 9, 15, 25]
    )


def test_a_factorisation_machine_has_no_squares():
    layer = twins.drawn(nr.Dense, nr.factorisation_machine(3), 4, 2, bias=False)
    alone = layer(jnp.eye(4))  # one input at a time: nothing to interact with
    np.testing.assert_allclose(alone, layer.kernel_r[...], atol=1e-5)
    both = layer(jnp.ones((1, 4)))[0] - layer.kernel_r[...].sum(axis=0)
    v = twins.float64(layer.kernel_v[...])
    pairs = [(v[i] * v[j]).sum(axis=1) for i in range(4) for j in range(i)]
    np.testing.assert_allclose(both, np.sum(pairs, axis=0), rtol=1e-4)


def test_a_full_rank_form_has_the_rank_asked_for():
    with twins.precision(jnp.float64):
        for neuron, positive in ((nr.low_rank(3), False), (nr.positive(3), True)):
            layer = twins.drawn(nr.Dense, neuron, 5, 1, bias=False, dtype=jnp.float64)
            layer.kernel_r[...] = jnp.zeros((5, 1))
            eye = jnp.eye(5)
            values = layer((eye[:, None] + eye[None]).reshape(-1, 5)).reshape(5, 5)
            single = np.diag(values) / 4
            form = (np.asarray(values) - single[:, None] - single[None]) / 2
            spectrum = np.linalg.eigvalsh(form)
            assert (np.abs(spectrum) > 1e-10).sum() == 3
            assert not positive or spectrum.min() > -1e-10


@pytest.mark.parametrize(
    "build", [nr.low_rank, nr.positive, nr.dendritic, nr.factorisation_machine]
)
@pytest.mark.parametrize("rank", [0, -1, 2.5])
def test_a_rank_below_one_is_refused(build, rank, unchecked):
    with pytest.raises(ValueError, match=f"rank must be a whole number of at least 1, got {rank}"):
        build(rank)


# -- start --------------------------------------------------------------------------------------


def test_the_same_key_draws_the_same_linear_part():
    quadratic, plain = (
        nr.Dense(n, 2, 4, rngs=nnx.Rngs(7)) for n in (nr.quadratic, nr.conventional)
    )
    np.testing.assert_array_equal(quadratic.kernel_r[...], plain.kernel_r[...])
    np.testing.assert_array_equal(quadratic.bias_r[...], plain.bias_r[...])


SILENT = {  # neuron: {parameter: (group, anchor)} of what is not ("linear", 0)
    "quadratic": {
        "kernel_g": ("product", 0),
        "bias_g": ("product", 1),
        "kernel_b": ("power", 0),
        "bias_b": ("power", 0),
    },
    "compact": {"kernel_b": ("power", 0)},
    "product_only": {"kernel_g": ("product", 0), "bias_g": ("product", 1)},
    "qres": {"kernel_g": ("product", 0)},
    "bilinear": {"kernel_b": ("product", 0)},
    "symmetric": {"kernel_b": ("product", 0)},
    "low_rank": {"kernel_q": ("product", 0), "kernel_l": ("product", 0)},
    "positive": {"kernel_u": ("product", 0)},
    "dendritic": {"kernel_p": ("product", 0), "kernel_q": ("product", 0)},
    "factorisation_machine": {"kernel_v": ("product", 0)},
}


@three_maps
def test_parameters_know_their_group_and_anchor(m):
    for neuron in (nr.conventional, *map(nr.catalogue().get, SILENT)):
        if not m.serves(neuron):
            continue
        for name, variable in twins.parameters(m.drawn(neuron)).items():
            known = SILENT.get(neuron.name, {}).get(name, ("linear", 0))
            assert (variable.group, variable.anchor) == known, (neuron.name, name)
