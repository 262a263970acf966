"""Every example runs, and ends better than it starts."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("standard_promotion")
def test_bearing_fault():
    accuracy, score = load("bearing_fault").main(steps=100)
    assert accuracy > 0.3
    assert 0 < score <= 1


@pytest.mark.usefixtures("standard_promotion")
def test_quadratic_network():
    accuracy = load("quadratic_network").main(steps=400)
    assert accuracy["quadratic"] > 0.95 > accuracy["conventional"]


@pytest.mark.usefixtures("standard_promotion")
def test_add_your_own_neuron():
    assert load("add_your_own_neuron").main(steps=300) < 0.1


@pytest.mark.usefixtures("standard_promotion")
def test_find_a_neuron():
    errors = load("find_a_neuron").main(steps=1000)
    assert errors["task_based"] < errors["conventional"] / 2


def test_search_with_pysr():
    engine, r2 = load("search_with_pysr").main(steps=5)
    assert engine in ("pysr", "operon", "auto")
    assert r2 > 0.99


@pytest.mark.usefixtures("standard_promotion")
def test_interpret_a_forest():
    fidelity, rules = load("interpret_a_forest").main(steps=600)
    assert fidelity > 0.95
    assert rules < 100


@pytest.mark.usefixtures("standard_promotion")
def test_optimal_lines():
    worst = load("optimal_lines").main(steps=500)
    assert all(0.99 < error < 1.01 for error in worst.values())


@pytest.mark.usefixtures("standard_promotion")
def test_mirror_invariance():
    found = load("mirror_invariance").main(steps=100)
    assert found["Cloud-RAIN"][1] > found["PointNet"][1] + 0.2
    assert found["Cloud-RAIN"][2] < 1e-4 < 1 < found["PointNet"][2]


@pytest.mark.usefixtures("standard_promotion")
def test_detect_anomalies():
    auc, share = load("detect_anomalies").main(steps=300)
    assert auc > 0.9
    assert 0.5 < share <= 1


@pytest.mark.usefixtures("standard_promotion")
def test_explain_a_defect(monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)  # drawn ones: fewer, and easier
    found = load("explain_a_defect").main(steps=90)
    assert found["RefineCAM, stages 2 to 4"] > found["Grad-CAM, last stage"] > 0.5


@pytest.mark.usefixtures("standard_promotion")
def test_segment_without_masks():
    first, *_, full = load("segment_without_masks").main(steps=200)
    assert full > first > 0.2


@pytest.mark.usefixtures("standard_promotion")
def test_guard_a_classifier(monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    found = load("guard_a_classifier").main(steps=60, side=16)
    assert found["guard, cost"] < 0.3  # a tenth was asked for
    assert found["lower threshold"] > found["lower threshold, cost"]


@pytest.mark.usefixtures("standard_promotion")
def test_train_with_a_prior(monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    found = load("train_with_a_prior").main(steps=40, few=48, arms=("knowledge prior",))
    assert set(found) == {"first network", "knowledge prior"}
    assert min(found.values()) > 0.5


@pytest.mark.usefixtures("standard_promotion")
def test_bearing_life(monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/nonexistent")
    found = load("bearing_life").main(steps=60)
    assert found["SAL-CNN"] < found["constant 50 %"]


@pytest.mark.usefixtures("standard_promotion")
def test_detect_change():
    found = load("detect_change").main(steps=60, pairs=60, auxiliary=False, decoder="plain")
    assert found["mIoU"] > 0.55  # less than 0.45 with nothing marked
