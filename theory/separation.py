"""Separation of neuron classes: what radial neurons cannot do, and what ridges cannot.

The supplement of the heterogeneous autoencoder paper proves that a sum of an inner-product part
(a function of v . x) and a radial part is hard for conventional and for "quadratic" networks, and
easy for both side by side. The quadratic neurons of its proof are *radial*,
`sigma(omega |x|^2 + b)`; the neuron that the paper builds with contains the conventional one.

Everything here is exact, or quadrature, under x ~ N(0, I_d): a sum of radial functions is radial,
so that no width helps, and the best radial fit is the mean over the sphere.

References:
    J.-X. Liao et al., Quadratic neuron-empowered heterogeneous autoencoder for unsupervised anomaly
    detection, arXiv 2204.01707, supplement. R. Eldan, O. Shamir, The power of depth for feedforward
    neural networks, COLT 2016.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln, roots_genlaguerre, roots_jacobi

from theory.greedy import Greedy, orthogonal_greedy, ridge_dictionary

Profile = Callable[[np.ndarray], np.ndarray]
_SPHERE_NODES, _RADIUS_NODES = 128, 120


def unit_ball_radius(d: int) -> float:
    """Radius of the ball of volume one in d dimensions, `Gamma(d/2 + 1)^(1/d) / sqrt(pi)`.

    Raises:
        ValueError: for a dimension below 1.

    Example:
        >>> round(unit_ball_radius(1), 12), round(unit_ball_radius(20), 5)
        (0.5, 1.20064)
    """
    if d < 1:
        raise ValueError(f"a dimension must be at least 1, got {d}")
    return math.exp(gammaln(d / 2 + 1) / d) / math.sqrt(math.pi)


def inner_product_part(d: int, delta: float = 0.5) -> Profile:
    """The paper's g_ip as a function of `v . x`.

    `g(t) = sqrt(4 R / (1 - delta)) / (2 pi) * sin(T t) / (T t)` with `T = 2 R / (1 - delta)` and
    R = :func:`unit_ball_radius`. Its spectrum is constant for frequencies up to T, and a share
    `1 - delta` of its energy lies within 2 R.

    Args:
        d: dimension.
        delta: in [0, 1).

    Raises:
        ValueError: for another delta.
    """
    if not 0 <= delta < 1:
        raise ValueError(f"delta must lie in [0, 1), got {delta}")
    radius = unit_ball_radius(d)
    cutoff = 2 * radius / (1 - delta)
    height = math.sqrt(4 * radius / (1 - delta)) / (2 * math.pi)
    return lambda t: height * np.sinc(cutoff * t / math.pi)  # numpy's sinc has a pi inside


class Radii(NamedTuple):
    """Quadrature over `|x|` for x ~ N(0, I_d).

    Args:
        nodes: `(k,)` radii.
        weights: `(k,)`, adding up to one.
    """

    nodes: np.ndarray
    weights: np.ndarray


@cache
def radii(d: int) -> Radii:
    """Gauss-Laguerre quadrature over the chi distribution: `|x|^2 / 2` is Gamma(d/2)."""
    nodes, weights = roots_genlaguerre(_RADIUS_NODES, d / 2 - 1)
    return Radii(np.sqrt(2 * nodes), weights / weights.sum())


def mean_over_sphere(profile: Profile, d: int, radius: Float[np.ndarray, " k"]) -> np.ndarray:
    """`E[profile(v . x) | |x| = r]`: the best radial fit, at the given radii.

    The cosine t of a uniform direction has the density `(1 - t^2)^((d - 3)/2)` up to a constant;
    for `cos(w v.x)` the mean is a Bessel function of w r.

    Args:
        profile: vectorised function of `v . x`; smooth, for Gauss-Jacobi quadrature.
        d: dimension, at least 2.
        radius: where.

    Returns:
        `(k,)` means.

    Raises:
        ValueError: for a dimension below 2.
    """
    if d < 2:
        raise ValueError(f"a sphere to average over needs dimension 2 or more, got {d}")
    cosines, weights = _cosines(d)
    return profile(radius[:, None] * cosines) @ weights


@cache
def _cosines(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Jacobi nodes over one coordinate of a uniform direction, and weights that add to 1."""
    nodes, weights = roots_jacobi(_SPHERE_NODES, (d - 3) / 2, (d - 3) / 2)
    return nodes, weights / weights.sum()


def radial_r2(profile: Profile, d: int) -> float:
    """Share of the variance of `profile(v . x)` that radial functions can explain, at any width.

    `Var E[g | |x|] / Var g` under N(0, I_d).

    Args:
        profile: smooth, vectorised function of `v . x`, not constant.
        d: dimension, at least 2.

    Example:
        >>> round(radial_r2(np.square, 10), 10)
        0.1
    """
    at = radii(d)
    means = mean_over_sphere(profile, d, at.nodes)
    seconds = mean_over_sphere(lambda t: profile(t) ** 2, d, at.nodes)
    mean = at.weights @ means
    explained = at.weights @ (means - mean) ** 2
    return float(explained / (at.weights @ seconds - mean**2))


def radial_score(fit: Profile, profile: Profile, d: int) -> float:
    """R^2 of a given radial function `fit(|x|)` on `profile(v . x)`, without samples.

    Never above :func:`radial_r2`; negative for a fit that is worse than the mean.

    Args:
        fit: vectorised function of the radius.
        profile: vectorised function of `v . x`.
        d: dimension, at least 2.
    """
    at = radii(d)
    means = mean_over_sphere(profile, d, at.nodes)
    seconds = mean_over_sphere(lambda t: profile(t) ** 2, d, at.nodes)
    guess = fit(at.nodes)
    error = at.weights @ (seconds - 2 * guess * means + guess**2)
    return float(1 - error / (at.weights @ seconds - (at.weights @ means) ** 2))


def radial_network_r2(profile: Profile, d: int, width: int) -> float:
    """R^2 of the best radial ReLU network whose kinks lie at equal quantiles of the radius.

    `sum_i a_i relu(|x|^2 - k_i) + c`, outer weights by weighted least squares on the quadrature:
    no sampling, no training.

    Args:
        profile: smooth, vectorised function of `v . x`.
        d: dimension, at least 2.
        width: number of radial neurons.
    """
    at = radii(d)
    levels = (np.arange(width) + 0.5) / width
    kinks = np.interp(levels, np.cumsum(at.weights), at.nodes**2)
    scale = math.sqrt(2 * d)
    features = np.maximum((at.nodes**2)[:, None] - kinks, 0) / scale
    features = np.column_stack([np.ones(len(at.nodes)), features])
    root = np.sqrt(at.weights)[:, None]
    means = mean_over_sphere(profile, d, at.nodes)
    q, r = np.linalg.qr((features * root).T)  # wide layers: the quadrature has only 120 nodes
    outer = q @ np.linalg.lstsq(r.T, means * root[:, 0], rcond=1e-10)[0]
    return radial_score(lambda _: features @ outer, profile, d)


class SumTarget(NamedTuple):
    """A ridge and a radial function of equal variance, to be added.

    Args:
        ridge: `g_ip(x_1)`, standardised.
        radial: `cos(2 z)` with `z = (|x|^2 - d) / sqrt(2 d)`, standardised.
        both: their sum, of variance 2 up to their small correlation.
    """

    ridge: np.ndarray
    radial: np.ndarray
    both: np.ndarray


def sum_target(x: Float[np.ndarray, "points d"], delta: float = 0.5) -> SumTarget:
    """The paper's inner-product part plus a radial part that oscillates like its shells.

    The radial part is ours: Eldan and Shamir's shells need dimensions in the hundreds.

    Args:
        x: points from N(0, I_d).
        delta: of the inner-product part.
    """
    d = x.shape[1]
    ridge = _standardised(inner_product_part(d, delta)(x[:, 0]))
    radial = _standardised(np.cos(2 * normal_radius(x)))
    return SumTarget(ridge, radial, ridge + radial)


def normal_radius(x: Float[np.ndarray, "points d"]) -> Float[np.ndarray, " points"]:
    """`(|x|^2 - d) / sqrt(2 d)`: mean 0 and variance 1 under N(0, I_d)."""
    d = x.shape[1]
    return ((x**2).sum(axis=1) - d) / math.sqrt(2 * d)


def _standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def dictionaries(
    d: int, generator: np.random.Generator, directions: int = 60
) -> Mapping[str, Callable[[np.ndarray], np.ndarray]]:
    """Neurons to choose from, as functions of the points: "conventional", "radial", "mixed".

    Conventional neurons look along the target's own direction, along every axis and along random
    directions, both ways; radial neurons are `relu(+-(|x|^2 - k))`. "mixed" has both, and so has a
    layer of general quadratic neurons.

    Args:
        d: dimension.
        generator: draws the random directions.
        directions: how many random directions.
    """
    drawn = generator.normal(size=(directions, d))
    along = np.concatenate([np.eye(d), drawn / np.linalg.norm(drawn, axis=1, keepdims=True)])
    offsets = np.linspace(-2.5, 2.5, 16)

    def conventional(x: np.ndarray) -> np.ndarray:
        return ridge_dictionary(x, np.concatenate([along, -along]), offsets)

    def radial(x: np.ndarray) -> np.ndarray:
        heights = normal_radius(x)[:, None]
        return ridge_dictionary(heights, np.array([[1.0], [-1.0]]), offsets)

    return {
        "conventional": conventional,
        "radial": radial,
        "mixed": lambda x: np.concatenate([conventional(x), radial(x)], axis=1),
    }


def greedy_error(
    atoms: Callable[[np.ndarray], np.ndarray],
    target: Callable[[np.ndarray], np.ndarray],
    x: Float[np.ndarray, "points d"],
    neurons: int,
) -> float:
    """Share of the target's variance that a greedily chosen network leaves, on held-out points.

    Args:
        atoms: a dictionary, see :func:`dictionaries`; a constant is added.
        target: function of the points.
        x: points; the second half is held out.
        neurons: how many may be chosen, the constant not counted.
    """
    half = len(x) // 2
    values = target(x)

    def with_constant(points: np.ndarray) -> np.ndarray:
        chosen = atoms(points)
        return np.concatenate([np.ones((len(points), 1), chosen.dtype), chosen], axis=1)

    found: Greedy = orthogonal_greedy(with_constant(x[:half]), values[:half], neurons + 1)
    fitted = with_constant(x[half:])[:, found.chosen] @ found.coefficients
    return float(((fitted - values[half:]) ** 2).mean() / values[half:].var())
