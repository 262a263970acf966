"""The run-to-failure bearings: units, numbers of records, and damage."""

import hashlib
from functools import partial

import numpy as np
import pytest

from neurons.data import registry
from neurons.data.phm2012 import BEARINGS, lives, phm2012
from neurons.data.registry import DataError, Entry


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A data folder whose file holds three records of every bearing, with changes."""

    def put(**changes):
        stored = {}
        for name in BEARINGS:
            stored[name] = np.full((3, 2, 2560), 1500, np.int16)
            stored[f"{name}_index"], stored[f"{name}_records"] = np.array([0, 10, 17]), 18
        path = tmp_path / "phm2012/phm2012_every10.npz"
        path.parent.mkdir()
        cut = changes.pop("cut", None)
        np.savez_compressed(path, **{**stored, **changes})
        path.write_bytes(path.read_bytes()[:cut])
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        entry = Entry("phm2012/phm2012_every10.npz", path.stat().st_size, sha256, "")
        monkeypatch.setattr(registry, "manifest", lambda: (entry,))
        return partial(lives, tmp_path)

    return put


def test_thousandths_become_g(shelf):
    found = shelf()()
    assert [life.name for life in found] == list(BEARINGS)
    assert found[0].signals.dtype == np.float32
    assert (found[0].signals == 1.5).all()
    assert found[0].index.tolist() == [0, 10, 17]
    assert found[0].records == 18


@pytest.mark.parametrize(
    "changes",
    [
        {"Bearing2_3": np.zeros((3, 2, 2559), np.int16)},
        {"Bearing2_3": np.zeros((3, 2, 2560), np.float32)},
        {"Bearing2_3": np.zeros((0, 2, 2560), np.int16), "Bearing2_3_index": np.zeros(0, int)},
        {"Bearing2_3_index": np.array([0, 10])},
        {"Bearing2_3_index": np.array([0, 10, 10])},
        {"Bearing2_3_index": np.array([0, 10, 18])},
        {"Bearing2_3_records": np.array([18, 18])},
    ],
    ids=["short", "real", "empty", "number lost", "number twice", "number beyond", "two lengths"],
)
def test_another_form_is_refused_by_name(shelf, changes):
    with pytest.raises(DataError, match="Bearing2_3: integers"):
        shelf(**changes)()


@pytest.mark.parametrize("cut", [0, 100, -10])
def test_a_truncated_file_is_refused_by_name(shelf, cut):
    with pytest.raises(DataError, match=r"phm2012_every10\.npz: expected an \.npz file"):
        shelf(cut=cut)()


def test_a_file_of_another_size_is_refused_by_name(shelf, tmp_path):
    read = shelf()
    path = tmp_path / "phm2012/phm2012_every10.npz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"phm2012_every10\.npz: expected \d+ bytes"):
        read()


def test_the_set_says_what_it_is_and_notices_a_changed_sample(shelf, tmp_path):
    shelf()
    found, again = phm2012(tmp_path), phm2012(tmp_path)
    assert str(found) == "phm2012: 17 bearings, 51 records (real)"
    assert found.bearings == BEARINGS
    assert [life.condition for life in found.lives] == [1] * 7 + [2] * 7 + [3] * 3
    assert found.lives[0].elapsed.tolist() == [0, 100, 170]  # s
    again.lives[16].signals[2, 1, -1] += 0.001
    assert found.digest != again.digest


def test_the_real_lives_are_whole(folder_with):
    found = lives(folder_with("phm2012"))
    assert len(found) == 17
    assert found[0].signals.shape == (282, 2, 2560)
    assert all(life.index[0] == 0 and life.index[-1] == life.records - 1 for life in found)
    assert all(0.1 < life.signals[0].std() < 1.5 for life in found)  # g, when new
