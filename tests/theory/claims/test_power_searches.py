"""Searching all sets of powers: the best by brute force, and at any scale."""

import itertools

import numpy as np
import pytest

from theory.claims.power_searches import exact_search, genetic, library_search, supports

RANDOM = np.random.default_rng(1)
X = RANDOM.uniform(-1, 1, (300, 4))


def sums(k):
    return (X**k).sum(axis=1)


def brute_force(y, highest, most):
    """BIC from the raw rows."""

    def bic(support):
        design = np.column_stack([np.ones(len(y)), *(sums(k) for k in support)])
        left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        return len(y) * np.log(np.mean(left**2)) + len(support) * np.log(len(y))

    sizes = range(1, most + 1)
    choice = (s for n in sizes for s in itertools.combinations(range(1, highest + 1), n))
    return min(choice, key=bic)


def test_there_are_119_sets_of_up_to_five_of_seven_powers():
    assert len(supports(7, 5)) == 1 + 119
    assert supports(2, 5) == ((), (1,), (2,), (1, 2))


@pytest.mark.parametrize("seed", range(5))
def test_the_triangle_chooses_as_the_raw_rows_do(seed):
    chance = np.random.default_rng(seed)
    y = chance.standard_normal(300) + sum(chance.normal() * sums(k) for k in (1, 2, 4))
    assert exact_search(X, y, highest=5, most=3) == brute_force(y, 5, 3)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_exact_targets_are_found_at_any_scale(scale):
    y = 3 * sums(2) - sums(5) + 7
    assert exact_search(scale * X, scale * y) == (2, 5)
    assert library_search(scale * X, scale * y, 0) == (2, 5)


def test_without_a_penalty_more_powers_are_kept():
    y = sums(1) + 0.5 * RANDOM.standard_normal(300)
    assert exact_search(X, y) == (1,)
    assert len(exact_search(X, y, penalty=0.0)) == 5


def test_constant_targets_and_inputs_have_an_answer():
    assert len(exact_search(X, np.full(300, 2.0))) == 1
    assert len(exact_search(np.zeros((300, 2)), X[:, 0])) == 1


def test_the_genetic_finder_passes_its_settings_on():
    y = 2 * sums(2) - 3 * sums(1)
    assert genetic(8, mended=True)(X, y, 0) == (1, 2)
    found = genetic(1, mended=True)(X, y, 0), genetic(1, mended=True)(X, y, 0)
    assert found[0] == found[1]
