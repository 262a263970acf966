"""Pairs of pictures with maps: what does not fit is refused, tiles and subsets keep together."""

from dataclasses import replace

import numpy as np
import pytest

from neurons.data import DataError, Scenes, simulated_scenes


def small(**changed):
    given = {
        "name": "small",
        "before": np.full((2, 4, 6, 3), 0.25, np.float32),
        "after": np.full((2, 4, 6, 3), 0.5, np.float32),
        "labels_before": np.tile(np.int8([0, 1, 2, 0, 1, 2]), (2, 4, 1)),
        "labels_after": np.tile(np.int8([0, 2, 1, 0, 2, 1]), (2, 4, 1)),
        "classes": ("a", "b"),
        "places": np.array([3, 5]),
        "simulated": False,
    }
    return Scenes(**given | changed)


def test_the_text_names_size_places_classes_and_origin():
    assert str(small()) == "small: 2 pairs of 4x6 at 2 places, 2 classes, 66.7 % changed (real)"
    assert "(simulated)" in str(small(simulated=True))
    assert len(small()) == 2
    assert not small().binary


def test_both_dates_stand_beside_each_other():
    scenes = small()
    assert scenes.labels.shape == (2, 2, 4, 6)
    np.testing.assert_array_equal(scenes.changed, scenes.labels[:, 0] > 0)
    np.testing.assert_array_equal(scenes.changed, scenes.labels[:, 1] > 0)


ONE = np.zeros((2, 4, 6), np.int8)


@pytest.mark.parametrize(
    "changed",
    [
        {"before": np.zeros((2, 4, 6, 3))},
        {"before": np.zeros((2, 4, 6), np.float32)},
        {"after": np.zeros((2, 4, 5, 3), np.float32)},
        {"labels_after": np.zeros((1, 4, 6), np.int8)},
        {"labels_after": np.zeros((2, 4, 6), np.int64)},
        {"places": np.zeros(3, int)},
        {"places": np.zeros(2)},
        {"classes": ()},
        {"cover_before": ONE},
        {"cover_before": ONE, "cover_after": ONE[:1]},
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changed):
    with pytest.raises(DataError, match="small: expected float32 pictures"):
        small(**changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"before": np.full((2, 4, 6, 3), 1.5, np.float32)}, "colours in"),
        ({"after": np.full((2, 4, 6, 3), np.nan, np.float32)}, "colours in"),
        ({"labels_before": ONE + np.int8(3), "labels_after": ONE + np.int8(1)}, "classes from 0"),
        ({"labels_before": ONE - np.int8(1)}, "classes from 0"),
        ({"cover_before": ONE + np.int8(9), "cover_after": ONE}, "classes from 0"),
        ({"labels_before": ONE}, "32 at one date only"),
    ],
)
def test_values_out_of_range_are_refused(changed, message):
    with pytest.raises(DataError, match=message):
        small(**changed)


def test_nothing_may_be_overwritten():
    with pytest.raises(ValueError, match="read-only"):
        small().before[0] = 0


def test_some_pairs_keep_their_order_and_places():
    scenes = simulated_scenes(count=4, side=16)
    some = scenes.take([3, 0])
    assert some.places.tolist() == [1, 0]
    np.testing.assert_array_equal(some.before, scenes.before[[3, 0]])
    np.testing.assert_array_equal(some.cover_after, scenes.cover_after[[3, 0]])
    assert scenes.take(scenes.places == 1).digest == scenes.take([2, 3]).digest
    with pytest.raises(DataError, match="a place for each"):
        scenes.take([])


def test_tiles_of_sizes_that_do_not_divide_leave_a_border_out():
    scenes = small()
    tiles = scenes.cut(4)
    assert tiles.before.shape == (2, 4, 4, 3)
    assert tiles.places.tolist() == [3, 5]
    pairs = scenes.cut(2)
    assert pairs.places.tolist() == [3] * 6 + [5] * 6
    np.testing.assert_array_equal(pairs.labels_before[1], scenes.labels_before[0, :2, 2:4])
    np.testing.assert_array_equal(pairs.labels_before[3], scenes.labels_before[0, 2:, :2])


@pytest.mark.parametrize("side", [0, 5])
def test_tiles_larger_than_the_picture_are_refused(side):
    with pytest.raises(ValueError, match=f"side is {side}; allowed: 1 to 4"):
        small().cut(side)


def test_the_digest_knows_every_part():
    changes = [
        {},
        {"name": "other"},
        {"before": np.zeros((2, 4, 6, 3), np.float32)},
        {"after": np.zeros((2, 4, 6, 3), np.float32)},
        {"labels_before": small().labels_after},
        {"labels_after": small().labels_before},
        {"classes": ("a", "c")},
        {"places": np.array([3, 3])},
        {"cover_before": ONE, "cover_after": ONE},
    ]
    digests = [small(**change).digest for change in changes]
    assert len(set(digests)) == len(digests)
    assert replace(small()).digest == digests[0]
