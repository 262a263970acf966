import numpy as np
import pytest

from theory.optimal.series import Series
from theory.piecewise import PiecewiseLinear


@pytest.mark.parametrize(
    ("x", "y", "weights", "message"),
    [
        ([0, 1, 2], [0, 1], None, "of one length"),
        ([[0, 1]], [[0, 1]], None, "of one length"),
        ([0, np.nan, 2], [0, 1, 2], None, r"x must be finite; x\[1\] is nan"),
        ([0, 1, 2], [0, 1, np.inf], None, r"y must be finite; y\[2\] is inf"),
        ([0, 2, 1], [0, 1, 2], None, r"x must be in order: sort .* x\[2\] is 1"),
        ([0, 1, 2], [0, 1, 2], [1, 0, 1], r"weights must be positive .* weights\[1\] is 0"),
        ([0, 1, 2], [0, 1, 2], [1, 1, np.nan], r"weights must be finite; weights\[2\]"),
        ([1, 1, 1], [0, 1, 2], None, "two different x"),
        ([1], [0], None, "two different x"),
        ([], [], None, "two different x"),
        ([-1e308, 1e308], [0, 1], None, "range of x"),
        ([0, 1], [-1e308, 1e308], None, "range of y"),
    ],
)
def test_what_is_no_series_is_refused_by_name(unchecked, x, y, weights, message):
    with pytest.raises(ValueError, match=message):
        Series.of(x, y, weights)


def test_samples_of_one_x_are_merged_and_their_spread_kept():
    series = Series.of([0, 0, 1, 2], [1, 4, 5, 6], [1, 2, 1, 1])
    assert series.places.tolist() == [0, 1, 2]
    assert series.means.tolist() == [3, 5, 6]
    assert series.counts.tolist() == [3, 1, 1]
    assert series.spread == pytest.approx(np.sqrt(1 * 2**2 + 2 * 1**2))
    through = PiecewiseLinear.through([0, 1, 2], [3, 5, 6])
    assert series.error(through) == pytest.approx(series.spread)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_errors_of_any_scale_are_finite_and_right(scale):
    series = Series.of([0, 1, 2], [0, scale, 0])
    flat = PiecewiseLinear.through([0, 2], [0, 0])
    assert series.error(flat) == pytest.approx(scale, rel=1e-12)
    assert series.error(flat, 1) == pytest.approx(scale, rel=1e-12)


def test_scaled_squares_are_those_of_the_series():
    rng = np.random.default_rng(0)
    series = Series.of(np.arange(9) + 1e4, 1e5 + rng.normal(size=9), rng.uniform(1, 2, 9))
    line = np.polynomial.Polynomial.fit(series.x, series.y, 1, w=np.sqrt(series.weights))
    best = np.sqrt(series.weights @ (series.y - line(series.x)) ** 2)
    data = series.scaled
    assert data.error(float(data.w @ data.v**2)) == pytest.approx(best, rel=1e-9)
    assert np.abs(data.v).max() == 1
    assert data.u[0] == 0
    assert data.u[-1] == 1


def test_rounding_alone_is_no_error_and_a_real_one_is():
    x = np.linspace(0, 1, 50)
    series = Series.of(x, 0.1 + 0.3 * x)
    assert series.error(PiecewiseLinear.through([0, 1], [0.1, 0.4])) == 0
    assert not series.scaled.v.any()
    assert series.error(PiecewiseLinear.through([0, 1], [0.1, 0.4 + 1e-12])) > 0
