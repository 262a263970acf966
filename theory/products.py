"""A polynomial of one variable as a tree of quadratic neurons.

By the fundamental theorem of algebra a real polynomial is a product of real factors of degree at
most two. Each factor is one quadratic neuron, and each product of two is one more.
"""

import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

import neurons as nr
from theory.exact_layers import quadratic_layer
from theory.roots import Roots, roots


class ProductTree(nnx.Module):
    """Layers of quadratic neurons without activation: factors, then products of two.

    Args:
        layers: the first maps x to the factors, every further one halves their number.
        condition: of the worst root, see :class:`theory.roots.Roots`. Relative errors of the
            coefficients reach the roots, and the tree, multiplied by it: above about 1e10 (such as
            Wilkinson's polynomial) the tree is that of the float64 coefficients, not of the
            polynomial they were rounded from.
        carried: neurons that only hand an odd factor on to the next layer.
    """

    def __init__(self, layers: list[nr.Dense], condition: float, carried: int) -> None:
        self.layers = nnx.List(layers)
        self.condition, self.carried = condition, carried

    @property
    def depth(self) -> int:
        """Number of layers: 1 + ceil(log2(number of factors))."""
        return len(self.layers)

    @property
    def width(self) -> int:
        """Neurons of the widest layer, the first."""
        return max(layer.out_features for layer in self.layers)

    @property
    def neurons(self) -> int:
        """Factors and products; a strictly layered network has `carried` more."""
        return sum(layer.out_features for layer in self.layers) - self.carried

    def __call__(self, x: Float[Array, "*batch 1"]) -> Float[Array, "*batch 1"]:
        """The polynomial at `x`; call under `jax.enable_x64(True)` for its full precision."""
        for layer in self.layers:
            x = layer(x)
        return x


def product_tree(
    coefficients: ArrayLike,
    interval: tuple[float, float] = (-1.0, 1.0),
    *,
    found: Roots | None = None,
) -> ProductTree:
    """Build the tree: coefficients, roots, quadratic factors, products.

    A pair of real roots is the neuron `(x - r)(x - s)`, a conjugate pair `(x - p)^2 + q^2` is
    `(x - p)(x - p) + q^2`: both keep full relative precision where they are small. In every layer
    the factor that is largest on the interval meets the smallest, so that no product leaves the
    range of the polynomial by more than it must.

    Args:
        coefficients: `(degree + 1,)` of 1, x, x^2, ...; leading zeros are dropped.
        interval: where factors are compared.
        found: the roots, if they are known already.

    Returns:
        The tree; its error is about 1e-14 of the polynomial's largest value on the interval.

    Raises:
        ValueError: for a constant, coefficients that are not finite, or an empty interval.

    References:
        F.-L. Fan, J. Xiong, G. Wang, Universal approximation with quadratic deep networks,
        arXiv 1808.00098.

    Example:
        >>> cube = product_tree([0, 0, 0, 1])
        >>> cube.depth, cube.neurons, float(cube(np.array([2.0]))[0])
        (2, 3, 8.0)
    """
    terms = np.trim_zeros(np.asarray(coefficients, np.float64), "b")
    if not interval[0] < interval[1]:
        raise ValueError(f"interval must be (low, high) with low < high, got {interval}")
    known = roots(terms) if found is None else found
    factors = _factors(known.values, float(terms[-1]))
    grid = np.linspace(*interval, 257)
    values = [(a * grid + b) * (g * grid + h) + c for a, b, g, h, c in factors]
    layers, carried = [_first_layer(factors)], 0
    while len(values) > 1:
        pairs = _pairs(values)
        layers.append(_multiplying_layer(pairs, len(values)))
        carried += len(values) % 2
        values = [values[i] * (1.0 if j is None else values[j]) for i, j in pairs]
    return ProductTree(layers, known.condition, carried)


def _factors(found: np.ndarray, leading: float) -> np.ndarray:
    """Rows a, b, g, h, c of real factors `(a x + b)(g x + h) + c`; `leading` is spread evenly."""
    # Settled roots are conjugate to rounding: as many lie above the real axis as below it.
    away = np.abs(found.imag) > 1e-13 * (1 + np.abs(found))
    rows = [(1.0, -z.real, 1.0, -z.real, z.imag**2) for z in found[away & (found.imag > 0)]]
    real = np.sort(found[~away].real)
    rows += [(1.0, -r, 1.0, -s, 0.0) for r, s in zip(real[::2], real[1::2], strict=False)]
    if real.size % 2:
        rows.append((1.0, -real[-1], 0.0, 1.0, 0.0))
    share = abs(leading) ** (1 / len(rows))
    scaled = np.array(rows) * [share, share, 1, 1, share]
    scaled[0, [0, 1, 4]] *= np.sign(leading)
    return scaled


def _first_layer(factors: np.ndarray) -> nr.Dense:
    a, b, g, h, c = factors.T
    return quadratic_layer(a[None], b, g[None], h, np.zeros_like(a)[None], c)


def _pairs(values: list[np.ndarray]) -> list[tuple[int, int | None]]:
    """The smallest with the largest, and so on; one in the middle may stay alone."""
    order = [int(i) for i in np.argsort([np.abs(v).max() for v in values])]
    half = len(order) // 2
    pairs: list[tuple[int, int | None]] = [
        (i, j) for i, j in zip(order[:half], order[::-1][:half], strict=True)
    ]
    return [*pairs, (order[half], None)] if len(order) % 2 else pairs


def _multiplying_layer(pairs: list[tuple[int, int | None]], width: int) -> nr.Dense:
    """Neuron p is `x_i x_j` for the p-th pair, or `x_i` for one that is alone."""
    first, second = np.zeros((width, len(pairs))), np.zeros((width, len(pairs)))
    offset = np.zeros(len(pairs))
    for place, (i, j) in enumerate(pairs):
        first[i, place] = 1
        if j is None:
            offset[place] = 1
        else:
            second[j, place] = 1
    nothing = np.zeros(len(pairs))
    return quadratic_layer(first, nothing, second, offset, np.zeros_like(first), nothing)
