import numpy as np
import pytest

from theory.optimal.minimax_curve import Curve, fit_curve
from theory.optimal.minimax_polish import polish
from theory.optimal.resolution import resolve
from theory.piecewise import PiecewiseLinear

CASES = {
    "sine": (np.sin, (0.0, 2 * np.pi), 3),
    "cube": (lambda x: x**3, (-1.0, 1.0), 5),
    "exp": (np.exp, (0.0, 1.0), 4),
}


def shaken(function, size):
    rng = np.random.default_rng(0)
    knots = function.knots.copy()
    knots[1:-1] += size * rng.uniform(-1, 1, knots.size - 2)
    return PiecewiseLinear(knots, function.left, function.right)


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_a_shaken_optimum_is_found_again(name, continuous):
    function, domain, segments = CASES[name]
    target = resolve(function, domain)
    best = fit_curve(target, segments, continuous)
    start = shaken(best.function, 0.02)
    curve = Curve(target)
    assert curve.extremes(start).largest > 1.02 * best.error
    found = polish(start, curve.extremes, continuous)
    assert curve.extremes(found).largest == pytest.approx(best.error, rel=1e-8)
    assert found.continuous or not continuous


def test_it_never_makes_things_worse():
    target = resolve(np.sin, (0.0, 6.0))
    curve = Curve(target)
    start = PiecewiseLinear.through([0, 1, 2, 3, 6], [0, 1, -1, 1, 0])
    found = polish(start, curve.extremes, True)
    assert curve.extremes(found).largest < curve.extremes(start).largest


def test_extremes_are_all_found():
    """x^2 less its chord: 0 at the ends, -1/4 in the middle; a jump shows from both sides."""
    target = resolve(lambda x: x**2, (0.0, 1.0))
    line = PiecewiseLinear(np.array([0.0, 0.5, 1]), np.array([0.0, 1]), np.array([0.0, 1]))
    found = Curve(target).extremes(line)
    at_half = np.sort(found.error[found.x == 0.5])
    np.testing.assert_allclose(at_half[[0, -1]], [-0.75, 0.25])
    assert found.largest == pytest.approx(0.75)
    chord = Curve(target).extremes(PiecewiseLinear.through([0, 1], [0, 1]))
    assert chord.x[np.abs(chord.error).argmax()] == pytest.approx(0.5)
    assert chord.largest == pytest.approx(0.25)


def test_a_wrong_slope_spoils_the_steps():
    """The planted fault: extremes at knots that do not know how f moves there."""
    target = resolve(np.exp, (0.0, 1.0))
    best, curve = fit_curve(target, 4), Curve(target)

    def blind(function):
        found = curve.extremes(function)
        return type(found)(found.piece, found.x, found.error, 0 * found.slope)

    found = polish(shaken(best.function, 0.05), blind, True)
    assert curve.extremes(found).largest > best.error * (1 + 1e-6)
