"""The autoencoders: published sizes, values against a NumPy twin, order of operations, refusals."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.autoencoder import (
    AUTOENCODERS,
    Chain,
    autoencoder,
    reconstruction_error,
)
from neurons.layer import Layer

WEIGHTS = {  # of d = 64, biases counted, batch normalisation not
    "HAE-X": 21_056,
    "HAE-Y": 18_400,
    "HAE-I": 13_648,
    "HAE-Yc": 13_088,
    "HAE-Ic": 7_408,
    "AE-X": 10_528,
    "QAE-X": 31_584,
    "AE-Y": 7_872,
    "QAE-Y": 23_616,
    "AE": 5_264,
    "QAE": 15_792,
}


def abstract(name, d=64, **options):
    return nnx.eval_shape(lambda: autoencoder(name, d, **options, rngs=nnx.Rngs(0)))


def layers(net):
    return [node for _, node in nnx.iter_graph(net) if isinstance(node, Layer)]


@lru_cache
def drawn(name, widths=(4, 3), *, corrected=False, output=None):
    """A network in evaluation mode with every parameter and running statistic at random."""
    net = autoencoder(name, 5, widths=widths, corrected=corrected, dropout=0.0, rngs=nnx.Rngs(0))
    net.eval()
    rng = np.random.default_rng(0)
    for _, variable in nnx.to_flat_state(nnx.state(net, nnx.Any(nnx.Param, nnx.BatchStat))):
        variable[...] = jnp.asarray(rng.uniform(-0.7, 0.7, variable.shape), jnp.float32)
    nnx.update(net, nnx.state(net))
    for _, node in nnx.iter_graph(net):
        if isinstance(node, nnx.BatchNorm):
            node.var[...] = jnp.abs(node.var[...]) + 0.5
    return net


def rows(count=6):
    return twins.draw((count, 5))


def normed(norm, x):
    """Batch normalisation by running statistics."""
    mean, var, scale, bias = (
        twins.float64(v[...]) for v in (norm.mean, norm.var, norm.scale, norm.bias)
    )
    return (x - mean) / np.sqrt(var + 1e-5) * scale + bias


def two_layers(chain, x):
    """Layer, ReLU, normalisation where there is one, layer."""
    x = np.maximum(twins.output(chain.layers[0], x), 0)
    return twins.output(chain.layers[1], normed(chain.norms[0], x) if chain.norms else x)


def twin(net, x, *, parallel):
    """The network of two hidden layers once more, in float64."""
    x = normed(net.input_norm, twins.float64(x))
    code = sum(two_layers(chain, x) for chain in net.encoder)
    code = normed(net.bottleneck_norm, np.maximum(code, 0))
    assert (len(net.encoder), len(net.decoder)) == parallel
    return 1 / (1 + np.exp(-sum(two_layers(chain, code) for chain in net.decoder)))


CHAINS = {"X": (2, 2), "Y": (2, 1), "Yc": (2, 1), "I": (1, 1), "Ic": (1, 1)}


@pytest.mark.parametrize(("name", "weights"), WEIGHTS.items())
def test_networks_have_the_papers_number_of_weights(name, weights):
    net = abstract(name)
    assert sum(nr.parameters(layer) for layer in layers(net)) == weights
    assert tuple(WEIGHTS) == AUTOENCODERS


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_values_are_those_of_a_numpy_twin(name):
    parallel = CHAINS.get(name.partition("-")[2], (1, 1))
    found = drawn(name)(rows())
    assert twins.relative_error(found, twin(drawn(name), rows(), parallel=parallel)) < 1e-5


def test_the_twin_notices_exchanged_branches():
    net = nnx.clone(drawn("HAE-X"))
    quadratic = net.encoder[0].layers[0]
    quadratic.kernel_r[...], quadratic.kernel_g[...] = quadratic.kernel_g[...], jnp.zeros((5, 4))
    expected = twin(drawn("HAE-X"), rows(), parallel=(2, 2))
    assert twins.relative_error(net(rows()), expected) > 1e-3


@pytest.mark.parametrize(
    ("name", "encoder", "decoder"),
    [
        ("HAE-X", ["QQQ", "CCC"], ["QQQ", "CCC"]),
        ("HAE-Y", ["QQQ", "CCC"], ["QQQ"]),
        ("HAE-Yc", ["QQQ", "CCC"], ["CCC"]),
        ("HAE-I", ["QCQ"], ["QCQ"]),  # as the paper draws three layers
        ("HAE-Ic", ["CQC"], ["CQC"]),
        ("QAE-X", ["QQQ", "QQQ"], ["QQQ", "QQQ"]),
        ("AE-Y", ["CCC", "CCC"], ["CCC"]),
        ("QAE", ["QQQ"], ["QQQ"]),
    ],
)
def test_chains_have_the_neurons_of_the_plan(name, encoder, decoder):
    net = abstract(name, widths=(32, 21, 16))
    kinds = {nr.quadratic: "Q", nr.conventional: "C"}
    for chains, expected in ((net.encoder, encoder), (net.decoder, decoder)):
        found = ["".join(kinds[layer.neuron] for layer in chain.layers) for chain in chains]
        assert found == expected


def test_of_two_layers_hae_i_has_the_quadratic_ones_outside():
    net = abstract("HAE-I")
    of = [layer.neuron.name for chain in (*net.encoder, *net.decoder) for layer in chain.layers]
    assert of == ["quadratic", "conventional", "conventional", "quadratic"]


@pytest.mark.parametrize("widths", [(3,), (32, 16), (32, 21, 16), (32, 21, 21, 16, 16), (80, 9)])
@pytest.mark.parametrize("name", ["HAE-X", "HAE-I", "AE"])
def test_depth_and_width_are_free_and_the_decoder_mirrors_the_encoder(name, widths):
    net = abstract(name, widths=widths)
    sizes = (64, *widths)
    for chain in net.encoder:
        assert [layer.in_features for layer in chain.layers] == list(sizes[:-1])
    for chain in net.decoder:
        assert [layer.in_features for layer in chain.layers] == list(sizes[:0:-1])
        assert chain.layers[-1].out_features == 64
    assert net.encoder[0].layers[-1].out_features == widths[-1]


def test_by_default_widths_are_a_half_and_a_quarter_and_at_least_one():
    assert {layer.out_features for layer in layers(abstract("AE"))} == {32, 16, 64}
    assert [layer.out_features for layer in layers(abstract("AE", d=1))] == [1, 1, 1, 1]


def norms(net):
    return sum(isinstance(node, nnx.BatchNorm) for _, node in nnx.iter_graph(net))


def test_every_layers_input_is_normalised_but_the_last_of_ae_and_qae():
    assert [norms(abstract(name)) for name in ("HAE-X", "HAE-Y", "HAE-I")] == [6, 5, 4]
    assert [norms(abstract(name)) for name in ("AE", "QAE")] == [3, 3]
    assert norms(abstract("AE", widths=(5,))) == 1  # the bottleneck feeds the last layer


def test_dropout_comes_before_the_normalisation():
    chain = Chain((nr.conventional,) * 2, (3, 4, 4), output_norm=True, rngs=nnx.Rngs(0))
    chain.layers[0].bias_r[...] = jnp.full(4, 5.0)
    chain.layers[1].kernel_r[...], chain.layers[1].bias_r[...] = jnp.eye(4), jnp.zeros(4)
    chain.train()
    factors = jnp.asarray(2.0 * np.random.default_rng(0).integers(2, size=(64, 4)), jnp.float32)
    found = np.asarray(chain(twins.draw((64, 3)), iter([factors])))
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), 1, rtol=1e-3)
    dropped = [len(np.unique(column)) < 50 for column in found.T]  # equal where zeroed
    assert all(dropped)


def test_as_published_a_dropout_follows_the_outputs_sigmoid():
    net = autoencoder("AE", 5, widths=(4,), rngs=nnx.Rngs(0))
    net.train()
    found = np.asarray(net(rows(200)))
    assert 0.4 < (found == 0).mean() < 0.6
    assert 0 < found[found > 0].min() < found.max() < 2  # kept outputs are doubled


def test_corrected_leaves_out_the_sigmoid_and_the_dropout_of_the_output():
    published, corrected = drawn("HAE-X"), drawn("HAE-X", corrected=True)
    np.testing.assert_allclose(published(rows()), nnx.sigmoid(corrected(rows())), rtol=1e-6)
    net = autoencoder("AE", 5, widths=(4,), corrected=True, rngs=nnx.Rngs(0))
    net.train()
    found = np.asarray(net(rows(200)))
    assert np.count_nonzero(found) == found.size
    assert found.min() < 0


def test_a_call_is_features_then_head():
    net = drawn("HAE-Y")
    np.testing.assert_array_equal(net(rows()), net.head(net.features(rows())))


def test_the_quadratic_network_starts_bit_for_bit_as_the_conventional_one():
    nets = [autoencoder(name, 5, dropout=0.0, rngs=nnx.Rngs(0)) for name in ("QAE", "AE")]
    for net in nets:
        net.eval()
    np.testing.assert_array_equal(nets[0](rows()), nets[1](rows()))


@pytest.mark.parametrize("name", ["low_rank", "kan", "gaussian", "swiglu", "product_only", "qres"])
def test_any_neuron_can_be_in_a_branch(name):
    neuron = nr.catalogue()[name]
    net = abstract("HAE-I", d=8, widths=(8,), first=neuron)
    assert [layer.neuron for layer in layers(net)] == [neuron, neuron]
    net = abstract("HAE-I", d=8, widths=(8, 8), second=neuron)
    assert [layer.neuron is neuron for layer in layers(net)].count(True) == 2


def test_training_lowers_the_error_of_the_reconstruction(standard_promotion):
    import optax

    x = jnp.asarray(np.random.default_rng(0).normal(size=(64, 2)) @ np.ones((2, 5)), jnp.float32)
    net = autoencoder("HAE-X", 5, widths=(4, 3), corrected=True, dropout=0.0, rngs=nnx.Rngs(0))
    batches = nr.Batches(x, size=64, epochs=100)
    run = nr.fit(net, reconstruction_error, optax.adam(0.02), batches, key=jax.random.key(0))
    assert run.losses[-1] < 0.05 * run.losses[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "HAE-Z"}, "name must be one of HAE-X, .* got 'HAE-Z'"),
        ({"in_features": 0}, "in_features must be a whole number of at least 1, got 0"),
        ({"widths": ()}, "widths needs at least one layer"),
        ({"widths": (4, 0)}, "each of widths must be a whole number of at least 1, got 0"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), got 1.0"),
        ({"dropout": float("nan")}, r"dropout must lie in \[0, 1\), got nan"),
    ],
)
def test_other_networks_are_refused(options, message, unchecked):
    arguments = {"name": "HAE-X", "in_features": 5, "rngs": nnx.Rngs(0)} | options
    with pytest.raises(ValueError, match=message):
        autoencoder(**arguments)


def test_what_is_no_neuron_is_refused(unchecked):
    with pytest.raises(TypeError, match="neuron must be a Neuron"):
        autoencoder("HAE-X", 5, first="quadratic", rngs=nnx.Rngs(0))


@pytest.mark.parametrize("shape", [(5,), (2, 4), (2, 5, 1)])
def test_other_rows_are_refused(shape, unchecked):
    with pytest.raises(ValueError, match=r"expected rows \(batch, 5\), got shape"):
        drawn("HAE-X")(jnp.ones(shape))
