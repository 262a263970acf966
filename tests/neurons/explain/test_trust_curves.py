"""Trade-offs and intervals against brute force, SciPy, scikit-learn and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from neurons.explain.trust_curves import (
    auroc,
    average_precision,
    clopper_pearson,
    flagged,
    limit_for,
    tradeoff,
)

RANDOM = np.random.default_rng(0)
MISSED = RANDOM.random(60) < 0.2
SCORES = np.round(RANDOM.normal(size=60) + MISSED, 1)  # with ties


@pytest.mark.parametrize(("hits", "total"), [(0, 7), (7, 7), (3, 11), (1, 1), (40, 300)])
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_intervals_are_those_of_scipy(hits, total, confidence):
    found = clopper_pearson(hits, total, confidence)
    exact = stats.binomtest(hits, total).proportion_ci(confidence, method="exact")
    np.testing.assert_allclose((found.low, found.high), (exact.low, exact.high), rtol=1e-9)
    assert found.value == hits / total


def test_intervals_at_the_ends_in_closed_form():
    assert clopper_pearson(5, 5).low == pytest.approx(0.025 ** (1 / 5))
    assert clopper_pearson(0, 5).high == pytest.approx(1 - 0.025 ** (1 / 5))
    none = clopper_pearson(0, 0)
    assert (none.low, none.high) == (0, 1)
    assert math.isnan(none.value)


@given(st.integers(1, 30), st.floats(0.01, 0.99))
def test_an_interval_covers_its_rate_as_often_as_it_says(total, rate):
    inside = [k for k in range(total + 1) if _holds(clopper_pearson(k, total, 0.9), rate)]
    assert stats.binom.pmf(inside, total, rate).sum() >= 0.9 - 1e-9


def _holds(share, rate):
    return share.low <= rate <= share.high


def test_the_curve_is_that_of_all_thresholds():
    found = tradeoff(SCORES, MISSED)
    for limit, recall, cost in zip(*found[:3], strict=True):
        above = limit < SCORES
        assert recall == pytest.approx(above[MISSED].mean())
        assert cost == pytest.approx(above[~MISSED].mean())
    assert (found.recall[0], found.cost[0]) == (0, 0)
    assert (found.recall[-1], found.cost[-1]) == (1, 1)
    assert (found.misses, found.normals) == (MISSED.sum(), (~MISSED).sum())


def test_points_of_the_curve():
    found = tradeoff(SCORES, MISSED)
    for cost in (0.0, 0.13, 0.5, 1.0):
        best = max(
            (limit < SCORES)[MISSED].mean()
            for limit in (*SCORES, -np.inf)
            if (limit < SCORES)[~MISSED].mean() <= cost
        )
        assert found.recall_at(cost) == pytest.approx(best)
    everything = SCORES[MISSED].min()
    assert found.cost_at(1.0) == pytest.approx((SCORES[~MISSED] >= everything).mean())
    assert found.cost_at(0.0) == 0


def test_areas_are_those_of_scikit_learn():
    assert auroc(SCORES, MISSED) == pytest.approx(metrics.roc_auc_score(MISSED, SCORES))
    assert average_precision(SCORES, MISSED) == pytest.approx(
        metrics.average_precision_score(MISSED, SCORES)
    )
    infinite = np.where(SCORES > 1, np.inf, SCORES)
    assert auroc(infinite, MISSED) == auroc(np.minimum(SCORES, 1.05), MISSED)


def test_nothing_to_find_is_no_number():
    none = np.zeros(4, bool)
    found = tradeoff(SCORES[:4], none)
    for value in (found.recall_at(0.5), found.cost_at(1.0), auroc(SCORES[:4], none)):
        assert math.isnan(value)
    assert math.isnan(average_precision(SCORES[:4], none))
    assert math.isnan(tradeoff(SCORES[:4], ~none).recall_at(0.5))
    empty = tradeoff(SCORES[:0], none[:0])
    assert (empty.misses, empty.normals) == (0, 0)
    assert math.isnan(auroc(SCORES[:0], none[:0]))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_a_limit_keeps_to_its_share(values, alpha):
    scores = np.asarray(values, float)
    limit = limit_for(scores, alpha)
    assert flagged(scores, limit).hits <= alpha * len(scores) + 1e-6
    assert limit in scores
    below = scores[scores < limit]  # the next lower limit flags too many
    assert not below.size or flagged(scores, below.max()).hits > alpha * len(scores) - 1e-6
    assert limit_for(scores, alpha, beyond=True) >= limit


def test_a_limit_that_holds_beyond_its_images():
    draws = np.random.default_rng(1).normal(size=(4000, 20))
    rates = [(draw[-1] > limit_for(draw[:-1], 0.25, beyond=True)) for draw in draws]
    assert np.mean(rates) == pytest.approx(0.25, abs=0.02)  # 15 of 20 places
    assert limit_for(draws[0, :3], 0.1, beyond=True) == math.inf


def test_what_is_no_number_is_flagged():
    assert flagged(np.array([0.1, np.nan, 0.9]), 0.5)[:2] == (2, 3)


@pytest.mark.usefixtures("unchecked")
def test_refusals():
    for call, text in (
        (lambda: tradeoff(np.array([np.nan]), np.array([True])), "1 are NaN"),
        (lambda: tradeoff(SCORES, MISSED[:3]), "needs a score and a truth value"),
        (lambda: auroc(SCORES, MISSED.astype(int)), "needs a score and a truth value"),
        (lambda: limit_for(SCORES, 1.0), "alpha"),
        (lambda: limit_for(SCORES[:0], 0.1), "at least one"),
        (lambda: limit_for(np.array([np.nan]), 0.1), "1 of them NaN"),
        (lambda: clopper_pearson(3, 2), "between 0 and the total"),
        (lambda: clopper_pearson(1, 2, 1.0), "confidence"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
