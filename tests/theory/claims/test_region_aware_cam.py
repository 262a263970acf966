"""Region-aware CAM's claims: made-up outcomes are judged, and every fault flips a verdict."""

import jax
import numpy as np
import pytest

from neurons.data import simulated_defects
from theory.claims import Budget, cam_contrasts, claims
from theory.claims import localisation_study_masks as decoders
from theory.claims import region_aware_cam_experiments as experiments
from theory.claims.claim import Lab, remember
from theory.claims.localisation_study import Method

SEEDS = 5
BUDGET = Budget("test", seeds=SEEDS, effort=0.05, data=0.1)
DATA = simulated_defects(0, images=60, side=16)
IOU = {
    "region_fusion_cam": 0.5, "fgbp": 0.3, "guided_backprop": 0.25, "score_cam": 0.45,
    "random map": 0.05, "centre blob": 0.1,
}  # fmt: skip
SUPERVISED, ROUNDS = 0.68, (0.55, 0.6, 0.65)


def lab(fault=None):
    return Lab(BUDGET, jax.random.key(0), DATA, remember(), fault)


def record(value, seed):
    """All scores of four tiles; seeds differ a little, and differently at every level."""
    wobble = 0.002 * np.sin(seed + 40 * value)
    names = ("iou", "miou", "mass")
    return {name: [value + wobble] * 4 for name in names} | {"threshold": 0.5}


def made(method, strength=1.0):
    value = IOU.get(method.name, 0.4)
    if method.options.get("q", "") is None:
        value = 0.45
    if method.name == "fgbp" and method.options.get("q") == 0.9:
        value = 0.2
    return strength * value


@pytest.fixture(autouse=True)
def world(monkeypatch):
    """A world in which everything that the paper says is so."""
    strength = {"ours": 1.0}

    def outcome(lab, method, seed):
        proposed = method.name in ("region_fusion_cam", "fgbp") and not method.options
        return record(made(method, strength["ours"] if proposed else 1.0), seed)

    def rounds(lab, method, seed):
        parts = [record(strength["ours"] * value, seed) for value in ROUNDS]
        found = {"agreement": [0.9] * 3, "labels": [0.5] * 3, "status": "all rounds"}
        return found | {"rounds": parts}

    monkeypatch.setattr(cam_contrasts, "outcome", outcome)
    monkeypatch.setattr(cam_contrasts, "perfect", lambda lab, seed: record(1.0, seed))
    monkeypatch.setattr(cam_contrasts, "_cascade", lambda lab, method, seed: [0.6] * 5 + [0.1])
    monkeypatch.setattr(decoders, "rounds", rounds)
    monkeypatch.setattr(decoders, "supervised", lambda lab, seed: record(SUPERVISED, seed))
    monkeypatch.setattr(experiments, "sheet", lambda lab, methods: {})
    monkeypatch.setattr(
        experiments.study, "tiles", lambda lab, seed: (np.arange(4), np.array([0, 1, 2, 3]))
    )
    return strength


TRUE = [
    ("randomisation", "same_network", "refuted"),
    ("randomisation_fgbp", "same_network", "refuted"),
    ("beats_standard", "noise", "refuted"),
    ("beats_noise", "noise", "refuted"),
    ("filter_helps", "noise", "refuted"),
    ("optimum_as_stated", "noise", "refuted"),
    ("parts", "noise", "refuted"),
    ("filter_in_module", "noise", "refuted"),
    ("rounds_rise", "falling", "refuted"),
    ("rounds_rise", "noise", "refuted"),
    ("rounds_exceed_seeds", "noise", "refuted"),
    ("near_supervision", "noise", "refuted"),
]


@pytest.mark.parametrize(("name", "fault", "status"), TRUE)
def test_what_holds_is_supported_and_a_fault_refutes_it(name, fault, status):
    experiment = getattr(experiments, name)
    assert experiment(lab()).status == "supported"
    assert experiment(lab(fault)).status == status


FALSE = [name for name in experiments.FAULTS if "masks" in experiments.FAULTS[name]]


@pytest.mark.parametrize("name", FALSE)
def test_what_does_not_hold_is_refuted_and_the_masks_support_it(name, world, monkeypatch):
    world["ours"] = 0.1
    if name in ("rounds_rise", "rounds_exceed_seeds", "parts"):
        falling = [record(0.02 * part, 0) for part in (3, 2, 1)]
        found = {"agreement": [0.9] * 3, "labels": [0.1] * 3, "status": "all rounds"}
        monkeypatch.setattr(decoders, "rounds", lambda *_: found | {"rounds": falling})
    experiment = getattr(experiments, name)
    assert experiment(lab()).status == "refuted"
    if name != "parts":  # its masks stand in one of its comparisons only
        assert experiment(lab("masks")).status == "supported"


def test_where_more_filtering_is_better_the_largest_share_is_best(monkeypatch):
    shares = {0.0: Method("darkness"), 0.5: Method("centre blob"), 0.9: experiments.FGBP}
    monkeypatch.setattr(experiments, "SHARES", shares)
    monkeypatch.setitem(IOU, "darkness", 0.2)
    assert experiments.optimum(lab()).status == "supported"
    assert experiments.optimum(lab("noise")).status == "refuted"
    assert experiments.optimum_as_stated(lab()).status == "refuted"


def test_every_fault_is_planted_somewhere():
    tested = {(name, fault) for name, fault, _ in TRUE} | {(name, "masks") for name in FALSE}
    tested.add(("optimum", "noise"))
    declared = {(name, fault) for name, faults in experiments.FAULTS.items() for fault in faults}
    assert tested == declared
    found = claims("region_aware_cam")
    assert len({claim.id for claim in found}) == len(found)
    for claim in found:
        assert set(claim.faults) == set(experiments.FAULTS[claim.experiment.__name__])
        assert claim.published == "No number reachable."


def test_all_methods_stand_beside_full_supervision():
    found = experiments.beats_standard(lab())
    labels = [row.label for row in found.rows if row.label.endswith("mIoU, %")]
    for name in (*experiments.STANDARD, experiments.NAME, "its pseudo labels", "full supervision"):
        assert any(label.startswith(f"{name}, ") for label in labels)
    assert found.series["iou"]["full supervision"] == pytest.approx([68] * SEEDS, abs=0.3)


def test_the_least_gain_decides():
    found = experiments.beats_standard(lab())
    assert found.comparison.effect == pytest.approx(5.0, abs=0.3)
    assert "Score-CAM" in found.note


def test_a_run_that_stopped_keeps_its_last_round(monkeypatch):
    short = {"agreement": [0.99], "labels": [0.5], "status": "agreed", "rounds": [record(0.6, 0)]}
    monkeypatch.setattr(decoders, "rounds", lambda *_: short)
    found = experiments.rounds_rise(lab())
    assert len(found.series["rounds"]) == 3
    assert found.comparison.effect == 0.0
    assert f"{SEEDS} of {SEEDS} runs stopped" in found.note


def test_the_sheet_holds_a_map_of_every_method_and_kind(monkeypatch):
    monkeypatch.undo()
    methods = {"blob": Method("centre blob"), "dark": Method("darkness")}
    found = experiments.sheet(lab(), methods)
    assert set(found["maps"]) == set(methods)
    for part in (found["images"], found["masks"], found["maps"]["dark"]):
        assert set(part) == {"blob", "pits", "scratch"}
        assert np.shape(part["blob"]) == (16, 16)
