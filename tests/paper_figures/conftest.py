import importlib
import sys
from pathlib import Path

import pytest

from paper_figures import notebook

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # for made_up


@pytest.fixture
def toy(monkeypatch):
    """The toy paper, and no public data."""
    monkeypatch.syspath_prepend(HERE)
    module = importlib.import_module("toy_paper")
    monkeypatch.setitem(sys.modules, "neurons.data", module.NoReader)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    return module


class Clock:
    """Time that passes only when somebody sleeps, so that a busy machine changes no result."""

    def __init__(self):
        self.now = 0.0

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    """Stands in for the clock of evidence."""
    made = Clock()
    monkeypatch.setattr(notebook, "perf_counter", lambda: made.now)
    return made


@pytest.fixture
def slow_toy(toy, clock, monkeypatch):
    """The toy paper, each of whose pauses takes a second of the clock."""
    monkeypatch.setattr(toy, "PAUSE", 1.0)
    monkeypatch.setattr(toy, "time", clock)
    return toy
