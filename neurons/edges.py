"""Neurons that are sums of one-dimensional functions, one per input: `sum_j phi_j(x_j)`.

Each function is a combination of fixed basis functions, which widen the input; the layer is
linear in its weights.
"""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from scipy.interpolate import BSpline

from neurons.neuron import Branch, Neuron
from neurons.options import require
from neurons.quadratic import add, free, linear, offset


def b_splines(
    x: Float[Array, "*batch n"], grid: int, degree: int, low: float, high: float
) -> Float[Array, "*batch features"]:
    """The `grid + degree` B-splines of each input on uniform knots.

    Cox-de Boor recursion over `grid` intervals of [low, high], extended by `degree` knots on
    either side, beyond which all are zero.

    Args:
        x: inputs.
        grid: intervals between `low` and `high`.
        degree: of the splines.
        low: first inner knot.
        high: last inner knot.

    Returns:
        The `grid + degree` values of each input, side by side.
    """
    step = (high - low) / grid
    place = (x[..., None] - low) / step + degree  # in knot intervals, counted from the first knot
    knot = jnp.arange(grid + 2 * degree, dtype=x.dtype).reshape(*(1,) * x.ndim, -1)
    basis = ((place >= knot) & (place < knot + 1)).astype(x.dtype)
    for k in range(1, degree + 1):
        knot = knot[..., :-1]
        basis = (place - knot) / k * basis[..., :-1] + (knot + k + 1 - place) / k * basis[..., 1:]
    return basis.reshape(*x.shape[:-1], -1)


def fourier_features(
    x: Float[Array, "*batch n"], frequencies: int
) -> Float[Array, "*batch features"]:
    """`cos(p pi x), sin(p pi x)` for p = 1 ... frequencies, side by side for each input."""
    p = jnp.arange(1, frequencies + 1, dtype=x.dtype).reshape(*(1,) * x.ndim, -1)
    angle = jnp.pi * p * x[..., None]
    features = jnp.concatenate([jnp.cos(angle), jnp.sin(angle)], axis=-1)
    return features.reshape(*x.shape[:-1], -1)


def chebyshev_features(x: Float[Array, "*batch n"], degree: int) -> Float[Array, "*batch features"]:
    """`T_1(x) ... T_degree(x)`, side by side for each input."""
    found = [jnp.ones_like(x), x]
    for _ in range(degree - 1):
        found.append(2 * x * found[-1] - found[-2])
    return jnp.stack(found[1:], axis=-1).reshape(*x.shape[:-1], -1)


@lru_cache
def kan(grid: int = 5, degree: int = 3, low: float = -1.0, high: float = 1.0) -> Neuron:
    """Kolmogorov-Arnold edges: a B-spline and a SiLU per input.

    Args:
        grid: intervals between `low` and `high`, at least 1.
        degree: of the splines, at least 1.
        low: where the splines begin.
        high: where they end; beyond, the SiLU remains.

    Raises:
        ValueError: for a grid or degree below 1, or `low >= high`.
    """
    require("grid", grid)
    require("degree", degree)
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    knots = low + (high - low) / grid * np.arange(-degree, grid + degree + 1)

    def spline(x: float, coefficients: np.ndarray) -> float:
        pieces = (knots[p : p + degree + 2] for p in range(grid + degree))
        values = [BSpline.basis_element(piece, extrapolate=False)(x) for piece in pieces]
        return float(coefficients @ np.nan_to_num(values))

    return Neuron(
        "kan",
        "sum_j [u_j silu(x_j) + sum_p c_jp B_p(x_j)]",
        (
            free("u", of=jax.nn.silu),
            free("c", group="spline", of=partial(_splines, grid, degree, low, high)),
        ),
        add,
        plain=lambda x, w, b: sum(
            u * v / (1 + np.exp(-v)) + spline(v, c) for v, u, c in zip(x, w.u, w.c, strict=True)
        ),
        size=f"{grid + degree + 1}n",
        work=f"{grid + degree + 1}n",
        reference="Z. Liu et al., KAN: Kolmogorov-Arnold networks, arXiv 2404.19756",
    )


def _splines(grid: int, degree: int, low: float, high: float, x: Array) -> Array:
    return b_splines(x, grid, degree, low, high)


@lru_cache
def fourier(frequencies: int = 2) -> Neuron:
    """A Fourier series of period 2 per input; `frequencies` >= 1."""
    require("frequencies", frequencies)
    p = np.arange(1, frequencies + 1)
    return Neuron(
        "fourier",
        "sum_j sum_p [a_jp cos(p pi x_j) + b_jp sin(p pi x_j)] + c",
        (free("r", of=partial(fourier_features, frequencies=frequencies)), offset),
        add,
        plain=lambda x, w, b: (
            sum(
                w.r[j, :frequencies] @ np.cos(p * np.pi * x[j])
                + w.r[j, frequencies:] @ np.sin(p * np.pi * x[j])
                for j in range(len(x))
            )
            + b.c
        ),
        size=f"{2 * frequencies}n + 1",
        work=f"{2 * frequencies}n",
        reference="A. Silvescu, Fourier neural networks, IJCNN 1999; one series per edge",
    )


@lru_cache
def chebyshev(degree: int = 3) -> Neuron:
    """A Chebyshev series per input; `degree` >= 1."""
    require("degree", degree)
    return Neuron(
        "chebyshev",
        "sum_j sum_p c_jp T_p(x_j) + b",
        (free("r", of=partial(chebyshev_features, degree=degree)), offset),
        add,
        plain=lambda x, w, b: (
            sum(np.polynomial.chebyshev.chebval(v, [0, *c]) for v, c in zip(x, w.r, strict=True))
            + b.c
        ),
        size=f"{degree}n + 1",
        work=f"{degree}n",
        reference="Chebyshev polynomial-based KAN, arXiv 2405.07200; without its tanh",
    )


trigonometric = Neuron(
    "trigonometric",
    "w.x + u.sin(x) + v.cos(x) + b",
    (
        linear,
        Branch("s", group="trigonometric", of=jnp.sin, bias=False, anchor=0.0),
        Branch("c", group="trigonometric", of=jnp.cos, bias=False, anchor=0.0),
    ),
    add,
    degenerate="conventional",
    plain=lambda x, w, b: w.r @ x + w.s @ np.sin(x) + w.c @ np.cos(x) + b.r,
    size="3n + 1",
    work="3n",
    reference="trigonometric inner transforms (TTNN), arXiv 2510.20142; our reading",
)

FAMILY = (kan(), fourier(), chebyshev(), trigonometric)
