"""How many dimensions the functions of an architecture fill.

The parameters of a network map to its function; the image is the functional variety, and its
dimension is the rank that the derivative of this map has at almost every point. A network of 57
parameters whose variety has dimension 39 spends 18 of them on symmetries.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

import neurons as nr

Kind = Literal["conventional z^2", "quadratic", "product_only", "compact"]
KINDS: tuple[Kind, ...] = ("conventional z^2", "quadratic", "product_only", "compact")

_NEURONS: Mapping[Kind, nr.Neuron] = {
    "conventional z^2": nr.conventional,
    "quadratic": nr.quadratic,
    "product_only": nr.product_only,
    "compact": nr.compact,
}
# Singular values this far below the largest may be rounding; above it they never are.
_SUSPECT = 1e-8


@dataclass(frozen=True)
class Variety:
    """Dimension of a functional variety.

    Args:
        dimension: generic rank of d(function)/d(parameters).
        parameters: how many parameters the architecture has.
        gap: the last singular value counted over the first one dropped, where nothing dropped
            counts as machine precision; below about 1e3 the decision is unsafe. Infinite for
            exact arithmetic.
    """

    dimension: int
    parameters: int
    gap: float = math.inf


class PolynomialNetwork(nnx.Module):
    """Hidden layers of polynomial neurons and a linear readout, without a kink.

    The conventional neuron squares its pre-activation, all others leave it as it is; the last of
    the widths is a linear layer with bias. For `(3, 2, 1)` that are 11 parameters (conventional)
    or 27 (quadratic).

    Args:
        kind: which neuron.
        widths: of the input, of every hidden layer, of the output.
        rngs: source of the `params` key.

    Raises:
        ValueError: for an unknown kind, or fewer than three widths.

    Example:
        >>> net = PolynomialNetwork("quadratic", (3, 2, 1), rngs=nnx.Rngs(0))
        >>> net(jnp.ones(3)).shape
        (1,)
    """

    def __init__(self, kind: Kind, widths: Sequence[int], *, rngs: nnx.Rngs) -> None:
        if kind not in _NEURONS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
        check_widths(widths)
        neuron = _NEURONS[kind]
        self.squares = neuron is nr.conventional
        *hidden, last = [*widths]
        self.hidden = nnx.List(
            nr.Dense(neuron, n, m, init="common", rngs=rngs) for n, m in itertools.pairwise(hidden)
        )
        self.readout = nnx.Linear(hidden[-1], last, rngs=rngs)

    def __call__(self, x: Float[Array, "*batch in_features"]) -> Float[Array, "*batch out"]:
        """The polynomial at `x`."""
        for layer in self.hidden:
            x = jnp.square(layer(x)) if self.squares else layer(x)
        return self.readout(x)


def check_widths(widths: Sequence[int]) -> None:
    """Raise ValueError unless there is an input, a hidden layer and an output, all above 0."""
    if len(widths) < 3 or min(widths) < 1:
        raise ValueError(f"widths needs an input, hidden layers, an output above 0: {widths}")


def variety_dimension(
    model: Callable[..., Array],
    parameters: Any = None,
    *,
    in_features: int,
    key: Array,
    draws: int = 3,
) -> Variety:
    """Dimension of the functional variety of any architecture.

    The rank of `J[i, p] = d f(theta, x_i) / d theta_p` at random parameters theta and more points
    x_i than parameters, all standard normal, in float64: the rank is decided at the largest gap
    between consecutive singular values, among those below 1e-8 of the largest. A random draw can
    lose rank but never gain it, so the largest of several draws counts.

    Args:
        model: an `nnx.Module`, or a function `f(parameters, x)` of one point `x` `(in_features,)`.
        parameters: pytree of arrays, whose shapes alone count; left out for a module.
        in_features: size of a point.
        key: of the random draws.
        draws: how many.

    Returns:
        Dimension, number of parameters, and the gap that decided.

    Raises:
        TypeError: for a function without parameters.

    References:
        J. Kileel, M. Trager, J. Bruna, On the Expressive Power of Deep Polynomial Neural
        Networks, NeurIPS 2019, arXiv 1905.12207.

    Example:
        >>> line = lambda p, x: p["a"] * p["b"] * x  # two parameters, one dimension
        >>> start = {"a": jnp.ones(()), "b": jnp.ones(())}
        >>> variety_dimension(line, start, in_features=1, key=jax.random.key(0)).dimension
        1
    """
    function, parameters = _as_function(model, parameters)
    with jax.enable_x64(True):
        doubled = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, jnp.float64), parameters)
        flat, restore = ravel_pytree(doubled)
        jacobian = _jacobian(lambda theta, x: function(restore(theta), x), flat.size, in_features)
        decided = [_decide(jacobian(k)) for k in jax.random.split(key, draws)]
    dimension, gap = max(decided)
    return Variety(dimension, flat.size, gap)


def _as_function(model: Any, parameters: Any) -> tuple[Callable[..., Array], Any]:
    if not isinstance(model, nnx.Module):
        if parameters is None:
            raise TypeError("a function needs its parameters: variety_dimension(f, parameters, ..)")
        return model, parameters
    graph, weights, rest = nnx.split(model, nnx.Param, ...)  # type: ignore[misc]
    return (lambda theta, x: nnx.merge(graph, theta, rest)(x)), weights


def _jacobian(
    function: Callable[[Array, Array], Array], parameters: int, in_features: int
) -> Callable[[Array], Array]:
    """From a key to the matrix of derivatives, one row per random point and output."""

    @jax.jit
    def matrix(key: Array) -> Array:
        first, second = jax.random.split(key)
        theta = jax.random.normal(first, (parameters,), jnp.float64)
        points = jax.random.normal(second, (parameters + 8, in_features), jnp.float64)
        rows = jax.vmap(jax.jacrev(function), (None, 0))(theta, points)
        return rows.reshape(-1, parameters)

    return matrix


def _decide(jacobian: Array) -> tuple[int, float]:
    """Rank and gap; rows and columns are scaled to length one, which leaves the rank alone."""
    matrix = _normalised(_normalised(np.asarray(jacobian)).T)
    values = np.linalg.svd(matrix, compute_uv=False)
    if values[0] == 0:
        return 0, math.inf
    floor = np.finfo(float).eps * values[0]
    gaps = np.maximum(values, floor) / np.maximum(np.append(values[1:], 0.0), floor)
    suspect = np.append(values[1:], 0.0) < _SUSPECT * values[0]
    rank = int(np.argmax(np.where(suspect, gaps, 0.0))) + 1
    return rank, float(gaps[rank - 1])


def _normalised(matrix: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(lengths == 0, 1.0, lengths)


def ambient_dimension(d: int, degree: int) -> int:
    """Dimension of all polynomials of `degree` in `d` variables: C(d + degree, degree)."""
    return math.comb(d + degree, degree)


def variety_formula(kind: str, d: int, k: int) -> int:
    """Dimension of the variety of one hidden layer with a scalar output, in closed form.

    With A = C(d+2, 2), all polynomials of degree two:
    "conventional z^2": min(A, k(2d-k+3)/2 + 1) for k <= d+1, sums of k squares;
    "product_only": min(A, k(2d-2k+3) + 1) for 2k <= d+1, symmetric matrices of rank 2k;
    "quadratic": min(A, k(2d-2k+3) + 1 + d) for 2k <= d+1, those and a diagonal;
    "compact": 2d+1, whatever k.

    Args:
        kind: which neuron.
        d: inputs.
        k: neurons.

    Raises:
        ValueError: for an unknown kind, sizes below 1, or a width outside the formula's range.

    Example:
        >>> variety_formula("conventional z^2", 8, 2), variety_formula("quadratic", 8, 2)
        (18, 39)
    """
    if d < 1 or k < 1:
        raise ValueError(f"d and k must be at least 1, got {d} and {k}")
    if kind == "compact":
        return 2 * d + 1
    formulas: Mapping[str, tuple[int, int]] = {
        "conventional z^2": (d + 1, k * (2 * d - k + 3) // 2 + 1),
        "product_only": ((d + 1) // 2, k * (2 * d - 2 * k + 3) + 1),
        "quadratic": ((d + 1) // 2, k * (2 * d - 2 * k + 3) + 1 + d),
    }
    if kind not in formulas:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    widest, dimension = formulas[kind]
    if k > widest:
        raise ValueError(f"{kind} with d={d}: the formula holds up to k={widest}, got {k}")
    return min(ambient_dimension(d, 2), dimension)


def parameter_count(kind: Kind, widths: Sequence[int]) -> int:
    """Parameters of a :class:`PolynomialNetwork`: its neurons' and the readout's."""
    check_widths(widths)
    hidden = sum(m * _NEURONS[kind].parameters(n) for n, m in itertools.pairwise(widths[:-1]))
    return hidden + (widths[-2] + 1) * widths[-1]
