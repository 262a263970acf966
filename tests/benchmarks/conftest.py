"""Peers to compare with, interleaved timing, and the table of ratios that ends `make peers`."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))  # for torch_twin and looped_maps
EXTRA = 'needs the peers extra: pip install "neuron-companion[peers]"'
TABLE = pytest.StashKey[list["Row"]]()


class Row(NamedTuple):
    """One line of the table: seconds per call of ours and of the other."""

    what: str
    other: str
    ours: np.ndarray
    theirs: np.ndarray
    bar: float | None

    @property
    def ratio(self):
        """Ours over theirs, each at its best.

        Whatever else runs on the machine only adds time, and adds more to PyTorch, whose threads
        wait for each other: the least disturbed round of each is the fair one, and the severe one.
        """
        return self.ours.min() / self.theirs.min()

    def __str__(self):
        times = f"{self.ours.min() * 1e3:9.2f} {self.theirs.min() * 1e3:9.2f}"
        median = np.median(self.ours / self.theirs)
        bar = "" if self.bar is None else f"{self.bar:.3f}"
        return (
            f"{self.what:36}{self.other:28}{times} {self.ratio:8.3f} {median:8.3f} {bar:>6} "
            f"{len(self.ours):6}"
        )


HEAD = (
    f"{'ours':36}{'theirs':28}{'ours ms':>9} {'theirs ms':>9} {'best':>8} {'median':>8} {'bar':>6} "
    f"{'rounds':>6}"
)


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(TABLE, [])
    if rows:
        terminalreporter.section("ours / theirs")
        terminalreporter.write_line(HEAD)
        for row in rows:
            terminalreporter.write_line(str(row))
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        terminalreporter.write_line(f"{os.cpu_count()} cores, load {load:.1f} at the end")


@pytest.fixture
def record(request):
    """Takes a row for the table, and holds it to its bar; skipped where benchmarks are."""
    if request.config.getoption("benchmark_skip"):
        pytest.skip("a timing: left out by --benchmark-skip")
    if hasattr(request.config, "workerinput"):
        pytest.skip("a timing: needs the machine for itself, without -n")
    rows = request.config.stash.setdefault(TABLE, [])

    def keep(what, other, ours, theirs, bar=None):
        row = Row(what, other, np.asarray(ours), np.asarray(theirs), bar)
        rows.append(row)
        assert bar is None or row.ratio <= bar, f"{HEAD}\n{row}"

    return keep


@pytest.fixture(scope="session")
def torch():
    return pytest.importorskip("torch", reason=EXTRA)


@pytest.fixture(scope="session")
def twins(torch):
    """The module torch_twin, which imports it."""
    import torch_twin

    return torch_twin


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@pytest.fixture
def interleaved():
    """Seconds per call of several functions, after two calls to warm up.

    Every round calls all of them in a new order: PyTorch's threads go on waiting for work for a
    while, at the expense of whoever comes next.
    """

    def measure(*calls, rounds):
        for call in calls * 2:
            call()
        times, order = np.zeros((len(calls), rounds)), np.random.default_rng(0)
        for number in range(rounds):
            for one in order.permutation(len(calls)):
                times[one, number] = seconds(calls[one])
        return times

    return measure
