"""Cloud-RAIN's experiments: what they measure is there, and every planted fault flips a verdict.

Networks are real for what is exact (invariance, signs, hands), but trained only where they must
know something; the judgement of accuracies is tested on made-up records.
"""

from functools import cache

import jax
import numpy as np
import pytest
from flax import nnx

from neurons import quadratic
from neurons.data import PointClouds, procedural_shapes
from theory.claims import (
    Budget,
    claims,
    cloud_rain_accuracy,
    cloud_rain_hands,
    cloud_rain_invariance,
    cloud_rain_records,
    cloud_rain_spectra,
    cloud_rain_study,
)
from theory.claims.claim import Lab, remember

BUDGET = Budget("test", seeds=2, effort=0.05, data=1.0)
CLASSES = ("cone", "chair", "left_helix", "right_helix")
MODULES = (cloud_rain_accuracy, cloud_rain_hands, cloud_rain_invariance)


@cache
def shapes():
    return procedural_shapes(train=64, test=32, points=72, classes=CLASSES)


@cache
def hands():
    return procedural_shapes(train=200, test=32, points=72, classes=CLASSES[2:], turned=True)


memory = remember()


def lab(fault=None, data=None, recall=memory):
    return Lab(BUDGET, jax.random.key(0), data or shapes(), recall, fault)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """As few clouds as the judgement allows."""
    monkeypatch.setattr(cloud_rain_study, "CHUNK", 32)
    monkeypatch.setattr(cloud_rain_records, "PROBES", 32)
    monkeypatch.setattr(cloud_rain_records, "MOVES", 1)
    monkeypatch.setattr(cloud_rain_spectra, "OF_EACH", 8)
    monkeypatch.setattr(cloud_rain_hands, "TRAINED", 200)
    monkeypatch.setattr(cloud_rain_hands, "TESTED", 32)
    extras = {"RAIN": ("gaps", "symmetric", "spread")} | dict.fromkeys(
        ("frames", "released", "quadratic in axes"), ("gaps",)
    )
    monkeypatch.setattr(cloud_rain_records, "EXTRAS", extras)
    monkeypatch.setattr(cloud_rain_study, "trained", trained)


earnest = cloud_rain_study.trained


def trained(lab, task, arm):
    """Quadratic networks, which need know nothing, are loud; the others learn."""
    if arm.neuron is not quadratic:
        return earnest(lab, task, arm)
    nets = [arm.net(arm.neuron, 16, rngs=nnx.Rngs(seed)) for seed in range(lab.budget.seeds)]
    for net in nets:
        net.eval()
        for block in net.blocks:
            for parameter in jax.tree.leaves(nnx.state(block.layer), is_leaf=is_variable):
                parameter[...] = jax.random.normal(jax.random.key(1), parameter.shape)
    return nets


def is_variable(leaf):
    return isinstance(leaf, nnx.Variable)


EXACT = [
    ("invariance", None, "supported"),
    ("invariance", "no_axes", "refuted"),
    ("invariance", "full_quadratic", "refuted"),
    ("quadratic_in_axes", None, "supported"),
    ("quadratic_in_axes", "power_only", "refuted"),
    ("released_network", None, "supported"),
    ("released_network", "power_only", "refuted"),
    ("released_test_as_stated", None, "refuted"),
    ("released_test_as_stated", "one_channel", "supported"),
    ("released_test", None, "supported"),
    ("released_test", "one_channel", "refuted"),
    ("degenerate", None, "supported"),
    ("degenerate", "no_fallback", "refuted"),
    ("degenerate_axes", None, "supported"),
    ("degenerate_axes", "fallback", "refuted"),
    ("jumps", None, "supported"),
    ("jumps", "beside", "refuted"),
    ("precision", None, "supported"),
    ("precision", "single", "refuted"),
]


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize(("name", "fault", "status"), EXACT)
def test_exact_statements_and_their_faults(name, fault, status):
    assert getattr(cloud_rain_invariance, name)(lab(fault)).status == status


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize(
    ("name", "fault", "status"),
    [
        ("hands_lost", None, "supported"),
        ("hands_lost", "proper_frames", "refuted"),
        ("hands_kept", None, "supported"),
        ("hands_kept", "all_frames", "refuted"),
        ("signs_unseen", None, "supported"),
        ("signs_unseen", "frames", "refuted"),
    ],
)
def test_who_sees_signs_and_hands(name, fault, status):
    found = getattr(cloud_rain_hands, name)(lab(fault, hands()))
    assert found.status == status
    if name == "hands_kept" and fault is None:
        lost, kept = (np.array(found.series["confusion"][k]) for k in ("frames", "proper frames"))
        assert lost.sum() == kept.sum() == 64
        assert np.trace(kept) > np.trace(lost)


@pytest.mark.parametrize(
    ("fault", "change", "status"),
    [(None, 1e-5, "supported"), ("edges_as_they_are", 5.0, "refuted")],
)
def test_edges_are_held_to_the_tolerance(monkeypatch, fault, change, status):
    def record(lab, name, *, fault):
        assert (fault in cloud_rain_records.FAULTY) == (change > 1)
        return {"changes": {"mirror": [[1e-6, change], [change / 2, 1e-6]]}}

    monkeypatch.setattr(cloud_rain_records, "record", record)
    found = cloud_rain_invariance.edges_invariance(lab(fault))
    assert (found.status, found.comparison.effect) == (status, change)
    found = cloud_rain_invariance.edges_mostly_invariant(lab(fault))
    assert (found.status, found.comparison.effect) == (status, 50.0 if change > 1 else 0.0)


SCORES = {"RAIN": 50.0, "frames": 99.0, "SignNet": 98.0, "edges": 97.0}


@pytest.mark.parametrize(
    ("name", "fault", "status"),
    [
        ("signs_seen", None, "supported"),
        ("signs_seen", "power_only", "refuted"),
        ("edges_see_signs", None, "supported"),
        ("edges_see_signs", "points", "refuted"),
    ],
)
def test_high_scores_are_judged(monkeypatch, name, fault, status):
    made = {name: {"accuracy": [score] * 2} for name, score in SCORES.items()}
    monkeypatch.setattr(cloud_rain_hands, "sign_scores", lambda lab, arm: made[arm])
    assert getattr(cloud_rain_hands, name)(lab(fault)).status == status


def made_record(lab, name, *, fault="", hands=False):
    """Records of a world in which Cloud-RAIN beats augmentation, costs nothing and loves gaps."""
    original, reflected, lost = {
        "plain": (90.0, 30.0, 10.0), "flips": (90.0, 40.0, 10.0), "rotations": (80.0, 70.0, 10.0),
        "mirrors": (85.0, 75.0, 10.0), "RAIN": (91.0, 91.0, 40.0), "frames": (90.0, 90.0, 20.0),
    }[name]  # fmt: skip
    if fault == "shuffle":
        original, reflected, lost = 10.0, 10.0, 0.0
    changed = 0.0 if name == "RAIN" and fault != "no_axes" else 50.0
    gaps = np.asarray(cloud_rain_study.axes_of(cloud_rain_study.task(lab).x_test).gap)
    labels = cloud_rain_study.task(lab).y_test
    right = cloud_rain_accuracy._above_the_median_of_its_class(gaps, labels)
    slips = np.random.default_rng(1).random((6, len(labels))) < 0.2
    spread = np.linspace(-0.1, 0.1, 6)
    return {
        "original": (original + spread).tolist(),
        "reflected": (reflected + spread / 2).tolist(),
        "changed": [changed] * 6,
        "labels": labels.tolist(),
        "correct": (right ^ slips).astype(int).tolist(),
        "corrupted": {
            kind: (original - lost + 2 * spread).tolist() for kind in cloud_rain_records.CORRUPTIONS
        },
    }


ACCURACY = [
    ("drop_of_invariant", None, "supported"),
    ("drop_of_invariant", "no_axes", "refuted"),
    ("drop_of_baseline", None, "supported"),
    ("drop_of_baseline", "invariant", "refuted"),
    ("beats_augmentation", None, "supported"),
    ("beats_augmentation", "shuffle_invariant", "refuted"),
    ("frames_beat_augmentation", None, "supported"),
    ("frames_beat_augmentation", "shuffle_invariant", "refuted"),
    ("beats_augmentation", "shuffle_others", "supported"),
    ("frames_beat_augmentation", "shuffle_others", "supported"),
    ("cost", None, "supported"),
    ("cost", "shuffle_invariant", "refuted"),
    ("cost", "shuffle_others", "supported"),
    ("by_gap", None, "supported"),
    ("by_gap", "reversed", "refuted"),
    ("by_gap", "shuffled_gaps", "undecided"),
    ("rare_gaps", None, "supported"),
    ("rare_gaps", "symmetric", "refuted"),
    ("damaged", None, "supported"),
    ("damaged", "shuffle_invariant", "refuted"),
    ("damaged", "shuffle_others", "supported"),
]


@pytest.mark.parametrize(("name", "fault", "status"), ACCURACY)
def test_accuracies_are_judged_and_faults_decide(monkeypatch, name, fault, status):
    monkeypatch.setattr(cloud_rain_records, "record", made_record)
    assert getattr(cloud_rain_accuracy, name)(lab(fault)).status == status


def test_where_augmentation_wins_the_others_fault_flips_the_verdict(monkeypatch):
    def losing(lab, name, **options):
        return made_record(lab, {"RAIN": "flips", "frames": "flips"}.get(name, name), **options)

    monkeypatch.setattr(cloud_rain_records, "record", losing)
    for name in ("beats_augmentation", "frames_beat_augmentation"):
        experiment = getattr(cloud_rain_accuracy, name)
        assert experiment(lab()).status == "refuted"
        assert experiment(lab("shuffle_others")).status == "supported"


def test_every_fault_is_planted_somewhere():
    tested = {
        "edges_invariance": {"edges_as_they_are"},
        "edges_mostly_invariant": {"edges_as_they_are"},
        "hands_lost": {"proper_frames"}, "hands_kept": {"all_frames"},
        "signs_unseen": {"frames"}, "signs_seen": {"power_only"}, "edges_see_signs": {"points"},
    }  # fmt: skip
    for name, fault, _ in (*EXACT, *ACCURACY):
        tested.setdefault(name, set()).update({fault} - {None})
    declared = {name: set(faults) for module in MODULES for name, faults in module.FAULTS.items()}
    assert tested == declared
    found = claims("cloud_rain")
    assert len({claim.id for claim in found}) == len(found)
    for claim in found:
        assert set(claim.faults) == declared[claim.experiment.__name__]


@pytest.mark.usefixtures("standard_promotion")
def test_shuffled_labels_teach_nothing():
    honest, shuffled = (
        cloud_rain_records.record(lab(), "frames", fault=fault) for fault in ("", "shuffle")
    )
    assert min(honest["original"]) > 80 > 65 > max(shuffled["original"])
    assert honest["original"] == honest["reflected"]
    assert honest["changed"] == [0.0, 0.0]


def test_pairs_of_the_skewness_task_differ_in_signs_alone():
    work = cloud_rain_hands.skewness(lab())
    signed = cloud_rain_study.in_axes(work.x_test, np.random.default_rng(0))
    found = np.abs(signed)
    flat, skewed = found[::2], found[1::2]
    np.testing.assert_allclose(flat, skewed, atol=2e-6)
    cubes = np.abs((signed[..., 0].astype(float) ** 3).mean(axis=1))
    assert cubes[::2].max() < 1e-6 < 1e-3 < cubes[1::2].min()


def test_symmetric_clouds_have_equal_variances_and_lengths():
    for cloud in cloud_rain_spectra.symmetric_clouds().values():
        np.testing.assert_allclose(cloud.T @ cloud / len(cloud), np.eye(3) / 3, atol=1e-12)
        np.testing.assert_allclose(cloud.mean(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize("spread", cloud_rain_spectra.SPREADS)
def test_spreads_are_relative_gaps(spread):
    x = cloud_rain_spectra.with_spread(shapes().x_test[:4], spread)
    values = np.linalg.eigvalsh(np.einsum("bni,bnj->bij", x, x))
    np.testing.assert_allclose(1 - values[:, 1] / values[:, 2], spread, rtol=1e-6)


def test_preparations_are_what_they_say():
    x, random = shapes().x_test, np.random.default_rng(0)
    for name, determinants in (("mirrored", {-1}), ("rotated", {1}), ("flipped", {-1, 1})):
        moved = getattr(cloud_rain_study, name)(x, np.random.default_rng(0))
        found = [np.linalg.lstsq(a, b, rcond=None)[0] for a, b in zip(x, moved, strict=True)]
        np.testing.assert_allclose(
            found @ np.swapaxes(found, 1, 2), np.tile(np.eye(3), (32, 1, 1)), atol=1e-4
        )
        assert {round(float(np.linalg.det(matrix))) for matrix in found} == determinants
    half = (cloud_rain_study.perhaps_mirrored(x, random) == x).all(axis=(1, 2)).mean()
    assert 0.2 < half < 0.8


def test_left_and_right_are_one_class_without_hands():
    merged, own = (cloud_rain_study.task(lab(), hands=hand) for hand in (False, True))
    assert set(merged.y) == {0, 1, 3}
    assert set(own.y) == {0, 1, 2, 3}


def test_rivals_have_equally_many_parameters():
    rivals = ("plain", *cloud_rain_accuracy.AUGMENTED, "RAIN", "frames", "proper frames")
    assert len({cloud_rain_study.size(name) for name in rivals}) == 1
    assert cloud_rain_study.size("released") > cloud_rain_study.size("RAIN")


@pytest.mark.parametrize("name", ["frames", "SignNet"])
def test_outputs_are_those_of_the_whole_network(name):
    arm = cloud_rain_hands.SIGN_ARMS[name]
    net = arm.net(arm.neuron, 16, rngs=nnx.Rngs(0))
    net.eval()
    model, x = cloud_rain_study.finished(net, arm), jax.numpy.asarray(shapes().x_test)
    found = cloud_rain_study.outputs(model, x)
    np.testing.assert_allclose(found, nnx.jit(lambda m, x: m(x))(model, x), atol=1e-5)


def test_digits_of_the_plane_are_lifted():
    random = np.random.default_rng(0)
    x = random.normal(size=(32, 64, 2)).astype(np.float32)
    labels = np.arange(32) % 2
    data = PointClouds("flat", x, labels, x, labels, ("a", "b"), "toy", simulated=True)
    work = cloud_rain_study.task(lab(data=data))
    clouds, _ = cloud_rain_study._stream(lab(data=data), work, cloud_rain_study.mirrored, 2, 0)
    assert clouds.shape == (64, 64, 3)
    assert float(abs(clouds[..., 2]).max()) == 0
