"""How a gradient passes a ReLU: the rules of modified backward passes.

A rule is a function `rule(u, R) -> R'` of the ReLU's input u and the gradient R that arrives at its
output, both with samples on the first axis. Rules with settings are frozen, so that equal settings
are equal rules and share a compilation. NaN in R or u stays NaN.

References:
    M. D. Zeiler, R. Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014
    (deconvnet).
    J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, Striving for Simplicity: The All
    Convolutional Net, arXiv 1412.6806 (guided).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from neurons.explain.quantiles import check_share, positive_quantile

ReluRule = Callable[[Array, Array], Array]


def guided(u: Array, gradient: Array) -> Array:
    """Guided backpropagation: `R' = R 1[u > 0] 1[R > 0]`."""
    return without((u <= 0) | (gradient <= 0), gradient)


def deconvnet(u: Array, gradient: Array) -> Array:
    """Deconvolutional network: `R' = R 1[R > 0]`, whatever the forward pass did."""
    del u
    return without(gradient <= 0, gradient)


@dataclass(frozen=True)
class truncated:  # noqa: N801  a rule by its name, like the functions beside it
    """Truncated, or filtering-guided, backpropagation: `R' = R 1[u > 0] 1[R > theta]`.

    theta is the q-quantile of the positive gradients that arrive at this ReLU, of each sample by
    itself (:func:`neurons.explain.quantiles.positive_quantile`); q = 0 is :func:`guided`.

    Args:
        q: share of the positive gradients that is filtered out.

    Raises:
        ValueError: for `q` outside [0, 1].

    References:
        Our reading of "filtering gradient magnitudes" in arXiv 2506.22866 and of "truncated
        positive gradient" in arXiv 2308.02118, carried through every layer.
    """

    q: float | int = 0.5

    def __post_init__(self) -> None:
        check_share(self.q)

    def __call__(self, u: Array, gradient: Array) -> Array:
        """The gradient that passes."""
        return without((u <= 0) | (gradient <= per_sample(gradient, self.q)), gradient)


@dataclass(frozen=True)
class soft:  # noqa: N801
    """A gate that opens gradually: `R' = R sigmoid(b u)`.

    Args:
        b: steepness, one over the unit of the activations; large `b` is the ordinary gate.

    Raises:
        ValueError: for `b` that is not positive.
    """

    b: float | int = 1.0

    def __post_init__(self) -> None:
        if not self.b > 0:
            raise ValueError(f"the steepness b must be positive, got {self.b}")

    def __call__(self, u: Array, gradient: Array) -> Array:
        """The gradient that passes."""
        return gradient * jax.nn.sigmoid(self.b * u)


def per_sample(gradient: Array, q: float | int) -> Array:
    """The q-quantiles of the samples' positive gradients, `(batch, 1, ..., 1)`."""
    return positive_quantile(gradient, q).reshape(-1, *(1,) * (gradient.ndim - 1))


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def gate(rule: ReluRule, ceiling: float | None, u: Array) -> Array:
    """`max(u, 0)`, below `ceiling` if there is one, whose gradient follows `rule`.

    The gradient that the ceiling stops (ReLU6 beyond 6) does not reach the rule.
    """
    del rule
    low = lax.max(u, jnp.zeros_like(u))
    return low if ceiling is None else lax.min(low, jnp.full_like(u, ceiling))


def _forward(rule: ReluRule, ceiling: float | None, u: Array) -> tuple[Array, Array]:
    return gate(rule, ceiling, u), u


def _backward(rule: ReluRule, ceiling: float | None, u: Array, gradient: Array) -> tuple[Array]:
    if ceiling is not None:
        gradient = without(u >= ceiling, gradient)
    return (rule(u, gradient),)


gate.defvjp(_forward, _backward)


def without(where: Array, gradient: Array) -> Array:
    """The gradient, zero at `where`."""
    return jnp.where(where, jnp.zeros_like(gradient), gradient)
