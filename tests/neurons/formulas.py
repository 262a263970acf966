"""Formulas drawn at random, for the properties of formulas."""

import numpy as np
from hypothesis import strategies as st

from neurons.task_based import Expression, Operator

TOTAL = ("neg", "abs", "exp", "sin", "cos", "atan", "sinh", "cosh", "tanh", "sigmoid", "relu")
PARTIAL = ("sqrt", "log", "tan", "sign")
SIGNS = ("+", "-", "*", "/")
POINTS = np.array([-2.3, -1.0, -0.4, 0.0, 0.7, 1.0, 1.9])


def cube(x):
    return x**3


CUBE = Operator("cube", 1, cube, cube)
numbers = st.floats(-3, 3).map(lambda value: round(value, 3))


def postfixes(binary=(*SIGNS, "max", "min", "**"), leaves=7):
    """Postfixes of at most so many leaves; whole exponents are ints, all other numbers floats."""

    def grown(inner):
        unary = st.sampled_from(TOTAL + PARTIAL)
        return st.one_of(
            st.builds(lambda a, op: (*a, op), inner, unary),
            st.builds(lambda a, b, op: (*a, *b, op), inner, inner, st.sampled_from(binary)),
            st.builds(lambda a, k: (*a, k, "**"), inner, st.integers(-3, 5)),
        )

    leaf = st.one_of(st.just(("x",)), numbers.map(lambda value: (value,)))
    return st.recursive(leaf, grown, max_leaves=leaves)


def largest_part(expression, x):
    """The largest magnitude among all parts at `x`; infinite where one is not finite."""
    parts = [np.abs(Expression(part)(x)) for part in expression.subtrees()]
    largest = np.max(parts, axis=0)
    return np.where(np.isnan(largest), np.inf, largest)
