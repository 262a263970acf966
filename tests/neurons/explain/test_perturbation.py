"""Score-CAM and Ablation-CAM against loops over images and channels."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain import finish, split
from neurons.explain.perturbation import ablation_cam, score_cam

TARGET = np.array([2, 0, 1])


@pytest.fixture(scope="module")
def net():
    return cam_nets.tiny(width=5)


@pytest.fixture(scope="module")
def halves(net):
    return split(net)


def logits_of(halves):
    return jax.jit(lambda x: halves.head(halves.features(x)))


def looped_score_cam(halves, x, target):
    logits, a = logits_of(halves), np.asarray(halves.features(x))
    maps = []
    for i, c in enumerate(target):
        masks = finish(jnp.moveaxis(a[i], -1, 0), 8, rectify=False, order="resize_first")
        found = np.array([logits(x[i : i + 1] * mask[None, ..., None])[0, c] for mask in masks])
        weights = np.exp(found - found.max())
        maps.append(a[i] @ (weights / weights.sum()))
    return np.stack(maps)


def looped_ablation_cam(halves, x, target):
    head, a = jax.jit(lambda a: halves.head(a)), np.array(halves.features(x))
    maps = []
    for i, c in enumerate(target):
        y = head(a[i : i + 1])[0, c]
        without = a[i : i + 1] * (1 - np.eye(a.shape[-1], dtype=np.float32))[:, None, None]
        weights = [(y - head(one[None])[0, c]) / abs(y) for one in without]
        maps.append(a[i] @ np.array(weights))
    return np.stack(maps)


@pytest.mark.parametrize("chunk", [2, 16])  # two and a half chunks, and one
@pytest.mark.parametrize(
    ("method", "looped"), [(score_cam, looped_score_cam), (ablation_cam, looped_ablation_cam)]
)
def test_maps_equal_a_loop(halves, method, looped, chunk):
    x = cam_nets.images()
    found = method(*halves, x, TARGET, chunk=chunk)
    np.testing.assert_allclose(found, looped(halves, x, TARGET), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", [score_cam, ablation_cam])
def test_compiled_they_are_the_same(halves, method):
    x = cam_nets.images()
    whole = jax.jit(lambda halves, x: method(*halves, x, TARGET, chunk=2))(halves, x)
    np.testing.assert_allclose(whole, method(*halves, x, TARGET), rtol=1e-4, atol=1e-6)


def test_the_predicted_class_is_that_of_the_whole_input(halves):
    x = cam_nets.images()
    said = np.argmax(logits_of(halves)(x), axis=1)
    for method in (score_cam, ablation_cam):
        np.testing.assert_array_equal(method(*halves, x), method(*halves, x, said))


def test_ablation_behind_a_linear_head_is_cam_over_the_score(halves, net):
    """`y - y_k` is the channel's mean times its weight."""
    x = cam_nets.images()
    a = np.asarray(halves.features(x))
    lost = a.mean(axis=(1, 2)) * np.asarray(net.out.kernel[...])[:, 1]
    y = logits_of(halves)(x)[:, 1]
    for relative_to, size in (("magnitude", np.abs(y)), ("score", y)):
        expected = np.einsum("bhwk,bk,b->bhw", a, lost, 1 / size)
        found = ablation_cam(*halves, x, 1, relative_to=relative_to)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert (np.asarray(y) < 0).any()  # where the two differ


def test_a_score_of_zero_gives_a_map_of_zeros(halves):
    found = ablation_cam(halves.features, lambda a: 0 * a[:, 0, 0], cam_nets.images(), 1)
    assert (found == 0).all()


def test_silent_channels_mask_everything(halves):
    x = jnp.zeros((3, 8, 8, 2))
    found = score_cam(lambda x: 0 * x, lambda a: a.mean(axis=(1, 2)) + 1, x, 1)
    assert (found == 0).all()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("chunk", [0, -1, 2.5])
def test_chunks(halves, chunk):
    for method in (score_cam, ablation_cam):
        with pytest.raises(ValueError, match="chunk"):
            method(*halves, cam_nets.images(), chunk=chunk)


@pytest.mark.usefixtures("unchecked")
def test_impossible_requests(halves):
    with pytest.raises(ValueError, match="relative_to"):
        ablation_cam(*halves, cam_nets.images(), relative_to="class")
    with pytest.raises(ValueError, match="cannot mask"):
        score_cam(lambda x: x[:, None], lambda a: a.mean(axis=(1, 2)), jnp.ones((3, 8, 2)))
    with pytest.raises(ValueError, match="order"):
        score_cam(*halves, cam_nets.images(), order="never")
    for method in (score_cam, ablation_cam):
        with pytest.raises(ValueError, match="classes 0 to 2"):
            method(*halves, cam_nets.images(), 3)
