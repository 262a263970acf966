"""Where formulas are finite, against closed forms."""

import math

import numpy as np
import pytest
from formulas import SIGNS, largest_part, postfixes
from hypothesis import given

from neurons.task_based import Expression, Operator, intervals, parse, with_operators
from neurons.task_based.domain import is_finite
from neurons.task_based.intervals import NOWHERE, enclosed

PI, ALL = math.pi, ((-3.0, 3.0),)
CLOSED_FORMS = [
    ("x**3 - 2*x + 1", ALL),
    ("2.0", ALL),
    ("log(x)", ((0, 3),)),
    ("log(1 + x**2)", ALL),
    ("log(sigmoid(20*x))", ALL),
    ("1/x", ((-3, 0), (0, 3))),
    ("x**-3", ((-3, 0), (0, 3))),
    ("1/(x**2 - 2)", ((-3, -(2**0.5)), (-(2**0.5), 2**0.5), (2**0.5, 3))),
    ("1/(x**2 - x + 1)", ALL),
    ("x**3/x**3", ((-3, 0), (0, 3))),
    ("sqrt(x - 0.3)", ((0.3, 3),)),
    ("sqrt(1 - x**2)", ((-1, 1),)),
    ("sqrt((x - 1)*(x - 1))", ALL),
    ("sqrt(x*x - 2*x + 1)", ALL),
    ("sqrt(x - x)", ALL),
    ("sqrt(relu(x))", ALL),
    ("sqrt(sin(2*x))", ((-3, -PI / 2), (0, PI / 2))),
    ("tan(x)", ((-3, -PI / 2), (-PI / 2, PI / 2), (PI / 2, 3))),
    ("log(cos(x))", ((-PI / 2, PI / 2),)),
    ("1/(cos(x) - 1)", ((-3, 0), (0, 3))),
    ("x**0.5", ((0, 3),)),
    ("x**-1.5", ((0, 3),)),
    ("x**(4/2)", ALL),
    ("abs(x)**1.5", ALL),
    ("x**x", ((0, 3),)),
    ("x**sign(x)", ALL),
    ("exp(exp(4*x))", ((-3, math.log(math.log(1.7976931348623157e308)) / 4),)),
    ("max(log(x), 1/(x - 2))", ((0, 2), (2, 3))),
    ("exp(-1/x**2)", ((-3, 0), (0, 3))),
    ("log(-1)", ()),
    ("x + 1/0", ()),
    ("sqrt(-1 - x**2)", ()),
]


@pytest.mark.parametrize(("text", "expected"), CLOSED_FORMS)
def test_domains_are_those_of_the_closed_form(text, expected):
    e = parse(text)
    found = e.domain(-3.0, 3.0)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)
    for (low, high), (left, right) in zip(found, expected, strict=True):
        assert np.isfinite(e(np.linspace(low, high, 1001))).all()
        assert left - 1e-15 <= low < high <= right + 1e-15  # from inside, never beyond


@given(postfixes(binary=(*SIGNS, "max", "min")))
def test_formulas_are_finite_on_their_domain_and_nowhere_else(postfix):
    e = Expression(postfix)
    found = e.domain(-2.0, 2.0)
    for low, high in found:
        assert low < high
        assert np.isfinite(e(np.linspace(low, high, 33))).all()
    inside = np.linspace(-2, 2, 12)[1:-1] + 1e-3 * PI  # where no pole is by chance
    for point in inside[np.isfinite(largest_part(e, inside))]:
        away = min((max(low - point, point - high) for low, high in found), default=np.inf)
        assert away <= 0, (e, point)


@given(postfixes(binary=(*SIGNS, "max", "min", "**")))
def test_enclosures_hold_all_values(postfix):
    e = Expression(postfix)
    low, width = np.array([-1.9, -0.8, -0.1, 0.3, 1.1]), 0.37
    boxes = enclosed(e.postfix, e.operators, low, low + width)
    values = e(np.linspace(low, low + width, 65))
    proved = boxes.status != NOWHERE
    with np.errstate(invalid="ignore"):
        outside = (values < boxes.low) | (values > boxes.high)
    assert not np.any(outside & np.isfinite(values) & proved)


def test_a_wrong_enclosure_is_noticed(monkeypatch):
    monkeypatch.setitem(intervals._RULES, "cos", intervals._rising(np.cos))
    boxes = enclosed(("x", "cos"), parse("x").operators, np.array([-1.0]), np.array([1.0]))
    assert boxes.high[0] < 1 - 0.4  # the crest at 0 is lost
    np.testing.assert_array_equal(parse("log(cos(x) - 0.6)").domain(-1.0, 1.0), np.empty((0,)))


def test_operators_of_ones_own_are_judged_by_values():
    table = with_operators([Operator("third", 1, lambda a: a / 3, numpy=lambda a: a / 3)])
    table = with_operators([table["third"], Operator("ln", 1, abs, numpy=np.log)])
    assert parse("third(x)", table).domain(-1.0, 1.0) == ((-1.0, 1.0),)
    np.testing.assert_allclose(parse("ln(x)", table).domain(-1.0, 1.0), [(0, 1)], atol=1e-8)


def test_many_poles_are_counted():
    assert len(parse("tan(40*x)").domain(-3.0, 3.0)) == 1 + 2 * round(120 / PI)


def test_a_formula_is_finite_on_a_range_or_not():
    assert is_finite(parse("log(x)"), 0.5, 2.0)
    assert not is_finite(parse("log(x)"), 0.0, 2.0)


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_a_range_has_two_finite_ends(ends):
    with pytest.raises(ValueError, match="a range needs finite ends, low below high"):
        parse("x").domain(*ends)
