"""The study of change detection: same seed, same pairs, same numbers; no look at the test."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.backbones.change_detection import ChangeLogits, Tally
from neurons.data import ChangeSet, regions, simulated_scenes
from theory.claims import Budget
from theory.claims import change_study as study
from theory.claims.claim import Lab, remember

BUDGET = Budget("test", seeds=5, effort=0.02, data=0.5)
SCENES = simulated_scenes(0, count=42, side=16)
DATA = ChangeSet(SCENES)


class Pixels(nnx.Module):
    """Logits of each pixel from its colours at both dates; a whole number it keeps."""

    def __init__(self, maps=2, *, rngs):
        self.table = nnx.Variable(jnp.arange(3))
        self.out = nnx.Linear(9, maps * 7, rngs=rngs)

    def __call__(self, before, after):
        x = jnp.concatenate([before, after, abs(before - after)], axis=-1)
        return ChangeLogits(tuple(jnp.split(self.out(x), self.out.out_features // 7, axis=-1)))


def made(seed=0, data=DATA, budget=BUDGET):
    return Lab(budget, jax.random.key(seed), data, remember())


@pytest.fixture(scope="module")
def lab():
    return made()


def parts(lab, seed, fraction=1.0):
    return [part.tolist() for part in study.division(lab, seed, fraction)]


# The division.


def test_five_seeds_test_every_pair_once_and_no_place_is_in_two_parts(lab):
    tested = [row for seed in range(5) for row in parts(lab, seed)[2]]
    assert sorted(tested) == list(range(42))
    for seed in range(7):
        places = [set(SCENES.places[rows]) for rows in study.division(lab, seed)]
        assert all(places)
        assert not places[0] & places[1] | places[0] & places[2] | places[1] & places[2]


def test_the_same_key_and_seed_give_the_same_parts(lab):
    assert parts(lab, 1) == parts(made(), 1)
    ways = ((lab, 1), (lab, 2), (lab, 6), (made(1), 1))
    assert len({str(parts(*way)) for way in ways}) == 4


def test_budget_and_fraction_cut_what_is_learned_from_and_nothing_else(lab):
    everything = made(budget=replace(BUDGET, data=1.0))
    whole, half, tenth = parts(everything, 0), parts(lab, 0), parts(lab, 0, 0.2)
    assert set(tenth[0]) < set(half[0]) < set(whole[0])
    assert whole[1:] == half[1:] == tenth[1:]


@pytest.mark.parametrize("fraction", [0.0, 1.1])
def test_a_fraction_is_a_fraction(lab, fraction):
    with pytest.raises(ValueError, match="fraction is"):
        study.division(lab, 0, fraction)


def test_too_few_places_are_refused():
    with pytest.raises(ValueError, match="4 places; needed: one for each of 5 folds"):
        study.division(made(data=ChangeSet(SCENES.take(np.arange(8)))), 0)


# The lesson.


def test_lessons_of_all_seeds_and_fractions_have_one_shape_and_stay_in_their_part(lab):
    for seed, fraction in ((0, 1.0), (4, 1.0), (0, 0.1)):
        taught = study.lesson(lab, seed, fraction)
        assert taught.before.shape == study.lesson(lab, 1).before.shape
        assert set(taught.rows) == set(study.division(lab, seed, fraction).train)


def test_examples_are_the_pairs_turned_with_their_labels(lab):
    taught = study.lesson(lab, 0)
    assert len(set(taught.turns.tolist())) > 8
    for number in range(6):
        row, turn = taught.rows[[number]], taught.turns[[number]]
        given = SCENES.before[row], SCENES.after[row]
        expected = [date[0] for date in study.turned(*given, turn)]
        np.testing.assert_array_equal(taught.before[number], expected[0])
        np.testing.assert_array_equal(taught.after[number], expected[1])
        maps = study.turned(SCENES.labels_before[row], SCENES.labels_after[row], turn)
        np.testing.assert_array_equal(taught.labels[number], [date[0] for date in maps])


def test_there_are_sixteen_turns_and_text_turns_with_them():
    first, second = SCENES.labels[SCENES.changed.sum(axis=(1, 2)).argmax()]
    seen = set()
    for turn in range(study.TURNS):
        dates = study.turned(first[None], second[None], np.array([turn]))
        found = regions(dates[0][0], dates[1][0], SCENES.classes, least=1)
        expected = [one.quadruple for one in regions(first, second, SCENES.classes, least=1)]
        expected = [one.flipped(rows=turn & 1 > 0, columns=turn & 2 > 0) for one in expected]
        expected = [one.transposed() if turn & 4 else one for one in expected]
        expected = [one.exchanged() if turn & 8 else one for one in expected]
        assert sorted(one.quadruple for one in found) == sorted(expected)
        seen.add(np.stack(dates).tobytes())
    assert len(seen) == 16


def test_only_squares_are_turned():
    with pytest.raises(ValueError, match=r"only square pictures are turned, got \(2, 3\)"):
        study.turned(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), np.array([4]))


# Training.


def never(model, batch):
    raise AssertionError("trained again")


def test_training_learns_and_is_recalled(lab, standard_promotion):
    net = study.train(lab, "pixels", 0, Pixels)
    batch = tuple(leaf[:8] for leaf in study.lesson(lab, 0)[:3])
    lost = [nnx.jit(study.three_losses)(one, batch) for one in (net, study.build(lab, 0, Pixels))]
    assert lost[0] < lost[1] - 0.1
    again = study.train(lab, "pixels", 0, Pixels, loss=never)
    np.testing.assert_array_equal(again.out.kernel[...], net.out.kernel[...])
    np.testing.assert_array_equal(again.table[...], [0, 1, 2])


def test_what_is_tested_teaches_nothing(lab, standard_promotion):
    rows = study.division(lab, 0).test
    labels = {name: getattr(SCENES, name).copy() for name in ("labels_before", "labels_after")}
    for one in labels.values():
        one[rows] = 1
    others = ChangeSet(replace(SCENES, **labels))
    nets = [study.train(made(data=data), "pixels", 0, Pixels, steps=20) for data in (DATA, others)]
    np.testing.assert_array_equal(*(net.out.kernel[...] for net in nets))
    scores = [study.score(made(data=data), nets[0], rows)["miou"] for data in (DATA, others)]
    assert scores[0] != scores[1]


def test_a_training_goes_on_from_a_start_with_what_stands_beside(lab, standard_promotion):
    first = study.train(lab, "pixels", 0, Pixels)
    seen = []

    def loss(model, batch):
        seen.append([leaf.shape for leaf in batch[3]])
        return study.cross_entropy(model, batch) * 0

    def beside(taught):
        return jnp.zeros((len(taught.rows), 2)), taught.labels

    net = study.train(
        lab, "on", 0, Pixels, loss=loss, start=lambda: first, extra=beside, steps=21, batch=4
    )
    assert seen[0] == [(4, 2), (4, 2, 16, 16)]
    kept = 1 - 0.01 * study.RATE  # nothing but the decay of weights moves them
    np.testing.assert_allclose(net.out.kernel[...], first.out.kernel[...], atol=1 - kept**21)
    assert (net.out.kernel[...] != study.build(lab, 0, Pixels).out.kernel[...]).any()


@pytest.mark.parametrize("steps", [3, 40])
def test_no_more_steps_than_asked_for(lab, steps, standard_promotion, monkeypatch):
    taken = []
    monkeypatch.setattr(study.nr, "fit", lambda net, *a, **k: taken.append(a[2].steps) or Kept(net))
    study.train(lab, "counted", 0, Pixels, steps=steps)
    assert 0.7 * steps <= taken[0] <= 1.3 * steps


class Kept:
    def __init__(self, model):
        self.model = model


def test_weights_of_another_network_are_refused(lab):
    stored = study.packed(study.build(lab, 0, Pixels))
    with pytest.raises(ValueError, match="more arrays are stored"):
        study.restored(study.build(lab, 0, Pixels), [*stored, stored[0]])


def test_both_losses_take_one_map_or_two(lab, standard_promotion):
    before, after, labels = (leaf[:4] for leaf in study.lesson(lab, 0)[:3])
    loss = nnx.jit(
        lambda net, *batch: (study.three_losses(net, batch), study.cross_entropy(net, batch))
    )
    one, two = (Pixels(maps, rngs=nnx.Rngs(0)) for maps in (1, 2))
    assert np.isfinite(loss(two, before, after, labels)).all()
    found = loss(one, before, after, labels)
    np.testing.assert_array_equal(found, loss(one, before, after, labels.at[:, 0].set(0)))


# Scores.


class Oracle(nnx.Module):
    """Answers what it was given, whatever the pictures."""

    def __init__(self, labels):
        self.labels = nnx.Variable(jnp.asarray(labels, jnp.int32))

    def __call__(self, before, after):
        answers = self.labels[...]

        class Answer:
            def decided(self):
                return jnp.broadcast_to(answers, (len(before), *answers.shape[1:]))

        return Answer()


def test_scores_are_the_tallys_in_per_cent(lab):
    rows = np.argsort(abs(SCENES.changed.mean(axis=(1, 2)) - 0.5))[:3]
    perfect = study.score(lab, Oracle(SCENES.labels[rows[:1]]), rows[:1])
    assert perfect == pytest.approx(dict.fromkeys(study.SCORES, 100.0))
    found = np.roll(SCENES.labels[rows], 1, axis=-1)
    counts = study.tally(found, SCENES.take(rows))
    expected = Tally.empty(7)
    for date in range(2):
        expected = expected.add(found[:, date], SCENES.labels[rows, date])
    np.testing.assert_array_equal(counts.counts, expected.counts)
    assert study.scores(counts)["sek"] == pytest.approx(100 * expected.sek)


def test_a_single_map_is_that_of_the_second_date(lab):
    one = study.tally(SCENES.labels[:, 1:], SCENES)
    assert study.scores(one)["f_scd"] == 100
    assert study.scores(study.tally(SCENES.labels[:, :1], SCENES))["f_scd"] < 100
