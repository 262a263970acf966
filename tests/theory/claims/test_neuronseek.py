"""Every claim on NeuronSeek's search and networks can fail."""

from dataclasses import replace
from functools import cache
from itertools import cycle

import jax
import numpy as np
import pytest
from flax import nnx

from neurons.data.interaction_cases import CASES, sample
from neurons.search.hard_concrete import NsTd
from neurons.search.interactions import symmetric
from neurons.search.tnsr import TNLEARN
from theory.claims import (
    Budget,
    claims,
    neuronseek_limits,
    neuronseek_networks,
    neuronseek_structure,
)
from theory.claims.claim import remember

pytestmark = pytest.mark.usefixtures("standard_promotion", "small")
BUDGET = Budget("test", seeds=5, effort=0.2, data=0.1)
CLAIMS = {claim.name: claim for claim in claims("neuronseek")}
RECALL = remember()
FEW = tuple(CASES[at] for at in (0, 5, 6, 10, 12, 13))
HONEST = {
    "beats_power_sums": "undecided",
    "least_squares_recovers": "supported",
    "stability_as_stated": "refuted",
    "least_squares_is_stable": "supported",
    "structure_is_not_unique": "supported",
    "flat_in_inputs_as_stated": "refuted",
    "networks": "supported",
    "powers_explode": "supported",
}
FLIPS = [
    ("beats_power_sums", "shuffle_gates", "refuted"),
    ("least_squares_recovers", "shuffle_least_squares", "refuted"),
    ("stability_as_stated", "tiny_population", "supported"),
    ("least_squares_is_stable", "one_seed", "undecided"),
    ("structure_is_not_unique", "one_sign", "refuted"),
    ("flat_in_inputs_as_stated", "per_input", "supported"),
    ("networks", "shuffle", "refuted"),
    ("powers_explode", "light_tails", "refuted"),
]


@pytest.fixture
def small(monkeypatch):
    """Six cases; gates that train for a moment stand in for the published settings."""
    quick = NsTd(order=3, rank=5, epochs=30, penalty=0.6, warm=0.4, full=0.4, gate_rate=0.2)
    monkeypatch.setattr(neuronseek_structure, "CASES", FEW)
    monkeypatch.setattr(neuronseek_structure, "ROWS", 640)
    monkeypatch.setattr(neuronseek_structure, "FEW", BUDGET.seeds)
    genetic = replace(TNLEARN, population=300, generations=3)
    monkeypatch.setattr(neuronseek_structure, "GENETIC", genetic)
    monkeypatch.setattr(neuronseek_limits, "ROWS", 640)
    monkeypatch.setattr(neuronseek_limits, "WIDTHS", (5, 20))
    monkeypatch.setattr(neuronseek_limits, "NsTd", lambda **options: replace(quick, **options))
    seconds = cycle([1.0, 3.0])  # a clock that no other process disturbs
    monkeypatch.setattr(neuronseek_limits, "_timed", lambda run, repetitions=1: next(seconds))
    monkeypatch.setattr(neuronseek_structure, "SPARSE_SCRIPT", quick)
    monkeypatch.setattr(neuronseek_structure, "NsTd", lambda **options: replace(quick, **options))


@cache
def verdict(name, fault=None):
    return CLAIMS[name].check(BUDGET, key=jax.random.key(0), recall=RECALL, fault=fault)


def test_all_claims_are_here():
    assert set(CLAIMS) == set(HONEST)
    assert {(name, fault) for name, c in CLAIMS.items() for fault in c.faults} == {
        (name, fault) for name, fault, _ in FLIPS
    }


@pytest.mark.parametrize("name", HONEST)
def test_honest_verdicts(name):
    assert verdict(name).status == HONEST[name]


@pytest.mark.parametrize(("name", "fault", "faulty"), FLIPS)
def test_planted_faults_change_the_verdict(name, fault, faulty):
    assert verdict(name, fault).status == faulty != HONEST[name]


def test_power_sums_find_no_interaction_and_least_squares_all():
    finding = verdict("beats_power_sums").finding
    recovered = finding.series["recovered"]
    assert recovered["least squares"] == [1.0] * len(FEW)
    assert recovered["power sums"] == [1.0] + [0.0] * (len(FEW) - 1)
    assert finding.controls[0].status == "supported"


def test_the_best_power_sums_are_exact_where_they_can_be():
    drawn = sample("pure 3", rows=300, inputs=4)
    assert neuronseek_structure.best_power_sums(drawn.x, drawn.y) == [2, 4]


def test_seconds_are_scaled_to_all_epochs():
    finding = verdict("flat_in_inputs_as_stated").finding
    assert finding.comparison.effect == pytest.approx(3)
    assert finding.series["seconds"]["least squares"] == [[1.0, 3.0]]
    assert finding.series["seconds"]["NS-TD"] == [[1.5, 4.5]] * 5  # 30 epochs, 20 of them timed


def test_identical_pairs_are_counted():
    row = [[[2], []], [[2], []], [[2], [2]]]
    assert neuronseek_structure.same_pairs(row) == pytest.approx(1 / 3)
    assert neuronseek_structure.same_pairs(row[:1]) == 1


def test_squares_are_products_of_sums_and_differences():
    w = np.array([2.0, -1.0, 3.0, 0.0, 0.5])
    products = neuronseek_limits.squares_as_products(w)
    assert products.shape == (3, 2, 5)
    np.testing.assert_allclose(symmetric(products), np.diag(w), atol=1e-12)


def test_rivals_have_at_least_as_many_parameters():
    sizes = {name: neuronseek_networks.size_of(name) for name in neuronseek_networks.KINDS}
    assert sizes == {"NS-Net": 637, "NS-Net, normalised": 655, "power net": 650, "MLP": 651}
    net = neuronseek_networks.Net(
        neuronseek_networks.KINDS["NS-Net, normalised"], 10, (6, 3), rngs=nnx.Rngs(0)
    )
    assert sum(leaf.size for leaf in jax.tree.leaves(nnx.state(net, nnx.Param))) == 655
