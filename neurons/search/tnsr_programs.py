"""Programs of genetic search over + - * neg, x and integers: trees that know their polynomial.

A polynomial with integer coefficients is one whole number, its value at 2^64 (Kronecker's
substitution): sums and products of polynomials are sums and products of numbers, exact, and some
twenty times faster than expanding with sympy. Trees are immutable and share their parts.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple, no_type_check

import numpy as np
from numpy.typing import NDArray

BITS = 64  # of one coefficient
LIMIT = 1 << 62  # largest sum of |coefficients| that a polynomial may have


class Program(NamedTuple):
    """A tree, and the polynomial it stands for.

    Args:
        children: none for a leaf, one for neg, two else.
        operator: "+", "-", "*", "neg"; "" for a leaf.
        packed: the polynomial's value at 2^64; `None` if it has outgrown the bounds.
        degree: a bound on the degree; it ignores what cancels.
        size: a bound on the sum of absolute coefficients.
    """

    children: tuple["Program", ...]
    operator: str
    packed: int | None
    degree: int
    size: int


Path = list[tuple[Program, int]]
X = Program((), "", 1 << BITS, 1, 1)
_OPERATORS = ("+", "-", "*", "neg")


def constant(value: int) -> Program:
    """A leaf."""
    return Program((), "", value, 0, abs(value))


def coefficients(programs: Sequence[Program], degree: int) -> NDArray[np.float64]:
    """Coefficients of x^0 to x^degree, `(programs, degree + 1)`; NaN for what has outgrown."""
    # Half of 2^64 added to every digit makes all digits positive.
    lift = sum(1 << (BITS * k + BITS - 1) for k in range(degree + 1))
    width = BITS // 8 * (degree + 1)
    grown = b"".join((lift + (p.packed or 0)).to_bytes(width, "little") for p in programs)
    digits = np.frombuffer(grown, "<u8").reshape(len(programs), degree + 1)
    found = (digits ^ np.uint64(1 << (BITS - 1))).view(np.int64).astype(np.float64)
    found[[p.packed is None for p in programs]] = np.nan
    return found


class Breeder:
    """Makes and alters programs.

    Args:
        dice: source of all chance.
        x_share: probability that a leaf is x.
        low: least constant.
        high: one more than the greatest constant.
        depth: deepest place of an operator in a new tree.
        degree: highest degree of a polynomial.
    """

    def __init__(
        self,
        dice: random.Random,
        *,
        x_share: float,
        low: int,
        high: int,
        depth: int,
        degree: int,
    ) -> None:
        self.dice, self.x_share, self.depth, self.degree = dice, x_share, depth, degree
        self._constants = tuple(constant(value) for value in range(low, high))

    @no_type_check  # as join
    def grow(self, depth: int = 0) -> Program:
        """A random tree: an operator with probability (11 - depth) / 11, down to the deepest."""
        dice = self.dice
        if depth <= self.depth and 11 * dice.random() < 11 - depth:
            operator = _OPERATORS[int(4 * dice.random())]
            first = self.grow(depth + 1)
            if operator == "neg":
                return self.join(operator, (first,))
            return self.join(operator, (first, self.grow(depth + 1)))
        if dice.random() < self.x_share:
            return X
        return self._constants[int(len(self._constants) * dice.random())]

    @no_type_check  # a run calls it a million times: too often for checked annotations
    def join(self, operator: str, children: tuple[Program, ...]) -> Program:
        """The tree with these children, and its polynomial if it keeps the bounds."""
        a, b = children[0], children[-1]
        if a.packed is None or b.packed is None:
            return Program(children, operator, None, 0, 0)
        if operator == "neg":
            return Program(children, operator, -a.packed, a.degree, a.size)
        if operator == "*":
            degree, size = a.degree + b.degree, a.size * b.size
        else:
            degree, size = max(a.degree, b.degree), a.size + b.size
        if degree > self.degree or size > LIMIT:
            return Program(children, operator, None, 0, 0)
        if operator == "*":
            return Program(children, operator, a.packed * b.packed, degree, size)
        packed = a.packed + b.packed if operator == "+" else a.packed - b.packed
        return Program(children, operator, packed, degree, size)

    def mutate(self, program: Program) -> Program:
        """A random child of a random node, rather near the root, becomes a new tree."""
        return self._replaced(self._pick(program), self.grow())

    def cross(self, program: Program, other: Program) -> Program:
        """A random child of a random node becomes a random node of the other."""
        place = self._pick(program)
        return self._replaced(place, self._pick(other)[-1][0])

    def _pick(self, program: Program) -> Path:
        """The way from the root to a child; it stops at a node with probability 2 depth / 11."""
        dice, node = self.dice, program
        path: Path = []
        while node.children and 11 * dice.random() >= 2 * len(path):
            at = int(len(node.children) * dice.random())
            path.append((node, at))
            node = node.children[at]
        if node.children:  # the way stopped early: one more step, whichever
            path.append((node, int(len(node.children) * dice.random())))
        else:  # a leaf is never picked: its parent is, and any of the parent's children
            parent = path[-1][0]
            path[-1] = (parent, int(len(parent.children) * dice.random()))
        return path

    def _replaced(self, path: Path, new: Program) -> Program:
        for node, at in reversed(path):
            children = (*node.children[:at], new, *node.children[at + 1 :])
            new = self.join(node.operator, children)
        return new
