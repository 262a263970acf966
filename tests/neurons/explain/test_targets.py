"""Targets: which logit of which sample, and what cannot be asked for."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.explain import METHODS, scores, split
from neurons.explain.targets import class_logits, predicted

LOGITS = jnp.array([[1.0, 5.0, 2.0], [4.0, 3.0, -1.0]])
SINGLE = jnp.array([-3.0, 2.0])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, [5, 4]),
        (2, [2, -1]),
        (np.int64(0), [1, 4]),
        (np.array([2, 1]), [2, 3]),
        (jnp.array([0, 2], jnp.uint8), [1, -1]),
        (lambda logits: logits[:, 1] - logits[:, 0], [4, -1]),
    ],
    ids=["predicted", "int", "numpy int", "numpy", "jax", "function"],
)
def test_scores_of_classes(target, expected):
    np.testing.assert_array_equal(scores(LOGITS, target), expected)
    if target is not None and not callable(target):
        traced = jax.jit(scores)(LOGITS, jnp.asarray(target))
        np.testing.assert_array_equal(traced, expected)


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_a_single_logit_has_two_classes(shape):
    logits = SINGLE.reshape(shape)
    np.testing.assert_array_equal(predicted(logits), [0, 1])
    np.testing.assert_array_equal(scores(logits), [3, 2])
    np.testing.assert_array_equal(scores(logits, 1), SINGLE)
    np.testing.assert_array_equal(scores(logits, np.array([0, 0])), -SINGLE)
    np.testing.assert_array_equal(class_logits(logits)[:, 1], SINGLE)


def test_a_misjudged_sample_of_a_binary_classifier_has_a_map():
    """The map of the true class is the opposite of the wrong one's, and zero for no method."""
    net, x = cam_nets.tiny(classes=1), cam_nets.images()
    halves = split(net, "first")
    z = halves.head(halves.features(x))[:, 0]
    wrong = (z < 0).astype(jnp.int32)
    for name in ("grad_cam", "hires_cam", "ablation_cam"):
        missed, said = METHODS[name](*halves, x, wrong), METHODS[name](*halves, x)
        assert (np.abs(missed).max(axis=(1, 2)) > 1e-4).all(), name
        np.testing.assert_allclose(missed, -said, rtol=1e-4, atol=1e-6)
    for name in ("grad_cam_pp", "layer_cam", "score_cam", "eigen_grad_cam"):
        missed = METHODS[name](*halves, x, wrong)
        assert (missed.max(axis=(1, 2)) > 1e-4).all(), name


def test_a_single_logit_explains_as_two_would():
    """A network with logits (-z, z) has the same maps."""
    net, x = cam_nets.tiny(classes=1), cam_nets.images()
    features, head = split(net, "first")

    def both(a):
        return jnp.concatenate([-head(a), head(a)], axis=1)

    for c in (0, 1):
        one = METHODS["layer_cam"](features, head, x, c)
        np.testing.assert_allclose(one, METHODS["layer_cam"](features, both, x, c), rtol=1e-6)


@pytest.mark.parametrize("target", [3, -1, np.array([0, 3]), np.array([-1, 0])])
def test_a_class_that_does_not_exist(target):
    with pytest.raises(ValueError, match="classes 0 to 2"):
        scores(LOGITS, target)
    found = jax.jit(scores)(LOGITS, jnp.asarray(target))
    bad = np.broadcast_to(~np.isin(target, range(3)), 2)
    np.testing.assert_array_equal(np.isnan(found), bad)


@pytest.mark.parametrize("target", [np.zeros(3, int), np.zeros((2, 1), int), np.zeros(0, int)])
def test_targets_of_another_length(target):
    with pytest.raises(ValueError, match="2 samples need one class or 2"):
        scores(LOGITS, target)


def test_targets_that_are_no_classes():
    with pytest.raises(TypeError, match="integers"):
        scores(LOGITS, np.array([0.0, 1.0]))
    with pytest.raises(TypeError, match="integers"):
        scores(LOGITS, np.array([True, False]))
    with pytest.raises(ValueError, match=r"scores \(2,\)"):
        scores(LOGITS, lambda logits: logits)
    with pytest.raises(ValueError, match="function"):
        scores(LOGITS[:, None], 0)
    with pytest.raises(ValueError, match="batch, classes"):
        scores(LOGITS[:, :0], 0)


def test_nan_logits_are_not_hidden():
    logits = LOGITS.at[0, 2].set(jnp.nan)
    for target in (None, 0):
        np.testing.assert_array_equal(np.isnan(scores(logits, target)), [True, False])
        slope = jax.grad(lambda logits, target=target: scores(logits, target)[1])(logits)
        assert np.isfinite(slope[1]).all()


def test_an_infinite_logit_of_another_class_does_not_matter():
    logits = LOGITS.at[:, 2].set(-jnp.inf)
    for target in (None, 0):
        np.testing.assert_array_equal(scores(logits, target), scores(LOGITS, target))
        slope = jax.grad(lambda logits, target=target: scores(logits, target).sum())(logits)
        assert np.isfinite(slope).all()


def test_a_network_whose_logits_alone_are_nan():
    """The gradient of a linear layer does not see its bias; the map says NaN all the same."""
    net = cam_nets.tiny()
    net.out.bias[...] = jnp.full(3, jnp.nan)
    assert np.isnan(METHODS["grad_cam"](*split(net), cam_nets.images(), 1)).all()


def test_the_score_of_a_region_of_a_segmentation():
    """A network with logits per pixel is explained through a function of them."""
    halves = split(PerPixel(rngs=nnx.Rngs(0)))
    x = cam_nets.images()
    with pytest.raises(ValueError, match="function"):
        METHODS["grad_cam"](*halves, x, 0)

    def corner(logits):
        return logits[:, :4, :4, 1].sum(axis=(1, 2))

    found = METHODS["layer_cam"](*halves, x, corner)
    assert np.abs(found[:, :4, :4]).max() > 0
    assert np.abs(found[:, 4:]).max() == np.abs(found[:, :, 4:]).max() == 0
    assert METHODS["ablation_cam"](*halves, x, corner, chunk=3).shape == (3, 8, 8)


class PerPixel(nnx.Module):
    def __init__(self, *, rngs):
        self.inner, self.out = nnx.Linear(2, 5, rngs=rngs), nnx.Linear(5, 3, rngs=rngs)

    def features(self, x):
        return nnx.relu(self.inner(x))

    def head(self, features):
        return self.out(features)
