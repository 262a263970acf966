"""Functions that bend both ways: the known optima, and bounds that prove them."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from optimal_oracles import CUBE, JUMPS_L2, MIXED_L2, RUNGE, SINE, each

from theory.optimal import BranchAndBound, Descent, approximate, resolve
from theory.optimal.cells import CellBound
from theory.optimal.descent import _Scale, descend, error_of
from theory.optimal.residuals import _FOUR, _THREE, _TWO, residual_bounds
from theory.optimal.segment import best_lines
from theory.piecewise import PiecewiseLinear

# The loops inside call small functions very often: checked annotations double the time.
pytestmark = pytest.mark.usefixtures("unchecked")

MIXED = {"sine": SINE, "cube": CUBE, "runge": RUNGE}


@pytest.mark.parametrize(("name", "function", "domain", "segments", "value"), each(MIXED_L2))
def test_continuous_errors_are_the_known_ones(name, function, domain, segments, value):
    best = approximate(function, domain, segments)
    assert best.error == pytest.approx(value, rel=4e-8)
    assert best.function.continuous
    assert best.gap < 0.01


@pytest.mark.parametrize(("name", "function", "domain", "segments", "value"), each(JUMPS_L2))
def test_errors_with_jumps_are_the_known_ones(name, function, domain, segments, value):
    best = approximate(function, domain, segments, continuous=False)
    assert best.error == pytest.approx(value, rel=4e-7)
    assert best.gap < 0.01


@pytest.mark.parametrize("name", MIXED)
def test_sixteen_segments_are_certified(name):
    best = approximate(*MIXED[name], 16)
    assert best.gap < 0.01


@pytest.mark.parametrize("name", MIXED)
def test_l1_bounds_are_close_where_jumps_do_not_pay(name):
    best = approximate(*MIXED[name], 8 if name == "runge" else 5, norm="l1")
    assert best.gap < 0.02


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("continuous", [True, False])
def test_on_convex_functions_cells_agree_with_the_certificate(norm, continuous):
    proved = approximate(np.exp, (0.0, 1.0), 4, norm=norm)
    found = approximate(
        np.exp, (0.0, 1.0), 4, norm=norm, continuous=continuous, solver=BranchAndBound(0.01)
    )
    assert found.error == pytest.approx(proved.error, rel=1e-7)
    assert found.lower_bound <= proved.error
    assert found.gap < 0.01


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("continuous", [True, False])
def test_bounds_grow_and_never_pass_an_approximation(norm, continuous):
    target = resolve(*SINE)
    power = 2 if norm == "l2" else 1
    known = approximate(target, segments=3, norm=norm, continuous=continuous).error
    rounds = CellBound(target, 3, norm, continuous)
    bounds = []
    for bound, _ in zip(rounds.rounds(), range(4), strict=False):
        bounds.append(bound.cost ** (1 / power))
        rounds.prune(known**power)
    assert bounds == sorted(bounds)
    assert bounds[-1] <= known


def test_a_bound_that_forgets_the_residuals_misses_what_continuity_costs():
    # Of two segments for a sine, those that may jump are far better: the bound has to know.
    continuous = approximate(*SINE, 2)
    jumping = approximate(*SINE, 2, continuous=False)
    assert continuous.lower_bound > 1.19 * jumping.error


@given(
    places=st.lists(st.floats(0, 1), min_size=4, max_size=4, unique=True),
    norm=st.sampled_from(["l1", "l2"]),
    inside=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_cells_bound_every_segment_between_them(places, norm, inside):
    a, b, c, d = np.sort(places)
    if min(np.diff([a, b, c, d])) < 1e-3:
        return
    function = np.exp if norm == "l1" else (lambda x: np.sin(7 * x))
    target = resolve(function, (0.0, 1.0))
    bounds = residual_bounds(target, np.array([[a], [b]]), np.array([[c], [d]]), norm)
    s, t = a + inside[0] * (b - a), c + inside[1] * (d - c)
    lines = best_lines(target, np.array([s]), np.array([t]), norm)
    rounding = 1e-12
    assert bounds.cost[0] <= lines.cost[0] + rounding
    for (low, high), residual in (
        (bounds.at_left[:, 0], lines.at_left[0]),
        (bounds.at_right[:, 0], lines.at_right[0]),
    ):
        assert low - rounding <= residual <= high + rounding


@pytest.mark.parametrize("patterns", [_TWO, _THREE, _FOUR], ids=["two", "three", "four"])
def test_sign_patterns_are_orthogonal_to_lines(patterns):
    for changes in patterns:
        cuts = np.concatenate([[-1.0], changes, [1.0]])
        signs = (-1.0) ** np.arange(cuts.size - 1)
        assert signs @ np.diff(cuts) == pytest.approx(0, abs=1e-14)
        assert signs @ np.diff(cuts**2) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("continuous", [True, False])
def test_the_gradient_of_the_descent_is_right(norm, continuous):
    cost = _Scale(resolve(*SINE), 4, continuous, norm)
    generator = np.random.default_rng(0)
    x = np.concatenate(
        [generator.normal(size=4) * 0.3, generator.normal(size=5 if continuous else 8)]
    )
    _, gradient = cost(x)
    steps = 1e-6 * np.eye(x.size)
    numeric = [(cost(x + step)[0] - cost(x - step)[0]) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, numeric, atol=2e-6 * np.abs(gradient).max())


def test_a_descent_is_a_local_optimum_without_a_bound():
    start = np.linspace(0, 2 * np.pi, 5)
    found, error, _ = descend(resolve(*SINE), start, "l2", True)
    assert error == pytest.approx(error_of(resolve(*SINE), found, "l2"))
    assert approximate(*SINE, 4, solver=Descent()).lower_bound == 0
    # From even knots symmetry keeps it away from the optimum: why there are many starts.
    assert error > 1.2 * approximate(*SINE, 4).error


def test_errors_are_integrals():
    line = PiecewiseLinear.through([0.0, 1.0], [0.0, 1.0])
    target = resolve(lambda x: x**2, (0.0, 1.0))
    assert error_of(target, line, "l1") == pytest.approx(1 / 6, rel=1e-14)
    assert error_of(target, line, "l2") == pytest.approx((1 / 30) ** 0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("function", "pieces"), [(np.abs, 2), (lambda x: np.maximum(np.abs(x), 0.5), 3)]
)
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_what_is_piecewise_linear_is_found_exactly(function, pieces, norm):
    best = approximate(function, (-1.0, 1.3), pieces, norm=norm)
    assert best.error < 1e-9
    assert best.status == "optimal"


def test_a_step_is_exact_with_a_jump_and_close_without():
    step = approximate(np.sign, (-1.0, 1.3), 2, continuous=False)
    assert step.error < 1e-12
    assert abs(step.knots[1]) < 1e-12
    # Without jumps a steep bridge comes as close as its width allows; nothing bounds it.
    bridge = approximate(np.sign, (-1.0, 1.3), 3)
    assert bridge.error < 1e-3
    assert bridge.status == "bounded"
