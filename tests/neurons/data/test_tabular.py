"""The public tables: rows and columns as stated, and damage is named."""

import gzip
import hashlib
import os
from functools import partial

import numpy as np
import pytest

from neurons.data import registry, sets
from neurons.data.registry import DataError, Entry
from neurons.data.tabular import _RECIPES, TABLES, tables, tabular

ROWS = {
    "california": (20640, 8), "airfoil": (1503, 5), "wine_quality": (6497, 11),
    "abalone": (4177, 8), "bike": (730, 11), "house_16H": (22784, 16), "phoneme": (5404, 5),
    "magic": (19020, 10), "vehicle": (846, 18), "credit_g": (1000, 20),
}  # fmt: skip
FILES = [file for recipe in _RECIPES.values() for file in recipe.files]


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("NEURONS_DATA")
    if not folder or not registry.available("tabular", folder):
        pytest.skip("real data: set NEURONS_DATA to a folder that holds tabular/ intact")
    return sets.load("tabular", folder)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A data folder with one file of the manifest, whatever it holds."""

    def put(file, content):
        path = tmp_path / "tabular" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        entry = Entry(f"tabular/{file}", len(content), sha256, "")
        monkeypatch.setattr(registry, "manifest", lambda: (entry,))
        return tmp_path

    return put


def test_the_manifest_has_every_file_and_no_other():
    assert sorted(entry.file for entry in registry.entries("tabular")) == sorted(FILES)
    assert set(ROWS) == set(TABLES)


def test_rows_and_columns_are_those_of_the_sources(real):
    assert {t.name: t.x.shape for t in real.tables} == ROWS
    assert [t.classes for t in real.tables] == [0] * 6 + [2, 2, 4, 2]
    assert not real.simulated


def test_known_rows_are_read(real):
    house = real["california"]
    assert house.x[0] == pytest.approx(
        [8.3252, 41, 880 / 126, 129 / 126, 322, 322 / 126, 37.88, -122.23]
    )
    assert house.y[0] == 452600.0
    wine = real["wine_quality"]
    assert (wine.x[0, 0], wine.y[0]) == (7.4, 5)
    assert (wine.x[1599, 0], wine.x[1599, 3]) == (7.0, 20.7)  # the first white wine
    assert real["abalone"].x[2].tolist() == [1, 0.53, 0.42, 0.135, 0.677, 0.2565, 0.1415, 0.21]
    assert real["airfoil"].y[0] == 126.201
    assert "casual" not in real["bike"].columns
    assert np.bincount(real["phoneme"].y).tolist() == [3818, 1586]
    assert np.bincount(real["vehicle"].y).tolist() == [212, 217, 218, 199]


def test_sources_say_how_the_sets_differ(real):
    assert all("paper" in table.source for table in real.tables)
    papers = {"bike": "17,379 x 12", "phoneme": "3,172", "magic": "13,376", "credit_g": "16,714"}
    assert all(rows in real[name].source for name, rows in papers.items())


def test_unknown_name_lists_the_allowed():
    with pytest.raises(ValueError, match="'adult'; allowed: california, airfoil"):
        tabular("adult")


def test_absent_files_name_the_way_out(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match="fetch tabular"):
        tabular("airfoil")
    with pytest.raises(DataError, match="fetch tabular"):
        tables()


AIRFOIL, PHONEME = FILES[1], "pmlb/phoneme.tsv.gz"
# A fixed time of packing: the workers of a parallel run must collect tests of one name.
packed = partial(gzip.compress, mtime=0)
HEAD = b"Aa\tAo\tDcl\tIy\tSh\ttarget\n"


def test_a_file_is_read_in_either_form(shelf):
    table = tabular("airfoil", shelf(AIRFOIL, b"1\t2\t3\t4\t5\t6\n\n7\t8\t9\t1\t2\t3\n"))
    assert table.x.tolist() == [[1, 2, 3, 4, 5], [7, 8, 9, 1, 2]]
    assert table.y.tolist() == [6, 3]
    content = packed(HEAD + b"1\t2\t3\t4\t5\t7\n0\t0\t0\t0\t0\t3\n")
    labels = tabular("phoneme", shelf(PHONEME, content))
    assert labels.y.tolist() == [1, 0]
    assert labels.columns == ("Aa", "Ao", "Dcl", "Iy", "Sh")


@pytest.mark.parametrize(
    ("name", "file", "content", "words"),
    [
        ("airfoil", AIRFOIL, b"", "not filled"),
        ("airfoil", AIRFOIL, b"1\t2\t3\n", "3 cells in row 0, 6 are named"),
        ("airfoil", AIRFOIL, b"1\t2\t3\t4\t5\tloud\n", "loud"),
        ("airfoil", AIRFOIL, b"1\t2\t3\t4\t5\tnan\n", "another value in row 0"),
        ("airfoil", AIRFOIL, b"\xff\xfe\x00\x01\n", "decode"),
        ("phoneme", PHONEME, b"no archive", "gzip"),
        ("phoneme", PHONEME, packed(HEAD * 9)[:40], "expected a table of numbers"),
        ("phoneme", PHONEME, packed(b"a\tb\n1\t2\n"), "'target' not filled"),
        ("phoneme", PHONEME, packed(HEAD), "'target' not filled"),
    ],
)
def test_damage_is_named(shelf, name, file, content, words):
    with pytest.raises(DataError, match=words):
        tabular(name, shelf(file, content))
