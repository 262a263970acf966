"""Exact ranks: linear algebra and polynomial networks over a prime field.

A float decides a rank by a gap between singular values; a prime field knows no rounding. At a
random point of the field the Jacobian of a polynomial network has its generic rank, except with a
probability below (degree of a minor) / prime, about 1e-6 here (Schwartz, Zippel); it never has
more.
"""

from collections.abc import Sequence

import numpy as np

from theory.varieties import Kind, Variety, check_widths, parameter_count

PRIME = 2**29 - 3
# Sums of this many products of residues stay below 2**63.
_WIDEST = 31


def modular_rank(matrix: np.ndarray) -> int:
    """Rank of an integer matrix over the field of :data:`PRIME` elements.

    At most the rank over the rationals, and equal to it unless the prime divides all its largest
    minors.

    Args:
        matrix: `(rows, columns)` of integers.

    Example:
        >>> modular_rank(np.array([[1, 2], [2, 4]]))
        1
    """
    rows = np.array(np.asarray(matrix) % PRIME, dtype=np.int64)
    rank = 0
    for column in range(rows.shape[1]):
        found = np.flatnonzero(rows[rank:, column])
        if found.size == 0:
            continue
        rows[[rank, rank + found[0]]] = rows[[rank + found[0], rank]]
        pivot = rows[rank] * pow(int(rows[rank, column]), -1, PRIME) % PRIME
        rows[rank] = pivot
        rows[rank + 1 :] = (rows[rank + 1 :] - rows[rank + 1 :, column, None] * pivot) % PRIME
        rank += 1
        if rank == rows.shape[0]:
            break
    return rank


def polynomial_variety(kind: Kind, widths: Sequence[int], *, draws: int = 2) -> Variety:
    """Dimension of the variety of a :class:`theory.varieties.PolynomialNetwork`, exactly.

    Derivatives are carried forward beside values, all modulo a prime. The draws come from a
    generator with a fixed seed, so that the answer is a function of its arguments.

    Args:
        kind: which neuron.
        widths: of the input, of every hidden layer, of the output; at most 31.
        draws: random points; the largest rank counts.

    Raises:
        ValueError: for an unknown kind or impossible widths.

    Example:
        >>> polynomial_variety("quadratic", (8, 2, 1))
        Variety(dimension=39, parameters=57, gap=inf)
    """
    check_widths(widths)
    if max(widths) > _WIDEST:
        raise ValueError(f"widths above {_WIDEST} would overflow, got {widths}")
    generator = np.random.default_rng(0)
    parameters = parameter_count(kind, widths)
    ranks = [modular_rank(_jacobian(kind, widths, parameters, generator)) for _ in range(draws)]
    return Variety(max(ranks), parameters)


class _Dual:
    """Values `(points, width)` and derivatives `(points, width, parameters)` modulo the prime."""

    def __init__(self, value: np.ndarray, slope: np.ndarray) -> None:
        self.value, self.slope = value % PRIME, slope % PRIME

    def __add__(self, other: "_Dual") -> "_Dual":
        return _Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: "_Dual") -> "_Dual":
        left = self.value[..., None] * other.slope % PRIME
        right = other.value[..., None] * self.slope % PRIME
        return _Dual(self.value * other.value, left + right)


class _Weights:
    """Deals out random weights and remembers which parameter each one is."""

    def __init__(self, parameters: int, generator: np.random.Generator) -> None:
        self.values = generator.integers(0, PRIME, parameters)
        self.used = 0

    def linear(self, x: _Dual, width: int, *, bias: bool = True) -> _Dual:
        """`x W + b`, with the derivatives by W and b."""
        places = self._take(x.value.shape[1] * width).reshape(-1, width)
        kernel = self.values[places]
        slope = np.einsum("nip,io->nop", x.slope, kernel) % PRIME
        value = x.value @ kernel
        for neuron in range(width):
            slope[:, neuron, places[:, neuron]] += x.value
        if bias:
            offsets = self._take(width)
            value = value % PRIME + self.values[offsets]
            slope[:, np.arange(width), offsets] += 1
        return _Dual(value, slope)

    def _take(self, count: int) -> np.ndarray:
        self.used += count
        return np.arange(self.used - count, self.used)


def _jacobian(
    kind: Kind, widths: Sequence[int], parameters: int, generator: np.random.Generator
) -> np.ndarray:
    weights = _Weights(parameters, generator)
    points = generator.integers(0, PRIME, (parameters + 8, widths[0]))
    x = _Dual(points, np.zeros((*points.shape, parameters), dtype=np.int64))
    for width in widths[1:-1]:
        x = _layer(kind, weights, x, width)
    return weights.linear(x, widths[-1]).slope.reshape(-1, parameters)


def _layer(kind: Kind, weights: _Weights, x: _Dual, width: int) -> _Dual:
    z = weights.linear(x, width)
    if kind == "conventional z^2":
        return z * z
    if kind == "compact":
        return z + weights.linear(x * x, width, bias=False)
    z = z * weights.linear(x, width)
    return z if kind == "product_only" else z + weights.linear(x * x, width)
