"""The public anomaly tables: sizes as stated, twins told apart, damage named."""

import hashlib
from functools import partial

import numpy as np
import pytest
from scipy.io import savemat

from neurons.data import registry, sets
from neurons.data.anomalies import (
    _FILES,
    ANOMALY_TABLES,
    FIRST_TABLE,
    PAPER_SETS,
    anomalies,
    anomaly_table,
)
from neurons.data.anomaly_tables import split_anomalies
from neurons.data.registry import DataError, Entry

# Rows, inputs and anomalies, measured in the publishers' files.
SIZES = {
    "arrhythmia": (452, 274, 66), "cardio": (1831, 21, 176), "glass": (214, 9, 9),
    "ionosphere": (351, 33, 126), "letter": (1600, 32, 100), "lympho": (148, 18, 6),
    "mnist": (7603, 100, 700), "musk": (3062, 166, 97), "optdigits": (5216, 64, 150),
    "pendigits": (6870, 16, 156), "pima": (768, 8, 268), "satellite": (6435, 36, 2036),
    "satimage-2": (5803, 36, 71), "shuttle": (49097, 9, 3511), "vertebral": (240, 6, 30),
    "vowels": (1456, 12, 50), "wbc": (378, 30, 21), "aloi": (49534, 27, 1508),
    "fault": (1941, 27, 673), "glass_adbench": (214, 7, 9), "ionosphere_adbench": (351, 32, 126),
    "musk_adbench": (3062, 166, 97), "pendigits_adbench": (6870, 16, 156),
    "shuttle_adbench": (49097, 9, 3511), "waveform": (3443, 21, 100), "wdbc": (367, 30, 10),
    "wpbc": (198, 33, 47),
}  # fmt: skip


@pytest.fixture(scope="module")
def real(folder_with):
    return sets.load("anomalies", folder_with("anomalies"))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A data folder with one file of the manifest, whatever it holds."""

    def put(name, **stored):
        path = tmp_path / _FILES[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        (savemat if path.suffix == ".mat" else _savez)(path, stored)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        entry = Entry(_FILES[name], path.stat().st_size, sha256, "")
        monkeypatch.setattr(registry, "manifest", lambda: (entry,))
        return partial(anomaly_table, name, tmp_path)

    return put


def _savez(path, stored):
    np.savez(path, **stored)


def test_the_manifest_has_every_file_and_no_other():
    assert {entry.path for entry in registry.entries("anomalies")} == set(_FILES.values())
    assert set(SIZES) == set(ANOMALY_TABLES)


def test_names_of_the_paper_lead_to_tables():
    assert set(PAPER_SETS.values()) <= set(ANOMALY_TABLES)
    assert len(PAPER_SETS) == 14
    assert "KDDCUP99" not in PAPER_SETS
    assert list(PAPER_SETS)[:8] == list(FIRST_TABLE)


def test_sizes_are_those_of_the_files(real):
    assert {t.name: (*t.x.shape, int(t.y.sum())) for t in real.tables} == SIZES
    assert not any(np.isnan(table.x).any() for table in real.tables)
    assert not real.simulated


def test_known_rows_are_read(real):
    np.testing.assert_allclose(real["glass"].x[0, :3], [1.52101, 13.64, 4.49])
    assert np.flatnonzero(real["glass"].y).tolist() == list(range(176, 185))
    assert real["pima"].x[0].tolist()[:3] == [6.0, 148.0, 72.0]
    assert real["wpbc"].y.sum() == 47


def test_sources_say_how_the_sets_differ(real):
    for name in FIRST_TABLE:
        assert "repository has the same size" in real[name].source
    assert "1,013 x 9 with 13 anomalies" in real["shuttle_adbench"].source
    assert "50,000 x 27" in real["aloi"].source
    assert "no set of the paper" in real["cardio"].source


def test_twins_are_told_apart_and_described_rightly(real):
    for name in ("musk", "pendigits", "shuttle"):
        odds, adbench = real[name], real[f"{name}_adbench"]
        np.testing.assert_array_equal(odds.x, adbench.x)
        np.testing.assert_array_equal(odds.y, adbench.y)
        assert odds.digest != adbench.digest
        assert "the same numbers" in adbench.source
    assert not np.array_equal(real["glass"].y, real["glass_adbench"].y)
    for column in range(32):
        pair = (real["ionosphere"].x[:, column + 1], real["ionosphere_adbench"].x[:, column])
        assert np.corrcoef(*map(np.sort, pair))[0, 1] == pytest.approx(1)


@pytest.mark.parametrize("name", ["arrhythmia", "shuttle_adbench", "optdigits"])
def test_real_tables_are_split_without_trouble(real, name):
    split = split_anomalies(real[name], seed=0, rows=400)
    assert np.isfinite(split.train).all()
    assert np.isfinite(split.test).all()
    assert len(split.train) + len(split.test) == 400


def test_unknown_name_lists_the_allowed():
    with pytest.raises(ValueError, match="'kddcup99'; allowed: arrhythmia, cardio"):
        anomaly_table("kddcup99")


def test_absent_files_name_the_way_out(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match="fetch odds"):
        anomalies()
    with pytest.raises(DataError, match="fetch adbench"):
        anomaly_table("wdbc")


FEW = np.arange(12).reshape(6, 2)
LABELS = np.array([0, 0, 1, 0, 1, 0])


@pytest.mark.parametrize("name", ["glass", "wdbc"])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float64])
def test_both_forms_and_all_kinds_of_numbers_are_read(shelf, name, kind):
    table = shelf(name, X=FEW.astype(kind), y=LABELS.astype(kind))()
    assert table.x.dtype == np.float64
    np.testing.assert_array_equal(table.x, FEW)
    np.testing.assert_array_equal(table.y, LABELS == 1)
    assert "6 x 2" not in table.source
    assert "has 214 x 9" in table.source or "has 367 x 30" in table.source


@pytest.mark.parametrize("name", ["glass", "wdbc"])
@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ({"X": FEW}, "KeyError"),
        ({"X": FEW, "y": LABELS[:5]}, "a label y each"),
        ({"X": FEW.astype("U3"), "y": LABELS}, "numbers X"),
        ({"X": FEW + 1j, "y": LABELS}, "numbers X"),
        ({"X": FEW[..., None] * np.ones(2), "y": LABELS}, "numbers X"),
        ({"X": FEW.astype(float), "y": np.array([0, 0, 1, np.nan, 1, 0])}, "labels 0 .normal"),
        ({"X": FEW, "y": LABELS.astype("U1")}, "numbers X"),
        ({"X": FEW, "y": LABELS + 1}, r"found \[1 2\]"),
        ({"X": np.where(FEW == 7, np.inf, FEW), "y": LABELS}, "infinity in row 3"),
    ],
    ids=[
        "no y",
        "short y",
        "text",
        "complex",
        "cube",
        "NaN label",
        "text label",
        "labels 1 and 2",
        "infinity",
    ],
)
def test_what_the_files_should_not_hold_is_named(shelf, name, stored, words):
    with pytest.raises(DataError, match=words):
        shelf(name, **stored)()


def test_missing_values_are_kept_as_nan(shelf):
    x = np.where(FEW == 7, np.nan, FEW)
    assert np.isnan(shelf("glass", X=x, y=LABELS)().x).sum() == 1
