import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from theory.claims.statistics import Comparison, greater, mean_effect, paired, same

numbers = st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=8)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_intervals_cover_the_true_mean_as_often_as_they_say(seeds):
    generator = np.random.default_rng(seeds)
    samples = generator.normal(1.5, 2.0, size=(600, seeds))
    intervals = [mean_effect(row, resamples=300).interval for row in samples]
    covered = np.mean([low <= 1.5 <= high for low, high in intervals])
    # Three standard errors of a coverage of 0.95 over 600 samples are 0.027.
    assert 0.92 < covered < 0.985


def test_interval_reaches_as_far_as_students_t_for_normal_data():
    values = np.random.default_rng(0).normal(size=5)
    low, high = mean_effect(values).interval
    exact = stats.t.ppf(0.975, 4) * values.std(ddof=1) / np.sqrt(5)
    assert (high - low) / 2 == pytest.approx(exact, rel=0.1)


@given(numbers, st.floats(-50, 50), st.floats(0.1, 10))
def test_interval_moves_with_shift_and_scale(values, shift, scale):
    values = np.asarray(values)
    low, high = mean_effect(values).interval
    moved = mean_effect(scale * values + shift).interval
    assert moved == pytest.approx((scale * low + shift, scale * high + shift), abs=1e-6, rel=1e-6)


@given(numbers)
def test_comparison_is_antisymmetric(values):
    forward, backward = paired(values, [0.0] * len(values)), paired([0.0] * len(values), values)
    assert forward.effect == -backward.effect


def test_one_seed_knows_nothing_of_the_spread():
    found = mean_effect([3.0])
    assert found == Comparison(3.0, (-float("inf"), float("inf")), 1)
    assert greater(found) == "undecided"


def test_equal_differences_leave_no_doubt():
    assert mean_effect([2.5, 2.5]) == Comparison(2.5, (2.5, 2.5), 2)


@pytest.mark.parametrize(
    ("interval", "margin", "expected"),
    [
        ((1.1, 3.0), 1.0, "supported"),
        ((0.9, 3.0), 1.0, "undecided"),
        ((-3.0, 0.9), 1.0, "refuted"),
        ((-3.0, 1.1), 1.0, "undecided"),
        ((1.0, 3.0), 1.0, "undecided"),  # on the margin is not above it
    ],
)
def test_greater_asks_the_whole_interval(interval, margin, expected):
    assert greater(Comparison(0.0, interval, 3), margin) == expected


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((-1.0, 1.0), "supported"),
        ((-1.1, 1.0), "undecided"),
        ((1.1, 2.0), "refuted"),
        ((-2.0, -1.1), "refuted"),
        ((0.5, 2.0), "undecided"),
        ((-9.0, 9.0), "undecided"),
    ],
)
def test_same_asks_for_the_whole_interval_within_the_margin(interval, expected):
    assert same(Comparison(0.0, interval, 3), 1.0) == expected


def test_absence_of_evidence_is_no_evidence_of_sameness():
    noisy = paired([10.0, -12.0, 3.0], [-9.0, 11.0, -2.0])
    assert greater(noisy) == "undecided"
    assert same(noisy, 1.0) == "undecided"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_effect([]), "at least one"),
        (lambda: mean_effect([1.0, float("nan")]), "must be numbers"),
        (lambda: mean_effect([1.0], confidence=1.0), r"\(0, 1\)"),
        (lambda: mean_effect(np.ones((2, 1))), "shape"),
        (lambda: paired([1.0], [1.0, 2.0]), "1 and 2"),
        (lambda: same(Comparison(0.0, (0.0, 0.0), 2), 0.0), "positive"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
