"""Counting parameters and multiplications."""

import math

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.qttention import qcnn, slim_qcnn, wdcnn
from neurons.counting import count_multiplications


@pytest.mark.parametrize("bias", [True, False])
def test_parameters_of_a_net_are_those_of_its_formula(bias):
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.conv = nr.Conv(nr.quadratic, 2, 6, (3, 5), groups=2, bias=bias, rngs=rngs)
            self.norm = nnx.BatchNorm(6, rngs=rngs)
            self.dropout = nnx.Dropout(0.5, rngs=rngs)
            self.heads = nnx.List([nr.Dense(nr.compact, 6, 4, bias=bias, rngs=rngs)])

    model = nnx.eval_shape(lambda: Net(nnx.Rngs(0)))
    conv = 3 * (3 * 5 * 2 // 2 + bias) * 6
    dense = (2 * 6 + bias) * 4
    assert nr.parameters(model) == conv + 2 * 6 + dense  # statistics and streams do not count


def test_a_convolution_costs_its_formula_at_every_position():
    layer = nr.Conv(nr.quadratic, 4, 6, 5, groups=2, padding="VALID", rngs=nnx.Rngs(0))
    positions, inputs = 9 - 4, 5 * 4 // 2
    squares = 9 * 4
    found = nr.multiplications(layer, jax.ShapeDtypeStruct((1, 9, 4), jnp.float32))
    assert found == positions * 6 * (3 * inputs + 1) + squares


@pytest.mark.parametrize(
    ("build", "millions"),
    [(qcnn, 4.55), (wdcnn, 1.52), (slim_qcnn, 1.35)],
    ids=lambda v: getattr(v, "__name__", v),
)
def test_convolutions_of_the_bearing_nets_cost_what_the_papers_count(build, millions):
    """Convolution terms alone: batch normalisation, products and squares come on top."""
    model = nnx.eval_shape(lambda: build(rngs=nnx.Rngs(0)))
    positions = (256, 128, 64, 32, 16, 6)
    convs = 0
    for length, block in zip(positions, model.blocks, strict=True):
        kernels = (v for name, v in vars(block.conv).items() if name.startswith("kernel_"))
        convs += length * sum(math.prod(kernel.shape) for kernel in kernels)
    assert round(convs / 1e6, 2) == pytest.approx(millions, abs=0.011)
    model.eval()
    everything = nr.multiplications(model, jax.ShapeDtypeStruct((1, 2048, 1), jnp.float32))
    assert convs < everything < 1.1 * convs


X = jax.ShapeDtypeStruct((4, 3), jnp.float32)
COUNTED = {
    "product": (lambda x: x * x, 12),
    "quotient": (lambda x: 1 / x, 12),
    "fifth power": (lambda x: x**5, 48),
    "matrix product": (lambda x: x @ x.T, 48),
    "product of a row": (lambda x: x.prod(axis=1), 8),
    "sum and sine": (lambda x: jnp.sin(x.sum()), 0),
    "relu": (lambda x: jax.nn.relu(x) * x, 12),
    "scan": (lambda x: jax.lax.scan(lambda c, row: (c * row, None), x[0], x)[0], 12),
    "cond": (lambda x: jax.lax.cond(x.sum() > 0, lambda x: x * x * x, lambda x: x * x, x), 24),
    "jit within": (lambda x: jax.jit(lambda y: y * y)(x), 12),
}


@pytest.mark.parametrize(("function", "number"), COUNTED.values(), ids=COUNTED)
def test_products_are_counted(function, number):
    assert count_multiplications(function, X) == number


def test_a_loop_of_unknown_length_is_refused():
    def function(x):
        return jax.lax.while_loop(lambda x: x.sum() < 9, lambda x: x * x, x)

    with pytest.raises(ValueError, match="while loop"):
        count_multiplications(function, X)
