"""A formula in one variable, as data.

The postfix form is the formula: `"x"`, operators' names, floats for constants that a search may
tune, and ints for numbers that belong to the structure, such as exponents.

A task-based neuron is such a formula whose additive terms get weights: a search finds
`y = c + sum_i f(x_i)`, and the neuron is `sum_t w_t . phi_t(x) + b` with the terms `phi_t` of f.

References:
    F.-L. Fan, M. Wang, H.-M. Dong, J. Ma, T. Zeng, No one-size-fits-all neurons: task-based neurons
    for artificial neural networks, arXiv 2405.02369.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax import Array

from neurons.neuron import Neuron
from neurons.task_based.operators import OPERATORS, Operator, with_operators

Token = str | float | int
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "**": 4}


def run(
    postfix: Sequence[Token],
    x: Any,
    constants: Sequence[Any] | None = None,
    *,
    operators: Mapping[str, Operator] = OPERATORS,
    library: str = "numpy",
) -> Any:
    """The formula's value at `x`.

    Args:
        postfix: the formula.
        x: an array, of NumPy or, with `library="jax"`, of JAX.
        constants: values that take the floats' places, in their order; anything that broadcasts
            with `x`, so that `(starts, 1)` gives many settings at once.
        operators: what names mean.
        library: "numpy" or "jax".
    """
    stack: list[Any] = []
    given = iter(constants) if constants is not None else None
    for token in postfix:
        if token == "x":
            stack.append(x)
        elif isinstance(token, str):
            operator = operators[token]
            arguments = stack[-operator.arity :]
            del stack[-operator.arity :]
            stack.append(getattr(operator, library)(*arguments))
        else:
            is_constant = isinstance(token, float) and given is not None
            stack.append(next(given) if is_constant else token)  # type: ignore[arg-type]
    return stack.pop()


@dataclass(frozen=True, eq=False)
class Expression:
    """A formula in `x`.

    Two are equal when their postfixes are, a constant 2.0 differing from an exponent 2, and their
    operators mean the same.

    Args:
        postfix: the formula, operands before their operator.
        operators: what names mean; the built-in ones by default.

    Raises:
        ValueError: for a postfix that is no formula, or an unknown name.
        TypeError: for a token that is neither text nor a real number.

    Example:
        >>> Expression(("x", 2.5, "*", "sin"))
        Expression('sin(x*2.5)')
        >>> float(Expression(("x", 2, "**"))(3.0))
        9.0
    """

    postfix: tuple[Token, ...]
    operators: Mapping[str, Operator] = field(default_factory=lambda: OPERATORS, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "postfix", tuple(map(_canonical, self.postfix)))
        depth = 0
        for token in self.postfix:
            if isinstance(token, str) and token != "x":
                if token not in self.operators:
                    allowed = ", ".join(sorted(self.operators))
                    raise ValueError(f"unknown operator {token!r}; allowed: x, {allowed}")
                depth -= self.operators[token].arity
                if depth < 0:
                    raise ValueError(f"{token!r} lacks an argument in {self.postfix}")
            depth += 1
        if depth != 1:
            raise ValueError(f"not one formula but {depth}: {self.postfix}")

    @classmethod
    def parse(cls, text: str, operators: Mapping[str, Operator] = OPERATORS) -> "Expression":
        """The formula that `text` writes; see `neurons.task_based.parse`.

        Example:
            >>> Expression.parse("2*x**3 + sin(x)")
            Expression('2.0*x**3 + sin(x)')
        """
        from neurons.task_based.parser import parse

        return parse(text, operators)

    def __call__(self, x: Any) -> np.ndarray:
        """Values at `x`, any shape, in float64; NaN outside the domain."""
        at = np.asarray(x, np.float64)
        with np.errstate(all="ignore"):
            values = run(self.postfix, at, operators=self.operators)
        return np.array(np.broadcast_to(values, at.shape), np.float64)

    @property
    def constants(self) -> tuple[float, ...]:
        """The floats, in their order."""
        return tuple(token for token in self.postfix if isinstance(token, float))

    def with_constants(self, values: Sequence[float]) -> "Expression":
        """The same structure with other constants.

        Raises:
            ValueError: for another number of constants.
        """
        if len(values) != len(self.constants):
            raise ValueError(f"{self} has {len(self.constants)} constants, got {len(values)}")
        given = iter(values)
        tokens = (float(next(given)) if isinstance(t, float) else t for t in self.postfix)
        return Expression(tuple(tokens), self.operators)

    @property
    def structure(self) -> tuple[Token, ...]:
        """The postfix with every constant replaced by 1.0: equal for equal structures."""
        return tuple(1.0 if isinstance(token, float) else token for token in self.postfix)

    def complexity(self, of: Mapping[str, int] | None = None) -> int:
        """Nodes of the formula.

        Args:
            of: other weights, by operator, for `"x"`, or for a number, `"constant"`.
        """
        weights = {"x": 1, "constant": 1} | {n: o.complexity for n, o in self.operators.items()}
        weights |= of or {}
        return sum(weights[t if isinstance(t, str) else "constant"] for t in self.postfix)

    def subtrees(self) -> tuple[tuple[Token, ...], ...]:
        """The postfix of the subtree that ends at every token, in the tokens' order."""
        stack: list[tuple[Token, ...]] = []
        found = []
        for token in self.postfix:
            arity = self.operators[token].arity if isinstance(token, str) and token != "x" else 0
            arguments = stack[len(stack) - arity :]
            del stack[len(stack) - arity :]
            stack.append((*(t for argument in arguments for t in argument), token))
            found.append(stack[-1])
        return tuple(found)

    def terms(self) -> tuple[tuple["Expression", ...], tuple[float, ...], float]:
        """Additive terms without coefficients, their coefficients, and the intercept.

        Example:
            >>> Expression.parse("2*(x - 3*sin(x)) + 1").terms()
            ((Expression('x'), Expression('sin(x)')), (2.0, -6.0), 1.0)
        """
        from neurons.task_based.terms import terms

        return terms(self)

    def domain(self, low: float, high: float) -> tuple[tuple[float, float], ...]:
        """Closed intervals of [low, high] where it is finite, in float64.

        The module `neurons.task_based.domain` says how they are found, and how sure they are.
        """
        from neurons.task_based.domain import domain

        return domain(self, low, high)

    def to_jax(self) -> Callable[..., Array]:
        """The formula as a function of JAX arrays; see `neurons.task_based.JaxFunction`."""
        from neurons.task_based.function import JaxFunction

        return JaxFunction(self)

    def to_neuron(
        self,
        *,
        name: str = "task_based",
        normalise: str | Sequence[float] | None = None,
        interactions: Sequence[int] | Sequence[tuple[int, int]] = (),
    ) -> Neuron:
        """The neuron that weighs every additive term; see `neurons.task_based.to_neuron`."""
        from neurons.task_based.neuron import to_neuron

        return to_neuron(self, name=name, normalise=normalise, interactions=interactions)

    def sympy(self) -> Any:
        """The formula in sympy, with its symbol `x`."""
        from neurons.task_based.symbolic import to_sympy

        return to_sympy(self)

    def latex(self, digits: int = 3) -> str:
        """The formula in LaTeX, constants rounded to so many significant digits."""
        from neurons.task_based.symbolic import latex

        return latex(self, digits)

    def _repr_latex_(self) -> str:
        """The formula, for notebooks."""
        return f"${self.latex()}$"

    def __str__(self) -> str:
        return write(self.postfix, self.operators)

    def __repr__(self) -> str:
        return f"Expression({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[Any, ...]:
        """What makes two formulas equal: an int 2 is no float 2.0, and -0.0 is not 0.0."""
        numbers = tuple(
            (type(token), math.copysign(1, token))
            for token in self.postfix
            if not isinstance(token, str)
        )
        custom = tuple(
            self.operators[token]
            for token in self.postfix
            if token != "x" and isinstance(token, str) and token not in OPERATORS
        )
        return self.postfix, numbers, custom

    def __reduce__(self) -> tuple[Any, ...]:
        custom = tuple(op for name, op in self.operators.items() if name not in OPERATORS)
        return _restored, (self.postfix, custom)  # read-only tables cannot be pickled


def _restored(postfix: tuple[Token, ...], custom: tuple[Operator, ...]) -> Expression:
    return Expression(postfix, with_operators(custom) if custom else OPERATORS)


def _canonical(token: Any) -> Token:
    """Python's own numbers, which print as what they are."""
    if isinstance(token, str):
        return str(token)
    if isinstance(token, float | np.floating):
        return float(token)
    if isinstance(token, int | np.integer) and not isinstance(token, bool):
        return int(token)
    raise TypeError(f"a token is a name, a float or an int, got {token!r}")


def write(postfix: Sequence[Token], operators: Mapping[str, Operator] = OPERATORS) -> str:
    """The formula as text that `parse` reads back."""
    stack: list[tuple[str, int]] = []
    for token in postfix:
        if token == "x":
            stack.append(("x", 9))
        elif not isinstance(token, str):
            number = repr(float(token) if isinstance(token, float) else int(token))
            stack.append((number, 3 if number.startswith("-") else 9))
        else:
            arity = operators[token].arity
            arguments = stack[-arity:]
            del stack[-arity:]
            stack.append(_written(token, arguments))
    return stack.pop()[0]


def _written(name: str, arguments: list[tuple[str, int]]) -> tuple[str, int]:
    binds = _BINDS.get(name)
    if binds is None:
        return f"{name}({', '.join(text for text, _ in arguments)})", 9
    if name == "neg":
        text, inner = arguments[0]
        is_number = text[0].isdigit() and inner == 9
        return f"-{_inside((text, 0 if is_number else inner), 3)}", binds  # -(2.0) is not -2.0
    (left, right), space = arguments, " " if binds == 1 else ""
    strict_left, strict_right = (binds + (name == "**"), binds + 1)
    return f"{_inside(left, strict_left)}{space}{name}{space}{_inside(right, strict_right)}", binds


def _inside(argument: tuple[str, int], at_least: int) -> str:
    text, binds = argument
    return text if binds >= at_least else f"({text})"
