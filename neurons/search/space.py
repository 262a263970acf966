"""Which formulas a search may return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

from neurons.task_based import OPERATORS, Expression, Operator, with_operators
from neurons.task_based.expression import Token

FUNCTIONS = ("sin", "cos", "exp", "log", "tanh", "sqrt", "inverse", "abs", "relu", "atan")
_NODES = "inverse"  # 1 / (...): a function to the search, a quotient in the formula


@dataclass(frozen=True)
class Space:
    """A language of formulas: sums of terms in one variable, each with a coefficient.

    Args:
        powers: whole exponents of at least 1 that x may have.
        functions: names of functions of one argument; "inverse" stands for `1 / (...)`.
        operators: custom operators of one argument, used like `functions`.
        terms: the most terms a sum may have.
        max_complexity: the most nodes of a whole formula.
        complexity: nodes that an operator, `"x"` or `"constant"` counts as, where not 1.
        constraints: operator -> the most nodes its argument may have.
        nested: operator -> {operator: how often it may occur inside}: `{"sin": {"sin": 0}}`.
        products: whether terms may be products of functions.

    Raises:
        ValueError: for powers below 1, unknown names, or sizes below 1.

    Example:
        >>> space = Space(powers=range(1, 4), functions=("sin",), nested={"sin": {"sin": 0}})
        >>> space.allows(("x", 2.0, "*", "sin")), space.allows(("x", "sin", "sin"))
        (True, False)
    """

    powers: Sequence[int] = range(1, 9)
    functions: Sequence[str] = FUNCTIONS
    operators: Sequence[Operator] = ()
    terms: int = 4
    max_complexity: int = 30
    complexity: Mapping[str, int] = field(default_factory=dict)
    constraints: Mapping[str, int] = field(default_factory=dict)
    nested: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    products: bool = True

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "powers", tuple(sorted({int(power) for power in self.powers})))
        set_(self, "functions", tuple(dict.fromkeys(self.functions)))
        set_(self, "operators", tuple(self.operators))
        if any(power < 1 for power in self.powers):
            raise ValueError(f"powers are whole numbers of at least 1, got {self.powers}")
        if self.terms < 1 or self.max_complexity < 1:
            raise ValueError(
                f"terms and max_complexity are at least 1, got {self.terms}, {self.max_complexity}"
            )
        for operator in self.operators:
            if operator.arity != 1:
                raise ValueError(f"custom operators take one argument, {operator.name} takes two")
        self._check_names()
        if not (self.powers or self.functions or self.operators):
            raise ValueError("a space needs powers or functions, got neither")

    def __getstate__(self) -> dict[str, object]:
        """The fields only: a table of operators does not pickle."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def _check_names(self) -> None:
        known = {name for name, operator in OPERATORS.items() if operator.arity == 1}
        allowed = known - {"neg"} | {_NODES}
        for name in self.functions:
            if name not in allowed:
                raise ValueError(
                    f"unknown function {name!r}; allowed: {', '.join(sorted(allowed))}"
                )
        words = {*self.table, "x", "constant"}
        inner = (name for inside in self.nested.values() for name in inside)
        for name in (*self.complexity, *self.constraints, *self.nested, *inner):
            if name not in words:
                raise ValueError(f"unknown operator {name!r}; allowed: {', '.join(sorted(words))}")

    @cached_property
    def _weights(self) -> dict[str, int]:
        own = {name: operator.complexity for name, operator in self.table.items()}
        return {"x": 1, "constant": 1} | own | dict(self.complexity)

    @cached_property
    def table(self) -> Mapping[str, Operator]:
        """What operators' names mean."""
        return with_operators(self.operators) if self.operators else OPERATORS

    @property
    def unary(self) -> tuple[str, ...]:
        """Functions and custom operators."""
        return (*self.functions, *(operator.name for operator in self.operators))

    def size(self, term: tuple[Token, ...]) -> int:
        """Complexity of a term without its coefficient."""
        weights = self._weights
        return sum(weights[t if isinstance(t, str) else "constant"] for t in term)

    def allows(self, term: tuple[Token, ...]) -> bool:
        """Whether a term obeys the constraints, its names aside."""
        if not (self.constraints or self.nested):
            return True
        expression = Expression(term, self.table)
        return all(self._allows(subtree) for subtree in expression.subtrees())

    def _allows(self, subtree: tuple[Token, ...]) -> bool:
        name, inside = subtree[-1], subtree[:-1]
        if not isinstance(name, str) or name == "x":
            return True
        counts = self.nested.get(name, {})
        if any(inside.count(inner) > most for inner, most in counts.items()):
            return False
        if name not in self.constraints:
            return True
        return all(
            self.size(argument) <= self.constraints[name]
            for argument in self._arguments(inside, self.table[name].arity)
        )

    def _arguments(self, tokens: tuple[Token, ...], arity: int) -> list[tuple[Token, ...]]:
        if arity == 1:
            return [tokens]
        last = self._last(tokens)
        return [tokens[: len(tokens) - len(last)], last]

    def _last(self, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        needed, at = 1, len(tokens)
        while needed:
            at -= 1
            token = tokens[at]
            arity = self.table[token].arity if isinstance(token, str) and token != "x" else 0
            needed += arity - 1
        return tokens[at:]
