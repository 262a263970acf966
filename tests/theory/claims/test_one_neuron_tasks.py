"""Claims on equal size: each planted fault flips its verdict, and the tasks are what they say."""

import jax
import numpy as np
import pytest
from flax import nnx
from toy_records import tones

import neurons as nr
from theory.claims import Budget, claims, narrow_nets, one_neuron_tasks
from theory.claims.bearing import Settings
from theory.claims.claim import Lab, remember

pytestmark = pytest.mark.usefixtures("standard_promotion")
BUDGET = Budget("test", seeds=3, effort=0.16, data=0.15)
CLAIMS = {claim.name: claim for claim in claims("one_neuron_saved")}


@pytest.fixture
def smaller(monkeypatch):
    """One dimension, few widths: what is tested is the judgement."""
    monkeypatch.setattr(one_neuron_tasks, "DIMENSIONS", (10,))
    monkeypatch.setattr(one_neuron_tasks, "QUADRATIC_WIDTHS", (8, 32))
    monkeypatch.setattr(one_neuron_tasks, "THREEFOLD", (24, 96))
    kinds = {
        "quadratic": (nr.quadratic, (8, 32)),
        "conventional": (nr.conventional, (8, 24, 32, 96)),
    }
    monkeypatch.setattr(one_neuron_tasks, "KINDS", kinds)
    monkeypatch.setattr(one_neuron_tasks, "CLUSTERED", 1600)


def finding(name, recall, fault=None):
    lab = Lab(BUDGET, jax.random.key(0), None, recall, fault)
    return getattr(one_neuron_tasks, name)(lab)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("spheres", "shuffle_quadratic"),
        ("targets", "shuffle_quadratic"),
        ("task_dependent", "concentric"),
    ],
)
def test_a_planted_fault_refutes_what_is_supported(name, fault, smaller, monkeypatch):
    if name == "targets":
        radius = {"squared radius": one_neuron_tasks.squared_radius}
        monkeypatch.setattr(one_neuron_tasks, "TARGETS", radius)
    assert set(one_neuron_tasks.FAULTS[name]) == {fault}
    recall = remember()  # what the fault does not touch is trained once
    assert finding(name, recall).status == "supported"
    assert finding(name, recall, fault).status == "refuted"


@pytest.mark.parametrize(
    ("fault", "status"), [("shuffle_quadratic", "refuted"), ("shuffle_conventional", "supported")]
)
def test_shuffled_bearing_labels_decide_the_comparison(fault, status, monkeypatch):
    monkeypatch.setattr(one_neuron_tasks, "tuned", lambda lab, model: Settings(0.1, 0.05))
    assert fault in one_neuron_tasks.FAULTS["slim_qcnn"]
    verdict = CLAIMS["slim_qcnn"].check(
        Budget("test", seeds=3, effort=0.5, data=0.15),
        key=jax.random.key(0),
        data=tones("clear"),
        fault=fault,
    )
    assert verdict.status == status


def test_spheres_have_their_radii_and_as_many_points_each():
    x, labels = one_neuron_tasks.concentric(50, 4000, seed=3)
    radii = np.linalg.norm(x, axis=1)
    for label, radius in enumerate((1.0, 0.7)):
        expected = np.sqrt(radius**2 + 50 * 0.03**2)
        assert radii[labels == label].mean() == pytest.approx(expected, rel=0.01)
    assert labels.sum() == 2000


def test_clusters_of_one_problem_share_corners_and_covariances():
    first, again = (one_neuron_tasks.clusters(40_000, 0, dimension=5, draw=d) for d in (0, 1))
    for label in (0, 7):
        one, two = (x[y == label] for x, y in (first, again))
        np.testing.assert_allclose(one.mean(axis=0), np.round(one.mean(axis=0)), atol=0.1)
        np.testing.assert_allclose(one.mean(axis=0), two.mean(axis=0), atol=0.15)
        np.testing.assert_allclose(np.cov(one.T), np.cov(two.T), atol=0.15)
    other = one_neuron_tasks.clusters(40_000, 1, dimension=5)
    assert np.abs(np.cov(other[0].T) - np.cov(first[0].T)).max() > 0.1


def test_targets_are_their_formulas():
    x = np.asarray([[0.5, -1.0, 0.25]])
    assert one_neuron_tasks.product(x) == -0.5
    assert one_neuron_tasks.squared_radius(x) == 1.3125
    assert one_neuron_tasks.curved_kink(x) == 0
    assert one_neuron_tasks.curved_kink(0 * x) == 1


def test_a_network_that_never_reaches_the_threshold_counts_twice_its_largest():
    curve = {width: [0.5, 1.0] for width in one_neuron_tasks.QUADRATIC_WIDTHS}
    largest = 2 * narrow_nets.size(nr.quadratic, 10, 32, 2)
    smallest = narrow_nets.size(nr.quadratic, 10, 1, 2)
    assert one_neuron_tasks._needed(10, "quadratic", curve) == [largest, smallest]


def test_switched_off_neurons_change_nothing():
    """A net of width 3 among 8 is the net of width 3 with the same weights, start included."""
    wide = narrow_nets.Net(nr.quadratic, 4, 3, 8, 2, rngs=nnx.Rngs(0))
    narrow = narrow_nets.Net(nr.quadratic, 4, 3, 3, 2, rngs=nnx.Rngs(1))
    for name in ("kernel_r", "kernel_g", "kernel_b", "bias_r", "bias_g", "bias_b"):
        inner, outer = getattr(wide.hidden, name)[...], getattr(wide.out, name)[...]
        getattr(narrow.hidden, name)[...] = inner[..., :3]
        getattr(narrow.out, name)[...] = outer[:3] if name.startswith("kernel") else outer
    x = jax.random.normal(jax.random.key(2), (5, 4))
    np.testing.assert_allclose(wide(x), narrow(x), rtol=1e-5, atol=1e-6)
    assert nr.parameters(narrow) == narrow_nets.size(nr.quadratic, 4, 3, 2)
    bound = 1 / np.sqrt(3)  # the start of three inputs, not of eight
    largest = np.abs(np.asarray(wide.out.kernel_r[...])).max()
    assert 1 / np.sqrt(8) < largest <= bound
