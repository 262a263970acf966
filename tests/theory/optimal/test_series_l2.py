import hypothesis.strategies as st
import jaxtyping
import numpy as np
import pytest
from hypothesis import given, settings

from theory.optimal.series import Series
from theory.optimal.series_l2 import LeastSquares, fit_on_samples, unscaled

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=5)


@pytest.fixture(scope="module", autouse=True)
def users_speed():
    """Annotations unchecked: the loops over knots are tested with checks in their own files."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def noisy(seed, samples=40):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.1, 1, samples))
    y = np.sin(3 * x) + 0.3 * rng.normal(size=samples)
    return Series.of(x, y, rng.uniform(0.5, 2, samples))


@FEW
@given(SEEDS)
def test_errors_fall_with_segments_and_stay_above_their_bounds(seed):
    series = noisy(seed)
    fits = LeastSquares(series, 5)
    jumps = [fits.with_jumps(k) for k in range(1, 6)]
    joined = [fits.continuous(k) for k in range(1, 6)]
    for one in (jumps, joined):
        errors = [fit.error for fit in one]
        assert (np.diff(errors) <= 1e-9 * errors[0]).all()
    for apart, together in zip(jumps, joined, strict=True):
        assert apart.status == "optimal"
        assert together.function.continuous
        assert apart.lower_bound <= apart.error <= together.error * (1 + 1e-9)
        assert together.lower_bound == pytest.approx(apart.error, rel=1e-9)
        for fit in (apart, together):
            assert fit.error == pytest.approx(series.error(fit.function), rel=1e-12)


@FEW
@given(SEEDS, st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.sampled_from([1e-3, -1.0, 1e5]))
def test_a_line_added_and_a_factor_change_nothing_else(seed, level, slope, factor):
    series = noisy(seed, 25)
    moved = Series.of(
        10 * series.x - 7, factor * series.y + level + slope * series.x, series.weights
    )
    for method in ("with_jumps", "continuous"):
        one = getattr(LeastSquares(series, 3), method)(3)
        two = getattr(LeastSquares(moved, 3), method)(3)
        # The line may be a million times the rest: its rounding is what is left.
        assert two.error == pytest.approx(abs(factor) * one.error, rel=1e-4, abs=1e-9)
        if abs(factor) >= 1:  # knots of a steep bridge may differ: the values do not
            expected = factor * one(series.x) + level + slope * series.x
            np.testing.assert_allclose(two(moved.x), expected, atol=1e-4 * abs(factor))


@FEW
@given(SEEDS)
def test_knots_anywhere_are_at_least_as_good_as_knots_on_samples(seed):
    series = noisy(seed, 24)
    pinned, free = fit_on_samples(series, 3), LeastSquares(series, 3).continuous(3)
    assert set(pinned.knots) <= set(series.x)
    assert free.error <= pinned.error * (1 + 1e-9)


@FEW
@given(SEEDS)
def test_free_knots_are_never_beaten_by_a_fine_grid_of_knots(seed):
    series = noisy(seed, 15)
    free = LeastSquares(series, 2).continuous(2)
    low, high = series.x[[0, -1]]
    for knot in np.linspace(low, high, 200)[1:-1]:
        kinked = np.stack([np.ones(15), series.x, np.maximum(series.x - knot, 0)], axis=1)
        root = np.sqrt(series.weights)
        fit = np.linalg.lstsq(root[:, None] * kinked, root * series.y)[0]
        assert free.error <= np.linalg.norm(root * (series.y - kinked @ fit)) * (1 + 1e-9)


def test_weights_count_like_repeated_samples():
    series = noisy(0, 30)
    counts = np.random.default_rng(0).integers(1, 4, 30)
    weighted = Series.of(series.x, series.y, counts)
    repeated = Series.of(np.repeat(series.x, counts), np.repeat(series.y, counts))
    for method in ("with_jumps", "continuous"):
        one = getattr(LeastSquares(weighted, 4), method)(4)
        two = getattr(LeastSquares(repeated, 4), method)(4)
        assert one.error == pytest.approx(two.error, rel=1e-9)
        np.testing.assert_allclose(one.knots, two.knots)


def test_what_differs_at_one_x_is_in_the_error_and_in_the_bound():
    x = np.repeat(np.arange(6.0), 2)
    series = Series.of(x, np.abs(x - 2) + np.tile([1.0, -1.0], 6))
    for fit in (LeastSquares(series, 2).with_jumps(2), LeastSquares(series, 2).continuous(2)):
        assert fit.error == pytest.approx(np.sqrt(12))
        assert fit.status == "optimal"


@pytest.mark.parametrize("segments", [1, 2, 5])
@pytest.mark.parametrize("kind", ["constant", "line", "corners"])
def test_exact_data_have_no_error_no_gap_and_no_nan(kind, segments):
    x = np.linspace(-3, 5, 41)
    y = {"constant": 0 * x + 0.1, "line": 0.3 * x + 7, "corners": np.abs(x) - np.maximum(x - 2, 0)}
    segments = max(segments, 3) if kind == "corners" else segments
    fits = LeastSquares(Series.of(x, y[kind]), segments)
    for fit in (fits.with_jumps(segments), fits.continuous(segments)):
        assert fit.error <= 1e-12
        assert fit.lower_bound <= 1e-12
        assert fit.segments == segments
        assert np.isfinite(fit.function(x)).all()


def test_as_many_segments_as_gaps_interpolate():
    series = noisy(1, 9)
    for fit in (LeastSquares(series, 8).continuous(8), LeastSquares(series, 8).with_jumps(8)):
        assert fit.error <= 1e-12


def test_tiny_costs_are_still_proven():
    x = np.linspace(0, 1, 1500)
    fit = LeastSquares(Series.of(x, np.exp(x)), 48).with_jumps(48)
    assert fit.status == "optimal"
    assert fit.error < 2e-3


@pytest.mark.parametrize("segments", [0, -1, 5])
def test_numbers_of_segments_the_data_do_not_hold_are_refused(segments):
    series = Series.of([0, 1, 2, 3, 3], [0, 1, 0, 1, 0])
    for call in (LeastSquares, fit_on_samples):
        with pytest.raises(ValueError, match=f"4 different x allow 1 to 3 segments.* {segments}"):
            call(series, segments)


def test_knots_on_samples_are_the_samples_to_the_last_digit():
    series = Series.of(np.array([0.1, 0.2, 0.3, 0.7]) / 3, [0, 1, 0, 1])
    assert unscaled(series, series.scaled.u).tolist() == series.x.tolist()
