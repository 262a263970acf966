import json
import math
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_figures import files
from paper_figures.notebook import Notebook
from paper_figures.store import Entry, Key, Store, now

KEY = Key("toy", "c0de", "jax 1", "smoke", 0, "d1", "part", "train/qcnn/-6dB/seed0")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def refuse():
    raise AssertionError("computed again")


@given(value=JSON)
def test_values_come_back_exactly(tmp_path_factory, value):
    store = Store(tmp_path_factory.getbasetemp() / "exact")
    store.write(KEY, Entry(value, 1.0))
    # repr tells -0.0 from 0.0, and NaN is equal to NaN in it.
    assert repr(store.read(KEY).value) == repr(value)


def test_a_value_is_the_same_computed_or_recalled(tmp_path):
    first = Notebook(Store(tmp_path), KEY).recall("x", lambda: {"pair": (1, math.nan)})
    again = Notebook(Store(tmp_path), KEY).recall("x", refuse)
    assert repr(first) == repr(again) == "{'pair': [1, nan]}"


@pytest.mark.parametrize("part", sorted(set(asdict(KEY))))
def test_every_part_of_the_key_counts(tmp_path, part):
    store = Store(tmp_path)
    store.write(KEY, Entry(1, 0.0))
    other = 7 if part == "seed" else "other"
    assert store.read(replace(KEY, **{part: other})) is None


def test_the_key_stands_in_the_file(tmp_path):
    Store(tmp_path).write(KEY, Entry(1, 0.5))
    assert json.loads((tmp_path / KEY.file).read_text())["key"] == asdict(KEY)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: text.replace("c0de", "other"),
        lambda text: text.replace('"parts": {}', '"parts": 3'),
        lambda text: text.replace('"seconds": 0.5', '"seconds": "long"'),
    ],
)
def test_a_damaged_file_is_reported_and_computed_again(tmp_path, damage):
    heard = []
    Store(tmp_path).write(KEY, Entry(1, 0.5))
    path = tmp_path / KEY.file
    path.write_text(damage(path.read_text()))
    notebook = Notebook(Store(tmp_path, say=heard.append), KEY)
    assert notebook.recall(KEY.name, lambda: 2) == 2
    assert len(heard) == 1
    assert path.name in heard[0]
    assert Store(tmp_path).read(KEY).value == 2


def test_a_file_that_is_no_text_is_reported(tmp_path):
    heard = []
    files.write(tmp_path / KEY.file, b"\xff\xfe\x00")
    assert Store(tmp_path, say=heard.append).read(KEY) is None
    assert heard


def test_entries_older_than_a_run_are_not_read(tmp_path):
    Store(tmp_path).write(KEY, Entry("old", 0.0))
    store = Store(tmp_path, since=now(tmp_path))
    assert store.read(KEY) is None
    store.write(KEY, Entry("new", 0.0))
    assert store.read(KEY).value == "new"


def test_values_beyond_json_are_refused_by_name(tmp_path):
    with pytest.raises(TypeError, match=r"train/qcnn.*JSON types.*set"):
        Store(tmp_path).write(KEY, Entry({1, 2}, 0.0))
    assert not list(tmp_path.rglob("*"))


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    files.write(tmp_path / "a", "old")
    monkeypatch.setattr(files.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        files.write(tmp_path / "a", "new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "old"}


def nested(notebook, clock):
    def outer():
        clock.sleep(30)
        notebook.recall("inner", lambda: clock.sleep(200))

    def judge():
        clock.sleep(1)
        notebook.recall("outer", outer)
        notebook.recall("inner", refuse)

    return notebook.claim("c", judge, lambda value: value)[0]


def test_every_second_counts_once_also_in_nested_parts(tmp_path, clock):
    entry = nested(Notebook(Store(tmp_path), KEY), clock)
    assert entry.seconds == 1
    assert entry.parts == {"inner": 200, "outer": 30}
    assert entry.total == 231


def test_a_verdict_of_recalled_parts_reports_what_they_cost(tmp_path, clock):
    before = nested(Notebook(Store(tmp_path), KEY), clock)
    (tmp_path / replace(KEY, kind="claim", name="c").file).unlink()
    assert nested(Notebook(Store(tmp_path), KEY), clock) == before


def test_json_that_is_no_verdict_is_computed_again(tmp_path):
    heard = []

    def accept(value):
        if value != "good":
            raise KeyError("finding")

    Notebook(Store(tmp_path), KEY).claim("c", lambda: "bad", accept)
    notebook = Notebook(Store(tmp_path, say=heard.append), KEY)
    assert notebook.claim("c", lambda: "good", accept)[0].value == "good"
    assert "no verdict" in heard[0]
    assert notebook.claim("c", refuse, accept)[1]
