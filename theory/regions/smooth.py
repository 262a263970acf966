"""Networks with smooth activations, made piecewise linear with a bound on the error."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import special

from theory import optimal
from theory.optimal.result import Approximation
from theory.regions.network import PiecewiseAffine, from_layers
from theory.regions.polytope import as_box

Function = Callable[[np.ndarray], np.ndarray]
Fit = Callable[[Function, tuple[float, float], int], Approximation]

SMOOTH: Mapping[str, Function] = {
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "logistic": special.expit,
    "softplus": lambda z: np.logaddexp(0.0, z),
    "gelu": lambda z: z * special.ndtr(z),
}


@dataclass(frozen=True)
class Linearised:
    """A piecewise-affine network in place of a smooth one.

    Args:
        network: the one to take regions of.
        smooth: the activation it stands for.
        ranges: `(hidden_layers, 2)` that the smooth network's pre-activations stay in.
        errors: `(hidden_layers,)` sup |smooth - pieces| on that range.
        bound: no output vector is further off than this in the box, in the Euclidean norm.
    """

    network: PiecewiseAffine
    smooth: Function
    ranges: Float[np.ndarray, "hidden_layers 2"]
    errors: Float[np.ndarray, " hidden_layers"]
    bound: float

    def exact(self, x: ArrayLike) -> Float[np.ndarray, "points out"]:
        """Outputs of the smooth network at `x` `(points, in_features)`."""
        net = self.network
        h = net.points(x)
        for kernel, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
            h = self.smooth(h @ kernel + bias)
        return h @ net.weights[-1] + net.biases[-1]


def linearised(
    weights: Sequence[ArrayLike],
    biases: Sequence[ArrayLike],
    activation: str | Function,
    box: ArrayLike,
    segments: int = 16,
    fit: Fit | None = None,
) -> Linearised:
    """Replace a smooth activation, layer by layer, by its best piecewise-linear approximation.

    Each layer gets the continuous function of so many segments that is closest in the maximum
    norm, on the range its units can take for inputs in the box (by interval arithmetic, so that
    the bound is proved); beyond the range the outer pieces go on.

    Args:
        weights: `(in_features, out_features)` of each layer.
        biases: `(out_features,)` of each layer.
        activation: "tanh", "sigmoid" (or "logistic"), "softplus", "gelu", or a function of arrays.
        box: `(in_features, 2)` of (low, high).
        segments: pieces of every activation.
        fit: from (function, (low, high), segments) to an approximation with its sup error; by
            default `theory.optimal.approximate` in the maximum norm.

    Raises:
        ValueError: for an unknown activation, a wrong box, and what :func:`from_layers` raises.
    """
    if not callable(activation) and activation not in SMOOTH:
        raise ValueError(
            f"activation must be one of {', '.join(SMOOTH)} or a function, got {activation!r}"
        )
    smooth = activation if callable(activation) else SMOOTH[activation]
    plain = from_layers(weights, biases, "identity")
    kernels, offsets = plain.weights, plain.biases
    ends = as_box(box, plain.in_features)
    fits, ranges = [], []
    for kernel, bias in zip(kernels[:-1], offsets[:-1], strict=True):
        low, high = _affine_range(kernel, bias, ends)
        span = (float(low.min()), float(high.max()))
        span = span if span[0] < span[1] else (span[0] - 1.0, span[1] + 1.0)
        found = (fit or _minimax)(smooth, span, segments)
        ends = _range(found, low, high)
        fits.append(found)
        ranges.append(span)
    net = from_layers(kernels, offsets, [found.function for found in fits])
    errors = np.array([found.error for found in fits])
    slopes = [made.lipschitz for made in net.activations]
    return Linearised(
        net, smooth, np.array(ranges).reshape(-1, 2), errors, error_bound(kernels, errors, slopes)
    )


def _minimax(function: Function, domain: tuple[float, float], segments: int) -> Approximation:
    return optimal.approximate(function, domain, segments, norm="linf", continuous=True)


def _affine_range(
    kernel: np.ndarray, bias: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each unit for inputs in a box."""
    middle, half = ends.mean(axis=1), np.ptp(ends, axis=1) / 2
    centre, spread = middle @ kernel + bias, half @ np.abs(kernel)
    return centre - spread, centre + spread


def _range(found: Approximation, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """What the smooth activation does to ranges: what its pieces do, and their error."""
    inside = np.clip(found.knots[:, None], low, high)
    values = found.function(np.concatenate([low[None], high[None], inside]))
    return np.stack([values.min(axis=0) - found.error, values.max(axis=0) + found.error], axis=1)


def error_bound(
    weights: Sequence[Float[np.ndarray, "_ _"]],
    errors: Sequence[float] | Float[np.ndarray, " hidden_layers"],
    slopes: Sequence[float],
) -> float:
    """How far the outputs can be off if every activation is.

    sum_l ||W_L|| prod_(l<j<L) (Lip_j ||W_j||) sqrt(n_l) E_l in spectral norms: an error E_l in each
    of the n_l units of layer l, carried on to the output by the pieces of the layers behind.

    Args:
        weights: `(in_features, out_features)` of each layer.
        errors: E_l of every hidden layer.
        slopes: Lip_l, the steepest slope of every hidden layer's pieces.

    Raises:
        ValueError: unless there is an error and a slope for each layer but the last.

    Example:
        >>> error_bound([np.eye(2), np.eye(2), np.eye(2)], [0.1, 0.1], [1.0, 1.0]) / math.sqrt(2)
        0.2
    """
    if not len(weights) - 1 == len(errors) == len(slopes):
        raise ValueError(
            f"{len(weights)} layers need {len(weights) - 1} errors and slopes, got {len(errors)} "
            f"and {len(slopes)}"
        )
    norms = [float(np.linalg.norm(kernel, 2)) for kernel in weights]
    total = 0.0
    for kernel, norm, error, slope in zip(weights, norms, errors, slopes, strict=False):
        total = slope * norm * total + math.sqrt(kernel.shape[1]) * error
    return norms[-1] * total
