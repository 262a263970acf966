"""Usual detectors in their usual settings: what an autoencoder has to beat.

References:
    F. T. Liu, K. M. Ting, Z.-H. Zhou, Isolation forest, ICDM 2008.
    M. M. Breunig et al., LOF: identifying density-based local outliers, SIGMOD 2000.
    B. Schoelkopf et al., Estimating the support of a high-dimensional distribution, Neural
    Computation 13 (2001).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

Fitted = Float[np.ndarray, "train_rows inputs"]
Scored = Float[np.ndarray, "test_rows inputs"]


class SplitScores(NamedTuple):
    """Scores of the rows a detector was fitted to, and of others; larger is more anomalous.

    Args:
        train: one a training row.
        test: one a test row.
    """

    train: Float[np.ndarray, " train_rows"]
    test: Float[np.ndarray, " test_rows"]


Baseline = Callable[[Fitted, Scored, int], SplitScores]


def isolation_forest(train: Fitted, test: Scored, seed: int) -> SplitScores:
    """100 trees of at most 256 rows."""
    fitted = IsolationForest(random_state=seed).fit(train)
    return SplitScores(-fitted.score_samples(train), -fitted.score_samples(test))


def local_outlier_factor(train: Fitted, test: Scored, seed: int) -> SplitScores:
    """20 neighbours, or all others where there are fewer; the seed plays no part."""
    neighbours = min(20, len(train) - 1)
    fitted = LocalOutlierFactor(n_neighbors=neighbours, novelty=True).fit(train)
    return SplitScores(-fitted.negative_outlier_factor_, -fitted.score_samples(test))


def one_class_svm(train: Fitted, test: Scored, seed: int) -> SplitScores:
    """Radial kernel of scale `1 / (inputs * variance)`, nu 0.5; the seed plays no part."""
    fitted = OneClassSVM().fit(train)
    return SplitScores(-fitted.decision_function(train), -fitted.decision_function(test))


def principal_components(train: Fitted, test: Scored, seed: int) -> SplitScores:
    """Distance from the plane of the first `inputs // 4` components, the autoencoders' bottleneck.

    The seed plays no part. It is the best linear autoencoder, trained exactly.
    """
    kept = max(train.shape[1] // 4, 1)
    center = train.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh((train - center).T @ (train - center))  # ascending
    plane = axes[:, -kept:]
    rests = [(rows - center) - (rows - center) @ plane @ plane.T for rows in (train, test)]
    return SplitScores(*(np.linalg.norm(rest, axis=1) for rest in rests))


BASELINES: Mapping[str, Baseline] = {
    "Isolation Forest": isolation_forest,
    "LOF": local_outlier_factor,
    "OCSVM": one_class_svm,
    "PCA": principal_components,
}
"""Detectors by name."""
