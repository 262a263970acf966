"""scikit-learn's own checks of outlier detectors."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from neurons.estimators import HeterogeneousAutoencoder

SHORT = {"architecture": "AE", "widths": (2,), "dropout": 0.0, "batch_size": 8, "steps": 10}


@pytest.mark.usefixtures("standard_promotion", "unchecked")
@parametrize_with_checks([HeterogeneousAutoencoder(**SHORT)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
