"""Every claim on interpretability as approximation can fail."""

import jax
import numpy as np
import pytest

from neurons.data import simulated_tables
from theory.claims import Budget, interpreter_study
from theory.claims import approximation_perspective_experiments as exact_experiments
from theory.claims import interpreter_experiments as experiments
from theory.claims import interpreter_small_experiments as small
from theory.claims.approximation_perspective import CLAIMS
from theory.claims.claim import no_data, remember
from theory.claims.interpreter_black_boxes import case, embedded, line_of, tree_of
from theory.interpreter import interpretation
from theory.interpreter.black_box import opened

BY_NAME = {claim.name: claim for claim in CLAIMS}
EXACT = ("exact_weights", "region_count", "complete_boundary", "linearised_activations")
STUDIED = (
    "universal_interpreter",
    "better_than_tree",
    "better_than_linear",
    "local_fidelity",
    "stability_as_stated",
)
SEEDS = dict.fromkeys(STUDIED, 4) | {"compression": 2}

# Checked annotations would double the time of the many small calls inside.
pytestmark = pytest.mark.usefixtures("standard_promotion", "unchecked")


@pytest.fixture(scope="module")
def tables():
    return embedded()


@pytest.fixture(scope="module")
def memory():
    """One study for all claims that rest on it."""
    return remember()


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """Fewer black boxes, points and seeds' worth of work."""
    monkeypatch.setattr(interpreter_study, "PAIRS", (("boosted trees", "wine"),))
    monkeypatch.setattr(interpreter_study, "POINTS", 3)
    monkeypatch.setattr(exact_experiments, "SEGMENTS", (4, 32))
    monkeypatch.setattr(exact_experiments, "NETWORKS", 8)
    monkeypatch.setattr(exact_experiments, "POINTS", 500)
    monkeypatch.setattr(experiments, "ROUGH_SAMPLES", (10_000, 14_000))
    monkeypatch.setattr(experiments, "ROUGH_WIDTHS", (8,))
    monkeypatch.setattr(small, "TEACHER", (2, 6, 2))
    monkeypatch.setattr(small, "TAUGHT", (200, 4000))
    monkeypatch.setattr(small, "PIXELS", 5)
    monkeypatch.setattr(interpretation, "_RULE_POINTS", 4000)


@pytest.fixture
def finding(tables, memory):
    def check(name, fault=None):
        claim = BY_NAME[name]
        data = tables if claim.simulate is embedded else None
        budget = Budget("test", seeds=SEEDS.get(name, 3), effort=0.06, data=0.15)
        recall = memory if name in (*STUDIED, "compression") else remember()
        key = jax.random.key(0)
        return claim.check(budget, key=key, data=data, recall=recall, fault=fault).finding

    return check


@pytest.mark.parametrize("name", list(BY_NAME))
def test_planted_fault_flips_the_verdict(name, finding):
    honest = finding(name).status
    if name in EXACT:
        assert honest == "supported"
    for fault in BY_NAME[name].faults:
        found = finding(name, fault).status
        assert found != honest
        assert found in ("supported", "refuted")


def test_what_the_study_measures(finding):
    found = finding("universal_interpreter").series["fidelity"]
    for record in found.values():
        assert min(record["network/jittered"]) > 0.9
        assert max(record["exactness"]) < 1e-9
        assert np.allclose(record["stability/itself"], 1.0)


def test_data_of_every_claim():
    for claim in CLAIMS:
        assert claim.simulate in (no_data, embedded, simulated_tables)
    assert str(embedded()) == "scikit-learn: breast_cancer, wine, digits (real)"


def test_a_tree_has_no_more_parameters_than_it_may(tables):
    wine = tables["wine"]
    tree = tree_of(13, wine.x, wine.y)
    leaves = tree.get_n_leaves()
    assert 2 * (leaves - 1) + leaves <= 13
    assert line_of(wine.x, wine.y).score(wine.x, wine.y) > 0.9


@pytest.mark.parametrize("name", ["quadratic network", "CNN", "k-NN"])
def test_networks_among_the_black_boxes_are_worth_explaining(name, tables):
    table = tables["digits"]
    found = case(name, table, jax.random.key(0), 600)
    assert found.rows.shape == (600, 64)
    said = opened(found.model, found.rows).labels(table.x[:200])
    assert (said == table.y[:200]).mean() > 0.7


def test_a_segment_is_crossed_or_not():
    ends = np.array([[[0.0, -1.0], [0.0, 1.0]]])
    first, second = np.array([[-1.0, 0.0], [-1.0, 2.0]]), np.array([[1.0, 0.0], [1.0, 2.0]])
    assert exact_experiments.crossed(ends, first, second).tolist() == [True, False]
