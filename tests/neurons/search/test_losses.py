import numpy as np
import pytest
from scipy.optimize import minimize

from neurons.search import Budget, Evolution, Space, search
from neurons.search.losses import LOSSES, encode

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (600, 3))
F = (np.sin(1.7 * X) + 0.3 * X**2).sum(axis=1)
SPACE = Space(powers=(1, 2, 3), functions=("sin", "exp"), products=False)
QUICK = Budget(evolution=Evolution(epochs=0))
WANTED = {("x", 2, "**"), ("x", 1.0, "*", "sin")}


@pytest.mark.parametrize("loss", ["absolute", "huber"])
def test_outliers_do_not_hide_the_formula(loss):
    noise = np.random.default_rng(1).standard_t(1.2, 600)
    found = search(X, F + 0.3 * noise, SPACE, loss=loss, budget=QUICK)
    close = [{term.structure for term in each.terms} for each in (found.best, *found.equivalents)]
    assert WANTED in close
    assert np.corrcoef(found.predict(X), F)[0, 1] > 0.995


def test_log_odds_are_found_from_labels():
    chance = 1 / (1 + np.exp(-3 * (F - F.mean())))
    labels = (np.random.default_rng(2).random(600) < chance).astype(int)
    found = search(X, labels, SPACE, loss="logistic", budget=QUICK)
    assert np.corrcoef(found.predict(X), F)[0, 1] > 0.97
    column = np.stack([term(X).sum(1) for term in found.best.terms], axis=1)
    design = np.column_stack([np.ones(600), column])
    y = labels[:, None].astype(float)
    best = minimize(
        lambda b: LOSSES["logistic"].value(y, (design @ b)[:, None]).mean(),
        np.zeros(design.shape[1]),
    )
    assert found.best.loss == pytest.approx(best.fun, rel=1e-4)


def test_classes_get_one_target_each():
    score = np.stack([2 * (F - F.mean()), 0 * F, -2 * (F - F.mean())], axis=1)
    chance = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    labels = np.array([np.random.default_rng(k).choice(3, p=p) for k, p in enumerate(chance)])
    found = search(
        X, labels, Space(powers=(1, 2), functions=("sin",)), loss="softmax", budget=QUICK
    )
    predicted = found.predict(X)
    assert predicted.shape == (600, 3)
    bayes = (labels == chance.argmax(axis=1)).mean()
    assert (labels == predicted.argmax(axis=1)).mean() > bayes - 0.03


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_working_parabolas_touch_the_loss(name):
    """The slope of the parabola at the prediction is the slope of the loss."""
    rng = np.random.default_rng(0)
    loss, prediction = LOSSES[name], rng.normal(size=(40, 2 if name == "softmax" else 1))
    y = rng.normal(size=prediction.shape)
    if loss.likelihood:
        y = (
            np.eye(2)[rng.integers(0, 2, 40)]
            if name == "softmax"
            else np.round(rng.random((40, 1)))
        )
    weight, target = loss.working(y, prediction)
    step, slope = 1e-6, np.empty_like(prediction)
    for k in range(prediction.shape[1]):
        move = step * (np.arange(prediction.shape[1]) == k)
        slope[:, k] = (
            (loss.value(y, prediction + move) - loss.value(y, prediction - move)) / 2 / step
        )
    np.testing.assert_allclose(weight[:, None] * (prediction - target), slope, atol=1e-3)


@pytest.mark.parametrize(
    ("loss", "labels"),
    [
        ("logistic", [0, 1, 2]),
        ("logistic", [0, 0, 0]),
        ("logistic", [0.5, 1, 0]),
        ("softmax", [0, 2, 2]),
        ("softmax", [-1, 0, 1]),
    ],
)
def test_labels_are_checked(loss, labels):
    with pytest.raises(ValueError, match="takes labels"):
        encode(loss, np.array(labels, float))
