"""Simulated anomaly tables: repeatable, and each wrong in the way it says."""

import numpy as np
import pytest

from neurons.data.anomaly_tables import split_anomalies
from neurons.data.simulated_anomalies import simulated_anomalies
from theory.claims.outlier_scores import roc_auc


@pytest.fixture(scope="module")
def made():
    return simulated_anomalies(0)


def beyond_the_plane(split):
    _, _, axes = np.linalg.svd(split.train, full_matrices=False)
    rest = split.test - split.test @ axes[:4].T @ axes[:4]
    return np.linalg.norm(rest, axis=1)


def test_seeds_repeat_and_differ(made):
    assert made.simulated
    assert made.digest == simulated_anomalies(0).digest
    assert made.digest != simulated_anomalies(1).digest
    assert made.names == ("shifted", "plane", "curved", "hollow")
    assert all(table.contamination == 0.1 and table.simulated for table in made.tables)


def test_the_best_score_of_shifted_is_the_sum(made):
    table = made["shifted"]
    assert roc_auc(table.y, table.x.sum(axis=1)) == pytest.approx(0.9938, abs=0.01)


def test_only_correlations_betray_the_plane(made):
    split = split_anomalies(made["plane"], seed=0)
    assert roc_auc(split.labels, np.linalg.norm(split.test, axis=1)) < 0.75
    assert roc_auc(split.labels, beyond_the_plane(split)) > 0.98


def test_products_betray_the_curved(made):
    table = made["curved"]
    u = table.x[:, :4]
    expected = np.concatenate(
        [(u**2 - 1) / 2**0.5, (u[:, :, None] * u[:, None, :])[:, *np.triu_indices(4, 1)]], axis=1
    )
    assert roc_auc(table.y, np.linalg.norm(table.x[:, 4:] - expected, axis=1)) > 0.98
    split = split_anomalies(table, seed=0)
    assert roc_auc(split.labels, beyond_the_plane(split)) < 0.75


def test_the_hollow_is_near_the_centre(made):
    table = made["hollow"]
    assert roc_auc(table.y, -np.linalg.norm(table.x, axis=1)) > 0.99


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="allowed: 20 and more"):
        simulated_anomalies(rows=19)
