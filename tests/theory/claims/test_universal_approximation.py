"""Every claim of the universal approximation paper can fail."""

from fractions import Fraction

import jax
import numpy as np
import pytest

from theory.claims import Budget
from theory.claims import universal_approximation_experiments as experiments
from theory.claims.universal_approximation import CLAIMS

BUDGET = Budget("test", seeds=1, effort=0.1, data=1.0)
BY_NAME = {claim.name: claim for claim in CLAIMS}


def finding(name, fault=None):
    return BY_NAME[name].check(BUDGET, key=jax.random.key(0), fault=fault).finding


@pytest.fixture(autouse=True)
def few_degrees(monkeypatch):
    """Each degree takes its own compilation; 5 has an odd number of factors."""
    monkeypatch.setattr(experiments, "DEGREES", (1, 5, 32))


@pytest.mark.parametrize("name", list(BY_NAME))
def test_planted_fault_flips_the_verdict(name):
    honest = finding(name).status
    assert honest == ("refuted" if name == "exponential_as_read" else "supported")
    for fault in BY_NAME[name].faults:
        assert {finding(name, fault).status, honest} == {"supported", "refuted"}


def test_no_verdict_depends_on_data():
    assert all(claim.data is None and claim.simulate() == "no data needed" for claim in CLAIMS)


def test_a_layered_tree_needs_more_neurons_and_a_control_says_so():
    control = finding("tree_size").controls[0]
    assert (control.status, control.effect) == ("refuted", 1.0)


def test_lower_bound_of_relu_neurons_grows_with_accuracy():
    series = finding("products_cheap").series
    assert np.all(np.diff(series["fewest"]) > 0)
    assert np.all(np.array(series["fewest"]) < np.array(series["weights"]))


def test_fractions_are_exact():
    x = np.array([0.1, 0.7])
    found = experiments._in_fractions(np.array([1.0, 0.0, -3.0]), x)
    assert found.tolist() == [float(1 - 3 * Fraction(float(p)) ** 2) for p in x]
