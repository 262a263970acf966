"""From text to a formula, without running it: no `eval`, and nothing but a short list of forms."""

import ast
import math
from collections.abc import Mapping

from neurons.task_based.expression import Expression, Token
from neurons.task_based.operators import OPERATORS, Operator

LONGEST = 10_000  # characters
DEEPEST = 150  # brackets, functions or sums within each other
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


def parse(text: str, operators: Mapping[str, Operator] = OPERATORS) -> Expression:
    """The formula that `text` writes.

    Numbers are constants that a search may tune, whole ones too; only a whole number right after
    `**` is an exponent of the structure. What `str(expression)` writes reads back as an equal
    formula, when its ints are exponents and its constants finite.

    Args:
        text: Python's arithmetic in `x`: `+ - * / **`, brackets, and the operators by name.
        operators: the names that are known.

    Returns:
        The formula.

    Raises:
        ValueError: for anything else, naming the place and what is allowed; for text above 10,000
            characters or 150 levels.

    Example:
        >>> parse("2*x**3 + sin(x)").postfix
        (2.0, 'x', 3, '**', '*', 'x', 'sin', '+')
    """
    return Expression(_Reader(text, operators).postfix(), operators)


class _Reader:
    """One text, and what may stand in it."""

    def __init__(self, text: str, operators: Mapping[str, Operator]) -> None:
        self.text = text.strip().replace("\n", " ")
        self.operators = operators

    def postfix(self) -> tuple[Token, ...]:
        if len(self.text) > LONGEST:
            raise ValueError(f"a formula has at most {LONGEST} characters, got {len(self.text)}")
        if not self.text.isascii():
            at = next(i for i, letter in enumerate(self.text) if not letter.isascii())
            raise self._refusal(at, f"{self.text[at]!r} is no ASCII character")
        return self._read(self._tree(), DEEPEST)

    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            last = len(self.text) + 1  # where something is missing at the end
            raise self._refusal((error.offset or last) - 1, str(error.msg)) from None
        except (MemoryError, RecursionError, ValueError):
            raise self._refusal(0, "this is no formula, or one that is nested too deep") from None

    def _read(self, node: ast.expr, levels: int) -> tuple[Token, ...]:
        if levels < 0:
            raise self._refusal(node.col_offset, f"more than {DEEPEST} levels")
        match node:
            case ast.Name(id="x"):
                return ("x",)
            case ast.Constant():
                return (self._number(node),)
            case ast.UnaryOp(op=ast.UAdd()):
                return self._read(node.operand, levels - 1)
            case ast.UnaryOp(op=ast.USub()):
                if _is_literal(node):
                    return (-self._number(node.operand),)
                return (*self._read(node.operand, levels - 1), "neg")
            case ast.BinOp() if type(node.op) in _BINARY:
                left = self._read(node.left, levels - 1)
                return (*left, *self._right(node, levels - 1), _BINARY[type(node.op)])
            case ast.Call(func=ast.Name(id=name)):
                return self._call(node, name, levels)
        raise self._refusal(node.col_offset, _why(node))

    def _right(self, node: ast.BinOp, levels: int) -> tuple[Token, ...]:
        """The second operand; a whole number after `**` stays whole."""
        right, sign = node.right, 1
        if isinstance(node.op, ast.Pow):
            if isinstance(right, ast.UnaryOp) and _is_literal(right):
                right, sign = right.operand, -1
            if isinstance(right, ast.Constant) and type(right.value) is int:
                return (sign * right.value,)
        return self._read(node.right, levels)

    def _call(self, node: ast.Call, name: str, levels: int) -> tuple[Token, ...]:
        if name not in self.operators:
            raise self._refusal(node.col_offset, f"{name!r} is no known function")
        arity = self.operators[name].arity
        if node.keywords or len(node.args) != arity:
            raise self._refusal(
                node.col_offset, f"{name} takes {arity} argument{'s' * (arity > 1)}, without names"
            )
        return (*(t for part in node.args for t in self._read(part, levels - 1)), name)

    def _number(self, node: ast.expr) -> float:
        value = getattr(node, "value", None)
        if type(value) not in (int, float):
            raise self._refusal(node.col_offset, f"{value!r} is no real number")
        try:
            number = float(value)  # type: ignore[arg-type]  # checked above
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self._refusal(node.col_offset, "a number beyond the largest float")
        return number

    def _refusal(self, at: int, what: str) -> ValueError:
        names = ", ".join(sorted(name for name in self.operators if name.isidentifier()))
        shown = self.text if len(self.text) <= 80 else f"{self.text[:80]}..."
        return ValueError(
            f"cannot read {shown!r} at character {at + 1}: {what}; "
            f"allowed: x, numbers, + - * / **, brackets, {names}"
        )


def _is_literal(node: ast.UnaryOp) -> bool:
    """Whether it writes a negative number: `-2`, not `-(2)`, which negates one."""
    adjacent = node.operand.col_offset == node.col_offset + 1
    return isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant) and adjacent


def _why(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return f"{node.id!r} is no known name"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        return "^ is no operator, write ** for powers"
    return f"{type(node).__name__} is no part of a formula"
