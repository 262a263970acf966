"""Terms with open constants, and where to start looking for the constants.

A skeleton is a term whose constants have roles. A role tells from the values of the argument what
range is sensible: a slope bends the function within the interval, a knot lies inside it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np

from neurons.search.fitting import Term
from neurons.search.space import Space
from neurons.task_based import Operator
from neurons.task_based.expression import run

SLOPES = (0.16, 24.0)  # slope times the argument's half-range: below is a line, above a step
LATTICE = (0.0, 2**0.5, 3**0.5, 5**0.5, 7**0.5, 11**0.5, 13**0.5, 17**0.5)
STEEPEST = {"slope": 30.0, "lift": 60.0, "rate": 100.0}  # fitted; exp(60) is no function of data
FAR = 30.0  # spreads beyond which a shift outweighs its argument


@dataclass(frozen=True)
class Skeleton:
    """A term with open constants.

    Args:
        term: postfix with 1.0 in the constants' places.
        roles: what each constant is, in order.
    """

    term: Term
    roles: tuple[str, ...] = ()

    def then(self, *tokens: object, roles: tuple[str, ...] = ()) -> "Skeleton":
        """More tokens, and the roles of the constants among them."""
        return Skeleton((*self.term, *tokens), (*self.roles, *roles))  # type: ignore[arg-type]

    def times(self, other: "Skeleton") -> "Skeleton":
        """The product of two."""
        return Skeleton((*self.term, *other.term, "*"), (*self.roles, *other.roles))


X = Skeleton(("x",))


def _scaled(of: Skeleton, role: str = "slope") -> Skeleton:
    return of.then(1.0, "*", roles=(role,))


def _shifted(of: Skeleton, role: str) -> Skeleton:
    return of.then(1.0, "+", roles=(role,))


def _variants(name: str, of: Skeleton, space: Space) -> list[Skeleton]:
    """Arguments that make sense inside a function, without redundant constants."""
    plain = of.term != ("x",) and of.roles != ()
    if name in ("tanh", "atan", "sigmoid"):
        found = [_scaled(of, "rate"), _shifted(_scaled(of, "rate"), "zero")]
    elif name == "sin" or (name == "cos" and "sin" not in space.unary):
        found = [_scaled(of, "rate"), _shifted(_scaled(of, "rate"), "phase")]
    elif name == "cos":
        found = [_scaled(of, "rate")]
    elif name in ("exp", "sinh", "cosh"):
        found = [_scaled(of)]
    elif name in ("log", "sqrt", "inverse"):
        one = _scaled(of, "lift").then(1, "+")
        found = [one, _shifted(of, "above"), of]
    elif name in ("abs", "relu", "sign"):
        found = [of, _shifted(of, "knot")]
    else:
        found = [of, _scaled(of), _shifted(_scaled(of), "zero")]
    return [argument for argument in found if not (plain and argument is of and name == "abs")]


def _apply(name: str, argument: Skeleton) -> Skeleton:
    if name == "inverse":
        return Skeleton((1, *argument.term, "/"), argument.roles)
    return argument.then(name)


def _over(names: tuple[str, ...], inner: Skeleton, space: Space) -> list[Skeleton]:
    return [_apply(g, argument) for g in names for argument in _variants(g, inner, space)]


def basic(space: Space) -> list[Skeleton]:
    """Functions of x, or of its square, with at most one constant."""
    inners = (X, X.then(2, "**"))
    atoms = [s for inner in inners for s in _over(space.unary, inner, space)]
    return _distinct([atom for atom in atoms if len(atom.roles) <= 1], space)


def simple(space: Space) -> list[Skeleton]:
    """`basic`, and times powers of x."""
    atoms = basic(space)
    powers = [k for k in (1, 2, 3) if k in space.powers] if space.products else []
    return _distinct(atoms + [_power(k).times(atom) for k in powers for atom in atoms], space)


def shifted(space: Space) -> list[Skeleton]:
    """Functions of x, of its square or of a parabola, with all their constants."""
    parabola = X.then(2, "**", "x", 1.0, "*", "+", roles=("centre",))
    inners = (X, X.then(2, "**"), parabola)
    return _distinct([s for inner in inners for s in _over(space.unary, inner, space)], space)


def rich(space: Space) -> list[Skeleton]:
    """Shifts, compositions, products and quotients, after `simple`, by complexity."""
    names = space.unary
    first = _over(names, X, space)
    square, cube = X.then(2, "**"), X.then(3, "**")
    parabola = square.then("x", 1.0, "*", "+", roles=("centre",))
    inners = (square, parabola, cube, X.then(4, "**"))
    second = [s for inner in inners for s in _over(names, inner, space)]
    third = list(_compositions(first, names, space))
    found = [*first, *second, *third]
    if space.products:
        lines = [_power(1), _power(2), _power(3), _shifted(X, "knot")]
        found += [line.times(atom) for line, atom in product(lines, [*first, *second])]
        found += [_power(1).times(atom) for atom in third if len(atom.roles) <= 3]
        pairs = combinations_with_replacement(first, 2)
        found += [a.times(b) for a, b in pairs if len(a.roles) + len(b.roles) <= 4]
        found += [a.times(b) for a, b in product(first, second) if len(a.roles + b.roles) <= 3]
    known = {skeleton.term for skeleton in simple(space)}
    distinct = [s for s in _distinct(found, space) if s.term not in known]
    return sorted(distinct, key=lambda s: (len(s.roles), space.size(s.term)))


def _compositions(
    first: list[Skeleton], names: tuple[str, ...], space: Space
) -> Iterator[Skeleton]:
    for inner in first:
        leaning = inner.then("x", 1.0, "*", "+", roles=("lean",))  # g(x) + c x
        for argument in (inner, leaning):
            yield from (s for s in _over(names, argument, space) if len(s.roles) <= 4)
        yield from (inner.then(exponent, "**") for exponent in (2, 3))


def _power(exponent: int) -> Skeleton:
    return X if exponent == 1 else X.then(exponent, "**")


def _distinct(skeletons: list[Skeleton], space: Space) -> list[Skeleton]:
    seen = {s.term: s for s in skeletons if space.allows(s.term)}
    return [s for s in seen.values() if space.size(s.term) + 4 <= space.max_complexity]


def without_twins(
    skeletons: list[Skeleton], nodes: np.ndarray, operators: Mapping[str, Operator]
) -> list[Skeleton]:
    """The skeletons less those that another one, before them, equals up to a factor and offset.

    They are compared by their values at the nodes for one setting of the constants. Powers of x
    count as before all.
    """
    kept, seen = [], {_shape(nodes**power) for power in range(1, 9)}
    with np.errstate(all="ignore"):
        for skeleton in skeletons:
            _, values = sample(skeleton, nodes, 4, operators)
            shape = _shape(values[1])  # the second slope is a gentle one: no steps
            if shape is None or shape not in seen:
                kept.append(skeleton)
                seen.add(shape)
    return kept


def _shape(values: np.ndarray) -> bytes | None:
    """Equal for values that are equal up to a factor and an offset; None if they are no numbers."""
    shape = values - values.mean()
    shape = shape / shape[np.abs(shape).argmax()]
    return (np.round(shape, 7) + 0.0).tobytes() if np.isfinite(shape).all() else None


def sample(
    skeleton: Skeleton,
    nodes: np.ndarray,
    count: int,
    operators: Mapping[str, Operator],
) -> tuple[np.ndarray, np.ndarray]:
    """Constants `(count, roles)` in sensible ranges, and values `(count, nodes)` of the term.

    The constants lie on a Kronecker lattice: even in every coordinate and together.
    """
    drawn: list[np.ndarray] = []
    roles = iter(skeleton.roles)
    stack: list[np.ndarray] = []
    for token in skeleton.term:
        if isinstance(token, float):
            place = ((np.arange(count) + 0.5) * LATTICE[len(drawn)] + 0.5 / count) % 1.0
            if not drawn:
                place = (np.arange(count) + 0.5) / count
            drawn.append(_draw(next(roles), stack[-1], place)[:, None])
            stack.append(drawn[-1])
        elif isinstance(token, str) and token != "x":
            arity = operators[token].arity
            arguments = stack[-arity:]
            del stack[-arity:]
            stack.append(operators[token].numpy(*arguments))
        else:
            stack.append(nodes if token == "x" else token)  # type: ignore[arg-type]
    constants = np.concatenate(drawn, axis=1) if drawn else np.empty((count, 0))
    return constants, np.broadcast_to(stack[-1], (count, len(nodes)))


def _draw(role: str, argument: np.ndarray, place: np.ndarray) -> np.ndarray:
    """One constant per sample, from its quantile `place` in (0, 1)."""
    low, high = argument.min(axis=-1), argument.max(axis=-1)
    spread = np.maximum(high - low, 1e-300)
    if role in ("slope", "rate", "lift"):
        sign = np.where(np.arange(len(place)) % 2, 1.0, -1.0) if role != "rate" else 1.0
        geometric = SLOPES[0] * (SLOPES[1] / SLOPES[0]) ** place
        even = SLOPES[0] + (SLOPES[1] - SLOPES[0]) * place
        size = np.where(np.arange(len(place)) % 3, geometric, even)
        return sign * size * 2 / spread
    if role == "phase":
        return np.pi * (place - 0.5)
    if role == "above":
        return -low + spread * 10.0 ** (3 * place - 2)
    if role == "centre":
        return -2 * (low + (1.2 * place - 0.1) * spread) if argument.ndim == 1 else -2 * place
    if role == "lean":
        return 8 * (place - 0.5)
    if role == "zero":
        return -(low + (1.4 * place - 0.2) * spread)
    return -(low + (0.9 * place + 0.05) * spread)  # a knot


def is_sensible(
    skeleton: Skeleton,
    constants: np.ndarray,
    nodes: np.ndarray,
    operators: Mapping[str, Operator],
) -> bool:
    """Whether fitted slopes still bend their function within the interval.

    Outside, a function degenerates to a line or a step, and a sum of such terms to a derivative.
    """
    for place, role in enumerate(skeleton.roles):
        if role not in ("slope", "rate", "lift", "above"):
            continue
        at = _token_of(skeleton.term, place)
        inside = _argument_before(skeleton.term, at, operators)
        before = sum(isinstance(t, float) for t in skeleton.term[: at - len(inside)])
        own = sum(isinstance(t, float) for t in inside)
        values = run(inside, nodes, list(constants[before : before + own]), operators=operators)
        spread = float(np.ptp(values))
        if role == "above":
            if abs(constants[place]) > FAR * max(spread, float(np.abs(values).max())):
                return False
        elif not SLOPES[0] / 2 <= abs(constants[place]) * spread / 2 <= STEEPEST[role]:
            return False
    return True


def _token_of(term: Term, constant: int) -> int:
    return [at for at, token in enumerate(term) if isinstance(token, float)][constant]


def _argument_before(term: Term, at: int, operators: Mapping[str, Operator]) -> Term:
    """The operand that ends right before position `at`."""
    needed, start = 1, at
    while needed:
        start -= 1
        token = term[start]
        takes = operators[token].arity if isinstance(token, str) and token != "x" else 0
        needed += takes - 1
    return term[start:at]
