"""The additive terms of a formula: `f = intercept + sum_t coefficient_t phi_t`."""

import math
from collections.abc import Iterable
from functools import reduce

import numpy as np

from neurons.task_based.expression import Expression, Token

Postfix = tuple[Token, ...]
Sum = dict[Postfix, float]  # coefficient by term; the empty product is the intercept
Product = tuple[float, dict[Postfix, int]]  # a coefficient, and exponents by factor


def terms(expression: Expression) -> tuple[tuple[Expression, ...], tuple[float, ...], float]:
    """Split the top-level sum of a formula.

    The sum is followed through `+`, `-`, signs, and products with or divisions by a constant. Each
    term is a product of powers in one order, so that equal ones merge: `x*x` is `x**2`, `3/x` is 3
    times `x**(-1)`. Products of sums are not expanded. Constants inside functions stay.

    Args:
        expression: the formula.

    Returns:
        The terms, `x` first and then by complexity; their coefficients, none of them zero; and the
        intercept.

    Raises:
        ValueError: where a coefficient is not finite.
    """
    split = _Splitter(expression)
    found = split.sum_of(expression.postfix)
    intercept = found.pop((), 0.0)
    listed = sorted((term for term, c in found.items() if c != 0), key=split.order)
    coefficients = tuple(found[term] for term in listed)
    if not all(map(math.isfinite, (*coefficients, intercept))):
        raise ValueError(f"{expression} has a coefficient that is not finite")
    return tuple(split.formula(term) for term in listed), coefficients, intercept


class _Splitter:
    """One formula's table of operators, and sums and products read with it."""

    def __init__(self, expression: Expression) -> None:
        self.operators = expression.operators

    def formula(self, postfix: Postfix) -> Expression:
        return Expression(postfix, self.operators)

    def order(self, term: Postfix) -> tuple[bool, int, str]:
        formula = self.formula(term)
        return term != ("x",), formula.complexity(), str(formula)

    def arguments(self, postfix: Postfix) -> tuple[Postfix, ...]:
        """The operands of the last operator."""
        found: list[Postfix] = []
        subtrees = self.formula(postfix).subtrees()
        end = len(postfix) - 1
        for _ in range(self.operators[str(postfix[-1])].arity):
            found.insert(0, subtrees[end - 1])
            end -= len(found[0])
        return tuple(found)

    def value(self, postfix: Postfix) -> float:
        return float(self.formula(postfix)(0.0))

    def sum_of(self, postfix: Postfix) -> Sum:
        if "x" not in postfix:
            return {(): self.value(postfix)}
        match postfix[-1]:
            case "+":
                left, right = map(self.sum_of, self.arguments(postfix))
                return _merged(left, right, 1.0)
            case "-":
                left, right = map(self.sum_of, self.arguments(postfix))
                return _merged(left, right, -1.0)
            case "neg":
                return _scaled(self.sum_of(postfix[:-1]), -1.0)
            case "*" | "/":
                first, second = self.arguments(postfix)
                if "x" not in second:
                    by = self.value(second)
                    return _scaled(self.sum_of(first), by if postfix[-1] == "*" else _inverse(by))
                if "x" not in first and postfix[-1] == "*":
                    return _scaled(self.sum_of(second), self.value(first))
        coefficient, factors = self.product_of(postfix)
        product = self.product(factors)
        if product != postfix and product[-1:] in (("+",), ("-",)):  # as (x + 1)**2/(x + 1)
            return _scaled(self.sum_of(product), coefficient)
        return {product: coefficient}

    def product_of(self, postfix: Postfix) -> Product:
        """A coefficient, and how often each factor divides the rest."""
        if "x" not in postfix:
            return self.value(postfix), {}
        match postfix[-1]:
            case "neg":
                coefficient, factors = self.product_of(postfix[:-1])
                return -coefficient, factors
            case "*" | "/":
                left, right = map(self.product_of, self.arguments(postfix))
                return _times(left, _raised(right, 1 if postfix[-1] == "*" else -1))
            case "**" if isinstance(postfix[-2], int):
                return _raised(self.product_of(postfix[:-2]), postfix[-2])
        return 1.0, {postfix: 1}

    def product(self, factors: dict[Postfix, int]) -> Postfix:
        """The factors multiplied in one order: `()` for none."""
        kept = [factor for factor, exponent in factors.items() if exponent]
        powers = (
            factor if factors[factor] == 1 else (*factor, factors[factor], "**")
            for factor in sorted(kept, key=self.order)
        )
        return _joined(powers)


def _joined(powers: Iterable[Postfix]) -> Postfix:
    listed = list(powers)
    return reduce(lambda one, other: (*one, *other, "*"), listed) if listed else ()


def _merged(one: Sum, other: Sum, sign: float) -> Sum:
    both = dict(one)
    for term, coefficient in other.items():
        both[term] = both.get(term, 0.0) + sign * coefficient
    return both


def _scaled(sum_: Sum, by: float) -> Sum:
    return {term: by * coefficient for term, coefficient in sum_.items()}


def _times(one: Product, other: Product) -> Product:
    exponents = dict(one[1])
    for factor, exponent in other[1].items():
        exponents[factor] = exponents.get(factor, 0) + exponent
    return one[0] * other[0], exponents


def _raised(product: Product, exponent: int) -> Product:
    coefficient, factors = product
    with np.errstate(all="ignore"):  # what overflows is refused at the end
        raised = float(np.float64(coefficient) ** exponent)
    return raised, {factor: exponent * k for factor, k in factors.items()}


def _inverse(value: float) -> float:
    return 1.0 / value if value else math.inf
