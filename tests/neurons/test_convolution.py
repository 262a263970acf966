"""Sliding layers: the adjoint, lengths, agreement with the dense layer, what they refuse."""

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

import neurons as nr

BASE = {"in_features": 4, "out_features": 6, "kernel_size": 3}


def rngs():
    return nnx.Rngs(0)


# -- the adjoint --------------------------------------------------------------------------------

ADJOINTS = {  # input sizes of the convolution, kernel, options
    "plain": ((7,), 3, {"padding": 1}),
    "strided": ((7,), 3, {"strides": 2, "padding": 1}),
    "strided, one sample unread": ((8,), 3, {"strides": 2, "padding": 1, "output_padding": 1}),
    "two samples unread": ((9,), 2, {"strides": 3, "padding": 0, "output_padding": 1}),
    "SAME": ((8,), 4, {"strides": 2, "padding": "SAME"}),
    "SAME, odd total": ((9,), 4, {"strides": 3, "padding": "SAME"}),
    "SAME, kernel below stride": ((9,), 2, {"strides": 3, "padding": "SAME"}),
    "SAME, dilated": ((8,), 3, {"strides": 2, "padding": "SAME", "dilation": 3}),
    "VALID": ((9,), 3, {"strides": 2, "padding": "VALID"}),
    "lopsided": ((8,), 3, {"strides": 2, "padding": [(2, 1)], "output_padding": 0}),
    "padding beyond the kernel": ((5,), 2, {"padding": 3}),
    "dilated": ((9,), 3, {"padding": 2, "dilation": 2}),
    "grouped": ((7,), 3, {"padding": 1, "groups": 2}),
    "2-d": ((5, 6), (3, 2), {"strides": (2, 1), "padding": [1, (0, 1)], "groups": 2}),
    "2-d SAME": ((6, 4), (3, 2), {"strides": (3, 2), "padding": "SAME", "dilation": (1, 2)}),
    "3-d": ((3, 5, 2), (2, 3, 2), {"strides": (1, 2, 1), "padding": [1, 1, (1, 0)]}),
}


def adjoint_pair(kernel_size, options):
    """A convolution 4 -> 6 and the transposed one 6 -> 4 with the same weights."""
    forward = {name: v for name, v in options.items() if name != "output_padding"}
    free = {"bias": False, "dtype": jnp.float64}
    conv = twins.drawn(nr.Conv, nr.conventional, 4, 6, kernel_size, **forward, **free)
    back = twins.drawn(nr.ConvTranspose, nr.conventional, 6, 4, kernel_size, **options, **free)
    groups = conv.groups
    kernel = np.asarray(conv.kernel_r[...])
    split = kernel.reshape(*conv.window, 4 // groups, groups, 6 // groups)
    swapped = np.swapaxes(split, -3, -1)  # (*window, 6 / groups, groups, 4 / groups)
    back.kernel_r[...] = jnp.asarray(swapped.reshape(*conv.window, 6 // groups, 4))
    return conv, back


@pytest.mark.parametrize(("sizes", "kernel_size", "options"), ADJOINTS.values(), ids=ADJOINTS)
def test_transposed_convolution_is_the_adjoint(sizes, kernel_size, options):
    with twins.precision(jnp.float64):
        conv, back = adjoint_pair(kernel_size, options)
        x = twins.draw((*sizes, 4), jnp.float64)
        ax = np.asarray(conv(x))
        y = twins.draw(ax.shape, jnp.float64, seed=2)
        aty = np.asarray(back(y))
        assert aty.shape == x.shape
        inner = np.vdot(ax, y)
        assert np.vdot(x, aty) == pytest.approx(inner, rel=1e-12)
        assert np.vdot(x, aty[::-1]) != pytest.approx(inner, rel=1e-3)  # one sample off shows


def lengths(length, kernel, stride, dilation, padding, extra):
    options = {"strides": stride, "dilation": dilation, "padding": padding}
    layer = twins.drawn(
        nr.ConvTranspose, nr.conventional, 1, 1, kernel, output_padding=extra, **options
    )
    return layer(jnp.ones((length, 1))).shape[0]


@pytest.mark.parametrize(
    ("length", "kernel", "stride", "dilation", "padding", "extra"),
    [(5, 3, 1, 1, 0, 0), (5, 4, 2, 1, 1, 1), (4, 2, 3, 2, (0, 1), 2), (6, 3, 2, 2, (2, 1), 0)],
)
def test_transposed_length_follows_the_formula(length, kernel, stride, dilation, padding, extra):
    low, high = (padding, padding) if isinstance(padding, int) else padding
    expected = (length - 1) * stride - low - high + dilation * (kernel - 1) + 1 + extra
    given_padding = padding if isinstance(padding, int) else [padding]
    assert lengths(length, kernel, stride, dilation, given_padding, extra) == expected


@pytest.mark.parametrize(("kernel", "stride", "extra"), [(4, 2, 0), (2, 3, 0), (3, 3, 2)])
def test_same_transposed_length_is_a_multiple_of_the_stride(kernel, stride, extra):
    assert lengths(5, kernel, stride, 1, "SAME", extra) == 5 * stride + extra
    assert lengths(5, kernel, stride, 1, "VALID", 0) == 4 * stride + kernel


# -- special cases of one another ---------------------------------------------------------------


@pytest.mark.parametrize("neuron", [nr.quadratic, nr.quadralib_t1], ids=lambda n: n.name)
def test_groups_do_not_see_each_other(neuron):
    layer = twins.drawn(nr.Conv, neuron, 4, 6, 3, groups=2)
    x = twins.draw((5, 4))
    changed = np.abs(layer(x) - layer(x.at[:, 2:].multiply(2.0))).max(axis=0)
    np.testing.assert_array_equal(changed[:3], 0)
    assert changed[3:].min() > 1e-3


@given(shift=st.integers(-3, 3))
def test_convolution_commutes_with_shifts(shift):
    layer = twins.drawn(nr.Conv, nr.quadratic, 2, 4, 3, padding=0)
    x = jnp.pad(twins.draw((4, 2)), ((6, 6), (0, 0)))
    moved = layer(jnp.roll(x, shift, axis=0))
    np.testing.assert_array_equal(moved, jnp.roll(layer(x), shift, axis=0))


def test_padding_may_be_written_in_several_ways():
    x = twins.draw((7, 2))
    ways = [1, [1], [(1, 1)], "SAME"]
    layers = [twins.drawn(nr.Conv, nr.quadratic, 2, 4, 3, padding=way) for way in ways]
    for layer in layers:
        np.testing.assert_array_equal(layer(x), layers[0](x))


def test_patches_are_the_windows_channels_slow_taps_fast():
    layer = twins.drawn(nr.Conv, nr.quadratic, 2, 4, (2, 3), strides=(1, 2), padding=[1, 0])
    x = twins.draw((3, 5, 2))
    taps = twins.conv_taps((3, 5), (2, 3), (1, 2), ((1, 1), (0, 0)), (1, 1))
    expected = np.nan_to_num(twins.windows(x, taps))
    patches = layer.patches(x)
    np.testing.assert_allclose(patches, expected.reshape(patches.shape), rtol=1e-6)


@pytest.mark.parametrize("neuron", [nr.quadratic, nr.quadralib_t1], ids=lambda n: n.name)
def test_an_empty_batch_gives_an_empty_output(neuron):
    layer = twins.drawn(nr.Conv, neuron, **BASE)
    assert layer(jnp.ones((0, 5, 4))).shape == (0, 5, 6)


# -- what is refused ----------------------------------------------------------------------------

REFUSED = {
    "kernel_size must be at least 1, got 0": {"kernel_size": 0},
    r"kernel_size needs 1 to 3 values, got \(2, 2, 2, 2\)": {"kernel_size": (2, 2, 2, 2)},
    r"kernel_size needs 1 to 3 values, got \(\)": {"kernel_size": ()},
    "strides must be at least 1, got 0": {"strides": 0},
    "strides needs 1 values, got": {"strides": (1, 1)},
    "dilation must be at least 1, got -1": {"dilation": -1},
    "dilation needs 1 values, got": {"dilation": (1, 1)},
    "in_features must be at least 1, got 0": {"in_features": 0},
    "out_features must be at least 1, got 0": {"out_features": 0},
    "groups must be at least 1, got 0": {"groups": 0},
    "groups=3 must divide in_features=4": {"groups": 3},
    "groups=4 must divide .* out_features=6": {"groups": 4},
    "padding needs 1 sizes of at least 0, got -1": {"padding": -1},
    r"padding needs 1 sizes of at least 0, got \[\(0, -1\)\]": {"padding": [(0, -1)]},
    r"padding needs 1 sizes of at least 0, got \[1, 1\]": {"padding": [1, 1]},
    "padding must be .* got 'CIRCULAR'": {"padding": "CIRCULAR"},
    "init must be .* got 'normal'": {"init": "normal"},
    "relinear_fan_out.* dense layer only": {"init": "relinear_fan_out"},
}


@pytest.mark.parametrize("make", [nr.Conv, nr.ConvTranspose], ids=lambda m: m.__name__)
@pytest.mark.parametrize(("message", "options"), REFUSED.items(), ids=REFUSED)
def test_impossible_convolutions_are_refused(make, message, options, unchecked):
    with pytest.raises(ValueError, match=message):
        make(nr.quadratic, **(BASE | options), rngs=rngs())


@pytest.mark.parametrize("extra", [2, 3, (1, 1), -1])
def test_an_output_padding_of_a_stride_is_refused(extra):
    with pytest.raises(ValueError, match="output_padding"):
        nr.ConvTranspose(nr.quadratic, **BASE, strides=2, output_padding=extra, rngs=rngs())


def test_a_neuron_that_lifts_has_no_transposed_form():
    with pytest.raises(TypeError, match="quadralib_t1 has no transposed form"):
        nr.ConvTranspose(nr.quadralib_t1, **BASE, rngs=rngs())


def test_a_transposed_layer_has_no_patches():
    layer = twins.drawn(nr.ConvTranspose, nr.quadratic, **BASE)
    with pytest.raises(TypeError, match="no transposed form"):
        layer.patches(jnp.ones((5, 4)))


@pytest.mark.parametrize("neuron", [nr.quadratic, nr.quadralib_t1], ids=lambda n: n.name)
def test_an_input_shorter_than_the_window_is_refused(neuron):
    layer = twins.drawn(nr.Conv, neuron, **BASE, padding=1, dilation=3)
    assert layer(jnp.ones((5, 4))).shape == (1, 6)
    with pytest.raises(ValueError, match=r"an input of \(4,\) is shorter than the window \(3,\)"):
        layer(jnp.ones((4, 4)))


@pytest.mark.parametrize("make", [nr.Conv, nr.ConvTranspose], ids=lambda m: m.__name__)
def test_wrong_axes_are_refused(make):
    layer = twins.drawn(make, nr.quadratic, 4, 6, (3, 3))
    with pytest.raises(ValueError, match=r"2 spatial axes, channels\), got shape \(5, 4\)"):
        layer(jnp.ones((5, 4)))
    with pytest.raises(ValueError, match="expected in_features=4"):
        layer(jnp.ones((5, 5, 3)))


def test_sizes_may_be_numpy_integers(unchecked):
    plain = nr.Conv(nr.quadratic, 2, 4, (3,), strides=2, padding=1, rngs=nnx.Rngs(0))
    three, two, one = (np.int64(n) for n in (3, 2, 1))
    same = nr.Conv(nr.quadratic, 2, 4, three, strides=two, padding=one, rngs=nnx.Rngs(0))
    x = jnp.ones((1, 9, 2))
    np.testing.assert_array_equal(same(x), plain(x))
