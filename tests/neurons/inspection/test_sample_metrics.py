"""Metrics that count samples: the golden vector, properties, and what becomes of every sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.explain.metrics import confusion
from neurons.inspection.sample_metrics import (
    OUTCOMES,
    report,
    sample_scores,
    seg_miou,
    seg_precision,
    seg_recall,
)

PAIRS = [
    ((), ()),
    ((), ()),
    ((), (1,)),
    ((0, 1, 2, 3), (0, 1, 2, 3)),
    ((0, 1), (1, 2)),
    ((5,), ()),
]


def marked(pixels):
    return np.isin(np.arange(10), pixels).reshape(2, 5)


TRUTH = np.stack([marked(truth) for truth, _ in PAIRS])
FOUND = np.stack([marked(found) for _, found in PAIRS])
# Computed once from the definitions, pixel by pixel: papers/vision.md, section 6.9.
GOLDEN = {
    "pooled_miou": 0.74141414,
    "pooled_iou": 0.55555556,
    "mean_iou_empty_one": 0.55555556,
    "seg_miou": 0.33333333,
    "seg_miou_pos": 0.44444444,
    "seg_recall": 0.66666667,
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_vector(name):
    assert getattr(sample_scores(TRUTH, FOUND), name) == pytest.approx(GOLDEN[name], abs=5e-9)


def test_golden_vector_above_half_and_by_single_functions():
    assert sample_scores(TRUTH, FOUND, tau=0.5).seg_recall == pytest.approx(1 / 3)
    assert seg_recall(TRUTH, FOUND, tau=0.5) == pytest.approx(1 / 3)
    assert seg_miou(TRUTH, FOUND) == pytest.approx(1 / 3)
    assert seg_miou(TRUTH, FOUND, positives=True) == pytest.approx(4 / 9)
    assert seg_precision(TRUTH, FOUND) == pytest.approx(2 / 3)
    assert seg_precision(TRUTH, FOUND, tau=0.5) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "broken",
    [
        lambda truth, found: (truth, ~found),
        lambda truth, found: (truth[:-1], found[:-1]),  # the miss is forgotten
        lambda truth, found: (np.delete(truth, 2, 0), np.delete(found, 2, 0)),  # the false alarm
    ],
)
def test_a_wrong_vector_misses_the_golden_one(broken):
    found = sample_scores(*broken(TRUTH, FOUND))
    assert found.seg_miou != pytest.approx(GOLDEN["seg_miou"])


def brute(truth, found, called, tau):
    """The definitions of section 6.9, sample by sample."""
    overlaps, located, union, positives, claims = [], 0, 0, 0, 0
    for g, m, dh in zip(truth, found, called, strict=True):
        d = bool(g.any())
        iou = (g & m).sum() / (g | m).sum() if (g | m).any() else 0.0
        union, positives, claims = union + (d or dh), positives + d, claims + dh
        overlaps.append(iou if d and dh else 0.0)
        located += bool(d and dh and iou > tau)

    def over(part, whole):
        return part / whole if whole else np.nan

    return (
        over(sum(overlaps), union),
        over(sum(overlaps), positives),
        over(located, positives),
        over(located, claims),
    )


MASKS = arrays(bool, (6, 2, 3), elements=st.booleans())
CALLED = arrays(bool, 6, elements=st.booleans())
TAUS = st.floats(0, 0.99)


@given(MASKS, MASKS, CALLED, TAUS)
def test_definitions_hold_sample_by_sample(truth, found, called, tau):
    scores = sample_scores(truth, found, called, tau)
    ours = (scores.seg_miou, scores.seg_miou_pos, scores.seg_recall, scores.seg_precision)
    np.testing.assert_allclose(ours, brute(truth, found, called, tau))


@given(MASKS, MASKS)
def test_classical_scores_are_those_of_the_pixels(truth, found):
    scores = sample_scores(truth, found)
    pooled = confusion(found.astype(float), truth, 0.5).pooled()
    np.testing.assert_allclose([scores.pooled_iou, scores.pooled_miou], [pooled.iou, pooled.miou])


@given(MASKS, MASKS, CALLED, TAUS, st.integers(1, 5))
def test_true_negatives_change_classical_scores_only(truth, found, called, tau, count):
    empty = np.zeros((count, 2, 3), bool)
    more = [np.concatenate([part, empty]) for part in (truth, found)]
    before = sample_scores(truth, found, called, tau)
    after = sample_scores(*more, np.concatenate([called, np.zeros(count, bool)]), tau)
    for name in ("seg_miou", "seg_miou_pos", "seg_recall", "seg_precision", "recall", "f1"):
        # But for the order in which a longer list is summed.
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-12)
    # Unless a score is perfect or undefined already, it rises.
    if before.mean_iou_empty_one < 1:
        assert after.mean_iou_empty_one > before.mean_iou_empty_one
    if 0 < before.pooled_miou < 1 and (truth | found).any() and not (truth == found).all():
        assert after.pooled_miou > before.pooled_miou


@given(MASKS, MASKS, CALLED, TAUS, TAUS)
def test_seg_recall_does_not_increase_in_tau(truth, found, called, one, other):
    low, high = sorted((one, other))
    found_low, found_high = (
        sample_scores(truth, found, called, tau).seg_recall for tau in (low, high)
    )
    assert np.isnan(found_low) or found_high <= found_low


@given(MASKS, MASKS, CALLED)
def test_overlap_of_positives_is_at_most_the_recall_of_the_decision(truth, found, called):
    scores = sample_scores(truth, found, called)
    assert np.isnan(scores.recall) or scores.seg_miou_pos <= scores.recall + 1e-12
    assert np.isnan(scores.seg_miou_pos) or scores.seg_miou <= scores.seg_miou_pos + 1e-12


@given(MASKS, MASKS, CALLED, st.permutations(range(6)))
def test_order_does_not_matter(truth, found, called, order):
    order = np.array(order)
    np.testing.assert_allclose(
        sample_scores(truth, found, called),
        sample_scores(truth[order], found[order], called[order]),
    )


@given(MASKS, MASKS, CALLED, TAUS)
def test_the_report_counts_what_the_scores_say(truth, found, called, tau):
    scores, told = sample_scores(truth, found, called, tau), report(truth, found, called, tau)
    counts, defective = told.counts(), truth.any(axis=(1, 2))
    assert tuple(counts) == OUTCOMES
    assert sum(counts.values()) == len(truth)
    assert counts["missed"] == (defective & ~called).sum()
    assert counts["false alarm"] == (~defective & called).sum()
    if defective.any():
        assert counts["located"] / defective.sum() == pytest.approx(scores.seg_recall)
        assert told.of("located", "found elsewhere").sum() / defective.sum() == scores.recall


def test_every_sample_is_told_apart():
    found = report(TRUTH, FOUND, np.array([False, True, True, True, True, False]), tau=0.5)
    assert found.outcome == (
        "free", "false alarm", "false alarm", "located", "found elsewhere", "missed",
    )  # fmt: skip
    np.testing.assert_allclose(found.area, [0, 0, 0, 0.4, 0.2, 0.1])
    np.testing.assert_allclose(found.claimed, [0, 0, 0.1, 0.4, 0.2, 0])
    np.testing.assert_allclose(found.iou, [np.nan, np.nan, 0, 1, 1 / 3, 0])


def test_all_empty_masks_leave_nothing_to_count_but_say_so():
    empty = np.zeros((3, 2, 5), bool)
    scores = sample_scores(empty, empty)
    assert np.isnan([scores.seg_miou, scores.seg_recall, scores.seg_precision, scores.f1]).all()
    assert np.isnan(scores.pooled_iou)
    assert scores.mean_iou_empty_one == 1
    assert scores.false_alarms == 0
    assert report(empty, empty).counts()["free"] == 3
    alarmed = sample_scores(empty, ~empty)
    assert (alarmed.seg_miou, alarmed.seg_precision, alarmed.false_alarms) == (0, 0, 1)


def test_a_decision_without_a_mask_is_found_elsewhere():
    scores = sample_scores(TRUTH, np.zeros_like(TRUTH), TRUTH.any(axis=(1, 2)))
    assert (scores.recall, scores.seg_recall, scores.seg_miou) == (1, 0, 0)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="masks must have the maps' shape"):
        sample_scores(TRUTH, FOUND[:, :1])
    with pytest.raises(ValueError, match="hold 0 and 1 only"):
        sample_scores(255 * TRUTH.astype(int), FOUND)
    with pytest.raises(ValueError, match="one bool a sample"):
        sample_scores(TRUTH, FOUND, np.ones(6))
    with pytest.raises(ValueError, match="one bool a sample"):
        sample_scores(TRUTH, FOUND, np.ones(5, bool))
    with pytest.raises(ValueError, match=r"lies in \[0, 1\), got 1"):
        sample_scores(TRUTH, FOUND, tau=1)
