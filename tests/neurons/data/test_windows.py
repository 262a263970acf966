import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurons.data.bearings import SKF_6205, Recording, Records
from neurons.data.windows import (
    Protocol,
    add_noise,
    random_windows,
    split,
    time_split,
    windows,
)

LENGTH = 9000
SMALL = Protocol(snr_db=None, train_windows=90, test_windows=30, window=100, stride=7)


def rng():
    return np.random.default_rng(0)


def counting(classes=3):
    """Records whose samples are their own index, so that a window shows where it came from."""
    recordings = tuple(
        Recording(f"ball_{k}", np.arange(LENGTH) + 1.0, 12e3, 30.0, "ball", 1e-4)
        for k in range(classes)
    )
    return Records("counting", recordings, SKF_6205, "made up", simulated=True)


def used(part, label):
    """The samples of one class that occur in a split's windows."""
    return set(np.unique(part.x[part.y == label]).astype(int))


def shared(one, other, label=0):
    return len(used(one, label) & used(other, label))


@settings(deadline=None)
@given(st.lists(st.floats(0.05, 1), min_size=1, max_size=6))
def test_time_split_keeps_every_sample_in_order(weights):
    signal = np.arange(1000.0)
    shares = np.array(weights) / sum(weights)
    parts = time_split(signal, shares)
    np.testing.assert_array_equal(np.concatenate(parts), signal)
    np.testing.assert_allclose([len(part) for part in parts], 1000 * shares, atol=1)


@pytest.mark.parametrize("fractions", [(), (0.5,), (1.0, 0.0), (1.5, -0.5), (math.nan,), 1.0])
def test_shares_that_are_none_are_refused(fractions):
    with pytest.raises(ValueError, match="allowed: above 0, with the sum 1"):
        time_split(np.arange(9.0), fractions)


def test_empty_part_is_refused():
    with pytest.raises(ValueError, match="2 samples are too few"):
        time_split(np.arange(2.0), (1 / 3, 1 / 3, 1 / 3))


@settings(deadline=None)
@given(snr_db=st.floats(-40, 40), level=st.floats(1e-6, 1e6), seed=st.integers(0, 2**32))
def test_noise_has_the_ratio_asked_for(snr_db, level, seed):
    signal = level * (np.sin(np.arange(50_000.0)) + 0.3)
    noise = add_noise(signal, snr_db, np.random.default_rng(seed)) - signal
    measured = 10 * np.log10(np.mean(signal**2) / np.mean(noise**2))
    assert measured == pytest.approx(snr_db, abs=0.2)


@pytest.mark.parametrize("snr_db", [None, math.inf])
def test_no_noise_is_an_equal_copy(snr_db):
    signal = np.arange(5.0)
    clean = add_noise(signal, snr_db, rng())
    np.testing.assert_array_equal(clean, signal)
    assert not np.shares_memory(clean, signal)


@pytest.mark.parametrize("snr_db", [math.nan, -math.inf, "6", 1e6, True, 6 + 0j, [6.0]])
def test_unknown_ratio_lists_the_allowed(snr_db):
    with pytest.raises(ValueError, match="allowed: a number from -300 to 300 dB, or None or inf"):
        add_noise(np.ones(3), snr_db, rng())
    with pytest.raises(ValueError, match="snr_db"):
        Protocol(snr_db=snr_db)


@pytest.mark.parametrize("signal", [np.zeros(5), np.zeros(0)])
def test_silence_has_no_ratio(signal):
    with pytest.raises(ValueError, match="power 0"):
        add_noise(signal, 6.0, rng())


@settings(deadline=None)
@given(starts=st.lists(st.integers(0, 90), min_size=4, max_size=4))
def test_windows_equal_their_slices(starts):
    signal = np.arange(100.0) ** 2
    found = windows(signal, 10, np.array(starts))
    np.testing.assert_array_equal(found, [signal[s : s + 10] for s in starts])


@pytest.mark.parametrize(("length", "starts"), [(101, []), (10, [91]), (10, [-1]), (0, [0])])
def test_window_beyond_the_signal_is_refused(length, starts):
    with pytest.raises(ValueError, match="allowed"):
        windows(np.arange(100.0), length, np.array(starts, dtype=int))


def test_bursts_are_the_papers():
    signal = np.arange(20_000.0)
    first = random_windows(signal, 200, rng=rng())[:, 0].astype(int)
    assert first.shape == (200,)
    heads = first[::73]
    assert ((heads >= 0) & (heads < 20_000 - 4096)).all()
    np.testing.assert_array_equal(first, (heads[:, None] + 28 * np.arange(73)).ravel()[:200])


@pytest.mark.parametrize(
    "change", [{"count": 0}, {"length": 501}, {"length": 500}, {"stride": 0}, {"burst": 99}]
)
def test_impossible_draw_is_refused(change):
    arguments = {"count": 5, "rng": rng(), "length": 100, "stride": 10} | change
    with pytest.raises(ValueError, match="allowed"):
        random_windows(np.arange(1000.0), **arguments)


@pytest.mark.parametrize("validation", ["leaky", "leak_free"])
def test_counts_types_and_balance(validation):
    parts = split(counting(), replace(SMALL, validation=validation), seed=1)
    for part, count in zip(parts, (60, 30, 30), strict=True):
        assert part.x.shape == (3 * count, 100, 1)
        assert (part.x.dtype, part.y.dtype) == (np.float32, np.int32)
        np.testing.assert_array_equal(part.y, np.repeat([0, 1, 2], count))


def test_defaults_are_500_250_250_windows_of_2048():
    protocol = Protocol()
    assert protocol.snr_db == -6.0
    recording = replace(counting().recordings[0], signal=np.sin(np.arange(121_000.0)))
    parts = split(Records("one", (recording,), SKF_6205, "", simulated=True), protocol, seed=0)
    assert [part.x.shape for part in parts] == [(n, 2048, 1) for n in (500, 250, 250)]


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_leak_free_shares_no_sample_and_leaky_does(seed):
    # The leaky split is the planted fault: the same bookkeeping must find its overlap.
    free = split(counting(), SMALL, seed)
    leaky = split(counting(), replace(SMALL, validation="leaky"), seed)
    for label in range(3):
        assert shared(free.train, free.valid, label) == 0
        assert shared(leaky.train, leaky.valid, label) > 500
        for parts in (free, leaky):
            assert max(used(parts.train, label) | used(parts.valid, label)) <= 2 * LENGTH // 3
            assert min(used(parts.test, label)) > 2 * LENGTH // 3
    np.testing.assert_array_equal(free.test.x, leaky.test.x)


def test_seed_decides_everything():
    noisy = replace(SMALL, snr_db=0.0)
    one, same, other = (split(counting(), noisy, seed) for seed in (5, 5, 6))
    for a, b, c in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(a.x, b.x)
        assert not np.array_equal(a.x, c.x)


def test_test_windows_do_not_depend_on_the_training():
    noisy = replace(SMALL, snr_db=-6.0)
    parts = [split(counting(), replace(noisy, train_windows=n), 5) for n in (30, 300)]
    np.testing.assert_array_equal(parts[0].test.x, parts[1].test.x)
    assert not np.array_equal(parts[0].test.x[:30], parts[0].test.x[30:60])  # streams differ


def test_noise_of_train_and_test_follows_each_parts_power():
    loud = np.where(np.arange(LENGTH) < 2 * LENGTH // 3, 1.0, 10.0)
    records = Records(
        "steps", (replace(counting().recordings[0], signal=loud),), SKF_6205, "", simulated=True
    )
    parts = split(records, replace(SMALL, snr_db=0.0, test_windows=300), seed=0)
    assert parts.train.x.std() == pytest.approx(1.0, rel=0.1)
    assert parts.test.x.std() == pytest.approx(10.0, rel=0.1)


def test_standardised_windows_have_no_level_to_tell_them_by():
    loud, quiet = (replace(r, signal=k * np.sin(r.signal)) for k, r in enumerate(
        counting(2).recordings, start=1))  # fmt: skip
    records = Records("levels", (loud, quiet), SKF_6205, "", simulated=True)
    plain = split(records, SMALL, seed=0).test
    assert np.ptp(plain.x.std(axis=1)) > 0.5
    for part in split(records, replace(SMALL, standardise=True), seed=0):
        np.testing.assert_allclose(part.x.mean(axis=1), 0, atol=1e-6)
        np.testing.assert_allclose(part.x.std(axis=1), 1, rtol=1e-5)
    flat = replace(records, recordings=(replace(loud, signal=np.ones(LENGTH)),))
    with pytest.raises(ValueError, match="'ball_0': a window of equal samples"):
        split(flat, replace(SMALL, standardise=True), seed=0)


def test_long_window_names_record_window_and_length():
    with pytest.raises(ValueError, match=r"'ball_0': window of 2000 samples, signal of 3000"):
        split(counting(), replace(SMALL, window=2000), seed=0)


@pytest.mark.parametrize(
    "change",
    [
        {"validation": "none"},
        {"train_windows": 2},
        {"test_windows": 0},
        {"window": 2.5},
        {"stride": True},
    ],
)
def test_impossible_protocol_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(SMALL, **change)
