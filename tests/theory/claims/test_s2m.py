"""S2M's claims: made-up outcomes are judged, every fault flips a verdict, texts and answers."""

import jax
import numpy as np
import pytest
from flax import nnx

from neurons.data import Scenes, simulated_change_set
from theory.claims import Budget, claims
from theory.claims import change_study as changes
from theory.claims import s2m_answers as answers
from theory.claims import s2m_experiments as experiments
from theory.claims import s2m_study as study
from theory.claims.claim import Lab, remember

SEEDS = 5
BUDGET = Budget("test", seeds=SEEDS, effort=0.01, data=0.1)
DATA = simulated_change_set()
CLASSES = DATA.drawn.classes


def lab(fault=None):
    return Lab(BUDGET, jax.random.key(0), DATA, remember(), fault)


class World:
    """SeK by arm; recall before and after; whether labels leak."""

    def __init__(self):
        self.sek = {study.STAGE1: 8.0, study.VISION: 10.0, study.ONE_STAGE: 9.0}
        self.sek |= dict.fromkeys(study.SLOTS_LEFT_OUT, 15.0)
        self.sek |= {arm: 20.0 - 8 * share for arm, share in study.NOISE.items()}
        self.sek |= {study.FORTH: 15.0, study.BACK: 14.0, study.NONE: 10.5, study.COARSE: 13.0}
        self.recall = {study.STAGE1: 1.0, study.NONE: 1.0, study.OURS: 30.0}
        self.leaks = {"fixed bank": 0.0, "own captions": 0.2}

    def outcome(self, lab, seed):
        wobbled = {arm: v + 0.1 * np.sin(seed + 3 * v) for arm, v in self.sek.items()}
        scores = {
            arm: {"sek": v, "f_scd": 2 * v, "miou": 60 + v, "oa": 80 + v, "score": v}
            for arm, v in wobbled.items()
        }
        recall = {
            arm: {
                "text to region": v + 0.1 * np.sin(seed + v),
                "region to text": v / 2 + 0.1 * np.sin(seed + 2 * v),
                "chance": 1.0,
            }
            for arm, v in self.recall.items()
        }
        return {"scores": scores, "recall": recall, "leak": self.leaks, "examples": []}


@pytest.fixture(autouse=True)
def world(monkeypatch):
    """A world in which everything that the paper says is so."""
    made = World()
    monkeypatch.setattr(study, "outcome", made.outcome)
    return made


HOLDS = [
    ("beats_vision_twin", "swapped"),
    ("clean_beats_noisy", "swapped"),
    ("noise_lowers_sek", "reversed"),
    ("each_slot_matters", "swapped"),
    ("two_stages_win", "swapped"),
    ("both_directions_win", "swapped"),
    ("retrieval_rises", "swapped"),
    ("text_is_free", "words"),
    ("no_label_when_answering", "own captions"),
]


@pytest.mark.parametrize(("name", "fault"), HOLDS)
def test_what_holds_is_supported_and_a_fault_refutes_it(name, fault):
    assert getattr(experiments, name)(lab()).status == "supported"
    assert getattr(experiments, name)(lab(fault)).status == "refuted"


FAILS = [
    ("beats_vision_twin", "perfect"),
    ("clean_beats_noisy", "perfect"),
    ("noise_lowers_sek", "planted"),
    ("each_slot_matters", "perfect"),
    ("two_stages_win", "perfect"),
    ("both_directions_win", "planted"),
    ("retrieval_rises", "planted"),
]


@pytest.mark.parametrize(("name", "fault"), FAILS)
def test_what_does_not_hold_is_refuted_and_a_fault_supports_it(name, fault, world):
    world.sek |= {arm: 5.0 + 8 * share for arm, share in study.NOISE.items()}
    world.recall[study.OURS] = 0.5
    assert getattr(experiments, name)(lab()).status == "refuted"
    assert getattr(experiments, name)(lab(fault)).status == "supported"


def test_every_fault_is_planted_somewhere_and_every_claim_has_its_own():
    declared = {(name, fault) for name, faults in experiments.FAULTS.items() for fault in faults}
    assert {*HOLDS, *FAILS} == declared
    found = claims("s2m")
    assert {claim.name for claim in found} == set(experiments.FAULTS)
    for claim in found:
        assert claim.faults == experiments.FAULTS[claim.name]
        assert claim.experiment.__name__ == claim.name
        assert claim.data == "scenes"
    published = {claim.name: claim.published for claim in found}
    assert "17.80 % and F_scd 66.14 %" in published["beats_vision_twin"]


def test_a_gain_in_one_score_alone_is_no_gain(world, monkeypatch):
    plain = world.outcome

    def outcome(lab, seed):
        found = plain(lab, seed)
        found["scores"][study.OURS]["f_scd"] = 15.0 + 0.1 * np.sin(seed)
        return found

    monkeypatch.setattr(study, "outcome", outcome)
    found = experiments.beats_vision_twin(lab())
    assert found.status == "refuted"
    assert "The lesser gain: F_scd" in found.note


def test_a_fall_that_pauses_is_no_steady_one(world):
    world.sek["50 % wrong"] = world.sek["25 % wrong"]
    found = experiments.noise_lowers_sek(lab())
    assert found.status in ("undecided", "refuted")
    assert [control.status for control in found.controls] == ["supported"] * 2


def test_text_says_what_it_covers_and_how_fast():
    rows = {row.label: row.ours for row in experiments.text_is_free(lab()).rows}
    assert rows["annotations needed beside the masks"] == 0
    assert 90 < rows["changed pixels in a described region, %"] <= 100
    assert rows["pairs described a second, on this machine"] > 0


def toy(labels_before, labels_after):
    """Scenes of these labels, black."""
    first, second = (np.asarray(x, np.int8) for x in (labels_before, labels_after))
    dark = np.zeros((*first.shape, 3), np.float32)
    return Scenes("toy", dark, dark, first, second, CLASSES, np.arange(len(first)), True)


def test_texts_are_those_of_the_largest_regions():
    labels = np.zeros((2, 2, 32, 32), np.int8)
    for place in range(10):  # ten regions of 3 x (3 + place) pixels, one of them too small
        labels[0, :, 3 * place : 3 * place + 2, : 3 + place] = [[[1]], [[2 + place % 2]]]
    ids, codes = study.texts(labels, CLASSES)
    assert ids.max() == study.MOST
    assert not ids[1].any()
    assert (codes[1] == -1).all()
    areas = np.bincount(ids[0].ravel())[1:]
    assert areas.min() >= study.LEAST
    assert (np.diff(areas) <= 0).all()
    assert codes[0, 0].tolist()[1:3] == [0, 2]
    assert (codes[0] >= 0).all()


def test_wrong_texts_are_those_of_a_share():
    codes = study.texts(DATA.drawn.labels[:8], CLASSES)[1]
    there = codes[..., 0] >= 0
    known = study.spoken(CLASSES)
    true = known.number(codes)
    changed = {}
    for share in (0.0, 0.25, 1.0):
        said = study.wrongly(codes, share, CLASSES, np.random.default_rng(0))
        assert (known.number(said)[there] >= 0).all()
        assert (said[~there] == -1).all()
        changed[share] = (known.number(said) != true)[there]
    assert not changed[0.0].any()
    assert changed[1.0].all()
    assert 0 < changed[0.25].mean() < 0.6
    empty = np.full((1, 2, 5), -1)
    np.testing.assert_array_equal(
        study.wrongly(empty, 1.0, CLASSES, np.random.default_rng(0)), empty
    )


@pytest.mark.parametrize(("count", "steps"), [(2764, 200), (2764, 600), (2764, 800), (40, 12)])
def test_examples_make_as_many_steps_as_are_wanted(count, steps):
    rows = study.examples_of(count, steps)
    per_epoch, rest = divmod(len(rows), study.study.BATCH)
    assert not rest
    assert len(rows) <= count
    assert max(1, round(steps / per_epoch)) * per_epoch == steps


def test_recall_by_hand():
    bank = np.eye(3)
    found = answers.recall(np.eye(3)[[0, 0, 1]], bank, np.array([0, 1, 1]))
    # Sentence 0 finds region 0; sentence 1 finds region 2. Region 1 looks like sentence 0.
    assert found["text to region"] == 100
    assert found["region to text"] == pytest.approx(200 / 3)
    assert found["chance"] == 50
    wrong = answers.recall(np.eye(3)[[1, 0]], bank, np.array([0, 1]))
    assert wrong["text to region"] == wrong["region to text"] == 0
    nothing = answers.recall(np.zeros((0, 3)), bank, np.zeros(0, int))
    assert np.isnan(list(nothing.values())).all()


@pytest.fixture(scope="module")
def small():
    """A network of the study's form, untrained but awake, and some tiles."""
    net = study.built(CLASSES, rngs=nnx.Rngs(0))
    state = nnx.state(net.read.out, nnx.Param)
    drawn = [
        0.3 * jax.random.normal(jax.random.key(0), leaf.shape) for leaf in jax.tree.leaves(state)
    ]
    nnx.update(net.read.out, jax.tree.unflatten(jax.tree.structure(state), drawn))
    return net, DATA.drawn.cut(study.SIDE).take(range(30))


def test_a_leak_is_seen_and_a_fixed_bank_has_none(small):
    net, tiles = small
    codes = study.texts(tiles.labels, CLASSES)[1]
    found = answers.leak(net, tiles, study.spoken(CLASSES).number(codes))
    assert found["fixed bank"] == 0
    assert found["own captions"] > 1e-3


def test_regions_are_found_by_what_the_network_says_of_them(small):
    net, tiles = small
    ids, codes = study.texts(tiles.labels, CLASSES)
    found = answers.retrieval(net, tiles, ids, study.spoken(CLASSES).number(codes))
    assert 0 <= found["text to region"] <= 100
    assert 0 < found["chance"] < 100


@pytest.mark.usefixtures("standard_promotion")
def test_second_stages_share_start_and_program_whatever_is_left_out(small):
    _, tiles = small
    first = study.vision(CLASSES, rngs=nnx.Rngs(0))
    begins = study.second_stage(lab(), 0, first, CLASSES)
    nets = [study.retold(begins, CLASSES, left) for left in ((), ("where",))]
    one, other = (nnx.split(net) for net in nets)
    assert one[0] == other[0]  # one graph: one compiled program
    np.testing.assert_array_equal(*(net.bank.table[...] for net in nets))
    kinds = [len(np.unique(np.round(net.bank()[:, 0], 5), axis=0)) for net in nets]
    assert kinds == [1200, 120]
    begun, seen = (changes.decided(net, tiles) for net in (nets[0], first))
    np.testing.assert_array_equal(begun, seen)
