"""Class activation maps: digits by hand, identities of the papers, and derivatives."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.explain import METHODS, finish, refine_cam, split
from neurons.explain.maps import (
    cam,
    grad_cam,
    grad_cam_pp,
    hires_cam,
    plus_plus_weights,
    xgrad_cam,
)

A = np.array([[[1, 0], [2, 1]], [[0, 3], [1, 0]]], np.float32)
G = np.array([[[0.5, -1], [1, 0]], [[-0.5, 0.25], [-1, 0.75]]], np.float32)
KEY = jax.random.key(0)
OF_ONE_LAYER = (
    "grad_cam",
    "grad_cam_pp",
    "xgrad_cam",
    "hires_cam",
    "layer_cam",
    "elementwise_cam",
    "eigen_cam",
    "eigen_grad_cam",
    "score_cam",
    "ablation_cam",
)
every = pytest.mark.parametrize("name", METHODS)


def options(name):
    more = {"smooth_grad_cam_pp": {"key": KEY}, "region_aware_cam": {"sigma": 0}}
    return more.get(name, {})


def of_digits(name, **more):
    """The raw map of activations A with gradients G, both (channel, row, column)."""
    a, g = (jnp.asarray(np.moveaxis(part, 0, -1)[None]) for part in (A, G))
    found = METHODS[name](lambda x: x, lambda a: jnp.sum(a * g, axis=(1, 2, 3)), a, 1, **more)
    return np.asarray(found[0])


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("grad_cam", {}, [[0.125, -0.375], [0.125, 0.125]]),
        ("xgrad_cam", {}, [[0.625, -0.1875], [1.1875, 0.625]]),
        ("grad_cam_pp", {"eps": 1e-6}, [[0.29166651, 0.69999851], [0.81666586, 0.29166651]]),
        ("grad_cam_pp", {}, [[0.29166667, 0.7], [0.81666667, 0.29166667]]),
        ("layer_cam", {}, [[0.5, 0.75], [2, 0]]),
        ("hires_cam", {}, [[0.5, 0.75], [1, 0]]),
        ("elementwise_cam", {}, [[0.5, 0.75], [2, 0]]),
        ("eigen_cam", {}, [[0.38268343, 2.7716386], [1.6892464, 0.38268343]]),
    ],
)
def test_golden_vectors(name, more, expected):
    np.testing.assert_allclose(of_digits(name, **more), expected, rtol=2e-6, atol=2e-7)


def test_golden_vector_of_the_centred_eigen_cam():
    expected = [[0.92387953, 2.2304425], [0.38268343, 0.92387953]]
    found = of_digits("eigen_cam", centred=True)
    np.testing.assert_allclose(np.abs(found), expected, rtol=2e-6)
    assert found.max() == np.abs(found).max()


@pytest.mark.usefixtures("unchecked")
def test_golden_weights_of_both_denominators():
    corner = of_digits("grad_cam_pp", denominator="torch_cam")  # [0, 0] sees w_1, [0, 1] 3 w_2
    np.testing.assert_allclose(corner[0] / [1, 3], [0.29004329, 2.43567739], rtol=2e-6)
    with pytest.raises(ValueError, match="denominator"):
        plus_plus_weights(*jnp.ones((4, 1, 2, 2)), denominator="other")


# -- identities ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def net():
    return cam_nets.tiny()


def test_cam_is_the_row_of_the_linear_layer_and_grad_cam_its_mean(net):
    features, head = split(net)
    x = cam_nets.images()
    found = cam(features, head, x, jnp.array([2, 0, 1]))
    rows = np.asarray(net.out.kernel[...]).T[[2, 0, 1]]
    a = np.asarray(features(x))
    np.testing.assert_allclose(found, np.einsum("bk,bhwk->bhw", rows, a), rtol=1e-5, atol=1e-6)
    mean = grad_cam(features, head, x, jnp.array([2, 0, 1]))
    np.testing.assert_allclose(mean * a[0, ..., 0].size, found, rtol=1e-5, atol=1e-6)


def test_cam_is_not_defined_for_other_heads(net):
    found = cam(*split(net, "first"), cam_nets.images(), 1)
    assert np.isnan(found).all()


def test_hires_cam_is_complete_behind_a_linear_head(net):
    features, head = split(net)
    x = cam_nets.images()
    logits = head(features(x))[:, 1] - net.out.bias[...][1]
    total = hires_cam(features, head, x, 1).sum(axis=(1, 2))
    np.testing.assert_allclose(total, logits, rtol=1e-5, atol=1e-6)


def test_xgrad_cam_conserves_the_score_of_relus_without_biases():
    weights = jnp.asarray(np.random.default_rng(0).normal(size=(4, 5)), jnp.float32)
    a = jnp.abs(cam_nets.images(channels=4)) + 0.1

    def head(a):
        hidden = jax.nn.relu(a @ weights)
        return jax.nn.relu(hidden @ weights.T).sum(axis=(1, 2)) @ weights

    a = jnp.broadcast_to(a[:, :1, :1], a.shape)  # one position everywhere: G is constant in space
    total = xgrad_cam(lambda x: x, head, a, 2).sum(axis=(1, 2))
    np.testing.assert_allclose(total, head(a)[:, 2], rtol=1e-4)


def test_smooth_grad_cam_pp_without_noise_is_grad_cam_pp(net):
    halves, x = split(net, "first"), cam_nets.images()
    more = {"denominator": "torch_cam"}
    smooth = METHODS["smooth_grad_cam_pp"](*halves, x, 1, key=KEY, std=0.0, **more)
    np.testing.assert_allclose(smooth, grad_cam_pp(*halves, x, 1, **more), rtol=1e-5, atol=1e-7)
    noisy = METHODS["smooth_grad_cam_pp"](*halves, x, 1, key=KEY, std=0.3)
    assert np.abs(noisy - smooth).max() > 1e-3
    again = METHODS["smooth_grad_cam_pp"](*halves, x, 1, key=KEY, std=0.3)
    np.testing.assert_array_equal(noisy, again)


def test_refine_cam_multiplies_the_layers_maps(net):
    splits, x = [split(net, "first"), split(net)], cam_nets.images()
    first, second = (grad_cam_pp(*halves, x, 1) for halves in splits)
    expected = finish(first) * finish(second, 8)
    np.testing.assert_allclose(refine_cam(splits, x, 1), expected, rtol=1e-5, atol=1e-7)
    assert refine_cam(splits, x, 1, at=(4, 6)).shape == (3, 4, 6)
    with pytest.raises(ValueError, match="at least one split"):
        refine_cam([], x, 1)


def test_maps_tell_classes_apart(net):
    halves, x = split(net, "first"), cam_nets.images()
    for name in ("grad_cam", "layer_cam", "hires_cam", "eigen_grad_cam"):
        one, other = (METHODS[name](*halves, x, c) for c in (0, 1))
        assert np.abs(one - other).max() > 1e-3
    blind = [METHODS["eigen_cam"](*halves, x, c) for c in (0, 1)]
    np.testing.assert_array_equal(*blind)


# -- any number of axes, compiled, one sample at a time -----------------------------------------


def all_maps(x, weights):
    """Every method that is defined for the smooth pair and draws no noise."""
    pair = cam_nets.smooth_pair(weights)
    return {name: METHODS[name](*pair, x, 1) for name in OF_ONE_LAYER}


RUN = jax.jit(all_maps)


def test_features_of_one_two_and_three_axes():
    x, weights = cam_nets.images(channels=4), cam_nets.drawn(np.random.default_rng(1), (4, 3))
    flat = RUN(x, weights)
    for sizes in [(64,), (4, 4, 4)]:
        found = RUN(x.reshape(3, *sizes, 4), weights)
        for name, maps in found.items():
            assert maps.shape == (3, *sizes)
            laid_out = maps.reshape(3, 8, 8)
            np.testing.assert_allclose(laid_out, flat[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_samples_do_not_touch_each_other():
    x, weights = cam_nets.images(channels=4), cam_nets.drawn(np.random.default_rng(1), (4, 3))
    whole, turned = RUN(x, weights), RUN(x[::-1], weights)
    ill = RUN(x.at[1].set(jnp.nan), weights)
    for name, maps in whole.items():
        np.testing.assert_allclose(turned[name][::-1], maps, rtol=1e-4, atol=1e-6, err_msg=name)
        # A NaN stays in its sample, and is not hidden there.
        assert np.isnan(ill[name][1]).any(), name
        np.testing.assert_allclose(ill[name][::2], maps[::2], rtol=1e-4, atol=1e-6)


@every
def test_an_empty_batch_has_no_maps(name):
    features, head = cam_nets.smooth_pair(jnp.ones((4, 3)))
    found = METHODS[name](features, head, jnp.zeros((0, 8, 8, 4)), **options(name))
    assert found.shape == (0, 8, 8)


# -- derivatives --------------------------------------------------------------------------------


def test_derivatives_of_maps_equal_finite_differences():
    """What a loss on maps is trained with: d map / d weights, through the gradient in the map."""
    random = np.random.default_rng(2)
    with jax.enable_x64(True):
        weights, step = (jnp.asarray(random.normal(size=(4, 3))) for _ in range(2))
        x = jnp.asarray(random.normal(size=(2, 3, 3, 4)))
        probe = jnp.asarray(random.normal(size=(2, 3, 3)))

        @jax.jit
        def probed(weights):
            maps = all_maps(jnp.einsum("...k,kc,lc->...l", x, weights, weights), weights)
            return jnp.stack([jnp.sum(probe * found) for found in maps.values()])

        slope = jax.jit(lambda weights, which: jax.vjp(probed, weights)[1](which)[0])
        number = len(probed(weights))
        slopes = [np.sum(slope(weights, which) * step) for which in jnp.eye(number)]
        near = 1e-6 * step
        expected = (probed(weights + near) - probed(weights - near)) / 2e-6
    np.testing.assert_allclose(slopes, expected, rtol=1e-5, atol=1e-7)
    assert (np.abs(expected) > 1e-4).all()


def test_a_map_trains_the_weights_of_a_model(net):
    graph, params, rest = nnx.split(net, nnx.Param, ...)
    x = cam_nets.images()

    @jax.jit
    def energy(params):
        halves = split(nnx.merge(graph, params, rest, copy=True), "first")
        return jnp.sum(jnp.square(finish(grad_cam(*halves, x, 1), normalise="max")))

    slope = jax.grad(energy)(params)
    leaves = jax.tree.leaves(slope)
    assert all(np.isfinite(leaf).all() for leaf in leaves)
    smaller = jax.tree.map(lambda p, g: p - 1e-3 * g, params, slope)
    assert energy(smaller) < energy(params)
