import hashlib
import pickle
import re

import pytest

from neurons.data import registry
from neurons.data.registry import DataError, Entry

CONTENT = {"toy/a.bin": b"first file", "toy/sub/b.bin": b"second"}
ENTRIES = tuple(
    Entry(path, len(content), hashlib.sha256(content).hexdigest(), "")
    for path, content in CONTENT.items()
)


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """A manifest of one small set, and three empty data folders in search order."""
    monkeypatch.setattr(registry, "manifest", lambda: ENTRIES)
    folders = [tmp_path / name for name in ("given", "env", "home/neuron-companion")]
    monkeypatch.setenv("NEURONS_DATA", str(folders[1]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return folders


def fill(root, paths=tuple(CONTENT)):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(CONTENT[path])


def test_manifest_holds_the_ten_cwru_files_with_usable_rows():
    entries = registry.entries("cwru")
    assert len({entry.sha256 for entry in entries}) == len(entries) == 10
    assert all(re.fullmatch("[0-9a-f]{64}", entry.sha256) for entry in entries)
    assert all(entry.url.startswith("https://") and entry.bytes > 2e6 for entry in entries)
    assert entries[-1].set == "cwru"
    assert entries[-1].file == "normal_0_97.mat"


def test_unknown_name_lists_the_allowed():
    with pytest.raises(ValueError, match=r"'cwr'; allowed: .*cwru"):
        registry.entries("cwr")


def test_folders_are_searched_in_order(rooms):
    for count, root in enumerate(reversed(rooms), start=1):
        fill(root)
        found = registry.locate("toy", rooms[0])
        assert found == {"a.bin": root / "toy/a.bin", "sub/b.bin": root / "toy/sub/b.bin"}
        assert count == 3 or registry.locate("toy") == found
    assert registry.locate("toy")["a.bin"].is_relative_to(rooms[1])


def test_files_of_one_set_may_lie_in_two_folders(rooms):
    fill(rooms[0], ["toy/a.bin"])
    fill(rooms[2], ["toy/sub/b.bin"])
    assert list(registry.locate("toy", rooms[0]).values()) == [
        rooms[0] / "toy/a.bin",
        rooms[2] / "toy/sub/b.bin",
    ]


def test_cache_falls_back_to_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert registry.cache() == tmp_path / ".cache/neuron-companion"


def test_missing_file_names_the_way_out(rooms):
    fill(rooms[1], ["toy/a.bin"])
    with pytest.raises(DataError, match=r"python -m neurons\.data fetch toy") as caught:
        registry.locate("toy")
    assert caught.value.file == "toy/sub/b.bin"
    assert str(rooms[1]) in caught.value.found
    assert not registry.available("toy")


@pytest.mark.parametrize(
    ("content", "expected", "found"),
    [
        (b"first fil", "10 bytes", "9 bytes"),
        (b"", "10 bytes", "0 bytes"),
        (b"First file", "SHA-256", hashlib.sha256(b"First file").hexdigest()),
    ],
)
def test_damage_is_named_and_not_skipped_over(rooms, content, expected, found):
    fill(rooms[2])
    assert registry.available("toy")
    (rooms[1] / "toy").mkdir(parents=True)
    (rooms[1] / "toy/a.bin").write_bytes(content)
    (problem,) = registry.verify("toy")
    assert problem.file == str(rooms[1] / "toy/a.bin")
    assert problem.expected.startswith(expected)
    assert problem.found == found
    assert "delete it" in problem.way_out


def test_digest_changes_with_any_hash_and_not_with_the_order(monkeypatch):
    def version(*entries):
        monkeypatch.setattr(registry, "manifest", lambda: entries)
        return registry.digest("toy")

    altered = Entry(ENTRIES[0].path, 10, "0" * 64, "")
    assert version(*ENTRIES) == version(*ENTRIES[::-1]) != version(altered, ENTRIES[1])


def test_error_survives_another_process():
    error = DataError("a.bin", "this", "that", "do so")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "a.bin: expected this, found that; do so"
    assert again.way_out == "do so"


def test_a_group_stands_for_its_sets(rooms, monkeypatch):
    monkeypatch.setattr(registry, "GROUPS", {"both": ("toy", "more"), "other": ("toy", "absent")})
    more = Entry("more/a.bin", *(getattr(ENTRIES[0], part) for part in ("bytes", "sha256", "url")))
    monkeypatch.setattr(registry, "manifest", lambda: (*ENTRIES, more))
    assert registry.names() == ("both", "more", "toy")  # a group without its sets is no name
    assert registry.entries("both") == (*ENTRIES, more)
    fill(rooms[0])
    assert registry.available("toy", rooms[0])
    (problem,) = registry.verify("both", rooms[0])
    assert "fetch more" in problem.way_out
    (rooms[0] / "more").mkdir()
    (rooms[0] / "more/a.bin").write_bytes(CONTENT["toy/a.bin"])
    assert registry.locate("both", rooms[0]) == {
        path: rooms[0] / path for path in ("toy/a.bin", "toy/sub/b.bin", "more/a.bin")
    }
    assert registry.digest("both") != registry.digest("toy")
