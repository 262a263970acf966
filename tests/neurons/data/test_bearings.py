import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurons.data.bearings import HC7003, SKF_6205, Bearing, Recording, Records
from neurons.data.registry import DataError

TONE = np.sin(np.arange(100.0))


def recording(**changes):
    fields = {
        "name": "ball_007", "signal": TONE, "rate": 12e3, "shaft_hz": 30.0, "fault": "ball",
        "size": 1e-4,
    }  # fmt: skip
    return Recording(**(fields | changes))


def test_skf_6205_has_the_published_factors():
    found = SKF_6205.frequencies(1.0)
    published = (3.5848, 5.4152, 4.7135 / 2, 0.39828)
    np.testing.assert_allclose(found, published, rtol=1e-4)
    assert [found.impacts(fault) for fault in ("normal", "ball", "inner", "outer")] == [
        0, 2 * found.bsf, found.bpfi, found.bpfo,
    ]  # fmt: skip


@settings(deadline=None)
@given(
    balls=st.integers(2, 30),
    fill=st.floats(0.1, 1.0),
    angle=st.floats(0, 1.5),
    shaft=st.floats(0.1, 1e3),
)
def test_kinematics_agree_with_rolling_without_slip(balls, fill, angle, shaft):
    pitch = 0.04
    bearing = Bearing(balls, fill * pitch * math.sin(math.pi / balls), pitch, angle)
    found = bearing.frequencies(shaft)
    assert found.bpfo + found.bpfi == pytest.approx(balls * shaft)
    assert found.bpfo == pytest.approx(balls * found.ftf)
    # The contact point's speed over the outer race, over the inner race, and over the ball.
    across = pitch + bearing.ball_diameter * math.cos(angle) * np.array([1, -1])
    races = math.pi * across * np.array([found.ftf, shaft - found.ftf])
    np.testing.assert_allclose(races, bearing.rolling_speed(shaft), rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"balls": 1}, "balls is 1"),
        ({"balls": 9.0}, r"balls is 9\.0"),
        ({"ball_diameter": 0.0}, "ball_diameter"),
        ({"ball_diameter": math.nan}, "ball_diameter"),
        ({"ball_diameter": 0.02}, "do not fit"),
        ({"contact_angle": 1.6}, "contact_angle"),
    ],
)
def test_impossible_bearing_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(SKF_6205, **change)


@pytest.mark.parametrize("shaft_hz", [0.0, -1.0, math.inf, math.nan])
def test_impossible_speed_is_refused(shaft_hz):
    with pytest.raises(ValueError, match="shaft_hz"):
        HC7003.frequencies(shaft_hz)


def test_record_keeps_its_samples_as_read_only_float64():
    raw = np.arange(5, dtype=np.int16)
    signal = recording(signal=raw).signal
    assert signal.dtype == np.float64
    np.testing.assert_array_equal(signal, raw)
    with pytest.raises(ValueError, match="read-only"):
        signal[0] = 1


@settings(deadline=None)
@given(index=st.integers(0, 99), bad=st.sampled_from([math.nan, math.inf, -math.inf]))
def test_sample_that_is_not_finite_is_named(index, bad):
    signal = TONE.copy()
    signal[index] = bad
    with pytest.raises(DataError, match=rf"ball_007.* {bad} at index {index};"):
        recording(signal=signal)


@pytest.mark.parametrize(
    "signal", [np.zeros(0), np.zeros((2, 3)), np.float64(1), np.zeros(3, complex), np.array(["1"])]
)
def test_signal_that_is_no_real_vector_is_named(signal):
    with pytest.raises(DataError, match="ball_007: expected a real vector"):
        recording(signal=signal)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fault": "cage"}, "allowed: normal, ball, inner, outer"),
        ({"rate": 0.0}, "rate"),
        ({"shaft_hz": math.nan}, "shaft_hz"),
        ({"size": 0.0}, "size"),
        ({"fault": "normal"}, "size"),
        ({"load_hp": -1.0}, "load_hp"),
    ],
)
def test_impossible_record_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        recording(**change)


def test_records_give_classes_in_order_and_a_digest_of_the_samples():
    def records(*recordings):
        return Records("toy", recordings, SKF_6205, "made up", simulated=True)

    one, two = recording(), recording(name="ball_014", signal=TONE + 1e-12)
    both = records(one, two)
    assert both.classes == ("ball_007", "ball_014")
    assert both.digest == records(one, two).digest != records(two, one).digest
    assert both.digest != records(one, replace(two, signal=TONE)).digest
    for wrong in ((), (one, one)):
        with pytest.raises(ValueError, match="allowed: at least one, no name twice"):
            records(*wrong)


@pytest.mark.parametrize(("simulated", "kind"), [(False, "real"), (True, "simulated")])
def test_records_say_in_one_line_what_they_are(simulated, kind):
    slow, fast = recording(load_hp=1.0), recording(name="normal", rate=48e3, load_hp=1.0)
    same = Records("one", (slow,), SKF_6205, "a rig, drive end", simulated)
    mixed = Records("two", (fast, slow), SKF_6205, "a rig, drive end", simulated)
    assert str(same) == f"one: a rig, drive end, 12 kHz, 1 hp ({kind})"
    assert str(mixed) == f"two: a rig, drive end, 12 and 48 kHz, 1 hp ({kind})"
