"""Region-aware maps: guided backpropagation at q = 0, SciPy's filters, weights by hand."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from neurons.explain import finish, maps, split
from neurons.explain.gradients import guided_backprop, saliency
from neurons.explain.region_aware import (
    closed,
    fgbp,
    region,
    region_aware_cam,
    region_fusion_cam,
    smoothed,
)
from neurons.explain.splitting import activations_and_gradients
from neurons.explain.thresholds import otsu


@pytest.fixture(scope="module")
def net():
    return split(cam_nets.tiny())


@pytest.fixture(scope="module")
def images():
    return cam_nets.images()


def test_fgbp_lies_between_guided_backpropagation_and_nothing(net, images):
    guided = guided_backprop(*net, images, 1)
    assert np.array_equal(fgbp(*net, images, 1, q=0), guided)
    assert np.array_equal(fgbp(*net, images, 1, q=None), saliency(*net, images, 1))
    assert not fgbp(*net, images, 1, q=1).any()
    half = fgbp(*net, images, 1)
    assert 0 < (np.asarray(half) > 0).mean() <= (np.asarray(guided) > 0).mean()
    assert not np.array_equal(half, guided)


def test_fgbp_filters_at_every_relu_by_hand():
    weights = jnp.array([[1.0, -2.0], [0.5, 1.0]])

    def net(x):  # (1, 2): two layers without convolution, so that the rule is three lines
        return jnp.maximum(jnp.maximum(x @ weights, 0.0) @ weights, 0.0)

    x = jnp.array([[4.0, 3.0]])
    u = np.array([5.5, -5.0])  # x W; the second layer sees (5.5, 0) W = (5.5, -11)
    r = np.array([1.0, 0.0])  # class 0: passes, being positive and above theta = 0
    r = np.asarray(weights) @ r  # (1, 0.5): theta_0.4 = 0.5 filters nothing that u lets through
    expected = np.asarray(weights) @ (r * (u > 0) * (r > 0.5))
    found = fgbp(lambda x: x, net, x, 0, q=0.4, channels="none")
    # At the last ReLU only one gradient is positive: its own quantile, filtered for any q > 0.
    assert not found.any()
    found = fgbp(lambda x: x, lambda x: net(x) @ weights, x, 0, q=0.4, channels="none")
    r = np.asarray(weights) @ np.array([1.0, 0.0])  # (1, 0.5): theta_0.4 is 0.5
    r = np.asarray(weights) @ (r * (np.array([5.5, -11]) > 0) * (r > 0.5))
    r = np.asarray(weights) @ (r * (u > 0) * (r > 0.5))
    np.testing.assert_allclose(found[0], r, rtol=1e-6)
    assert np.array_equal(r, expected)


def test_the_filters_are_scipys():
    maps_ = np.random.default_rng(0).random((2, 30, 5)).astype(np.float32)
    expected = [scipy.ndimage.gaussian_filter(one, 2.0) for one in maps_]
    np.testing.assert_allclose(smoothed(jnp.asarray(maps_), 2.0), expected, atol=1e-6)
    assert np.array_equal(smoothed(jnp.asarray(maps_), 0), maps_)
    masks, square = maps_ > 0.8, np.ones((3, 3))
    for mask, found in zip(masks, closed(jnp.asarray(masks), 1), strict=True):
        grown = scipy.ndimage.binary_dilation(mask, square)
        assert np.array_equal(found, scipy.ndimage.binary_erosion(grown, square, border_value=1))
    assert np.array_equal(closed(jnp.asarray(masks), 0), masks)


def test_a_region_is_the_smoothed_gradient_and_its_mask(net, images):
    found = jax.jit(lambda x: region(*net, x, 1, sigma=1.0, radius=1))(images)
    blurred = [scipy.ndimage.gaussian_filter(one, 1.0) for one in fgbp(*net, images, 1)]
    np.testing.assert_allclose(found.map, finish(jnp.asarray(np.stack(blurred))), atol=1e-5)
    bright = found.map > otsu(found.map)[:, None, None]
    assert np.array_equal(found.mask, closed(bright, 1))
    assert found.mask.any(axis=(1, 2)).all()


def test_channel_weights_are_means_of_the_region_under_the_channels(net, images):
    a, g = (np.asarray(part) for part in activations_and_gradients(*net, images, 1))
    omega = region(*net, images, 1).map
    up = np.asarray(jax.image.resize(a, (3, 8, 8, 4), "linear"))
    w = (np.asarray(omega)[..., None] * up).sum(axis=(1, 2)) / up.sum(axis=(1, 2))
    w = np.where(g.mean(axis=(1, 2)) > 0, w, 0)
    found = region_aware_cam(*net, images, 1)
    np.testing.assert_allclose(found, np.einsum("bk,bijk->bij", w, a), rtol=1e-4, atol=1e-6)
    assert np.array_equal(found, region_aware_cam(*net, images, 1, region_map=omega))
    everywhere = region_aware_cam(*net, images, 1, region_map=jnp.ones_like(omega))
    speaking = (g.mean(axis=(1, 2)) > 0).astype(np.float32)
    np.testing.assert_allclose(everywhere, np.einsum("bk,bijk->bij", speaking, a), rtol=1e-4)


def test_spatial_weights_dim_layer_cam_outside_the_region(net, images):
    omega = jnp.zeros((3, 8, 8)).at[:, :4].set(1.0)
    found = region_aware_cam(*net, images, 1, weights="spatial", region_map=omega, beta=0.25)
    base = finish(maps.layer_cam(*net, images, 1), 8)
    np.testing.assert_allclose(found[:, :4], base[:, :4], rtol=1e-6)
    np.testing.assert_allclose(found[:, 4:], base[:, 4:] / 4, rtol=1e-6)


def test_layers_share_one_region_and_the_largest_wins(images):
    model = cam_nets.tiny()
    splits = [split(model, stage) for stage in model.stages]
    omega = region(*splits[0], images, 1).map
    fused = jax.jit(lambda x: region_fusion_cam(splits, x, 1))(images)
    every = [finish(region_aware_cam(*halves, images, 1, region_map=omega), 8) for halves in splits]
    np.testing.assert_allclose(fused, np.maximum(*every), atol=1e-5)
    given = region_fusion_cam(splits, images, 1, region_map=omega, at=4)
    assert given.shape == (3, 4, 4)


def test_several_inputs_of_one_size_share_a_region(net, images):
    features, head = net
    pair = {"one": images, "two": images[::-1]}
    found = region(lambda x: features(x["one"] - 0.5 * x["two"]), head, pair, 1)
    assert found.map.shape == (3, 8, 8)
    with pytest.raises(ValueError, match="different sizes"):
        region(lambda x: features(x["one"]), head, {"one": images, "two": images[:, :4]}, 1)


def test_no_gradient_gives_no_region(net, images):
    features, head = net
    found = region(features, lambda a: 0 * head(a), images, 1)
    assert not found.map.any()
    assert not found.mask.any()
    assert not region_aware_cam(features, lambda a: 0 * head(a), images, 1).any()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"weights": "both"}, "channel, spatial"),
        ({"beta": 2.0}, "beta"),
        ({"q": 2.0}, "share"),
        ({"sigma": -1.0}, "sigma"),
        ({"radius": -1}, "radius"),
        ({"channels": "none"}, "channels"),
        ({"region_map": jnp.ones((3, 8, 8)), "q": 0.5}, "takes no options"),
        ({"region_map": jnp.ones((2, 8, 8))}, "no place"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_wrong_options_are_named(net, images, wrong, message):
    with pytest.raises(ValueError, match=message):
        region_aware_cam(*net, images, 1, **wrong)


def test_a_network_without_relu_is_not_filtered_or_an_error(images):
    pair = (lambda x: x, lambda a: jnp.tanh(a).mean(axis=(1, 2)))
    assert np.array_equal(fgbp(*pair, images, 1), saliency(*pair, images, 1))
    for strict in (fgbp, region, region_aware_cam):
        with pytest.raises(ValueError, match="ReLU finds nothing"):
            strict(*pair, images, 1, require_relu=True)
    with pytest.raises(ValueError, match="at least one"):
        region_fusion_cam([], images, 1)
