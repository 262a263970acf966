"""Sample-centric learning: made-up outcomes are judged, and every fault flips a verdict."""

import jax
import numpy as np
import pytest

from neurons.data import simulated_surfaces
from neurons.inspection.fold import Fold
from theory.claims import Budget, claims
from theory.claims import sample_centric_experiments as experiments
from theory.claims import sample_centric_gradients as gradients
from theory.claims import sample_centric_networks as networks
from theory.claims import sample_centric_study as study
from theory.claims.claim import Lab, remember

SEEDS, DEFECTS = 5, 8
BUDGET = Budget("test", seeds=SEEDS, effort=0.001, data=0.1)
DATA = simulated_surfaces(images=60, side=16)
SCORES = (
    "caught", "auc", "recall", "false_alarms", "best_f1", "seg_miou", "seg_miou_pos", "seg_recall",
    "seg_precision", "pooled_miou", "pooled_iou", "mean_iou_empty_one", "reported_miou", "boundary",
    *(f"seg_recall({tau:g})" for tau in study.TAUS),
)  # fmt: skip


def lab(fault=None):
    return Lab(BUDGET, jax.random.key(0), DATA, remember(), fault)


class World:
    """What systems reach; quarters of which the joint network locates all defects."""

    def __init__(self):
        self.score = {study.MASK: 0.6, study.JOINT: 0.8, study.TWO: 0.7, study.SHUFFLED: 0.6}
        self.score |= dict.fromkeys((*study.BY_RULE, *study.PLAIN), 0.75)
        self.same = {"pooled_miou", "boundary"}  # in which all systems are alike
        self.joint_locates, self.mask_locates = {0, 1, 2, 3}, {1, 2, 3}
        self.least = 0.1
        self.tiny = {"joint": (0.3, 0.1), "mask": (0.1, 0.3)}
        self.cosine = 0.2

    def system(self, name, seed):
        wobble = 0.003 * np.sin(seed + 40 * self.score[name])
        found = dict.fromkeys(SCORES, self.score[name] + wobble)
        found |= dict.fromkeys(self.same, 0.6 + wobble)
        located = self.joint_locates if name == study.JOINT else self.mask_locates
        told = ["located" if place // 2 in located else "missed" for place in range(DEFECTS)]
        return found | {"rule": "or", "outcome": [*told, "free", "free"]}

    def outcome(self, lab, which, seed):
        values = [*np.linspace(0.001, 0.1, DEFECTS), 0.0, 0.0]
        lead = self.least + 0.003 * np.sin(seed)
        return {
            "systems": {name: self.system(name, seed) for name in self.score},
            "reversal": {
                "names": [study.MASK, study.JOINT],
                "miou": [0.7, 0.7 - lead],
                "recall": [0.5, 0.5 + lead],
                "least": lead,
            },
            "tile": list(range(10 * seed, 10 * seed + 10)),
            "area": values,
            "contrast": values,
        }

    def record(self, lab, which, arm, seed):
        shares = [share + 0.003 * np.sin(seed + share) for share in self.tiny[arm]]
        cosine = [self.cosine, self.cosine + 0.1, self.cosine]
        moment = {"tiny": shares, "small": shares, "cosine": cosine}
        return {"moments": [moment, moment]}


@pytest.fixture(autouse=True)
def world(monkeypatch):
    """A world in which everything that the paper says is so."""
    made = World()
    monkeypatch.setattr(study, "outcome", made.outcome)
    monkeypatch.setattr(networks, "record", made.record)
    return made


def experiment(name):
    return getattr(gradients if name in gradients.FAULTS else experiments, name)


FLIPS = [
    ("fewer_misses", "swapped"),
    ("better_f1", "swapped"),
    ("sample_metrics_rise", "swapped"),
    ("classical_miou_stays", "perfect"),
    ("small_gain_most", "reversed"),
    ("low_contrast_gain_most", "reversed"),
    ("tiny_share_rises", "swapped"),
    ("tasks_agree", "turned"),
    ("boundaries_stay", "blank"),
    ("ranking_reversal", "same"),
]


@pytest.mark.parametrize(("name", "fault"), FLIPS)
def test_what_holds_is_supported_and_a_fault_refutes_it(name, fault):
    assert experiment(name)(lab()).status == "supported"
    assert experiment(name)(lab(fault)).status == "refuted"


RESCUES = [
    ("fewer_misses", "perfect"),
    ("better_f1", "perfect"),
    ("sample_metrics_rise", "perfect"),
    ("classical_miou_stays", "same"),
    ("small_gain_most", "perfect"),
    ("low_contrast_gain_most", "perfect"),
    ("tiny_share_rises", "all"),
    ("boundaries_stay", "perfect"),
    ("ranking_reversal", "planted"),
]


@pytest.mark.parametrize(("name", "fault"), RESCUES)
def test_what_does_not_hold_is_refuted_and_a_fault_supports_it(name, fault, world):
    world.score[study.JOINT], world.same = 0.4, set()
    world.joint_locates, world.mask_locates = {1, 2, 3}, {0, 1, 2, 3}
    world.least = -0.1
    world.tiny = {"joint": (0.1, 0.3), "mask": (0.3, 0.1)}
    assert experiment(name)(lab()).status == "refuted"
    assert experiment(name)(lab(fault)).status == "supported"


def test_opposed_gradients_refute_that_the_tasks_agree(world):
    world.cosine = -0.2
    assert gradients.tasks_agree(lab()).status == "refuted"
    assert gradients.tasks_agree(lab("turned")).status == "supported"


def test_every_fault_is_planted_somewhere():
    tested = {*FLIPS, *RESCUES}
    declared = {(name, fault) for name, faults in experiments.FAULTS.items() for fault in faults}
    assert tested == declared
    found = claims("sample_centric")
    assert len({claim.id for claim in found}) == len(found) == len(experiments.FAULTS)
    for claim in found:
        assert set(claim.faults) == set(experiments.FAULTS[claim.experiment.__name__])
        assert claim.published == "No number reachable."
        assert claim.data == "surfaces"


def test_a_gain_that_a_separate_classifier_has_too_is_said(world):
    world.score[study.TWO] = 0.9
    controls = {c.question: c.status for c in experiments.fewer_misses(lab()).controls}
    assert next(s for q, s in controls.items() if "separate classifier" in q) == "refuted"
    assert next(s for q, s in controls.items() if "true sample labels" in q) == "supported"


def test_gains_everywhere_are_not_concentrated(world):
    world.mask_locates = set()
    assert experiments.small_gain_most(lab()).status == "undecided"  # equal in all quarters
    world.joint_locates = {1, 2, 3}
    assert experiments.small_gain_most(lab()).status == "refuted"


def test_series_hold_what_figures_draw():
    found = experiments.small_gain_most(lab()).series["tiles"]
    assert found[0] == {study.MASK: [0.0] * SEEDS, study.JOINT: [100.0] * SEEDS}
    told = experiments.sample_metrics_rise(lab()).series["outcomes"]
    assert told[study.JOINT] == pytest.approx(
        {"missed": 0, "false alarm": 0, "located": 80, "found elsewhere": 0, "free": 20}
    )
    assert sum(told[study.MASK].values()) == pytest.approx(100)


def brute_caught(values, defective, rate):
    """The best share found by a mix of two thresholds that raises at most that many alarms."""
    points = [(0.0, 0.0), (1.0, 1.0)]
    for level in values:
        called = values >= level
        points.append((called[~defective].mean(), called[defective].mean()))
    below = [p for p in points if p[0] <= rate]
    above = [p for p in points if p[0] > rate]
    low = max(below)
    high = min(above, key=lambda p: (p[0], -p[1]))
    return low[1] + (high[1] - low[1]) * (rate - low[0]) / (high[0] - low[0])


def test_the_height_of_the_roc_curve_is_that_between_its_corners():
    random = np.random.default_rng(0)
    for _ in range(50):
        defective = np.arange(20) < 8
        values = np.round(random.normal(size=20) + defective, 1)
        found = study.caught(values, defective, 0.2)
        assert found == pytest.approx(brute_caught(values, defective, 0.2))
    assert study.caught(np.arange(4.0), np.array([False, False, True, True])) == 1
    assert study.caught(np.zeros(4), np.array([False, False, True, True])) == 0.05


def planted(noise=0.0):
    """Twelve pictures, every second one with a defect of 2 x 2 pixels that the answers show."""
    masks = np.zeros((12, 8, 8), bool)
    masks[::2, 1:3, 1:3] = True
    pixels = np.where(masks, 0.8, 0.1).astype(np.float32)
    samples = np.where(np.arange(12) % 2 == 0, 0.7 - noise, 0.2 + noise).astype(np.float32)
    return masks, study.answered(samples, pixels, np.arange(12), 12)


def test_systems_are_settled_on_validation_and_judged_once():
    masks, answers = planted()
    fold = Fold(np.arange(4), np.arange(4, 8), np.arange(8, 12), labels=masks.any((1, 2)).tolist())
    found = study.settled(fold, masks, {study.MASK: answers, study.JOINT: answers})
    assert set(found) == {study.MASK, study.JOINT, *study.BY_RULE, *study.PLAIN}
    for choice in fold.choices:
        assert set(choice.rows) <= set(range(4, 8))
    record = study.judged(found[study.JOINT], masks, fold.test)
    for score in ("caught", "auc", "best_f1", "seg_miou", "seg_recall", "pooled_miou", "boundary"):
        assert record[score] == 1, score
    assert record["outcome"] == ["located", "free"] * 2
    assert record["false_alarms"] == 0


def test_a_classifier_that_errs_gives_way_to_the_mask():
    masks, answers = planted(noise=0.5)
    fold = Fold(np.arange(4), np.arange(4, 8), np.arange(8, 12), labels=masks.any((1, 2)).tolist())
    found = study.settled(fold, masks, {study.MASK: answers, study.JOINT: answers})
    assert found[study.JOINT].decision.rule == "mask"
    assert study.judged(found["joint, by classifier"], masks, fold.test)["caught"] < 0.1


def test_leads_of_two_systems_are_signed():
    masks, answers = planted()
    fold = Fold(np.arange(4), np.arange(4, 8), np.arange(8, 12), labels=masks.any((1, 2)).tolist())
    system = study.settled(fold, masks, {study.MASK: answers, study.JOINT: answers})[study.MASK]
    blind = system._replace(answers=study.answered(*nothing(), np.arange(12), 12))
    found, none = (study.reported(one, masks, fold.test) for one in (system, blind))
    assert (found.recall, none.recall) == (1, 0)
    assert study.reversal(found, none) == -1  # it leads in mIoU, but the other not in recall
    assert study.reversal(found, found) == 0


def nothing():
    return np.zeros(12, np.float32), np.zeros((12, 8, 8), np.float32)


def test_arms_differ_in_weights_and_labels_alone():
    made = lab()
    taught = networks.study.lesson(made, "drawn", 0)
    arms = {
        arm: networks._lesson(made, "drawn", arm, 0, taught)
        for arm in ("mask", "joint", "shuffled")
    }
    for other in ("joint", "shuffled"):
        for one, two in zip(arms["mask"][0], arms[other][0], strict=True):
            np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(arms["mask"][1], arms[other][1])
    np.testing.assert_array_equal(arms["mask"][2], arms["joint"][2])
    assert np.unique(arms["mask"][3], axis=0).tolist() == [[1, 0]]
    assert np.unique(arms["joint"][3], axis=0).tolist() == [[1, 0.5]]


@pytest.mark.usefixtures("standard_promotion")
def test_a_run_is_a_function_of_its_seed(monkeypatch):
    monkeypatch.undo()
    first, again = (networks.record(lab(), "drawn", "joint", 0) for _ in range(2))
    assert first == again
    moments = first["moments"]
    assert len(moments) == len(networks.MOMENTS)
    for moment in moments:
        assert all(0 <= share <= 1 for share in (*moment["tiny"], *moment["small"]))
        assert all(-1 <= cosine <= 1 for cosine in moment["cosine"])
