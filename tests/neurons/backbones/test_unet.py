"""The segmentation networks: published sizes, the U-shape, starts, and what is refused."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx

from neurons import conventional, quadratic
from neurons.backbones.unet import QUNET, UNet, max_pool, qunet, slim_unet, unet
from neurons.cost import parameters


def count(make, *arguments, **options):
    return parameters(nnx.eval_shape(lambda: make(*arguments, **options, rngs=nnx.Rngs(0))))


@lru_cache
def small(neuron=quadratic, init="relinear"):
    net = UNet(neuron, (2, 3, 4), channels=1, init=init, rngs=nnx.Rngs(0))
    net.eval()
    return net


def images():
    return twins.draw((2, 8, 12, 1))


@pytest.mark.parametrize(
    ("make", "exact", "millions"),
    [(unet, 31_037_698, 31.04), (qunet, 5_779_718, 5.78), (slim_unet, 5_896_354, 5.90)],
)
def test_networks_have_the_published_number_of_parameters(make, exact, millions):
    assert count(make) == exact
    assert round(exact / 1e6, 2) == millions


def test_unet_of_qunets_widths_has_the_published_size():
    found = count(UNet, conventional, QUNET, bias=False)
    assert found == 1_927_042
    assert round(found / 1e6, 2) == 1.93


@pytest.mark.parametrize("part", [4, 8])
def test_smaller_pairs_keep_the_ratio_of_their_parameters(part):
    small_pair = count(unet, part=part) / count(qunet, part=part)
    assert small_pair == pytest.approx(count(unet) / count(qunet), rel=0.02)
    assert 1 <= count(slim_unet, part=part) / count(qunet, part=part) < 1.04


@pytest.mark.parametrize(
    ("make", "widths"), [(unet, (8, 16, 32, 64, 128)), (qunet, (4, 8, 16, 32))]
)
def test_part_divides_every_width(make, widths):
    net = nnx.eval_shape(lambda: make(part=8, rngs=nnx.Rngs(0)))
    assert tuple(double.convs[1].out_features for double in net.down) == widths
    assert net.multiple == 2 ** (len(widths) - 1)


def test_max_pool_takes_the_largest_of_each_square():
    x = twins.draw((2, 4, 6, 3))
    squares = np.asarray(x).reshape(2, 2, 2, 3, 2, 3)
    np.testing.assert_array_equal(max_pool(x), squares.max(axis=(2, 4)))


def test_the_decoder_sees_the_encoders_activations_of_its_own_size():
    net, x = small(), images()
    first = net.down[0](x)
    second = net.down[1](max_pool(first))
    bottom = net.down[2](max_pool(second))
    middle = net.up[0](jnp.concatenate([second, net.rise[0](bottom)], axis=-1))
    top = net.up[1](jnp.concatenate([first, net.rise[1](middle)], axis=-1))
    np.testing.assert_allclose(net.features(x), top, rtol=1e-5, atol=1e-6)


def test_a_call_is_features_then_head():
    net, x = small(), images()
    np.testing.assert_array_equal(net(x), net.head(net.features(x)))
    assert net.features(x).shape == (2, 8, 12, 2)
    assert net(x).shape == (2, 8, 12, 2)


def test_the_quadratic_network_starts_bit_for_bit_as_the_conventional_one():
    x = images()
    np.testing.assert_array_equal(small(quadratic)(x), small(conventional)(x))
    assert twins.relative_error(small(quadratic, "common")(x), small(conventional)(x)) > 0.01


@pytest.mark.parametrize("shape", [(2, 8, 10, 1), (2, 8, 8, 3), (8, 8, 1), (2, 0, 8, 1)])
def test_other_images_are_refused(shape, unchecked):
    with pytest.raises(ValueError, match="multiples of 4, got shape"):
        small()(jnp.ones(shape))


def test_fewer_than_two_widths_are_refused():
    with pytest.raises(ValueError, match="at least two widths"):
        UNet(quadratic, (8,), rngs=nnx.Rngs(0))


@pytest.mark.parametrize("part", [0, 3, 64])
def test_a_part_that_does_not_divide_is_refused(part):
    with pytest.raises(ValueError, match="part must divide"):
        qunet(part=part, rngs=nnx.Rngs(0))
