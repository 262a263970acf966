"""Networks of one variable as what they are: piecewise polynomials, found without sampling.

A ReLU network of conventional or quadratic neurons is a polynomial between its kinks, and its
kinks are roots of polynomials. Going layer by layer through both gives all pieces.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from flax import nnx
from jaxtyping import Float
from numpy.polynomial import polynomial

import neurons as nr

_NEURONS = (nr.conventional, nr.quadratic, nr.product_only, nr.compact, nr.power_only)
Kinks = Literal["conventional", "quadratic"]
# Relative differences below this are rounding: of polynomials side by side, of neighbouring roots.
_SAME = 1e-10

# One polynomial per neuron: (width, coefficients) of 1, x, x^2, ...
Polynomials = np.ndarray


@dataclass(frozen=True)
class Spline:
    """A piecewise polynomial of one variable.

    Args:
        knots: `(pieces + 1,)` increasing; the first and last may be infinite.
        coefficients: `(pieces, degree + 1)` of 1, x, x^2, ... for every piece.
    """

    knots: Float[np.ndarray, " knots"]
    coefficients: Float[np.ndarray, "pieces coefficients"]

    def __call__(self, x: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
        """Values at `x`; beyond the knots the outer pieces go on."""
        place = np.searchsorted(self.knots[1:-1], x, side="right")
        powers = x[:, None] ** np.arange(self.coefficients.shape[1])
        return np.sum(self.coefficients[place] * powers, axis=1)

    @property
    def degree(self) -> int:
        """Largest power whose coefficient is not rounding."""
        size = np.abs(self.coefficients).max()
        used = np.flatnonzero(np.abs(self.coefficients).max(axis=0) > _SAME * size)
        return int(used[-1]) if used.size else 0


def pieces(
    layers: Sequence[nr.Layer | nnx.Linear],
    interval: tuple[float, float] = (-math.inf, math.inf),
    activation: Literal["relu", "identity"] = "relu",
) -> Spline:
    """The piecewise polynomial that a network of one variable computes.

    On every piece each layer's pre-activations are polynomials; their roots inside the piece cut
    it, and between the cuts every ReLU is either on or off. Neighbours with the same polynomial
    are joined at the end.

    Args:
        layers: `nr.Dense` of conventional, quadratic, product_only, compact or power_only neurons,
            or `nnx.Linear`; the activation follows all but the last, which has one output.
        interval: where.
        activation: between layers.

    Returns:
        Knots and polynomials. Kinks closer than about 1e-10 of their size are taken for one.

    Raises:
        ValueError: for other neurons, more than one input or output, or an empty interval.

    Example:
        >>> from theory.exact_layers import linear_layer
        >>> absolute = [linear_layer([[1, -1]], [0, 0]), linear_layer([[1], [1]], [0])]
        >>> pieces(absolute).coefficients.tolist()
        [[0.0, -1.0], [0.0, 1.0]]
    """
    low, high = interval
    if not low < high:
        raise ValueError(f"interval must be (low, high) with low < high, got {interval}")
    formulas = [_Formula(layer) for layer in layers]
    if formulas[0].inputs != 1 or formulas[-1].outputs != 1:
        raise ValueError(
            f"needs one input and one output, got {formulas[0].inputs} and {formulas[-1].outputs}"
        )
    found: list[tuple[float, float, np.ndarray]] = [(low, high, np.array([[0.0, 1.0]]))]
    for formula in formulas[:-1]:
        found = [
            part
            for low, high, inside in found
            for part in _bend(low, high, formula(inside), activation)
        ]
    return _joined([(low, high, formulas[-1](inside)[0]) for low, high, inside in found])


def count_pieces(
    layers: Sequence[nr.Layer | nnx.Linear], interval: tuple[float, float] = (-math.inf, math.inf)
) -> int:
    """Number of polynomial pieces of a ReLU network of one variable; see :func:`pieces`."""
    return len(pieces(layers, interval).coefficients)


def pieces_bound(kind: Kinks, width: int, depth: int) -> int:
    """The most pieces that ReLU neurons of one variable can make.

    Conventional: (width + 1)^depth. Quadratic: prod over l = 1..depth of (2^l width + 1), since a
    neuron of layer l is of degree 2^l on every piece, with as many roots.

    Args:
        kind: "conventional" or "quadratic".
        width: neurons of every hidden layer.
        depth: number of hidden layers.

    Raises:
        ValueError: for another kind, or sizes below 1.

    Example:
        >>> pieces_bound("conventional", 4, 2), pieces_bound("quadratic", 4, 2)
        (25, 153)
    """
    if kind not in ("conventional", "quadratic"):
        raise ValueError(f'kind must be "conventional" or "quadratic", got {kind!r}')
    if width < 1 or depth < 1:
        raise ValueError(f"width and depth must be at least 1, got {width} and {depth}")
    roots = (1 if kind == "conventional" else 2**layer for layer in range(1, depth + 1))
    return math.prod(width * most + 1 for most in roots)


class _Formula:
    """A layer as arithmetic of polynomials: `(R x + r)(G x + g) + B x^2 + c`."""

    def __init__(self, layer: nr.Layer | nnx.Linear) -> None:
        if isinstance(layer, nnx.Linear):
            parts = {"kernel_r": layer.kernel, "bias_r": layer.bias}
        elif layer.neuron in _NEURONS:
            names = [f"{part}_{branch}" for branch in "rgb" for part in ("kernel", "bias")]
            parts = {name: getattr(layer, name, None) for name in names}
        else:
            known = ", ".join(neuron.name for neuron in _NEURONS)
            raise ValueError(f"knows the neurons {known}; got {layer.neuron.name}")
        arrays = {k: np.asarray(v[...], np.float64) for k, v in parts.items() if v is not None}
        self.inputs, self.outputs = next(a.shape for k, a in arrays.items() if "kernel" in k)
        self._arrays = arrays

    def __call__(self, x: Polynomials) -> Polynomials:
        z = self._affine("r", x)
        if "kernel_g" in self._arrays:
            gate = self._affine("g", x)
            z = np.array([np.convolve(a, b) for a, b in zip(z, gate, strict=True)])
        if "kernel_b" in self._arrays:
            power = self._affine("b", np.array([np.convolve(a, a) for a in x]))
            z = _padded(z, power.shape[1]) + _padded(power, z.shape[1])
        return z

    def _affine(self, branch: str, x: Polynomials) -> Polynomials:
        kernel = self._arrays.get(f"kernel_{branch}", np.zeros((self.inputs, self.outputs)))
        z = kernel.T @ x
        z[:, 0] += self._arrays.get(f"bias_{branch}", 0.0)
        return z


def _padded(x: Polynomials, coefficients: int) -> Polynomials:
    return np.pad(x, ((0, 0), (0, max(0, coefficients - x.shape[1]))))


def _bend(
    low: float, high: float, z: Polynomials, activation: str
) -> list[tuple[float, float, np.ndarray]]:
    """Cut a piece at the roots of its polynomials and switch each on or off in between."""
    if activation == "identity":
        return [(low, high, z)]
    cuts = np.concatenate([_roots(row) for row in z])
    ends = [low, *_distinct(cuts[(cuts > low) & (cuts < high)]), high]
    parts = []
    for left, right in itertools.pairwise(ends):
        on = polynomial.polyval(_between(left, right), z.T) > 0
        parts.append((left, right, z * on[:, None]))
    return parts


def _roots(row: np.ndarray) -> np.ndarray:
    """Real roots; a pair that rounding made complex touches zero without crossing it."""
    size = np.abs(row).max()
    used = np.flatnonzero(np.abs(row) > 1e-14 * size)
    if used.size == 0 or used[-1] == 0:
        return np.zeros(0)
    found = polynomial.polyroots(row[: used[-1] + 1])
    return found.real[np.abs(found.imag) <= 1e-9 * (1 + np.abs(found))]


def _distinct(cuts: np.ndarray) -> list[float]:
    kept: list[float] = []
    for cut in np.sort(cuts):
        if not kept or cut - kept[-1] > _SAME * (1 + abs(cut)):
            kept.append(float(cut))
    return kept


def _between(low: float, high: float) -> float:
    if math.isfinite(low) and math.isfinite(high):
        return (low + high) / 2
    return high - 1 if math.isfinite(high) else low + 1 if math.isfinite(low) else 0.0


def _joined(parts: list[tuple[float, float, np.ndarray]]) -> Spline:
    knots, rows = [parts[0][0]], [parts[0][2]]
    for low, _, row in parts[1:]:
        if np.abs(row - rows[-1]).max() > _SAME * max(np.abs(row).max(), np.abs(rows[-1]).max()):
            knots.append(low)
            rows.append(row)
    return Spline(np.array([*knots, parts[-1][1]]), np.array(rows))
