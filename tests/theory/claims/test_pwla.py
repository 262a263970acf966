"""Every claim of the PWLA paper can fail."""

from functools import cache

import jax
import numpy as np
import pytest

from theory.claims import Budget, pwla_experiments, pwla_training
from theory.claims import pwla_problems as problems
from theory.claims.claim import remember
from theory.claims.pwla import CLAIMS

BUDGET = Budget("test", seeds=2, effort=0.1, data=1.0)
BY_NAME = {claim.name: claim for claim in CLAIMS}
AS_STATED = {"stationary_as_stated", "global_as_stated", "local_as_stated"}
FEW = tuple(p for p in problems.PROBLEMS if p.name in ("x^2", "log(x)", "x^3"))


@pytest.fixture(autouse=True)
def few_problems(monkeypatch):
    """One function that bends up, one down, one both ways; few sizes to compile."""
    one_way = tuple(p for p in FEW if p.one_way)
    for module in (pwla_experiments, pwla_training):
        monkeypatch.setattr(module, "PROBLEMS", FEW)
        monkeypatch.setattr(module, "ONE_WAY", one_way)
    monkeypatch.setattr(pwla_training, "_COUNTS", (4,))


memory = cache(remember)


def finding(name, fault=None):
    claim = BY_NAME[name]
    return claim.check(BUDGET, key=jax.random.key(0), recall=memory(), fault=fault).finding


@pytest.mark.usefixtures("standard_promotion", "unchecked")
@pytest.mark.parametrize("name", [n for n in BY_NAME if n not in ("rate", "minimax")])
def test_planted_fault_flips_the_verdict(name):
    honest = finding(name).status
    assert honest == ("refuted" if name in AS_STATED else "supported")
    for fault in BY_NAME[name].faults:
        assert {finding(name, fault).status, honest} == {"supported", "refuted"}


@pytest.mark.parametrize("name", ["rate", "minimax"])
def test_claims_on_five_functions_flip_too(name, monkeypatch):
    monkeypatch.setattr(pwla_experiments, "ONE_WAY", problems.ONE_WAY)
    assert finding(name).status == "supported"
    for fault in BY_NAME[name].faults:
        assert finding(name, fault).status == "refuted"


def test_no_verdict_depends_on_data():
    assert all(claim.data is None and claim.simulate() == "no data needed" for claim in CLAIMS)


@pytest.mark.parametrize(
    ("name", "segments", "error"),
    [
        ("sqrt(x)", 4, 0.00468063774),
        ("exp(x)", 4, 0.00390589371),
        ("sin(x), a quarter", 8, 0.00104547912),
        ("x^3", 2, 0.1752549164),
    ],
)
def test_misfit_is_the_error_of_high_precision_oracles(name, segments, error):
    best = problems.optimum(name, segments)
    found = problems.misfit(name, *best.pieces)
    assert found.error == pytest.approx(error, rel=1e-8)
    assert found.own == pytest.approx(found.error, rel=1e-9)
    assert found.gap < 1e-6


def test_misfit_of_the_wrong_knots_is_larger_and_its_lines_do_not_meet():
    knots = np.array([0.0, 0.2, 1.0])
    found = problems.misfit("x^2", knots, knots**2)
    assert found.excess > 1
    assert found.gap > 0.5


def test_no_trained_lattice_beats_the_certified_optimum():
    for name in ("global_as_stated", "global_improved", "local_improved"):
        for ratios in finding(name).series["ratios"].values():
            assert min(ratios) >= 1 - 1e-9


def test_a_cubic_gains_from_a_jump():
    control = finding("continuity_free").controls[0]
    assert control.status == "supported"
    # 1 - 0.160356745 / 0.175254916
    assert control.effect == pytest.approx(0.0850085, abs=1e-6)
