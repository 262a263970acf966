"""Functions that bend one way: oracles, certificates, and what the theorems say."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from optimal_oracles import CONVEX_L2, KNOTS_L2, each

from theory.optimal import Lloyd, approximate, resolve
from theory.optimal.convex import _shoot, bending_up, solve_convex
from theory.optimal.segment import best_lines

# The loops inside call small functions very often: checked annotations double the time.
pytestmark = pytest.mark.usefixtures("unchecked")

NORMS = ["l1", "l2"]


@pytest.mark.parametrize(("name", "function", "domain", "segments", "value"), each(CONVEX_L2))
def test_errors_are_the_known_ones(name, function, domain, segments, value):
    best = approximate(function, domain, segments)
    # The oracles have nine digits.
    assert best.error == pytest.approx(value, rel=4e-9)
    assert best.status == "optimal"
    assert best.gap < 1e-9


@pytest.mark.parametrize(("name", "function", "domain", "segments", "value"), each(KNOTS_L2))
def test_knots_are_the_known_ones(name, function, domain, segments, value):
    best = approximate(function, domain, segments)
    np.testing.assert_allclose(best.knots[1:-1], value, atol=6e-7)


@pytest.mark.parametrize("segments", [1, 2, 3, 5, 8, 16, 33, 64])
@pytest.mark.parametrize(
    ("norm", "constant"), [("l1", 1 / 16), ("l2", 1 / (6 * 5**0.5)), ("linf", 1 / 8)]
)
def test_the_parabola_is_best_in_equal_parts(norm, constant, segments):
    best = approximate(lambda x: x**2, (0.0, 1.0), segments, norm=norm)
    assert best.error == pytest.approx(constant / segments**2, rel=1e-9)
    np.testing.assert_allclose(best.knots, np.linspace(0, 1, segments + 1), atol=1e-7)
    assert best.gap < 1e-6


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("function", [np.exp, np.sqrt], ids=["exp", "sqrt"])
def test_certificates_hold_up_to_64_segments(function, norm):
    best = approximate(function, (0.0, 1.0), 64, norm=norm)
    assert (best.status, best.solver) == ("optimal", "newton")
    assert best.gap < 1e-9


@given(
    bend=st.floats(0.1, 5),
    power=st.floats(1.2, 6),
    slope=st.floats(-3, 3),
    sign=st.sampled_from([-1, 1]),
    norm=st.sampled_from(NORMS),
)
def test_no_other_partition_is_better(bend, power, slope, sign, norm):
    def function(x):
        return sign * (np.exp(bend * x) + (x + 0.1) ** power) + slope * x

    target = resolve(function, (0.0, 1.0))
    best = solve_convex(target, 4, norm)
    bent, _ = bending_up(target)
    p = 2 if norm == "l2" else 1
    generator = np.random.default_rng(0)
    spread = np.tile([[0.1], [0.001]], (20, 1))
    inner = np.sort(best.knots[1:-1] + generator.normal(size=(40, 3)) * spread)
    for knots in np.clip(inner, 0.01, 0.99):
        ends = np.concatenate([[0.0], knots, [1.0]])
        if (np.diff(ends) > 1e-3).all():
            cost = best_lines(bent, ends[:-1], ends[1:], norm).cost.sum() ** (1 / p)
            assert cost >= best.lower_bound * (1 - 1e-12)


@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10), slope=st.floats(-10, 10))
def test_lines_and_scales_do_not_move_the_knots(scale, shift, slope):
    plain = approximate(np.exp, (0.0, 1.0), 3)
    moved = approximate(lambda x: scale * np.exp(x) + slope * x + shift, (0.0, 1.0), 3)
    np.testing.assert_allclose(moved.knots, plain.knots, atol=1e-9)
    assert moved.error == pytest.approx(scale * plain.error, rel=1e-9)


def test_a_reflected_function_has_reflected_knots():
    left = approximate(np.exp, (-1.0, 0.0), 5, norm="l1")
    right = approximate(lambda x: np.exp(-x), (0.0, 1.0), 5, norm="l1")
    np.testing.assert_allclose(left.knots, -right.knots[::-1], atol=1e-9)


@pytest.mark.parametrize("norm", NORMS)
def test_the_derivatives_of_the_residuals_are_right(norm):
    target = resolve(np.exp, (0.0, 1.0))
    s, t, step = np.array([0.1]), np.array([0.7]), 1e-6
    jacobian = best_lines(target, s, t, norm).jacobian[..., 0]
    for row, name in enumerate(("at_left", "at_right")):
        for column, (ds, dt) in enumerate(((step, 0), (0, step))):
            up = getattr(best_lines(target, s + ds, t + dt, norm), name)
            down = getattr(best_lines(target, s - ds, t - dt, norm), name)
            assert jacobian[row, column] == pytest.approx((up - down)[0] / (2 * step), rel=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_shots_of_a_shorter_first_segment_fall_short(norm):
    bent, _ = bending_up(resolve(np.exp, (0.0, 1.0)))
    best = solve_convex(resolve(np.exp, (0.0, 1.0)), 6, norm)
    shots = _shoot(bent, best.knots[1] * np.array([0.5, 0.9, 0.999, 1.001, 1.5]), 6, norm)
    assert np.isfinite(shots).tolist() == [True, True, True, False, False]
    assert (np.diff(shots[:3]) > 0).all()
    assert shots[2] < 1


def test_lloyd_finds_the_same_optimum_more_slowly():
    slow = approximate(np.exp, (0.0, 1.0), 4, solver=Lloyd())
    fast = approximate(np.exp, (0.0, 1.0), 4)
    assert slow.error == pytest.approx(fast.error, rel=1e-9)
    assert slow.status == "optimal"
    assert slow.iterations > 50 * fast.iterations


def test_lloyd_that_is_stopped_says_so():
    assert approximate(np.exp, (0.0, 1.0), 4, solver=Lloyd(most_steps=3)).status == "not_converged"


@pytest.mark.parametrize("norm", NORMS)
def test_straight_parts_have_no_certificate_of_this_kind(norm):
    target = resolve(lambda x: np.maximum(x, 0) ** 2, (-1.0, 1.0))
    found = solve_convex(target, 5, norm)
    assert found is None or found.status == "bounded"
