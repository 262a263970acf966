"""The neurons once more, in float64 NumPy, written from the formulas alone.

Names and shapes of parameters, and each neuron's `plain` formula, are taken from the library. A
layer's twin collects the window of inputs behind every output, flattens it (channels slow, taps
fast) and applies the formula.
"""

import itertools
import math
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


def float64(variable):
    return np.asarray(variable, np.float64)


def parameters(layer):
    """The layer's parameters by name."""
    return {name: v for name, v in vars(layer).items() if isinstance(v, nnx.Param)}


def drawn(make, *arguments, seed=0, **options):
    """A layer with all parameters drawn at random, so that no branch is silent.

    The layer is made abstractly: its own start would be compiled, shape by shape.
    """
    layer = nnx.eval_shape(lambda: make(*arguments, **options, rngs=nnx.Rngs(0)))
    rng = np.random.default_rng(seed)
    for _, variable in sorted(parameters(layer).items()):
        variable.set_value(jnp.asarray(rng.normal(size=variable.shape), variable.dtype))
    return layer


def draw(shape, dtype=np.float32, seed=1):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), dtype)


def same_padding(length, kernel, stride, dilation):
    """Zeros (low, high) that give ceil(length / stride) outputs."""
    total = (-(-length // stride) - 1) * stride + dilation * (kernel - 1) + 1 - length
    return max(total, 0) // 2, max(total, 0) - max(total, 0) // 2


def conv_taps(sizes, window, strides, padding, dilation):
    """Output sizes, and the input sample (or None) behind each (output, tap), per axis."""
    for n, k, s, p, d in zip(sizes, window, strides, padding, dilation, strict=True):
        low, high = same_padding(n, k, s, d) if p == "SAME" else p
        outputs = (n + low + high - d * (k - 1) - 1) // s + 1
        sample = [[o * s + t * d - low for t in range(k)] for o in range(outputs)]
        yield [[i if 0 <= i < n else None for i in row] for row in sample]


def transposed_taps(sizes, window, strides, padding, dilation, extra):
    """The same for the adjoint: input i reaches outputs i * stride + tap * dilation - low."""
    for n, k, s, p, d, e in zip(sizes, window, strides, padding, dilation, extra, strict=True):
        low, high = same_padding(n * s, k, s, d) if p == "SAME" else p
        outputs = (n * s if p == "SAME" else (n - 1) * s - low - high + d * (k - 1) + 1) + e
        table = [[None] * k for _ in range(outputs)]
        for i, t in itertools.product(range(n), range(k)):
            if 0 <= i * s + t * d - low < outputs:
                table[i * s + t * d - low][t] = i
        yield table


def windows(x, taps):
    """`(*positions, channels, *taps)` of one example `(*sizes, channels)`; NaN outside."""
    taps = list(taps)
    found = np.full((*map(len, taps), x.shape[-1], *(len(rows[0]) for rows in taps)), np.nan)
    for position in np.ndindex(*map(len, taps)):
        rows = [axis[p] for axis, p in zip(taps, position, strict=True)]
        for tap in np.ndindex(*map(len, rows)):
            sample = tuple(row[t] for row, t in zip(rows, tap, strict=True))
            if None not in sample:
                found[(*position, slice(None), *tap)] = x[sample]
    return found


def output(layer, seen, groups=1):
    """The layer's formula on windows `(*positions, channels, *taps)`, one neuron at a time."""
    axes = len(layer.window)
    positions = seen.shape[: seen.ndim - axes - 1]
    found = np.zeros((*positions, layer.out_features))
    share, per_group = seen.shape[len(positions)] // groups, layer.out_features // groups
    neurons = [own_parameters(layer, o, o // per_group, share) for o in range(layer.out_features)]
    for position in np.ndindex(*positions):
        for o, (w, b, rows) in enumerate(neurons):
            group = o // per_group
            x = seen[position][group * share : (group + 1) * share].ravel()
            present, x = ~np.isnan(x), np.nan_to_num(x)
            if notices_absence(layer.neuron):  # an input outside is none, rather than a zero
                x = x[present]
                w = SimpleNamespace(
                    **{k: v[present] if k in rows else v for k, v in vars(w).items()}
                )
            found[(*position, o)] = layer.neuron.plain(x, w, b)
    return found


def notices_absence(neuron):
    """Whether an input of zero counts for something."""
    zero = np.zeros(1, np.float32)
    return any(
        branch.compare
        or (branch.of and branch.lift is None and np.any(branch.of(jnp.asarray(zero))))
        for branch in neuron.branches
    )


def own_parameters(layer, o, group, channels):
    """Weights and biases of neuron `o` by branch, and which weights have a row per input."""
    values = {name: float64(v[...]) for name, v in parameters(layer).items()}
    axes, n = len(layer.window), math.prod(layer.window) * channels
    per_group, w, b, rows = layer.out_features // layer.groups, {}, {}, set()
    for branch in layer.neuron.branches:
        unit, kernel = (group if branch.shared else o), values.get(f"kernel_{branch.name}")
        silent = np.full(branch.values(n), branch.anchor or 0.0)
        bias = values.get(f"bias_{branch.name}")
        b[branch.name] = silent if bias is None else bias[unit]
        if kernel is None:
            continue
        if not branch.reads_input:
            w[branch.name] = kernel[unit]
        elif branch.lift is not None:
            w[branch.name] = kernel[group, :, o % per_group]
        else:
            own = np.take(kernel, unit, axis=axes + 1)  # (*window, channels * features, *shape)
            own = own.reshape(*layer.window, channels, -1, *own.shape[axes + 1 :])
            own = np.moveaxis(own, axes, 0).reshape(n, *own.shape[axes + 1 :])
            w[branch.name] = own[:, 0] if own.shape[1] == 1 else own
            rows.add(branch.name)
    centre = np.ravel_multi_index([(k - 1) // 2 for k in layer.window], layer.window) if axes else 0
    w["i"] = o % per_group * math.prod(layer.window) + int(centre)
    return SimpleNamespace(**w), SimpleNamespace(**b), rows


def relative_error(found, expected):
    """Largest deviation, over the largest value."""
    found, expected = float64(found), float64(expected)
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / np.abs(expected).max()


def precision(dtype):
    """A context in which `dtype` exists."""
    return jax.enable_x64(jnp.dtype(dtype) == jnp.float64)
