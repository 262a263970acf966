"""Attributions at the input: by hand, against automatic differentiation, and complete."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain import INPUT_METHODS, finish, split
from neurons.explain.gradients import (
    deconvnet,
    guided_backprop,
    guided_grad_cam,
    integrated_gradients,
    quadrature,
    saliency,
    smooth_grad,
)
from neurons.explain.maps import grad_cam

KEY = jax.random.key(0)
FIRST = jnp.array([[1.0, -1.0], [-1.0, 2.0]])
SECOND = jnp.array([[1.0, -2.0], [1.0, 1.0]])
POINT = jnp.array([[[2.0, 1.0]]])  # u = x FIRST = (1, 0), r = relu(u) = (1, 0)


def hand_made():
    """Two linear layers and two ReLUs on one position, so that rules can be followed on paper."""
    return (lambda x: jax.nn.relu(x @ FIRST + jnp.array([0.0, -1.0])[None, None])), (
        lambda a: jax.nn.relu(a @ SECOND + 3)[:, 0]
    )


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        # u = (1, -1), r = (1, 0), second ReLU open for both logits; d y_0/dr = (1, 1).
        (saliency, 0, [1, -1]),  # only r_0 is open: FIRST[:, 0]
        (deconvnet, 0, [0, 1]),  # the closed ReLU lets its positive gradient pass: sum of columns
        (guided_backprop, 0, [1, -1]),
        # d y_1/dr = (-2, 1)
        (saliency, 1, [-2, 2]),
        (deconvnet, 1, [-1, 2]),  # only the positive part: FIRST[:, 1]
        (guided_backprop, 1, [0, 0]),
    ],
)
def test_rules_by_hand(method, target, expected):
    found = method(*hand_made(), POINT, target, channels="none")
    np.testing.assert_allclose(found[0, 0], expected)


def test_channels_are_brought_together():
    halves = hand_made()
    for channels, expected in {"max_abs": 2, "sum": 0, "sum_abs": 4, "l2": 8**0.5}.items():
        found = saliency(*halves, POINT, 1, channels=channels)
        np.testing.assert_allclose(found, [[expected]], rtol=1e-6)


@pytest.fixture(scope="module")
def halves():
    return split(cam_nets.tiny())


def test_guided_grad_cam_is_a_product(halves):
    x = cam_nets.images()
    coarse = finish(grad_cam(*halves, x, 1), 8, normalise="none")
    fine = guided_backprop(*halves, x, 1, channels="none")
    found = guided_grad_cam(*halves, x, 1, channels="none")
    np.testing.assert_allclose(found, fine * coarse[..., None], rtol=1e-6)


# -- integrated gradients -----------------------------------------------------------------------


def score(halves, x, c):
    return halves.head(halves.features(x))[:, c]


@pytest.mark.parametrize("rule", ["gauss_legendre", "left", "right", "middle", "trapezoid"])
def test_rules_of_quadrature(rule):
    places, weights = quadrature(rule, 50)
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-12)
    assert len(places) == 50
    assert 0 <= places.min() < places.max() <= 1
    error = abs(weights @ np.exp(places) - (np.e - 1))
    assert error < {"gauss_legendre": 1e-14, "middle": 1e-4, "trapezoid": 1e-4}.get(rule, 0.02)


def test_integrated_gradients_are_complete(halves):
    x, base = cam_nets.images(), 0.5 * cam_nets.images(seed=8)[:1]
    for baseline, start in ((None, jnp.zeros_like(x)), (base, jnp.broadcast_to(base, x.shape))):
        found = integrated_gradients(*halves, x, 1, baseline=baseline, steps=64, rule="middle")
        expected = score(halves, x, 1) - score(halves, start, 1)
        np.testing.assert_allclose(found.sum(axis=(1, 2)), expected, rtol=0.02, atol=0.01)
    same = integrated_gradients(*halves, x, 1, baseline=x, steps=2)
    assert (same == 0).all()


def test_integrated_gradients_of_a_polynomial_are_exact():
    """`y = sum x^3` along a straight line from 0: `x^3` itself, with two Gauss nodes."""
    x = cam_nets.images()
    found = integrated_gradients(lambda x: x**3, lambda a: a.sum(axis=(1, 2)), x, 1, steps=2)
    np.testing.assert_allclose(found, x[..., 1] ** 3, rtol=1e-5, atol=1e-6)


# -- noise --------------------------------------------------------------------------------------


def test_smooth_grad_of_a_square_is_known():
    """`y = sum x^2`: the mean of `2 (x + e)` is 2x, its variance `4 std^2`."""
    x = jnp.ones((2, 4, 4, 3)) * jnp.arange(3.0)[None, None, None]
    pair = (lambda x: x**2), (lambda a: a.sum(axis=(1, 2, 3)))
    options = {"key": KEY, "samples": 400, "std": 0.25, "channels": "none"}
    mean = smooth_grad(*pair, x, 1, **options)  # the range is 2: deviation 0.5
    np.testing.assert_allclose(mean, 2 * x, atol=5 * 1.0 / 400**0.5)
    spread = smooth_grad(*pair, x, 1, kind="variance", **options)
    np.testing.assert_allclose(spread, 1.0, atol=0.5)
    np.testing.assert_allclose(spread.mean(), 1.0, atol=0.05)
    absolute = smooth_grad(*pair, x, 1, kind="variance", relative=False, **options)
    np.testing.assert_allclose(absolute, spread / 4, rtol=1e-3)
    square = smooth_grad(*pair, x, 1, kind="square", **options)
    np.testing.assert_allclose(square, spread + mean**2, rtol=1e-3)


def test_without_noise_it_is_the_gradient_and_with_it_the_key_decides(halves):
    x = cam_nets.images()
    still = smooth_grad(*halves, x, 1, key=KEY, std=0.0, samples=2)
    np.testing.assert_allclose(still, saliency(*halves, x, 1), rtol=1e-5, atol=1e-7)
    one, again, other = (
        smooth_grad(*halves, x, 1, key=key, samples=2) for key in (KEY, KEY, jax.random.key(1))
    )
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3


# -- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INPUT_METHODS)
def test_compiled_they_are_the_same_and_an_empty_batch_is_none(halves, name):
    more = {"smooth_grad": {"key": KEY, "samples": 2}, "integrated_gradients": {"steps": 2}}
    method, options, x = INPUT_METHODS[name], more.get(name, {}), cam_nets.images()
    found = jax.jit(lambda halves, x: method(*halves, x, **options))(halves, x)
    assert found.shape == (3, 8, 8)
    np.testing.assert_allclose(found, method(*halves, x, **options), rtol=1e-4, atol=1e-6)
    assert method(*halves, x[:0], **options).shape == (0, 8, 8)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        (saliency, {"channels": "mean"}, "channels"),
        (smooth_grad, {"key": KEY, "samples": 0}, "samples"),
        (smooth_grad, {"key": KEY, "std": -0.1}, "std"),
        (smooth_grad, {"key": KEY, "kind": "median"}, "kind"),
        (integrated_gradients, {"steps": 0}, "steps"),
        (integrated_gradients, {"steps": 1, "rule": "trapezoid"}, "steps"),
        (integrated_gradients, {"rule": "simpson"}, "rule"),
        (integrated_gradients, {"baseline": jnp.zeros((2, 2))}, "baseline"),
        (integrated_gradients, {"target": 5}, "classes 0 to 2"),
    ],
)
def test_impossible_requests(halves, method, options, message):
    with pytest.raises(ValueError, match=message):
        method(*halves, cam_nets.images(), **options)


@pytest.mark.parametrize("dtype", [jnp.uint8, jnp.int32])
def test_input_that_is_no_floats(halves, dtype):
    for method in (saliency, guided_backprop, integrated_gradients):
        with pytest.raises(TypeError, match="floats"):
            method(*halves, jnp.ones((3, 8, 8, 2), dtype))
