"""Tri-path DINO: made-up outcomes are judged, and every fault flips a verdict."""

import jax
import numpy as np
import pytest

from theory.claims import Budget
from theory.claims import tri_path_dino as paper
from theory.claims import tri_path_dino_study as study
from theory.claims.tri_path_dino_networks import (
    ARMS,
    AUXILIARY,
    CROSS_ENTROPY,
    FEW,
    FULL,
    KNOWING,
    KNOWING_FEW,
    MAIN,
    PLAIN,
    WIDE,
)

SEEDS = 5
BUDGET = Budget("test", seeds=SEEDS, effort=0.001, data=0.1)
CLAIMS = {claim.name: claim for claim in paper.CLAIMS}
BASE = {
    FULL: 30.0, MAIN: 20.0, AUXILIARY: 22.0, PLAIN: 26.0, CROSS_ENTROPY: 25.0, KNOWING: 34.0,
    FEW: 10.0, KNOWING_FEW: 18.0, WIDE: 24.0,
}  # fmt: skip


class World:
    """What arms reach; a paper's world, or with a sign of -1 one in which all is the reverse."""

    def __init__(self, sign=1):
        self.score = {arm: 30 + sign * (value - 30) for arm, value in BASE.items()}
        if sign < 0:  # still of the pre-trained with few labels less than with all
            self.score[KNOWING_FEW] = self.score[FEW] - 12
        self.edge = {"main": 0.3, "auxiliary": 0.3 + 0.2 * sign}
        self.frequency = {"main": 0.2, "auxiliary": 0.2 + 0.1 * sign}
        self.correlation = 0.5 - 0.3 * sign
        self.small = {MAIN: 40.0, FULL: 40 + 20.0 * sign}
        self.exchange = 0.0 if sign > 0 else 0.5
        self.identical = 1 - 0.8 * sign

    def outcome(self, lab, seed):
        wobble = 0.01 * np.sin(seed)
        return {
            "scores": {
                arm: dict.fromkeys(("oa", "miou", "sek", "f_scd", "score"), value * (1 + wobble))
                for arm, value in self.score.items()
            },
            "regions": {
                arm: {"small": value * (1 + wobble), "large": 70.0}
                for arm, value in self.small.items()
            },
            "area": 12.0,
            "maps": {
                "pairs": 7,
                "correlation": self.correlation + wobble,
                "chance": 0.2,
                **{
                    path: {
                        "edge": self.edge[path] * (1 + wobble),
                        "centroid": self.frequency[path] * (1 + wobble),
                        "spectrum": [0.5, 0.5],
                    }
                    for path in ("main", "auxiliary")
                },
            },
            "exchange": {"logits": self.exchange, "pixels": 0.0},
            "identical": {"logits": 0.0, "changed": self.identical + wobble},
            "unchanged": 3.0,
            "shown": [],
            "real": [],
        }


def check(name, monkeypatch, sign=1, fault=None):
    monkeypatch.setattr(study, "outcome", World(sign).outcome)
    return CLAIMS[name].check(BUDGET, key=jax.random.key(0), data="made up", fault=fault)


PRINTED = "best_on_second_as_stated"
MEASURED = sorted(set(CLAIMS) - {PRINTED})


@pytest.mark.parametrize("name", MEASURED)
def test_the_papers_world_supports_and_its_reverse_refutes(name, monkeypatch):
    assert check(name, monkeypatch).status == "supported"
    assert check(name, monkeypatch, sign=-1).status == "refuted"


@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name in CLAIMS for fault in CLAIMS[name].faults]
)
def test_every_fault_flips_one_of_the_worlds(name, fault, monkeypatch):
    flipped = [
        check(name, monkeypatch, sign).status != check(name, monkeypatch, sign, fault).status
        for sign in (1, -1)
    ]
    assert any(flipped)


def test_all_three_metrics_must_rise(monkeypatch):
    world = World()

    def worse_miou(lab, seed):
        found = world.outcome(lab, seed)
        found["scores"][FULL]["miou"] = found["scores"][MAIN]["miou"] - 1
        return found

    monkeypatch.setattr(study, "outcome", worse_miou)
    verdict = CLAIMS["beats_main_only"].check(BUDGET, key=jax.random.key(0), data="made up")
    assert verdict.status == "refuted"
    # Over the main path alone, and over one with as many parameters.
    statuses = [control.status for control in verdict.finding.controls]
    assert statuses == ["supported", "supported", "refuted"] * 2


def test_printed_numbers_stand_beside_ours(monkeypatch):
    rows = check("beats_main_only", monkeypatch).finding.rows
    assert {row.published for row in rows if row.label.startswith("full")} == {71.62, 20.61, 55.44}
    verdict = check(PRINTED, monkeypatch)
    assert verdict.status == "refuted"
    assert verdict.finding.comparison.effect == pytest.approx(20.61 - 23.94)
    assert {row.ours for row in verdict.finding.rows} >= {96.45, 13.02, 23.94}


def test_gains_are_paired_by_seed(monkeypatch):
    finding = check("pre_training_helps_more_with_few_labels", monkeypatch).finding
    expected = np.mean([(8 - 4) * (1 + 0.01 * np.sin(seed)) for seed in range(SEEDS)])
    assert finding.comparison.effect == pytest.approx(expected)
    recall = check("small_regions_need_auxiliary", monkeypatch).finding.series["recall"]
    assert set(recall) == {"small", "large"}
    assert recall["small"][FULL][0] == 60


def test_every_arm_is_scored_and_named(monkeypatch):
    scores = check("beats_main_only", monkeypatch).finding.series["scores"]
    assert all(set(runs) == set(ARMS) for runs in scores.values())
