"""CG-CAM: LayerCAM where nothing is pooled, shares where something is."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.explain import maps, split
from neurons.explain.backward import soft, softmax
from neurons.explain.continuous import POOLS, RELUS, cg_cam


@pytest.fixture(scope="module")
def images():
    return cam_nets.images()


def pooled(a):
    """Two classes: the mean of the pooled channels 0 and 1."""
    return nnx.max_pool(a, (2, 2), (2, 2)).mean(axis=(1, 2))


def test_without_pooling_it_is_layer_cam_to_the_last_bit(images):
    for stage in ("first", "second"):
        halves = split(cam_nets.tiny(), stage)
        assert np.array_equal(cg_cam(*halves, images, 1), maps.layer_cam(*halves, images, 1))


def test_uniform_shares_light_the_whole_window(images):
    a = jnp.abs(images)
    found = cg_cam(lambda x: x, pooled, a, 1)
    np.testing.assert_allclose(found, a[..., 1] / 64, rtol=1e-5)  # 1/16 for a window, 4 in it
    scattered = maps.layer_cam(lambda x: x, pooled, a, 1)
    assert (np.asarray(scattered) > 0).mean() == 0.25
    assert np.array_equal(cg_cam(lambda x: x, pooled, a, 1, pool="keep"), scattered)


@pytest.mark.parametrize("pool", ["uniform", "bilinear", "softmax", softmax(0.1)])
def test_the_sum_of_the_gradient_survives_every_pooling(images, pool):
    ones = jnp.ones_like(images)  # a map of ones shows the gradient itself
    found = cg_cam(lambda x: x, lambda a: pooled(a + images), ones, 0, pool=pool)
    np.testing.assert_allclose(found.sum(axis=(1, 2)), 1, rtol=1e-5)


def test_a_soft_gate_weighs_by_the_sigmoid_of_its_input(images):
    def head(a):
        return nnx.relu(a).mean(axis=(1, 2))

    found = cg_cam(lambda x: x, head, images, 1, relu=soft(2.0))
    a = np.asarray(images[..., 1])
    np.testing.assert_allclose(found, a / (1 + np.exp(-2 * a)) / 64, rtol=1e-5)
    one = cg_cam(lambda x: x, head, images, 1, relu="soft")
    np.testing.assert_allclose(one, a / (1 + np.exp(-a)) / 64, rtol=1e-5)


def test_every_name_compiles(images):
    @jax.jit
    def all_names(x):
        return [
            cg_cam(lambda x: x, pooled, x, 1, pool=pool, relu=relu)
            for pool in POOLS
            for relu in RELUS
        ]

    assert {found.shape for found in all_names(images)} == {(3, 8, 8)}


@pytest.mark.usefixtures("unchecked")
def test_wrong_names_are_refused(images):
    for wrong in ({"pool": "mean"}, {"relu": "hard"}, {"base": "none"}):
        with pytest.raises(ValueError, match="must be one of"):
            cg_cam(lambda x: x, pooled, images, 1, **wrong)
