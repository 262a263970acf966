"""The search, networks of the neurons it finds, and a detector, with scikit-learn's contract."""

from neurons.estimators.base import TaskBasedNetwork as TaskBasedNetwork
from neurons.estimators.heterogeneous_autoencoder import (
    HeterogeneousAutoencoder as HeterogeneousAutoencoder,
)
from neurons.estimators.outliers import PyODView as PyODView
from neurons.estimators.outliers import Reason as Reason
from neurons.estimators.search import NeuronSearch as NeuronSearch
from neurons.estimators.task_based import TaskBasedClassifier as TaskBasedClassifier
from neurons.estimators.task_based import TaskBasedRegressor as TaskBasedRegressor
