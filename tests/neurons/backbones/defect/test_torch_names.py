"""Weights under torchvision's names: taken, given back, and refused where they do not fit."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons import conventional, glu, quadratic
from neurons.backbones.defect import load, resnet18, to_torch

CLASSES = 3


def build(neuron=conventional, *, classes=CLASSES, channels=3, weights=None, seed=0):
    options = {"classes": classes, "channels": channels, "width": 2, "small": True}
    return resnet18(neuron, **options, weights=weights, rngs=nnx.Rngs(seed))


@lru_cache
def stored():
    """Arrays as of a trained network: nothing is zero or one."""
    rng = np.random.default_rng(0)
    arrays = to_torch(build())
    return {
        name: (rng.uniform(0.5, 1.5, array.shape)).astype(np.float32)
        if array.ndim == 1
        else array + np.float32(0.01)
        for name, array in arrays.items()
    }


@lru_cache
def logits(neuron, channels):
    graph = nnx.split(evaluated(build(neuron, channels=channels)))[0]
    return jax.jit(lambda state, x: nnx.merge(graph, state)(x))


def evaluated(net):
    net.eval()
    return net


def outputs(net, x):
    first = net.parts[0].blocks[0].conv
    neuron = net.parts[1].blocks[0].first.conv.neuron
    return logits(neuron, first.in_features)(nnx.state(evaluated(net)), x)


def images(channels=3):
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 1))
    return jnp.asarray(np.repeat(x, channels, axis=-1), jnp.float32)


def test_what_was_taken_is_given_back():
    net = build(weights=stored(), seed=1)
    found = to_torch(net)
    assert list(found) == list(stored())
    for name, array in stored().items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_names_are_torchvisions():
    names = list(stored())
    assert names[:6] == [
        "conv1.weight",
        "bn1.weight",
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
        "layer1.0.conv1.weight",
    ]
    assert names[-2:] == ["fc.weight", "fc.bias"]
    assert "layer2.0.downsample.1.running_var" in names
    assert stored()["layer2.0.downsample.0.weight"].shape == (4, 2, 1, 1)


def test_a_quadratic_network_starts_at_the_files_outputs():
    plain, grown = (build(neuron, weights=stored()) for neuron in (conventional, quadratic))
    np.testing.assert_allclose(
        outputs(grown, images()), outputs(plain, images()), rtol=2e-4, atol=1e-5
    )


def test_a_network_for_grey_images_sees_what_equal_colours_give():
    colour, grey = (build(channels=channels, weights=stored()) for channels in (3, 1))
    np.testing.assert_allclose(
        outputs(grey, images(1)), outputs(colour, images(3)), rtol=2e-4, atol=1e-5
    )


def test_a_head_of_other_classes_keeps_its_start():
    net = build(classes=5, weights=stored())
    found, start = to_torch(net), to_torch(build(classes=5))
    np.testing.assert_array_equal(found["fc.weight"], start["fc.weight"])
    np.testing.assert_array_equal(found["conv1.weight"], stored()["conv1.weight"])
    without = {name: array for name, array in stored().items() if not name.startswith("fc")}
    np.testing.assert_array_equal(to_torch(build(weights=without))["fc.bias"], np.zeros(CLASSES))


def test_counters_are_ignored():
    counted = {**stored(), "bn1.num_batches_tracked": np.array(7)}
    np.testing.assert_array_equal(
        to_torch(build(weights=counted))["bn1.bias"], stored()["bn1.bias"]
    )


def test_what_does_not_fit_is_named():
    less = {name: array for name, array in stored().items() if "layer3.1" not in name}
    with pytest.raises(ValueError, match=r"lack layer3.1.bn1.bias, .* and 7 more"):
        build(weights=less)
    with pytest.raises(ValueError, match=r"have features.0.weight, which the network has not"):
        build(weights={**stored(), "features.0.weight": np.ones(3)})
    wrong = {**stored(), "conv1.weight": np.ones((2, 4, 3, 3), np.float32)}
    with pytest.raises(
        ValueError, match=r"conv1.weight: expected shape \(2, 3, 3, 3\), got \(2, 4"
    ):
        build(weights=wrong)
    with pytest.raises(ValueError, match="start as the conventional one; glu does not"):
        load(build(glu), stored())
