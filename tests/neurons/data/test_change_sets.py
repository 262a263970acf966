"""The set "scenes": drawn pairs with real ones beside them, one digest, nothing silently drawn."""

import numpy as np
import pytest

from neurons.data import (
    DataError,
    change_set,
    levir_samples,
    load,
    regions,
    registry,
    second_samples,
    simulated,
    simulated_change_set,
    simulated_scenes,
    summary,
)
from neurons.data.change_sets import NPZ, SIDE, SIMULATED, ChangeSet

NAMES = (
    "non-change",
    "low vegetation",
    "n.v.g. surface",
    "tree",
    "water",
    "building",
    "playground",
)


def small(**changed):
    parts = {
        name: simulated_scenes(seed, count=2, side=16)
        for seed, name in enumerate(("drawn", "second", "levir", "dsifn"))
    }
    return ChangeSet(**parts | changed)


def stored(path, **changed):
    labels = np.array([[[0, 1, 2], [3, 4, 5]]], np.uint8)
    given = {
        "im1": np.full((1, 2, 3, 3), 51, np.uint8),
        "im2": np.full((1, 2, 3, 3), 102, np.uint8),
        "label1": labels,
        "label2": np.where(labels > 0, 7 - labels, 0),
        "classes": np.array(NAMES),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **given | changed)


@pytest.fixture
def figure(tmp_path, monkeypatch):
    """Where the pairs of SECOND's figure lie, whose checksum is not asked for."""
    path = tmp_path / "change" / NPZ
    monkeypatch.setattr("neurons.data.change_sets.find", lambda entry, folder: path)
    return path


def test_the_digest_knows_every_part():
    other = simulated_scenes(9, count=2, side=16)
    changes = [
        {},
        *({name: one} for name in ("drawn", "second", "levir", "dsifn") for one in (other,)),
    ]
    changes += [{"second": None}, {"levir": None}, {"name": "other"}]
    digests = [small(**changed).digest for changed in changes]
    assert len(set(digests)) == len(digests)
    assert small().digest == digests[0]


def test_the_text_names_all_parts_and_drawn_sets_say_so():
    assert str(small()).startswith("scenes: simulated_scenes: 2 pairs of 16x16")
    assert str(small()).count("(simulated)") == 4
    found = simulated("scenes", seed=3)
    assert found.simulated
    assert found.parts == (found.drawn,)
    assert found.drawn.before.shape == (SIMULATED, SIDE, SIDE, 3)
    few = [simulated_change_set(seed, drawn=2).digest for seed in (3, 3, 4)]
    assert few[0] == few[1] != few[2]


def test_classes_of_the_figure_are_brought_into_our_order(figure):
    stored(figure)
    scenes = second_samples()
    assert [scenes.classes[k - 1] if k else "" for k in scenes.labels_before[0].ravel()] == [
        "", "low vegetation", "ground", "tree", "water", "building"
    ]  # fmt: skip
    assert not scenes.simulated


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"classes": np.array(["sea", *NAMES[1:]])}, r"found \['sea'\]"),
        ({"label1": np.full((1, 2, 3), 9, np.uint8)}, "classes 0 to 6, found 9 to 9"),
        ({"label2": np.zeros((1, 2, 3), np.uint8)}, "% of a pair marked at one date only"),
        ({"label2": np.zeros((1, 2, 4), np.uint8)}, r"labels of \(1, 2, 3\) pixels, found"),
        ({"im1": np.zeros((1, 2, 2, 3), np.uint8)}, "pictures"),
        ({"im2": np.zeros((1, 2, 3, 3))}, "colours of 8 bits, found float64"),
        ({"label1": np.full((1, 2, 3), np.nan)}, "maps of whole numbers, found float64"),
    ],
)
def test_a_figure_that_holds_something_else_is_refused(figure, changed, message):
    stored(figure, **changed)
    with pytest.raises(DataError, match=message):
        second_samples()


def test_a_truncated_archive_is_named(figure):
    stored(figure)
    figure.write_bytes(figure.read_bytes()[:300])
    with pytest.raises(DataError, match=f"{NPZ}: expected an .npz file with im1"):
        second_samples()


def test_other_samples_are_refused():
    with pytest.raises(ValueError, match="unknown samples 'whu'; allowed: levir_samples"):
        levir_samples(which="whu")


def test_without_files_nothing_is_drawn_instead(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match="change/"):
        load("scenes", drawn=2)


def test_the_manifest_names_every_sample():
    files = [entry.file for entry in registry.entries("scenes")]
    assert files == [entry.file for entry in registry.entries("change")]
    assert sum("levir" in file for file in files) == 3 * 11
    assert sum("dsifn" in file for file in files) == 3 * 10


def test_the_real_pairs_are_read_whole(folder_with):
    found = change_set(folder_with("scenes"), drawn=2)
    assert found.simulated  # what is learned from: the real pairs are too few
    assert not found.second.simulated
    assert len(found.second) == 8
    assert found.second.before.shape[1:] == (148, 148, 3)
    assert (len(found.levir), len(set(found.levir.places.tolist()))) == (11, 10)
    assert len(found.dsifn) == 10
    assert [not one.any() for one in found.levir.changed].count(True) == 1  # an empty mask
    kinds = summary(regions(*found.second.labels[0], found.second.classes))
    assert kinds[0].what == ("ground", "building")
