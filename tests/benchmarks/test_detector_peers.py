"""The detector against PyOD's autoencoder, DeepSVDD and ECOD, and scikit-learn's forest, as given.

Everyone keeps its defaults, is fitted on the same normal rows, and scores the same others. The
table of `make peers` has seconds of fit and score over all sets, compilation included, and beside
each name the mean AUC. With NEURONS_DATA set the public sets are run as well.
"""

import os
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

import neurons.data as data
from neurons.data import AnomalyTable, split_anomalies
from neurons.estimators import HeterogeneousAutoencoder

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("standard_promotion", "unchecked")]
EXTRA = 'needs the peers extra: pip install "neuron-companion[peers]"'
ROWS = 3000  # of a public table


def embedded():
    """Simulated tables, and two that ship with scikit-learn."""
    cells, digits = load_breast_cancer(), load_digits()
    malignant = AnomalyTable("cells", cells.data, cells.target == 0, "scikit-learn")
    eights = AnomalyTable("digits", digits.data, digits.target == 8, "scikit-learn")
    return [*data.simulated("anomalies").tables, malignant, eights]


def public():
    return [data.anomaly_table(name) for name in data.PAPER_SETS.values()]


def peers():
    """By name, how to make a detector of so many features; scores are high where anomalous."""
    pytest.importorskip("pyod", reason=EXTRA)
    pytest.importorskip("torch", reason=EXTRA)
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.deep_svdd import DeepSVDD
    from pyod.models.ecod import ECOD

    return {
        "PyOD AutoEncoder": lambda d: AutoEncoder(random_state=0, verbose=0),
        "PyOD DeepSVDD": lambda d: DeepSVDD(d, random_state=0, verbose=0),
        "PyOD ECOD": lambda d: ECOD(),
        "scikit-learn IsolationForest": lambda d: Upright(IsolationForest(random_state=0)),
    }


class Upright:
    """A detector of scikit-learn with PyOD's sign."""

    def __init__(self, detector):
        self.detector = detector

    def fit(self, x):
        self.detector.fit(x)
        return self

    def decision_function(self, x):
        return -self.detector.score_samples(x)


def compared(tables, makers):
    """By maker, AUC and seconds of every table."""
    found = {name: [] for name in makers}
    for table in tables:
        split = split_anomalies(table, seed=0, rows=ROWS)
        for name, make in makers.items():
            start = time.perf_counter()
            scores = make(split.train.shape[1]).fit(split.train).decision_function(split.test)
            spent = time.perf_counter() - start
            found[name].append((roc_auc_score(split.labels, np.nan_to_num(scores)), spent))
    return {name: np.array(pairs).T for name, pairs in found.items()}


def ours(d):
    return HeterogeneousAutoencoder().as_pyod()


def enter(record, what, found):
    """A row for every peer: mean AUC beside the names, seconds over all sets."""
    (auc, seconds), *_ = found.values()
    for name, (theirs, spent) in list(found.items())[1:]:
        label = f"{what}: AUC {auc.mean():.3f}"
        record(label, f"{name} {theirs.mean():.3f}", [seconds.sum()], [spent.sum()])


def compare(record, what, tables):
    """Enter everyone; ours detects better than the other autoencoder and ECOD."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own
        found = compared(tables, {"ours": ours} | peers())
    enter(record, what, found)
    for name in ("PyOD AutoEncoder", "PyOD ECOD"):
        assert found["ours"][0].mean() > found[name][0].mean(), found


def test_detects_better_than_pyods_autoencoder(record):
    compare(record, "detector, 6 sets", embedded())


@pytest.mark.skipif("NEURONS_DATA" not in os.environ, reason="needs the public sets: NEURONS_DATA")
def test_detects_better_on_the_public_sets(record):
    compare(record, "detector, 14 public sets", public())


FRESH = """
import sys, time, numpy as np
from neurons.estimators import HeterogeneousAutoencoder
x = np.random.default_rng(0).normal(size=(5000, 64))
start = time.perf_counter()
HeterogeneousAutoencoder().fit(x).score_samples(x)
sys.stdout.write(str(time.perf_counter() - start))
"""


def test_5000_rows_of_64_features_are_fitted_and_scored_in_ten_seconds(record):
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    command = [sys.executable, "-c", FRESH]  # a process that has compiled nothing
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    record("detector, 5,000 x 64, cold", "10 seconds", [float(done.stdout)], [10.0], bar=1.0)


def test_once_compiled_as_fast_as_pyods_autoencoder(record, interleaved):
    theirs = peers()["PyOD AutoEncoder"]
    x = np.random.default_rng(0).normal(size=(5000, 64)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = interleaved(
            *(lambda make=make: make(64).fit(x).decision_function(x) for make in (ours, theirs)),
            rounds=2,
        )
    record("detector, 5,000 x 64, warm", "PyOD AutoEncoder", *times, bar=1.0)


@pytest.mark.parametrize("method", ["linear", "unify"])
def test_threshold_labels_and_probabilities_are_pyods(method):
    base = pytest.importorskip("pyod.models.base", reason=EXTRA)

    class Given(base.BaseDetector):
        """PyOD's own bookkeeping over our scores."""

        def __init__(self):
            super().__init__(contamination=0.07)

        def fit(self, x, y=None):
            self._set_n_classes(y)
            self.decision_scores_ = self.decision_function(x)
            self._process_decision_scores()
            return self

        def decision_function(self, x):
            return view.decision_function(x)

    rng = np.random.default_rng(0)
    x, new = rng.normal(size=(200, 4)), 2 * rng.normal(size=(50, 4))
    model = HeterogeneousAutoencoder(architecture="AE", steps=20, contamination=0.07).fit(x)
    view = model.as_pyod()
    theirs = Given().fit(x)
    assert view.threshold_ == pytest.approx(theirs.threshold_, rel=1e-12)
    np.testing.assert_array_equal(view.labels_, theirs.labels_)
    np.testing.assert_array_equal(view.predict(new), theirs.predict(new))
    np.testing.assert_allclose(
        view.predict_proba(new, method), theirs.predict_proba(new, method), atol=1e-9
    )
