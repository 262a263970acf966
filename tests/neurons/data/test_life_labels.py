"""Labels: the share of life that is left, linear or flat until degradation shows."""

import numpy as np
import pytest

from neurons.data.life_labels import (
    first_prediction_time,
    linear_label,
    piecewise_label,
    rms,
)
from neurons.data.phm2012 import Life, Lives


def life(strengths, index=None):
    strengths = np.asarray(strengths, np.float32)
    wave = np.sqrt(2) * np.sin(2 * np.pi * 50 * np.arange(2560) / 2560)
    signals = (strengths[:, None, None] * wave).astype(np.float32).repeat(2, axis=1)
    index = np.arange(len(strengths)) * 10 if index is None else index
    return Life("Bearing1_1", signals, index, int(index[-1]) + 1)


STEADY = [1.0, 1.1, 0.9, 1.0, 1.1, 0.9, 1.0, 1.1, 9.0, 1.0, 1.1, 0.9, 5.0, 5.0, 5.0, 6.0]


def test_rms_is_in_g_for_each_channel():
    np.testing.assert_allclose(rms(life([2.0, 3.0])), [[2, 2], [3, 3]], rtol=1e-6)


def test_the_linear_label_is_the_share_of_records_that_are_left():
    one = life([1.0] * 4, np.array([0, 10, 20, 24]))
    np.testing.assert_allclose(linear_label(one), [24 / 25, 14 / 25, 4 / 25, 0], rtol=1e-6)


def test_predicting_one_half_is_off_by_a_quarter_of_the_life():
    label = linear_label(life([1.0] * 1000, np.arange(1000)))
    assert np.abs(label - 0.5).mean() == pytest.approx(0.25, abs=1e-3)


def test_a_single_impact_is_no_degradation():
    assert first_prediction_time(np.array(STEADY), baseline=0.5) == 12
    assert first_prediction_time(np.array(STEADY), baseline=0.5, run=1) == 8
    assert first_prediction_time(np.ones(6)) == 5  # never shows


def test_the_piecewise_label_is_flat_and_then_falls_to_zero():
    one = life(STEADY)
    found = piecewise_label(one, 12)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [1.0] * 13 + [2 / 3, 1 / 3, 0], rtol=1e-6)
    start = first_prediction_time(rms(one)[:, 0])
    np.testing.assert_array_equal(piecewise_label(one), piecewise_label(one, start))
    np.testing.assert_array_equal(piecewise_label(one, 15), [1.0] * 15 + [0.0])


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="at least two"):
        first_prediction_time(np.ones(1))
    for options in ({"baseline": 0.0}, {"sigmas": -1.0}, {"run": 0}):
        with pytest.raises(ValueError, match="allowed: in"):
            first_prediction_time(np.ones(5), **options)
    with pytest.raises(ValueError, match="allowed: as"):
        Life("bearing", np.zeros((1, 2, 4), np.float32), np.array([0]), 1)
    with pytest.raises(ValueError, match="no name twice"):
        Lives("two", (life([1.0, 2.0]),) * 2, simulated=True)
