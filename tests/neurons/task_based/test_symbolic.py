"""Formulas in sympy, in LaTeX, and back."""

from pathlib import Path

import numpy as np
import pytest
import sympy
from formulas import POINTS, largest_part, postfixes
from hypothesis import assume, given

from neurons import task_based
from neurons.task_based import Expression, Operator, from_sympy, parse, to_sympy, with_operators

x, y = sympy.symbols("x y")
BACK = [
    (3 * x**2 / (1 + sympy.exp(-x)), "3.0*x**2/(1.0 + exp(-x))"),
    (x ** sympy.Rational(1, 2), "sqrt(x)"),
    (x ** sympy.Rational(3, 2), "sqrt(x)**3"),
    (x ** sympy.Rational(-1, 2), "1.0/sqrt(x)"),
    (x ** sympy.Rational(1, 3), "x**0.3333333333333333"),
    (x**-1, "1.0/x"),
    (x**-2, "1.0/x**2"),
    (-3 / x, "-3.0/x"),
    (x**2.0, "x**2"),
    (x**2.5, "x**2.5"),
    (2**x, "2.0**x"),
    (x**x, "x**x"),
    (-x - 1, "-x - 1.0"),
    (x - 2 * (x + 1) ** 3, "x - 2.0*(x + 1.0)**3"),
    (x / 4 + sympy.Rational(1, 4), "0.25*x + 0.25"),
    (1 / (x * sympy.sqrt(x + 1)), "1.0/(x*sqrt(x + 1.0))"),
    (sympy.pi * x, "3.141592653589793*x"),
    (sympy.log(x, 2), "1.4426950408889634*log(x)"),
    (sympy.sec(x), "1.0/cos(x)"),
    (sympy.cot(x) * x, "x/tan(x)"),
    (sympy.coth(x), "1.0/tanh(x)"),
    (sympy.Abs(x), "abs(x)"),
    (sympy.Max(x, 0), "relu(x)"),
    (sympy.Max(x, 0.0), "relu(x)"),
    (sympy.Max(1, x, sympy.sin(x)), "max(max(1.0, x), sin(x))"),
    (sympy.Min(x, 1), "min(1.0, x)"),
    (sympy.Piecewise((0.0, x < 0), (x, True)), "relu(x)"),
    (sympy.UnevaluatedExpr(x) + 1, "x + 1.0"),
    (sympy.Integer(3), "3.0"),
    (sympy.sqrt(2), "1.4142135623730951"),
]


def at(formula, point):
    """The value by sympy's own arithmetic; NaN where it is not real."""
    value = complex(sympy.N(formula.subs(x, sympy.Float(point)).doit(), 20))
    return value.real if abs(value.imag) < 1e-12 else np.nan


@pytest.mark.parametrize(("formula", "text"), BACK)
def test_sympy_formulas_are_read(formula, text):
    e = from_sympy(formula)
    assert str(e) == text
    for point in (0.4, 1.9):
        assert e(point) == pytest.approx(at(formula, point), rel=1e-12)


@given(postfixes(leaves=5))
def test_sympy_gives_the_same_values_and_so_does_the_way_back(postfix):
    e = Expression(postfix)
    size = largest_part(e, POINTS)
    assume(np.all(size < 1e6))
    formula = to_sympy(e)
    again = from_sympy(formula)
    for point, scale in zip(POINTS, size, strict=True):
        assert abs(at(formula, point) - e(point)) <= 1e-9 * (1 + scale), formula
    error = np.abs(again(POINTS) - e(POINTS))
    defined = np.isfinite(again(POINTS))  # x/x**2 is 1/x in sympy, which has a pole
    assert np.all(error[defined] <= 1e-9 * (1 + size[defined]))


def test_the_symbol_is_the_plain_x_unless_one_is_given():
    assert sympy.diff(parse("x**3").sympy(), "x") == 3 * x**2
    real = sympy.Symbol("t", real=True)
    assert to_sympy(parse("sqrt(x**2)"), real) == sympy.Abs(real)


def test_variables_of_any_name_are_the_input():
    assert str(from_sympy(y**2)) == "x**2"


def test_operators_of_ones_own_are_undefined_functions_or_what_they_say():
    cube, twice = Operator("cube", 1, lambda a: a**3), Operator("twice", 1, abs, lambda a: 2 * a)
    table = with_operators([cube, twice])
    shown = parse("cube(x + 1) + twice(x)", table).sympy()
    assert shown == sympy.Function("cube")(x + 1.0) + 2 * x
    assert str(from_sympy(sympy.Function("cube")(x), table)) == "cube(x)"


def test_few_operators_are_enough_where_sums_and_powers_do():
    few = {name: op for name, op in parse("x").operators.items() if name in ("+", "*", "**")}
    assert str(from_sympy(2 * x**2 + x, few)) == "2.0*x**2 + x"
    assert str(from_sympy(sympy.sqrt(x), few)) == "x**0.5"


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (x + y, "one variable, got x, y"),
        (sympy.gamma(x), "gamma in gamma.x. is no known operator; known are "),
        (sympy.Function("f")(x), "f in f.x. is no known operator"),
        (sympy.I * x, "a constant must be real and finite, got I"),
        (sympy.zoo, "a constant must be real and finite, got zoo"),
        (sympy.Piecewise((1, x < 0), (x, True)), "Piecewise in .* is no known operator"),
    ],
)
def test_what_has_no_form_here_is_refused(formula, message):
    with pytest.raises(ValueError, match=message):
        from_sympy(formula)


def test_a_missing_operator_is_refused():
    few = {name: op for name, op in parse("x").operators.items() if name in ("+", "**")}
    with pytest.raises(ValueError, match=r"sin in sin\(x\) is no known operator"):
        from_sympy(sympy.sin(x), few)
    with pytest.raises(ValueError, match=r"\* is not among the operators"):
        from_sympy(2 * x, few)


def test_text_is_left_to_the_parser(unchecked):
    with pytest.raises(TypeError, match="text is read by parse"):
        from_sympy("x + 1")


def test_latex_rounds_constants_and_keeps_whole_ones():
    e = parse("2*x**3 + 0.123456*sin(x) - 1.0004*x")
    assert e.latex() == r"2 x^{3} - 1.0 x + 0.123 \sin{\left(x \right)}"
    assert "0.12346" in e.latex(digits=5)
    assert e._repr_latex_() == f"${e.latex()}$"
    with pytest.raises(ValueError, match="digits must be at least 1, got 0"):
        e.latex(0)


def test_sympy_is_imported_in_functions_only():
    for file in Path(task_based.__file__).parents[1].rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert not line.startswith(("import sympy", "from sympy")), file
