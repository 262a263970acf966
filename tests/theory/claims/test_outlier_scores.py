"""Scores of detectors against scikit-learn, and what has no answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from theory.claims.outlier_scores import (
    average_precision,
    detection,
    roc_auc,
    threshold,
)

BOTH = np.arange(8) % 2 == 0


def drawn(seed, ties):
    """Labels of both kinds and scores, rounded where there shall be ties."""
    random = np.random.default_rng(seed)
    labels = random.random(60) < 0.3
    labels[:2] = False, True
    scores = random.normal(labels.astype(float))
    return labels, np.round(scores) if ties else scores


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_areas_are_those_of_scikit_learn(seed, ties):
    labels, scores = drawn(seed, ties)
    assert roc_auc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores))
    expected = metrics.average_precision_score(labels, scores)
    assert average_precision(labels, scores) == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1))
def test_only_the_order_of_scores_counts(seed):
    labels, scores = drawn(seed, ties=True)
    for measure in (roc_auc, average_precision):
        assert measure(labels, np.exp(scores)) == pytest.approx(measure(labels, scores))
    assert roc_auc(labels, -scores) == pytest.approx(1 - roc_auc(labels, scores))


def test_the_extremes_are_known():
    scores = np.arange(8.0)
    late = scores >= 4
    assert (roc_auc(late, scores), roc_auc(~late, scores)) == (1.0, 0.0)
    assert average_precision(late, scores) == 1.0
    assert roc_auc(BOTH, np.zeros(8)) == 0.5
    assert average_precision(BOTH, np.zeros(8)) == 0.5  # chance: the share of anomalies
    assert roc_auc(BOTH, np.where(BOTH, np.inf, 1.0)) == 1.0


@pytest.mark.parametrize("measure", [roc_auc, average_precision])
@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        (BOTH, np.ones(7), "a score a label"),
        (BOTH, np.where(BOTH, np.nan, 1.0), "4 are NaN"),
        (np.ones(8, bool), np.ones(8), "8 of 8 are anomalous"),
        (np.zeros(8, bool), np.ones(8), "0 of 8 are anomalous"),
        (np.zeros(0, bool), np.ones(0), "0 of 0"),
    ],
    ids=["lengths", "NaN", "all anomalies", "no anomalies", "no rows"],
)
@pytest.mark.usefixtures("unchecked")
def test_what_has_no_area_is_an_error(measure, labels, scores, words):
    with pytest.raises(ValueError, match=words):
        measure(labels, scores)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["binary", "macro"]))
def test_detection_is_that_of_scikit_learn(seed, average):
    random = np.random.default_rng(seed)
    labels, flagged = random.random((2, 12)) < random.random((2, 1))
    expected = metrics.precision_recall_fscore_support(
        labels, flagged, average=average, labels=[0, 1], zero_division=0
    )[:3]
    if average == "binary":
        expected = metrics.precision_recall_fscore_support(
            labels, flagged, labels=[1], average="micro", zero_division=0
        )[:3]
    np.testing.assert_allclose(detection(labels, flagged, average), expected)


def test_averages_differ_as_the_papers_tables_may():
    labels = np.arange(100) < 10
    flagged = np.arange(100) < 5
    binary, macro = detection(labels, flagged), detection(labels, flagged, "macro")
    assert binary == (1.0, 0.5, pytest.approx(2 / 3))
    assert macro.f1 == pytest.approx((2 / 3 + 180 / 185) / 2)


def test_another_average_is_refused(unchecked):
    with pytest.raises(ValueError, match="'micro'; allowed: macro, binary"):
        detection(BOTH, BOTH, "micro")


@pytest.mark.parametrize("contamination", [0.0, 0.05, 0.3, 1.0])
def test_a_share_of_the_training_rows_lies_above_the_threshold(contamination):
    scores = np.random.default_rng(1).normal(size=1001)
    limit = threshold(scores, contamination)
    assert limit == np.percentile(scores, 100 * (1 - contamination))
    assert (scores > limit).mean() == pytest.approx(contamination, abs=0.002)


@pytest.mark.parametrize(
    ("scores", "contamination", "words"),
    [
        (np.ones(3), -0.1, "allowed: 0 to 1"),
        (np.ones(3), 1.1, "allowed: 0 to 1"),
        (np.ones(3), np.nan, "allowed: 0 to 1"),
        (np.ones(0), 0.1, "at least one"),
        (np.array([1.0, np.nan]), 0.1, "numbers"),
    ],
)
def test_thresholds_out_of_range_are_refused(scores, contamination, words):
    with pytest.raises(ValueError, match=words):
        threshold(scores, contamination)
