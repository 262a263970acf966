"""Tri-path DINO: exchange of dates, any size, stages for maps, and ways to train it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from neurons.backbones.change_detection import TriPath, change_evidence
from neurons.backbones.change_detection.auxiliary import Plan
from neurons.backbones.change_detection.main_path import MainPath
from neurons.backbones.dino import Frozen, Shape, VisionTransformer
from neurons.explain import cam

SHAPE = Shape(8, 2, 1, 8, registers=1, patch=8)
PLAN = Plan((4, 4, 4, 4), (1, 1, 1, 1), (2, 2, 1, 1), (1, 1, 1, 1), 1)
SIZE = (20, 27)  # no multiples of a patch


def small(**options):
    given = {"width": 4, "plan": PLAN, "fields": ((1, 1), (3, 1)), **options}
    net = TriPath(3, given.pop("backbone", SHAPE), rngs=nnx.Rngs(0), **given)
    net.eval()
    return net


def pictures(seed, batch=2, size=SIZE):
    drawn = np.random.default_rng(seed).random((2, batch, *size, 3)).astype(np.float32)
    return jnp.asarray(drawn[0]), jnp.asarray(drawn[1])


@nnx.jit
def answer(net, before, after):
    return net(before, after)


@pytest.fixture(scope="module")
def net():
    return small()


@settings(max_examples=5)
@given(seed=st.integers(0, 2**16))
def test_exchanging_the_dates_exchanges_the_maps(net, seed):
    before, after = pictures(seed)
    one, other = answer(net, before, after), answer(net, after, before)
    for mine, theirs in zip(one.maps, other.maps[::-1], strict=True):
        assert mine.shape == (2, *SIZE, 4)
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(one.decided(), other.decided()[:, ::-1])
    assert float(jnp.abs(one.maps[0] - one.maps[1]).max()) > 1e-3  # the dates do matter


def test_identical_pictures_have_one_map(net):
    before, _ = pictures(0)
    found = answer(net, before, before)
    np.testing.assert_array_equal(*found.maps)


def test_samples_of_a_batch_do_not_touch_each_other(net):
    before, after = pictures(1)
    whole = answer(net, before, after).maps[0]
    turned = answer(net, before[::-1], after[::-1]).maps[0]
    np.testing.assert_allclose(whole, turned[::-1], atol=1e-6)


def test_a_size_that_is_no_multiple_is_continued_by_its_border(net):
    before, after = pictures(2)
    edges = ((0, 0), (0, 4), (0, 5), (0, 0))
    whole = answer(net, *(jnp.pad(x, edges, mode="edge") for x in (before, after)))
    for mine, theirs in zip(answer(net, before, after).maps, whole.maps, strict=True):
        np.testing.assert_allclose(mine, theirs[:, : SIZE[0], : SIZE[1]], atol=1e-6)


def test_less_than_a_patch_will_do():
    net = small(main=False, decoder="plain", heads=1)
    found = answer(net, *pictures(3, size=(5, 3)))
    assert [one.shape for one in found.maps] == [(2, 5, 3, 4)]
    assert np.isfinite(found.maps[0]).all()


def test_every_stage_leads_to_the_same_logits(net):
    before, after = pictures(4)
    shown = ("main2", "auxiliary4", "fused1", "decoder")

    @nnx.jit
    def all_ways(net, pair):
        return [net.head(net.features(pair, stage), stage) for stage in shown]

    expected = answer(net, before, after).stacked
    for found in all_ways(net, jnp.stack([before, after], axis=1)):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("path", ["main", "auxiliary"])
def test_either_path_is_explained_by_its_map(net, path):
    """Grad-CAM by hand: channels of both dates, weighed by their mean gradient."""
    pair, stage = pictures(5), f"{path}1"

    @nnx.jit
    def by_hand(net, pair):
        given = net.features(pair, stage)

        def score(a):
            return change_evidence(net.head(type(given)(a, given.rest), stage)).sum()

        g = jax.grad(score)(given.activations)
        return (g.mean(axis=(1, 2), keepdims=True) * given.activations).sum(axis=-1)

    found = cam(net, pair, change_evidence, stage=stage, size=None, rectify=False, normalise="none")
    assert found.shape == (2, 12, 16)  # a quarter of a patch is two pixels
    np.testing.assert_allclose(found, by_hand(net, pair), rtol=1e-3, atol=1e-7)
    assert float(jnp.abs(found).max()) > 0


def test_without_a_path_its_stages_are_missing():
    net = small(auxiliary=False)
    assert net.stages == (*(f"{p}{n}" for p in ("main", "fused") for n in (1, 2, 3, 4)), "decoder")
    with pytest.raises(ValueError, match="stages are main1"):
        net.features(pictures(0), "auxiliary1")


@pytest.mark.parametrize(
    ("training", "trained"), [("all", {"Param"}), ("adapters", {"LoRAParam"}), ("frozen", set())]
)
def test_what_of_the_transformer_is_trained(training, trained):
    start = VisionTransformer(SHAPE, rngs=nnx.Rngs(1))
    net = small(backbone=start, training=training, rank=2)
    kinds = {
        type(leaf).__name__
        for leaf in jax.tree.leaves(
            nnx.state(net.main.net), is_leaf=lambda v: isinstance(v, nnx.Variable)
        )
        if not isinstance(leaf, Frozen)
    }
    assert kinds == trained
    assert not any(isinstance(v, Frozen) for v in vars(start).values())  # a copy was taken


def test_adapters_change_nothing_at_first():
    start = VisionTransformer(SHAPE, rngs=nnx.Rngs(1))
    x, _ = pictures(6, size=(16, 16))
    maps = [
        MainPath(start, 4, training=way, rank=2, rngs=nnx.Rngs(0)) for way in ("all", "adapters")
    ]
    nnx.update(maps[1].narrow, nnx.state(maps[0].narrow))
    for one, other in zip(*(path.net.intermediate(x, (1, 2)) for path in maps), strict=True):
        np.testing.assert_array_equal(one, other)


def test_bad_pictures_are_refused(net, unchecked):
    before, after = pictures(0)
    for wrong in (after[:, 1:], after[:1], after[..., :2]):
        with pytest.raises(ValueError, match="two pictures of one size"):
            net(before, wrong)
    with pytest.raises(ValueError, match="values from 0 to 1"):
        net(before, 2 + after)
    with pytest.raises(TypeError, match="floating-point"):
        net(before.astype(jnp.int32), after.astype(jnp.int32))


def test_what_a_network_cannot_be_is_refused(unchecked):
    for wrong in ({"heads": 3}, {"main": False, "auxiliary": False}):
        with pytest.raises(ValueError, match="one or two heads and at least one path"):
            small(**wrong)
    with pytest.raises(ValueError, match="need 4 to divide 6"):
        small(backbone=Shape(8, 2, 1, 8, patch=6))
    with pytest.raises(ValueError, match="allowed: all, adapters, frozen"):
        small(training="some")
    with pytest.raises(ValueError, match="classes"):
        TriPath(0, SHAPE, rngs=nnx.Rngs(0))
