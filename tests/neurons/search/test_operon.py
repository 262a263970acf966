"""Operon as a back-end: the real one where it is installed, a stand-in of its surface elsewhere."""

import inspect
import sys
from types import ModuleType

import numpy as np
import pytest
from engines import curve_of, misfit

from neurons.search.backend import BackendUnavailable
from neurons.search.operon import Operon, _read, symbols
from neurons.search.space import Space

SMALL = Operon(population=300, generations=40)
SPACE = Space(powers=range(1, 4), functions=("sin", "exp"))


class StandIn:
    """The part of `pyoperon.sklearn.SymbolicRegressor` that the adapter uses."""

    made: list = []  # noqa: RUF012  # emptied by the fixture
    texts = ("(0.5 + (2.0 * x))", "((x ^ 2) + sin((1.5 * x)))", "(x / 0.0)", "(max(x, 0.25))")

    def __init__(self, **settings):
        self.settings = settings
        StandIn.made.append(self)

    def fit(self, x, y):
        self.x, self.y = x, y
        self.pareto_front_ = [
            {"length": len(text), "tree": text}
            for text in sorted(self.texts, key=len, reverse=True)
        ]
        return self

    def get_model_string(self, model, precision=3, names=None):
        assert names == ["x"]
        assert precision >= 9  # digits of float32
        return model


@pytest.fixture
def stand_in(monkeypatch):
    package, module = ModuleType("pyoperon"), ModuleType("pyoperon.sklearn")
    module.SymbolicRegressor = StandIn
    monkeypatch.setitem(sys.modules, "pyoperon", package)
    monkeypatch.setitem(sys.modules, "pyoperon.sklearn", module)
    monkeypatch.setattr(StandIn, "made", [])
    return StandIn


def test_the_front_comes_back_as_formulas(stand_in):
    curve = curve_of(np.sin)
    space = Space(functions=("sin", "relu"))
    rectifier, line, wave = SMALL.propose(curve, space, seed=3)
    scale, x = curve.value.std(), np.linspace(-2, 2, 9)
    np.testing.assert_allclose(line(x), 2 * scale * x)
    np.testing.assert_allclose(rectifier(x), scale * (np.maximum(x, 0.25) - 0.25), atol=1e-15)
    np.testing.assert_allclose(wave(x), scale * (x**2 + np.sin(1.5 * x)))
    assert stand_in.made[0].settings["random_state"] == 3


def test_settings_reach_the_engine(stand_in):
    engine = Operon(population=7, generations=2, seconds=1.5, options={"tournament_size": 3})
    engine.propose(curve_of(np.sin), Space(max_complexity=17), seed=0)
    settings = stand_in.made[0].settings
    expected = {"population_size": 7, "generations": 2, "max_time": 2, "max_length": 17}
    expected |= {"tournament_size": 3, "n_threads": 1, "objectives": ["mse", "length"]}
    assert expected.items() <= settings.items()


def test_every_target_gets_a_run_of_its_own(stand_in):
    curve = curve_of(np.sin, lambda x: x**2)
    SMALL.propose(curve, SPACE, seed=5)
    assert [one.settings["random_state"] for one in stand_in.made] == [5, 6]
    np.testing.assert_allclose(stand_in.made[1].y * curve.value[:, 1].std(), curve.value[:, 1])


def test_nodes_that_are_known_better_are_repeated(stand_in):
    error = np.where(np.arange(64) < 32, 0.1, 0.2)
    SMALL.propose(curve_of(np.sin, error=error), SPACE, seed=0)
    _, counts = np.unique(stand_in.made[0].x, return_counts=True)
    assert counts[::-1].tolist() == [4] * 32 + [1] * 32


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("max(x, 1 - x)", lambda x: np.maximum(x, 1 - x)),
        ("2*min(x**2, sin(x))", lambda x: 2 * np.minimum(x**2, np.sin(x))),
        ("max(min(x, 1.0), -1.0)", lambda x: np.clip(x, -1, 1)),
    ],
)
def test_maxima_become_rectifiers(text, function):
    found = _read(text)
    assert not {"max", "min"} & set(found.postfix)
    x = np.linspace(-3, 3, 25)
    np.testing.assert_allclose(found(x), function(x), atol=1e-15)


def test_words_for_a_space():
    words = symbols(Space(powers=[1, 2], functions=("sin", "relu", "sigmoid", "inverse")))
    assert words[4:] == ("mul", "square", "sin", "fmin", "fmax", "div")
    assert "mul" not in symbols(Space(powers=[1], products=False))


@pytest.mark.parametrize("wrong", [{"population": 0}, {"generations": 0}, {"seconds": 0.0}])
def test_sizes_are_positive(wrong):
    with pytest.raises(ValueError, match=r"at least 1|above 0"):
        Operon(**wrong)


def test_without_pyoperon_the_reason_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyoperon.sklearn", None)
    with pytest.raises(BackendUnavailable, match=r"pyoperon.*neuron-companion\[operon\]"):
        SMALL.propose(curve_of(np.sin), SPACE, seed=0)


def real():
    pytest.importorskip("pyoperon", reason="needs the extra: operon")
    from pyoperon.sklearn import SymbolicRegressor

    return SymbolicRegressor


def test_the_stand_in_has_the_real_surface():
    theirs = real()
    known = inspect.signature(theirs).parameters
    assert set(SMALL._settings(SPACE)) | {"random_state", "max_time"} <= set(known)
    for method in ("fit", "get_model_string"):
        ours = inspect.signature(getattr(StandIn, method)).parameters
        assert list(ours) == [
            name.lower() for name in inspect.signature(getattr(theirs, method)).parameters
        ]


@pytest.mark.parametrize(
    "function",
    [lambda x: np.sin(1.5 * x) + 0.3 * x**2, lambda x: np.exp(0.5 * x) - 0.5 * np.sin(2 * x)],
)
def test_operon_recovers_a_function(function):
    real()
    curve = curve_of(function)
    found = SMALL.propose(curve, SPACE, seed=0)
    best = min(found, key=lambda formula: misfit(formula, curve))
    assert misfit(best, curve) < 1e-5
    assert misfit(found[0], curve) > 0.1  # a front: its simplest formula is poor
    beyond = np.linspace(2, 3, 5)
    gap = best(beyond) - function(beyond)
    assert np.ptp(gap) < 1e-4 * np.ptp(function(beyond))


def test_the_same_seed_gives_the_same_formulas():
    real()
    curve = curve_of(lambda x: np.sin(1.5 * x) + 0.3 * x**2, error=0.01)
    engine = Operon(population=60, generations=5)
    first, again, other = (engine.propose(curve, SPACE, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
