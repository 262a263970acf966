"""Piecewise-linear functions: values, ends, what is refused."""

import numpy as np
import pytest

from theory.piecewise import PiecewiseLinear


def test_values_are_those_of_linear_interpolation():
    knots, values = [0.0, 0.3, 2.0, 5.0], [1.0, -2.0, 4.0, 4.0]
    x = np.linspace(0, 5, 101)
    np.testing.assert_allclose(
        PiecewiseLinear.through(knots, values)(x), np.interp(x, knots, values), atol=1e-15
    )


def test_values_at_the_knots_are_exact_to_the_last_digit():
    knots, values = np.array([0.0, 1 / 3, 1.0]), np.array([0.1, 1 / 7, 0.3])
    assert PiecewiseLinear.through(knots, values)(knots).tolist() == values.tolist()


def test_outer_pieces_go_on():
    hat = PiecewiseLinear.through([0, 1, 2], [0, 1, 0])
    assert hat([-1.0, 3.0]).tolist() == [-1.0, -1.0]
    assert hat.slopes.tolist() == [1.0, -1.0]


def test_jumps_have_two_values_at_a_knot():
    step = PiecewiseLinear(np.array([0.0, 1.0, 2.0]), np.array([0.0, 5.0]), np.array([1.0, 5.0]))
    assert not step.continuous
    assert step([1.0]).tolist() == [5.0]
    with pytest.raises(ValueError, match="two values at a knot"):
        _ = step.values


@pytest.mark.parametrize(
    ("knots", "values", "message"),
    [
        ([0, 0, 1], [0, 1, 2], "knots must increase"),
        ([0, 1], [0, np.nan], "must be finite"),
        ([0, 1], [0, 1, 2], "a value per knot"),
        ([0], [0], "n [+] 1 knots"),
    ],
)
def test_bad_pieces_are_refused(knots, values, message):
    with pytest.raises(ValueError, match=message):
        PiecewiseLinear.through(knots, values)
