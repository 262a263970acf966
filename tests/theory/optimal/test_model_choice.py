import jaxtyping
import numpy as np
import pytest

from theory.optimal.model_choice import choose_segments, fewest_for_series
from theory.optimal.series import Series
from theory.optimal.series_l2 import LeastSquares

CORNERS, HEIGHTS = [0, 0.2, 0.5, 0.65, 1], [0, 1, 0, 2, 1]


@pytest.fixture(scope="module", autouse=True)
def users_speed():
    """Annotations unchecked: the loops over knots are tested with checks in their own files."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def simulated(seed, continuous=True, samples=200):
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, samples)
    clean = np.interp(x, CORNERS, HEIGHTS)
    if not continuous:
        clean = np.select([x < 0.3, x < 0.7], [x, 2 - x], 3 * x)
    return Series.of(x, clean + 0.1 * rng.normal(size=samples))


@pytest.mark.parametrize(("continuous", "truth"), [(True, 4), (False, 3)])
def test_the_number_of_segments_is_recovered_from_noise(continuous, truth):
    found = [
        choose_segments(simulated(seed, continuous, 150), 6, continuous).approximation.segments
        for seed in range(10)
    ]
    assert found.count(truth) >= 9


@pytest.mark.parametrize("continuous", [True, False])
def test_noise_around_a_line_is_one_segment(continuous):
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x = np.sort(rng.uniform(size=100))
        series = Series.of(x, 3 - 2 * x + rng.normal(size=100), rng.uniform(0.5, 2, 100))
        found.append(choose_segments(series, 4, continuous).approximation.segments)
    assert found.count(1) >= 9


def test_the_score_is_the_criterion():
    series = simulated(0)
    choice = choose_segments(series, 4, continuous=False)
    squares = np.array([LeastSquares(series, 4).with_jumps(k).error ** 2 for k in range(1, 5)])
    free = 3 * np.arange(1, 5) - 1
    expected = 200 * np.log(squares / 200) + free * np.log(200)
    np.testing.assert_allclose(choice.scores, expected, rtol=1e-9)
    assert choice.approximation.segments == 1 + np.argmin(expected)


def test_without_a_penalty_noise_would_be_fitted():
    """The planted fault: the error alone always asks for the most segments."""
    choice = choose_segments(simulated(0), 8)
    free = 2 * np.arange(1, 9)
    assert np.argmin(choice.scores) == 3
    assert np.argmin(choice.scores - free * np.log(200)) == 7


def test_exact_data_take_the_pieces_they_have():
    x = np.linspace(0, 1, 50)
    assert choose_segments(Series.of(x, np.abs(x - 0.41)), 6).approximation.segments == 2
    assert choose_segments(Series.of(x, 0 * x + 3), 6).approximation.segments == 1
    assert choose_segments(Series.of([0, 1], [0, 1]), 6).approximation.segments == 1


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("continuous", [True, False])
def test_the_fewest_segments_within_a_tolerance(norm, continuous):
    series = simulated(0, samples=60)
    tolerance = {"l1": 6.0, "l2": 1.0}[norm]
    few = fewest_for_series(series, tolerance, norm, continuous)
    assert few.approximation.error <= tolerance
    assert few.segments > 1
    assert few.proved or continuous
    if not continuous:
        one_less = LeastSquares(series, few.segments).with_jumps(few.segments - 1)
        assert norm == "l1" or one_less.error > tolerance


def test_one_segment_needs_no_proof_and_zero_tolerance_interpolates():
    series = simulated(0, samples=12)
    assert fewest_for_series(series, 1e9).segments == 1
    assert fewest_for_series(series, 1e9).proved
    tent = Series.of([0, 1, 2, 3, 4], [0, 1, 2, 1, 0])
    assert fewest_for_series(tent, 0.0, continuous=False).segments == 2


def test_tolerances_out_of_reach_are_named():
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        fewest_for_series(simulated(0, samples=12), -1.0)
    with pytest.raises(ValueError, match=r"3 segments come within .* not within 1e-05"):
        fewest_for_series(simulated(0, samples=30), 1e-5, most=3)
    with pytest.raises(ValueError, match="1 to 11 segments"):
        choose_segments(simulated(0, samples=12), 0)
