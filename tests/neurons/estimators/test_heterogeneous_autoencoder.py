"""The detector: what it finds, what its numbers mean, and what it refuses."""

import pickle
import tracemalloc
import warnings
from functools import lru_cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import roc_auc_score

import neurons as nr
from neurons.estimators import (
    HeterogeneousAutoencoder,
    heterogeneous_autoencoder,
    reconstruction,
    table,
)

pytestmark = pytest.mark.usefixtures("standard_promotion", "unchecked")
D = 5
SMALL = {"architecture": "QAE", "widths": (3,), "dropout": 0.0, "batch_size": 32, "steps": 300}


def rows(count=200, seed=0):
    """Rows near a plane of two dimensions, in units that differ."""
    rng = np.random.default_rng(seed)
    plane = np.random.default_rng(5).normal(size=(2, D))
    x = rng.normal(size=(count, 2)) @ plane + 0.05 * rng.normal(size=(count, D))
    return x * np.array([1.0, 10.0, 0.1, 1.0, 100.0]) + 3.0


def off_the_plane(count=50):
    """Each feature as usual by itself, but not together with the others."""
    x = rows(count, seed=1)
    return np.stack([np.random.default_rng(i).permutation(x[:, i]) for i in range(D)], axis=1)


def detector(**options):
    return HeterogeneousAutoencoder(**(SMALL | options))


@lru_cache
def fitted(**options):
    return detector(**options).fit(rows())


@lru_cache
def patient():
    """One that tolerates missing values."""
    return fitted(missing="mean")


def test_rows_that_break_the_pattern_are_found_where_each_feature_alone_is_usual():
    x = np.concatenate([rows(seed=2), off_the_plane()])
    labels = np.arange(len(x)) >= 200
    model = HeterogeneousAutoencoder(steps=3000).fit(rows())
    assert roc_auc_score(labels, -model.score_samples(x)) > 0.9


def test_the_score_is_the_distance_to_the_reconstruction_in_standard_deviations():
    model, x = fitted(), rows(20, seed=3)
    distance = np.linalg.norm((x - model.reconstruct(x)) / rows().std(axis=0), axis=1)
    np.testing.assert_allclose(model.score_samples(x), -distance, rtol=1e-9)


def test_the_reconstruction_is_the_networks():
    model, x = fitted(), rows(20, seed=3)
    z = ((x - rows().mean(axis=0)) / rows().std(axis=0)).clip(
        *np.quantile((rows() - rows().mean(axis=0)) / rows().std(axis=0), (0, 1), axis=0)
    )
    found = np.asarray(model.network_(np.float32(z))) * rows().std(axis=0) + rows().mean(axis=0)
    np.testing.assert_allclose(model.reconstruct(x), found, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("contamination", [0.02, 0.1, 0.5])
def test_contamination_is_the_share_of_training_rows_that_count_as_anomalous(contamination):
    model = fitted(contamination=contamination)
    assert (model.predict(rows()) == -1).mean() == contamination
    np.testing.assert_array_equal(model.decision_function(rows()) < 0, model.predict(rows()) < 0)
    np.testing.assert_array_equal(model.decision_scores_, fitted().decision_scores_)


def test_calibration_sets_the_threshold_on_other_rows():
    model, fresh = pickle.loads(pickle.dumps(fitted())), rows(500, seed=7)
    assert model.calibrate(fresh) is model
    assert (model.predict(fresh) == -1).mean() == 0.1
    assert model.threshold_ == -model.offset_ != fitted().threshold_
    np.testing.assert_array_equal(model.score_samples(fresh), fitted().score_samples(fresh))


def test_fit_predict_labels_the_training_rows():
    np.testing.assert_array_equal(detector().fit_predict(rows()), fitted().predict(rows()))


def test_contributions_sum_to_the_score_and_lead_to_the_broken_feature():
    x = rows(30, seed=4)
    x[:, 2] += 1.0  # ten standard deviations
    parts = fitted().contributions(x)
    np.testing.assert_allclose(parts.sum(axis=1), -fitted().score_samples(x), rtol=1e-12)
    assert parts.min() >= 0
    assert (parts.argmax(axis=1) == 2).mean() > 0.9


def test_explain_names_the_features_that_make_the_score():
    x = rows(3, seed=4)
    x[1, 4] = 5000.0
    reasons = fitted().explain(x, top=2)
    assert [len(of_row) for of_row in reasons] == [2, 2, 2]
    first = reasons[1][0]
    assert (first.feature, first.value) == ("x4", 5000.0)
    assert first.share == pytest.approx(
        fitted().contributions(x)[1, 4] / -fitted().score_samples(x)[1]
    )
    assert first.expected == pytest.approx(fitted().reconstruct(x)[1, 4])
    assert str(first).startswith("x4 = 5000, expected ")
    assert first.share > reasons[1][1].share
    named = fitted().explain(x, top=1, names=list("abcde"))
    assert named[1][0] == ("e", *first[1:])
    with pytest.raises(ValueError, match="names must be 5, one of every feature, got 2"):
        fitted().explain(x, names=["a", "b"])


def test_reasons_have_the_names_of_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows(), columns=list("abcde"))
    model = detector().fit(frame)
    assert {reason.feature for reason in model.explain(frame[:1], top=9)[0]} == set("abcde")


def test_missing_values_are_refused_unless_asked_for():
    x = rows(5)
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match=r'contains NaN, first in row 3: .* missing="mean"'):
        fitted().score_samples(x)
    with pytest.raises(ValueError, match="contains NaN, first in row 3"):
        detector().fit(x)


def test_a_missing_value_counts_as_the_mean_and_adds_nothing():
    model, x = patient(), rows(20, seed=3)
    np.testing.assert_array_equal(model.score_samples(x), fitted().score_samples(x))
    holes, filled = x.copy(), x.copy()
    holes[:, 1], filled[:, 1] = np.nan, rows()[:, 1].mean()
    np.testing.assert_allclose(model.reconstruct(holes), model.reconstruct(filled), rtol=1e-6)
    squares = model.contributions(filled) * -model.score_samples(filled)[:, None]
    rest = np.delete(squares, 1, axis=1).sum(axis=1)
    np.testing.assert_allclose(model.score_samples(holes), -np.sqrt(rest * D / (D - 1)), rtol=1e-6)
    assert not model.contributions(holes)[:, 1].any()


def test_training_rows_may_have_missing_values():
    x = rows()
    x[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    x = x[~np.isnan(x).all(axis=1)]
    model = detector(missing="mean").fit(x)
    np.testing.assert_allclose(model.mean_, np.nanmean(x, axis=0))
    assert np.isfinite(model.decision_scores_).all()
    broken = rows(1)
    broken[0, 0] = 50.0
    assert model.predict(broken) == -1


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((slice(None), 2), "feature x2 has no value at all: leave it out"),
        ((7, slice(None)), "row 7 has no value at all: leave it out"),
    ],
)
def test_rows_and_features_without_any_value_are_refused(place, message):
    x = rows()
    x[place] = np.nan
    with pytest.raises(ValueError, match=message):
        detector(missing="mean").fit(x)


def test_where_all_features_are_constant_every_deviation_is_anomalous():
    x = np.full((20, 3), 0.1)
    model = detector().fit(x)
    assert model.network_ is None
    np.testing.assert_array_equal(model.score_samples(x), 0)
    np.testing.assert_array_equal(model.predict([[0.1, 0.1, 0.1], [0.1, 0.3, 0.1]]), [1, -1])
    np.testing.assert_allclose(model.contributions([[0.1, 0.3, 0.1]]), [[0, 0.2, 0]], atol=1e-12)
    assert not model.contributions(x).any()


def test_a_constant_feature_does_not_disturb_the_others_and_is_watched():
    x = np.insert(rows(), 2, 7.0, axis=1)
    model = detector().fit(x)
    np.testing.assert_array_equal(model.decision_scores_, fitted().decision_scores_)
    x[0, 2] = 107.0
    assert model.predict(x[:1]) == -1
    assert model.explain(x[:1], top=1)[0][0] == ("x2", 107.0, 7.0, pytest.approx(1, abs=0.01))


def test_of_one_feature_what_lies_far_outside_is_anomalous_and_farther_is_worse():
    x = np.random.default_rng(0).normal(size=(200, 1))
    model = detector().fit(x)
    for side in (-1, 1):
        scores = model.score_samples(side * np.array([[6.0], [10.0], [1e3], [1e6], [1e300]]))
        assert (np.diff(scores) < 0).all()
        assert (scores < model.offset_).all()


def test_scores_of_extreme_rows_are_finite():
    x = rows(3)
    x[0], x[1, 0] = 1e308, -1e308
    scores = fitted().score_samples(x)
    assert np.isfinite(scores).all()
    assert (fitted().predict(x) == [-1, -1, 1]).all()
    assert np.isfinite(fitted().contributions(x)).all()


def test_values_that_cannot_be_standardised_are_refused():
    x = rows()
    x[0, 3] = 1e200
    with pytest.raises(ValueError, match="feature x3 has values too large to square"):
        detector().fit(x)
    with pytest.raises(ValueError, match="infinity"):
        fitted().score_samples(np.full((1, D), np.inf))


def test_fewer_rows_than_a_batch_are_one_batch():
    model = detector().fit(rows(10))
    assert np.isfinite(model.score_samples(rows(10))).all()
    assert np.isfinite(detector().fit(rows(2)).decision_scores_).all()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((1, D)), "minimum of 2 is required"),
        (np.ones((0, D)), "0 sample"),
        (np.ones((5, 0)), "0 feature"),
        (np.ones(5), "Expected 2D array"),
        (np.array([["a"], ["b"]]), "could not convert string"),
    ],
)
def test_tables_without_rows_or_numbers_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        detector().fit(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contamination": 0.0}, r"contamination must be in \(0, 0.5\], got 0.0"),
        ({"contamination": 0.6}, r"contamination must be in \(0, 0.5\], got 0.6"),
        ({"contamination": np.nan}, r"contamination must be in \(0, 0.5\], got nan"),
        ({"contamination": "auto"}, r"contamination must be a number, got 'auto'"),
        ({"architecture": "HAE"}, "architecture is one of HAE-X, .*; got 'HAE'"),
        ({"first": "cubic"}, "first is a neuron or a name .* got 'cubic'"),
        ({"second": None}, "second is a neuron or a name .* got None"),
        ({"missing": "drop"}, 'missing is "refuse" or "mean", got \'drop\''),
        ({"widths": ()}, "widths needs at least one layer"),
        ({"widths": (3, 0)}, "each of widths must be a whole number of at least 1, got 0"),
        ({"widths": 3}, "widths is a sequence of whole numbers or None, got 3"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, got 0.0"),
        ({"relinear_scale": -1.0}, "relinear_scale must be at least 0, got -1.0"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0, got -1.0"),
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"batch_size": 1}, "batch_size must be a whole number of at least 2, got 1"),
        ({"batch_size": 32.0}, "batch_size must be a whole number of at least 2, got 32.0"),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        detector(**options).fit(rows())


def test_an_unfitted_detector_says_so():
    for method in ("score_samples", "contributions", "reconstruct", "explain", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(detector(), method)(rows())
    for name in ("threshold_", "labels_", "network_"):
        with pytest.raises(NotFittedError):
            getattr(detector(), name)


def test_the_seed_decides():
    again, other = detector().fit(rows()), detector(random_state=1).fit(rows())
    np.testing.assert_array_equal(again.decision_scores_, fitted().decision_scores_)
    assert not np.array_equal(other.decision_scores_, fitted().decision_scores_)


def test_a_pickled_detector_scores_the_same():
    copy = pickle.loads(pickle.dumps(fitted()))
    np.testing.assert_array_equal(copy.score_samples(rows(9)), fitted().score_samples(rows(9)))
    np.testing.assert_array_equal(copy.losses_, fitted().losses_)


def test_any_neuron_will_do_by_name_or_as_it_is():
    named, given = (detector(first=first) for first in ("compact", nr.compact))
    scores = [model.fit(rows()).decision_scores_ for model in (named, given)]
    np.testing.assert_array_equal(*scores)
    assert clone(given).first is nr.compact


def test_the_published_networks_reconstructions_lie_between_0_and_1():
    model = fitted(corrected=False)
    z = (model.reconstruct(rows()) - model.mean_) / model.scale_
    assert -1e-9 <= z.min() < z.max() <= 1 + 1e-9


def test_a_training_that_diverges_is_told():
    with pytest.warns(ConvergenceWarning, match="learning_rate=1e"), np.errstate(all="ignore"):
        model = detector(learning_rate=1e30).fit(rows())
    assert (model.predict(rows(9)) == -1).all()


def test_training_lowers_the_loss():
    losses = fitted().losses_
    assert len(losses) == 300
    assert losses[-20:].mean() < 0.8 * losses[:20].mean()


def test_a_rows_score_does_not_depend_on_its_company():
    x = rows(3)
    alone = np.concatenate([fitted().score_samples(row[None]) for row in x])
    np.testing.assert_array_equal(fitted().score_samples(x), alone)


def test_rows_in_parts_or_from_a_file_score_the_same(tmp_path):
    x = rows(2500, seed=6).astype(np.float32)
    x.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.float32, "r", shape=x.shape)
    whole = fitted().score_samples(x)
    np.testing.assert_array_equal(fitted().score_samples(mapped), whole)
    parts = map(fitted().score_samples, np.array_split(mapped, 7))
    np.testing.assert_array_equal(np.concatenate(list(parts)), whole)


def peak(count):
    """Bytes that scoring rows takes at its peak, beside rows and scores."""
    x = np.random.default_rng(0).normal(size=(count, D))
    fitted().score_samples(x[:1])
    tracemalloc.start()
    fitted().score_samples(x)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found - 2 * 8 * count  # scores, and their negatives


def test_scoring_takes_as_much_memory_for_many_rows_as_for_few(monkeypatch):
    few, many = peak(5_000), peak(50_000)
    assert many < few + 100_000
    for module in (heterogeneous_autoencoder, reconstruction, table):
        monkeypatch.setattr(module, "BLOCK", 50_000)
    assert peak(50_000) > few + 1_000_000  # the measurement can fail


def test_pyods_view_has_pyods_signs():
    model, x = fitted(), np.concatenate([rows(20, seed=3), rows(1) + 1000])
    view = model.as_pyod()
    np.testing.assert_array_equal(view.decision_function(x), -model.score_samples(x))
    np.testing.assert_array_equal(view.predict(x), np.where(model.predict(x) == -1, 1, 0))
    assert view.predict(x)[-1] == 1
    np.testing.assert_array_equal(view.labels_, view.predict(rows()))
    np.testing.assert_array_equal(view.decision_scores_, view.decision_function(rows()))
    assert view.threshold_ == model.threshold_ == -model.offset_
    assert view.contamination == view.labels_.mean() == 0.1
    np.testing.assert_array_equal(detector().as_pyod().fit_predict(rows()), view.labels_)
    assert repr(view).startswith("PyODView(HeterogeneousAutoencoder(")


@pytest.mark.parametrize("method", ["linear", "unify"])
def test_probabilities_grow_with_the_score(method):
    model = fitted()
    x = np.concatenate([rows(), rows(1) + 1000])
    found = model.predict_proba(x, method)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    order = np.argsort(-model.score_samples(x))
    assert (np.diff(found[order, 1]) >= 0).all()
    assert found[-1, 1] == 1
    assert found[:, 1].min() == 0
    np.testing.assert_array_equal(found, model.as_pyod().predict_proba(x, method))


def test_other_probabilities_are_refused():
    with pytest.raises(ValueError, match='method must be "linear" or "unify", got \'softmax\''):
        fitted().predict_proba(rows(), "softmax")


def test_probabilities_where_all_training_scores_are_equal():
    model = detector().fit(np.zeros((9, 2)))
    for method in ("linear", "unify"):
        found = model.predict_proba([[0.0, 0.0], [9.0, 0.0]], method)
        np.testing.assert_allclose(found, [[1, 0], [0, 1]])


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = detector().fit(rows())
        model.explain(rows(2))
