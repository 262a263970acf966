"""Networks of found neurons: they learn what they should, the same each time."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import neurons as nr

RNG = np.random.default_rng(0)
X, NEW = RNG.uniform(-1, 1, (300, 4)), RNG.uniform(-1, 1, (2000, 4))
REGRESSOR = nr.TaskBasedRegressor(layers=(4,), epochs=120)
CLASSIFIER = nr.TaskBasedClassifier(layers=(4,), epochs=60)
pytestmark = pytest.mark.usefixtures("standard_promotion")


def cubes(x):
    """Cubes and squares."""
    return (2 * x**3 - x**2).sum(axis=1)


@pytest.fixture(scope="module")
def regressor():
    """Fitted on cubes and squares."""
    import jax

    with jax.numpy_dtype_promotion("standard"):
        return clone(REGRESSOR).fit(X, cubes(X))


def test_regressor_finds_the_terms_and_learns(regressor):
    assert {str(t) for t in nr.Expression.parse(regressor.formula_).terms()[0]} >= {"x**3", "x**2"}
    assert regressor.score(NEW, cubes(NEW)) > 0.97
    assert regressor.n_parameters_ == nr.parameters(regressor.network_)


def test_found_neuron_beats_the_conventional_one_at_equal_width(regressor):
    conventional = clone(REGRESSOR).set_params(formula="x").fit(X, cubes(X))
    assert conventional.search_ is None
    assert conventional.n_parameters_ < regressor.n_parameters_
    errors = [np.mean((m.predict(NEW) - cubes(NEW)) ** 2) for m in (regressor, conventional)]
    assert errors[0] < errors[1] / 2


def test_same_state_same_network_and_pickle_keeps_it(regressor):
    again = clone(REGRESSOR).fit(X, cubes(X))
    np.testing.assert_array_equal(again.predict(NEW), regressor.predict(NEW))
    copied = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(copied.predict(NEW), regressor.predict(NEW))
    other = clone(REGRESSOR).set_params(random_state=1).fit(X, cubes(X))
    assert not np.array_equal(other.predict(NEW), regressor.predict(NEW))


def test_several_targets_constant_ones_included():
    y = np.stack([cubes(X), np.full(len(X), 5.0)], axis=1)
    found = clone(REGRESSOR).fit(X, y).predict(NEW)
    assert found.shape == (2000, 2)
    assert abs(found[:, 1] - 5.0).max() < 0.3
    assert np.corrcoef(found[:, 0], cubes(NEW))[0, 1] > 0.98


def test_classifier_comes_near_the_bayes_rule():
    # Three shells of |x|^2; a tenth of the labels are drawn at random, so that the best rule is
    # right in 1 - 0.1 * 2 / 3 of all cases.
    def labelled(x, rng):
        shell = np.digitize((x**2).sum(axis=1), (1.0, 1.6))
        random = rng.random(len(x)) < 0.1
        return np.array(["core", "shell", "rim"])[
            np.where(random, rng.integers(0, 3, len(x)), shell)
        ]

    best = 1 - 0.1 * 2 / 3
    many = RNG.uniform(-1, 1, (1000, 4))
    model = clone(CLASSIFIER).fit(many, labelled(many, RNG))
    assert "x**2" in model.formula_
    assert list(model.classes_) == ["core", "rim", "shell"]
    assert best - 0.12 < model.score(NEW, labelled(NEW, RNG)) < best + 0.03
    np.testing.assert_allclose(model.predict_proba(NEW).sum(axis=1), 1.0)
    wrong = model.set_params(formula="x").fit(many, labelled(many, RNG))
    assert wrong.score(NEW, labelled(NEW, RNG)) < best - 0.12


def test_formula_with_a_pole_between_the_samples_makes_no_neuron():
    x = X[:, :1] + np.sign(X[:, :1]) * 0.05
    x = np.concatenate([x, -x])  # so that scaling leaves the pole at 0
    search = nr.NeuronSearch(powers=(1, 3), functions=("inverse",), guesses=("1/x",), terms=1)
    model = clone(REGRESSOR).set_params(search=search, epochs=2).fit(x, 1 / x[:, 0])
    assert model.search_.result_.status == "exact"
    assert "x**(-1)" in model.search_.formula_[0]
    assert model.formula_ in ("x", "x**3")
    with pytest.raises(ValueError, match=r"finite on \[-1, 1\]"):
        model.set_params(formula="1/x").fit(x, x[:, 0])


def test_columns_of_one_interval_are_scaled_together_others_alone():
    together = clone(REGRESSOR).set_params(epochs=1).fit(X, cubes(X))
    assert len(set(together.scaling_.width)) == 1
    unlike = X * (1, 10, 1, 1)
    alone = clone(REGRESSOR).set_params(epochs=1).fit(unlike, cubes(X))
    np.testing.assert_allclose(alone.scaling_(unlike).max(axis=0), 1.0)
    np.testing.assert_allclose(alone.scaling_(unlike).min(axis=0), -1.0)
    assert np.isfinite(alone.predict(1e9 * X)).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_is_said():
    wild = clone(REGRESSOR).set_params(learning_rate=1e30, epochs=3)
    with pytest.warns(ConvergenceWarning, match="learning_rate=1e"):
        wild.fit(X, cubes(X))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"layers": (4, 0)}, "widths of at least 1"),
        ({"layers": 4}, "widths of at least 1"),
        ({"activation": "relu"}, "hard_tanh, tanh, sigmoid"),
        ({"search": "polynomials"}, "NeuronSearch"),
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 1.5}, "batch_size"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"validation_fraction": 1.0}, r"\[0, 1\)"),
        ({"formula": "x +"}, "x +"),
    ],
)
def test_bad_parameters_are_refused(settings, allowed):
    for model in (REGRESSOR, CLASSIFIER):
        with pytest.raises(ValueError, match=allowed):
            clone(model).set_params(**settings).fit(X, cubes(X) > 0)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="2 classes"):
        clone(CLASSIFIER).fit(X, np.ones(len(X)))
