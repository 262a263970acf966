import numpy as np
import pytest

from theory.optimal.fitted import through_knots
from theory.optimal.free_knots import _gradient, grown, inserted, leapt, polished, spread_out, total
from theory.optimal.series import Series


def waves(samples=120, noise=0.05):
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 1, samples))
    return Series.of(x, np.sin(9 * x) + noise * rng.normal(size=samples))


def test_the_sum_of_squares_is_that_of_the_fit():
    series, knots = waves(), np.array([0, 0.2, 0.55, 0.8, 1])
    places = series.x[0] + knots * np.ptp(series.x)
    error = series.error(through_knots(series, places))
    assert series.scaled.error(total(series.scaled, knots)) == pytest.approx(error, rel=1e-10)


def test_the_gradient_is_that_of_differences():
    data, knots = waves().scaled, np.array([0, 0.21, 0.48, 0.77, 1])
    _, slope = _gradient(data, knots)
    for inner in range(3):
        step = np.zeros(5)
        step[inner + 1] = 1e-6
        rise = total(data, knots + step) - total(data, knots - step)
        assert rise / 2e-6 == pytest.approx(slope[inner], rel=1e-5)


def test_a_polished_fit_cannot_be_improved_by_moving_one_knot():
    data = waves().scaled
    cost, knots = polished(data, spread_out(data, 5))
    for inner in range(1, 5):
        for place in np.linspace(knots[inner - 1], knots[inner + 1], 60)[1:-1]:
            moved = knots.copy()
            moved[inner] = place
            assert cost <= total(data, moved) * (1 + 1e-9)


def test_exact_corners_between_samples_are_found():
    x = np.linspace(0, 1, 40)
    data = Series.of(x, np.interp(x, [0, 0.313, 0.707, 1], [0, 1, -1, 0.5])).scaled
    cost, knots = polished(data, grown(data, 3))
    assert cost < 1e-12
    np.testing.assert_allclose(knots, [0, 0.313, 0.707, 1], atol=1e-9)


def test_a_smooth_curve_meets_the_continuous_optimum():
    # The free-knot optimum of exp on [0, 1] with 4 segments: 0.00390589371 in L2.
    x = (np.arange(20_000) + 0.5) / 20_000
    data = Series.of(x, np.exp(x), np.full(x.size, 1 / x.size)).scaled
    cost, knots = polished(data, spread_out(data, 4))
    assert data.error(cost) == pytest.approx(0.00390589371, rel=1e-5)
    np.testing.assert_allclose(knots[1:-1], [0.289895, 0.549653, 0.784950], atol=1e-4)


def test_leaps_leave_a_local_optimum():
    x = np.linspace(0, 1, 101)
    data = Series.of(x, np.interp(x, [0, 0.8, 0.9, 1], [0, 0, 1, 0])).scaled
    stuck = polished(data, np.array([0, 0.1, 0.2, 1.0]), sweeps=0)
    assert stuck[0] > 1e-3
    assert leapt(data, stuck)[0] < 1e-12


def test_no_room_is_no_error():
    data = Series.of([0, 1, 2], [0, 1, 0]).scaled
    cost, knots = inserted(data, np.array([0, 0.5, 1]))
    assert np.isinf(cost)
    assert knots.tolist() == [0, 0.5, 1]
    assert grown(data, 2).tolist() == [0, 0.5, 1]
