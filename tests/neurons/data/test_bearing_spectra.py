"""Spectra of bearings: amplitudes, the onset of failure, and the tables made of them."""

import numpy as np
import pytest

from neurons.data import sets
from neurons.data.bearing_spectra import LATE, amplitude_spectra, onset, simulated_bearing_spectra
from theory.claims.outlier_scores import roc_auc


@pytest.fixture(scope="module")
def real(folder_with):
    return sets.load("bearing_spectra", folder_with("bearing_spectra"))


@pytest.mark.parametrize("samples", [1024, 1280])
@pytest.mark.parametrize("cycles", [1, 20, 500])
def test_a_wave_has_its_amplitude_at_its_frequency(samples, cycles):
    wave = 3.0 + 2.5 * np.sin(2 * np.pi * cycles * np.arange(samples) / samples + 0.3)
    found = amplitude_spectra(wave[None])[0]
    expected = np.zeros(512)
    expected[cycles - 1] = 2.5
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_mean_square_is_kept():
    noise = np.random.default_rng(0).normal(size=(5, 1024))
    found = amplitude_spectra(noise)
    power = (found[:, :-1] ** 2).sum(axis=1) / 2 + found[:, -1] ** 2
    np.testing.assert_allclose(power, noise.var(axis=1))


@pytest.mark.parametrize(
    ("strength", "place"),
    [
        ([1.0, 1.1, 0.9, 1.0, 1.1, 1.0, 1.0, 5.0, 6.0, 7.0], 7),
        ([1.0, 1.1, 0.9, 9.0, 1.1, 1.0, 1.0, 1.0, 1.0, 7.0], 9),  # one burst is no onset
        ([1.0, 1.1, 0.9, 1.0, 1.1, 1.0, 1.0, 5.0, 6.0, 1.0], 10),  # it recovered
        ([2.0] * 10, 10),
    ],
    ids=["rises", "bursts first", "recovers", "stays"],
)
def test_the_onset_is_where_strength_rises_for_good(strength, place):
    assert onset(np.array(strength)) == place


def test_simulated_spectra_say_so_and_failures_are_visible():
    made = simulated_bearing_spectra(0)
    assert made.names == ("outer_race", "inner_race")
    assert made.simulated
    for table in made.tables:
        assert table.x.shape == (200, 512)
        assert table.simulated
        assert table.contamination == pytest.approx(0.4)
        strength = np.linalg.norm(table.x, axis=1)
        assert roc_auc(table.y, strength) > 0.95
        assert abs(onset(strength) - np.argmax(table.y)) <= 20  # small pits are not yet heard
    assert simulated_bearing_spectra(0).digest == made.digest
    assert simulated_bearing_spectra(1).digest != made.digest


def test_the_lives_that_fail_slowly_are_tables(real):
    assert real.names == (
        "Bearing1_1", "Bearing1_3", "Bearing1_4", "Bearing2_2", "Bearing3_3", "cwru"
    )  # fmt: skip
    assert all(table.x.shape[1] == 512 for table in real.tables)
    assert all(table.contamination >= LATE for table in real.tables)
    assert all("XJTU-SY" in table.source for table in real.tables)
    first = real["Bearing1_1"]
    assert len(first.x) == 2 * 282
    assert not np.diff(first.y.astype(int)).any() or np.diff(first.y.astype(int)).sum() == 1


def test_cwru_has_as_many_faults_of_each_kind(real):
    table = real["cwru"]
    bad = int(table.y.sum())
    assert bad % 9 == 0
    assert 0 <= bad - (len(table.y) - bad) < 9
