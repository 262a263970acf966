from itertools import combinations, product
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from theory.optimal.minimax_data import Samples, fewest_samples, fit_samples
from theory.optimal.series import Series

VALUES = st.lists(st.integers(-6, 6), min_size=7, max_size=7)
WEIGHTS = st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=7, max_size=7)


def least(x, y, weights, cuts, signs):
    """Least error of lines on the groups between cuts; signs say how neighbours cross."""
    n = len(cuts) + 1
    groups = np.split(np.arange(x.size), cuts)
    rows, limits = [], []
    for piece, group in enumerate(groups):
        for k in group:
            row = np.zeros(2 * n + 1)
            row[2 * piece : 2 * piece + 2] = 1, x[k]
            for sign in (1, -1):
                rows.append(sign * row - np.eye(2 * n + 1)[-1] / weights[k])
                limits.append(sign * y[k])
    for piece, (cut, sign) in enumerate(zip(cuts, signs, strict=True)):
        for place, side in ((x[cut - 1], sign), (x[cut], -sign)):
            row = np.zeros(2 * n + 1)
            row[2 * piece : 2 * piece + 4] = 1, place, -1, -place
            rows.append(side * row)
            limits.append(0.0)
    cost = np.eye(2 * n + 1)[-1]
    return linprog(cost, rows, limits, bounds=(None, None)).fun


def brute(x, y, weights, segments, continuous):
    """Every partition, every way to cross; two knots between two samples make a free jump."""
    errors = []
    for cuts in combinations(range(1, x.size), segments - 1):
        signs = product((1, -1), repeat=segments - 1) if continuous else [()]
        errors += [least(x, y, weights, cuts, s) for s in signs if s]
        if not continuous or segments == 1:
            parts = np.split(np.arange(x.size), cuts)
            errors.append(max(least(x[g], y[g], weights[g], (), ()) for g in parts))
    if continuous and segments == 3:
        for cut in range(1, x.size):
            parts = np.split(np.arange(x.size), (cut,))
            errors.append(max(least(x[g], y[g], weights[g], (), ()) for g in parts))
    return min(errors)


@given(y=VALUES, weights=WEIGHTS, segments=st.integers(1, 3), continuous=st.booleans())
def test_no_partition_is_better(y, weights, segments, continuous):
    x = np.array([0.0, 1.0, 1.5, 3.0, 4.0, 6.0, 6.5])
    values, w = np.array(y, float), np.array(weights)
    best = fit_samples(x, values, segments, continuous, w)
    assert best.segments == segments
    assert best.error == pytest.approx(brute(x, values, w, segments, continuous), abs=1e-7)
    assert best.error == pytest.approx((w * np.abs(values - best(x))).max(), abs=1e-9)


@given(y=VALUES, weights=WEIGHTS, segments=st.integers(1, 2), continuous=st.booleans())
def test_samples_that_share_a_place_stay_together(y, weights, segments, continuous):
    """A place repeated is nearly two places very close, with no room for a knot between them."""
    x = np.array([0.0, 1.0, 1.0, 3.0, 4.0, 4.0, 6.5])
    values, w = np.array(y, float), np.array(weights)
    best = fit_samples(x, values, segments, continuous, w)
    assert best.error == pytest.approx((w * np.abs(values - best(x))).max(), abs=1e-9)
    assert best.lower_bound == pytest.approx(best.error, rel=1e-8, abs=1e-12)
    cuts = [cut for cut in range(1, 7) if x[cut] > x[cut - 1]]
    if continuous or segments == 1:
        ways = [((), ())] if segments == 1 else [((c,), (s,)) for c in cuts for s in (1, -1)]
        oracle = min(least(x, values, w, *way) for way in ways)
    else:
        halves = [np.split(np.arange(7), (cut,)) for cut in cuts]
        oracle = min(max(least(x[g], values[g], w[g], (), ()) for g in pair) for pair in halves)
    assert best.error == pytest.approx(oracle, abs=1e-7)


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_ten_thousand_samples_take_two_seconds_at_most(continuous, noise):
    x = np.linspace(0, 2 * np.pi, 10_000)
    y = np.sin(x) + noise * np.random.default_rng(0).normal(size=x.size)
    start = perf_counter()
    best = fit_samples(x, y, 16, continuous)
    assert perf_counter() - start < 2
    assert best.status == "optimal"
    assert np.abs(y - best(x)).max() == pytest.approx(best.error, rel=1e-12)
    assert best.function.continuous == continuous


def test_few_of_many_samples_prove_the_bound():
    """The exchange reaches what all samples at once give."""
    rng = np.random.default_rng(1)
    x, y = np.arange(4000.0), np.cumsum(rng.normal(size=4000))
    best = fit_samples(x, y, 5)
    thinned = fit_samples(x[::2], y[::2], 5)
    assert best.gap < 1e-9
    assert thinned.error <= best.error
    samples = Samples(Series.of(x, y))
    assert samples.first(5).size < x.size / 4


@given(y=VALUES, scale=st.sampled_from([0.5, 3.0]), tilt=st.integers(-3, 3))
def test_errors_follow_affine_maps(y, scale, tilt):
    x, values = np.arange(7.0), np.array(y, float)
    plain = fit_samples(x, values, 2)
    moved = fit_samples(2 * x + 1, scale * values + tilt * x + 5, 2)
    assert moved.error == pytest.approx(scale * plain.error, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("continuous", [True, False])
def test_fewest_is_proved_by_one_fewer(continuous):
    x = np.linspace(0, 6, 300)
    found = fewest_samples(x, np.sin(x), 0.05, continuous)
    assert found.approximation.error <= 0.05 < found.shorter_bound
    assert found.proved
    fewer = fit_samples(x, np.sin(x), found.segments - 1, continuous)
    assert fewer.error > 0.05


def test_one_segment_has_none_shorter():
    found = fewest_samples([0, 1, 2], [0, 1, 0], 0.6)
    assert found.segments == 1
    assert found.shorter_bound == np.inf


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("segments", [1, 2, 9])
def test_a_line_has_no_error(continuous, segments):
    x = np.linspace(-1, 2, 40)
    best = fit_samples(x, 3 * x - 1, segments, continuous)
    assert (best.status, best.segments) == ("optimal", segments)
    assert best.error <= 1e-14
    np.testing.assert_allclose(best(x), 3 * x - 1, atol=1e-13)


@pytest.mark.parametrize("continuous", [True, False])
def test_more_segments_than_points_pass_through_all(continuous):
    best = fit_samples([0, 1, 2, 5], [1, -1, 4, 0], 7, continuous)
    assert (best.status, best.segments) == ("optimal", 7)
    assert best.error <= 1e-14
    np.testing.assert_allclose(best(np.array([0, 1, 2, 5])), [1, -1, 4, 0], atol=1e-12)


def test_a_heavier_sample_is_met_more_closely():
    x, y = np.arange(5.0), np.array([0.0, 0, 1, 0, 0])
    heavy = fit_samples(x, y, 1, weights=[1, 1, 9, 1, 1])
    assert abs(heavy(x)[2] - 1) == pytest.approx(heavy.error / 9)
    # One level line: 1 - c = E / 9, c = E.
    assert heavy.error == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("x", "y", "weights", "message"),
    [
        ([0, 2, 1], [0, 0, 0], None, "in order"),
        ([0, 1, np.nan], [0, 0, 0], None, "finite"),
        ([0, 1, 2], [0, np.inf, 0], None, "finite"),
        ([0], [0], None, "two different x"),
        ([1, 1], [0, 2], None, "two different x"),
        ([0, 1, 2], [0, 0], None, "one length"),
        ([0, 1, 2], [0, 0, 0], [1, 0, 1], "positive"),
        ([0, 1, 2], [0, 0, 0], [1, 1], "one length"),
    ],
)
def test_bad_samples_are_named(x, y, weights, message, unchecked):
    with pytest.raises(ValueError, match=message):
        fit_samples(x, y, 1, weights=weights)


def test_bad_numbers_are_named():
    with pytest.raises(ValueError, match="segments must be at least 1, got 0"):
        fit_samples([0, 1], [0, 1], 0)
    with pytest.raises(ValueError, match="tolerance must be a positive number, got 0"):
        fewest_samples([0, 1], [0, 1], 0.0)
    with pytest.raises(ValueError, match="of all samples at x = 1"):
        fewest_samples([0, 1, 1, 2], [0, 0, 2, 0], 0.5)
