"""The additive terms of formulas."""

import numpy as np
import pytest
from formulas import POINTS, largest_part, postfixes
from hypothesis import given

from neurons.task_based import Expression, Operator, parse, with_operators

SPLIT = [
    ("2*x**3 + sin(x) - 1", {"x**3": 2.0, "sin(x)": 1.0}, -1.0),
    ("x", {"x": 1.0}, 0.0),
    ("2*(x - 3*sin(x)) + 1", {"x": 2.0, "sin(x)": -6.0}, 1.0),
    ("-(x - 1)/2", {"x": -0.5}, 0.5),
    ("x - (1 - x)", {"x": 2.0}, -1.0),
    ("3*x*2 + x/4", {"x": 6.25}, 0.0),
    ("x*x*x + x**3", {"x**3": 2.0}, 0.0),
    ("x*sin(x) - 2*sin(x)*x", {"x*sin(x)": -1.0}, 0.0),
    ("3/x + x**-1", {"x**(-1)": 4.0}, 0.0),
    ("(2*x)**3 + (-x)**2", {"x**2": 1.0, "x**3": 8.0}, 0.0),
    ("sin(2*x)*0.5*3", {"sin(2.0*x)": 1.5}, 0.0),
    ("x*(x + 1)", {"x*(x + 1.0)": 1.0}, 0.0),
    ("x*(x + 1)/x", {"x": 1.0}, 1.0),
    ("(2*x + 2)**2/(2*x + 2)", {"x": 2.0}, 2.0),
    ("x**2/x**2 + x", {"x": 1.0}, 1.0),
    ("sin(x) - sin(x) + exp(1)", {}, np.e),
    ("-sin(x)*-2", {"sin(x)": 2.0}, 0.0),
    ("sin(1)*cos(x)", {"cos(x)": np.sin(1)}, 0.0),
    ("x**2.0 + x**0.5", {"x**2.0": 1.0, "x**0.5": 1.0}, 0.0),
]


@pytest.mark.parametrize(("text", "expected", "intercept"), SPLIT)
def test_sums_are_split_and_equal_terms_merged(text, expected, intercept):
    terms, coefficients, offset = parse(text).terms()
    found = dict(zip(map(str, terms), coefficients, strict=True))
    assert found == pytest.approx(expected)
    assert offset == pytest.approx(intercept)


@given(postfixes())
def test_terms_add_up_to_the_formula(postfix):
    e = Expression(postfix)
    try:
        terms, coefficients, intercept = e.terms()
    except ValueError:  # a constant part such as log(-1)
        return
    assert 0.0 not in coefficients
    assert len(set(map(str, terms))) == len(terms)
    total = np.full(POINTS.shape, intercept)
    total += sum(c * term(POINTS) for c, term in zip(coefficients, terms, strict=True))
    size = largest_part(e, POINTS)
    parts = [abs(c) * largest_part(t, POINTS) for c, t in zip(coefficients, terms, strict=True)]
    scale = np.max([size, *parts], axis=0)
    sound = scale < 1e8  # products are regrouped: what overflows on the way may differ
    error = np.abs(total[sound] - e(POINTS)[sound])
    assert np.all(error <= 1e-9 * (1 + scale[sound]) ** 2), e


def test_a_term_with_a_wrong_coefficient_would_be_noticed():
    e = parse("2*x**2 - sin(x)")
    (one, other), (c, d), intercept = e.terms()
    assert np.allclose(c * one(POINTS) + d * other(POINTS) + intercept, e(POINTS))
    assert not np.allclose(c * one(POINTS) - d * other(POINTS) + intercept, e(POINTS))


def test_the_linear_term_comes_first_and_then_the_simplest():
    terms, _, _ = parse("sin(x)*x + exp(x) + x**2 + x").terms()
    assert list(map(str, terms)) == ["x", "exp(x)", "x**2", "x*sin(x)"]


def test_terms_keep_operators_of_ones_own():
    table = with_operators([Operator("f", 1, abs, numpy=lambda a: a**2 + 1)])
    (term,), (coefficient,), _ = parse("3*f(x)", table).terms()
    assert (str(term), coefficient, float(term(2.0))) == ("f(x)", 3.0, 5.0)


@pytest.mark.parametrize("text", ["log(-1)*x", "x + 1/0", "x/0", "1e300*1e300*x", "(1e200*x)**2"])
def test_coefficients_must_be_finite(text):
    with pytest.raises(ValueError, match="has a coefficient that is not finite"):
        parse(text).terms()
