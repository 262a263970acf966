"""Every claim on the separation theorem can fail, and quadratic layers contain the others."""

from functools import cache

import jax
import numpy as np
import pytest
from flax import nnx

import neurons as nr
from theory.claims import Budget, claims, heterogeneous_experiments, heterogeneous_networks
from theory.claims.heterogeneous_networks import OneHiddenLayer, as_quadratic, outputs

BUDGET = Budget("test", seeds=3, effort=0.03, data=0.1)
CLAIMS = {claim.name: claim for claim in claims("heterogeneous_theorem")}
HONEST = {
    "exponential_width_as_stated": "refuted",
    "radial_ceiling": "supported",
    "ridges_cannot_radial": "supported",
    "heterogeneous_wins": "supported",
    "general_quadratic_ties": "supported",
}
FLIPS = [
    ("exponential_width_as_stated", "radial_only", "supported"),
    ("radial_ceiling", "ridge_neurons", "refuted"),
    ("ridges_cannot_radial", "quadratic_neuron", "refuted"),
    ("heterogeneous_wins", "ridge_only", "refuted"),
    ("general_quadratic_ties", "conventional_in_disguise", "refuted"),
]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Fewer points, widths and dimensions: what is tested is the experiments."""
    monkeypatch.setattr(heterogeneous_experiments, "TRAINED_WIDTHS", (8,))
    monkeypatch.setattr(heterogeneous_experiments, "WIDTHS", (1, 16))
    monkeypatch.setattr(heterogeneous_experiments, "WITNESS_DIMENSIONS", (5, 20))
    monkeypatch.setattr(heterogeneous_experiments, "SUM_DIMENSIONS", (5, 10))
    monkeypatch.setattr(heterogeneous_experiments, "GREEDY_POINTS", 3000)
    monkeypatch.setattr(heterogeneous_experiments, "TRAINED_DIMENSION", 5)


@cache
def status(name, fault=None):
    return CLAIMS[name].check(BUDGET, key=jax.random.key(0), fault=fault).status


def test_all_claims_are_here():
    assert set(CLAIMS) == set(HONEST)
    assert {(name, fault) for name, c in CLAIMS.items() for fault in c.faults} == {
        (name, fault) for name, fault, _ in FLIPS
    }


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize("name", HONEST)
def test_honest_verdicts(name):
    assert status(name) == HONEST[name]


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize(("name", "fault", "faulty"), FLIPS)
def test_planted_faults_flip_them(name, fault, faulty):
    assert status(name, fault) == faulty != HONEST[name]


@pytest.mark.parametrize("kind", ["conventional", "radial", "mixed"])
def test_quadratic_layers_contain_the_others(kind):
    net = OneHiddenLayer(kind, 5, 6, rngs=nnx.Rngs(1))
    x = np.random.default_rng(0).normal(size=(64, 5))
    copy = as_quadratic(net, 5, 6)
    assert outputs(copy, x) == pytest.approx(outputs(net, x), abs=1e-5)


def test_radial_neurons_are_radial():
    net = OneHiddenLayer("radial", 4, 8, rngs=nnx.Rngs(0))
    generator = np.random.default_rng(0)
    x = generator.normal(size=(10, 4))
    turned = x @ np.linalg.qr(generator.normal(size=(4, 4)))[0]
    assert outputs(net, turned) == pytest.approx(outputs(net, x), abs=1e-5)
    assert heterogeneous_networks.RADIAL.parameters(4) == 2


def test_the_radial_neuron_is_the_catalogues_in_other_units():
    d = 4
    ours = nr.Dense(heterogeneous_networks.RADIAL, d, 1, rngs=nnx.Rngs(0))
    theirs = nr.Dense(nr.radial, d, 1, rngs=nnx.Rngs(0))
    slope = ours.kernel_b[...].reshape(1) / np.sqrt(2 * d).astype(np.float32)
    theirs.kernel_w[...] = slope.reshape(theirs.kernel_w[...].shape)
    theirs.bias_c[...] = ours.bias_b[...] - d * slope
    x = jax.random.normal(jax.random.key(0), (8, d))
    assert np.asarray(theirs(x)) == pytest.approx(np.asarray(ours(x)), abs=1e-5)
