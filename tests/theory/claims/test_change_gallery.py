"""Pairs to be drawn: chosen without a network, stored without loss."""

import json

import numpy as np
import pytest

from neurons.data import simulated_scenes
from theory.claims import change_gallery as gallery

SCENES = simulated_scenes(0, count=12, side=32)


def test_pairs_are_chosen_by_number_and_change():
    share = SCENES.changed.mean(axis=(1, 2))
    fit = [row for row in range(12) if 0.05 <= share[row] <= 0.6]
    assert 3 < len(fit) < 12
    assert gallery.chosen(SCENES, np.arange(12)[::-1], 3).tolist() == fit[:3]
    assert gallery.chosen(SCENES, np.array(fit[1:2]), 3).tolist() == fit[1:2]
    still = np.flatnonzero(share < 0.05)
    assert gallery.chosen(SCENES, still, 1).tolist() == still[:1].tolist()


def test_records_are_json_and_hold_what_was_given():
    rows = np.array([3, 1])
    records = json.loads(json.dumps(gallery.shown(SCENES, rows, {"net": SCENES.labels[rows]})))
    for row, record in zip(rows, records, strict=True):
        np.testing.assert_array_equal(gallery.array(record["labels"]), SCENES.labels[row])
        np.testing.assert_array_equal(gallery.array(record["found"]["net"]), SCENES.labels[row])
        before = gallery.array(record["before"]) / 255
        np.testing.assert_allclose(before, SCENES.before[row], atol=0.5 / 255 + 1e-6)
        assert tuple(record["classes"]) == SCENES.classes


def test_text_comes_from_the_labels():
    still = simulated_scenes(0, count=1, side=32, cells=0.0, things=0.0)
    assert gallery.told(still, np.array([0]), least=1)[0]["text"] == ["nothing changed"]
    (record,) = gallery.told(SCENES, gallery.chosen(SCENES, np.arange(12), 1), least=1)
    assert 1 <= len(record["text"]) <= 6
    assert all("whole picture" in one for one in record["text"])


def test_of_each_real_pair_one_tile_is_shown():
    tiles = gallery.real_tiles(SCENES, 8, 5)
    assert tiles.labels.shape == (5, 2, 8, 8)
    assert tiles.places.tolist() == SCENES.places[:5].tolist()
    all_tiles = SCENES.cut(8)
    (first,) = gallery.chosen(all_tiles, np.arange(16), 1)
    np.testing.assert_array_equal(tiles.before[0], all_tiles.before[first])
    assert gallery.real_tiles(None, 8, 5) is None


@pytest.mark.parametrize("value", [-1, 256, 0.5])
def test_only_small_whole_numbers_are_stored(value):
    with pytest.raises(ValueError, match="0 to 255"):
        gallery.stored(np.array([value]))
