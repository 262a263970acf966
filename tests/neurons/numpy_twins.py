"""The neurons once more, in float64 NumPy, written from the formulas alone.

Only names and shapes of parameters are taken from the library. A layer's twin collects the window
of inputs behind every output, flattens it (channels slow, taps fast) and applies the formula.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

# w(r) is a weight vector of length n, b(r) a number, x one window.
FORMULAS = {
    "conventional": lambda x, w, b: w("r") @ x + b("r"),
    "quadratic": lambda x, w, b: (
        (w("r") @ x + b("r")) * (w("g") @ x + b("g", 1)) + w("b") @ x**2 + b("b")
    ),
    "compact": lambda x, w, b: w("r") @ x + w("b") @ x**2 + b("r"),
    "product_only": lambda x, w, b: (w("r") @ x + b("r")) * (w("g") @ x + b("g", 1)),
    "power_only": lambda x, w, b: w("b") @ x**2 + b("b"),
    "qres": lambda x, w, b: (w("r") @ x) * (w("g") @ x) + w("r") @ x + b("c"),
    "quadralib_t1": lambda x, w, b: x @ w("b").reshape(len(x), len(x)) @ x + b("c"),
    "quadralib_t2": lambda x, w, b: w("b") @ x**2 + b("c"),
    "quadralib_t3": lambda x, w, b: (w("r") @ x) ** 2 + b("c"),
    "quadralib_t4": lambda x, w, b: (w("r") @ x) * (w("g") @ x) + b("c"),
    "quadralib": lambda x, w, b: (w("r") @ x) * (w("g") @ x) + w("b") @ x + b("c"),
}

# Parameters per neuron with n inputs, with biases and without; multiplications.
COSTS = {
    "conventional": lambda n: (n + 1, n, n),
    "quadratic": lambda n: (3 * n + 3, 3 * n, 3 * n + 1),
    "compact": lambda n: (2 * n + 1, 2 * n, 2 * n),
    "product_only": lambda n: (2 * n + 2, 2 * n, 2 * n + 1),
    "power_only": lambda n: (n + 1, n, n),
    "qres": lambda n: (2 * n + 1, 2 * n, 2 * n + 1),
    "quadralib_t1": lambda n: (n * n + 1, n * n, n * n),
    "quadralib_t2": lambda n: (n + 1, n, n),
    "quadralib_t3": lambda n: (n + 1, n, n + 1),
    "quadralib_t4": lambda n: (2 * n + 1, 2 * n, 2 * n + 1),
    "quadralib": lambda n: (3 * n + 1, 3 * n, 3 * n + 1),
}


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
    """`(*positions, channels, *taps)` of one example `(*sizes, channels)`; zeros outside."""
    taps = list(taps)
    found = np.zeros((*map(len, taps), x.shape[-1], *(len(rows[0]) for rows in taps)))
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
    values = {name: float64(v[...]) for name, v in parameters(layer).items()}
    positions = seen.shape[: seen.ndim - axes - 1]
    found = np.zeros((*positions, layer.out_features))
    share, per_group = seen.shape[len(positions)] // groups, layer.out_features // groups
    for position in np.ndindex(*positions):
        for o in range(layer.out_features):
            group = o // per_group
            x = seen[position][group * share : (group + 1) * share].ravel()

            def weights(name, o=o, group=group):
                kernel = values[f"kernel_{name}"]
                if layer.neuron.name == "quadralib_t1":
                    return kernel[group, :, o % per_group]
                return np.moveaxis(kernel[..., o], -1, 0).ravel()

            def bias(name, silent=0.0, o=o):
                return values[f"bias_{name}"][o] if f"bias_{name}" in values else silent

            found[(*position, o)] = FORMULAS[layer.neuron.name](x, weights, bias)
    return found


def relative_error(found, expected):
    """Largest deviation, over the largest value."""
    found, expected = float64(found), float64(expected)
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / np.abs(expected).max()


def precision(dtype):
    """A context in which `dtype` exists."""
    return jax.enable_x64(jnp.dtype(dtype) == jnp.float64)
