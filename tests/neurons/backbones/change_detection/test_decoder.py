"""Fusion, auxiliary path and decoder: each formula against the same written by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons import ConvTranspose, conventional
from neurons.backbones.change_detection.auxiliary import AuxiliaryPath, Plan, half
from neurons.backbones.change_detection.decoder import (
    DILATIONS,
    MLHA,
    WINDOWS,
    Decoder,
    Separable,
    enlarged,
)
from neurons.backbones.change_detection.fusion import GatedFusion, TemporalFusion
from neurons.backbones.change_detection.main_path import Rise, depths

TINY = Plan((4, 4, 8, 8), (1, 2, 2, 4), (4, 2, 1, 1), (1, 1, 1, 1), 2)


def noise(number, shape):
    return jax.random.normal(jax.random.key(number), shape)


@nnx.jit
def answer(net, *given):
    return net(*given)


def test_temporal_fusion_reads_both_dates_and_their_difference():
    net = TemporalFusion(conventional, 3, 5, rngs=nnx.Rngs(0))
    net.eval()
    own, other = noise(0, (2, 4, 3, 3)), noise(1, (2, 4, 3, 3))
    read = np.concatenate([own, other, np.abs(own - other)], axis=-1)
    kernel = np.asarray(net.mix.conv.weights("r")).reshape(9, 5)
    expected = np.maximum(read @ kernel / np.sqrt(1 + 1e-5), 0)
    np.testing.assert_allclose(answer(net, own, other), expected, atol=1e-5)


def test_the_gate_is_a_share_of_each_path():
    net = GatedFusion(3, rngs=nnx.Rngs(0))
    main, auxiliary = noise(0, (2, 4, 3, 3)), noise(1, (2, 4, 3, 3))
    mixed, gate = np.asarray(answer(net, main, auxiliary)), np.asarray(net.gate(main, auxiliary))
    assert (gate > 0).all()
    assert (gate < 1).all()
    np.testing.assert_allclose(mixed, gate * main + (1 - gate) * auxiliary, atol=1e-6)
    np.testing.assert_allclose(answer(net, main, main), main, atol=1e-6)


def test_a_rise_is_a_transposed_convolution():
    net = Rise(3, 2, 4, rngs=nnx.Rngs(0))
    twin = ConvTranspose(conventional, 3, 2, (4, 4), strides=4, padding=0, rngs=nnx.Rngs(0))
    kernel = net.spread.weights("r").reshape(3, 4, 4, 2).transpose(1, 2, 0, 3)
    twin.kernel_r = nnx.Param(kernel)
    net.spread.bias_r = nnx.Param(jnp.zeros(32))
    twin.bias_r = nnx.Param(jnp.zeros(2))
    x = noise(0, (2, 3, 5, 3))
    np.testing.assert_allclose(answer(net, x), answer(twin, x), atol=1e-5)


def test_half_takes_means_and_repeats_an_odd_edge():
    x = jnp.arange(6.0).reshape(1, 3, 2, 1)
    assert half(x).ravel().tolist() == [1.5, 4.5]  # of 0 1 2 3, and of 4 5 4 5


@pytest.mark.parametrize(("layers", "places"), [(24, (6, 12, 18, 24)), (3, (1, 2, 3, 3))])
def test_depths_are_quarters(layers, places):
    assert depths(layers) == places


def test_the_auxiliary_path_aggregates_step_by_step():
    net = AuxiliaryPath(6, stride=2, plan=TINY, rngs=nnx.Rngs(0))
    net.eval()
    x = noise(0, (1, 24, 16, 3))
    found = answer(net, x)
    assert [one.shape for one in found] == [
        (1, 12, 8, 6),
        (1, 6, 4, 6),
        (1, 3, 2, 6),
        (1, 2, 1, 6),
    ]
    for level in range(4):
        x = net.stages[level](x)
        given = [x] if not level else [x, half(found[level - 1])]
        expected = net.gather[level](jnp.concatenate(given, axis=-1))
        np.testing.assert_allclose(found[level], expected, atol=2e-5)


def test_plans_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="four stages"):
        AuxiliaryPath(4, plan=TINY._replace(widths=(4, 4)), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="must divide"):
        AuxiliaryPath(4, plan=TINY._replace(heads=(3, 1, 1, 1)), rngs=nnx.Rngs(0))


@pytest.mark.parametrize("fields", [WINDOWS, DILATIONS])
def test_mlha_weighs_branches_by_shares_and_adds_attention(fields):
    net = MLHA(4, fields=fields[:3], rngs=nnx.Rngs(0))
    net.eval()
    x = noise(0, (2, 6, 5, 4))
    seen = np.stack([np.asarray(answer(branch, x)) for branch in net.branches])
    summed = seen.sum(axis=0).mean(axis=(1, 2))
    hidden = np.maximum(summed @ net.narrow.kernel[...] + net.narrow.bias[...][None], 0)
    scores = (hidden @ net.widen.kernel[...] + net.widen.bias[...][None]).reshape(2, 3, 4)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    mixed = jnp.asarray(np.einsum("bkf,kbhwf->bhwf", shares, seen))
    np.testing.assert_allclose(answer(net, x), x + net.attend(mixed), atol=1e-5)
    np.testing.assert_allclose(net.shares(jnp.asarray(seen)).sum(axis=0), 1, atol=1e-6)


@pytest.mark.parametrize(("window", "dilation"), [(5, 1), (3, 2)])
def test_a_branch_sees_its_field_and_no_more(window, dilation):
    net = Separable(conventional, 1, window, dilation, rngs=nnx.Rngs(0))
    slope = jax.jacrev(lambda x: net.look(x)[0, 4, 4, 0])(jnp.ones((1, 9, 9, 1)))[0, ..., 0]
    rows = sorted({int(row) - 4 for row in np.argwhere(np.asarray(slope))[:, 0]})
    reach = dilation * (window // 2)
    assert rows == list(range(-reach, reach + 1, dilation))


def test_the_decoder_goes_down_from_the_coarsest_map():
    net = Decoder("plain", 3, levels=2, rngs=nnx.Rngs(0))
    net.eval()
    fine, coarse = noise(0, (1, 6, 4, 3)), noise(1, (1, 3, 2, 3))
    below = net.blocks[1](coarse)
    expected = net.blocks[0](fine + enlarged(below, (6, 4)))
    np.testing.assert_allclose(answer(net, (fine, coarse)), expected, atol=1e-5)


def test_what_a_decoder_cannot_be_is_refused(unchecked):
    with pytest.raises(ValueError, match="allowed: mlha, plain"):
        Decoder("fpn", 4, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="odd windows"):
        MLHA(4, fields=((2, 1),), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="at least one map"):
        Decoder("plain", 4, levels=0, rngs=nnx.Rngs(0))(())
