"""The ten groups: what least squares finds in them is what was put in."""

import numpy as np
import pytest

from neurons.data.polynomial_groups import GROUPS, NOISE, REACH, polynomial_groups


def test_ten_groups_of_600_rows_and_10_inputs_that_fill_the_interval():
    groups = polynomial_groups()
    assert [group.name for group in groups] == [f"no{k}" for k in range(1, 11)] == list(GROUPS)
    for group in groups:
        assert group.x.shape == (600, 10)
        assert 0.99 * REACH < np.abs(group.x).max() <= REACH


@pytest.mark.parametrize("noise", ["none", "low", "high"])
def test_least_squares_on_the_true_powers_finds_the_coefficients(noise):
    for group in polynomial_groups(1, noise, rows=5000):
        sums = np.stack([(group.x**k).sum(axis=1) for k in group.powers], axis=1)
        design = np.column_stack([sums, np.ones(len(sums))])
        found, *_ = np.linalg.lstsq(design, group.y, rcond=None)
        tolerance = 1e-6 if noise == "none" else 0.2
        np.testing.assert_allclose(found[:-1], group.coefficients, rtol=tolerance)
        left = np.std(group.y - design @ found)
        assert left == pytest.approx(group.deviation, rel=0.05, abs=1e-4 * np.std(group.y))


def test_the_first_group_is_the_one_stated_in_the_repository():
    first = polynomial_groups(0, "none")[0]
    np.testing.assert_allclose(first.y, (6 * first.x**2 + 2 * first.x).sum(axis=1) - 3)


def test_high_noise_is_six_times_the_low_one_on_the_same_inputs():
    assert NOISE["high"] == 6 * NOISE["low"]
    for low, high in zip(polynomial_groups(2, "low"), polynomial_groups(2, "high"), strict=True):
        np.testing.assert_array_equal(low.x, high.x)
        assert high.deviation == pytest.approx(6 * low.deviation)
    assert not np.array_equal(polynomial_groups(2)[0].x, polynomial_groups(3)[0].x)


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match="'loud'; allowed: none, low"):
        polynomial_groups(noise="loud")
    with pytest.raises(ValueError, match="at least 1 row"):
        polynomial_groups(rows=0)
