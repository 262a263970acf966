"""Truncated gradients: closed forms at the ends, loops between, and every base they plug into."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.explain import maps, split
from neurons.explain.backward import guided, rewrite
from neurons.explain.plug_in import BASES
from neurons.explain.splitting import Beside, activations_and_gradients
from neurons.explain.truncation import truncated_cam

SHARES = (0, 0.5, 0.7, 0.9)


@pytest.fixture(scope="module")
def net():
    return split(cam_nets.tiny(), "first")


@pytest.fixture(scope="module")
def images():
    return cam_nets.images()


@pytest.fixture(scope="module")
def parts(net, images):
    """Activations and gradients of class 1."""
    return tuple(np.asarray(part) for part in activations_and_gradients(*net, images, 1))


def above(g, q):
    """g, zero up to the quantile of its positive entries, sample by sample."""
    found = np.zeros_like(g)
    for sample, kept in zip(g, found, strict=True):
        positive = sample[sample > 0]
        theta = np.quantile(positive, q, method="inverted_cdf") if q else 0
        kept[sample > theta] = sample[sample > theta]
    return found


@pytest.mark.parametrize("q", SHARES)
def test_thr_equals_a_loop_over_samples(net, images, parts, q):
    a, g = parts
    found = truncated_cam(*net, images, 1, q=q)
    np.testing.assert_allclose(found, (above(g, q) * a).sum(axis=-1), atol=1e-6)


def test_clip_and_neg_equal_their_formulas(net, images, parts):
    a, g = parts
    theta = [np.quantile(sample[sample > 0], 0.7, method="inverted_cdf") for sample in g]
    bounded = np.minimum(np.maximum(g, 0), np.array(theta)[:, None, None, None])
    clip = truncated_cam(*net, images, 1, q=0.7, truncation="clip")
    np.testing.assert_allclose(clip, (bounded * a).sum(axis=-1), atol=1e-6)
    neg = truncated_cam(*net, images, 1, truncation="neg")
    np.testing.assert_allclose(neg, (np.maximum(-g, 0) * a).sum(axis=-1), atol=1e-6)


def test_the_ends_are_layer_cam_and_nothing(net, images):
    plain = maps.layer_cam(*net, images, 1)
    assert np.array_equal(truncated_cam(*net, images, 1, q=0), plain)
    assert np.array_equal(truncated_cam(*net, images, 1, q=1, truncation="clip"), plain)
    assert not truncated_cam(*net, images, 1, q=1).any()
    assert not truncated_cam(*net, images, 1, q=0, truncation="clip").any()
    assert not np.array_equal(truncated_cam(*net, images, 1, q=0.5), plain)  # planted fault


def test_backprop_at_q_zero_is_guided_backpropagation(net, images):
    features, head = net
    expected = maps.layer_cam(features, rewrite(head, relu=guided), images, 1)
    found = truncated_cam(*net, images, 1, q=0, truncation="backprop")
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, maps.layer_cam(*net, images, 1))


@pytest.mark.parametrize("base", BASES)
def test_a_base_sees_the_truncated_gradient_and_nothing_else_new(net, images, parts, base):
    a, g = parts
    kept = jnp.asarray(above(g, 0.7))

    def linear(activations):  # a head whose gradient at any activations is `kept`
        return jnp.sum(activations * kept, axis=(1, 2, 3))

    expected = BASES[base](lambda x: x, linear, jnp.asarray(a), 1)
    found = truncated_cam(*net, images, 1, q=0.7, base=base)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert np.array_equal(found, truncated_cam(*net, images, 1, q=0.7, base=BASES[base]))


def test_what_passes_by_the_map_reaches_the_head(net, images):
    features, head = net
    beside = truncated_cam(
        lambda x: Beside(features(x), 2 * jnp.ones((3, 1))),
        lambda given: head(given.activations) * given.rest,
        images,
        1,
        q=0.5,
    )
    np.testing.assert_allclose(beside, 2 * truncated_cam(*net, images, 1, q=0.5), rtol=1e-5)


@pytest.mark.parametrize("truncation", ["thr", "clip", "backprop", "neg"])
def test_maps_compile_and_batches_are_strangers(net, images, truncation):
    @jax.jit
    def run(x):
        return truncated_cam(*net, x, 1, truncation=truncation)

    first = run(images)
    others = run(images.at[1:].multiply(-3.0))
    np.testing.assert_allclose(first[0], others[0], atol=1e-6)


def test_undefined_logits_give_undefined_maps(net, images):
    found = truncated_cam(*net, images.at[0].set(jnp.nan), 1)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1:]).all()


def test_a_head_without_relu_truncates_its_own_layer_alone(images):
    features, head = split(cam_nets.tiny())
    found = truncated_cam(features, head, images, 1, truncation="backprop")
    assert np.array_equal(found, truncated_cam(features, head, images, 1))
    assert nnx.relu(found).any()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"truncation": "cut"}, "thr"), ({"q": 1.5}, "share"), ({"base": "other"}, "layer_cam")],
    ids=["truncation", "q", "base"],
)
def test_wrong_options_are_named(net, images, wrong, message):
    with pytest.raises(ValueError, match=message):
        truncated_cam(*net, images, 1, **wrong)
