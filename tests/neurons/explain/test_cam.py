"""The facade: one call, compiled once, whatever is asked for."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain import METHODS, Split, cam, finish, refine_cam, split
from neurons.explain.cam import _compiled

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def net():
    return cam_nets.tiny()


@pytest.mark.parametrize("name", ["grad_cam", "layer_cam", "score_cam", "smooth_grad_cam_pp"])
def test_it_is_the_method_and_the_finish(net, name):
    x, options = cam_nets.images(), {"key": KEY} if "smooth" in name else {}
    raw = METHODS[name](*split(net, "first"), x, np.array([2, 0, 1]), **options)
    found = cam(net, x, np.array([2, 0, 1]), method=name, stage="first", **options)
    np.testing.assert_allclose(found, finish(raw), rtol=1e-4, atol=1e-6)


def test_sizes_and_conventions(net):
    x = cam_nets.images()
    assert cam(net, x, 1).shape == (3, 8, 8)
    assert cam(net, x, 1, size=None).shape == (3, 4, 4)
    assert cam(net, x, 1, size=(5, 7)).shape == (3, 5, 7)
    raw = cam(net, x, 1, size=None, rectify=False, normalise="none")
    np.testing.assert_allclose(raw, METHODS["grad_cam"](*split(net), x, 1), rtol=1e-5, atol=1e-7)
    last = cam(net, x, 1, method="layer_cam", order="resize_first")
    first = cam(net, x, 1, method="layer_cam")
    assert np.abs(last - first).max() > 1e-3


def test_one_program_for_all_weights_targets_and_keys():
    x = cam_nets.images(batch=2)
    net = cam_nets.tiny()
    before = cam(net, x, 1, method="hires_cam", rectify=False)
    programs = _compiled._cache_size()
    net.out.kernel[...] = -net.out.kernel[...]
    after = cam(net, x, 1, method="hires_cam", rectify=False)
    np.testing.assert_allclose(after, 1 - before, atol=1e-5)  # new weights, new map
    cam(net, x, jnp.array([0, 2]), method="hires_cam")
    assert _compiled._cache_size() == programs


def test_a_function_as_target(net):
    def margin(logits):
        return logits[:, 1] - logits[:, 0]

    x, options = cam_nets.images(), {"size": None, "rectify": False, "normalise": "none"}
    found = cam(net, x, margin, **options)
    one, other = (cam(net, x, c, **options) for c in (1, 0))
    np.testing.assert_allclose(found, one - other, atol=1e-5)
    programs = _compiled._cache_size()
    cam(net, x, margin, **options)
    assert _compiled._cache_size() == programs
    assert cam(net, x, margin, method="ablation_cam").shape == (3, 8, 8)


def test_several_layers(net):
    x = cam_nets.images()
    found = cam(net, x, 1, method="refine_cam", stage=("first", "second"))
    splits = [split(net, stage) for stage in ("first", "second")]
    np.testing.assert_allclose(found, finish(refine_cam(splits, x, 1)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sizes", [(12,), (4, 6, 8)])
def test_signals_and_volumes(sizes):
    """Every second position along the first axis, so that maps have to be enlarged."""
    weights = cam_nets.drawn(np.random.default_rng(0), (2, 3))
    space = tuple(range(1, len(sizes) + 1))
    halves = Split(lambda x: jnp.abs(x[:, ::2]), lambda a: a.mean(axis=space) @ weights)
    x = cam_nets.drawn(np.random.default_rng(1), (3, *sizes, 2))
    for method in ("layer_cam", "score_cam", "saliency"):
        found = cam(halves, x, np.array([0, 1, 2]), method=method)
        assert found.shape == (3, *sizes)
        assert found.max() > 0


def test_pictures_in_double_precision_are_taken_as_floats(net):
    x = np.asarray(cam_nets.images(), np.float64)
    for method, options in {
        "grad_cam": {},
        "smooth_grad": {"key": KEY, "samples": 2},
        "integrated_gradients": {"steps": 2},
    }.items():
        single = cam(net, cam_nets.images(), 1, method=method, **options)
        np.testing.assert_array_equal(cam(net, x, 1, method=method, **options), single)


def test_methods_at_the_input(net):
    x = cam_nets.images()
    assert cam(net, x, 1, method="saliency").shape == (3, 8, 8)
    kept = cam(net, x, 1, method="saliency", channels="none", rectify=False, normalise="none")
    assert kept.shape == x.shape


def test_nan_is_not_hidden_and_stays_in_its_sample(net):
    x = cam_nets.images()
    found = cam(net, x.at[1].set(jnp.nan), 1)
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[::2], cam(net, x, 1)[::2], rtol=1e-5, atol=1e-6)


def test_an_empty_batch(net):
    x = cam_nets.images()[:0]
    assert cam(net, x, 1).shape == (0, 8, 8)
    assert cam(net, x, np.zeros(0, int), method="eigen_cam").shape == (0, 8, 8)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((3,), {}, "classes 0 to 2"),
        ((-1,), {"method": "score_cam"}, "classes 0 to 2"),
        ((np.array([0, 1]),), {}, "3 samples"),
        ((), {"method": "cam_cam"}, "grad_cam"),
        ((), {"size": (4,)}, "spatial axes"),
        ((), {"method": "refine_cam"}, "stages"),
        ((), {"method": "refine_cam", "stage": "first"}, "stages"),
        ((lambda logits: logits,), {}, "scores"),
    ],
)
def test_impossible_requests(net, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        cam(net, cam_nets.images(), *arguments, **options)


def test_options_of_other_methods(net):
    with pytest.raises(TypeError, match="chunk"):
        cam(net, cam_nets.images(), method="grad_cam", chunk=3)
    with pytest.raises(TypeError, match="key"):
        cam(net, cam_nets.images(), method="smooth_grad_cam_pp")
    with pytest.raises(TypeError, match="features"):
        cam(object(), cam_nets.images())


def test_a_binary_classifier_without_a_class_axis_has_two_classes():
    halves = Split(jnp.abs, lambda a: a.mean(axis=(1, 2, 3)))
    x = cam_nets.images()
    np.testing.assert_array_equal(cam(halves, x), cam(halves, x, 1))
    assert not cam(halves, x, 0).any()
    with pytest.raises(ValueError, match="class 2 does not exist"):
        cam(halves, x, 2)
