"""Formulas as data: their values, identity, parts, and what is refused."""

import pickle

import jax.numpy as jnp
import numpy as np
import pytest
from formulas import CUBE, POINTS, cube

import neurons as nr
from neurons.task_based import OPERATORS, Expression, Operator, parse, with_operators
from neurons.task_based.expression import run

# Every built-in operator against its definition, in plain Python's arithmetic on NumPy arrays.
DEFINITIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "neg": lambda a: -a,
    "sqrt": lambda a: a**0.5,
    "abs": lambda a: np.where(a < 0, -a, a),
    "exp": lambda a: np.e**a,
    "log": lambda a: np.log2(a) * np.log(2.0),
    "sin": lambda a: np.exp(1j * a).imag,
    "cos": lambda a: np.exp(1j * a).real,
    "tan": lambda a: np.sin(a) / np.cos(a),
    "atan": lambda a: np.arcsin(a / np.sqrt(1 + a**2)),
    "sinh": lambda a: (np.exp(a) - np.exp(-a)) / 2,
    "cosh": lambda a: (np.exp(a) + np.exp(-a)) / 2,
    "tanh": lambda a: 1 - 2 / (1 + np.exp(2 * a)),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.where(a > 0, a, 0),
    "sign": lambda a: np.where(a > 0, 1, np.where(a < 0, -1, 0)),
    "max": lambda a, b: np.where(a > b, a, b),
    "min": lambda a, b: np.where(a < b, a, b),
}


def test_every_operator_has_its_definition_here():
    assert set(DEFINITIONS) == set(OPERATORS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_operators_are_what_they_are_called(name):
    x = np.array([0.2, 0.7, 1.0, 2.3])
    values = (x, x[::-1].copy())[: OPERATORS[name].arity]
    expected = DEFINITIONS[name](*values)
    np.testing.assert_allclose(OPERATORS[name].numpy(*values), expected, rtol=1e-14)
    on_jax = OPERATORS[name].jax(*(jnp.asarray(v, jnp.float32) for v in values))
    assert on_jax.dtype == jnp.float32
    np.testing.assert_allclose(on_jax, expected, rtol=1e-6)


@pytest.mark.parametrize("exponent", range(-7, 8))
def test_whole_powers_are_those_of_numpy(exponent):
    x = np.array([-1.7, -0.3, 0.4, 2.0])
    np.testing.assert_allclose(Expression(("x", exponent, "**"))(x), x ** float(exponent), 1e-14)


def test_constant_powers_are_infinite_or_nan_rather_than_errors():
    assert np.isinf(Expression((0.0, -1, "**"))(1.0))
    assert np.isinf(Expression((1e300, 2, "**"))(1.0))
    assert np.isnan(Expression((-1.0, 0.5, "**"))(1.0))


def test_values_have_the_shape_of_the_input_even_without_x():
    assert parse("sin(x)")(np.zeros((2, 3))).shape == (2, 3)
    np.testing.assert_array_equal(Expression((2.5,))(np.zeros((2, 3))), np.full((2, 3), 2.5))
    assert parse("x + 1")(3).dtype == np.float64


def test_outside_the_domain_values_are_nan_or_infinite_without_a_warning():
    assert np.isnan(parse("log(x)")(-1.0))
    assert np.isinf(parse("1/x")(0.0))


def test_constants_are_the_floats_and_can_be_set():
    e = parse("2*x**3 + sin(0.5*x)")
    assert e.constants == (2.0, 0.5)
    assert str(e.with_constants((3.0, -1.0))) == "3.0*x**3 + sin(-1.0*x)"
    assert e.structure == e.with_constants((7.0, 8.0)).structure
    with pytest.raises(ValueError, match="has 2 constants, got 1"):
        e.with_constants((1.0,))


def test_many_settings_of_constants_at_once():
    settings = np.array([[[1.0]], [[-2.0]]])  # (constants, starts, 1)
    found = run(parse("1*x - x").postfix, POINTS, (np.array([[1.0], [-2.0]]),))
    np.testing.assert_allclose(found, settings[:, 0] * POINTS - POINTS)


def test_complexity_counts_nodes_with_weights():
    e = parse("2*x**3 + sin(x)")
    assert e.complexity() == 8
    assert e.complexity({"sin": 5, "x": 2, "constant": 0}) == 8 + 4 + 2 - 2
    heavy = Operator("cube", 1, cube, complexity=4)
    assert parse("cube(x)", with_operators([heavy])).complexity() == 5


def test_subtrees_end_at_every_token():
    assert parse("sin(x) + 2").subtrees() == (
        ("x",),
        ("x", "sin"),
        (2.0,),
        ("x", "sin", 2.0, "+"),
    )


def test_an_exponent_differs_from_a_constant_of_its_value():
    assert Expression(("x", 2, "**")) != Expression(("x", 2.0, "**"))
    assert Expression(("x", 0.0, "+")) != Expression(("x", -0.0, "+"))
    assert Expression(("x", 2, "**")) == parse("x**2")
    assert hash(Expression(("x", 2, "**"))) == hash(parse("x**2"))
    assert parse("x") != "x"


def test_operators_of_one_name_make_different_formulas():
    one, other = (with_operators([Operator("f", 1, function)]) for function in (cube, abs))
    assert parse("f(x)", one) == parse("f(x)", dict(one))
    assert parse("f(x)", one) != parse("f(x)", other)
    assert parse("x", one) == parse("x", other)


def test_tokens_become_numbers_of_python(unchecked):
    e = Expression(("x", np.float64(2.5), "*", np.int64(2), "**"))
    assert str(e) == "(x*2.5)**2"
    assert [type(token) for token in e.postfix] == [str, float, str, int, str]


def test_formulas_can_be_pickled_with_operators_of_ones_own():
    for e in (parse("2*x + 1"), parse("cube(x) - 1", with_operators([CUBE]))):
        restored = pickle.loads(pickle.dumps(e))
        assert restored == e
        np.testing.assert_array_equal(restored(POINTS), e(POINTS))


def test_custom_operators_run_through_jax_in_float64():
    e = parse("cube(x) + 1", with_operators([CUBE]))
    np.testing.assert_allclose(e(POINTS), POINTS**3 + 1, rtol=1e-15)


def test_public_names():
    assert nr.Expression is Expression
    assert nr.Operator is Operator


@pytest.mark.parametrize(
    ("postfix", "message"),
    [
        ((), "not one formula but 0"),
        (("x", "x"), "not one formula but 2"),
        (("x", "+"), r"'\+' lacks an argument"),
        (("y",), "unknown operator 'y'; allowed: x, "),
    ],
)
def test_what_is_no_formula_is_refused(postfix, message):
    with pytest.raises(ValueError, match=message):
        Expression(postfix)


def test_tokens_that_are_no_numbers_are_refused(unchecked):
    for token in (None, True, 1j):
        with pytest.raises(TypeError, match="a token is a name, a float or an int"):
            Expression((token,))


@pytest.mark.parametrize("name", ["x", "constant", "2a", "a b", "lambda", "é", ""])
def test_names_that_cannot_be_read_are_refused(name):
    with pytest.raises(ValueError, match="an operator's name is an ASCII identifier"):
        Operator(name, 1, cube)


def test_impossible_operators_are_refused():
    with pytest.raises(ValueError, match="arity is 1 or 2, got 3"):
        Operator("f", 3, cube)
    with pytest.raises(ValueError, match="complexity >= 1, got 0"):
        Operator("f", 1, cube, complexity=0)
    with pytest.raises(ValueError, match="there is an operator 'sin' already"):
        with_operators([Operator("sin", 1, cube)])
