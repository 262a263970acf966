"""The search and networks of the neurons it finds, with scikit-learn's contract."""

from neurons.estimators.base import TaskBasedNetwork as TaskBasedNetwork
from neurons.estimators.search import NeuronSearch as NeuronSearch
from neurons.estimators.task_based import TaskBasedClassifier as TaskBasedClassifier
from neurons.estimators.task_based import TaskBasedRegressor as TaskBasedRegressor
