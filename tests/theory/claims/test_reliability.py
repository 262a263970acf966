"""The reliability guide's claims: made-up scores whose truth is known, and faults that flip it."""

from functools import lru_cache

import jax
import numpy as np
import pytest

from neurons.data import simulated_surfaces
from neurons.inspection.protocol import LeakError
from theory.claims import Budget, claims, inspection_study
from theory.claims import reliability_contrasts as contrasts
from theory.claims import reliability_costs as costs
from theory.claims import reliability_experiments as ranking
from theory.claims import reliability_series as series
from theory.claims import reliability_study as study
from theory.claims.claim import Lab, remember
from theory.claims.reliability_contrasts import FAULTS, THRESHOLD
from theory.claims.reliability_study import CHOSEN, GUIDE, NO_MAP, Outcome, Scored

SEEDS = 5
BUDGET = Budget("test", seeds=SEEDS, effort=0.02, data=0.2)
COUNTS = {"missed": 15, "normal": 40}
SMALL = 0.05  # how far scores of one kind are spread


def lab(fault=None):
    return Lab(BUDGET, jax.random.key(0), "made up", remember(), fault)


def scored(strength, seed, part):
    """Pictures whose scores lie `strength` above true negatives where a defect is missed."""
    random = np.random.default_rng((seed, part))
    missed = np.arange(sum(COUNTS.values())) < COUNTS["missed"]
    names = (*study.PLAIN, *study.ENHANCED, *(f"margin + A1 {n}" for n in study.LEVELS))
    names += (GUIDE, CHOSEN, NO_MAP)
    names += (THRESHOLD, *contrasts.DETECTORS.values(), *ranking.ALIKE)
    scores = {}
    for name in names:
        by_name = [value for part, value in strength.items() if part and part in name]
        shift = max(by_name, key=abs) if by_name else strength[""]
        scores[name] = SMALL * random.normal(size=missed.size) + shift * missed
    for name in ranking.ALIKE:
        scores[name] = scores[THRESHOLD]
    if "lifted" in strength:
        for name in (*study.ENHANCED, GUIDE):
            scores[name] = scores[name] + strength["lifted"]
    return Scored(missed, scores, np.arange(missed.size))


def outcome(strength, seed):
    validation, test = (scored(strength, seed, part) for part in (0, 1))
    tried = {**test.scores, "diff + A2": test.scores["diff"], "diff + A3": test.scores["diff"]}
    chosen = {"guide": GUIDE, "radius": GUIDE, "enhanced": study.named(level=4)}
    empty = {"missed": [0.0, 0.2, 0.0], "normal": [0.0, 0.6, 0.0]}
    return Outcome(validation, test, test._replace(scores=tried), chosen, empty, 30)


# The guide works, best at 4/255; what it has to beat works a little.
TRUE = {"": 0.05, "A1": 0.3, "A1 4": 0.5, "A1 8": -0.1, GUIDE: 0.5, "chosen": 0.5}
TRUE |= {"diff": 0.04, "lifted": 0.05}
FALSE = {"": 0.06, "A1": -0.1, "chosen": -0.1, "diff": 0.0, "A1 8": 0.12, "lifted": -0.3}


@lru_cache(maxsize=40)
def kept(strength, counts, seed):
    return outcome(dict(strength), seed)


@pytest.fixture
def world(monkeypatch):
    made = {"strength": TRUE}

    def recalled(lab, which, seed):
        return kept(tuple(made["strength"].items()), tuple(COUNTS.items()), seed)

    monkeypatch.setattr(study, "outcome", recalled)
    monkeypatch.setattr(ranking, "sheet", lambda *_: {})
    return made


EXPERIMENTS = {name: getattr(ranking, name, None) or getattr(costs, name) for name in FAULTS}
HOLDS = sorted(set(EXPERIMENTS) - {"full_recall_as_stated"})


@pytest.mark.parametrize("name", HOLDS)
def test_what_holds_is_supported_and_a_fault_refutes_it(world, name):
    world["strength"] = TRUE | ({"diff": 0.2} if name == "above_chance" else {})
    assert EXPERIMENTS[name](lab()).status == "supported"
    fault = "silent" if "silent" in FAULTS[name] else "reversed"
    assert EXPERIMENTS[name](lab(fault)).status == "refuted"


@pytest.mark.parametrize("name", HOLDS)
def test_what_does_not_hold_is_refuted_and_the_truth_supports_it(world, name):
    other = {"above_chance": {"diff": -0.2}, "gap_grows": {"A1 8": -0.2}}
    world["strength"] = FALSE | other.get(name, {})
    assert EXPERIMENTS[name](lab()).status == "refuted"
    fault = "loud" if "loud" in FAULTS[name] else "labels"
    assert EXPERIMENTS[name](lab(fault)).status == "supported"


def test_full_recall_wants_every_missed_defect_and_enough_of_them(world):
    stated = costs.full_recall_as_stated
    world["strength"] = TRUE
    found = stated(lab())
    assert found.status == "supported"  # 75 of 75 on every set
    assert found.comparison.interval[0] == pytest.approx(0.025 ** (1 / 75))
    assert stated(lab("silent")).status == "refuted"
    world["strength"] = FALSE
    assert stated(lab()).status == "refuted"
    assert stated(lab("labels")).status == "supported"


def test_one_defect_that_is_not_flagged_refutes_full_recall(world, monkeypatch):
    def but_one(lab, which, seed):
        found = outcome(TRUE, seed)
        if (which, seed) == ("drawn", 3):
            found.test.scores[GUIDE][0] = -9.0
        return found

    monkeypatch.setattr(study, "outcome", but_one)
    found = costs.full_recall_as_stated(lab())
    assert found.status == "refuted"
    assert found.comparison.effect == pytest.approx(74 / 75)


def test_few_missed_defects_leave_full_recall_undecided(world, monkeypatch):
    monkeypatch.setitem(COUNTS, "missed", 2)
    assert costs.full_recall_as_stated(lab()).status == "undecided"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_nothing_to_find_is_undecided_and_said(world, monkeypatch, name):
    none = "normal" if name == "beats_confidence" else "missed"
    monkeypatch.setitem(COUNTS, none, 0)
    found = EXPERIMENTS[name](lab())
    if name == "enhancement_cost":
        assert found.status == "supported"  # there are true negatives all the same
        return
    assert found.status == "undecided"
    if name != "full_recall_as_stated":
        assert "Nothing was missed" in found.note
    assert all(np.isfinite(row.ours) for row in found.rows)


def test_missed_defects_are_counted_and_pooled(world):
    found = costs.beats_threshold(lab())
    assert "75 of 150 on tiles" in found.note
    assert any("75 missed defects flagged" in row.label for row in found.rows)
    labels = [control.question for control in found.controls]
    assert any("no map" in label for label in labels)
    curves = found.series["curves"]
    assert set(curves["tiles"]) > {THRESHOLD, "guide, A1", "ensemble", "Mahalanobis"}
    assert all(curve == sorted(curve) for curve in curves["tiles"].values())
    assert curves["drawn"]["guide, A1"][0] == 1.0  # every missed defect before any true negative


def test_most_detectors_are_the_decision_threshold(world):
    (control,) = ranking.beats_confidence(lab()).controls
    assert control.status == "supported"


def test_a_limit_knows_true_negatives_for_choosing_only(world):
    found = outcome(TRUE, 0)
    before = contrasts.limit(lab(), found, GUIDE, 0.1)
    found.validation.scores[GUIDE][found.validation.missed] = 99.0
    found.test.scores[GUIDE][:] = 99.0
    assert contrasts.limit(lab(), found, GUIDE, 0.1) == before


def test_the_radius_is_chosen_on_validation_pictures(world):
    found = outcome(TRUE, 0)
    assert ranking.best_level(found) == 4
    found.test.scores[study.named(level=4)][:] = 0.0
    assert ranking.best_level(found) == 4


def test_histograms_hold_every_picture(world):
    found = series.histograms(lab(), ("diff",))["cells"]["diff"]
    assert sum(found["missed"]) == SEEDS * COUNTS["missed"]
    assert sum(found["normal"]) == SEEDS * COUNTS["normal"]


def test_every_fault_is_planted_somewhere():
    declared = {fault for faults in FAULTS.values() for fault in faults}
    assert declared == {"labels", "reversed", "silent", "loud"}
    found = claims("reliability")
    assert {claim.name for claim in found} == set(FAULTS)
    for claim in found:
        assert claim.faults == FAULTS[claim.name]
        assert "No number reachable." in claim.published or "100 %" in claim.published


# The study itself, on drawn pictures.


@pytest.fixture(scope="module")
def small():
    return Lab(BUDGET, jax.random.key(0), simulated_surfaces(images=60, side=16), remember())


@pytest.fixture(scope="module")
def found(small):
    with jax.numpy_dtype_promotion("standard"):
        return study.outcome(small, "drawn", 0)


def test_only_pictures_that_are_called_normal_are_scored(small, found):
    fold = inspection_study.fold(small, "drawn", 0)
    labels = inspection_study.part(small, "drawn").labels
    net = inspection_study.baseline(small, "drawn", 0)
    for part, rows in ((found.validation, fold.validation), (found.test, fold.test)):
        answers = inspection_study.logits(small, "drawn", net, rows)
        called = rows[inspection_study.margin(answers) <= 0]
        assert part.rows.tolist() == called.tolist()
        assert part.missed.tolist() == (labels[called] == 1).tolist()
    assert found.defects == labels[fold.test].sum()


def test_every_score_is_a_number_for_every_picture(found):
    names = {*study.PLAIN, *study.ENHANCED, *contrasts.DETECTORS.values(), THRESHOLD}
    assert names <= set(found.test.scores)
    for part in (found.validation, found.test, found.tried):
        for values in part.scores.values():
            assert values.shape == part.missed.shape
            assert not np.isnan(values).any()
    assert {"diff", GUIDE, "diff + A2", "diff + A3"} <= set(found.tried.scores)
    for name, alias in (("radius", GUIDE), ("guide", CHOSEN)):
        for part in (found.validation, found.test):
            assert part.scores[alias].tolist() == part.scores[found.chosen[name]].tolist()
    assert set(found.tried.rows) <= set(found.test.rows)


def test_the_same_seed_gives_the_same_numbers(small, found):
    again = Lab(BUDGET, small.key, small.data, remember())
    with jax.numpy_dtype_promotion("standard"):
        second = study.outcome(again, "drawn", 0)
    for name, values in found.test.scores.items():
        np.testing.assert_array_equal(values, second.test.scores[name])
    assert found.chosen == second.chosen


def test_a_guide_chosen_on_test_pictures_is_refused(small, monkeypatch):
    whole = inspection_study.fold

    def leaking(*arguments):
        fold = whole(*arguments)
        fold.validation = fold.test
        return fold

    monkeypatch.setattr(inspection_study, "fold", leaking)
    with pytest.raises(LeakError):
        study._outcome(small, "drawn", 0)


def test_the_page_holds_pictures_and_maps(small, found):
    page = series._page(small, "drawn", "diff", 0.5)
    assert page
    for entry in page:
        assert entry["title"] in series.PAGE
        shapes = {np.shape(entry[name]) for name in ("normal", "defect", "agnostic")}
        assert len(shapes) == 1
        assert np.shape(entry["picture"]) == (16, 16)
