"""Text to formulas and back; what is no formula is refused and never run."""

import numpy as np
import pytest
from formulas import POINTS, postfixes
from hypothesis import given
from hypothesis import strategies as st

from neurons.task_based import Expression, Operator, parse, with_operators

FUNCTIONS = ("sin", "cos", "exp", "tanh", "sqrt")
TEXTS = [
    "2*x**3 + sin(x)",
    "-x**2",
    "(-x)**2",
    "2**-x",
    "x**-2",
    "x**2**3",
    "(x**2)**3",
    "x - (x - 1) - 1",
    "x/(x/2)/3",
    "-(2 + x)*-3.5e-1",
    "+x - -x - -(2)",
    "1 - 2*x*(3 - x)",
    "exp(-0.5*x**2)*cos(1.7*x) + sqrt(x**2)",
    "  tanh(\n x + 1 ) ",
    "1_000*x + 0x10",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_means_what_it_means_in_python(text):
    names = {name: getattr(np, name) for name in FUNCTIONS}
    with np.errstate(all="ignore"):
        expected = eval(text.strip().replace("\n", " "), {"x": POINTS, **names})
    np.testing.assert_allclose(parse(text)(POINTS), expected, rtol=1e-13)


@given(postfixes())
def test_what_is_written_reads_back(postfix):
    e = Expression(postfix)
    again = parse(str(e))
    assert again == e
    np.testing.assert_array_equal(again(POINTS), e(POINTS))


def test_a_formula_written_wrongly_would_be_noticed():
    e = Expression(("x", "x", 1.0, "-", "-"))
    assert str(e) == "x - (x - 1.0)"
    assert parse(str(e).replace("(", "").replace(")", "")) != e


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("2*x", (2.0, "x", "*")),
        ("x**2", ("x", 2, "**")),
        ("x**-2", ("x", -2, "**")),
        ("x**(-2)", ("x", -2, "**")),
        ("x**2.0", ("x", 2.0, "**")),
        ("x**-(2)", ("x", 2.0, "neg", "**")),
        ("2**x", (2.0, "x", "**")),
        ("-2*x", (-2.0, "x", "*")),
        ("-(2)*x", (2.0, "neg", "x", "*")),
        ("-2**x", (2.0, "x", "**", "neg")),
        ("--2", (-2.0, "neg")),
        ("max(x, 1)", ("x", 1.0, "max")),
        ("neg(x)", ("x", "neg")),
    ],
)
def test_whole_numbers_after_a_power_are_exponents_and_all_others_constants(text, tokens):
    assert parse(text) == Expression(tokens)
    assert Expression.parse(text) == Expression(tokens)


def test_operators_of_ones_own_are_read():
    table = with_operators([Operator("cube", 1, lambda a: a**3), Operator("mix", 2, np.hypot)])
    e = parse("mix(cube(x), 2)", table)
    assert e.postfix == ("x", "cube", 2.0, "mix")
    assert parse(str(e), table) == e


REFUSED = [
    ("", 1, "invalid syntax"),
    ("x ^ 2", 1, r"\^ is no operator, write \*\* for powers"),
    ("1 + y", 5, "'y' is no known name"),
    ("2*foo(x)", 3, "'foo' is no known function"),
    ("1 + sin(x, x)", 5, "sin takes 1 argument, without names"),
    ("max(x)", 1, "max takes 2 arguments"),
    ("sin(a=x)", 1, "sin takes 1 argument"),
    ("sin(*x)", 5, "Starred is no part"),
    ("x < 1", 1, "Compare is no part"),
    ("x % 2", 1, "BinOp is no part"),
    ("~x", 1, "UnaryOp is no part"),
    ("x.real", 1, "Attribute is no part"),
    ("x[0]", 1, "Subscript is no part"),
    ("(lambda: 1)()", 1, "Call is no part"),
    ("x if x else 1", 1, "IfExp is no part"),
    ("f'{x}'", 1, "JoinedStr is no part"),
    ("x + 'a'", 5, "'a' is no real number"),
    ("x + 2j", 5, "2j is no real number"),
    ("True", 1, "True is no real number"),
    ("x**True", 4, "True is no real number"),
    ("x + 1e999", 5, "a number beyond the largest float"),
    ("x + 1" + "0" * 400, 5, "a number beyond the largest float"),
    ("x + ", 4, "invalid syntax"),
    ("sin(x", 4, r"'\(' was never closed"),
    ("x + é", 5, "'é' is no ASCII character"),
    ("__import__('os').system('echo')", 1, "Call is no part"),
    ("exec('1')", 1, "'exec' is no known function"),
    ("x; x", 2, "invalid syntax"),
]


@pytest.mark.parametrize(("text", "place", "message"), REFUSED)
def test_anything_else_is_refused_with_its_place(text, place, message):
    with pytest.raises(ValueError, match=message) as error:
        parse(text)
    assert f"at character {place}" in str(error.value)
    assert "allowed: x, numbers, + - * / **, brackets, abs, atan" in str(error.value)


@pytest.mark.parametrize("text", ["-" * 5000 + "x", "(" * 3000 + "x" + ")" * 3000, "sin(" * 500])
def test_formulas_nested_too_deep_are_refused(text):
    with pytest.raises(ValueError, match="cannot read"):
        parse(text)


def test_levels_and_length_have_limits():
    assert parse(" + ".join(["x"] * 150)).complexity() == 299
    with pytest.raises(ValueError, match="more than 150 levels"):
        parse(" + ".join(["x"] * 200))
    with pytest.raises(ValueError, match="at most 10000 characters, got 10001"):
        parse("x" * 10_001)


@given(st.text(alphabet="x0123456789.+-*/() ,sincoexpmaljy^=[]{}_'\"\\#@!:;<>", max_size=40))
def test_any_text_is_a_formula_or_a_value_error(text):
    try:
        e = parse(text)
    except ValueError as error:
        e, said = None, str(error)
    assert "cannot read" in said if e is None else e(POINTS).shape == POINTS.shape
