"""The challenge: counts, splits, remaining lives, score and its golden values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.data.phm2012 import BEARINGS, Life, lives
from neurons.data.phm2012_challenge import (
    LEARNING,
    OFFICIAL_RUL,
    RECORDS,
    TEST,
    TRUNCATED,
    accuracies,
    counted_rul,
    leave_one_out,
    official_split,
    percent_errors,
    score,
    truncation,
)
from neurons.data.simulated_lives import simulated_lives


def test_the_score_has_its_golden_values():
    errors = np.array([-50.0, -10.0, -5.0, 0.0, 10.0, 20.0, 50.0])
    golden = [0.0009765625, 0.25, 0.5, 1.0, 0.70710678, 0.5, 0.1767767]
    np.testing.assert_allclose(accuracies(errors), golden, rtol=1e-7)
    assert score(errors) == pytest.approx(np.mean(golden))


@given(st.floats(0.0, 400.0))
def test_late_costs_more_than_early(size):
    late, early = accuracies(np.array([-size, size]))
    assert late == pytest.approx(early**4)
    assert 0 <= late <= early <= 1


def test_errors_are_above_zero_for_early_predictions():
    found = percent_errors(np.array([100.0, 100.0]), np.array([80.0, 150.0]))
    assert found.tolist() == [20.0, -50.0]
    with pytest.raises(ValueError, match="least is 0"):
        percent_errors(np.array([0.0]), np.array([1.0]))
    with pytest.raises(ValueError, match="one shape"):
        percent_errors(np.array([1.0]), np.array([1.0, 2.0]))


def test_one_official_remaining_life_disagrees_with_the_records():
    differing = {name for name in TEST if OFFICIAL_RUL[name] != counted_rul(name)}
    assert differing == {"Bearing1_4"}
    assert OFFICIAL_RUL["Bearing1_4"] == 339
    assert counted_rul("Bearing1_4") == 2890


def test_the_official_split_has_six_and_eleven():
    train, test = official_split()
    assert (len(train), len(test)) == (6, 11)
    assert sorted({*train, *test}) == sorted(BEARINGS)
    assert [name[7] for name in train] == list("112233")
    assert train == LEARNING


def test_leave_one_out_stays_within_the_condition():
    folds = leave_one_out()
    assert [fold.test[0] for fold in folds] == list(BEARINGS)
    for train, (test,) in folds:
        assert test not in train
        assert {name[7] for name in train} == {test[7]}
    assert [len(fold.train) for fold in folds] == [6] * 14 + [2] * 3
    with pytest.raises(ValueError, match="Bearing2_1 is the only bearing"):
        leave_one_out(("Bearing1_1", "Bearing1_2", "Bearing2_1"))


def test_truncation_follows_the_table_and_its_share_for_other_lives():
    life = Life("Bearing1_3", np.zeros((1, 2, 2560), np.float32), np.array([0]), 2375)
    assert truncation(life) == TRUNCATED["Bearing1_3"]
    half = Life("Bearing1_3", life.signals, life.index, 1188)
    assert truncation(half) == 901
    with pytest.raises(ValueError, match="Bearing1_1 is in the learning set"):
        truncation(Life("Bearing1_1", life.signals, life.index, 2803))


def test_the_counts_are_those_of_the_real_lives(folder_with):
    assert {life.name: life.records for life in lives(folder_with("phm2012"))} == RECORDS


def test_simulated_lives_age_in_the_band_they_say():
    for ageing in ("low", "high", "none"):
        made = simulated_lives(1, bearings=("Bearing1_1", "Bearing2_3"), records=150, ageing=ageing)
        assert made.simulated
        for life in made.lives:
            power = np.abs(np.fft.rfft(life.signals)).mean(axis=1) ** 2  # (records, 1281)
            parts = {"low": power[:, 40:281], "high": power[:, 980:1221]}
            for band, part in parts.items():
                growth = part[-4:].mean() / part[:4].mean()
                assert (growth > 4) == (band == ageing), (ageing, band, growth)


def test_simulated_lives_are_a_function_of_their_seed():
    first, again, other = (simulated_lives(seed, records=40) for seed in (0, 0, 1))
    assert first.digest == again.digest != other.digest
    with pytest.raises(ValueError, match="ageing"):
        simulated_lives(ageing="middle")
    with pytest.raises(ValueError, match="records is 9"):
        simulated_lives(records=9)
