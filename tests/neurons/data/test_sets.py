import pytest

from neurons.data import sets
from neurons.data.registry import DataError


def test_unknown_names_list_the_allowed():
    with pytest.raises(ValueError, match=r"'hit'; allowed: .*cwru"):
        sets.load("hit")
    with pytest.raises(ValueError, match=r"'mfpt'; allowed: .*cwru, defects, hit"):
        sets.simulated("mfpt")


def test_reading_never_turns_into_simulating(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError):
        sets.load("cwru")


@pytest.mark.parametrize("name", ["cwru", "hit"])
def test_simulated_says_so(name):
    records = sets.simulated(name, seed=2)
    assert records.simulated
    assert records.name == f"simulated_{name}"
