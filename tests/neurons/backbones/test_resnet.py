"""The residual networks: published sizes, shortcut, starts, and what is refused."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx

from neurons import Conv, conventional, quadratic
from neurons.backbones.resnet import (
    ResNet,
    compact_qresnet,
    qresnet,
    resnet,
    shortcut,
    wide_resnet,
)
from neurons.cost import parameters

PUBLISHED = {
    20: (269_722, 806_266, 538_330),
    32: (464_154, 1_389_114, 927_194),
    44: (658_586, 1_971_962, 1_316_058),
    56: (853_018, 2_554_810, 1_704_922),
    110: (1_727_962, 5_177_626, 3_454_810),
}


def count(make, *arguments, **options):
    return parameters(nnx.eval_shape(lambda: make(*arguments, **options, rngs=nnx.Rngs(0))))


@lru_cache
def small(neuron=quadratic, **options):
    net = ResNet(neuron, 8, width=2, classes=4, rngs=nnx.Rngs(0), **options)
    net.eval()
    return net


def images():
    return twins.draw((2, 8, 8, 3))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_networks_have_the_published_number_of_parameters(number):
    make = (resnet, qresnet, compact_qresnet)[number]
    first, second = count(make, 8), count(make, 14)
    assert count(make, 20) == PUBLISHED[20][number]
    for depth, published in PUBLISHED.items():  # a deeper network only repeats its blocks
        assert first + (second - first) * (depth - 8) // 6 == published[number]


@pytest.mark.parametrize("width", [4, 16])
def test_the_wide_control_has_the_quadratic_networks_size_or_slightly_more(width):
    ratio = count(wide_resnet, width=width) / count(qresnet, width=width)
    assert 1 <= ratio < 1.04


def test_rezero_costs_one_number_a_block():
    plain, rezero = (count(ResNet, quadratic, 20, rezero=flag) for flag in (False, True))
    assert rezero - plain == 9


def test_stages_halve_the_image_and_double_the_channels():
    net = nnx.eval_shape(lambda: qresnet(width=4, classes=7, rngs=nnx.Rngs(0)))
    assert [block.strides for block in net.blocks] == [1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert [block.out_features for block in net.blocks] == [4] * 3 + [8] * 3 + [16] * 3
    seen = nnx.eval_shape(
        lambda: qresnet(width=4, rngs=nnx.Rngs(0)).features(jnp.zeros((3, 28, 28, 3)))
    )
    assert seen.shape == (3, 7, 7, 16)


def test_shortcut_takes_every_second_pixel_and_pads_channels():
    x = twins.draw((2, 5, 6, 4))
    found = np.asarray(shortcut(x, 2, 8))
    np.testing.assert_array_equal(found[..., 2:6], np.asarray(x)[:, ::2, ::2])
    assert not found[..., :2].any()
    assert not found[..., 6:].any()
    np.testing.assert_array_equal(shortcut(x, 1, 4), x)


def test_a_block_adds_its_residual_to_the_shortcut():
    block, x = small().blocks[1], twins.draw((2, 8, 8, 2))
    expected = np.maximum(np.asarray(shortcut(x, 2, 4)) + np.asarray(block.residual(x)), 0)
    np.testing.assert_allclose(block(x), expected, rtol=1e-6)
    assert twins.relative_error(block(x), nnx.relu(shortcut(x, 2, 4))) > 0.01


def test_under_rezero_blocks_start_as_their_shortcuts():
    net, x = small(rezero=True), images()
    features = net.stem(x)
    for width in (2, 4, 8):
        features = shortcut(features, 1 if width == 2 else 2, width)
    np.testing.assert_array_equal(net.features(x), features)


def test_a_call_is_features_then_head():
    net, x = small(), images()
    np.testing.assert_array_equal(net(x), net.head(net.features(x)))
    mean = twins.float64(net.features(x)).mean(axis=(1, 2))
    logits = mean @ twins.float64(net.out.kernel[...]) + twins.float64(net.out.bias[...])
    assert twins.relative_error(net(x), logits) < 1e-5


def test_the_quadratic_network_starts_bit_for_bit_as_the_conventional_one():
    x = images()
    np.testing.assert_array_equal(small(quadratic)(x), small(conventional)(x))
    assert twins.relative_error(small(quadratic, init="common")(x), small(conventional)(x)) > 0.01


def test_the_neuron_sits_in_the_blocks_and_nowhere_else():
    net = small()
    layers = [node for _, node in nnx.iter_graph(net) if isinstance(node, Conv)]
    assert [layer.neuron is quadratic for layer in layers].count(True) == 6
    assert net.stem.conv.neuron is conventional


def test_without_normalisation_no_statistics_are_kept():
    net = small(norm=False)
    assert not nnx.to_flat_state(nnx.state(net, nnx.BatchStat))
    assert net(images()).shape == (2, 4)


@pytest.mark.parametrize("depth", [2, 7, 18, 19, 21, -4])
def test_other_depths_are_refused(depth):
    with pytest.raises(ValueError, match=rf"depth must be 6 n \+ 2 .* got {depth}"):
        ResNet(quadratic, depth, rngs=nnx.Rngs(0))


@pytest.mark.parametrize("shape", [(2, 8, 8, 1), (8, 8, 3), (2, 8, 8)])
def test_other_images_are_refused(shape, unchecked):
    with pytest.raises(ValueError, match=r"expected images \(batch, height, width, 3\), got"):
        small()(jnp.ones(shape))
