"""Counts against a loop; the best threshold against trying them all."""

import loops
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.explain import metrics

SHAPE = (3, 4, 5)
GRID = [0.2, -0.1, 0.7]
SCORES = ("miou", "iou", "f1", "precision", "recall")
few_values = st.sampled_from([-1.0, -0.1, 0.0, 0.2, 0.3, 0.7, 2.0])
maps_of = arrays(np.float64, SHAPE, elements=few_values)
masks_of = arrays(np.bool_, SHAPE)


@given(maps=maps_of, masks=masks_of)
def test_counts_are_those_of_a_loop(maps, masks):
    found = np.stack(metrics.confusion(maps, masks, GRID), axis=-1)
    expected = [[loops.counts(m, t, g) for g in GRID] for m, t in zip(maps, masks, strict=True)]
    np.testing.assert_array_equal(found, expected)


@given(maps=maps_of, masks=masks_of, scale=st.floats(0.1, 10))
def test_scores_follow_a_rescaled_map_with_its_threshold(maps, masks, scale):
    for name in SCORES:
        found = metrics.score(maps * scale, masks, 0.25 * scale, name=name)
        np.testing.assert_array_equal(found, metrics.score(maps, masks, 0.25, name=name))


def test_scores_are_ratios_of_counts(pair):
    maps, masks = pair
    hits, alarms, misses, rest = metrics.confusion(maps, masks, 0.3)
    np.testing.assert_allclose(metrics.iou(maps, masks, 0.3), hits / (hits + alarms + misses))
    np.testing.assert_allclose(metrics.precision(maps, masks, 0.3), hits / (hits + alarms))
    np.testing.assert_allclose(metrics.recall(maps, masks, 0.3), hits / (hits + misses))
    background = rest / (rest + alarms + misses)
    both = (metrics.iou(maps, masks, 0.3) + background) / 2
    np.testing.assert_allclose(metrics.miou(maps, masks, 0.3), both)
    iou = metrics.iou(maps, masks, 0.3)
    np.testing.assert_allclose(metrics.f1(maps, masks, 0.3), 2 * iou / (1 + iou))


def test_pooled_scores_add_counts_before_dividing():
    maps, masks = np.array([[1.0, 0, 0, 0], [1, 1, 1, 0]]), np.array([[1, 0, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(metrics.iou(maps, masks, 0.5), [1, 0])
    np.testing.assert_allclose(metrics.iou(maps, masks, 0.5, pooled=True), 1 / 5)
    np.testing.assert_allclose(metrics.miou(maps, masks, 0.5, pooled=True), (1 / 5 + 3 / 7) / 2)
    assert metrics.miou(maps, masks, [0.5, 2.0], pooled=True).shape == (2,)
    assert metrics.miou(maps, masks, [0.5]).shape == (2, 1)


def test_a_perfect_map_scores_one_and_its_opposite_zero(pair):
    masks = pair[1]
    for name in SCORES:
        np.testing.assert_array_equal(metrics.score(masks * 1.0, masks, 0.5, name=name), 1)
        np.testing.assert_array_equal(metrics.score(1.0 - masks, masks, 0.5, name=name), 0)


def test_thresholds_are_compared_in_the_maps_precision():
    maps = np.full((1, 2), 0.7, np.float32)  # less than the float64 0.7
    assert metrics.recall(maps, np.ones((1, 2), bool), 0.7).tolist() == [1.0]


@given(maps=maps_of, masks=masks_of)
def test_the_best_threshold_beats_the_grid(maps, masks):
    masks[0, 0, 0], masks[0, 0, 1] = True, False
    chosen = metrics.best_threshold(maps, masks, GRID)
    scores = {g: metrics.miou(maps, masks, g, pooled=True) for g in GRID}
    assert chosen == min(g for g in GRID if scores[g] == max(scores.values()))


def test_the_best_threshold_of_images_skips_those_without_a_score():
    maps = np.array([[0.0, 0.0, 0.0], [0.9, 0.5, 0.1]])
    masks = np.array([[0, 0, 0], [1, 0, 0]])
    assert metrics.best_threshold(maps, masks, [0.2, 0.6], name="iou", pooled=False) == 0.6


def test_a_planted_shift_of_the_map_moves_the_threshold():
    masks = np.array([[0, 0, 1, 1]])
    maps = np.array([[0.0, 0.1, 0.3, 0.4]])
    assert metrics.best_threshold(maps, masks, [0.2, 0.6]) == 0.2
    assert metrics.best_threshold(maps + 0.4, masks, [0.2, 0.6]) == 0.6


def test_no_score_anywhere_is_an_error():
    empty = np.zeros((2, 3), bool)
    with pytest.raises(ValueError, match="undefined at every threshold"):
        metrics.best_threshold(np.zeros((2, 3)), empty, [0.5], name="recall")
    with pytest.raises(ValueError, match="NaN"):
        metrics.best_threshold(np.full((2, 3), np.nan), ~empty)


@pytest.mark.parametrize("thresholds", [[], [[0.1]], np.nan], ids=["none", "table", "nan"])
def test_thresholds_must_be_numbers(thresholds):
    with pytest.raises(ValueError, match="thresholds must be"):
        metrics.confusion(np.zeros((1, 3)), np.zeros((1, 3), bool), np.array(thresholds))


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_score_is_named():
    with pytest.raises(ValueError, match="got 'dice'"):
        metrics.score(np.zeros((1, 3)), np.zeros((1, 3), bool), 0.5, name="dice")
