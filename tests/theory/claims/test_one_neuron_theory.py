"""Every theory experiment of the one-neuron paper can fail."""

from functools import cache

import jax
import pytest

from theory.claims import Budget, one_neuron_theory
from theory.claims.claim import Lab, remember

BUDGET = Budget("test", seeds=3, effort=0.06, data=0.1)
FLIPS = [(name, fault) for name, faults in one_neuron_theory.FAULTS.items() for fault in faults]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Smaller grids and fewer dimensions: the experiments, not the numbers, are tested."""
    monkeypatch.setattr(one_neuron_theory, "SIDE", 30)
    monkeypatch.setattr(one_neuron_theory, "GRID", 60)
    monkeypatch.setattr(one_neuron_theory, "DIMENSIONS", (2, 5, 100))
    monkeypatch.setattr(one_neuron_theory, "KINK_WIDTHS", (8, 16, 32, 64))


@cache
def finding(name, fault=None):
    lab = Lab(BUDGET, jax.random.key(0), "no data needed", remember(), fault)
    return getattr(one_neuron_theory, name)(lab)


@pytest.mark.parametrize(("name", "fault"), FLIPS)
def test_planted_faults_refute(name, fault):
    assert finding(name, fault).status == "refuted"


@pytest.mark.parametrize("name", ["norm_growth", "curved_kink"])
def test_honest_findings_support(name):
    assert finding(name).status == "supported"


def test_three_seeds_show_the_slope_but_may_not_decide_it():
    found = finding("monte_carlo_slope")
    assert found.status != "refuted"
    assert found.comparison.effect == pytest.approx(0, abs=0.03)
    assert all(control.status != "refuted" for control in found.controls)


def test_directions_are_counted():
    series = finding("norm_growth").series
    assert series["needed"] == [2, 5, 100]
    assert series["norms"] == pytest.approx([12, 30, 600], rel=0.02)
    assert series["quadratic"] == [1, 1, 1]
