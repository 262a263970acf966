"""Branches, neurons, the dense layer: how they start and what they refuse."""

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
import scipy.stats
from flax import nnx

import neurons as nr
from neurons.neuron import identity

N_IN, N_OUT = 40, 90


def rngs():
    return nnx.Rngs(0)


def uniform_within(values, bound):
    """Whether a sample comes from the uniform distribution on +-bound."""
    values = np.ravel(values) / bound
    return scipy.stats.kstest(values, scipy.stats.uniform(-1, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("init", "fan"), [("relinear", N_IN), ("relinear_fan_out", N_OUT), ("common", N_IN)]
)
def test_dense_starts_uniform_within_the_fan(init, fan):
    layer = nr.Dense(nr.quadratic, N_IN, N_OUT, init=init, rngs=rngs())
    bound = 1 / np.sqrt(fan)
    for name in ("kernel_r", "bias_r"):
        values = twins.float64(getattr(layer, name)[...])
        assert np.abs(values).max() <= bound
        assert uniform_within(values, bound)
        assert not uniform_within(values, 2 * bound)


def test_convolution_counts_taps_and_channels_of_a_group_as_fan_in():
    layer = nr.Conv(nr.quadratic, 8, 60, (3, 5), groups=2, rngs=rngs())
    bound = 1 / np.sqrt(3 * 5 * 8 / 2)
    values = twins.float64(layer.kernel_r[...])
    assert np.abs(values).max() <= bound
    assert uniform_within(values, bound)
    assert not uniform_within(values, 2 * bound)


def test_common_start_draws_every_branch():
    layer = nr.Dense(nr.quadratic, N_IN, N_OUT, init="common", rngs=rngs())
    found = twins.parameters(layer)
    assert len(found) == 6
    for name, variable in found.items():
        assert uniform_within(variable[...], 1 / np.sqrt(N_IN)), name
    correlation = np.corrcoef([np.ravel(layer.kernel_r[...]), np.ravel(layer.kernel_g[...])])
    assert abs(correlation[0, 1]) < 0.1


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_parameters_and_output_have_the_given_dtype(dtype):
    layer = nr.Dense(nr.quadratic, 3, 2, bias=False, dtype=dtype, rngs=rngs())
    assert {v.dtype for v in twins.parameters(layer).values()} == {jnp.dtype(dtype)}
    assert layer(jnp.ones(3, dtype)).dtype == dtype


def test_a_bias_that_is_left_out_stays_at_its_anchor():
    layer = nr.Dense(nr.quadratic, 3, 2, bias=False, rngs=rngs())
    assert [float(layer.offset(name)) for name in "rgb"] == [0, 1, 0]


def test_identity_is_the_input_itself():
    x = jnp.arange(3.0)
    assert identity(x) is x


def test_a_branch_that_lifts_has_as_many_weights_as_lifted_features():
    cubes = nr.Branch("t", lift=lambda x: jnp.concatenate([x, x**3], axis=-1))
    neuron = nr.Neuron("lifted", "w.(x, x^3) + b", (cubes,), lambda z: z)
    layer = twins.drawn(nr.Dense, neuron, 3, 2)
    assert neuron.parameters(3) == 7
    x = twins.draw((4, 3))
    lifted = np.concatenate([x, twins.float64(x) ** 3], axis=1)
    weights = twins.float64(layer.kernel_t[0])
    expected = lifted @ weights + twins.float64(layer.bias_t[...])
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)


def test_shared_borrowed_and_fixed_weights_are_counted_once():
    shared = nr.Branch("h", shape=(3,), shared=True, bias=False)
    again = nr.Branch("i", of=jnp.square, shape=(3,), shared=True, bias=False, kernel="h")
    mix = nr.Branch("c", of=None, shape=(3,), bias=False)
    neuron = nr.Neuron(
        "mine", "c.(W x + W x^2)", (shared, again, mix), lambda h, i, c: (c * (h + i)).sum(axis=-1)
    )
    layer = twins.drawn(nr.Dense, neuron, 4, 5)
    assert neuron.parameters(4, 5) == nr.parameters(layer) == 3 * 4 + 5 * 3
    x = twins.draw((2, 4))
    w, c = (np.asarray(layer.weights(name)) for name in "hc")
    hidden = (x + np.square(x)) @ w[:, 0]
    np.testing.assert_allclose(layer(x), hidden @ c.T, rtol=1e-4)


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("names", [(), ("r", "r")], ids=["none", "twice the same"])
def test_branches_need_distinct_names(names):
    with pytest.raises(ValueError, match="mine: branches need distinct names"):
        nr.Neuron("mine", "", tuple(nr.Branch(name) for name in names), lambda *z: z[0])


@pytest.mark.parametrize(
    "neuron", ["quadratic", nr.low_rank, None], ids=["name", "factory", "none"]
)
def test_what_is_no_neuron_is_refused(neuron, unchecked):
    with pytest.raises(TypeError, match=r"neuron must be a Neuron: .*; got"):
        nr.Dense(neuron, 2, 2, rngs=rngs())


def test_branches_are_checked():
    with pytest.raises(ValueError, match=r"branch q: sizes must be at least 1, got \(-1,\)"):
        nr.Branch("q", shape=(-1,))
    with pytest.raises(ValueError, match="lift and compare take own weights"):
        nr.Branch("q", lift=jnp.square, shared=True)
    with pytest.raises(ValueError, match="mine: no branch q to borrow weights from"):
        nr.Neuron("mine", "", (nr.Branch("r"), nr.Branch("s", kernel="q")), lambda *z: z[0])
    with pytest.raises(ValueError, match="mine: no branch reads the input"):
        nr.Neuron("mine", "", (nr.Branch("c", of=None),), lambda *z: z[0])


def test_unknown_branches_are_named():
    layer = nr.Dense(nr.qres, 2, 2, rngs=rngs())
    with pytest.raises(ValueError, match="qres has the branches r, g, c; got 'q'"):
        layer.weights("q")
    with pytest.raises(ValueError, match="branch 'c' of qres has no weights of its own"):
        layer.weights("c")
    with pytest.raises(ValueError, match="got 'q'"):
        layer.offset("q")


@pytest.mark.parametrize(
    ("sizes", "message"),
    [((0, 2), "in_features must be at least 1, got 0"), ((2, -1), "out_features .* got -1")],
)
def test_sizes_below_one_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        nr.Dense(nr.quadratic, *sizes, rngs=rngs())


def test_an_unknown_init_is_refused(unchecked):
    with pytest.raises(ValueError, match=r"init must be .* got 'normal'"):
        nr.Dense(nr.quadratic, 2, 2, init="normal", rngs=rngs())


@pytest.mark.parametrize("shape", [(4, 3), (1,)])
def test_a_wrong_last_axis_is_refused(shape):
    layer = nr.Dense(nr.quadratic, 2, 2, rngs=rngs())
    with pytest.raises(ValueError, match=r"expected in_features=2 .* got shape"):
        layer(jnp.ones(shape))


def test_a_scalar_is_refused(unchecked):
    layer = nr.Dense(nr.quadratic, 2, 2, rngs=rngs())
    with pytest.raises(ValueError, match="expected in_features=2"):
        layer(jnp.ones(()))


def test_the_bare_layer_is_abstract():
    layer = nr.Layer(
        nr.conventional,
        2,
        2,
        window=(),
        groups=1,
        bias=True,
        init="relinear",
        remat=False,
        dtype=jnp.float32,
        rngs=rngs(),
    )
    with pytest.raises(TypeError, match="Layer is abstract"):
        layer(jnp.ones(2))
