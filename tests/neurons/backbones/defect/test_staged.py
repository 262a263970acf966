"""Classifiers in stages: one network however it is cut, published sizes, and what is refused."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons import gaussian, kervolution_l1, low_rank, maxout, quadratic, swiglu
from neurons.backbones.defect import mobilenet_v2, preprocess, resnet18, resnet34, vgg16
from neurons.backbones.defect.blocks import HiddenHead, InvertedResidual, Residual, shares
from neurons.cost import parameters

SIDES = (24, 17)
BUILDERS = {
    "resnet18": lambda rngs: resnet18(quadratic, width=2, rngs=rngs),
    "small resnet18": lambda rngs: resnet18(width=2, small=True, rngs=rngs),
    "vgg16": lambda rngs: vgg16(width=2, rngs=rngs),
    "mobilenet_v2": lambda rngs: mobilenet_v2(width=0.05, classes=2, rngs=rngs),
}
EXOTIC = (quadratic, low_rank(1), gaussian, kervolution_l1, maxout(2), swiglu)


def images(height=SIDES[0], width=SIDES[1], channels=3):
    x = np.random.default_rng(0).normal(size=(2, height, width, channels))
    return jnp.asarray(x, jnp.float32)


def abstract(make, **options):
    return nnx.eval_shape(lambda: make(**options, rngs=nnx.Rngs(0)))


@lru_cache
def small():
    net = resnet18(width=2, small=True, rngs=nnx.Rngs(0))
    net.eval()
    return net


def test_every_cut_gives_the_same_logits():
    graph, state = nnx.split(small())

    @jax.jit
    def cuts(state, x):
        net = nnx.merge(graph, state)
        pyramid = net.pyramid(x)
        heads = [net.head(pyramid[place], net.stages[place]) for place in (1, 3)]
        heads.append(net.head(pyramid[-1]))
        return net(x), heads, pyramid, net.features(x), net.features(x, "stage1")

    logits, heads, pyramid, last, first = cuts(state, images())
    for found in heads:
        np.testing.assert_allclose(found, logits, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(last, pyramid[-1])
    np.testing.assert_array_equal(first, pyramid[1])
    assert float(jnp.ptp(logits)) > 1e-3


@pytest.mark.parametrize("name", BUILDERS)
def test_stages_have_the_widths_and_strides_they_state(name):
    x = images(64, 33)
    net = nnx.eval_shape(lambda: BUILDERS[name](nnx.Rngs(0)))
    graph, state = nnx.split(net)
    pyramid, logits = jax.eval_shape(
        lambda state, x: (nnx.merge(graph, state).pyramid(x), nnx.merge(graph, state)(x)), state, x
    )
    assert logits.shape == (2, 2)
    rounded = (lambda n, s: n // s) if name == "vgg16" else (lambda n, s: -(-n // s))
    for features, width, stride in zip(pyramid, net.widths, net.strides, strict=True):
        assert features.shape == (2, rounded(64, stride), rounded(33, stride), width)


@pytest.mark.parametrize("neuron", EXOTIC, ids=lambda neuron: neuron.name)
@pytest.mark.parametrize("block", [Residual, InvertedResidual])
def test_blocks_take_neurons_of_every_form(block, neuron):
    more = {"expansion": 2} if block is InvertedResidual else {}
    found = nnx.eval_shape(
        lambda x: block(neuron, 2, 4, strides=2, name="", rngs=nnx.Rngs(0), **more)(x),
        jax.ShapeDtypeStruct((1, 5, 4, 2), jnp.float32),
    )
    assert found.shape == (1, 3, 2, 4)


@pytest.mark.parametrize(
    ("make", "options", "published"),
    [
        (resnet18, {}, 11_689_512),
        (resnet34, {}, 21_797_672),
        (vgg16, {"hidden": 4096, "norm": False}, 138_357_544),
        (mobilenet_v2, {}, 3_504_872),
    ],
    ids=["resnet18", "resnet34", "vgg16", "mobilenet_v2"],
)
def test_networks_have_the_published_number_of_parameters(make, options, published):
    assert parameters(abstract(make, classes=1000, **options)) == published


def test_images_that_do_not_fit_are_refused(unchecked):
    net = small()
    for wrong in (images()[..., 0], images(channels=1), images()[0]):
        with pytest.raises(ValueError, match=r"expected images \(batch, height, width, 3\).*grey"):
            net(wrong)
    with pytest.raises(TypeError, match="got uint8; `preprocess` converts"):
        net(jnp.zeros((2, 24, 24, 3), jnp.uint8))
    with pytest.raises(ValueError, match="7x24 pixels are smaller than the stride 8 of 'stage4'"):
        net(images(7, 24))
    with pytest.raises(ValueError, match="smaller than the stride 8"):
        net.pyramid(images(24, 7))
    shallow = nnx.eval_shape(lambda net, x: net.features(x, "stage2"), net, images(7, 24))
    assert shallow.shape == (2, 4, 12, 4)


def test_unknown_stages_and_foreign_activations_are_refused(unchecked):
    net = small()
    with pytest.raises(ValueError, match="unknown stage 'stage5'; allowed: stem, stage1"):
        net.features(images(), "stage5")
    with pytest.raises(ValueError, match=r"activations of 'stage4', \(batch, rows, columns, 16\)"):
        net.head(jnp.zeros((2, 3, 3, 8)))
    head = HiddenHead(8, 2, 2, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"\(1, 2\) are too small for a last pooling"):
        head(jnp.zeros((2, 1, 2, 8)))


def test_adaptive_means_cover_every_place():
    for size, parts in ((14, 7), (5, 7), (9, 7), (1, 7)):
        weights = np.asarray(shares(size, parts, jnp.float32))
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
        assert weights.any(axis=0).all()
    np.testing.assert_array_equal(shares(3, 2, jnp.float32), [[0.5, 0.5, 0], [0, 0.5, 0.5]])


def test_grey_and_bytes_become_three_standardised_colours(unchecked):
    levels = np.random.default_rng(0).integers(0, 256, (2, 4, 5), np.uint8)
    expected = (levels[..., None] / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    grey = levels.astype(np.float32) / 255
    colour = np.repeat(grey[..., None], 3, axis=-1)
    for given in (levels, levels[..., None], grey, grey[..., None], colour, jnp.asarray(colour)):
        np.testing.assert_allclose(preprocess(given), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(jax.jit(preprocess)(grey), expected, rtol=1e-4, atol=1e-6)


def test_what_is_no_image_is_refused(unchecked):
    with pytest.raises(ValueError, match=r"got shape \(2, 4, 5, 2\)"):
        preprocess(np.zeros((2, 4, 5, 2), np.float32))
    with pytest.raises(ValueError, match=r"got shape \(4, 5\)"):
        preprocess(np.zeros((4, 5), np.uint8))
    with pytest.raises(TypeError, match="got int32"):
        preprocess(np.zeros((2, 4, 5), np.int32))
    with pytest.raises(ValueError, match=r"values from 0 to 1, got 0.0 to 255.0"):
        preprocess(np.array([[[0, 255]]], np.float32))
