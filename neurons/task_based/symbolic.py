"""Formulas in sympy and back. sympy takes half a second to import, so only the functions do it."""

import math
from collections.abc import Mapping
from functools import reduce
from typing import Any

from neurons.task_based.expression import Expression, Token
from neurons.task_based.operators import OPERATORS, Operator

Postfix = tuple[Token, ...]
_WHOLE = 1_000_000  # below it a whole constant is shown without a decimal point


def to_sympy(expression: Expression, symbol: Any = None) -> Any:
    """The formula in sympy.

    sympy collects equal terms and sorts them as it builds the formula; values stay the same.

    Args:
        expression: the formula.
        symbol: what stands for `x`; by default `sympy.Symbol("x")`, with no assumptions, which is
            the symbol that `sympy.diff(..., "x")` means.

    Returns:
        A `sympy.Expr`.

    Example:
        >>> to_sympy(Expression.parse("sqrt(x**3)/2 + x"))
        x + 0.5*sqrt(x**3)
    """
    import sympy

    stack: list[Any] = []
    for token in expression.postfix:
        if token == "x":
            stack.append(sympy.Symbol("x") if symbol is None else symbol)
        elif isinstance(token, str):
            operator = expression.operators[token]
            arguments = stack[-operator.arity :]
            del stack[-operator.arity :]
            stack.append(_form(operator)(*arguments))
        else:
            number = sympy.Integer if isinstance(token, int) else sympy.Float
            stack.append(number(token))
    return stack.pop()


def _form(operator: Operator) -> Any:
    """The operator on sympy expressions."""
    import sympy

    known = {"sigmoid": lambda a: 1 / (1 + sympy.exp(-a)), "relu": lambda a: sympy.Max(a, 0)}
    if operator is OPERATORS.get(operator.name) and operator.name in known:
        return known[operator.name]
    if operator.sympy is None:
        return sympy.Function(operator.name)
    if isinstance(operator.sympy, str):
        return getattr(sympy, operator.sympy)
    return operator.sympy


def latex(expression: Expression, digits: int = 3) -> str:
    r"""The formula in LaTeX, as sympy sorts it.

    Args:
        expression: the formula.
        digits: significant digits of the constants, at least 1.

    Raises:
        ValueError: for less than one digit.

    Example:
        >>> print(latex(Expression.parse("2*x**3 + 0.12345*sin(x)")))
        2 x^{3} + 0.123 \sin{\left(x \right)}
    """
    import sympy

    if digits < 1:
        raise ValueError(f"digits must be at least 1, got {digits}")

    def shown(number: Any) -> Any:
        whole = abs(number) < _WHOLE and float(number).is_integer()
        return sympy.Integer(int(number)) if whole else sympy.Float(number, digits)

    formula = to_sympy(expression)
    return str(sympy.latex(formula.xreplace({n: shown(n) for n in formula.atoms(sympy.Float)})))


def from_sympy(formula: Any, operators: Mapping[str, Operator] = OPERATORS) -> Expression:
    """The formula that a sympy expression in one symbol stands for.

    Whole exponents, whether sympy has them exact or as floats, become ints of the structure; all
    other numbers become constants. Halves of exponents become roots, negative ones divisions.

    Args:
        formula: a `sympy.Expr` in one symbol of any name, or in none.
        operators: what the formula may be made of.

    Raises:
        TypeError: for anything but a sympy expression; text is read by `parse`.
        ValueError: for several symbols, for a number that is not real and finite, and for a
            function that is not among the operators.

    Example:
        >>> import sympy
        >>> from_sympy(sympy.sympify("3*t**2/(1 + exp(-t))"))
        Expression('3.0*x**2/(1.0 + exp(-x))')
    """
    import sympy

    if not isinstance(formula, sympy.Expr):
        raise TypeError(f"needs a sympy expression, got {formula!r}; text is read by parse")
    if len(formula.free_symbols) > 1:
        names = sorted(map(str, formula.free_symbols))
        raise ValueError(f"a formula has one variable, got {', '.join(names)} in {formula}")
    return Expression(_Reader(operators).read(_plain(formula)), operators)


def _plain(formula: Any) -> Any:
    """Reciprocals as divisions, and formulas without their wrapping."""
    import sympy

    pairs = {"sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh"}
    pairs["coth"] = "tanh"
    for name, of in pairs.items():
        below = getattr(sympy, of)
        formula = formula.replace(getattr(sympy, name), lambda a, f=below: 1 / f(a))
    return formula.replace(sympy.UnevaluatedExpr, lambda a: a)


class _Reader:
    """Postfixes of sympy expressions, made of the given operators."""

    def __init__(self, operators: Mapping[str, Operator]) -> None:
        import sympy

        self.sympy, self.operators = sympy, operators
        self.names = {
            getattr(sympy, op.sympy): name
            for name, op in operators.items()
            if isinstance(op.sympy, str)
        }

    def read(self, e: Any) -> Postfix:
        if e.is_Symbol:
            return ("x",)
        if e.is_number:
            return (self.number(e),)
        if e.is_Add:
            return self.sum(e)
        if e.is_Mul:
            return self.product(e)
        if isinstance(e, self.sympy.exp):
            return self.apply("exp", *e.args)
        if e.is_Pow:
            return self.power(e)
        return self.function(e)

    def number(self, e: Any) -> float:
        try:
            value = float(e)
        except TypeError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"a constant must be real and finite, got {e}")
        return value

    def sum(self, e: Any) -> Postfix:
        first, *others = e.as_ordered_terms()
        found = self.read(first)
        for term in others:
            negative = self.sympy.Mul(*(f for f in self.factors(term) if f.is_number)).is_negative
            part = self.read(-term if negative else term)
            found = (*found, *part, self.known("-" if negative else "+"))
        return found

    def product(self, e: Any) -> Postfix:
        factors = self.factors(e)
        coefficient = self.number(self.sympy.Mul(*(f for f in factors if f.is_number)))
        rest = [f for f in factors if not f.is_number]
        below = [1 / f for f in rest if _is_divisor(f)]
        above = self.joined([f for f in rest if not _is_divisor(f)])
        if not above:
            above = (coefficient,)
        elif coefficient == -1:
            above = (*above, self.known("neg"))
        elif coefficient != 1:
            above = (coefficient, *above, self.known("*"))
        return (*above, *self.joined(below), self.known("/")) if below else above

    def factors(self, e: Any) -> list[Any]:
        return list(e.as_ordered_factors()) if e.is_Mul else [e]

    def joined(self, factors: list[Any]) -> Postfix:
        read = [self.read(factor) for factor in factors]
        return reduce(lambda a, b: (*a, *b, self.known("*")), read) if read else ()

    def power(self, e: Any) -> Postfix:
        if _is_divisor(e):
            return (1.0, *self.read(1 / e), self.known("/"))
        base, exponent = e.args
        if _is_whole(exponent):
            return (*self.read(base), int(exponent), self.known("**"))
        if exponent.is_Rational and exponent.q == 2 and "sqrt" in self.operators:
            root = (*self.read(base), "sqrt")
            return root if exponent.p == 1 else (*root, int(exponent.p), self.known("**"))
        return (*self.read(base), *self.read(exponent), self.known("**"))

    def function(self, e: Any) -> Postfix:
        sympy = self.sympy
        if isinstance(e, sympy.Max) and "relu" in self.operators:
            rest = [argument for argument in e.args if not argument.is_zero]
            if len(rest) < len(e.args):
                return (*self.read(sympy.Max(*rest)), "relu")
        if isinstance(e, sympy.Piecewise) and _is_rectifier(e):
            return self.read(sympy.Max(e.args[1][0], 0))
        if e.func in self.names:
            return self.apply(self.names[e.func], *e.args)
        if isinstance(e, sympy.core.function.AppliedUndef) and e.func.__name__ in self.operators:
            return self.apply(e.func.__name__, *e.args)
        known = ", ".join(sorted(self.operators))
        raise ValueError(f"{e.func.__name__} in {e} is no known operator; known are {known}")

    def apply(self, name: str, *arguments: Any) -> Postfix:
        """The operator on its arguments, pair by pair where there are more than two."""
        self.known(name)
        read = [self.read(argument) for argument in arguments]
        if self.operators[name].arity == 1:
            return (*read[0], name)
        return reduce(lambda a, b: (*a, *b, name), read)

    def known(self, name: str) -> str:
        if name not in self.operators:
            raise ValueError(f"{name} is not among the operators {', '.join(self.operators)}")
        return name


def _is_divisor(e: Any) -> bool:
    """Whether it is `1/a`, `1/a**2`, `1/sqrt(a)`, ..."""
    if not e.is_Pow or e.args[0].is_number:
        return False
    exponent = e.args[1]
    return bool(exponent.is_negative and (exponent.is_Rational or _is_whole(exponent)))


def _is_rectifier(e: Any) -> bool:
    """Whether it is PySR's relu: 0 where `a < 0`, else a."""
    (first, negative), *others = e.args
    if not first.is_zero or len(others) != 1 or negative.func.__name__ != "StrictLessThan":
        return False
    return bool(
        negative.lhs == others[0][0] and negative.rhs.is_zero and str(others[0][1]) == "True"
    )


def _is_whole(number: Any) -> bool:
    return bool(number.is_Integer or (number.is_Float and float(number).is_integer()))
