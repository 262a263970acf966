import pytest

from neurons.data import registry
from neurons.data.__main__ import main
from neurons.data.registry import Entry

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "manifest", lambda: (Entry("toy/a.bin", 0, EMPTY, ""),))
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (tmp_path / "data/toy").mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def toy(monkeypatch):
    # The command took its own references to the manifest's readers when it was imported.
    monkeypatch.setattr("neurons.data.__main__.names", lambda: ("toy",))


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("command", ["fetch", "verify"])
def test_missing_data_is_one_line_and_status_1(root, capsys, command):
    assert main([command, "toy"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("toy/a.bin: expected ")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("toy")
def test_intact_data_is_status_0(root, capsys):
    (root / "toy/a.bin").touch()
    assert main(["list"]) == main(["list", "--folder", str(root)]) == 0
    assert main(["verify", "toy", "--folder", str(root)]) == 0
    assert main(["fetch", "toy", "--folder", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("not here")
    assert lines[1].startswith("toy ")
    assert not lines[1].endswith("not here")
    assert lines[2] == "toy: 1 files, all intact"
    assert lines[3] == str(root / "toy/a.bin")


@pytest.mark.parametrize("words", [[], ["fetch"], ["fetch", "nothing"], ["lost"]])
def test_usage_error_is_status_2_with_the_allowed(capsys, words):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "nothing" not in words or "cwru" in capsys.readouterr().err
