"""The reliability score: closed forms of a linear network, rules for what is empty or broken."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.explain import Split, cam
from neurons.explain.adversarial import Box
from neurons.explain.reliability import (
    AGNOSTIC,
    SPECIFIC,
    Guide,
    _soft_doubt,
    enhanced,
    look,
    reliability,
    slope,
)
from neurons.explain.reliability_scores import Top, doubt, overlap, salient, soft_overlap
from neurons.explain.splitting import as_pytree

WEIGHTS = jnp.array([[1.0, -1.0], [-1.0, 1.0]])


def two_logits(a):
    """Channel 0 speaks for normal, channel 1 for a defect."""
    return a.mean(axis=(1, 2)) @ WEIGHTS


def one_logit(a):
    return (a[..., 1] - a[..., 0]).mean(axis=(1, 2))


def same(x):
    return x


NET = Split(same, two_logits)


def missed(defect=0.9, ground=0.2):
    """A small bright defect on a ground that speaks for normal: predicted normal."""
    x = np.zeros((1, 6, 6, 2), np.float32)
    x[..., 0] = ground
    x[:, 1:3, 1:3, 1] = defect
    return x


def test_a_missed_defect_by_hand():
    found = reliability(NET, missed())
    assert found.prediction.tolist() == [0]
    margin = 2 * (4 * 0.9 - 36 * 0.2) / 36
    np.testing.assert_allclose(found.probability, 1 / (1 + np.exp(-margin)), rtol=1e-5)
    view = found.view
    patch = np.zeros((6, 6), bool)
    patch[1:3, 1:3] = True
    np.testing.assert_array_equal(salient(view.defect)[0], patch)
    np.testing.assert_array_equal(salient(view.normal)[0], ~patch)
    np.testing.assert_array_equal(salient(view.agnostic)[0], patch)
    assert (view.overlap_defect, view.overlap_normal) == (1, 0)
    scores = {name: float(reliability(NET, missed(), score=name).score[0]) for name in SCORES}
    assert scores == {"diff": 1.0, "spec0": 1.0, "spec1": 0.0}


SCORES = ("diff", "spec0", "spec1")


def test_a_single_logit_is_two():
    x = np.abs(cam_nets.images(3, 6))
    one, two = (reliability(Split(same, head), x) for head in (one_logit, two_logits))
    np.testing.assert_array_equal(one.score, two.score)
    np.testing.assert_array_equal(one.view.normal, two.view.normal)
    np.testing.assert_allclose(one.probability, two.probability, rtol=1e-5)
    assert not np.array_equal(one.view.normal, one.view.defect)


@pytest.mark.parametrize("specific", SPECIFIC)
def test_maps_are_those_of_the_library(specific):
    net, x = cam_nets.tiny(2), cam_nets.images()
    view = reliability(net, x, specific=specific).view
    for label, found in enumerate((view.normal, view.defect)):
        expected = cam(net, x, label, method=specific, order="resize_first")
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_maps_of_no_class():
    net, x = cam_nets.tiny(2), cam_nets.images()
    a = jnp.abs(net.features(x) - 0.3) - 0.1  # of both signs
    maps = {name: AGNOSTIC[name](a, a[..., 0] - 1, a[..., 1] - 0.2) for name in AGNOSTIC}
    np.testing.assert_allclose(maps["mean"], np.mean(a, axis=-1), rtol=1e-6)
    np.testing.assert_allclose(maps["mean_abs"], np.mean(np.abs(a), axis=-1), rtol=1e-6)
    expected = np.maximum(a[..., 0] - 1, 0) + np.maximum(a[..., 1] - 0.2, 0)
    np.testing.assert_allclose(maps["sum"], expected, rtol=1e-6)
    _, _, axes = np.linalg.svd(np.asarray(a).reshape(3, -1, 4))
    by_hand = np.einsum("bijk,bk->bij", a, axes[:, 0])
    by_hand *= np.sign(by_hand.max(axis=(1, 2)) + by_hand.min(axis=(1, 2)))[:, None, None]
    np.testing.assert_allclose(maps["eigen_cam"], by_hand, atol=1e-5)
    names = [reliability(net, x, agnostic=name).score.tolist() for name in AGNOSTIC]
    assert len({tuple(score) for score in names}) > 1


def test_empty_maps_follow_the_rules_and_are_counted():
    clean = np.zeros((3, 6, 6, 2), np.float32)
    clean[0, 0, 0, 0] = 1.0  # the defect's map is empty
    clean[1, 0, 0, 1] = 1.0  # the normal one's is
    found = reliability(NET, clean)  # and of the last image all are
    assert found.view.empty.tolist() == [[False, True, False], [True, False, False], [True] * 3]
    assert found.view.overlap_defect.tolist() == [0, 1, 1]
    assert found.view.overlap_normal.tolist() == [1, 0, 1]
    assert found.score.tolist() == [-1, 1, 0]


def test_what_cannot_be_judged_is_flagged():
    x = np.concatenate([missed(), missed()])
    x[0, 3, 3, 0] = np.nan
    found = reliability(NET, x, limit=1.0)
    assert np.isnan(found.score[0])
    assert found.flag.tolist() == [True, False]
    assert reliability(NET, missed(), limit=0.9).flag.tolist() == [True]
    assert reliability(NET, missed(ground=0.05), limit=-1.0).prediction.tolist() == [1]
    assert reliability(NET, missed(ground=0.05), limit=-2.0).flag.tolist() == [False]
    assert reliability(NET, missed()).flag.tolist() == [False]  # no limit, no flag


BOX = Box(0.1)


def test_one_step_towards_the_defect_by_hand():
    x, guide = missed(defect=0.95), Guide(enhance="fgsm", box=BOX)
    moved = enhanced(Split(*map(as_pytree, NET)), jnp.asarray(x), guide)
    np.testing.assert_allclose(moved[..., 0], 0.1, atol=1e-6)
    np.testing.assert_allclose(moved[..., 1], np.minimum(x[..., 1] + 0.1, 1), atol=1e-6)
    found = reliability(NET, x, guide=guide)
    assert found.moved.margin > found.view.margin
    np.testing.assert_array_equal(found.prediction, 0)  # that of the image itself
    many = reliability(NET, x, enhance="pgd", box=BOX)
    np.testing.assert_allclose(many.moved.margin, found.moved.margin, rtol=1e-5)


def test_scores_of_moved_images_combine():
    net, x = cam_nets.tiny(2), jax.nn.sigmoid(cam_nets.images())
    made = {
        how: reliability(net, x, enhance="fgsm", combine=how, box=Box(0.3)).score
        for how in ("enhanced", "max", "gain")
    }
    plain = reliability(net, x).score
    np.testing.assert_allclose(made["gain"], made["enhanced"] - plain, atol=1e-6)
    np.testing.assert_array_equal(made["max"], np.maximum(plain, made["enhanced"]))
    still = reliability(net, x, enhance="pgd", box=Box(0.0))
    np.testing.assert_array_equal(still.score, plain)


def test_the_soft_score_rises_where_it_is_climbed():
    net, x = cam_nets.tiny(2), jax.nn.sigmoid(cam_nets.images())
    halves = Split(*map(as_pytree, (net.features, net.head)))
    guide = Guide(enhance="soft_iou", box=Box(0.02, steps=3))
    before = _soft_doubt(halves, x, guide)
    after = _soft_doubt(halves, enhanced(halves, x, guide), guide)
    assert (after >= before).all()
    assert (after > before + 1e-4).any()


def test_the_second_derivative_is_that_of_finite_differences():
    with jax.enable_x64(True):
        random = np.random.default_rng(0)
        head = cam_nets.smooth_pair(jnp.asarray(random.normal(size=(2, 2))))[1]
        halves = Split(as_pytree(same), as_pytree(head))
        x, way = (jnp.asarray(random.random((1, 4, 4, 2))) for _ in range(2))
        guide = Guide(enhance="soft_iou")
        ends = [_soft_doubt(halves, x + sign * 1e-6 * way, guide)[0] for sign in (1, -1)]
        found = jnp.sum(slope(halves, x, guide) * way)
        np.testing.assert_allclose(found, (ends[0] - ends[1]) / 2e-6, rtol=1e-4)


def test_one_program_for_all_images_and_weights():
    net, x = cam_nets.tiny(2), jax.nn.sigmoid(cam_nets.images())
    reliability(net, x, threshold=0.25)
    programs = look._cache_size()
    net.out.kernel[...] = -net.out.kernel[...]
    found = reliability(net, x[::-1], threshold=0.25, limit=0.3)
    assert look._cache_size() == programs
    np.testing.assert_array_equal(found.score, reliability(net, x, threshold=0.25).score[::-1])


def test_one_program_for_all_radii():
    net, x = cam_nets.tiny(2), jax.nn.sigmoid(cam_nets.images())
    first = reliability(net, x, enhance="fgsm", box=Box(0.3))
    programs = slope._cache_size()
    second = reliability(net, x, enhance="fgsm", box=Box(0.1))
    assert slope._cache_size() == programs
    assert (first.moved.margin >= second.moved.margin).any()


def test_maps_of_any_size():
    net, x = cam_nets.tiny(2), cam_nets.images()
    sizes = [reliability(net, x, size=size).view.agnostic.shape for size in ("input", 5, None)]
    assert sizes == [(3, 8, 8), (3, 5, 5), (3, 4, 4)]


def test_a_network_in_training_is_judged_as_it_will_be_used():
    net, x = cam_nets.tiny(2), cam_nets.images()
    net.train()
    np.testing.assert_array_equal(reliability(net, x).score, reliability(net, x).score)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"score": "iou"}, ValueError, "score must be one of"),
        ({"specific": "eigen_cam"}, ValueError, "specific must be one of"),
        ({"agnostic": "grad_cam"}, ValueError, "agnostic must be one of"),
        ({"enhance": "A1"}, ValueError, "enhance must be one of"),
        ({"combine": "min"}, ValueError, "combine must be one of"),
        ({"threshold": 0.0}, ValueError, "a threshold is a number in"),
        ({"threshold": Top(1.5)}, ValueError, "a threshold is a number in"),
        ({"enhance": "fgsm"}, ValueError, "outside of the bounds"),
        ({"epsilon": 0.1}, TypeError, "epsilon"),
        ({"guide": Guide(), "score": "diff"}, TypeError, "not both"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_refusals(options, error, text):
    with pytest.raises(error, match=text):
        reliability(NET, 2 * missed(), **options)


@pytest.mark.usefixtures("unchecked")
def test_other_networks_and_images_are_refused():
    with pytest.raises(ValueError, match="two classes"):
        reliability(cam_nets.tiny(3), cam_nets.images())
    with pytest.raises(TypeError, match="uint8"):
        reliability(NET, missed().astype(np.uint8))
    with pytest.raises(TypeError, match="has no method 'features'"):
        reliability(two_logits, missed())


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("box", "text"), [((-1.0,), "epsilon"), ((0.1, 1.0, 0.0), "low"), ((0.1, 0, 1, 0), "steps")]
)
def test_boxes_without_room_are_refused(box, text):
    with pytest.raises(ValueError, match=text):
        Box(*box)


def test_a_standardised_box_moves_standardised_images_alike():
    mean, deviation = (0.5, 0.25), (0.2, 0.4)
    raw = np.abs(missed())
    unit, centre = (jnp.array(values).reshape(1, 1, 1, 2) for values in (deviation, mean))
    scale = Split(lambda x: x * unit + centre, two_logits)
    one = reliability(NET, raw, enhance="fgsm", box=BOX)
    x = ((raw - mean) / deviation).astype(np.float32)
    box = BOX.standardised(mean, deviation)
    other = reliability(scale, x, enhance="fgsm", box=box)
    np.testing.assert_allclose(one.moved.margin, other.moved.margin, atol=1e-6)


def test_a_pixel_without_a_slope_stays():
    dead = np.zeros((1, 6, 6, 2), np.float32)  # EigenCAM has no derivative here
    found = reliability(NET, dead, enhance="soft_iou", box=BOX)
    assert found.score.tolist() == [0.0]


@pytest.mark.parametrize(
    ("threshold", "marked"),
    [
        (0.5, [2, 1, 0]),
        (1.0, [1, 1, 0]),
        ("otsu", [2, 1, 0]),
        (Top(0.25), [1, 1, 0]),
        (Top(1.0), [3, 1, 0]),
    ],
)
def test_thresholds(threshold, marked):
    maps = jnp.array([[0.0, 0.2, 0.7, 1.0], [0.0, 0.0, 0.0, 1.0], [0.0] * 4])
    assert salient(maps, threshold).sum(axis=1).tolist() == marked


MAPS = st.lists(st.integers(0, 4), min_size=12, max_size=12).map(
    lambda found: jnp.asarray(found, jnp.float32).reshape(1, 3, 4) / 4
)


@given(MAPS, MAPS)
def test_overlaps(one, other):
    marks, others = salient(one), salient(other)
    found = float(overlap(marks, others)[0])
    assert 0 <= found <= 1
    assert found == float(overlap(others, marks)[0])
    assert (found == 1) == bool((marks == others).all())
    both = [marks.astype(jnp.float32), others.astype(jnp.float32)]
    assert found == pytest.approx(float(soft_overlap(*both)[0]))
    assert float(soft_overlap(one, one)[0]) == 1
    assert float(doubt(overlap(marks, others), overlap(others, marks))[0]) == 0


def test_scores_do_not_depend_on_the_size_of_activations():
    x = np.abs(cam_nets.images(3, 6))
    np.testing.assert_array_equal(reliability(NET, x).score, reliability(NET, 8 * x).score)
