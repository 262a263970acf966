import jax
import pytest
from watching import Watcher

from paper_figures.data import Shelf, Unreadable, digest
from paper_figures.runner import Run, paper_key, total_seconds
from paper_figures.store import Store, now
from theory.claims import smoke


class Reader:
    """A public set that is there."""

    class DataError(Exception):
        pass

    def __init__(self, broken=False):
        self.broken, self.loaded = broken, []

    def available(self, name, folder=None):
        return True

    def load(self, name, folder=None):
        if self.broken:
            raise self.DataError("105.mat: expected 3 windows, found 2")
        self.loaded.append(name)
        return f"{name} (real)"


def run(tmp_path, paper, *, seed=0, shelf=None, fresh=False):
    watcher = Watcher()
    store = Store(tmp_path, since=now(tmp_path) if fresh else 0, say=watcher.say)
    watcher.found = Run(smoke, seed, shelf or Shelf(), store, watcher).check([paper])
    return watcher


def test_claims_of_a_paper_share_parts_and_a_second_run_computes_nothing(toy, tmp_path):
    first = run(tmp_path, toy.paper())
    assert [o.status for o in first.found] == ["supported", "undecided", "refuted"]
    assert first.parts == [f"train/{n}/seed{s}" for n in ("quadratic", "linear") for s in (0, 1)]
    again = run(tmp_path, toy.paper())
    assert again.parts == []
    assert all(o.recalled for o in again.found)
    assert [o.verdict for o in again.found] == [o.verdict for o in first.found]


@pytest.mark.parametrize("change", [{"seed": 1}, {"fresh": True}])
def test_another_seed_or_no_resume_computes_again(toy, tmp_path, change):
    first = run(tmp_path, toy.paper())
    assert run(tmp_path, toy.paper(), **change).parts == first.parts


def test_time_of_shared_parts_counts_for_each_claim_and_once_in_all(slow_toy, tmp_path):
    found = run(tmp_path, slow_toy.paper()).found
    assert [o.verdict.seconds for o in found] == [2, 2, 3]
    assert total_seconds(found) == 5


def test_a_claim_that_breaks_does_not_stop_the_others(toy, tmp_path):
    broken = toy.claim("broken", toy.broken)
    seen = run(tmp_path, toy.paper(claims=(broken, toy.claim("equal", toy.equal))))
    assert [o.status for o in seen.found] == ["failed", "undecided"]
    assert seen.found[0].error == "RuntimeError: no <such> thing"
    assert "Traceback" in seen.said[0]


def test_all_claims_of_a_paper_get_one_key_and_papers_differ():
    same, other = paper_key(0, "qttention"), paper_key(0, "dino")
    assert (jax.random.key_data(same) != jax.random.key_data(other)).any()
    assert (jax.random.key_data(same) != jax.random.key_data(paper_key(1, "qttention"))).any()


def test_real_data_is_loaded_once_and_takes_the_place_of_the_simulation(toy):
    reader = Reader()
    shelf = Shelf(reader=reader)
    claims = [toy.claim(n, toy.equal, data="coins") for n in "ab"] + [toy.claim("c", toy.equal)]
    shelf.load(claims)
    assert reader.loaded == ["coins"]
    assert shelf.get(claims[0]) == ("coins (real)", "real")
    assert shelf.get(claims[2])[1] == "none"


def test_a_public_set_may_say_that_what_counts_in_it_is_simulated(toy):
    class Drawn:
        simulated = True

    reader = Reader()
    reader.load = lambda name, folder=None: Drawn()
    shelf = Shelf(reader=reader)
    claim = toy.claim("a", toy.equal, data="coins")
    shelf.load([claim])
    assert shelf.get(claim)[1] == "simulated"


def test_simulations_are_shared(toy):
    shelf = Shelf(reader=toy.NoReader)
    claims = [toy.claim(n, toy.equal, data="coins") for n in "ab"]
    shelf.load(claims)
    assert shelf.get(claims[0])[0] is shelf.get(claims[1])[0]
    assert shelf.get(claims[0])[1] == "simulated"


def test_damaged_public_data_is_no_reason_to_simulate(toy, tmp_path):
    paper = toy.paper()
    with pytest.raises(Unreadable, match=r"coins: 105\.mat: expected 3 windows"):
        run(tmp_path, paper, shelf=Shelf(reader=Reader(broken=True)))


def test_digest_prefers_the_datas_own_and_refuses_addresses(toy):
    assert digest(toy.Coins()) == "coins-1"
    assert digest("a") != digest("b")
    with pytest.raises(TypeError, match="object needs `digest: str`"):
        digest(object())


def known(tmp_path, paper):
    watcher = Watcher()
    return Run(smoke, 0, Shelf(), Store(tmp_path, say=watcher.say), watcher).stored([paper])


def test_what_is_stored_is_told_without_computing(toy, tmp_path):
    first = run(tmp_path, toy.paper())
    assert [o.verdict for o in known(tmp_path, toy.paper())] == [o.verdict for o in first.found]
    assert {o.status for o in known(tmp_path / "empty", toy.paper())} == {"unchecked"}
    assert not (tmp_path / "empty").exists()


def test_verdicts_of_other_code_are_stale(toy, tmp_path, monkeypatch):
    first = run(tmp_path, toy.paper())
    monkeypatch.setattr("paper_figures.runner._loaded", lambda module: "changed")
    found = known(tmp_path, toy.paper())
    assert [o.stale for o in found] == [True, True, True]
    assert [o.verdict for o in found] == [o.verdict for o in first.found]
    again = run(tmp_path, toy.paper())
    assert not any(o.recalled or o.stale for o in again.found)
    assert not any(o.stale for o in known(tmp_path, toy.paper()))


def test_verdicts_of_another_seed_or_budget_are_no_evidence(toy, tmp_path):
    run(tmp_path, toy.paper(), seed=1)
    assert {o.status for o in known(tmp_path, toy.paper())} == {"unchecked"}
