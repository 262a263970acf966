import json
import os
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from watching import Watcher

from paper_figures.ahead import ATTEMPTS, Settings, check_ahead
from paper_figures.data import Shelf
from paper_figures.executors import NoWorkers, Processes, allowed, workers
from paper_figures.runner import Run
from paper_figures.store import Store, now
from theory.claims import smoke

TOY = Path(__file__).parent / "toy_paper.py"


class Threads:
    """Workers of this process; some of their first tasks fail as if a process had died."""

    def __init__(self, deaths=0, at_once=1, deadly=""):
        self.deaths, self.renewed, self.tasks = deaths, 0, []
        self.at_once, self.deadly, self.beside = at_once, deadly, []
        self.pool = ThreadPoolExecutor(1)

    def executor(self):
        return self

    def submit(self, function, task, settings):
        self.tasks.append(str(task))
        if self.deaths or str(task) == self.deadly:
            self.deaths = max(0, self.deaths - 1)
            lost = Future()
            lost.set_exception(BrokenExecutor("a worker died"))
            return lost
        return self.pool.submit(function, task, settings)

    def renew(self):
        self.renewed += 1


def run(folder, find, crew, since=0):
    watcher = Watcher()
    settings = Settings(smoke, 0, None, folder, since)
    own = Run(smoke, 0, Shelf(), Store(folder, since=since, say=watcher.say), watcher)
    watcher.found = check_ahead(own, settings, [find], crew)
    return watcher


def in_turn(folder, find):
    watcher = Watcher()
    watcher.found = Run(smoke, 0, Shelf(), Store(folder), watcher).check([find()])
    return watcher


def verdicts(outcomes):
    return [replace(outcome.verdict, seconds=0.0) for outcome in outcomes]


def test_workers_leave_the_evidence_of_a_run_without_them(toy, tmp_path):
    crew = Threads()
    seen = run(tmp_path / "ahead", toy.paper, crew)
    alone = in_turn(tmp_path / "alone", toy.paper)
    assert verdicts(seen.found) == verdicts(alone.found)
    assert [o.claim.id for o in seen.outcomes] == [o.claim.id for o in seen.found]
    entries = [
        sorted(p.relative_to(tmp_path / which) for p in (tmp_path / which).rglob("*.json"))
        for which in ("ahead", "alone")
    ]
    assert entries[0] == entries[1]


def test_pieces_come_first_and_the_run_itself_computes_nothing(toy, tmp_path):
    crew = Threads()
    seen = run(tmp_path, toy.paper, crew)
    assert crew.tasks[:3] == ["toy, piece 1", "toy, piece 2", "toy/better"]
    assert seen.parts == []
    assert not any(outcome.recalled for outcome in seen.found)
    assert all(outcome.recalled for outcome in run(tmp_path, toy.paper, Threads()).found)


def test_older_evidence_is_left_unread_if_it_is_to_be(toy, tmp_path):
    run(tmp_path, toy.paper, Threads())
    again = run(tmp_path, toy.paper, Threads(), since=now(tmp_path))
    assert not any(outcome.recalled for outcome in again.found)


def test_a_claim_that_breaks_is_reported_with_its_traceback(toy, tmp_path):
    claims = (toy.claim("broken", toy.broken), toy.claim("equal", toy.equal))
    seen = run(tmp_path, lambda: toy.paper(claims=claims), Threads())
    assert [o.status for o in seen.found] == ["failed", "undecided"]
    assert seen.found[0].error == "RuntimeError: no <such> thing"
    assert "Traceback" in "".join(seen.said)


def test_a_task_whose_worker_died_is_tried_again(toy, tmp_path):
    seen = run(tmp_path, toy.paper, Threads(deaths=2))
    assert [o.status for o in seen.found] == ["supported", "undecided", "refuted"]
    assert len([line for line in seen.said if line.endswith("its worker died; tried again")]) == 2


def test_a_claim_that_kills_every_worker_fails(toy, tmp_path):
    one = (toy.claim("equal", toy.equal),)
    find = lambda: replace(toy.paper(claims=one), pieces=None)  # noqa: E731
    seen = run(tmp_path, find, Threads(deaths=ATTEMPTS))
    assert [o.error for o in seen.found] == ["BrokenExecutor: a worker died"]


def test_what_may_have_killed_a_worker_runs_alone_and_harms_no_other(toy, tmp_path):
    crew = Threads(at_once=2, deadly="toy/equal")
    seen = run(tmp_path, toy.paper, crew)
    assert [o.status for o in seen.found] == ["supported", "failed", "refuted"]
    assert crew.tasks.count("toy/equal") == ATTEMPTS


def test_papers_take_turns(toy, tmp_path):
    crew = Threads(at_once=2)
    renamed = [replace(c, paper="other") for c in toy.paper().claims]
    other = partial(replace, toy.paper(), name="other", claims=tuple(renamed))
    own = Run(smoke, 0, Shelf(), Store(tmp_path), Watcher())
    found = check_ahead(own, Settings(smoke, 0, None, tmp_path), [toy.paper, other], crew)
    assert [o.claim.paper for o in found] == ["toy"] * 3 + ["other"] * 3
    assert crew.tasks[:4] == ["toy, piece 1", "other, piece 1", "toy, piece 2", "other, piece 2"]


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ("process", True),
        ("process:3", True),
        ("dask:tcp://127.0.0.1:8786", True),
        ("process:", False),
        ("process:0", False),
        ("process:-1", False),
        ("thread", False),
        ("dask:", False),
    ],
)
def test_executors_are_named_on_the_command_line(spec, known):
    assert allowed(spec) == known
    if not known:
        with pytest.raises(ValueError, match="allowed: process, process:WORKERS or dask:ADDRESS"):
            workers(spec)


def test_workers_are_one_for_every_core_at_least_one():
    assert Processes().count >= 1
    with pytest.raises(ValueError, match="at least one worker process, got 0"):
        Processes(0)


def test_a_cluster_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("paper_figures.executors.ANSWER", 0.2)
    with pytest.raises(NoWorkers, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        workers("dask:tcp://127.0.0.1:9")


def script(folder, *arguments, **environment):
    """The toy's command in a process of its own, which may have workers."""
    root = str(TOY.parents[2])
    environment = {**os.environ, "PYTHONPATH": root, **environment}
    line = [sys.executable, str(TOY), "--budget", "smoke", "--out", "out", *arguments]
    return subprocess.run(
        line, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def stored(folder):
    """All values in the store, without the seconds of verdicts."""
    found = {}
    for path in sorted((folder / "out" / "evidence").rglob("*.json")):
        entry = json.loads(path.read_text())
        value = entry["value"]
        found[entry["key"]["name"]] = (
            {k: v for k, v in value.items() if k != "seconds"} if "finding" in value else value
        )
    return json.dumps(found)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    assert script(folder).returncode == 0
    return stored(folder)


def test_processes_give_the_same_evidence_though_one_is_killed(tmp_path, reference):
    fatal = tmp_path / "fatal"
    fatal.touch()
    done = script(tmp_path, "--executor", "process:2", TOY_FATAL=str(fatal))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not fatal.exists()
    assert "its worker died; tried again" in done.stdout
    assert stored(tmp_path) == reference
    assert not list(tmp_path.rglob("*.part"))


def test_a_dask_cluster_gives_the_same_evidence_though_a_worker_is_killed(tmp_path, reference):
    distributed = pytest.importorskip("distributed")
    fatal = tmp_path / "fatal"
    fatal.touch()
    path = os.pathsep.join([str(TOY.parent), str(TOY.parents[2])])
    settings = {"env": {"PYTHONPATH": path, "TOY_FATAL": str(fatal)}}
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        worker_class=distributed.Nanny,
        silence_logs=50,
        **settings,
    ) as cluster:
        done = script(tmp_path, "--executor", f"dask:{cluster.scheduler_address}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not fatal.exists()
    assert stored(tmp_path) == reference
