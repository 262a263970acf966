"""Detectors of scikit-learn: larger is more anomalous, and small tables are no trouble."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from theory.claims.outlier_baselines import BASELINES
from theory.claims.outlier_scores import roc_auc

RANDOM = np.random.default_rng(0)
TRAIN = RANDOM.normal(size=(120, 6)).astype(np.float32)
FAR = np.concatenate([RANDOM.normal(size=(20, 6)), RANDOM.normal(size=(20, 6)) + 4])
TEST, LABELS = FAR.astype(np.float32), np.arange(40) >= 20


@pytest.mark.parametrize("name", BASELINES)
def test_rows_far_away_score_higher(name):
    scores = BASELINES[name](TRAIN, TEST, 0)
    assert scores.train.shape == (120,)
    assert scores.test.shape == (40,)
    assert roc_auc(LABELS, scores.test) > 0.95


@pytest.mark.parametrize("name", BASELINES)
def test_seeds_repeat_and_matter_to_the_forest_alone(name):
    first, again, other = (BASELINES[name](TRAIN, TEST, seed).test for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (name != "Isolation Forest")


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("rows", [2, 3])
def test_few_rows_and_one_column_are_enough(name, rows):
    scores = BASELINES[name](TRAIN[:rows, :1], TEST[:, :1], 0)
    assert np.isfinite(scores.train).all()
    assert np.isfinite(scores.test).all()


@pytest.mark.parametrize("name", BASELINES)
def test_constant_columns_are_no_trouble(name):
    still = np.zeros((30, 3), np.float32)
    scores = BASELINES[name](still, np.concatenate([still, still + 1]), 0)
    assert np.isfinite(scores.test).all()


def test_components_leave_what_the_plane_cannot_hold():
    flat = TRAIN * [1, 0, 0, 0, 0, 0]  # one of the 6 // 4 components
    off = flat + np.array([0, 3, 4, 0, 0, 0])
    scores = BASELINES["PCA"](flat.astype(np.float32), off.astype(np.float32), 0)
    np.testing.assert_allclose(scores.train, 0, atol=1e-5)
    np.testing.assert_allclose(scores.test, 5, rtol=1e-5)


def test_components_are_those_of_scikit_learn():
    fitted = PCA(1, svd_solver="full").fit(TRAIN)
    rest = TEST - fitted.inverse_transform(fitted.transform(TEST))
    found = BASELINES["PCA"](TRAIN, TEST, 0).test
    np.testing.assert_allclose(found, np.linalg.norm(rest, axis=1), rtol=1e-4)
