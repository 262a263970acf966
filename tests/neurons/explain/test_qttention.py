"""Qttention: an identity, a loop over windows, and spectra that measure."""

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import neurons as nr
from neurons.explain import qttention as qtt

LAYERS = {  # make, arguments after the channels, sizes of the input
    "Dense": (nr.Dense, (), {}, ()),
    "Conv1d": (nr.Conv, (3,), {"padding": 1}, (7,)),
    "Conv1d strided": (nr.Conv, (3,), {"strides": 2, "dilation": 2, "groups": 2}, (7,)),
    "Conv2d": (nr.Conv, ((2, 3),), {"strides": (1, 2), "padding": [(0, 1), 1]}, (3, 4)),
    "Conv3d": (nr.Conv, ((2, 1, 2),), {"dilation": (1, 1, 2), "groups": 2}, (2, 2, 3)),
}
each_layer = pytest.mark.parametrize("name", LAYERS)


def layer_of(name, **options):
    make, arguments, more, sizes = LAYERS[name]
    layer = twins.drawn(make, nr.quadratic, 2, 4, *arguments, **more, **options)
    return layer, (2, *sizes, 2)


# -- the factorisation --------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "free"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(jnp.float32, 1e-5), (jnp.float64, 1e-12)], ids=["32", "64"]
)
@each_layer
def test_the_factorisation_is_an_identity(name, dtype, tolerance, bias):
    with twins.precision(dtype):
        layer, shape = layer_of(name, bias=bias, dtype=dtype)
        x = twins.draw(shape, dtype)
        factors = qtt.factorise(layer, x)
        expected = twins.float64(layer(x))
        assert twins.relative_error(factors.output(), expected) < tolerance
        without = factors._replace(bias=jnp.zeros_like(factors.bias)).output()
        assert twins.relative_error(without, expected) > 0.01  # planted fault


@pytest.mark.parametrize("name", ["Dense", "Conv1d strided"])
@given(data=st.data())
def test_the_factorisation_is_an_identity_for_any_values(name, data):
    layer, shape = layer_of(name)
    elements = st.floats(-100, 100, width=32)
    for variable in twins.parameters(layer).values():
        variable[...] = jnp.asarray(
            data.draw(arrays(np.float32, variable.shape, elements=elements))
        )
    x = data.draw(arrays(np.float32, shape, elements=elements))
    found, expected = qtt.factorise(layer, jnp.asarray(x)).output(), layer(jnp.asarray(x))
    # Rounding errors are relative to the largest term, which others may cancel.
    largest = 1 + max(np.abs(v[...]).max() for v in twins.parameters(layer).values())
    scale = largest**2 * (1 + np.abs(x).max()) ** 2 * x[0].size ** 2
    np.testing.assert_allclose(found, expected, atol=1e-6 * scale)


def test_a_dense_factorisation_equals_its_formula():
    layer, shape = layer_of("Dense")
    x = twins.draw(shape)
    factors = qtt.factorise(layer, x)
    p = {name: twins.float64(v[...]) for name, v in twins.parameters(layer).items()}
    w_r, w_g, w_b = p["kernel_r"], p["kernel_g"], p["kernel_b"]
    for i, one in enumerate(twins.float64(x)):
        np.testing.assert_allclose(factors.inputs[i], one[:, None])
        expected = one[:, None] * w_b + w_g * (one @ w_r)
        np.testing.assert_allclose(factors.qttention[i], expected, rtol=1e-5, atol=1e-6)
    bias = w_g * p["bias_r"] + w_r * p["bias_g"]
    np.testing.assert_allclose(factors.bias, bias, rtol=1e-5, atol=1e-6)
    constant = p["bias_r"] * p["bias_g"] + p["bias_b"]
    np.testing.assert_allclose(factors.constant, constant, rtol=1e-5)


# -- the map ------------------------------------------------------------------------------------

MAPS = {  # kernel, options, length, of 4 input and 6 output channels
    "plain": (3, {"padding": 1}, 8),
    "strided": (4, {"strides": 2, "padding": 3}, 9),
    "end unread": (3, {"strides": 2, "padding": 0}, 8),
    "kernel below stride": (2, {"strides": 3, "padding": 0}, 9),
    "dilated": (3, {"dilation": 2, "strides": 3, "padding": [(1, 2)]}, 9),
    "grouped": (3, {"groups": 2, "padding": 1}, 8),
    "SAME": (4, {"strides": 3, "padding": "SAME"}, 10),
    "SAME, dilated": (3, {"dilation": 3, "padding": "SAME", "strides": 2}, 8),
    "one window": (8, {"padding": 0}, 8),
}


def map_layer(name, neuron=nr.quadratic):
    kernel, options, length = MAPS[name]
    return twins.drawn(nr.Conv, neuron, 4, 6, kernel, **options), twins.draw((2, length, 4))


def looped_map(layer, x, options, overlap):
    """Window by window, sample by sample, for one signal `(length, channels)`."""
    w_r, w_g, w_b = (twins.float64(getattr(layer, f"kernel_{name}")[...]) for name in "rgb")
    length, kernel = len(x), layer.window[0]
    stride, dilation = options.get("strides", 1), options.get("dilation", 1)
    padding = options["padding"]
    if padding == "SAME":
        low, high = twins.same_padding(length, kernel, stride, dilation)
    else:
        low, high = (padding, padding) if isinstance(padding, int) else padding[0]
    padded = np.pad(x, ((low, high), (0, 0)))
    groups = options.get("groups", 1)
    found = np.zeros((len(padded), layer.out_features))
    for o in range(layer.out_features):
        share = x.shape[1] // groups
        first = o // (layer.out_features // groups) * share
        mine = padded[:, first : first + share]
        total, count = np.zeros(len(padded)), np.zeros(len(padded))
        for start in range(0, len(padded) - dilation * (kernel - 1), stride):
            samples = [start + k * dilation for k in range(kernel)]
            window = mine[samples]
            response = (window * w_r[..., o]).sum()
            qttention = (window * w_b[..., o] + w_g[..., o] * response).sum(axis=1)
            for sample, value in zip(samples, qttention, strict=True):
                total[sample] += value
                if overlap == "recursive" and count[sample]:
                    total[sample] /= 2
                count[sample] += 1
        found[:, o] = total if overlap == "recursive" else total / np.maximum(count, 1)
    return found[low : low + length]


@pytest.mark.parametrize("overlap", ["uniform", "recursive"])
@pytest.mark.parametrize("name", MAPS)
def test_the_raw_map_equals_a_loop_over_windows(name, overlap):
    layer, x = map_layer(name)
    expected = [looped_map(layer, one, MAPS[name][1], overlap) for one in twins.float64(x)]
    assert twins.relative_error(qtt.raw_map(layer, x, overlap=overlap), np.stack(expected)) < 1e-5


@pytest.mark.parametrize("name", ["plain", "grouped"])
def test_the_two_ways_to_average_differ(name):
    layer, x = map_layer(name)
    uniform, recursive = (qtt.raw_map(layer, x, overlap=o) for o in ("uniform", "recursive"))
    assert twins.relative_error(uniform, recursive) > 0.01


@pytest.mark.parametrize("channel", [None, 0, 5])
def test_the_map_is_the_modulus_of_the_slope(channel):
    layer, x = map_layer("plain")
    raw = np.asarray(qtt.raw_map(layer, x))
    slopes = np.abs(np.gradient(raw, axis=1))
    expected = slopes.mean(axis=2) if channel is None else slopes[..., channel]
    found = qtt.qttention_map(layer, x, channel=channel)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("length", [24, 20, 8, 3])
def test_maps_are_resampled_to_the_nearest_sample_before(length):
    layer, x = map_layer("plain")
    own = np.asarray(qtt.qttention_map(layer, x))
    picked = [int(np.floor(i * own.shape[1] / length)) for i in range(length)]
    np.testing.assert_array_equal(qtt.qttention_map(layer, x, length=length), own[:, picked])


def test_the_maps_of_a_model_are_those_of_its_layers_at_their_inputs():
    class Model:
        def layer_inputs(self, signals):
            return [map_layer("plain"), map_layer("strided")]

    signals = jnp.zeros((2, 18, 1))
    maps = qtt.qttention_maps(Model(), signals, channel=1, overlap="recursive")
    for found, name in zip(maps, ("plain", "strided"), strict=True):
        layer, x = map_layer(name)
        expected = qtt.qttention_map(layer, x, channel=1, overlap="recursive", length=18)
        np.testing.assert_array_equal(found, expected)


# -- spectra ------------------------------------------------------------------------------------

SAMPLES = 256


def sine(line, amplitude=1.0, samples=SAMPLES):
    t = np.arange(samples) / samples
    return jnp.asarray(amplitude * np.sin(2 * np.pi * line * t), jnp.float32)


@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES - 1])
def test_the_envelope_is_that_of_the_analytic_signal(samples):
    x = np.random.default_rng(0).normal(size=(2, samples)) + 3
    expected = np.abs(scipy.signal.hilbert(x - x.mean(axis=1, keepdims=True), axis=1))
    found = qtt.envelope(jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    with twins.precision(jnp.float64):
        np.testing.assert_allclose(qtt.envelope(jnp.asarray(x)), expected, rtol=1e-10, atol=1e-12)


@given(amplitude=st.floats(0.01, 100), line=st.integers(1, SAMPLES // 2 - 1))
def test_a_sine_is_one_line_of_its_amplitude(amplitude, line):
    spectrum = np.asarray(qtt.amplitude_spectrum(sine(line, amplitude) + 7))
    expected = np.zeros(SAMPLES // 2 + 1)
    expected[line] = amplitude
    np.testing.assert_allclose(spectrum, expected, atol=1e-5 * max(amplitude, 7))


def test_an_envelope_spectrum_shows_the_modulation():
    modulated = (1 + 0.5 * sine(8)) * sine(60)
    spectrum = np.asarray(qtt.envelope_spectrum(modulated))
    expected = np.zeros(SAMPLES // 2 + 1)
    expected[8] = 0.5
    np.testing.assert_allclose(spectrum, expected, atol=1e-5)


# -- concentration: 1 Hz between lines, fault at 10 Hz ------------------------------------------


def test_a_tone_at_the_fault_is_all_of_the_energy():
    assert float(qtt.concentration(qtt.amplitude_spectrum(sine(10)), 1.0, 10.0)) > 0.9999


def test_a_tone_elsewhere_in_the_band_is_none_of_it():
    assert float(qtt.concentration(qtt.amplitude_spectrum(sine(15)), 1.0, 10.0)) < 1e-6


@pytest.mark.parametrize(("resolution", "fault"), [(1.0, 10.0), (0.5, 5.3), (2.0, 20.5)])
@pytest.mark.parametrize("harmonics", [1, 3])
def test_a_flat_spectrum_scores_the_share_of_the_lines(resolution, fault, harmonics):
    lines = np.arange(129)
    band = [k for k in lines if 0.5 * fault <= k * resolution <= (harmonics + 0.5) * fault]
    near = {round(h * fault / resolution) + d for h in range(1, harmonics + 1) for d in (-1, 0, 1)}
    expected = len(near & set(band)) / len(band)
    found = float(qtt.concentration(jnp.ones(129), resolution, fault, harmonics=harmonics))
    assert found == pytest.approx(expected, rel=1e-6)


def test_energy_outside_the_band_does_not_count():
    spectrum = jnp.zeros(129).at[jnp.asarray([2, 10, 15, 100])].set(jnp.asarray([9.0, 1, 2, 9]))
    assert float(qtt.concentration(spectrum, 1.0, 10.0)) == pytest.approx(1 / 5)


def test_an_impulse_train_concentrates_at_its_own_frequency_only():
    train = jnp.zeros(1000).at[::100].set(1.0)  # ten impulses in a second of 1 kHz
    spectrum = qtt.amplitude_spectrum(train)
    assert float(qtt.concentration(spectrum, 1.0, 10.0)) > 0.99
    assert float(qtt.concentration(spectrum, 1.0, 14.0)) < 0.01


def test_a_silent_spectrum_scores_zero_row_by_row():
    spectra = jnp.stack([jnp.zeros(129), qtt.amplitude_spectrum(sine(10))])
    np.testing.assert_allclose(qtt.concentration(spectra, 1.0, 10.0), [0, 1], atol=1e-4)


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("explain", [qtt.factorise, qtt.raw_map, qtt.qttention_map])
def test_other_neurons_are_refused(explain):
    layer, x = map_layer("plain", nr.compact)
    with pytest.raises(
        ValueError, match="qttention belongs to the quadratic neuron, got 'compact'"
    ):
        explain(layer, x)


def test_a_transposed_layer_is_refused():
    layer = twins.drawn(nr.ConvTranspose, nr.quadratic, 2, 4, 3)
    with pytest.raises(TypeError, match="no transposed form"):
        qtt.factorise(layer, jnp.ones((2, 5, 2)))


@pytest.mark.parametrize("name", ["Dense", "Conv2d"])
def test_maps_of_other_than_one_axis_are_refused(name, unchecked):
    layer, shape = layer_of(name)
    with pytest.raises(ValueError, match=f"over one axis, got {type(layer).__name__}"):
        qtt.raw_map(layer, jnp.ones(shape))


def test_an_unknown_overlap_is_refused(unchecked):
    layer, x = map_layer("plain")
    with pytest.raises(ValueError, match='overlap must be "uniform" or "recursive", got \'mean\''):
        qtt.raw_map(layer, x, overlap="mean")


@pytest.mark.parametrize("channel", [-1, 6])
def test_a_channel_that_does_not_exist_is_refused(channel):
    layer, x = map_layer("plain")
    with pytest.raises(ValueError, match=rf"channel must lie in \[0, 6\), got {channel}"):
        qtt.qttention_map(layer, x, channel=channel)


@pytest.mark.parametrize(("fault", "harmonics"), [(5.9, 3), (40.0, 3), (10.0, 0), (-10.0, 3)])
def test_a_band_that_does_not_fit_the_spectrum_is_refused(fault, harmonics):
    message = rf"a fault at {fault} Hz with {harmonics} harmonics does not fit"
    with pytest.raises(ValueError, match=message):
        qtt.concentration(jnp.ones(129), 1.0, fault, harmonics=harmonics)
    assert 0 < float(qtt.concentration(jnp.ones(129), 1.0, 36.0, harmonics=3)) < 1
