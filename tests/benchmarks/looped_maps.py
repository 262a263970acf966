"""The authors' way to Qttention maps: one window after another, in NumPy."""

import numpy as np


def looped_map(x, w_r, w_g, w_b, stride, padding, length):
    """Map `(length,)` of one sample `(length, channels)`: all output channels, uniform averages."""
    kernel = len(w_r)
    padded = np.pad(x, ((padding, padding), (0, 0)))
    total, count = np.zeros((len(padded), w_r.shape[-1]), x.dtype), np.zeros((len(padded), 1))
    for start in range(0, len(padded) - kernel + 1, stride):
        window = padded[start : start + kernel]
        response = np.tensordot(window, w_r, 2)
        # (taps, channels, outputs), summed over the input channels
        total[start : start + kernel] += (window[:, :, None] * w_b + w_g * response).sum(axis=1)
        count[start : start + kernel] += 1
    raw = (total / np.maximum(count, 1))[padding : padding + len(x)]
    return _resampled(np.abs(np.gradient(raw, axis=0)).mean(axis=1), length)


def every_channel_map(x, w_r, w_g, w_b, stride, padding, length):
    """The published loop, one output channel at a time, for all of them; uniform averages."""
    curves = [
        looped_map(x, *(w[..., o : o + 1] for w in (w_r, w_g, w_b)), stride, padding, length)
        for o in range(w_r.shape[-1])
    ]
    return np.mean(curves, axis=0)


def one_channel_map(x, w_r, w_g, w_b, stride, padding, length):
    """As published: the first input and output channel, running averages of two."""
    kernel = len(w_r)
    padded = np.pad(x[:, 0], padding)
    w_r, w_g, w_b = w_r[:, 0, 0], w_g[:, 0, 0], w_b[:, 0, 0]
    raw = np.zeros_like(padded)
    for start in range(0, len(padded) - kernel + 1, stride):
        window = padded[start : start + kernel]
        raw[start : start + kernel] += window * w_b + w_g * (window @ w_r)
        if start > 0:
            raw[start : start - stride + kernel] /= 2
    raw = raw[padding : padding + len(x)]
    return _resampled(np.abs(np.gradient(raw)), length)


def looped_maps(pairs, length, one=looped_map):
    """Maps `(layers, batch, length)` from the pairs (layer, its input `(batch, ...)`)."""
    maps = []
    for layer, inputs in pairs:
        kernels = [np.asarray(getattr(layer, f"kernel_{name}")[...]) for name in "rgb"]
        low, _ = layer.padding[0]
        place = (layer.strides[0], low, length)
        maps.append([one(x, *kernels, *place) for x in np.asarray(inputs)])
    return np.array(maps)


def _resampled(curve, length):
    return curve[np.arange(length) * len(curve) // length]
