"""Counting."""

import pytest
from flax import nnx

import neurons as nr
from neurons.cost import parameters


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
    assert parameters(model) == conv + 2 * 6 + dense  # statistics and streams do not count
