"""The bearing networks: their size, every block against NumPy, features and head."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx

from neurons import conventional, quadratic
from neurons.backbones.qttention import BearingNet, max_pool, qcnn, slim_qcnn, wdcnn, wide_wdcnn
from neurons.cost import parameters


@lru_cache
def small(neuron=quadratic):
    """The network with three channels throughout."""
    net = BearingNet(neuron, (3,) * 6, hidden=5, classes=4, rngs=nnx.Rngs(0))
    net.eval()
    return net


@lru_cache
def drawn():
    """The small network with all parameters and statistics drawn at random."""
    net = nnx.clone(small())
    rng = np.random.default_rng(0)
    for _, variable in nnx.iter_graph(net):
        if isinstance(variable, nnx.Param):
            variable[...] = jnp.asarray(rng.normal(size=variable.shape) / 2, jnp.float32)
        if isinstance(variable, nnx.BatchStat):
            variable[...] = jnp.asarray(rng.uniform(0.5, 2, variable.shape), jnp.float32)
    return net


def signals(batch=2):
    return twins.draw((batch, 2048, 1))


# -- size ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "count"),
    [(qcnn, 158_534), (wdcnn, 66_790), (slim_qcnn, 16_262), (wide_wdcnn, 158_571)],
)
def test_networks_have_the_published_number_of_parameters(make, count):
    assert parameters(nnx.eval_shape(lambda: make(rngs=nnx.Rngs(0)))) == count


def traced(call):
    """Shapes of `call(network, signals)`, at no cost."""
    return nnx.eval_shape(lambda: call(qcnn(classes=4, rngs=nnx.Rngs(0)), jnp.zeros((3, 2048, 1))))


def test_the_number_of_classes_sets_the_logits():
    assert traced(lambda net, x: net(x)).shape == (3, 4)
    net = nnx.eval_shape(lambda: qcnn(classes=4, rngs=nnx.Rngs(0)))
    assert parameters(net) == 158_534 - 6 * (100 + 1)


def test_blocks_shorten_the_signal_as_published():
    inputs = traced(lambda net, x: [received for _, received in net.layer_inputs(x)])
    shapes = [x.shape[1:] for x in (*inputs[1:], traced(lambda net, x: net.features(x)))]
    assert shapes == [(128, 16), (64, 32), (32, 64), (16, 64), (8, 64), (3, 64)]


# -- values -------------------------------------------------------------------------------------


def numpy_block(block, x, stride, padding):
    """Convolution, normalisation by running statistics, ReLU, pooling of `(length, channels)`."""
    conv, norm = block.conv, block.norm
    taps = twins.conv_taps(x.shape[:1], conv.window, (stride,), ((padding, padding),), (1,))
    y = twins.output(conv, twins.windows(x, taps))
    centred = y - twins.float64(norm.mean[...])
    y = centred / np.sqrt(twins.float64(norm.var[...]) + 1e-5)
    y = np.maximum(y * twins.float64(norm.scale[...]) + twins.float64(norm.bias[...]), 0)
    return np.stack([y[i : i + 2].max(axis=0) for i in range(0, len(y), 2)])


def numpy_linear(layer, x):
    return x @ twins.float64(layer.kernel[...]) + twins.float64(layer.bias[...])


def test_every_block_and_the_head_equal_their_formulas():
    net, x = drawn(), signals(1)
    for number, block in enumerate(net.blocks):
        stride, padding = (8, 28) if number == 0 else (1, 0 if number == 5 else 1)
        expected = numpy_block(block, twins.float64(x[0]), stride, padding)
        x = block(x)
        assert twins.relative_error(x[0], expected) < 1e-5, number
    flat = twins.float64(x[0]).ravel()
    logits = numpy_linear(net.out, np.maximum(numpy_linear(net.hidden, flat), 0))
    assert twins.relative_error(net.head(x)[0], logits) < 1e-5


def test_a_block_with_another_padding_is_noticed():
    block, x = drawn().blocks[5], twins.draw((1, 8, 3))
    found = block(x)[0]
    assert twins.relative_error(found, numpy_block(block, twins.float64(x[0]), 1, 0)) < 1e-5
    wrong = numpy_block(block, twins.float64(x[0]), 1, 1)[: len(found)]
    assert twins.relative_error(found, wrong) > 0.01


def test_a_call_is_features_then_head():
    net, x = drawn(), signals()
    np.testing.assert_array_equal(net(x), net.head(net.features(x)))


def test_every_convolution_is_listed_with_the_input_it_receives():
    net, x = drawn(), signals()
    pairs = net.layer_inputs(x)
    assert [layer for layer, _ in pairs] == [block.conv for block in net.blocks]
    for block, (_, received) in zip(net.blocks, pairs, strict=True):
        np.testing.assert_array_equal(received, x)
        x = block(x)


def test_max_pool_takes_the_larger_of_each_pair():
    x = twins.draw((2, 6, 3))
    expected = np.maximum(x[:, 0::2], x[:, 1::2])
    np.testing.assert_array_equal(max_pool(x), expected)


def test_qcnn_starts_bit_for_bit_as_wdcnn_with_the_same_key():
    x = signals()
    np.testing.assert_array_equal(small(quadratic)(x), small(conventional)(x))
    assert twins.relative_error(drawn()(x), small(conventional)(x)) > 1e-2


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 2047, 1), (2, 2048, 2), (2048, 1), (2, 2048)])
def test_other_windows_are_refused(shape, unchecked):
    with pytest.raises(ValueError, match=r"expected windows \(batch, 2048, 1\), got shape"):
        small()(jnp.ones(shape))


@pytest.mark.parametrize("channels", [(), (3,) * 5, (3,) * 7])
def test_another_number_of_blocks_is_refused(channels):
    with pytest.raises(ValueError, match="the network has 6 blocks, got channels="):
        BearingNet(quadratic, channels, rngs=nnx.Rngs(0))
