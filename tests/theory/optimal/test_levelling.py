from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.optimal.levelling import level, levelled, segment_errors
from theory.optimal.minimax_curve import Curve
from theory.optimal.resolution import resolve

FUNCTIONS = {
    "square": (lambda x: x**2, (0.0, 1.0)),
    "sqrt": (np.sqrt, (0.0, 1.0)),
    "exp": (np.exp, (0.0, 1.0)),
    "log": (np.log, (1.0, 2.0)),
    "arc": (np.sin, (0.0, np.pi / 2)),
    "steep": (lambda x: np.exp(20 * x), (0.0, 1.0)),
    "flat": (lambda x: x**8, (-1.0, 1.0)),
}


def best(name, segments):
    target = resolve(*FUNCTIONS[name])
    return target, levelled(target, Curve(target).spread(segments + 1))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("segments", [1, 2, 5, 16, 64])
def test_the_bound_meets_the_error(name, segments):
    target, found = best(name, segments)
    assert found.status == "optimal"
    assert found.gap < 1e-9
    assert found.segments == segments
    x = np.linspace(*target.domain, 20_001)
    assert np.abs(target(x) - found(x)).max() <= found.error * (1 + 1e-9)


@pytest.mark.parametrize("segments", [1, 2, 3, 7, 16, 64])
def test_square_is_one_over_eight_n_squared(segments):
    found = best("square", segments)[1]
    assert found.error == pytest.approx(1 / (8 * segments**2), rel=1e-9)
    np.testing.assert_allclose(found.knots, np.linspace(0, 1, segments + 1), atol=1e-9)


@pytest.mark.parametrize("segments", [1, 2, 3, 7, 16, 64])
def test_sqrt_is_one_over_four_n_n_plus_one(segments):
    found, i = best("sqrt", segments)[1], np.arange(segments + 1)
    size = segments * (segments + 1)
    assert found.error == pytest.approx(1 / (4 * size), rel=1e-9)
    np.testing.assert_allclose(found.knots, (i * (i + 1) / size) ** 2, atol=1e-9)


@pytest.mark.parametrize(
    ("segments", "error"),
    [
        (1, 0.1059334163),
        (2, 0.0263486916),
        (3, 0.0116991550),
        (4, 0.00657852158),
        (8, 0.00164408549),
        (16, 0.000410987247),
    ],
)
def test_exp_meets_its_oracle(segments, error):
    assert best("exp", segments)[1].error == pytest.approx(error, rel=5e-9)


def test_exp_solves_its_shooting_equation():
    """e^a psi(h) = 2 E on every segment [a, a + h], psi = 1 + m ln m - m."""
    found = best("exp", 16)[1]
    width = np.diff(found.knots)
    m = np.expm1(width) / width
    peaks = np.exp(found.knots[:-1]) * (1 + m * np.log(m) - m)
    np.testing.assert_allclose(peaks, 2 * found.error, rtol=1e-9)


def test_constants_of_the_limit():
    """n^2 E_n tends to the squared integral of |f''|^(1/2) over 16."""
    target, found = best("exp", 64)
    assert 64**2 * found.error == pytest.approx((np.exp(0.5) - 1) ** 2 / 4, rel=1e-4)
    assert (Curve(target).bend / 4) ** 2 == pytest.approx((np.exp(0.5) - 1) ** 2 / 4, rel=1e-3)


@given(
    weights=st.lists(st.floats(0.05, 2.0), min_size=4, max_size=4),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_random_convex_functions_are_levelled(weights, sign):
    a, b, c, d = weights

    def function(x):
        return sign * (a * np.exp(3 * b * x) + c * (x - d) ** 4 + 0.1 * x**2)

    target = resolve(function, (-1.0, 2.0))
    knots, errors, _ = level(target, Curve(target).spread(6))
    np.testing.assert_allclose(errors, errors.mean(), rtol=1e-10)
    np.testing.assert_allclose(segment_errors(target, knots)[0], errors, rtol=1e-9)


@given(scale=st.sampled_from([0.25, 3.0]), shift=st.floats(-2, 2), tilt=st.floats(-3, 3))
def test_affine_maps_go_through(scale, shift, tilt):
    plain = best("exp", 4)[1]
    moved = resolve(lambda x: scale * np.exp((x - shift) / 2) + tilt * x, (shift, shift + 2.0))
    found = levelled(moved, Curve(moved).spread(5))
    assert found.error == pytest.approx(scale * plain.error, rel=1e-9)
    np.testing.assert_allclose(found.knots, shift + 2 * plain.knots, atol=1e-8)


def test_a_shifted_knot_loses_the_certificate():
    target, found = best("exp", 4)
    knots = found.knots + np.array([0, 0, 0.01, 0, 0])
    errors, _ = segment_errors(target, knots)
    assert errors.max() / errors.min() > 1.1
    assert errors.min() < found.error < errors.max()


def test_sixteen_segments_take_milliseconds():
    target = resolve(np.exp, (0.0, 1.0))
    start = Curve(target).spread(17)
    levelled(target, start)
    times = []
    for _ in range(5):
        begin = perf_counter()
        levelled(target, start)
        times.append(perf_counter() - begin)
    assert min(times) < 0.05
