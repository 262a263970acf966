"""Black boxes to interpret, and the surrogates that a network competes with.

The tables ship inside scikit-learn: breast cancer (569 x 30, two classes), wine (178 x 13, three)
and digits (1,797 images of 8 x 8, ten). Every black box is fitted on three quarters of the rows.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from neurons.data import Table, Tables
from neurons.layer import Dense
from neurons.quadratic import quadratic
from neurons.training import Batches, cross_entropy, fit

_STEPS, _BATCH = 300, 64


def embedded() -> Tables:
    """Three real tables that need no file."""
    loaders = {"breast_cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits}
    return Tables("scikit-learn", tuple(_table(*item) for item in loaders.items()), simulated=False)


def _table(name: str, loader: Callable[[], Any]) -> Table:
    found = loader()
    columns = tuple(str(column) for column in found.feature_names)
    labels = found.target.astype(np.int64)
    source = "a copy inside scikit-learn"
    return Table(name, found.data.copy(), labels, columns, "classification", source)


class Case(NamedTuple):
    """A black box on a table.

    Args:
        name: of the pair.
        rows: `(rows, in_features)` of the table.
        model: the fitted black box.
    """

    name: str
    rows: np.ndarray
    model: Any


class QuadraticNet(nnx.Module):
    """Eight quadratic neurons, ReLU, a linear layer."""

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs) -> None:
        self.hidden = Dense(quadratic, inputs, 8, rngs=rngs)
        self.out = nnx.Linear(8, outputs, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Logits `(batch, outputs)`."""
        return self.out(jax.nn.relu(self.hidden(x)))


class ImageNet(nnx.Module):
    """Two convolutions and a linear layer, for images of 8 x 8 given as rows of 64."""

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs) -> None:
        self.side = round(inputs**0.5)
        self.first = nnx.Conv(1, 8, (3, 3), rngs=rngs)
        self.second = nnx.Conv(8, 16, (3, 3), strides=2, rngs=rngs)
        self.out = nnx.Linear(16 * (self.side // 2) ** 2, outputs, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Logits `(batch, outputs)`."""
        images = x.reshape(-1, self.side, self.side, 1)
        maps = jax.nn.relu(self.second(jax.nn.relu(self.first(images))))
        return self.out(maps.reshape(len(x), -1))


class Standardised(nnx.Module):
    """A network behind a fixed standardisation of its inputs."""

    def __init__(self, net: nnx.Module, x: np.ndarray) -> None:
        scale = x.std(axis=0)
        self.net = net
        self.centre = nnx.Variable(jnp.asarray(x.mean(axis=0), jnp.float32))
        self.scale = nnx.Variable(jnp.asarray(np.where(scale > 0, scale, 1.0), jnp.float32))

    def __call__(self, x: Array) -> Array:
        """What the network says."""
        network: Any = self.net
        return network((x - self.centre[...][None]) / self.scale[...][None])


def _network(kind: type[nnx.Module], key: Array, x: np.ndarray, y: np.ndarray) -> Any:
    """A network of ours, trained on the rows."""
    build: Any = kind
    net = Standardised(build(x.shape[1], int(y.max()) + 1, rngs=nnx.Rngs(key)), x)
    arrays = (jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.int32))
    batches = Batches(arrays, _BATCH, max(1, _STEPS * _BATCH // len(x)))
    return fit(net, cross_entropy, optax.adam(3e-3), batches, key=key).model


def _estimator(model: Any, key: Array, x: np.ndarray, y: np.ndarray) -> Any:
    return model.fit(x, y)


Fitter = Callable[[Array, np.ndarray, np.ndarray], Any]


def _fitters() -> Mapping[str, Fitter]:
    boosted = HistGradientBoostingClassifier(max_iter=50, random_state=0)
    forest = RandomForestClassifier(100, random_state=0)
    neighbours = make_pipeline(StandardScaler(), KNeighborsClassifier(5))
    return {
        "RBF-SVM": partial(_estimator, make_pipeline(StandardScaler(), SVC())),
        "random forest": partial(_estimator, forest),
        "boosted trees": partial(_estimator, boosted),
        "k-NN": partial(_estimator, neighbours),
        "quadratic network": partial(_network, QuadraticNet),
        "CNN": partial(_network, ImageNet),
    }


ENSEMBLES = ("RBF-SVM", "random forest", "boosted trees")
PAIRS = (
    *((name, table) for table in ("breast_cancer", "wine") for name in ENSEMBLES),
    ("k-NN", "wine"),
    ("quadratic network", "wine"),
    ("CNN", "digits"),
)


def case(name: str, table: Table, key: Array, most: int | None = None) -> Case:
    """The black box of that name, fitted on three quarters of a table's rows.

    Args:
        name: one of the six.
        table: a classification.
        key: decides the rows, and a network's start.
        most: so many rows of the table are used, at most.
    """
    order = np.random.default_rng(np.asarray(jax.random.key_data(key))).permutation(len(table.x))
    order = order[:most]
    seen = order[: 3 * len(order) // 4]
    model = _fitters()[name](key, table.x[seen], table.y[seen])
    return Case(f"{name}, {table.name}", table.x[np.sort(order)], model)


def tree_of(parameters: int, x: np.ndarray, labels: np.ndarray) -> Any:
    """A decision tree of as many parameters at most.

    A split has a feature and a threshold, a leaf a label: 2 (L - 1) + L for L leaves.
    """
    leaves = max(2, (parameters + 2) // 3)
    return DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(x, labels)


def line_of(x: np.ndarray, labels: np.ndarray) -> Any:
    """A linear classifier of the same samples."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(x, labels)
