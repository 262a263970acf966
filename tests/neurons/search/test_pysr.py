"""PySR as a back-end: a stand-in of its surface, and the real one where Julia is present."""

import ast
import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType
from urllib.error import URLError

import numpy as np
import pytest
import sympy
from engines import curve_of, misfit

from neurons.search.backend import BackendUnavailable
from neurons.search.pysr import Pysr, julia
from neurons.search.space import Space
from neurons.task_based import Operator

SPACE = Space(powers=range(1, 4), functions=("sin", "inverse", "sigmoid"))
CUBE = Operator("cubed", 1, lambda x: x**3, lambda x: x**3, lambda x: x**3, complexity=2)
TEXTS = ("x", "square(x)", "sin(x * 1.5) + (square(x) * 0.3)", "0.5 - inv(sigmoid(x))", "x / 0")
# Of PySR 2.7.2's constructor, and of its `fit` and `equations_`.
SETTINGS = [
    "binary_operators",
    "unary_operators",
    "niterations",
    "populations",
    "population_size",
    "maxsize",
    "timeout_in_seconds",
    "constraints",
    "nested_constraints",
    "complexity_of_operators",
    "complexity_of_variables",
    "complexity_of_constants",
    "extra_sympy_mappings",
    "precision",
    "batching",
    "parallelism",
    "deterministic",
    "progress",
    "verbosity",
    "temp_equation_file",
    "input_stream",
    "random_state",
    "parsimony",
]
FIT = ["X", "y", "weights", "variable_names"]
METHODS = ["fit", "get_best", "sympy"]


class StandIn:
    """PySRRegressor as far as the adapter goes: it 'finds' fixed texts, read as PySR reads them."""

    made: list = []  # noqa: RUF012  # emptied by the fixture

    def __init__(self, **settings):
        unknown = set(settings) - set(SETTINGS)
        assert not unknown, f"PySR has no {unknown}"
        assert settings["deterministic"] == (settings["parallelism"] == "serial")
        self.settings = settings
        StandIn.made.append(self)

    def fit(self, X, y, *, weights=None, variable_names=None):
        self.x, self.y, self.weights, (name,) = X, y, weights, variable_names
        square, inv = (lambda a: a**2), (lambda a: 1 / a)
        words = {"square": square, "inv": inv, name: sympy.Symbol(name)}
        words |= self.settings["extra_sympy_mappings"]
        formulas = [sympy.sympify(text, locals=words, evaluate=False) for text in TEXTS]
        self.equations_ = {"sympy_format": formulas, "complexity": list(map(len, TEXTS))}
        return self

    def get_best(self):
        return {"sympy_format": self.equations_["sympy_format"][2]}

    def sympy(self):
        return self.get_best()["sympy_format"]


@pytest.fixture
def stand_in(monkeypatch):
    module = ModuleType("pysr")
    module.PySRRegressor = StandIn
    monkeypatch.setitem(sys.modules, "pysr", module)
    monkeypatch.setattr(StandIn, "made", [])
    return StandIn


def wave(x):
    return np.sin(1.5 * x) + 0.3 * x**2


def test_equations_come_back_as_formulas(stand_in):
    curve, x = curve_of(wave), np.linspace(-2, 2, 9)
    line, square, best, sigmoid = Pysr().propose(curve, SPACE, seed=4)
    scale = curve.value.std()
    np.testing.assert_allclose(line(x), scale * x)
    np.testing.assert_allclose(square(x), scale * x**2)
    np.testing.assert_allclose(sigmoid(x), -scale * (1 + np.exp(-x)))
    symbol = sympy.Symbol("x")
    theirs = sympy.lambdify(symbol, stand_in.made[0].sympy())
    np.testing.assert_allclose(best(x), scale * theirs(x))
    assert stand_in.made[0].settings["random_state"] == 4


def test_the_engine_gets_the_weighted_curve(stand_in):
    error = np.linspace(0.1, 0.4, 64)
    curve = curve_of(wave, lambda x: x**3, error=error)
    Pysr().propose(curve, SPACE, seed=1)
    first, second = stand_in.made
    np.testing.assert_array_equal(first.x, curve.x[:, None])
    np.testing.assert_allclose(second.y * curve.value[:, 1].std(), curve.value[:, 1])
    np.testing.assert_allclose(first.weights, (0.1 / error) ** 2)
    assert [one.settings["random_state"] for one in stand_in.made] == [1, 2]


def test_the_space_in_pysr_s_words(stand_in):
    space = Space(
        powers=[1, 2],
        functions=("sin", "inverse", "sigmoid"),
        operators=[CUBE],
        max_complexity=60,
        complexity={"sin": 3, "x": 2, "tan": 5},
        constraints={"sin": 4, "*": 6, "exp": 1},
        nested={"sin": {"sin": 0, "exp": 0, "x": 2}, "exp": {"sin": 0}},
    )
    Pysr(iterations=3, seconds=2.5, options={"parsimony": 0.1}).propose(curve_of(wave), space, 0)
    found = stand_in.made[0].settings
    assert found["binary_operators"] == ["+", "-", "*"]
    names = ["square", "sin", "inv", "sigmoid(x) = 1 / (1 + exp(-x))", "cubed(x) = x .^ 3"]
    assert found["unary_operators"] == names
    assert found["complexity_of_operators"] == {"cubed": 2, "sin": 3}
    assert found["complexity_of_variables"] == 2
    assert found["complexity_of_constants"] is None
    assert found["constraints"] == {"sin": 4, "*": (6, 6)}
    assert found["nested_constraints"] == {"sin": {"sin": 0}}
    assert set(found["extra_sympy_mappings"]) == {"cubed", "sigmoid"}
    expected = {"maxsize": 40, "niterations": 3, "timeout_in_seconds": 2.5, "parsimony": 0.1}
    assert expected.items() <= found.items()


def test_custom_operators_survive_the_way_through_sympy(stand_in, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "TEXTS", ("2.0 * cubed(x)",))
    curve = curve_of(wave)
    (found,) = Pysr().propose(curve, Space(operators=[CUBE]), 0)
    assert "cubed" in found.postfix
    assert found(2.0) == pytest.approx(16 * curve.value.std())


@pytest.mark.parametrize(
    ("operator", "text"),
    [
        (CUBE, "cubed(x) = x .^ 3"),
        (Operator("bump", 1, np.exp, lambda x: sympy.exp(-(x**2))), "bump(x) = exp(-x .^ 2)"),
        (Operator("hyper", 1, np.sinh, "sinh"), "hyper(x) = sinh(x)"),
    ],
)
def test_julia_text_is_made_of_the_sympy_form(operator, text):
    assert julia(operator) == text


def test_julia_text_may_be_given():
    odd = Operator("odd", 1, np.sin)
    assert julia(odd, {"odd": "odd(x) = mod(x, 2)"}) == "odd(x) = mod(x, 2)"
    with pytest.raises(ValueError, match="Julia text for the operator 'odd'"):
        Pysr().propose(curve_of(wave), Space(operators=[odd]), 0)


@pytest.mark.parametrize("wrong", [{"iterations": 0}, {"populations": 0}, {"seconds": -1.0}])
def test_sizes_are_positive(wrong):
    with pytest.raises(ValueError, match=r"at least 1|above 0"):
        Pysr(**wrong)


class Failing:
    """An import of `pysr` that ends as it does where Julia cannot be downloaded, or otherwise."""

    def __init__(self, error):
        self.error = error

    def find_spec(self, name, path=None, target=None):
        if name == "pysr":
            raise self.error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (URLError("Name or service not known"), "URLError: <urlopen error Name or service"),
        (ModuleNotFoundError("No module named 'pysr'"), "ModuleNotFoundError: No module named"),
        (Exception("could not find Julia 1.10"), "Exception: could not find Julia 1.10"),
    ],
)
def test_where_julia_cannot_be_had_the_reason_is_given(error, text, monkeypatch):
    monkeypatch.delitem(sys.modules, "pysr", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Failing(error), *sys.meta_path])
    with pytest.raises(BackendUnavailable) as caught:
        Pysr().propose(curve_of(wave), SPACE, 0)
    assert text in str(caught.value)
    assert 'pip install "neuron-companion[pysr]"' in str(caught.value)
    assert caught.value.__cause__ is error


def source():
    """PySR's own class, read without importing it, which would fetch Julia."""
    spec = importlib.util.find_spec("pysr")
    if spec is None:
        pytest.skip("needs the extra: pysr")
    tree = ast.parse((Path(spec.origin).parent / "sr.py").read_text())
    regressor = next(node for node in tree.body if getattr(node, "name", None) == "PySRRegressor")
    return {node.name: node for node in regressor.body if isinstance(node, ast.FunctionDef)}


def names(function):
    return {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}


def test_the_stand_in_has_the_real_surface():
    methods = source()
    assert set(METHODS) <= set(methods)
    assert set(SETTINGS) <= names(methods["__init__"])
    assert set(FIT) <= names(methods["fit"])


@pytest.mark.filterwarnings("default")
def test_pysr_recovers_a_function():
    if importlib.util.find_spec("pysr") is None or shutil.which("julia") is None:
        pytest.skip("needs the extra pysr, and Julia on the path")
    engine = Pysr(iterations=20, populations=8, options={"early_stop_condition": 1e-12})
    curve = curve_of(wave)
    try:
        found = engine.propose(curve, Space(powers=[1, 2], functions=("sin",)), seed=0)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    assert min(misfit(formula, curve) for formula in found) < 1e-4
