"""Prior maps: the formula, the classes and images that count, scaling and resolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from prior_nets import build, pictures

from neurons.inspection.prior_maps import PriorRule, at_size, by_class, prior_maps, scaled

X, Y, MASKS = pictures()


@pytest.fixture(scope="module")
def net():
    net = build(rngs=nnx.Rngs(1))
    net.eval()
    return net


@pytest.fixture(scope="module")
def known(net):
    return prior_maps(net, X, Y)


def test_the_map_is_cam_over_the_number_of_positions(net, known):
    activations = np.asarray(nnx.jit(lambda n, x: n.features(x))(net, X))
    weights = np.asarray(net.out.layers[0].kernel[...])  # features x classes
    cam = np.einsum("bijk,kc->bcij", activations, weights)[np.arange(len(Y)), np.asarray(Y)]
    np.testing.assert_allclose(known.maps, np.maximum(cam, 0) / 16, atol=1e-6)
    assert np.asarray(known.maps).max() > 0


def test_blocks_of_any_size_say_the_same(net, known):
    for one, other in zip(known, prior_maps(net, X, Y, size=5), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_normal_images_do_not_count_unless_asked_for(net, known):
    assert known.weight.tolist() == np.asarray(Y, float).tolist()
    assert prior_maps(net, X, Y, PriorRule(where="all")).weight.tolist() == [1.0] * len(Y)


def test_trust(net, known):
    right = np.asarray(known.logits).argmax(axis=1) == np.asarray(Y)
    assert 0 < right.sum() < len(Y)
    correct = prior_maps(net, X, Y, PriorRule(where="all", trust="correct"))
    assert correct.weight.tolist() == right.astype(float).tolist()
    sure = prior_maps(net, X, Y, PriorRule(where="all", trust="confidence"))
    share = np.asarray(jax.nn.softmax(known.logits, axis=1))[np.arange(len(Y)), np.asarray(Y)]
    np.testing.assert_allclose(sure.weight, right * share, rtol=1e-6)


def test_the_predicted_class_is_explained_on_request(net, known):
    found = prior_maps(net, X, Y, PriorRule(of="predicted"))
    predicted = np.asarray(known.logits).argmax(axis=1)
    assert found.target.tolist() == predicted.tolist() != known.target.tolist()
    same = predicted == np.asarray(Y)
    np.testing.assert_allclose(found.maps[same], known.maps[same], atol=1e-7)
    assert not np.allclose(found.maps[~same], known.maps[~same])


def test_attention_and_an_earlier_stage(net):
    rule = PriorRule(stage="shallow", method="attention")
    expected = np.square(nnx.jit(lambda n, x: n.features(x, "shallow"))(net, X)).sum(axis=-1)
    np.testing.assert_allclose(prior_maps(net, X, Y, rule).maps, expected, rtol=1e-5)


def test_a_single_logit_is_that_of_class_one():
    single = build(rngs=nnx.Rngs(2), logits=1)
    found = prior_maps(single, X, Y, PriorRule(where="all", trust="confidence"))
    z, y = np.asarray(found.logits)[:, 0], np.asarray(Y)
    share = 1 / (1 + np.exp(-np.where(y == 1, z, -z)))
    np.testing.assert_allclose(found.weight, share * ((z > 0) == y), rtol=1e-5)
    np.testing.assert_allclose(
        jax.nn.softmax(by_class(found.logits), axis=1)[:, 1], 1 / (1 + np.exp(-z)), rtol=1e-5
    )


MAPS = jnp.array([[[1.0, 2.0], [5.0, 0.0]], [[3.0, 3.0], [3.0, 3.0]], [[0.0, 0.0], [0.0, 0.0]]])
SCALED = {
    "max": [[[0.2, 0.4], [1, 0]], [[1, 1], [1, 1]]],
    "minmax": [[[0.2, 0.4], [1, 0]], [[0, 0], [0, 0]]],
    "sum": [[[1 / 8, 1 / 4], [5 / 8, 0]], [[0.25] * 2] * 2],
    "l2": [[[30**-0.5, 2 * 30**-0.5], [5 * 30**-0.5, 0]], [[0.5] * 2] * 2],
    "none": MAPS[:2],
}


@pytest.mark.parametrize("scale", SCALED)
def test_scales(scale):
    expected = np.concatenate([np.asarray(SCALED[scale]), np.zeros((1, 2, 2))])
    np.testing.assert_allclose(scaled(MAPS, scale), expected, atol=1e-5)


@pytest.mark.parametrize("scale", ["max", "minmax", "sum", "l2"])
def test_a_free_size_leaves_nothing_to_gain_from_shrinking(scale):
    def shrunk(t, free):
        return jnp.sum(scaled(t * MAPS[:1], scale, free=free))

    free, fixed = (float(jax.grad(shrunk)(1.0, one)) for one in (True, False))
    whole = float(scaled(MAPS[:1], scale).sum())
    np.testing.assert_allclose([free, fixed], [0, whole], atol=1e-5)


@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize("scale", SCALED)
def test_derivatives_are_numbers_for_maps_of_zeros(scale, free):
    slope = jax.grad(lambda maps: jnp.square(scaled(maps, scale, free=free)).sum())(MAPS)
    assert np.isfinite(slope).all()


def test_resolution():
    fine = jnp.arange(32.0).reshape(1, 4, 8)
    assert at_size(fine, (2, 2)).tolist() == [[[5.5, 9.5], [21.5, 25.5]]]
    assert at_size(fine, (4, 8)).tolist() == fine.tolist()
    assert at_size(fine, (8, 8)).shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: PriorRule(method="guess"), "method must be one of"),
        (lambda net: PriorRule(method="score_cam"), "method must be one of"),
        (lambda net: PriorRule(of="neighbour"), "of must be one of label, predicted"),
        (lambda net: scaled(MAPS, "square"), "scale must be one of"),
        (lambda net: prior_maps(net, X, Y[:-1]), "a label each, got 12 and 11"),
        (lambda net: prior_maps(net, X[:0], Y[:0]), "a label each, got 0 and 0"),
        (lambda net: prior_maps(net, X, Y + 1), "class 2 does not exist"),
        (lambda net: prior_maps(net, X, Y, size=0), "size must be"),
        (lambda net: by_class(jnp.zeros((2, 3, 4))), "logits are"),
    ],
)
def test_misuse_is_refused(call, message, net, unchecked):
    with pytest.raises(ValueError, match=message):
        call(net)
