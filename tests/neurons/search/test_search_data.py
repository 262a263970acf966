"""Data that is strange or wrong: a right answer or a clear error."""

import numpy as np
import pytest

from neurons.search import Budget, Evolution, Space, search

QUICK = Budget(evolution=Evolution(epochs=0))
RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (200, 3))
Y = (X**2 - X).sum(axis=1)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:, 0], Y, r"x is \(samples, inputs\), got shape \(200,\)"),
        (X, Y[:10], "with 200 samples, got shape"),
        (X, Y[:, None, None], "with 200 samples, got shape"),
        (X[:1], Y[:1], "at least 8 samples"),
        (X[:, :0], Y, "at least 8 samples, one input"),
        (np.where(X > 1.9, np.nan, X), Y, "x must be finite, got nan at"),
        (X, np.where(Y > 8, np.inf, Y), "y must be finite, got inf at"),
        (X, np.full(200, 3.0), "target 0 is constant"),
        (np.ones((200, 3)), Y, "every input is 1"),
        (X, ["one"] * 200, "y must hold numbers"),
    ],
)
def test_what_cannot_be_searched_is_named(x, y, message):
    with pytest.raises(ValueError, match=message):
        search(x, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "gp"}, "engine is one of auto, dictionary, genetic, operon, pysr, tnsr"),
        ({"loss": "hinge"}, "loss is 'squared' or one of absolute, huber, logistic, softmax"),
        ({"scale": "rows"}, "scale is 'auto', 'none' or 'columns'"),
        ({"weights": np.ones(3)}, "weights are 200 numbers"),
        ({"weights": -np.ones(200)}, "weights are 200 numbers"),
        ({"key": -1}, "a key is a JAX key or a whole number"),
        ({"key": "seed"}, "a key is a JAX key or a whole number"),
        ({"guesses": ["sine(x)"]}, "sine"),
        ({"loss": "logistic"}, "takes labels"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_mistaken_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        search(X, Y, **options)


@pytest.mark.usefixtures("unchecked")
def test_budgets_are_checked():
    with pytest.raises(ValueError, match="seconds must be above 0"):
        Budget(seconds=0)
    with pytest.raises(ValueError, match="population must be at least 1"):
        Evolution(population=0)


def solved(x, y, **options):
    found = search(x, y, budget=QUICK, **options)
    return np.abs(found.predict(x) - y).max() / np.ptp(y)


def test_constant_and_duplicate_columns_do_no_harm():
    x = np.column_stack([X, np.full(200, 1.5), X[:, 0]])
    assert solved(x, (x**2 - x).sum(axis=1)) < 1e-9


def test_whole_numbers_are_numbers():
    x = RNG.integers(-5, 6, (200, 3))
    assert solved(x, (x**2 - 3 * x).sum(axis=1)) < 1e-9


def test_few_samples_do():
    assert solved(X[:20], Y[:20]) < 1e-9


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("of", ["x", "y", "both"])
def test_huge_and_tiny_scales(scale, of):
    x = X * (scale if of != "y" else 1.0)
    y = (np.sin(1.5 * X) + X**2).sum(axis=1) * (scale if of != "x" else 1.0)
    assert solved(x, y) < 1e-9


def test_columns_of_unlike_scales_are_scaled_and_it_is_said():
    x = X * np.array([1.0, 1e4, 1e-3])
    found = search(x, (X**2 - X).sum(axis=1), budget=QUICK)
    assert found.scaling.kind == "columns"
    np.testing.assert_allclose(np.abs(found.scaling(x)).max(axis=0), 1.0)


def test_heavy_tails():
    x = np.random.default_rng(1).standard_cauchy((500, 2))
    assert solved(x, (x**2 - 3 * x).sum(axis=1)) < 1e-9


def test_a_target_that_inputs_do_not_explain():
    y = RNG.normal(size=200)
    found = search(X, y, Space(powers=(1, 2, 3), functions=("sin", "exp")), budget=QUICK)
    assert found.lack_of_fit.ceiling < 0.3
    assert len(found.best.terms) == 1


def test_predictions_need_as_many_inputs():
    found = search(X, Y, budget=QUICK)
    with pytest.raises(ValueError, match=r"x is \(samples, 3\), got shape \(4, 2\)"):
        found.predict(np.zeros((4, 2)))
