"""Networks that share one program are the library's networks, and none feels the padding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import neurons as nr
from theory.claims.power_nets import (
    Net,
    Split,
    _stacked,
    _start,
    conventional,
    forward,
    trained_errors,
)

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (100, 4))
CUBIC = (2 * X**3 - X**2).sum(axis=1)
SPLIT = Split(X, CUBIC / np.abs(CUBIC).max(), np.arange(80), 0)
WIDE = RANDOM.uniform(-1, 1, (90, 6))
LABELS = Split(WIDE, (WIDE[:, 0] > 0).astype(float) + (WIDE[:, 1] > 0), np.arange(70), 3)
NETS = (Net(SPLIT, (1, 3), (4, 2)), Net(LABELS, (2, 5, 6), (6, 3)), Net(LABELS, (1,), (5, 3)))


def padded(net_number):
    stacked = _stacked(NETS)
    one = {name: values[net_number] for name, values in stacked.items()}
    first, second = stacked["on1"].shape[1], stacked["on2"].shape[1]
    return one, _start(jax.random.key(3), one, one["x"].shape[-1], first, second)


def library_layer(powers, kernels, bias, inputs, outputs):
    layer = nr.Dense(nr.polynomial(powers), inputs, outputs, rngs=nnx.Rngs(0))
    for slot, power in enumerate(powers):
        name = "kernel_r" if slot == 0 else f"kernel_p{power}"
        kernel = getattr(layer, name)
        kernel[...] = jnp.reshape(kernels[slot, :inputs, :outputs], kernel[...].shape)
    layer.bias_r[...] = jnp.reshape(bias[:outputs], layer.bias_r[...].shape)
    return layer


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize("number", range(len(NETS)))
def test_the_padded_network_is_made_of_the_librarys_layers(number):
    net = NETS[number]
    one, params = padded(number)
    (first, second), d = net.widths, net.split.x.shape[1]
    hidden = jnp.asarray(net.split.x, jnp.float32)
    for layer, inputs, outputs in ((params[0], d, first), (params[1], first, second)):
        hidden = jax.nn.sigmoid(library_layer(net.powers, *layer, inputs, outputs)(hidden))
    kernel, bias = params[2]
    expected = (hidden @ kernel[:second] + bias[None])[:, : net.split.outputs]
    found = forward(params, one, one["x"])[: len(hidden), : net.split.outputs]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.usefixtures("standard_promotion")
def test_starts_lie_within_the_bound_of_the_true_fan_in():
    _, params = padded(0)
    for layer, fan in zip(params, (4, 4, 2), strict=True):
        reach = [np.abs(values).max() * np.sqrt(fan) for values in layer]
        assert max(reach) <= 1
        assert reach[0] > 0.5  # of the kernels; there are few biases


def test_parameters_are_those_of_the_librarys_neurons():
    for net in NETS:
        neuron, (first, second) = nr.polynomial(net.powers), net.widths
        hidden = neuron.parameters(net.split.x.shape[1], first) + neuron.parameters(first, second)
        assert net.parameters == hidden + net.split.outputs * (second + 1)


def test_the_conventional_network_is_the_smallest_with_more_parameters():
    for net in NETS:
        linear = conventional(net.split, net.parameters)
        width = linear.widths[0]
        assert linear.powers == (1,)
        assert linear.widths[1] == -(-width // 2)
        assert linear.parameters > net.parameters
        smaller = Net(net.split, (1,), (width - 1, -(-(width - 1) // 2)))
        assert smaller.parameters <= net.parameters


@pytest.mark.usefixtures("standard_promotion")
def test_training_finds_what_its_powers_can_express():
    """Two regressions and a classification in one program; the shuffled one learns nothing."""
    shuffled = SPLIT._replace(y=np.random.default_rng(1).permutation(SPLIT.y))
    nets = (Net(SPLIT, (2, 3), (6, 3)), Net(shuffled, (2, 3), (6, 3)), Net(LABELS, (1, 3), (6, 3)))
    found = trained_errors(nets, jax.random.key(0), 0.05)
    variance = np.var(SPLIT.y)
    assert found[0] < 0.05 * variance
    assert found[1] > 0.5 * variance
    assert found[2] < 0.3
    assert found[2] * 20 == pytest.approx(round(found[2] * 20), abs=1e-9)  # 20 test rows
