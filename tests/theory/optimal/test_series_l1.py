from itertools import combinations, pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import linprog

from theory.optimal import series_l1
from theory.optimal.fitted import hats
from theory.optimal.series import Series
from theory.optimal.series_l1 import LeastAbsolute, absolute_values
from theory.optimal.series_l2 import LeastSquares

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=10)


def noisy(seed, samples=40, weights=True):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.1, 1, samples))
    y = np.sin(2 * x) + 0.2 * rng.standard_t(2, samples)
    return Series.of(x, y, rng.uniform(0.5, 2, samples) if weights else None)


def program(series, basis):
    """The least sum w |y - basis c| by linear programming."""
    bounds = np.stack([-series.weights, series.weights], axis=1)
    return -linprog(-series.y, A_eq=basis.T, b_eq=np.zeros(basis.shape[1]), bounds=bounds).fun


@FEW
@given(SEEDS, st.integers(3, 8), st.integers(1, 3))
def test_with_jumps_it_is_the_optimum_of_all_cuts(seed, samples, segments):
    series, segments = noisy(seed, samples), min(segments, samples - 1)
    best = np.inf
    for cuts in combinations(range(1, samples), segments - 1):
        bounds, total = [0, *cuts, samples], 0.0
        for first, last in pairwise(bounds):
            if last > first + 1:
                run = Series(*(part[first:last] for part in (series.x, series.y, series.weights)))
                total += program(run, np.stack([np.ones_like(run.x), run.x], axis=1))
        best = min(best, total)
    fit = LeastAbsolute(series, segments).with_jumps(segments)
    assert fit.error == pytest.approx(best, rel=1e-7, abs=1e-9)
    assert fit.lower_bound == pytest.approx(best, rel=1e-7, abs=1e-7)


def test_values_at_fixed_knots_are_those_of_the_linear_program():
    series = noisy(0)
    knots = np.array([series.x[0], *np.quantile(series.x, [0.3, 0.6]), series.x[-1]])
    values, steps = absolute_values(series, knots)
    basis = hats(series.x, knots)
    found = series.weights @ np.abs(series.y - basis @ values)
    assert found == pytest.approx(program(series, basis), rel=1e-9)
    assert not steps.any()


@pytest.mark.parametrize("samples", [60, 400])
def test_fits_lie_between_their_bounds_and_the_least_squares_fits(samples):
    series = noisy(1, samples)
    absolute, squares = LeastAbsolute(series, 4), LeastSquares(series, 4)
    apart, together = absolute.with_jumps(4), absolute.continuous(4)
    assert absolute.bound(4) <= apart.error <= series.error(squares.with_jumps(4).function, 1)
    assert apart.error <= together.error <= series.error(squares.continuous(4).function, 1)
    assert together.function.continuous
    assert apart.status == ("optimal" if samples == 60 else "bounded")


def test_the_bound_of_cells_is_below_the_exact_optimum_and_not_far(monkeypatch):
    series = noisy(2, 300)
    exact = LeastAbsolute(series, 3)
    monkeypatch.setattr(series_l1, "EXACT_SAMPLES", 100)
    coarse = LeastAbsolute(series, 3)
    best = exact.with_jumps(3)
    assert best.status == "optimal"
    assert coarse.cell == 8
    assert 0.8 * best.error <= coarse.bound(3) <= best.error
    assert best.error * (1 - 1e-9) <= coarse.with_jumps(3).error <= 1.1 * best.error


def test_a_bound_that_counts_the_cut_cells_would_be_wrong(monkeypatch):
    """The planted fault: whole cells only, as if knots fell between cells."""
    monkeypatch.setattr(series_l1, "EXACT_SAMPLES", 10)
    x = np.arange(240.0)
    coarse = LeastAbsolute(Series.of(x, np.where(x < 100.5, 0.0, 1.0)), 2)
    assert coarse.with_jumps(2).error < 1e-9
    assert coarse.bound(2) < 1e-9
    assert coarse._table(2)[2, -1] > 1


def test_outliers_move_no_knot():
    x = np.linspace(0, 1, 101)
    y = np.abs(x - 0.4)
    y[::10] += 3
    fit = LeastAbsolute(Series.of(x, y), 2).continuous(2)
    assert fit.knots[1] == pytest.approx(0.4, abs=1e-6)
    assert fit.error == pytest.approx(33, rel=1e-6)


@pytest.mark.parametrize("kind", ["constant", "corners", "steps"])
def test_exact_data_have_no_error(kind):
    x = np.linspace(0, 1, 41)
    y = {"constant": 0 * x + 5, "corners": np.abs(x - 0.3), "steps": np.round(x)}[kind]
    fit = LeastAbsolute(Series.of(x, y), 2).with_jumps(2)
    assert fit.error <= 1e-12
    assert fit.lower_bound == 0


def test_samples_of_one_x_stay_together():
    x = np.repeat(np.arange(5.0), 3)
    y = np.abs(x - 2) + np.tile([0.0, 0.0, 1.0], 5)
    absolute = LeastAbsolute(Series.of(x, y), 2)
    for fit in (absolute.with_jumps(2), absolute.continuous(2)):
        assert fit.error == pytest.approx(5, rel=1e-9)
        assert fit.lower_bound <= 5


@pytest.mark.parametrize("segments", [0, 3])
def test_numbers_of_segments_the_data_do_not_hold_are_refused(segments):
    with pytest.raises(ValueError, match="3 different x allow 1 to 2 segments"):
        LeastAbsolute(Series.of([0, 1, 2], [0, 1, 0]), segments)
