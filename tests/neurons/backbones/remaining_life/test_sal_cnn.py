"""SAL-CNN and its relatives: the same answer record by record, memory, and where it may look."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from scipy.signal import ShortTimeFFT

import neurons as nr
from neurons.backbones.remaining_life import (
    SALCNN,
    Constant,
    LinearRMS,
    MeanLife,
    MultiScaleCNN,
    Standardiser,
    band_rows,
    log_spectrogram,
    stretches,
)
from neurons.explain import cam

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 6, 16, 4, 2)).astype(np.float32)
SMALL = {"widths": (4, 6), "records": 4}


def net(**options):
    made = SALCNN(**{**SMALL, "memory": 5, **options}, rngs=nnx.Rngs(0))
    made.eval()
    return made


@pytest.fixture(scope="module")
def whole():
    return net()


def test_the_spectrogram_is_scipys():
    signal = RNG.normal(size=2560)
    taper = (1 - np.cos(2 * np.pi * np.arange(256) / 256)) / 2
    stft = ShortTimeFFT(taper, 128, 25_600.0, phase_shift=None)
    theirs = stft.stft(signal)[:, stft.lower_border_end[1] : stft.upper_border_begin(2560)[1]]
    ours = log_spectrogram(jnp.asarray(signal, jnp.float32))
    assert ours.shape == theirs.shape == (129, 19)
    np.testing.assert_allclose(ours, np.log1p(np.abs(theirs)), atol=2e-5)


def test_the_spectrogram_is_resized_and_refuses_what_is_no_window():
    assert log_spectrogram(jnp.ones((3, 2, 2560)), size=(32, 4)).shape == (3, 2, 32, 4)
    for options in ({"window": 255}, {"hop": 0}, {"window": 4096}):
        with pytest.raises(ValueError, match="an even window"):
            log_spectrogram(jnp.ones(2560), **options)


def test_bands_of_equal_width_have_as_many_rows():
    low, high = (band_rows(band, 32, 25_600.0) for band in ((0.0, 3200.0), (9600.0, 12800.0)))
    assert low.sum() == high.sum() == 8
    assert low[:8].all()
    assert high[-8:].all()
    with pytest.raises(ValueError, match="holds none"):
        band_rows((13_000.0, 14_000.0), 32, 25_600.0)


def test_standardising_uses_each_frequency_and_channel():
    scale = np.arange(1, 17, dtype=np.float32)[:, None, None]
    records = RNG.normal(size=(50, 16, 4, 2)).astype(np.float32) * scale
    records[:, 3] = 7.0  # a row that never varies
    done = Standardiser.fit(records)(records)
    np.testing.assert_allclose(done.mean(axis=(0, 2)), 0, atol=1e-4)
    expected = np.ones((16, 2))
    expected[3] = 0
    np.testing.assert_allclose(done.std(axis=(0, 2)), expected, atol=1e-4)
    assert done.dtype == np.float32
    assert Standardiser.fit(records[:, :, 0]).mean.shape == (1, 2)
    with pytest.raises(ValueError, match="expected records"):
        Standardiser.fit(records[:0])


@pytest.mark.parametrize(
    "options", [{}, {"memory": 0}, {"attention": False}], ids=["whole", "no memory", "no attention"]
)
def test_along_a_stretch_it_answers_as_for_each_window(options):
    one = net(**options)
    windows = [one(jnp.asarray(X[:, at : at + 4]))[:, 0] for at in range(3)]
    np.testing.assert_allclose(one.along(jnp.asarray(X)), np.stack(windows, axis=1), atol=1e-6)


def test_the_memory_depends_on_the_order_of_records(whole):
    x = jnp.asarray(X[:, :4])
    order = x[:, jnp.array([2, 0, 1, 3])]  # the last record stays
    assert np.abs(whole(x) - whole(order)).max() > 1e-4
    plain = net(memory=0)
    np.testing.assert_array_equal(plain(x), plain(order))


def test_the_lstm_equals_its_equations(whole):
    """Gates i, f, g, o by hand, over four records from a carry of zeros."""
    x = jnp.asarray(X[:, :4])
    pooled = np.asarray(whole.features(x)).reshape(2, 4, -1, 6).mean(axis=2)
    c = h = np.zeros((2, 5))
    cell = whole.cell
    wide = [np.asarray(cell.dense_i.kernel[...]), np.asarray(cell.dense_h.kernel[...])]
    for lag in range(4):
        gates = pooled[:, lag] @ wide[0] + h @ wide[1] + np.asarray(cell.dense_h.bias[...])
        i, f, g, o = np.split(gates, 4, axis=1)
        c = 1 / (1 + np.exp(-f)) * c + 1 / (1 + np.exp(-i)) * np.tanh(g)
        h = 1 / (1 + np.exp(-o)) * np.tanh(c)
    by_hand = h @ np.asarray(whole.out.kernel[...]) + np.asarray(whole.out.bias[...])
    np.testing.assert_allclose(whole(x), by_hand, atol=1e-5)


def test_the_raw_network_takes_signals():
    one = net(raw=True)
    signals = jnp.asarray(RNG.normal(size=(2, 5, 256, 2)), jnp.float32)
    assert one.along(signals).shape == (2, 2)
    with pytest.raises(ValueError, match="samples, 2"):
        one(jnp.asarray(X))


def test_maps_of_all_records_can_be_cut_apart(whole):
    maps = cam(whole, jnp.asarray(X[:, :4]), 0, size=None, rectify=False, normalise="none")
    assert maps.shape == (2, 4 * 4, 1)
    one = whole.features(jnp.asarray(X[:, :4]))
    np.testing.assert_array_equal(whole.head(one), whole(jnp.asarray(X[:, :4])))


@pytest.mark.usefixtures("standard_promotion")
def test_it_learns_what_only_the_order_of_records_tells():
    """Rising against falling strength: the last record alone is the same for both."""
    rise = np.linspace(-1, 1, 4)
    rows = np.stack([np.r_[rise[:-1], 0], np.r_[-rise[:-1], 0]] * 16)
    x = rows[:, :, None, None, None] + RNG.normal(0, 0.1, (32, 4, 8, 4, 2))
    y = np.tile([1.0, 0.0], 16).astype(np.float32)[:, None]
    batches = nr.Batches((x.astype(np.float32), y), 32, 60)
    errors = {}
    for memory in (5, 0):
        start = SALCNN(widths=(4,), memory=memory, records=4, attention=False, rngs=nnx.Rngs(0))
        run = nr.fit(start, nr.squared_error, optax.adam(0.03), batches, key=jax.random.key(0))
        errors[memory] = float(run.losses[-1])
    assert errors[5] < 0.02
    assert errors[0] > 0.15


def test_the_multi_scale_network_sees_two_scales_of_the_last_record():
    one = MultiScaleCNN((16, 4), widths=(4, 6, 8), hidden=5, rngs=nnx.Rngs(0))
    one.eval()
    x = jnp.asarray(X)
    assert one.features(x).shape == (2, 4 * 1 * 6 + 2 * 1 * 8)
    np.testing.assert_allclose(one.along(x)[:, -1:], one(x), atol=1e-6)
    np.testing.assert_array_equal(one(x), one(x[:, -1:]))
    np.testing.assert_array_equal(one(x), one.head(one.features(x)))


@pytest.mark.parametrize("records", [1, 5, 12, 13, 40])
def test_stretches_answer_for_every_record_once_they_overlap(records):
    life = np.arange(records, dtype=np.float32)[:, None]
    parts, places = stretches(life, 4, 7, every=3)
    assert parts.shape[1:] == (7, 1)
    assert set(places.ravel().tolist()) == set(range(records))
    for part, place in zip(parts[..., 0], places, strict=True):
        np.testing.assert_array_equal(part[3:], place)  # the last of each window is its own place
        np.testing.assert_array_equal(part[:3], np.maximum(place[0] + np.arange(-3, 0), 0))


def test_baselines_do_what_they_say():
    strength = np.exp(np.linspace(0, 1, 50))
    wave = np.sin(2 * np.pi * np.arange(256) / 16) * np.sqrt(2)
    signals = strength[:, None, None] * np.stack([wave, wave[::-1] ** 3])
    share = np.linspace(0.9, 0.1, 50)
    line = LinearRMS.fit(signals, share)
    np.testing.assert_allclose(line(signals), share, atol=1e-6)
    assert line(np.zeros((1, 2, 256)))[0] in (0.0, 1.0)  # a dead sensor is no NaN
    assert Constant()(signals).tolist() == [0.5] * 50
    clock = MeanLife.fit([100.0, 300.0])
    assert clock(np.array([0.0, 50.0, 900.0])).tolist() == [1.0, 0.75, 0.0]


@pytest.mark.usefixtures("unchecked")
def test_bad_arguments_are_refused(whole):
    with pytest.raises(ValueError, match="memory from 0"):
        net(memory=-1)
    with pytest.raises(ValueError, match="at least two widths"):
        MultiScaleCNN((16, 4), widths=(4,), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="at least 4 records"):
        whole(jnp.asarray(X[:, :3]))
    with pytest.raises(ValueError, match="16, 4, 2"):
        MultiScaleCNN((16, 4), rngs=nnx.Rngs(0))(jnp.asarray(X[:, :, :8]))
    with pytest.raises(ValueError, match="look_back"):
        stretches(np.ones((3, 1)), 4, 3)
    with pytest.raises(ValueError, match="as many"):
        LinearRMS.fit(np.ones((3, 2, 8)), np.ones(2))
    with pytest.raises(ValueError, match="above 0"):
        MeanLife.fit([])
