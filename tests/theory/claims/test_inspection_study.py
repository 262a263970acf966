"""The shared study of inspection: same seed, same folds, same numbers; no look at the test."""

from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from sklearn import metrics as sklearn

import neurons as nr
from neurons.backbones.defect import StagedNet, preprocess
from neurons.backbones.defect.blocks import ConvNorm, MeanHead, Names, Stage
from neurons.backbones.defect.staged import Plan
from neurons.data.surfaces import simulated_surfaces
from neurons.inspection.protocol import LeakError
from theory.claims import Budget, laptop, paper
from theory.claims import inspection_study as study
from theory.claims import inspection_study_networks as networks
from theory.claims.claim import Lab, remember

BUDGET = Budget("test", seeds=5, effort=0.02, data=0.5)
DATA = simulated_surfaces(0, images=60, side=16)


def made(seed=0, data=DATA, budget=BUDGET):
    return Lab(budget, jax.random.key(seed), data, remember())


@pytest.fixture(scope="module")
def lab():
    return made()


@pytest.fixture(scope="module")
def trained(lab):
    with jax.numpy_dtype_promotion("standard"):
        return {seed: study.baseline(lab, "drawn", seed) for seed in (0, 1)}


def answers(lab, net, seed=0, which="drawn"):
    fold = study.fold(lab, which, seed)
    return fold.judge(lambda rows: study.logits(lab, which, net, rows))


# Folds.


@pytest.mark.parametrize("which", study.SETS)
def test_five_seeds_test_every_picture_once_and_every_part_holds_every_label(lab, which):
    folds = [study.fold(lab, which, seed) for seed in range(5)]
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(60))
    for fold in folds:
        assert all(count > 0 for part in fold.counts.values() for count in part.values())


def test_the_same_key_and_seed_give_the_same_folds(lab):
    def rows(lab, seed):
        fold = study.fold(lab, "cells", seed, 0.5)
        return [part.tolist() for part in (fold.train, fold.validation, fold.test)]

    assert rows(lab, 1) == rows(made(), 1)
    assert len({str(rows(*how)) for how in ((lab, 1), (lab, 2), (lab, 6), (made(1), 1))}) == 4


def test_budget_and_fraction_cut_what_is_learned_from_and_nothing_else(lab):
    everything = made(budget=replace(BUDGET, data=1.0))
    whole, half = study.fold(everything, "drawn", 0), study.fold(lab, "drawn", 0)
    tenth = study.fold(lab, "drawn", 0, 0.1)
    assert set(tenth.train) < set(half.train) < set(whole.train)
    assert half.test.tolist() == whole.test.tolist() == tenth.test.tolist()
    assert half.validation.tolist() == whole.validation.tolist()


def test_every_call_gives_a_fold_that_has_judged_nothing(lab):
    study.fold(lab, "drawn", 0).judge(len)
    assert not study.fold(lab, "drawn", 0).judged


def test_laptop_and_paper_test_on_every_fold():
    for budget in (laptop, paper):
        assert {seed % study.FOLDS for seed in range(budget.seeds)} == set(range(study.FOLDS))


# Planted leaks, where six pictures show each piece.


@pytest.fixture(scope="module")
def exposures():
    parts = tuple(f"piece {number // 6}" for number in range(len(DATA.tiles.kinds)))
    return made(data=replace(DATA, tiles=replace(DATA.tiles, parts=parts)))


def test_no_piece_is_tested_and_learned_from_or_chosen_on(exposures):
    parts = np.array(study.part(exposures, "tiles").parts)
    for seed in range(5):
        fold = study.fold(exposures, "tiles", seed)
        tested = set(parts[fold.test])
        assert not tested & set(parts[np.concatenate([fold.train, fold.validation])])
        assert sum(part in tested for part in parts) == len(fold.test)


@pytest.mark.parametrize("choice", ["threshold", "epoch", "map option"])
@pytest.mark.parametrize("planted", ["test rows", "another picture of a tested piece"])
def test_the_study_refuses_a_leak_and_keeps_no_trace_of_it(exposures, choice, planted):
    fold, parts = study.fold(exposures, "tiles", 1), study.part(exposures, "tiles").parts
    same = [row for row, part in enumerate(parts) if part == parts[fold.test[0]]]
    rows = fold.test if planted == "test rows" else [*fold.validation, same[-1]]
    labels = study.part(exposures, "tiles").labels

    def perfect(candidate, rows):
        return labels[rows].mean() * candidate

    with pytest.raises(LeakError, match=choice):
        fold.choose(choice, [0.1, 0.9], perfect, rows)
    assert not fold.choices
    assert fold.choose(choice, [0.1, 0.9], perfect) == 0.9
    assert not set(fold.choices[0].rows) & set(fold.test.tolist())


def test_no_training_stops_where_the_test_is_best(exposures, monkeypatch):
    monkeypatch.setattr(study.nr, "fit", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(LeakError, match="choosing an epoch on test pictures"):
        study.train(exposures, "tiles", 0, held_out=study.fold(exposures, "tiles", 0).test[:3])


# Lessons.


def test_every_seed_and_fraction_learns_from_as_many_examples(lab):
    shapes = {
        study.lesson(lab, "drawn", seed, fraction).x.shape
        for seed in range(3)
        for fraction in (0.1, 1.0)
    }
    assert len(shapes) == 1


def test_a_lesson_holds_the_training_pictures_in_four_flips_with_their_masks(lab):
    taught, known = study.lesson(lab, "drawn", 0), study.part(lab, "drawn")
    assert set(taught.rows) == set(study.fold(lab, "drawn", 0).train)
    masks = np.asarray(study.flipped(known.masks, taught))
    for example in range(0, len(taught.rows), 7):
        row, (down, right) = taught.rows[example], networks.FLIPS[taught.flips[example]]
        image = known.images[row, ::down, ::right]
        np.testing.assert_allclose(taught.x[example], preprocess(image[None])[0], atol=1e-6)
        np.testing.assert_array_equal(masks[example], known.masks[row, ::down, ::right])
        assert taught.y[example] == known.labels[row]


def test_nobody_learns_from_test_pictures(lab):
    with pytest.raises(LeakError, match="learning on test pictures"):
        study.lesson(lab, "drawn", 0, rows=study.fold(lab, "drawn", 1).train)


# Training.


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(trained, standard_promotion):
    fresh = made()
    again = study.baseline(fresh, "drawn", 0)
    found = answers(fresh, trained[0])
    np.testing.assert_array_equal(answers(fresh, again), found)
    assert not np.array_equal(answers(fresh, trained[1]), found)
    assert not np.array_equal(answers(fresh, study.build(fresh, "drawn", 0)), found)


def test_weights_are_recalled_not_trained_again(lab, trained, monkeypatch):
    monkeypatch.setattr(study, "train", lambda *_, **__: pytest.fail("trained again"))
    again = study.baseline(lab, "drawn", 0)
    np.testing.assert_array_equal(answers(lab, again), answers(lab, trained[0]))


def test_a_loss_gets_what_goes_with_every_example(lab, standard_promotion):
    taught = study.lesson(lab, "drawn", 0)
    sizes = []

    def loss(model, batch):
        x, y, (rows, weights) = batch
        sizes.append((rows.shape, weights.shape))
        return nr.cross_entropy(model, (x, y)) * weights.mean()

    extra = (jnp.asarray(taught.rows), jnp.ones(len(taught.y)))
    net = study.train(lab, "drawn", 0, loss=loss, extra=extra, epochs=1, taught=taught)
    assert set(sizes) == {((study.BATCH,), (study.BATCH,))}
    assert answers(lab, net).shape == (12, 2)


def test_the_epoch_is_chosen_on_the_rows_that_are_held_out(lab, monkeypatch, standard_promotion):
    kept = {}
    fit = nr.fit

    def seen(*given, **options):
        kept["run"] = fit(*given, **options)
        return kept["run"]

    monkeypatch.setattr(study.nr, "fit", seen)
    held_out = study.fold(lab, "drawn", 0).validation
    net = study.train(lab, "drawn", 0, held_out=held_out)
    run = kept["run"]
    assert run.epoch == 1 + np.argmin(run.validation)
    losses = study.logits(lab, "drawn", net, held_out)
    truth = study.part(lab, "drawn").labels[held_out]
    expected = np.logaddexp(0, np.where(truth == 1, -1, 1) * study.margin(losses)).mean()
    assert run.validation.min() == pytest.approx(expected, rel=1e-4)


def test_chunks_change_no_answer(lab, trained):
    x = study.part(lab, "drawn").entered[0]
    whole = networks.outputs(trained[0], x, size=60)
    np.testing.assert_allclose(networks.outputs(trained[0], x, size=64), whole, atol=1e-5)
    np.testing.assert_allclose(study.logits(lab, "drawn", trained[0], [3]), whole[3:4], atol=1e-5)


# Networks on frozen stages.


@pytest.fixture(scope="module")
def small_base():
    """A small network in MobileNetV2's place."""
    rngs, widths = nnx.Rngs(0), (3, 4, 8, 32)
    stages = [
        Stage([ConvNorm(nr.conventional, a, b, 3, strides=2, names=Names(), rngs=rngs)])
        for a, b in pairwise(widths)
    ]
    plans = [Plan(*p) for p in zip(study.STAGES[:3], widths[1:], (2, 4, 8), strict=True)]
    net = StagedNet(plans, stages, MeanHead(32, 5, name="", rngs=rngs), channels=3)
    net.eval()
    return net


@pytest.fixture
def pretrained(small_base, monkeypatch):
    """A lab whose data has weights."""
    monkeypatch.setattr(networks, "backbone", lambda data: small_base if data.weights else None)
    return made(data=replace(DATA, weights={"a": np.zeros(1)}))


@pytest.mark.parametrize(
    ("which", "stages"), [("tiles", study.STAGES), ("drawn", study.STAGES[1:])]
)
def test_the_whole_network_answers_as_its_trained_part_does_on_what_enters(
    pretrained, which, stages
):
    net = study.build(pretrained, which, 0)
    net.eval()
    whole, known = study.whole(pretrained, which, net), study.part(pretrained, which)
    assert whole.stages == stages
    assert net.stages[-1] == "stage4"
    x = np.asarray(preprocess(known.images[:8]))
    expected = study.logits(pretrained, which, net, range(8))
    for one in (whole, study.explained(pretrained, which, net)):
        np.testing.assert_allclose(networks.outputs(one, x, size=8), expected, atol=1e-5)
    found = jax.eval_shape(nnx.merge(*nnx.split(whole)).features, x)
    assert found.shape[1:3] == tuple(side // whole.strides[-1] for side in known.side)


def test_what_enters_is_that_of_the_flipped_picture_not_a_flipped_activation(pretrained):
    known = study.part(pretrained, "cells")
    assert known.entered.shape == (4, 60, 2, 2, 32)
    base = networks.backbone(pretrained.data)
    for number, (down, right) in enumerate(networks.FLIPS):
        x = preprocess(np.ascontiguousarray(known.images[:8, ::down, ::right]))
        expected = networks._features(base, "stage2")(x)
        np.testing.assert_allclose(known.entered[number, :8], expected, atol=1e-5)


def test_parts_that_are_none_are_refused(lab, unchecked):
    with pytest.raises(ValueError, match="'metal'; allowed: tiles, cells, drawn"):
        networks.part.__wrapped__(lab.data, "metal")


# Scores.


def test_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(80, 2)).round(1), random.integers(0, 2, 80)
    evidence = logits[:, 1] - logits[:, 0]
    found = study.scores(logits, labels)
    assert found["accuracy"] == sklearn.accuracy_score(labels, evidence > 0)
    assert found["ap"] == pytest.approx(sklearn.average_precision_score(labels, evidence))
    assert found["auc"] == pytest.approx(sklearn.roc_auc_score(labels, evidence))
    assert found["f1"] == pytest.approx(sklearn.f1_score(labels, evidence > 0))
    assert study.scores(evidence, labels) == found


def test_the_calibration_error_is_the_gap_of_confidence_and_hits():
    sure = np.full(10, np.log(9))  # 90 % confident
    assert study.scores(sure, np.array([1] * 9 + [0]))["ece"] == pytest.approx(0.0, abs=1e-9)
    assert study.scores(sure, np.array([1] * 4 + [0] * 6))["ece"] == pytest.approx(0.5)
    assert study.scores(np.full(4, 50.0), np.ones(4))["ece"] == pytest.approx(0.0, abs=1e-9)


def test_without_a_defect_what_is_undefined_is_no_number():
    found = study.scores(np.array([-1.0, -2.0, 1.0]), np.zeros(3, int))
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["f1"] == 0.0  # one is called defective, wrongly
    assert np.isnan([found["ap"], found["auc"]]).all()
    none = study.scores(np.array([-1.0, -2.0]), np.zeros(2, int))
    assert none["accuracy"] == 1.0
    assert np.isnan(none["f1"])
