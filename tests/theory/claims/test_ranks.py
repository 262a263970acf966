"""Ranks over data sets, against the worked example of Demsar (2006) and his tables."""

import numpy as np
import pytest
from scipy import stats

from theory.claims.ranks import alike, average_ranks, critical_difference, friedman

# AUC of C4.5 and its variants "m", "cf" and "m+cf" on 14 sets (his table 6). On the set "voting"
# two values are printed alike, 0.975, and ranked 2 and 3: the first is raised a little here.
DEMSAR = np.array([
    [.763, .768, .771, .798], [.599, .591, .590, .569], [.954, .971, .968, .967],
    [.628, .661, .654, .657], [.882, .888, .886, .898], [.936, .931, .916, .931],
    [.661, .668, .609, .685], [.583, .583, .563, .625], [.775, .838, .866, .875],
    [1.0, 1.0, 1.0, 1.0], [.940, .962, .965, .962], [.619, .666, .614, .669],
    [.972, .981, .9751, .975], [.957, .978, .946, .970],
])  # fmt: skip


def test_average_ranks_are_those_of_the_example():
    ranks = average_ranks(DEMSAR)
    np.testing.assert_allclose(ranks, [3.143, 2.0, 2.893, 1.964], atol=5e-4)
    # His chi-square does not correct for ties; ours does, and is the larger.
    sets, methods = DEMSAR.shape
    plain = 12 * sets / (methods * (methods + 1)) * ((ranks**2).sum() - methods * 25 / 4)
    assert plain == pytest.approx(9.28, abs=0.01)
    assert plain < friedman(DEMSAR).statistic == stats.friedmanchisquare(*DEMSAR.T).statistic
    assert friedman(DEMSAR).p < 0.05


# q of the two-tailed Nemenyi test (his table 5a) at 0.05 and 0.10.
@pytest.mark.parametrize(
    ("level", "quantiles"),
    [
        (0.05, [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]),
        (0.10, [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920]),
    ],
)
def test_critical_differences_are_those_of_the_tables(level, quantiles):
    for methods, quantile in enumerate(quantiles, start=2):
        found = critical_difference(methods, 6, level) / (methods * (methods + 1) / 36) ** 0.5
        assert found == pytest.approx(quantile, abs=1.1e-3)


def test_equal_methods_are_alike():
    same = np.ones((5, 3))
    assert friedman(same) == (0.0, 1.0)
    np.testing.assert_array_equal(average_ranks(same), 2.0)


def test_a_method_that_always_wins_is_found():
    values = np.random.default_rng(0).random((12, 4))
    values[:, 2] += 1
    ranks = average_ranks(values)
    assert ranks[2] == 1.0
    assert friedman(values).p < 0.01


@pytest.mark.parametrize(
    ("ranks", "difference", "groups"),
    [
        ([1.0, 2.0, 3.0], 0.5, []),
        ([1.0, 2.0, 3.0], 1.0, [(0, 1), (1, 2)]),
        ([3.0, 2.0, 1.0], 5.0, [(2, 1, 0)]),
        ([1.0, 1.4, 1.8, 4.0, 4.1], 0.5, [(0, 1), (1, 2), (3, 4)]),
        ([2.0, 2.0], 0.0, [(0, 1)]),
    ],
)
def test_groups_are_the_largest_that_fit(ranks, difference, groups):
    assert alike(np.array(ranks), difference) == groups


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: average_ranks(np.ones((3, 1))), "two methods"),
        (lambda: average_ranks(np.ones((0, 3))), "two methods"),
        (lambda: average_ranks(np.array([[1.0, np.nan]])), "numbers"),
        (lambda: friedman(np.ones((3, 2))), "3 methods"),
        (lambda: friedman(np.ones((1, 3))), "2 sets"),
        (lambda: critical_difference(1, 5), "2 methods"),
        (lambda: critical_difference(4, 0), "a set"),
        (lambda: critical_difference(4, 5, 1.0), "level 1.0"),
    ],
    ids=["one method", "no set", "NaN", "two", "one set", "one", "none", "level"],
)
def test_what_cannot_be_ranked_is_an_error(call, words):
    with pytest.raises(ValueError, match=words):
        call()
