import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.optimal.minimax import solve
from theory.optimal.minimax_curve import Curve, fewest_curve, fit_curve
from theory.optimal.resolution import resolve
from theory.piecewise import PiecewiseLinear

SINE = (np.sin, (0.0, 2 * np.pi))
CUBE = (lambda x: x**3, (-1.0, 1.0))
RUNGE = (lambda x: 1 / (1 + 25 * x**2), (-1.0, 1.0))
KINK = (lambda x: np.abs(x - 0.3), (-1.0, 1.0))
HUBER = (lambda x: np.where(np.abs(x) < 0.3, x * x / 2, 0.3 * np.abs(x) - 0.045), (-1.0, 1.0))

# Digits of the optimum, with what they are good for; below, upper bounds by Nelder-Mead.
ORACLES = [
    (SINE, 2, False, 0.5, 1e-9),
    (SINE, 3, False, 0.12003, 2e-4),
    (SINE, 4, False, 0.10526, 2e-4),
    (SINE, 5, False, 0.04814, 2e-4),
    (SINE, 6, False, 0.04428, 2e-4),
    (SINE, 8, False, 0.02425, 2e-4),
    (CUBE, 1, True, 0.25, 1e-9),
    (CUBE, 2, True, 0.25, 1e-9),
    (CUBE, 2, False, 1 / np.sqrt(27), 1e-9),
    (CUBE, 3, False, 0.050721, 1e-5),
]
UPPER = [(2, 0.6825), (3, 0.1222), (4, 0.1203), (5, 0.0829), (6, 0.0662)]


@pytest.mark.parametrize(("case", "segments", "continuous", "error", "digits"), ORACLES)
def test_oracles_are_met(case, segments, continuous, error, digits):
    found = fit_curve(resolve(*case), segments, continuous)
    assert found.error == pytest.approx(error, rel=digits)
    assert found.gap < 1e-8


@pytest.mark.parametrize(("segments", "upper"), UPPER)
def test_published_upper_bounds_are_not_exceeded(segments, upper):
    found = fit_curve(resolve(*SINE), segments)
    assert found.error <= upper
    assert found.lower_bound <= found.error <= found.lower_bound * (1 + 1e-8)


@pytest.mark.parametrize("case", [SINE, CUBE, RUNGE], ids=["sine", "cube", "runge"])
@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("segments", [7, 16])
def test_error_is_measured_and_bound_is_met(case, continuous, segments):
    target = resolve(*case)
    found = fit_curve(target, segments, continuous)
    x = np.linspace(*target.domain, 40_001)
    measured = np.abs(target(x) - found(x)).max()
    assert found.status == "optimal"
    assert found.gap < 1e-8
    assert found.error * (1 - 1e-4) < measured <= found.error * (1 + 1e-9)
    assert found.function.continuous or not continuous
    assert found.segments == segments


def test_jumps_never_hurt_and_may_help():
    target = resolve(*CUBE)
    for segments in (2, 3, 4):
        joined, free = (fit_curve(target, segments, kind) for kind in (True, False))
        assert free.lower_bound <= joined.error
    # Two continuous pieces gain nothing on x^3, jumping ones do.
    assert fit_curve(target, 2, False).error < 0.8 * fit_curve(target, 2).lower_bound


@settings(max_examples=5)
@given(a=st.floats(0.5, 2.0), b=st.floats(-1.0, 1.0), continuous=st.booleans())
def test_random_functions_no_samples_are_fitted_better(a, b, continuous):
    """The bound of a fine grid, which knows nothing of exchanges, stays below the error."""

    def function(x):
        return np.sin(3 * a * x) + b * x**2

    target = resolve(function, (-1.0, 2.0))
    found = fit_curve(target, 4, continuous)
    x = np.linspace(-1, 2, 1500)
    sampled = solve(x, function(x), np.ones_like(x), 4, continuous)
    assert found.status == "optimal"
    assert sampled.bound <= found.error * (1 + 1e-9)
    assert sampled.level > 0.9 * found.error


def test_a_moved_value_is_noticed():
    target = resolve(*SINE)
    found = fit_curve(target, 4)
    curve, values = Curve(target), found.values.copy()
    assert curve.check(found.function, found.error)[0] == pytest.approx(found.error, rel=1e-12)
    values[2] += 0.01
    worse = PiecewiseLinear.through(found.knots, values)
    assert curve.check(worse, found.error)[0] > found.error + 0.004


@pytest.mark.parametrize("continuous", [True, False])
def test_a_kink_is_found(continuous):
    target = resolve(*KINK)
    assert fit_curve(target, 1, continuous).error == pytest.approx(0.455, rel=1e-8)
    for segments in (2, 5):
        found = fit_curve(target, segments, continuous)
        assert (found.status, found.segments) == ("optimal", segments)
        assert found.error <= 1e-12


@pytest.mark.parametrize("segments", [2, 3, 7])
def test_straight_parts_do_not_stop_it(segments):
    found = fit_curve(resolve(*HUBER), segments)
    assert found.status == "optimal"
    assert found.gap < 1e-8


@pytest.mark.parametrize("function", [lambda x: 0 * x, lambda x: 0 * x + 4, lambda x: 2 - 3 * x])
@pytest.mark.parametrize("continuous", [True, False])
def test_lines_have_no_error(function, continuous):
    found = fit_curve(resolve(function, (-1.0, 3.0)), 5, continuous)
    assert found.status == "optimal"
    assert found.error <= 1e-14
    np.testing.assert_allclose(found.knots, np.linspace(-1, 3, 6))


@pytest.mark.parametrize(("case", "tolerance"), [(SINE, 0.03), (CUBE, 0.06), (RUNGE, 0.05)])
@pytest.mark.parametrize("continuous", [True, False])
def test_fewest_is_proved(case, tolerance, continuous):
    found = fewest_curve(resolve(*case), tolerance, continuous)
    assert found.approximation.error <= tolerance < found.shorter_bound
    assert found.proved


def test_fewest_of_sqrt_follows_the_closed_form():
    for segments in (1, 3, 20):
        found = fewest_curve(resolve(np.sqrt, (0.0, 1.0)), 1.001 / (4 * segments * (segments + 1)))
        assert (found.segments, found.proved) == (segments, True)


def test_bad_numbers_are_named():
    target = resolve(*SINE)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        fit_curve(target, 0)
    for tolerance in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="tolerance must be a positive number"):
            fewest_curve(target, tolerance)
    with pytest.raises(ValueError, match="above 10,000"):
        fewest_curve(target, 1e-12)
