"""Tridiagonal systems against dense ones."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from theory.optimal.tridiagonal import solve_tridiagonal


@given(seed=st.integers(0, 2**31), size=st.integers(1, 6))
def test_solutions_are_those_of_the_dense_system(seed, size):
    generator = np.random.default_rng(seed)
    below, above = generator.normal(size=(2, size - 1))
    diagonal = 4 + generator.uniform(size=size)
    right = generator.normal(size=size)
    dense = np.diag(diagonal) + np.diag(below, -1) + np.diag(above, 1)
    found = solve_tridiagonal(below, diagonal, above, right)
    np.testing.assert_allclose(found, np.linalg.solve(dense, right), atol=1e-12)


@pytest.mark.parametrize("entry", [0.0, np.nan])
def test_what_has_no_solution_is_nan(entry):
    diagonal = np.array([entry, 1.0])
    found = solve_tridiagonal(np.zeros(1), diagonal, np.zeros(1), np.ones(2))
    assert np.isnan(found).all()


def test_an_empty_system_has_an_empty_solution():
    nothing = np.zeros(0)
    assert solve_tridiagonal(nothing, nothing, nothing, nothing).size == 0
