"""Barron constants: how fast random neurons approximate, and what a function costs in norm.

The Barron norm of a finite network `sum_k a_k relu(w_k . x + b_k)` is at most its path norm
`sum_k |a_k| (||w_k|| + |b_k|)`; a function's norm is the infimum over its representations. A
function of norm M has n-term approximations of error `O(M / sqrt(n))`: the Monte-Carlo rate.

A quadratic neuron `relu(x^T Q x + w . x + b)` counts `||Q|| + ||w|| + |b|`. We take the *spectral*
norm for Q (the largest `|x^T Q x|` on the unit ball), the natural partner of the Euclidean `||w||`
(the largest `|w . x|` there): with it `|x|^2` costs 1 in every dimension. In the trace norm it
would cost d.

References:
    W. E, C. Ma, L. Wu, The Barron space and the flow-induced function spaces for neural network
    models, Constructive Approximation 55, 2022. The quadratic norm is our reading of what
    arXiv 2303.06316 (One neuron saved is one neuron earned) must mean; its text was not at hand.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln


def barron_constant(d: int) -> float:
    """Mean of `relu(u . x)` over unit vectors u, for `|x| = 1`.

    `c_d = Gamma(d/2) / (2 sqrt(pi) Gamma((d+1)/2))`, so that `|x| = E relu(u . x) / c_d`.

    Args:
        d: dimension, at least 1.

    Raises:
        ValueError: for a dimension below 1.

    Example:
        >>> round(barron_constant(3), 12)
        0.25
    """
    if d < 1:
        raise ValueError(f"a dimension must be at least 1, got {d}")
    return math.exp(gammaln(d / 2) - gammaln((d + 1) / 2)) / (2 * math.sqrt(math.pi))


def rate_constant(d: int) -> float:
    """C in `relative RMSE = C / sqrt(n)` for |x| from n random ReLU neurons.

    `C = sqrt(1 / (2 d c_d^2) - 1)`: the second moment of `relu(u . x)` is `|x|^2 / (2 d)`.
    It grows from 1 at d = 1 towards `sqrt(pi - 1)`, :data:`LIMIT`, and never beyond.

    Args:
        d: dimension.

    Example:
        >>> round(rate_constant(3) ** 2, 10)
        1.6666666667
    """
    return math.sqrt(1 / (2 * d * barron_constant(d) ** 2) - 1)


LIMIT = math.sqrt(math.pi - 1)


def predicted_error(d: int, n: int) -> float:
    """Relative RMSE of |x| from n random neurons, `C / sqrt(n)`: exact, for any law of x."""
    return rate_constant(d) / math.sqrt(n)


def squared_monte_carlo_error(d: int, n: int, generator: np.random.Generator) -> float:
    """Squared relative error of |x| from n random neurons, x ~ N(0, I_d), without sampling x.

    The inner products are known: `E relu(u.x) relu(v.x) = (sin t + (pi - t) cos t) / (2 pi)` for
    unit vectors at angle t, and `E relu(u.x) |x| = d c_d`. Its mean over draws is
    :func:`predicted_error` squared.

    Args:
        d: dimension.
        n: number of neurons.
        generator: draws the directions.

    Returns:
        `||f_n - f||^2 / ||f||^2` in L2.
    """
    directions = sphere(n, d, generator)
    overlaps = arc_cosine_kernel(directions @ directions.T)
    c = barron_constant(d)
    return float(overlaps.sum() / (n * c) ** 2 / d - 1)


def monte_carlo_error(d: int, n: int, generator: np.random.Generator, repeats: int = 1) -> float:
    """Relative RMSE over `repeats` draws of n random neurons; see :func:`predicted_error`.

    Args:
        d: dimension.
        n: number of neurons.
        generator: draws the directions.
        repeats: how many networks are drawn.
    """
    squares = [squared_monte_carlo_error(d, n, generator) for _ in range(repeats)]
    return math.sqrt(np.mean(squares))


def arc_cosine_kernel(cosines: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """`E relu(u.x) relu(v.x)` for unit u, v with `u . v = cosines` and x ~ N(0, I).

    References:
        Y. Cho, L. Saul, Kernel methods for deep learning, NIPS 2009, equation 6.
    """
    cosines = np.clip(cosines, -1, 1)
    return (np.sqrt(1 - cosines**2) + (math.pi - np.arccos(cosines)) * cosines) / (2 * math.pi)


def sphere(n: int, d: int, generator: np.random.Generator) -> Float[np.ndarray, "n d"]:
    """Unit vectors, independent and uniform on the sphere."""
    drawn = generator.normal(size=(n, d))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@dataclass(frozen=True)
class ShallowNet:
    """A network with one hidden layer, `sum_k a_k relu(x^T Q_k x + w_k . x + b_k)`.

    Args:
        outer: `(n,)` a.
        weights: `(n, d)` w.
        biases: `(n,)` b.
        forms: `(n, d, d)` Q; `None` for conventional neurons.
    """

    outer: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    forms: np.ndarray | None = None

    def __call__(self, x: Float[np.ndarray, "points d"]) -> Float[np.ndarray, " points"]:
        """The network's output."""
        inner = x @ self.weights.T + self.biases
        if self.forms is not None:
            inner = inner + np.einsum("pi,nij,pj->pn", x, self.forms, x)
        return np.maximum(inner, 0) @ self.outer


def path_norm(net: ShallowNet, inputs: Literal["ball", "cube"] = "ball") -> float:
    """`sum_k |a_k| (||Q_k|| + ||w_k|| + |b_k|)`: an upper bound of the Barron norm.

    Args:
        net: the network.
        inputs: "ball" takes the Euclidean norm of w and the spectral norm of Q; "cube", for
            inputs in `[-1, 1]^d`, the sums of absolute values, their partners there.

    Raises:
        ValueError: for other `inputs`.

    Example:
        >>> path_norm(squared_radius_neuron(50))
        1.0
    """
    if inputs not in ("ball", "cube"):
        raise ValueError(f'inputs must be "ball" or "cube", got {inputs!r}')
    inner = np.linalg.norm(net.weights, ord=2 if inputs == "ball" else 1, axis=1)
    inner = inner + np.abs(net.biases)
    if net.forms is not None and inputs == "ball":
        inner = inner + np.linalg.norm(net.forms, ord=2, axis=(1, 2))
    elif net.forms is not None:
        inner = inner + np.abs(net.forms).sum(axis=(1, 2))
    return float(np.abs(net.outer) @ inner)


def squared_radius_neuron(d: int) -> ShallowNet:
    """`|x|^2` as one quadratic neuron, exact everywhere."""
    return ShallowNet(np.ones(1), np.zeros((1, d)), np.zeros(1), np.eye(d)[None])


def squared_radius_net(d: int, n: int, generator: np.random.Generator) -> ShallowNet:
    """`|x|^2` on the unit ball from n random conventional neurons.

    From `|x|^2 = d E (u.x)^2` and `t^2 = 2 int_0^1 relu(t - s) + relu(-t - s) ds` for `|t| <= 1`:
    `|x|^2 = 4 d E relu(u.x - s)` with u uniform on the sphere and s on [0, 1].

    Args:
        d: dimension.
        n: number of neurons.
        generator: draws directions and offsets.

    Returns:
        The network; its path norm has the mean :func:`squared_radius_bound`.
    """
    return ShallowNet(np.full(n, 4 * d / n), sphere(n, d, generator), -generator.uniform(size=n))


def squared_radius_bound(d: int) -> float:
    """Path norm of `|x|^2 = 4 d E relu(u.x - s)` on the unit ball: `4 d E (1 + s) = 6 d`.

    An upper bound of the conventional Barron norm; the quadratic one is 1.
    """
    mean_offset = 1 / 2
    return 4 * d * (1 + mean_offset)


def explained_by_ridges(directions: Float[np.ndarray, "n d"]) -> float:
    """Share of `|x|^2 - d` that functions of `u_1.x, ..., u_n.x` added up can explain.

    For x ~ N(0, I_d), and any ridge profiles: only their second Hermite component helps, so that
    this is the squared cosine between the identity and the span of the matrices `u u^T`,
    `R^2 = 1^T G^+ 1 / d` with `G_ij = (u_i . u_j)^2`. Since a sum of n such matrices has rank at
    most n, `R^2 <= n / d`; orthogonal directions attain it.

    Args:
        directions: nonzero vectors.

    Returns:
        R^2 in [0, 1].

    Example:
        >>> round(explained_by_ridges(np.eye(10)[:3]), 12)
        0.3
    """
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    gram = (unit @ unit.T) ** 2
    ones = np.ones(len(gram))
    solution = np.linalg.lstsq(gram, ones, rcond=1e-12)[0]
    return float(np.clip(ones @ solution / directions.shape[1], 0, 1))


def ridges_needed(d: int, error: float) -> int:
    """Fewest ridge functions whose sum comes within a relative RMSE of `|x|^2 - d`.

    Args:
        d: dimension.
        error: relative RMSE, in [0, 1].

    Returns:
        The smallest n with `sqrt(1 - n/d) <= error`.

    Example:
        >>> ridges_needed(100, error=0.01)
        100
    """
    if not 0 <= error <= 1:
        raise ValueError(f"a relative error lies in [0, 1], got {error}")
    return math.ceil(round(d * (1 - error**2), 9))
