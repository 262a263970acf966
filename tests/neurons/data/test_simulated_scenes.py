"""Drawn pairs: labels are exact, nuisances change no label, and differences are no answer."""

import numpy as np
import pytest
from scipy.ndimage import label

from neurons.data import Nuisance, simulated_scenes
from neurons.data.simulated_scenes import CLASSES
from neurons.explain.metrics import auc

NONE = Nuisance(season=0.0, light=0.0, shift=0.0, noise=0.0)


@pytest.fixture(scope="module")
def scenes():
    return simulated_scenes(0, count=24)


@pytest.fixture(scope="module")
def bare():
    return simulated_scenes(0, count=24, nuisance=NONE)


def separation(some):
    """Area under the ROC curve of the colours' difference, as a detector of change."""
    difference = abs(some.after - some.before).mean(axis=-1, dtype=np.float64)
    return float(auc(difference.reshape(1, -1), some.changed.reshape(1, -1))[0])


def test_labels_are_the_cover_where_it_changed(scenes):
    np.testing.assert_array_equal(scenes.changed, scenes.cover_before != scenes.cover_after)
    for labels, cover in (
        (scenes.labels_before, scenes.cover_before),
        (scenes.labels_after, scenes.cover_after),
    ):
        np.testing.assert_array_equal(labels, np.where(scenes.changed, cover, 0))
    assert scenes.cover_before.min() >= 1
    assert not (scenes.labels_before == scenes.labels_after)[scenes.changed].any()


def test_nuisances_change_no_label(scenes, bare):
    np.testing.assert_array_equal(scenes.labels, bare.labels)
    assert abs(scenes.before - bare.before).mean() > 0.01


def test_without_nuisances_what_did_not_change_looks_the_same(bare):
    assert not (bare.before != bare.after)[~bare.changed].any()
    assert separation(bare) > 0.99


def test_with_nuisances_a_difference_of_colours_is_a_poor_detector(scenes):
    assert 0.6 < separation(scenes) < 0.8


@pytest.mark.parametrize("name", ["season", "light", "shift"])
def test_each_nuisance_makes_it_poorer(name):
    alone = simulated_scenes(0, count=24, nuisance=Nuisance(**{**vars(NONE), name: 1.0}))
    assert separation(alone) < 0.97
    assert (alone.before != alone.after)[~alone.changed].mean() > 0.05


def test_a_dry_field_looks_like_ground():
    """The season is a confuser: across seasons, fields come nearer to ground than to fields."""
    dry = simulated_scenes(3, count=40, nuisance=Nuisance(season=1.0, light=0.0, shift=0.0))
    field, ground = (CLASSES.index(name) + 1 for name in ("low vegetation", "ground"))
    stayed = (dry.cover_before == field) & (dry.cover_after == field)
    moved = abs(dry.after - dry.before).mean(axis=-1)[stayed]
    apart = dry.before[dry.cover_before == field].mean(0) - dry.before[
        dry.cover_before == ground
    ].mean(0)
    assert np.quantile(moved, 0.75) > abs(apart).mean()


def test_there_is_enough_of_everything(scenes):
    assert 0.05 < scenes.changed.mean() < 0.3
    areas = []
    for changed in scenes.changed:
        numbers, _ = label(changed, np.ones((3, 3)))
        areas += np.bincount(numbers.ravel())[1:].tolist()
    areas = np.array(areas)
    # Below 1,000 of 512 x 512 pixels, that is below 16 of 64 x 64; and above ten times as much.
    assert (areas < 16).sum() >= len(scenes) / 2
    assert (areas > 160).sum() >= len(scenes) / 4
    shares = [(scenes.labels_after == 1 + k).mean() for k in range(len(CLASSES))]
    assert min(shares) > 0.002


def test_a_pair_depends_on_its_number_and_the_seed_alone(scenes):
    few = simulated_scenes(0, count=3)
    np.testing.assert_array_equal(few.before, scenes.before[:3])
    np.testing.assert_array_equal(few.after, scenes.after[:3])
    assert simulated_scenes(1, count=3).digest != few.digest
    assert simulated_scenes(0, count=3).digest == few.digest


def test_pairs_of_a_place_share_the_first_cover(scenes):
    assert scenes.places.tolist() == [number // 2 for number in range(24)]
    np.testing.assert_array_equal(scenes.cover_before[::2], scenes.cover_before[1::2])
    assert (scenes.before[::2] != scenes.before[1::2]).any()
    assert (scenes.cover_after[::2] != scenes.cover_after[1::2]).any()
    alone = simulated_scenes(0, count=3, side=16, visits=1)
    assert alone.places.tolist() == [0, 1, 2]


def test_nothing_changes_if_nothing_may():
    still = simulated_scenes(0, count=2, side=32, cells=0.0, things=0.0)
    assert not still.changed.any()


@pytest.mark.parametrize("side", [17, 40])
def test_any_side_will_do(side):
    assert simulated_scenes(count=1, side=side).before.shape == (1, side, side, 3)


@pytest.mark.parametrize(
    "options",
    [{"seed": -1}, {"count": 0}, {"side": 15}, {"visits": 0}, {"cells": 1.1}, {"things": -1.0}],
)
def test_values_out_of_bounds_are_named(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is"):
        simulated_scenes(**options)


@pytest.mark.parametrize(
    "options", [{"season": 1.1}, {"light": -1.0}, {"shift": 5.0}, {"noise": 0.3}]
)
def test_nuisances_out_of_bounds_are_named(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; allowed: 0 to"):
        Nuisance(**options)
