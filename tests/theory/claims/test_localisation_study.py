"""The localisation study: who sees which tiles, what is trained, and how maps are judged."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest
from flax import nnx

from neurons.data import simulated_defects
from theory.claims import Budget
from theory.claims import localisation_study as study
from theory.claims import localisation_study_detectors as detectors
from theory.claims import localisation_study_masks as decoders
from theory.claims.claim import Lab, remember
from theory.claims.localisation_study import Method

pytestmark = pytest.mark.usefixtures("standard_promotion")

BUDGET = Budget("test", seeds=2, effort=0.05, data=0.1)
DATA = simulated_defects(0, images=60, side=16, contrast=(0.4, 0.5), area=(0.05, 0.2))
memory = remember()


def lab(data=DATA):
    return Lab(BUDGET, jax.random.key(0), data, memory)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few tiles, one shape."""
    monkeypatch.setattr(study, "TESTS", 4)
    monkeypatch.setattr(study, "HELD_OUT", 4)
    monkeypatch.setattr(study, "CHUNK", 8)
    monkeypatch.setattr(detectors, "CHUNK", 8)
    monkeypatch.setattr(decoders, "STEPS", 80)
    monkeypatch.setattr(decoders, "TILES", 16)


@nnx.jit(static_argnums=2)
def logits(net, x, stage):
    return net.head(net.features(x, stage), stage)


def test_no_piece_lies_in_two_parts_and_test_tiles_differ_by_seed():
    pieces = tuple(str(number // 3) for number in range(60))
    with_pieces = lab(replace(DATA, parts=pieces))
    divisions = [detectors.division(with_pieces, seed) for seed in range(2)]
    for found in divisions:
        of_part = [{pieces[place] for place in part} for part in found]
        assert sum(len(part) for part in of_part) == len(set.union(*of_part))
    assert not set(divisions[0].test) & set(divisions[1].test)
    assert len(divisions[0].train) == len(divisions[1].train)


def test_a_budget_cuts_training_tiles_and_no_others():
    less = replace(BUDGET, data=33 / detectors.TRAINED)
    few = detectors.division(replace(lab(), budget=less), 0)
    many = detectors.division(lab(), 0)
    assert len(few.train) == 33 < len(many.train)
    np.testing.assert_array_equal(few.test, many.test)


def test_explained_tiles_have_masks_and_kinds_take_turns():
    held_out, test = study.tiles(lab(), 0)
    assert not set(held_out) & set(test)
    assert DATA.masks[[*held_out, *test]].any(axis=(1, 2)).all()
    kinds = [DATA.kinds[place] for place in test]
    assert len(set(kinds[:3])) == 3


def test_the_network_is_one_from_stage_to_stage_and_comes_back_from_its_record():
    net, again = detectors.detector(lab(), 0), detectors.detector(lab(), 0)
    x = detectors.images(DATA)[:8]
    whole = logits(net, x, "stage4")
    assert whole.shape == (8, 1)
    np.testing.assert_array_equal(whole, logits(again, x, "stage4"))
    for stage in study.STAGES:
        np.testing.assert_allclose(logits(net, x, stage), whole, atol=1e-5)


def test_arms_are_networks_of_their_own():
    x = detectors.images(DATA)[:8]
    trained, untrained = (
        logits(detectors.detector(lab(), 0, arm), x, "stage4") for arm in ("trained", "untrained")
    )
    assert float(abs(trained - untrained).max()) > 0.1
    assert all(0 <= area <= 1 for area in detectors.image_auc(lab()))


def test_shuffled_labels_are_those_of_other_tiles():
    honest, shuffled = (detectors._lesson(lab(), 0, arm)[1] for arm in ("trained", "shuffled"))
    assert honest.sum() == shuffled.sum()
    assert (honest != shuffled).any()


def test_a_lesson_shows_every_tile_in_four_ways():
    x, y = detectors._lesson(lab(), 0, "trained")
    count = len(detectors.division(lab(), 0).train)
    assert len(x) == len(y) == 4 * count
    np.testing.assert_array_equal(x[count : 2 * count], x[:count, :, ::-1])
    np.testing.assert_array_equal(x[2 * count : 3 * count], x[:count, ::-1])
    np.testing.assert_array_equal(y[:count], y[3 * count :])


METHODS = (
    Method("layer_cam", "stage3"),
    Method("fusion_cam", ("stage3", "stage4"), {"gains": (2.0, 0.0)}),
    Method("saliency"),
    *(Method(name) for name in study.CONTROLS),
)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_outcomes_are_json_and_within_range(method):
    found = study.outcome(lab(), method, 0)
    assert json.loads(json.dumps(found)) == found
    for score in ("iou", "miou", "f1", "precision", "recall"):
        assert len(found[score]) == 4
        assert all(0 <= value <= 1 for value in found[score])
    assert found["kind"] == [DATA.kinds[place] for place in found["tile"]]
    assert found["threshold"] in study.judge.GRID
    maps = study.maps(lab(), method, 0, np.array(found["tile"]))
    assert maps.shape == (4, 16, 16)
    assert maps.min() >= 0
    assert maps.max() <= 1 + 1e-6


def test_the_table_holds_means_by_seed():
    blob = Method("centre blob")
    found = study.table(lab(), {"blob": blob}, "iou")["blob"]
    assert found == [study.mean(study.outcome(lab(), blob, seed)["iou"]) for seed in range(2)]


def test_masks_as_maps_have_every_score_at_its_best():
    places = study.tiles(lab(), 0)[1]
    masks = DATA.masks[places]
    found = study.scores(masks.astype(np.float32), masks, 0.5)
    for score in ("iou", "miou", "f1", "ap", "mass", "rank", "components", "boundary"):
        assert found[score] == [1.0] * len(places)
    assert found["pooled_miou"] == 1.0


def test_an_undefined_score_does_not_count():
    assert study.mean([1.0, float("nan"), 3.0]) == 2.0
    assert np.isnan(study.mean([float("nan")]))


def test_small_pictures_are_means_in_whole_numbers():
    grid = np.zeros((80, 80))
    grid[:2, :2] = 1
    grid[2:4, :1] = 1
    found = np.array(study.small(grid))
    assert found.shape == (40, 40)
    assert found[:2, 0].tolist() == [99, 50]
    assert found.sum() == 149
    assert np.array(study.small(np.ones((16, 16)))).shape == (16, 16)


def test_unknown_methods_are_named():
    with pytest.raises(ValueError, match=r"a method is one of .* got 'gradcam'"):
        study.outcome(lab(), Method("gradcam", "stage3"), 0)


def test_names_tell_options_stages_and_networks_apart():
    names = {
        str(Method("a", "b")),
        str(Method("a", "c")),
        str(Method("a", ("b", "c"))),
        str(Method("a", "b", {"q": 0.5})),
        str(Method("a", "b", arm="untrained")),
    }
    assert len(names) == 5


def test_a_lesson_in_pixels_has_as_many_free_tiles_as_defective_ones():
    places = decoders.lesson(lab(), 0)
    assert set(places) <= set(detectors.division(lab(), 0).train)
    assert len(places) == 16
    assert DATA.defective[places].sum() == 8


def test_halved_masks_keep_thin_lines():
    mask = np.zeros((1, 6, 6), bool)
    mask[0, :, 2] = True
    found = decoders._halved(mask)
    assert found.shape == (1, 3, 3)
    assert found[0, :, 1].all()
    assert found.sum() == 3


def test_label_iou_counts_defect_pixels_only():
    labels = np.array([[[1, 1], [-1, 0]]], np.int8)
    masks = np.array([[[True, False], [True, False]]])
    assert decoders._label_iou(labels, masks) == round(1 / 3, 4)


def test_decoders_learn_masks_and_go_through_rounds():
    taught = decoders.supervised(lab(), 0)
    blob = Method("centre blob")
    found = decoders.rounds(lab(), blob, 0)
    assert json.loads(json.dumps(found)) == found
    assert 1 <= len(found["rounds"]) == len(found["labels"]) == len(found["agreement"]) <= 3
    assert all(0 <= value <= 1 for value in (*found["labels"], *taught["iou"]))
