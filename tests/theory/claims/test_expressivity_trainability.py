"""Every claim of the expressivity paper can fail, and its experiments measure what they say."""

import jax
import numpy as np
import pytest
from flax import nnx

import neurons as nr
from theory.claims import Budget, residual_depth
from theory.claims import expressivity_trainability_experiments as experiments
from theory.claims.claim import Lab, remember
from theory.claims.expressivity_trainability import CLAIMS
from theory.claims.variety_experiments import dimensions

BUDGET = Budget("test", seeds=1, effort=0.02, data=1.0)
BY_NAME = {claim.name: claim for claim in CLAIMS}
EXACT = [
    "splines_exact",
    "conventional_cannot",
    "piece_counts",
    "degree_doubles",
    "more_dimensions_as_stated",
    "dimensions_per_parameter_as_read",
    "dimensions_at_equal_parameters_as_read",
]
TRAINED = ["scale_zero", "fewer_explode", "fewer_explode_normalised", "small_scale_harmless"]
REFUTED = {
    "dimensions_per_parameter_as_read",
    "dimensions_at_equal_parameters_as_read",
    "fewer_explode_normalised",
}
MEMORY = remember()


def finding(name, fault=None):
    key = jax.random.key(0)
    return BY_NAME[name].check(BUDGET, key=key, recall=MEMORY, fault=fault).finding


def status(name, fault=None):
    return finding(name, fault).status


@pytest.fixture
def shallow(monkeypatch):
    """One depth instead of five: each takes its own compilation."""
    monkeypatch.setattr(residual_depth, "DEPTHS", (16,))


def test_every_claim_is_tested():
    assert list(BY_NAME) == [*EXACT, *TRAINED]


@pytest.mark.parametrize("name", EXACT)
def test_planted_fault_flips_an_exact_claim(name):
    honest = "refuted" if name in REFUTED else "supported"
    assert status(name) == honest
    for fault in BY_NAME[name].faults:
        assert {status(name, fault), honest} == {"supported", "refuted"}


@pytest.mark.usefixtures("standard_promotion", "shallow")
@pytest.mark.parametrize("name", TRAINED)
def test_planted_fault_flips_a_trained_claim(name):
    honest = "refuted" if name in REFUTED else "supported"
    assert status(name) == honest
    for fault in BY_NAME[name].faults:
        assert {status(name, fault), honest} == {"supported", "refuted"}


def test_no_verdict_depends_on_data():
    assert all(claim.data is None and isinstance(claim.simulate(), str) for claim in CLAIMS)


def test_rows_hold_the_witness_of_the_refuted_reading():
    series = finding("dimensions_at_equal_parameters_as_read").series
    widest = series["sweep"][-1]
    assert (widest["quadratic"], widest["conventional"]) == (161, 177)
    assert widest["parameters"] == 257
    assert widest["width"] * (widest["d"] + 2) + 1 <= widest["parameters"]


def test_table_has_every_kind_for_every_architecture():
    table = dimensions(Lab(BUDGET, jax.random.key(0), None, MEMORY))
    assert len(table) == 9 * 4
    row = next(r for r in table if r["widths"] == "8-2-1" and r["kind"] == "quadratic")
    assert (row["dimension"], row["parameters"], row["ambient"]) == (39, 57, 45)


def test_chords_meet_the_spline_at_its_knots():
    spline = experiments.random_spline(np.random.default_rng(0), 4)
    line = experiments.chords(spline)
    assert line(spline.knots) == pytest.approx(spline(spline.knots))
    assert line.degree <= 1


def test_one_quadratic_neuron_has_no_error_on_the_square():
    chance = np.random.default_rng(1)
    found = experiments._square_error(experiments.random_layers(nr.quadratic, (8,), chance))
    assert found[1] < 1e-9


def test_half_of_the_points_lie_outside_the_sphere():
    _, labels = residual_depth.sphere(jax.random.key(0), 4096)
    assert float(labels.mean()) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("depth", [3, 2])
def test_impossible_depths_are_named(depth):
    with pytest.raises(ValueError, match="even and at least 4"):
        residual_depth.ResidualNet(nr.quadratic, depth, rngs=nnx.Rngs(0))
