"""Rules that decide about samples, and thresholds at a rate of false alarms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.inspection.decisions import RULES, Decision, evidence, threshold_at

GREY = st.floats(0, 1, width=32)
P = arrays(np.float32, 5, elements=GREY)
MASKS = arrays(np.float32, (5, 2, 3), elements=GREY)


@given(P, MASKS, GREY, st.integers(1, 6))
def test_rules_are_their_definitions(p, masks, threshold, area):
    called = {rule: Decision(rule, threshold, area)(p, masks) for rule in RULES}
    classifier, mask = p >= threshold, (masks >= threshold).sum(axis=(1, 2)) >= area
    np.testing.assert_array_equal(called["classifier"], classifier)
    np.testing.assert_array_equal(called["mask"], mask)
    np.testing.assert_array_equal(called["and"], classifier & mask)
    np.testing.assert_array_equal(called["or"], classifier | mask)


SCORES = arrays(np.float64, 8, elements=st.sampled_from([0.0, 0.1, 0.1, 0.4, 0.5, 0.9, 1.0]))
LABELS = arrays(bool, 8).filter(lambda labels: not labels.all())


@given(SCORES, LABELS, st.floats(0, 1))
def test_the_threshold_is_the_lowest_that_keeps_the_rate(scores, defective, rate):
    threshold = threshold_at(scores, defective, rate)
    free = scores[~defective]
    assert (free >= threshold).mean() <= rate + 1e-9
    lower = scores[scores < threshold]
    if lower.size:
        assert (free >= lower.max()).mean() > rate


def test_a_threshold_just_above_a_score_in_half_the_precision_stays_above():
    p, defective = np.float32([0.2, 0.7]), np.array([False, True])
    threshold = threshold_at(evidence(p, np.zeros((2, 1, 1)))["classifier"], defective, 0)
    assert Decision(threshold=threshold)(p, np.zeros((2, 1, 1))).tolist() == [False, True]


def test_every_alarm_may_be_false_and_none_may():
    scores, defective = np.array([0.2, 0.4, 0.6]), np.array([False, False, True])
    assert threshold_at(scores, defective, 1) == -np.inf
    assert ((scores >= threshold_at(scores, defective, 0)) == defective).all()


def test_a_set_without_samples_has_no_evidence():
    found = evidence(np.zeros(0), np.zeros((0, 2, 3)))
    assert {rule: len(values) for rule, values in found.items()} == dict.fromkeys(RULES, 0)


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_is_refused():
    p, masks = np.full(2, 0.5), np.full((2, 1, 2), 0.5)
    with pytest.raises(ValueError, match="unknown rule 'vote'; allowed: classifier, mask, and, or"):
        Decision("vote")
    with pytest.raises(ValueError, match="got NaN"):
        Decision(threshold=float("nan"))
    with pytest.raises(ValueError, match="area must be a whole number"):
        Decision(area=0)
    with pytest.raises(ValueError, match=r"masks must lie in \[0, 1\]; logits"):
        evidence(p, 4 * masks)
    with pytest.raises(ValueError, match=r"probabilities must lie in \[0, 1\]"):
        evidence(np.full(2, np.nan), masks)
    with pytest.raises(ValueError, match="one probability and mask a sample"):
        evidence(p[:1], masks)
    with pytest.raises(ValueError, match="area is 3, more than the 2 pixels"):
        evidence(p, masks, area=3)
    with pytest.raises(ValueError, match="no sample is free"):
        threshold_at(p, np.ones(2, bool))
    with pytest.raises(ValueError, match="must fit"):
        threshold_at(p, np.ones(3, bool))
    with pytest.raises(ValueError, match=r"rate of false alarms lies in \[0, 1\], got 2"):
        threshold_at(p, np.zeros(2, bool), 2)
