"""Claims on training with a prior: made-up outcomes are judged, and every fault flips a verdict."""

import jax
import numpy as np
import pytest

from neurons.data import simulated_surfaces
from neurons.inspection.prior_arms import ARMS, KNOWLEDGE, PLAIN, TWICE
from theory.claims import Budget, claims
from theory.claims import inspection_study as inspected
from theory.claims import knowledge_prior_experiments as experiments
from theory.claims import knowledge_prior_study as study
from theory.claims.claim import Lab, remember

SEEDS = 5
BUDGET = Budget("test", seeds=SEEDS, effort=0.01, data=0.15)
DATA = simulated_surfaces(images=60, side=16)
FIRST = {0.1: 0.6, 0.25: 0.7, 0.5: 0.8, 1.0: 0.9}
GAIN = {0.1: 0.08, 0.25: 0.06, 0.5: 0.04, 1.0: 0.02}
AT_A_TENTH = {
    PLAIN: 0.6, TWICE: 0.605, "another image's map": 0.59, "centre blob": 0.6, "ensemble": 0.63,
    "logit distillation": 0.62, "attention transfer": 0.61, "true mask": 0.75,
}  # fmt: skip
BY_CHANCE = {
    "accuracy": 0.5, "ap": 0.5, "ece": 0.5, "mass": 0.04, "pointing": 0.02, "entropy": 5.5,
    "gini": 0.2, "entropies": 5.0,
}  # fmt: skip
TRUE_ANSWERS = {
    "accuracy": 1.0, "ap": 1.0, "ece": 0.0, "mass": 1.0, "pointing": 1.0, "entropy": 2.0,
    "gini": 0.97, "entropies": 0.0,
}  # fmt: skip


def lab(fault=None, budget=BUDGET):
    return Lab(budget, jax.random.key(0), DATA, remember(), fault)


def record(level, looks, which, seed):
    """All scores of a network; seeds and sets differ a little, and differently at every level."""
    value = level + 0.002 * np.sin(seed + 40 * level + len(which))
    of_maps = dict.fromkeys(study.MAPS, float("nan"))
    if which != "cells":
        of_maps = {"mass": looks, "pointing": looks, "gini": looks, "entropy": 5 - looks}
        of_maps["empty"] = 0.0
    scores = {"accuracy": value, "ap": value, "auc": value, "ece": 0.3 * (1 - value)}
    return scores | of_maps | {"train": 1.0, "entropies": 1 - value, "shown": {}}


@pytest.fixture
def world(monkeypatch):
    """A world in which everything that the paper says is so; `sign` turns it round."""
    turned = {"sign": 1}

    def outcome(lab, arm, which, seed, fraction=study.CONTROLLED):
        first, gain = FIRST[fraction], turned["sign"] * GAIN[fraction]
        level = {study.BASELINE: first, KNOWLEDGE: first + gain}.get(arm, AT_A_TENTH.get(arm))
        looks = 0.3 + (turned["sign"] * 0.1 if arm == KNOWLEDGE else 0)
        return record(level, looks, which, seed)

    def pretended(lab, which, seed, right):
        found = TRUE_ANSWERS if right else BY_CHANCE
        return record(0.5, 0.1, which, seed) | found

    def costs(lab, which, arm):
        return {"parameters": 200 if arm == "ensemble" else 100, "multiplications": 1000}

    def seconds(lab, which, arms):
        factor = {study.BASELINE: 1.0, "ensemble": 2.0}
        return [{arm: factor.get(arm, 1.0) + 0.01 * turn for arm in arms} for turn in range(5)]

    monkeypatch.setattr(study, "outcome", outcome)
    monkeypatch.setattr(study, "pretended", pretended)
    monkeypatch.setattr(study, "costs", costs)
    monkeypatch.setattr(study, "seconds", seconds)
    monkeypatch.setattr(study, "sheet", lambda lab, arms: {"arms": list(arms)})
    return turned


JUDGED = [
    name
    for name, found in experiments.FAULTS.items()
    if found is experiments.PRETENDED and name != "spread"
]
TRUE = [
    *((name, "chance", "refuted") for name in JUDGED),
    ("data_efficiency", "backwards", "refuted"),
    ("same_network", "both_networks", "refuted"),
    ("same_time", "both_networks", "refuted"),
    ("masks_are_better", "same", "undecided"),
]


@pytest.mark.parametrize(("name", "fault", "status"), TRUE)
def test_what_holds_is_supported_and_a_fault_flips_it(name, fault, status, world):
    experiment = getattr(experiments, name)
    assert experiment(lab()).status == "supported"
    assert experiment(lab(fault)).status == status


@pytest.mark.parametrize("name", [*JUDGED, "data_efficiency"])
def test_what_does_not_hold_is_refuted_and_the_truth_supports_it(name, world):
    world["sign"] = -1
    experiment = getattr(experiments, name)
    if name == "calibration":
        experiments_margin = experiment(lab()).comparison.effect
        assert 0 < experiments_margin < 1  # not worse by a point
        world["sign"] = -10
    assert experiment(lab()).status == "refuted"
    fault = "backwards" if name == "data_efficiency" else "truth"
    assert experiment(lab(fault)).status == "supported"


def test_maps_that_are_not_more_concentrated_are_spread_wider(world):
    assert experiments.spread(lab()).status == "refuted"
    assert experiments.spread(lab("chance")).status == "supported"
    world["sign"] = -1
    assert experiments.spread(lab()).status == "supported"
    assert experiments.spread(lab("truth")).status == "refuted"


def test_every_fault_is_planted_somewhere():
    tested = {(name, fault) for name, fault, _ in TRUE} | {(name, "truth") for name in JUDGED}
    tested |= {("spread", "chance"), ("spread", "truth")}
    declared = {(name, fault) for name, faults in experiments.FAULTS.items() for fault in faults}
    assert tested == declared
    found = claims("knowledge_prior")
    assert len({claim.id for claim in found}) == len(found)
    for claim in found:
        assert set(claim.faults) == set(experiments.FAULTS[claim.experiment.__name__])
        assert claim.published == "No number reachable."


def test_the_weakest_set_decides(world, monkeypatch):
    honest = study.outcome

    def outcome(lab, arm, which, seed, fraction=study.CONTROLLED):
        found = honest(lab, arm, which, seed, fraction)
        worse = which == "cells" and arm == KNOWLEDGE
        return found | {"ap": found["ap"] - 0.1} if worse else found

    monkeypatch.setattr(study, "outcome", outcome)
    found = experiments.precision(lab())
    assert found.status == "refuted"
    assert found.comparison.effect == pytest.approx(100 * GAIN[1.0] - 10, abs=0.3)
    assert found.note == "The least: cells."
    on_sets = {control.question: control.status for control in found.controls}
    assert on_sets["It gains on tiles"] == "supported"
    assert on_sets["It gains on cells"] == "refuted"


def test_what_figures_draw(world):
    found = experiments.data_efficiency(lab()).series
    assert found["fractions"] == list(study.FRACTIONS)
    for which in inspected.SETS:
        assert np.shape(found["gains"]["ap"][which]) == (len(study.FRACTIONS), SEEDS)
        assert set(found["controls"][which]) >= {KNOWLEDGE, PLAIN, TWICE, "logit distillation"}
    assert "true mask" not in found["controls"]["cells"]
    assert experiments.concentrated(lab()).series["sheet"]["arms"][:2] == [
        study.BASELINE,
        KNOWLEDGE,
    ]


@pytest.fixture(scope="module")
def small():
    """A lab whose networks are trained, with what it remembers."""
    return lab(budget=Budget("test", seeds=1, effort=0.01, data=0.2))


@pytest.fixture(scope="module")
def folds(small):
    """The folds that one outcome used; the outcome."""
    used, make = [], inspected.fold

    def fold(*given):
        used.append(make(*given))
        return used[-1]

    with pytest.MonkeyPatch.context() as patch, jax.numpy_dtype_promotion("standard"):
        patch.setattr(inspected, "fold", fold)
        found = study.outcome(small, KNOWLEDGE, "drawn", 0)
    return used, found


def test_the_strength_is_chosen_on_validation_and_the_test_is_judged_once_after_it(folds):
    used, found = folds
    (chosen,) = [fold for fold in used if fold.choices]
    (choice,) = chosen.choices
    assert choice.name == "term"
    assert choice.rows == tuple(chosen.validation.tolist())
    assert (found["distance"], found["strength"]) == choice.chosen
    assert chosen.judged
    assert [fold.judged for fold in used].count(True) == 1


def test_an_outcome_is_complete_and_the_same_again(folds, small, standard_promotion):
    found = folds[1]
    numbers = {*study.SCORES, *study.MAPS, "train", "entropies", "strength"}
    assert set(found) == numbers | {"distance"}
    assert all(np.isfinite(found[name]) for name in numbers)
    again = lab(budget=small.budget)
    assert study.outcome(again, KNOWLEDGE, "drawn", 0) == found


def test_the_network_in_use_costs_what_the_first_costs(folds, small, standard_promotion):
    ours, first, both = (
        study.costs(small, "drawn", arm) for arm in (KNOWLEDGE, study.BASELINE, "ensemble")
    )
    assert ours == first
    assert both["parameters"] == 2 * first["parameters"]


def test_no_example_gets_a_map_of_its_own_picture(folds, small, standard_promotion):
    taught = inspected.lesson(small, "drawn", 0, 0.5)
    first = inspected.baseline(small, "drawn", 0, study.CONTROLLED)
    given = {
        arm: study.prior_of(small, arm, "drawn", 0, first, taught)
        for arm in (KNOWLEDGE, "another image's map")
    }
    known, other = (np.asarray(one.maps) for one in given.values())
    for row in np.flatnonzero(taught.y):
        own = np.flatnonzero(taught.rows == taught.rows[row])
        assert not any(
            np.array_equal(other[row], known[place]) for place in own if known[place].any()
        )


def test_masks_are_flipped_with_their_pictures(folds, small, standard_promotion):
    taught = inspected.lesson(small, "drawn", 0)
    first = inspected.baseline(small, "drawn", 0, study.CONTROLLED)
    found = study.prior_of(small, "true mask", "drawn", 0, first, taught)
    masks = inspected.part(small, "drawn").masks
    for place in (0, len(taught.rows) // 2, len(taught.rows) - 1):
        down, right = inspected.FLIPS[taught.flips[place]]
        mask = masks[taught.rows[place]][::down, ::right].astype(float)
        side = len(found.maps[place])
        blocks = mask.reshape(side, len(mask) // side, side, -1).mean(axis=(1, 3))
        np.testing.assert_allclose(found.maps[place], blocks, atol=1e-6)


def test_what_is_pretended(small):
    right, chance = (study.pretended(small, "drawn", 0, one) for one in (True, False))
    assert (right["accuracy"], right["ap"], right["mass"], right["pointing"]) == (1, 1, 1, 1)
    assert chance["accuracy"] < 0.9
    assert chance["ece"] > 0.1 > right["ece"]
    assert chance["entropy"] > right["entropy"]


def test_looks():
    masks = np.zeros((2, 4, 4), bool)
    masks[:, 1, 1] = True
    found = study.looks(np.stack([masks[0], np.zeros((4, 4))]).astype(np.float32), masks)
    assert found == pytest.approx(
        {"mass": 0.5, "pointing": 0.5, "entropy": np.log(16) / 2, "gini": 15 / 32, "empty": 0.5}
    )


def test_all_controls_are_taught_where_there_are_masks(small):
    assert set(study.taught_arms(small, "tiles")) == set(ARMS) - {"random blobs"}
    assert set(ARMS) - set(study.taught_arms(small, "cells")) == {"random blobs", "true mask"}
