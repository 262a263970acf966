import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurons.data import impacts
from neurons.data.bearings import SKF_6205

RATE = 12e3


def response(pole, times):
    return np.where(times >= 0, np.exp(pole * np.maximum(times, 0)).imag, 0.0)


@settings(deadline=None)
@given(
    first=st.floats(0, 0.03),
    second=st.floats(0, 0.06),
    weight=st.floats(-3, 3),
    hertz=st.floats(100, 5900),
    damping=st.floats(0.005, 0.5),
)
def test_ring_is_the_closed_form_between_samples_too(first, second, weight, hertz, damping):
    (pole,) = impacts.modes([hertz], damping)
    times, weights = np.array([first, second]), np.array([1.0, weight])
    found = impacts.ring(times, weights, 500, RATE, pole)
    grid = np.arange(500) / RATE
    expected = sum(w * response(pole, grid - t) for w, t in zip(weights, times, strict=True))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_modes_have_the_frequency_and_damping_asked_for():
    (pole,) = impacts.modes([1000.0], 0.1)
    assert abs(pole) == pytest.approx(2 * np.pi * 1000)
    assert -pole.real / abs(pole) == pytest.approx(0.1)


@pytest.mark.parametrize("slip", [0.0, 0.01, 0.1])
def test_intervals_have_the_mean_and_spread_asked_for(slip):
    times = impacts.impact_times(100.0, 50.0, slip, np.random.default_rng(0))
    intervals = np.diff(times)
    assert 0 <= times[0] <= 0.02
    assert 49.9 < times[-1] < 50.0
    assert intervals.mean() == pytest.approx(0.01, rel=0.005)
    assert intervals.std() == pytest.approx(0.01 * slip, rel=0.05, abs=1e-12)


def test_load_is_full_below_and_gone_opposite():
    np.testing.assert_allclose(
        impacts.load_zone(np.array([0, np.pi, 2 * np.pi])), [1, 0, 1], atol=1e-12
    )


@pytest.mark.parametrize(("fault", "hertz"), [("inner", 30.0), ("ball", 30 * 0.3983)])
def test_load_comes_round_with_the_shaft_or_the_cage(fault, hertz):
    times = np.arange(0, 20, 1e-3)
    weights = impacts.impact_weights(SKF_6205, 30.0, fault, times, 0.0, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(weights - weights.mean()))
    slow = slice(100, 2000)  # 5 to 100 Hz: above the load's fluctuation
    peak = (np.argmax(power[slow]) + 100) / 20
    assert peak == pytest.approx(hertz, rel=0.01)


def test_outer_race_away_from_the_load_is_struck_less():
    def mean(angle):
        rng = np.random.default_rng(0)
        return impacts.impact_weights(SKF_6205, 30.0, "outer", np.arange(99.0), angle, rng).mean()

    assert mean(np.pi / 2) == pytest.approx(mean(0.0) / 2**1.5)


def test_strength_grows_with_size_and_is_capped_by_depth():
    poles = impacts.modes([3000.0], 0.05)

    def strength(size, depth=np.inf, fault="outer"):
        return impacts.strengths(SKF_6205, 30.0, fault, size, depth, poles).item()

    assert strength(2e-4) == pytest.approx(2 * strength(1e-4))
    # A shallow pit acts like one whose chord just touches the ground.
    touching = 2 * np.sqrt(SKF_6205.ball_diameter * 1e-6)
    assert strength(1e-3, depth=1e-6) == pytest.approx(strength(touching))
    assert strength(touching / 2, depth=1e-6) == strength(touching / 2)
    assert strength(1e-4) > strength(1e-4, fault="ball") > strength(1e-4, fault="inner")
