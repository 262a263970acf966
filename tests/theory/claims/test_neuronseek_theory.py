"""Every claim on super-expressivity can fail."""

from functools import cache

import jax
import pytest

from theory.claims import Budget, claims, neuronseek_experiments
from theory.claims.claim import remember

BUDGET = Budget("test", seeds=3, effort=0.02, data=0.1)
CLAIMS = {claim.name: claim for claim in claims("neuronseek_theory")}
RECALL = remember()
HONEST = {
    "super_expressive_as_stated": "refuted",
    "oscillating_shatters": "supported",
    "dense_trajectory": "supported",
    "bounded_parameter_pays_in_bits": "supported",
}
FLIPS = [
    ("super_expressive_as_stated", "sinusoid", "supported"),
    ("oscillating_shatters", "polynomial", "refuted"),
    ("dense_trajectory", "rational_directions", "refuted"),
    ("bounded_parameter_pays_in_bits", "constant_labels", "refuted"),
]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Fewer values to follow, for more targets."""
    monkeypatch.setattr(neuronseek_experiments, "VALUES", (3,))
    monkeypatch.setattr(neuronseek_experiments, "TARGETS", 400)


@cache
def verdict(name, fault=None):
    return CLAIMS[name].check(BUDGET, key=jax.random.key(0), recall=RECALL, fault=fault)


def test_all_claims_are_here():
    assert set(CLAIMS) == set(HONEST)
    assert {(name, fault) for name, c in CLAIMS.items() for fault in c.faults} == {
        (name, fault) for name, fault, _ in FLIPS
    }


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize("name", HONEST)
def test_honest_verdicts(name):
    assert verdict(name).status == HONEST[name]


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize(("name", "fault", "faulty"), FLIPS)
def test_planted_faults_flip_them(name, fault, faulty):
    assert verdict(name, fault).status == faulty != HONEST[name]


@pytest.mark.usefixtures("standard_promotion")
def test_trained_networks_obey_the_proved_bound():
    series = verdict("super_expressive_as_stated").finding.series
    bounds = dict(zip(series["far_waves"], series["bounds"]["1 x 8"], strict=True))
    for run in series["trained"]:
        for wave, error in zip(series["waves"], run, strict=True):
            assert error >= bounds[wave]
    assert min(run[-1] for run in series["trained"]) > 0.9


def test_float64_is_not_enough_beyond_fifteen_points():
    series = verdict("oscillating_shatters").finding.series
    missed = dict(zip(series["points"], series["missed"], strict=True))
    assert all(share == 0 for share in missed[15])
    assert all(share > 0 for share in missed[16])
    assert neuronseek_experiments.BEYOND == (16, 17, 18)
