"""Interval arithmetic on many boxes at once: what a formula can be on each of them.

A box is an interval `[low, high]` of x. Every operator turns enclosures of its arguments into an
enclosure of its values, rounded outwards, and says how sure it is that the values are finite.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from neurons.task_based.expression import Token
from neurons.task_based.operators import Operator

# How sure: finite on the whole box; finite but for an edge that may lie inside (as sqrt near 0);
# a pole or an overflow may lie inside; finite nowhere.
SURE, EDGE, POLE, NOWHERE = range(4)
_ROUNDING = 8 * float(np.finfo(float).eps)
_SAMPLES = 9  # per box and argument, of an operator that is known by its values only


@dataclass(frozen=True)
class Boxes:
    """Enclosures `(boxes,)` of a formula's values, and how sure they are."""

    low: np.ndarray
    high: np.ndarray
    status: np.ndarray

    def marked(self, status: int, where: Any) -> "Boxes":
        """The same with another status where it is worse."""
        return Boxes(
            self.low, self.high, np.where(where, np.maximum(self.status, status), self.status)
        )


def enclosed(
    postfix: tuple[Token, ...], operators: Any, low: np.ndarray, high: np.ndarray
) -> Boxes:
    """The formula's enclosure on the boxes `[low, high]`."""
    stack: list[Boxes] = []
    sure = np.zeros(low.shape, int)
    with np.errstate(all="ignore"):
        for position, token in enumerate(postfix):
            if token == "x":
                stack.append(Boxes(low, high, sure))
            elif not isinstance(token, str):
                value = np.full(low.shape, float(token))
                stack.append(Boxes(value, value, sure).marked(NOWHERE, ~np.isfinite(value)))
            else:
                arity = operators[token].arity
                arguments = stack[-arity:]
                del stack[-arity:]
                stack.append(_applied(operators[token], arguments, postfix[position - 1]))
    return stack.pop()


def _applied(operator: Operator, arguments: list[Boxes], before: Token) -> Boxes:
    if operator.name == "**" and isinstance(before, int):
        found = _whole_power(arguments[0], before)
    else:
        rule = _RULES.get(operator.name)
        found = rule(*arguments) if rule else _sampled(operator, arguments)
    for argument in arguments:
        found = found.marked(EDGE, argument.status == EDGE).marked(POLE, argument.status == POLE)
        found = found.marked(NOWHERE, argument.status == NOWHERE)
    return _rounded_outwards(found)


def _rounded_outwards(found: Boxes) -> Boxes:
    """Room for the rounding of functions; a zero is exact, and an unknown value is any."""
    unknown = np.isnan(found.low) | np.isnan(found.high)
    low = np.where(unknown, -np.inf, found.low - _ROUNDING * np.nan_to_num(np.abs(found.low)))
    high = np.where(unknown, np.inf, found.high + _ROUNDING * np.nan_to_num(np.abs(found.high)))
    beyond = (low == np.inf) | (high == -np.inf)
    endless = np.isinf(low) | np.isinf(high)
    return Boxes(low, high, found.status).marked(POLE, endless).marked(NOWHERE, beyond)


def _boxes(*corners: np.ndarray) -> Boxes:
    """The hull of some values."""
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    return Boxes(low, high, np.zeros(low.shape, int))


def _rising(function: Callable[..., np.ndarray]) -> Callable[..., Boxes]:
    def rule(*of: Boxes) -> Boxes:
        return _boxes(function(*(a.low for a in of)), function(*(a.high for a in of)))

    return rule


def _product(a: Boxes, b: Boxes) -> Boxes:
    return _boxes(a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)


def _inverse(a: Boxes) -> Boxes:
    through_zero = (a.low <= 0) & (a.high >= 0)
    found = _boxes(1 / a.low, 1 / a.high).marked(POLE, through_zero)
    low = np.where(through_zero, -np.inf, found.low)
    high = np.where(through_zero, np.inf, found.high)
    return Boxes(low, high, found.status).marked(NOWHERE, (a.low == 0) & (a.high == 0))


def _quotient(a: Boxes, b: Boxes) -> Boxes:
    inverse = _inverse(b)
    found = _product(a, inverse)
    return Boxes(found.low, found.high, inverse.status)


def _whole_power(a: Boxes, exponent: int) -> Boxes:
    if exponent < 0:
        return _inverse(_whole_power(a, -exponent))
    low, high = a.low ** float(exponent), a.high ** float(exponent)
    found = _boxes(low, high)
    if exponent % 2 or exponent == 0:
        return found
    through_zero = (a.low <= 0) & (a.high >= 0)
    return Boxes(np.where(through_zero, 0.0, found.low), found.high, found.status)


def _power(a: Boxes, b: Boxes) -> Boxes:
    """`a**b` with a real exponent: for `a > 0`, at 0 for `b > 0`, below for whole `b` only."""
    exponent = b.low[0]
    fixed = bool(np.all((b.low == exponent) & (b.high == exponent)))
    if fixed and float(exponent).is_integer() and abs(exponent) < 2**31:
        return _whole_power(a, int(exponent))
    base = _magnitude(a)
    found = _boxes(*(np.power(x, y) for x in (base.low, base.high) for y in (b.low, b.high)))
    low = np.where(a.low < 0, -found.high, found.low)  # an odd power of a negative number
    no_whole = np.ceil(b.low) > b.high
    return (
        Boxes(low, found.high, found.status)
        .marked(EDGE, a.low < 0)
        .marked(POLE, (a.low <= 0) & (a.high >= 0) & (b.low <= 0))
        .marked(NOWHERE, ((a.high < 0) & no_whole) | ((a.high == 0) & (b.high < 0)))
    )


def _root(a: Boxes) -> Boxes:
    found = _boxes(np.sqrt(np.maximum(a.low, 0)), np.sqrt(np.maximum(a.high, 0)))
    return found.marked(EDGE, a.low < 0).marked(NOWHERE, a.high < 0)


def _logarithm(a: Boxes) -> Boxes:
    found = _boxes(np.log(np.maximum(a.low, 0)), np.log(np.maximum(a.high, 0)))
    return found.marked(POLE, a.low <= 0).marked(NOWHERE, a.high <= 0)


def _magnitude(a: Boxes) -> Boxes:
    found = _boxes(np.abs(a.low), np.abs(a.high))
    through_zero = (a.low <= 0) & (a.high >= 0)
    return Boxes(np.where(through_zero, 0.0, found.low), found.high, found.status)


def _cosh(a: Boxes) -> Boxes:
    return _rising(np.cosh)(_magnitude(a))


def _wave(function: Callable[..., np.ndarray], crest: float) -> Callable[[Boxes], Boxes]:
    """A sine whose crests are at `crest + 2 pi k`."""

    def rule(a: Boxes) -> Boxes:
        found = _boxes(function(a.low), function(a.high))
        low = np.where(_meets(a, crest + np.pi, 2 * np.pi), -1.0, found.low)
        return Boxes(low, np.where(_meets(a, crest, 2 * np.pi), 1.0, found.high), found.status)

    return rule


def _tangent(a: Boxes) -> Boxes:
    pole = _meets(a, np.pi / 2, np.pi)
    found = _boxes(np.tan(a.low), np.tan(a.high)).marked(POLE, pole)
    return Boxes(
        np.where(pole, -np.inf, found.low), np.where(pole, np.inf, found.high), found.status
    )


def _meets(a: Boxes, place: float, period: float) -> np.ndarray:
    """Whether `place + k period` lies inside for some whole k."""
    slack = 1e-15 * (1 + np.maximum(np.abs(a.low), np.abs(a.high)))
    first = np.ceil((a.low - slack - place) / period)
    return ~(place + first * period > a.high + slack)  # an endless box meets everything


def _sampled(operator: Operator, arguments: list[Boxes]) -> Boxes:
    """An operator without a rule, judged by values on a grid."""
    grids = [np.linspace(a.low, a.high, _SAMPLES) for a in arguments]
    if len(grids) == 2:
        grids = [np.repeat(grids[0], _SAMPLES, axis=0), np.tile(grids[1], (_SAMPLES, 1))]
    values = np.asarray(operator.numpy(*grids), np.float64)
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=0)
    high = np.where(finite, values, -np.inf).max(axis=0)
    status = np.where(finite.all(axis=0), SURE, np.where(finite.any(axis=0), POLE, NOWHERE))
    return Boxes(np.minimum(low, high), np.maximum(low, high), status)


_RULES: dict[str, Callable[..., Boxes]] = {
    "+": _rising(np.add),
    "-": lambda a, b: _boxes(a.low - b.high, a.high - b.low),
    "*": _product,
    "/": _quotient,
    "**": _power,
    "neg": lambda a: _boxes(-a.low, -a.high),
    "sqrt": _root,
    "abs": _magnitude,
    "exp": _rising(np.exp),
    "log": _logarithm,
    "sin": _wave(np.sin, np.pi / 2),
    "cos": _wave(np.cos, 0.0),
    "tan": _tangent,
    "atan": _rising(np.arctan),
    "sinh": _rising(np.sinh),
    "cosh": _cosh,
    "tanh": _rising(np.tanh),
    "sigmoid": _rising(expit),
    "relu": _rising(lambda a: np.maximum(a, 0.0)),
    "sign": _rising(np.sign),
    "max": _rising(np.maximum),
    "min": _rising(np.minimum),
}
