import math

import numpy as np
import pytest
from scipy.signal import butter, hilbert, sosfiltfilt

from neurons.data.bearings import HC7003, SKF_6205
from neurons.data.simulator import simulate, simulated_cwru, simulated_hit
from neurons.data.windows import Protocol, split

SHAFT = 29.95
USUAL = {"seconds": 10.0, "rate": 12e3, "seed": 0}
FAULTS = ("ball", "inner", "outer")


def envelope_spectrum(recording, band=(2300, 3900)):
    """Frequencies in Hz and amplitudes of the squared envelope around the upper resonance."""
    sos = butter(4, band, "bandpass", fs=recording.rate, output="sos")
    envelope = np.abs(hilbert(sosfiltfilt(sos, recording.signal))) ** 2
    spectrum = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope))))
    return np.fft.rfftfreq(len(envelope), 1 / recording.rate), spectrum


def envelope_peak(recording, low=50.0, high=250.0):
    hertz, spectrum = envelope_spectrum(recording)
    inside = (hertz > low) & (hertz < high)
    return hertz[inside][np.argmax(spectrum[inside])]


@pytest.mark.parametrize("bearing", [SKF_6205, HC7003])
@pytest.mark.parametrize("fault", FAULTS)
def test_envelope_peaks_at_the_faults_frequency(bearing, fault):
    expected = bearing.frequencies(SHAFT).impacts(fault)
    recording = simulate(bearing, SHAFT, fault, 5e-4, **USUAL)
    assert envelope_peak(recording) == pytest.approx(expected, rel=0.01)


def test_envelope_of_another_fault_peaks_elsewhere():
    # The planted fault of the test above.
    recording = simulate(SKF_6205, SHAFT, "inner", 5e-4, **USUAL)
    assert envelope_peak(recording) != pytest.approx(SKF_6205.frequencies(SHAFT).bpfo, rel=0.01)


@pytest.mark.parametrize(("fault", "hertz"), [("inner", SHAFT), ("ball", SHAFT * 0.3983)])
def test_load_zone_puts_sidebands_beside_the_fault(fault, hertz):
    found, spectrum = envelope_spectrum(simulate(SKF_6205, SHAFT, fault, 5e-4, **USUAL, slip=0.0))
    line = SKF_6205.frequencies(SHAFT).impacts(fault)

    def level(at):
        return spectrum[np.abs(found - at) < 0.3].max()

    for side in (line - hertz, line + hertz):
        assert level(side) > 5 * level(side + 0.37 * hertz)


def test_slip_broadens_the_line():
    def sharpness(slip):
        recording = simulate(SKF_6205, SHAFT, "outer", 5e-4, **USUAL, slip=slip)
        hertz, spectrum = envelope_spectrum(recording)
        fourth = 4 * SKF_6205.frequencies(SHAFT).bpfo
        near = spectrum[np.abs(hertz - fourth) < 20]
        return near.max() / near.mean()

    assert sharpness(0.0) > 1.5 * sharpness(0.01) > 1.5 * sharpness(0.05)


@pytest.mark.parametrize("snr_db", [-6.0, 0.0, 3.0, 6.0])
def test_measured_ratio_is_the_one_asked_for(snr_db):
    clean = simulate(SKF_6205, SHAFT, "outer", 5e-4, **USUAL).signal
    noise = simulate(SKF_6205, SHAFT, "outer", 5e-4, **USUAL, snr_db=snr_db).signal - clean
    measured = 10 * np.log10(np.mean(clean**2) / np.mean(noise**2))
    assert measured == pytest.approx(snr_db, abs=0.2)


@pytest.mark.parametrize("fault", FAULTS)
def test_zero_size_is_the_normal_bearing_and_larger_is_louder(fault):
    levels = []
    normal = simulate(SKF_6205, SHAFT, "normal", 0.0, **USUAL)
    for size in (0.0, 2e-4, 4e-4, 8e-4):
        recording = simulate(SKF_6205, SHAFT, fault, size, **USUAL)
        levels.append(np.sum((recording.signal - normal.signal) ** 2))
    assert levels[0] == 0.0
    assert levels == sorted(levels)
    assert levels[-1] > 4 * levels[1] > 0


def test_edges_of_a_pit_are_its_size_over_the_speed_apart():
    # Two edges `gap` apart, the first with -1/2: a comb of period 1 / gap over the modes.
    size, rate = 4e-3, 48e3
    usual = {"seconds": 4.0, "rate": rate, "seed": 0, "slip": 0.0, "resonance_hz": (9000.0,)}
    change = simulate(SKF_6205, SHAFT, "outer", size, **usual).signal
    change = change - simulate(SKF_6205, SHAFT, "normal", 0.0, **usual).signal
    power = np.abs(np.fft.rfft(change)) ** 2
    echo = np.fft.irfft(np.log(power.reshape(-1)[: 2 * (len(power) // 2)] + 1e-9))
    gap = size / SKF_6205.rolling_speed(SHAFT)
    lags = slice(int(0.5 * gap * rate), int(1.5 * gap * rate))
    found = (np.argmin(echo[lags]) + lags.start) / rate
    assert found == pytest.approx(gap, rel=0.03)


def test_shaft_harmonics_stand_out_of_the_normal_record():
    signal = simulate(SKF_6205, 30.0, "normal", 0.0, **USUAL).signal
    amplitude = 2 * np.abs(np.fft.rfft(signal)) / len(signal)
    np.testing.assert_allclose(amplitude[[300, 600, 900]], [0.02, 0.012, 0.006], atol=0.002)


def test_rolling_noise_has_its_level_and_the_colour_of_the_modes():
    signal = simulate(SKF_6205, 1.0, "normal", 0.0, **USUAL).signal
    assert signal.std() == pytest.approx(0.06, rel=0.02)
    power = np.abs(np.fft.rfft(signal)) ** 2
    near, far = (power[at - 2000 : at + 2000].mean() for at in (31_000, 50_000))
    assert near > 3 * far


def test_seed_decides_everything():
    one, same, other = (
        simulate(SKF_6205, SHAFT, "ball", 5e-4, seconds=0.1, rate=12e3, seed=seed).signal
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("fault", FAULTS)
def test_shortest_record_is_one_finite_sample(fault):
    usual = {"seconds": 1 / 12e3, "rate": 12e3, "seed": 0}
    assert simulate(SKF_6205, SHAFT, fault, 5e-4, **usual).signal.shape == (1,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shaft_hz": 0.0}, "shaft_hz"),
        ({"fault": "cage"}, "allowed: normal, ball, inner, outer"),
        ({"fault": "normal"}, "normal bearing"),
        ({"size": -1e-4}, "size"),
        ({"size": 0.1}, "size"),
        ({"size": math.nan}, "size"),
        ({"seconds": 0.0}, "seconds"),
        ({"seconds": math.inf}, "seconds"),
        ({"rate": -1.0}, "rate"),
        ({"snr_db": math.nan}, "snr_db"),
        ({"resonance_hz": (6000.0,)}, "resonance_hz"),
        ({"resonance_hz": ()}, "resonance_hz"),
        ({"damping": 0.0}, "damping"),
        ({"damping": 1.0}, "damping"),
        ({"slip": 0.2}, "slip"),
        ({"load_angle": math.inf}, "load_angle"),
        ({"depth": 0.0}, "depth"),
    ],
)
def test_impossible_machine_is_refused(change, words):
    good = {"bearing": SKF_6205, "shaft_hz": SHAFT, "fault": "outer", "size": 5e-4, **USUAL}
    with pytest.raises(ValueError, match=words):
        simulate(**(good | change))


def nearest_centroid(parts):
    """Share of test windows whose log spectrum in 64 bands is nearest to its class's mean."""

    def features(x):
        power = np.abs(np.fft.rfft(x[..., 0] * np.hanning(x.shape[1])))[:, 1:] ** 2
        return np.log(power.reshape(len(x), 64, -1).mean(-1))  # (windows, 64)

    train, test = features(parts.train.x), features(parts.test.x)
    labels = range(parts.train.y.max() + 1)
    centres = np.stack([train[parts.train.y == label].mean(0) for label in labels])
    distance = np.square(test[:, None] - centres).sum(-1)
    return np.mean(distance.argmin(1) == parts.test.y)


@pytest.mark.parametrize("make", [simulated_cwru, simulated_hit])
def test_sets_are_neither_hopeless_nor_trivial(make):
    records = make()
    assert records.simulated
    assert len(records.classes) == 10
    assert all(len(r.signal) == 121_200 and r.rate == 12e3 for r in records.recordings)
    low, high = (
        nearest_centroid(split(records, Protocol(snr, standardise=True), 0)) for snr in (-6, 6)
    )
    assert 0.4 < low < 0.8
    assert low + 0.1 < high < 1


def test_simulated_cwru_has_the_real_sets_classes_in_order():
    records = simulated_cwru(seconds=0.1)
    sizes = ("007", "014", "021")
    assert records.classes == ("normal", *(f"{f}_{s}" for f in FAULTS for s in sizes))
    assert records.bearing == SKF_6205
    assert {r.shaft_hz for r in records.recordings} == {29.95}
    np.testing.assert_allclose(
        [r.size for r in records.recordings[1:4]], [1.778e-4, 3.556e-4, 5.334e-4]
    )
    assert records.digest != simulated_cwru(seconds=0.1, seed=1).digest


def test_simulated_hit_has_one_size_and_three_depths():
    records = simulated_hit(seconds=0.1)
    assert records.classes[:4] == ("normal", "ball_minor", "ball_moderate", "ball_severe")
    assert len({r.size for r in records.recordings[1:]}) == 1
    assert {r.shaft_hz for r in records.recordings} == {30.0}


@pytest.mark.parametrize("fault", FAULTS)
def test_deeper_is_louder_until_the_ball_no_longer_reaches_the_ground(fault):
    levels = [
        simulate(HC7003, 30.0, fault, 1e-3, depth=depth, **USUAL).signal.std()
        for depth in (5e-6, 10e-6, 20e-6, 1e-3, math.inf)
    ]
    assert levels[0] < levels[1] < levels[2] < levels[3] == levels[4]
