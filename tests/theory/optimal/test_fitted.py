import numpy as np
import pytest

from theory.optimal.fitted import hats, through_knots, through_runs
from theory.optimal.series import Series


@pytest.fixture
def series():
    rng = np.random.default_rng(0)
    return Series.of(np.sort(rng.uniform(3, 4, 30)), rng.normal(size=30), rng.uniform(1, 2, 30))


def test_lines_of_runs_are_least_squares_lines_with_knots_halfway(series):
    function = through_runs(series, np.array([0, 10, 25]))
    assert function.knots[1] == pytest.approx(series.x[9:11].mean())
    for first, last in ((0, 10), (10, 25), (25, 30)):
        x, y, w = series.x[first:last], series.y[first:last], series.weights[first:last]
        line = np.polynomial.Polynomial.fit(x, y, 1, w=np.sqrt(w))
        np.testing.assert_allclose(function(x), line(x), rtol=1e-10)


def test_a_run_of_one_sample_is_a_constant(series):
    function = through_runs(series, np.array([0, 29]))
    assert function.slopes[1] == 0
    assert function.right[1] == pytest.approx(series.y[-1])


def test_knots_between_neighbouring_floats_part_them():
    x = np.array([0.0, 1.0, np.nextafter(1.0, 2.0), 2.0])
    series = Series.of(x, [0, 0, 1, 1])
    assert through_runs(series, np.array([0, 2]))(x).tolist() == [0, 0, 1, 1]


def test_continuous_fits_leave_a_residual_no_hat_explains(series):
    knots = np.array([series.x[0], 3.3, 3.7, series.x[-1]])
    function = through_knots(series, knots)
    residual = series.weights * (series.y - function(series.x))
    np.testing.assert_allclose(hats(series.x, knots).T @ residual, 0, atol=1e-12)


def test_hats_are_the_values_of_unit_bumps():
    basis = hats(np.array([0.0, 0.5, 1.0, 1.5, 3.0]), np.array([0.0, 1.0, 3.0]))
    expected = [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.75, 0.25], [0, 0, 1]]
    np.testing.assert_allclose(basis, expected)
