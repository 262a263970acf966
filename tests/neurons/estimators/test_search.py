"""The search as an estimator: what it finds, what it does with targets that do not vary."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import neurons as nr

X = np.random.default_rng(0).uniform(-2, 2, (200, 4))
QUICK = nr.NeuronSearch(powers=(1, 2, 3), functions=("sin",), engine="dictionary")


def wave(x, a=2.0, b=1.0):
    """A formula that both `QUICK` and the reader know."""
    return (a * x**3 + b * np.sin(x)).sum(axis=1) + 0.5


def assert_same(text, f):
    """The text's two terms add up to the function."""
    formula, grid = nr.Expression.parse(text), np.linspace(-2, 2, 101)
    assert len(formula.terms()[0]) == 2
    np.testing.assert_allclose(formula(grid), f(grid), atol=1e-4)


def test_recovers_a_formula_and_extrapolates():
    model = clone(QUICK).fit(X, wave(X))
    assert_same(model.formula_, lambda x: 2 * x**3 + np.sin(x))
    assert model.intercept_ == pytest.approx(0.5)
    assert model.result_.status == "exact"
    np.testing.assert_allclose(model.predict(3 * X), wave(3 * X), rtol=1e-6)


def test_formula_parses_back_to_what_it_predicts():
    model = clone(QUICK).fit(X, wave(X) + np.random.default_rng(1).normal(0, 0.1, len(X)))
    f = nr.Expression.parse(model.formula_)
    by_hand = model.intercept_ + f(X).sum(axis=1)
    np.testing.assert_allclose(by_hand, model.predict(X), rtol=1e-4, atol=1e-4)


def test_targets_share_terms_and_may_be_constant():
    y = np.stack([wave(X), np.full(len(X), 7.0), wave(X, -1.0, 3.0)], axis=1)
    model = clone(QUICK).fit(X, y)
    assert model.formula_[1] == "0.0"
    assert_same(model.formula_[0], lambda x: 2 * x**3 + np.sin(x))
    assert_same(model.formula_[2], lambda x: -(x**3) + 3 * np.sin(x))
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6, atol=1e-6)
    assert model.score(X, y) == pytest.approx(1.0)


def test_constant_target_needs_no_search():
    model = clone(QUICK).fit(X, np.full(len(X), -3.0))
    assert model.result_ is None
    assert model.formula_ == "0.0"
    np.testing.assert_array_equal(model.predict(X[:5]), np.full(5, -3.0))


def test_samples_of_weight_zero_do_not_count():
    y = np.where(np.arange(len(X)) < 150, wave(X), 1e3)
    model = clone(QUICK).fit(X, y, sample_weight=np.arange(len(X)) < 150)
    assert_same(model.formula_, lambda x: 2 * x**3 + np.sin(x))


def test_pickle_keeps_the_result_and_custom_operators():
    cube = nr.Operator("cube", 1, numpy=np.square, jax=np.square, sympy=np.square)
    model = clone(QUICK).set_params(operators=(cube,), functions=()).fit(X, (X**4).sum(axis=1))
    again = pickle.loads(pickle.dumps(model))
    assert str(again.result_) == str(model.result_)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_works_with_cross_validation():
    assert cross_val_score(clone(QUICK), X, wave(X), cv=3).min() > 0.999


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"powers": (0,)}, "at least 1"),
        ({"functions": ("sine",)}, "allowed: .*sin"),
        ({"engine": "magic"}, "auto, dictionary"),
        ({"scale": "log"}, "'auto', 'none' or 'columns'"),
        ({"islands": 0}, "islands must be at least 1"),
        ({"time_limit": -1}, "above 0"),
    ],
)
def test_bad_parameters_are_refused(settings, allowed):
    with pytest.raises(ValueError, match=allowed):
        clone(QUICK).set_params(**settings).fit(X, wave(X))
