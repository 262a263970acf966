"""Qttention: the attention that a quadratic neuron pays to its own input.

A quadratic neuron factorises without remainder (constants written out),

    q(x) = <x, Qtt(x) + bias> + constant,
    Qtt(x) = x * w_b + w_g (x . w_r),   bias = w_g b_r + w_r b_g,   constant = b_r b_g + c,

so that `Qtt` weighs the input like an attention and depends on it, while `bias` does not. In a
convolution every window has its own Qtt; averaging where windows overlap gives a map along the
signal, whose impacts can be compared with a bearing's fault frequencies.

References:
    J.-X. Liao et al., Attention-embedded Quadratic Network (Qttention) for Effective and
    Interpretable Bearing Fault Diagnosis, arXiv 2206.00390, 2023.
"""

from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from neurons.convolution import Conv
from neurons.layer import Dense, Layer
from neurons.quadratic import quadratic

Overlap = Literal["uniform", "recursive"]


class Factors(NamedTuple):
    """The parts of the factorisation, for every neuron of a layer.

    Args:
        inputs: `(*batch, *positions, inputs, out_features)` what each neuron sees; the last axis
            has length 1 unless the layer is grouped.
        qttention: same shape, `out_features` on the last axis; depends on the input.
        bias: `(inputs, out_features)`; does not.
        constant: `(out_features,)`.
    """

    inputs: Array
    qttention: Array
    bias: Array
    constant: Array

    def output(self) -> Float[Array, "*batch out_features"]:
        """`<x, Qtt(x) + bias> + constant`, equal to the layer's output."""
        weights = self.qttention + jnp.broadcast_to(self.bias, self.qttention.shape)
        inner = jnp.sum(self.inputs * weights, axis=-2)
        return inner + jnp.broadcast_to(self.constant, inner.shape)


def factorise(layer: Layer, x: Float[Array, "*batch in_features"]) -> Factors:
    """Factorise a quadratic `Dense` or `Conv` layer at the input `x`.

    Args:
        layer: of the neuron `neurons.quadratic`.
        x: the layer's input, channels last.

    Returns:
        The factors; `factorise(layer, x).output()` equals `layer(x)`.

    Raises:
        ValueError: for another neuron.
        TypeError: for a layer without windows (`ConvTranspose`).

    Example:
        >>> from flax import nnx
        >>> layer = Dense(quadratic, 4, 3, rngs=nnx.Rngs(0))
        >>> x = jnp.ones((2, 4))
        >>> bool(jnp.allclose(factorise(layer, x).output(), layer(x)))
        True
    """
    _require_quadratic(layer)
    patches = layer.patches(x)  # (*batch, *positions, groups, inputs)
    seen = jnp.moveaxis(patches, -2, -1)[..., :, :, None]  # (..., inputs, groups, 1)
    # Outputs of one group share its patch: (inputs, groups, out_features / groups).
    w_r, w_g, w_b = (_by_group(layer, name) for name in "rgb")
    b_r, b_g, c = (_offset(layer, name) for name in "rgb")
    response = jnp.einsum("...gn,ngo->...go", patches, w_r)
    raw = jnp.einsum("...gn,ngo->...ngo", patches, w_b)
    raw += jnp.einsum("...go,ngo->...ngo", response, w_g)
    flat = (*raw.shape[:-2], layer.out_features)
    n = w_r.shape[0]
    w_r, w_g = w_r.reshape(n, -1), w_g.reshape(n, -1)
    repeated = jnp.broadcast_to(seen, raw.shape).reshape(flat) if layer.groups > 1 else seen[..., 0]
    bias = w_g * b_r[None, :] + w_r * b_g[None, :]
    return Factors(repeated, raw.reshape(flat), bias, b_r * b_g + c)


def raw_map(
    layer: Conv, x: Float[Array, "batch length channels"], *, overlap: Overlap = "uniform"
) -> Float[Array, "batch length out_features"]:
    """Qtt of every window of a 1-d convolution, laid over the input's time axis.

    Each sample of the map averages the Qtt of the windows that cover it, summed over the input
    channels. No loop over windows or samples.

    Args:
        layer: quadratic 1-d convolution.
        x: the layer's own input.
        overlap: "uniform" weighs all windows at a sample alike; "recursive" is the authors' running
            average, in which every later window counts as much as all earlier ones together.

    Returns:
        One map per output channel, in the input's unit times the kernel's.

    Raises:
        ValueError: for another neuron, more than one axis, or an unknown `overlap`.
    """
    _require_quadratic(layer)
    if not isinstance(layer, Conv) or len(layer.window) != 1:
        raise ValueError(f"maps are for convolutions over one axis, got {type(layer).__name__}")
    if overlap not in ("uniform", "recursive"):
        raise ValueError(f'overlap must be "uniform" or "recursive", got {overlap!r}')
    batch, length, channels = x.shape
    groups, stride = layer.groups, layer.strides[0]
    w_r, w_g, w_b = (getattr(layer, f"kernel_{name}")[...] for name in "rgb")
    response = layer.linear_map(x, w_r)  # (batch, windows, out_features)
    low = _low_padding(layer, length)
    tap, weights = _cover(
        response.shape[1], layer.window[0], stride, layer.dilation[0], overlap == "uniform"
    )
    blocks, shifts, _ = weights.shape
    weight = jnp.asarray(weights, x.dtype)
    # x * w_b: all windows at a sample multiply the same x, so their kernels average beforehand.
    own = jnp.einsum("jmr,mrco->jrco", weight, _at_tap(w_b, tap))
    own = own.reshape(blocks, stride, channels // groups, groups, -1)
    framed = _frame(x, low, blocks * stride)
    framed = framed.reshape(batch, blocks, stride, groups, channels // groups)
    found = jnp.einsum("bjrgc,jrcgo->bjrgo", framed, own)
    found = found.reshape(batch, blocks, stride, layer.out_features)
    # w_g (x . w_r): window j - m reaches block j with its m-th stretch of taps. Slices of one
    # padded array fuse into a single loop; one padding per shift takes three times as long.
    spread = jnp.einsum("jmr,mro->mjro", weight, _at_tap(w_g.sum(axis=1), tap))
    padded = _frame(response, shifts - 1, shifts - 1 + blocks)
    for shift in range(shifts):
        start = shifts - 1 - shift
        found += padded[:, start : start + blocks, None] * spread[shift][None]
    return _frame(found.reshape(batch, blocks * stride, -1), -low, length)


def qttention_map(
    layer: Conv,
    x: Float[Array, "batch length channels"],
    *,
    overlap: Overlap = "uniform",
    channel: int | None = None,
    length: int | None = None,
) -> Float[Array, "batch samples"]:
    """The published map: `|gradient along time of the raw map|`, in one curve per signal.

    Args:
        layer: as for :func:`raw_map`.
        x: as for :func:`raw_map`.
        overlap: as for :func:`raw_map`.
        channel: an output channel (the authors take 0); by default the mean over all of them.
        length: nearest-neighbour resampling to so many samples, to lay maps of deeper layers over
            the signal; by default the layer's own.

    Returns:
        Non-negative map per signal.

    Raises:
        ValueError: for a channel that does not exist; else as :func:`raw_map`.
    """
    if channel is not None and not 0 <= channel < layer.out_features:
        raise ValueError(f"channel must lie in [0, {layer.out_features}), got {channel}")
    raw = raw_map(layer, x, overlap=overlap)
    chosen = raw if channel is None else raw[..., channel : channel + 1]
    found = _steepness(chosen)
    if length is None:
        return found
    return found[:, np.arange(length) * found.shape[1] // length]


def qttention_maps(
    model: Any,
    signals: Float[Array, "batch length channels"],
    *,
    overlap: Overlap = "uniform",
    channel: int | None = None,
) -> Float[Array, "layers batch length"]:
    """The maps of all quadratic convolutions of a model, each at its true input.

    Args:
        model: offers `layer_inputs(signals)`, the pairs (layer, its input), like
            `neurons.backbones.qttention.BearingNet`; in evaluation mode.
        signals: what the model is given.
        overlap: as for :func:`raw_map`.
        channel: as for :func:`qttention_map`.

    Returns:
        Maps resampled to the signals' length, first layer first.
    """
    length = signals.shape[1]
    return jnp.stack(
        [
            qttention_map(layer, x, overlap=overlap, channel=channel, length=length)
            for layer, x in model.layer_inputs(signals)
        ]
    )


def envelope(signal: Float[Array, "*batch samples"]) -> Float[Array, "*batch samples"]:
    """Modulus of the analytic signal of the mean-free signal."""
    samples = signal.shape[-1]
    centred = signal - signal.mean(axis=-1, keepdims=True)
    spectrum = jnp.fft.fft(centred, axis=-1)
    gain = np.zeros(samples, np.float32)
    gain[0] = 1
    gain[1 : (samples + 1) // 2] = 2
    if samples % 2 == 0:
        gain[samples // 2] = 1
    gains = jnp.broadcast_to(jnp.asarray(gain, signal.dtype), signal.shape)
    return jnp.abs(jnp.fft.ifft(spectrum * gains.astype(spectrum.dtype), axis=-1))


def amplitude_spectrum(
    signal: Float[Array, "*batch samples"],
) -> Float[Array, "*batch frequencies"]:
    """Single-sided amplitude of the mean-free signal; a sine of amplitude A gives a line A."""
    samples = signal.shape[-1]
    centred = signal - signal.mean(axis=-1, keepdims=True)
    return jnp.abs(jnp.fft.rfft(centred, axis=-1)) * (2 / samples)


def envelope_spectrum(
    signal: Float[Array, "*batch samples"],
) -> Float[Array, "*batch frequencies"]:
    """Amplitude spectrum of the envelope; line k lies at `k * rate / samples` Hz."""
    return amplitude_spectrum(envelope(signal))


def concentration(
    spectrum: Float[Array, "*batch frequencies"],
    resolution: float,
    fault_hz: float,
    *,
    harmonics: int = 3,
) -> Float[Array, "*batch"]:
    """How much of a spectrum's energy sits at a fault frequency and its harmonics.

    The energy within one line of `h * fault_hz`, `h = 1 .. harmonics`, over the energy between
    half the fault frequency and half a fault frequency beyond the last harmonic. A flat spectrum
    scores the share of the lines, about `3 resolution / fault_hz`.

    Args:
        spectrum: amplitudes from 0 Hz on.
        resolution: distance of two lines, Hz: rate / samples.
        fault_hz: the fault frequency, Hz.
        harmonics: how many are counted.

    Returns:
        Share in [0, 1]; 0 for a silent spectrum.

    Raises:
        ValueError: if the band leaves the spectrum, or its harmonics cannot be told apart.
    """
    last = (harmonics + 0.5) * fault_hz / resolution
    if harmonics < 1 or fault_hz / resolution < 6 or last > spectrum.shape[-1] - 1:
        raise ValueError(
            f"a fault at {fault_hz} Hz with {harmonics} harmonics does not fit a spectrum of "
            f"{spectrum.shape[-1]} lines of {resolution} Hz: 6 lines per harmonic are needed"
        )
    lines = np.arange(spectrum.shape[-1])
    band = (lines >= 0.5 * fault_hz / resolution) & (lines <= last)
    centres = np.arange(1, harmonics + 1) * fault_hz / resolution
    near = band & (np.abs(lines[:, None] - np.rint(centres)) <= 1).any(axis=1)
    energy = jnp.square(spectrum)
    total = jnp.sum(energy[..., band], axis=-1)
    inside = jnp.sum(energy[..., near], axis=-1)
    return jnp.where(
        total > 0, inside / jnp.where(total > 0, total, jnp.ones_like(total)), 0 * total
    )


def _steepness(x: Float[Array, "batch length channels"]) -> Float[Array, "batch length"]:
    """Mean over channels of `|numpy.gradient|` along time.

    The ends join after the mean: joined to the slopes, as in `jnp.gradient`, they keep XLA from
    fusing, and the map takes four times as long on CPU.
    """
    if x.shape[1] < 2:
        raise ValueError(f"a slope needs at least 2 samples, got {x.shape[1]}")
    inner, first, last = (x[:, 2:] - x[:, :-2]) / 2, x[:, 1:2] - x[:, :1], x[:, -1:] - x[:, -2:-1]
    parts = [jnp.abs(slope).mean(axis=-1) for slope in (first, inner, last)]
    return jnp.concatenate(parts, axis=1)


def _require_quadratic(layer: Layer) -> None:
    if layer.neuron != quadratic:
        raise ValueError(f"qttention belongs to the quadratic neuron, got {layer.neuron.name!r}")


def _by_group(layer: Layer, name: str) -> Float[Array, "inputs groups out"]:
    """A kernel in the order of the patches: channels slow, taps fast."""
    kernel = getattr(layer, f"kernel_{name}")[...]
    if isinstance(layer, Dense):
        return kernel[:, None, :]
    by_channel = jnp.moveaxis(kernel, -2, 0)
    return by_channel.reshape(-1, layer.groups, layer.out_features // layer.groups)


def _offset(layer: Layer, name: str) -> Float[Array, " out_features"]:
    return jnp.broadcast_to(layer.offset(name), (layer.out_features,))


def _low_padding(layer: Conv, length: int) -> int:
    """Zeros before the first sample."""
    if isinstance(layer.padding, str):
        reach = layer.dilation[0] * (layer.window[0] - 1) + 1
        windows = -(-length // layer.strides[0])
        return max((windows - 1) * layer.strides[0] + reach - length, 0) // 2
    return layer.padding[0][0]


def _at_tap(kernel: Array, tap: np.ndarray) -> Array:
    """The kernel's rows at the taps of :func:`_cover`; -1 picks a row that has weight 0."""
    return kernel[jnp.asarray(np.maximum(tap, 0))]


def _frame(x: Array, low: int, length: int) -> Array:
    """`length` samples of axis 1 from `-low` on, zeros outside."""
    config = [(0, 0, 0)] * x.ndim
    config[1] = (low, length - low - x.shape[1], 0)
    return lax.pad(x, jnp.zeros((), x.dtype), config)


@lru_cache(maxsize=64)
def _cover(
    windows: int, kernel: int, stride: int, dilation: int, uniform: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Which tap of which window falls on each padded sample, and with which weight.

    Sample `j * stride + r` is met by window `j - m` with tap `k`, where `k * dilation` is
    `m * stride + r`.

    Returns:
        `(shifts, stride)` the tap k of (m, r), -1 for none; `(blocks, shifts, stride)` the weight
        of window j - m at sample (j, r), 0 for none.
    """
    reach = np.arange(kernel) * dilation
    tap = np.full((reach[-1] // stride + 1, stride), -1)
    tap[reach // stride, reach % stride] = np.arange(kernel)
    window = np.arange(windows + len(tap) - 1)[:, None] - np.arange(len(tap))
    meets = ((window >= 0) & (window < windows))[:, :, None] & (tap >= 0)
    count = meets.sum(axis=1, keepdims=True)
    if uniform:
        return tap, meets / np.maximum(count, 1)
    # Earlier windows have larger m. Each window after the first halves the sum, itself included.
    rank = meets[:, ::-1].cumsum(axis=1)[:, ::-1] - 1
    return tap, np.where(meets, 0.5 ** (count - np.maximum(rank, 1.0)), 0.0)
