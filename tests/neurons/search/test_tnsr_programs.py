"""Programs carry exact polynomials, whatever is done to them."""

import random

import numpy as np
import pytest
import sympy

from neurons.search.tnsr_programs import LIMIT, Breeder, X, coefficients, constant


def breeder(seed=0, **changes):
    settings = {"x_share": 0.7, "low": -20, "high": 20, "depth": 4, "degree": 12}
    return Breeder(random.Random(seed), **(settings | changes))


def text(program):
    if not program.children:
        return "x" if program is X else str(program.packed)
    parts = [f"({text(child)})" for child in program.children]
    return f"-{parts[0]}" if program.operator == "neg" else program.operator.join(parts)


def expanded(program, degree=12):
    """Coefficients by sympy, or `None` beyond the degree."""
    polynomial = sympy.Poly(sympy.expand(sympy.sympify(text(program))), sympy.Symbol("x"))
    found = [int(a) for a in reversed(polynomial.all_coeffs())]
    return found + [0] * (degree + 1 - len(found)) if len(found) <= degree + 1 else None


def test_polynomials_are_those_of_sympy():
    made = breeder()
    programs = [made.grow() for _ in range(60)]
    programs += [made.mutate(program) for program in programs[:30] if program.children]
    programs += [made.cross(a, b) for a, b in zip(programs[:20], programs[20:40], strict=True)]
    found = coefficients(programs, 12)
    alive = [n for n, program in enumerate(programs) if program.packed is not None]
    assert len(alive) > 60
    for n in alive:
        assert found[n].astype(object).tolist() == expanded(programs[n])
    dead = [n for n in range(len(programs)) if n not in alive]
    assert all(np.isnan(found[n]).all() for n in dead)


def test_negative_coefficients_are_unpacked_exactly():
    made = breeder()
    minus = made.join("-", (constant(-3), made.join("*", (X, X))))  # -3 - x^2
    square = made.join("*", (minus, minus))
    assert coefficients([minus, square], 4).tolist() == [[-3, 0, -1, 0, 0], [9, 0, 6, 0, 1]]


def test_bounds_end_a_program_and_all_that_hold_it():
    made = breeder(degree=2)
    square = made.join("*", (X, X))
    cube = made.join("*", (square, X))
    assert square.packed is not None
    assert (cube.packed, made.join("neg", (cube,)).packed) == (None, None)
    large = constant(LIMIT)
    assert made.join("neg", (large,)).packed == -LIMIT
    assert made.join("+", (large, constant(1))).packed is None


def test_new_trees_keep_the_depth_and_constants_the_range():
    def depth(program):
        return 1 + max(map(depth, program.children)) if program.children else 0

    def leaves(program):
        if not program.children:
            return [program]
        return [leaf for child in program.children for leaf in leaves(child)]

    made = breeder(depth=3, low=-2, high=3)
    trees = [made.grow() for _ in range(300)]
    assert max(map(depth, trees)) == 4  # an operator at depth 3 has leaves at 4
    numbers = {leaf.packed for tree in trees for leaf in leaves(tree) if leaf is not X}
    assert numbers == {-2, -1, 0, 1, 2}
    share = np.mean([leaf is X for tree in trees for leaf in leaves(tree)])
    assert share == pytest.approx(0.7, abs=0.05)


def test_parents_are_left_as_they_were():
    made = breeder(3)
    first, second = made.grow(), made.grow()
    before = text(first), text(second)
    children = [made.mutate(first) for _ in range(20)] + [made.cross(first, second)]
    assert (text(first), text(second)) == before
    assert len({text(child) for child in children}) > 10
