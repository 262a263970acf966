"""scikit-learn's own checks of its contract."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from neurons.estimators import NeuronSearch, TaskBasedClassifier, TaskBasedRegressor

# Linear neurons: formulas that differ from check to check would compile from check to check.
SHORT = {
    "search": NeuronSearch(powers=(1,), functions=()),
    "layers": (4,),
    "epochs": 6,
    "batch_size": 16,
    "learning_rate": 0.1,
    "validation_fraction": 0.0,
}
ESTIMATORS = [
    NeuronSearch(powers=(1, 2), functions=()),
    TaskBasedRegressor(**SHORT),
    TaskBasedClassifier(**SHORT),
]


@pytest.mark.usefixtures("standard_promotion", "unchecked")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_contract(estimator, check):
    check(estimator)
