"""The door: functions and data, errors and bounds, the fewest segments, bad input."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from theory.optimal import (
    Descent,
    DynamicProgramming,
    FreeKnots,
    FunctionalPruning,
    ImamotoTang,
    Levelling,
    Lloyd,
    Newton,
    Tunnel,
    approximate,
    choose_segments,
    fewest_segments,
    limit_constant,
    resolve,
)

# Users give whole numbers where floats are meant.
pytestmark = pytest.mark.usefixtures("unchecked")

X = np.linspace(0, 6, 61)


def test_jax_functions_keep_their_digits():
    best = approximate(jnp.exp, (0.0, 1.0), 8)
    assert best.error == pytest.approx(0.000976252970, rel=1e-9)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("target", ["exp", "sine", "data"])
def test_errors_are_what_a_user_measures(target, norm, continuous):
    if target == "data":
        y = np.sin(X) + 0.1 * np.cos(40 * X)
        best = approximate((X, y), segments=3, norm=norm, continuous=continuous)
        residual, weights = np.abs(y - best(X)), np.ones_like(X)
    else:
        function, high = (np.exp, 1.0) if target == "exp" else (np.sin, 6.0)
        best = approximate(function, (0.0, high), 3, norm=norm, continuous=continuous)
        x = np.linspace(0, high, 200_001)
        residual, weights = np.abs(function(x) - best(x)), np.full_like(x, high / x.size)
    power = {"l1": 1, "l2": 2}.get(norm)
    measured = (
        residual.max() if power is None else float((weights * residual**power).sum() ** (1 / power))
    )
    assert measured == pytest.approx(best.error, rel=1e-4)
    assert 0 < best.lower_bound <= best.error
    assert best.segments == 3
    assert best.function.continuous or not continuous


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("value", [0.0, 5.0])
def test_constants_cost_nothing(norm, value):
    best = approximate(lambda x: value + 0 * x, (0.0, 1.0), 4, norm=norm)
    assert (best.error, best.gap, best.status) == (0.0, 0.0, "optimal")
    np.testing.assert_allclose(best.values, value, rtol=1e-14)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_one_segment_is_the_best_line(norm):
    best = approximate(lambda x: x**2, (0.0, 1.0), 1, norm=norm)
    expected = {"l1": 1 / 16, "l2": 1 / (6 * 5**0.5), "linf": 1 / 8}[norm]
    assert best.error == pytest.approx(expected, rel=1e-12)
    assert best.gap < 1e-9


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_more_segments_are_never_worse(norm):
    errors = [approximate(np.sin, (0.0, 6.0), n, norm=norm).error for n in (1, 2, 3, 4, 5)]
    assert all(b <= a * (1 + 1e-9) for a, b in itertools.pairwise(errors))


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_errors_follow_the_law(norm):
    target = resolve(np.exp, (0.0, 1.0))
    error = approximate(target, segments=32, norm=norm).error
    assert error * 32**2 == pytest.approx(limit_constant(target, norm), rel=1e-3)


@pytest.mark.parametrize(
    ("function", "domain", "norm", "value"),
    [
        (np.exp, (0, 1), "linf", 0.1052098218),
        (np.exp, (0, 1), "l2", 0.0624754809),
        (np.sin, (0, np.pi / 2), "linf", 0.0897212514),
        (np.sin, (0, np.pi / 2), "l2", 0.0654821390),
        (np.sin, (0, 2 * np.pi), "l2", 2.0954284),
        (np.sin, (0, 2 * np.pi), "linf", 1.4355400),
        (lambda x: x**3, (-1, 1), "l2", 0.5454311),
        (lambda x: x**3, (-1, 1), "linf", 2 / 3),
        (lambda x: 1 / (1 + 25 * x**2), (-1, 1), "l2", 0.7533878),
        (lambda x: 1 / (1 + 25 * x**2), (-1, 1), "linf", 0.9957633),
        (np.log, (1, 2), "l2", 0.0177633214),
        (np.log, (1, 2), "linf", 0.0300283134),
        (np.sqrt, (0, 1), "linf", 0.25),
        (np.sqrt, (0, 1), "l2", 0.0920711955),
    ],
)
def test_constants_of_the_law_are_the_known_ones(function, domain, norm, value):
    # At an inflection |f''|^power has a kink or a root, where quadrature loses digits.
    assert limit_constant(resolve(function, domain), norm) == pytest.approx(value, rel=2e-4)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_the_fewest_segments_are_proved(norm):
    tolerance = 1.0001 * approximate(np.exp, (0.0, 1.0), 5, norm=norm).error
    few = fewest_segments(np.exp, (0.0, 1.0), tolerance=tolerance, norm=norm)
    assert few.segments == 5
    assert few.proved
    assert few.approximation.error <= tolerance < few.shorter_bound


def test_a_loose_tolerance_needs_one_segment():
    few = fewest_segments(np.exp, (0.0, 1.0), tolerance=10.0)
    assert (few.segments, few.proved) == (1, True)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_fewest_segments_of_data(norm):
    y = np.abs(X - 2) + np.abs(X - 4)
    few = fewest_segments((X, y), tolerance=1e-6, norm=norm)
    assert (few.segments, few.proved) == (3, True)


@pytest.mark.parametrize("continuous", [True, False])
def test_the_number_of_segments_is_chosen_from_noisy_data(continuous):
    x = np.linspace(0, 6, 300)
    noise = np.random.default_rng(0).normal(0, 0.05, x.size)
    choice = choose_segments((x, np.abs(x - 2) + noise), most=6, continuous=continuous)
    assert choice.approximation.segments == 2
    assert choice.scores.argmin() == 1


@pytest.mark.usefixtures("unchecked")
def test_a_number_of_segments_is_chosen_for_data_only():
    with pytest.raises(TypeError, match="needs data"):
        choose_segments(np.exp)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"segments": 0}, "at least 1, got 0"),
        ({"segments": 2.5}, "whole number"),
        ({"segments": True}, "whole number"),
        ({"norm": "l3"}, "l1, l2, linf"),
        ({"weights": [1.0, 2.0]}, "weights are for data"),
        ({"domain": None}, "needs its domain"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        approximate(np.exp, **{"domain": (0.0, 1.0), **arguments})


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        ((X, X), {"domain": (0, 1)}, "domain is for callables"),
        ((X, X), {"solver": Newton()}, "Newton solves functions; data take"),
        ((X[::-1], X), {}, "order|increas"),
        ((X, np.where(X == 0, np.nan, X)), {}, "finite"),
        ((X, X[1:]), {}, "length"),
        ((X[:3], X[:3] ** 2), {"segments": 5}, "3 different x allow 1 to 2 segments"),
        ((X[:3], X[:3] ** 2), {"segments": 5, "norm": "linf"}, "allow 1 to 2 segments"),
    ],
)
def test_bad_data_are_named(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        approximate(data, **arguments)


def test_a_target_that_is_neither_is_refused():
    with pytest.raises(TypeError, match=r"callable or data \(x, y\)"):
        approximate(3.0, (0.0, 1.0))


@pytest.mark.parametrize("continuous", [True, False])
def test_the_largest_error_of_a_jump_is_refused(continuous):
    with pytest.raises(ValueError, match=r"jumps near x = 0\.4"):
        approximate(
            lambda x: np.where(x < 0.4, 0.0, x), (0.0, 1.0), norm="linf", continuous=continuous
        )
    with pytest.raises(ValueError, match=r"jumps near x = 0\.4"):
        fewest_segments(lambda x: np.where(x < 0.4, 0.0, x), (0.0, 1.0), tolerance=0.1, norm="linf")


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan, np.inf])
def test_tolerances_are_positive_numbers(tolerance):
    with pytest.raises(ValueError, match="positive number"):
        fewest_segments(np.exp, (0.0, 1.0), tolerance=tolerance)


def test_a_tolerance_that_needs_too_many_segments_says_how_many():
    with pytest.raises(ValueError, match="above 10000"):
        fewest_segments(np.exp, (0.0, 1.0), tolerance=1e-12)


@pytest.mark.parametrize(
    ("solver", "continuous"),
    [(DynamicProgramming(), False), (FreeKnots(), True), (FunctionalPruning(), True)],
)
def test_solvers_of_data(solver, continuous):
    y = np.abs(X - 2) + 0.1 * np.cos(9 * X)
    best = approximate((X, y), segments=3, continuous=continuous, solver=solver)
    usual = approximate((X, y), segments=3, continuous=continuous)
    on_samples = isinstance(solver, FunctionalPruning)
    assert best.error >= usual.error * (1 - 1e-9)
    assert np.isin(best.knots, X).all() == on_samples
    assert on_samples or best.error == usual.error


@pytest.mark.parametrize(
    ("solver", "norm", "continuous", "message"),
    [
        (DynamicProgramming(), "l2", True, "lets pieces jump"),
        (FreeKnots(), "l2", False, "joins pieces"),
        (FunctionalPruning(), "l1", True, "continuous least squares, got norm 'l1'"),
        (FunctionalPruning(), "l2", False, "continuous=False"),
        (FreeKnots(), "linf", True, '"l2" or "l1" here'),
    ],
)
def test_solvers_of_data_say_what_they_solve(solver, norm, continuous, message):
    with pytest.raises(ValueError, match=message):
        approximate((X, X**2), segments=3, norm=norm, continuous=continuous, solver=solver)


@pytest.mark.parametrize("solver", [Levelling(), Tunnel(), ImamotoTang()])
def test_minimax_solvers_agree(solver):
    best = approximate(np.sqrt, (0.25, 1.0), 5, norm="linf", solver=solver)
    usual = approximate(np.sqrt, (0.25, 1.0), 5, norm="linf")
    assert best.error == pytest.approx(usual.error, rel=1e-6)
    assert best.status == "optimal"


@pytest.mark.parametrize(
    ("solver", "norm", "message"),
    [
        (Newton(), "linf", "Newton solves l1 and l2"),
        (Descent(), "linf", "Descent solves l1 and l2"),
        (Newton(), "l2", "bends one way"),
        (Lloyd(), "l2", "convex or concave"),
        (Levelling(), "linf", "convex or concave"),
        (Tunnel(), "l1", "Tunnel solves linf"),
        (FreeKnots(), "l2", "FreeKnots solves data"),
    ],
)
def test_solvers_say_what_they_solve(solver, norm, message):
    with pytest.raises(ValueError, match=message):
        approximate(np.sin, (0.0, 6.0), 4, norm=norm, solver=solver)
