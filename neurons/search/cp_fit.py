"""Least squares for sums of powers and products of projections: Levenberg-Marquardt, all at once.

The model is `c0 + sum_k c_k sum_i x_i^k + sum_k w_k . x^k + sum_j prod_m (u_jm . x)`. Everything is
float64 NumPy; :mod:`neurons.search.interactions` scales the data and chooses the terms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from jaxtyping import Float

# Relative residual variance below which a fit is exact: the square of 1e-10, far above rounding.
EXACT = 1e-20
_NULL = 1e-10  # of the largest eigenvalue of the scaled Gram matrix: a direction without effect
Factors = np.ndarray  # `(order, inputs)`, of another order for every product


@dataclass(frozen=True)
class Terms:
    """Which terms a model has, besides the constant.

    Args:
        shared: powers summed over the inputs with one coefficient each.
        own: powers with a coefficient per input.
        products: order of every product of projections; an order that occurs r times has rank r.
    """

    shared: tuple[int, ...] = ()
    own: tuple[int, ...] = ()
    products: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """Number of terms, the products of one order taken as one."""
        return len(self.shared) + len(self.own) + len(set(self.products))


class Table:
    """Scaled data with its powers, computed once each.

    Columns have scales of their own where each has weights of its own, so that inputs in volts and
    millivolts serve equally well; sums over the inputs take them as they are, up to one number.

    Args:
        x: `(rows, inputs)`.
        y: `(rows,)`, of mean square about one.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.common = _root_mean_square(x)
        self.scales = np.array([_root_mean_square(column) for column in x.T])
        self.x, self.y, self._raw = x / self.scales, y, x / self.common
        self._powers: dict[int, np.ndarray] = {}
        self._sums: dict[int, np.ndarray] = {}

    def power(self, exponent: int) -> Float[np.ndarray, "rows inputs"]:
        """The inputs' powers."""
        if exponent not in self._powers:
            self._powers[exponent] = self.x**exponent
        return self._powers[exponent]

    def power_sum(self, exponent: int) -> Float[np.ndarray, "rows 1"]:
        """The sum of the inputs' powers."""
        if exponent not in self._sums:
            self._sums[exponent] = (self._raw**exponent).sum(axis=1, keepdims=True)
        return self._sums[exponent]

    def columns(self, terms: Terms) -> Float[np.ndarray, "rows columns"]:
        """The constant, power sums and powers, side by side."""
        parts = [np.ones((len(self.y), 1))]
        parts += [self.power_sum(k) for k in terms.shared]
        parts += [self.power(k) for k in terms.own]
        return np.concatenate(parts, axis=1)


def _root_mean_square(values: np.ndarray) -> float:
    """One for zeros, so that it can divide."""
    largest = float(np.abs(values).max())
    return largest * float(np.sqrt(np.mean((values / largest) ** 2))) if largest else 1.0


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Args:
        terms: its terms.
        linear: coefficients of :meth:`Table.columns`.
        products: factors of every product.
        jacobian: derivatives of the values by all parameters.
        residual: what is left of `y`.
    """

    terms: Terms
    linear: np.ndarray
    products: tuple[Factors, ...]
    jacobian: Float[np.ndarray, "rows parameters"]
    residual: Float[np.ndarray, " rows"]

    @property
    def rss(self) -> float:
        """Residual sum of squares."""
        return float(self.residual @ self.residual)

    @cached_property
    def tangent(self) -> Float[np.ndarray, "rows directions"]:
        """Orthonormal basis of all directions that the parameters can move the values in."""
        return orthonormal(self.jacobian)

    @property
    def parameters(self) -> int:
        """Effective parameters: the rank of the Jacobian, which no rescaling of factors changes."""
        return self.tangent.shape[1]

    @property
    def exact(self) -> bool:
        """Whether nothing but rounding is left."""
        return self.rss <= EXACT * len(self.residual)


def refine(
    table: Table,
    terms: Terms,
    products: Sequence[Factors] = (),
    *,
    steps: int = 30,
    tolerance: float = 1e-7,
) -> Fit:
    """Minimise the residual sum of squares over all parameters, from given factors.

    The linear coefficients start at their least-squares values for those factors. Scales that move
    freely between the factors of a product are null directions, which the damping holds still.

    Args:
        table: the data.
        terms: the terms, with `len(terms.products)` products.
        products: factors to start from.
        steps: accepted steps at most.
        tolerance: relative decrease of the residual sum of squares that ends it.
    """
    columns = table.columns(terms)
    products = [_balanced(u) for u in products]
    left = table.y - sum((_value(table.x, u) for u in products), np.zeros(len(table.y)))
    linear = np.linalg.lstsq(columns, left, rcond=None)[0]
    fit = _fit(table, terms, columns, linear, products)
    if not products:
        return fit
    damping = 1e-3
    for _ in range(steps):
        following, damping = _step(table, columns, fit, damping)
        gain = fit.rss - following.rss
        done = gain <= tolerance * fit.rss or following.exact
        fit = following
        if done:
            break
    return fit


def _step(table: Table, columns: np.ndarray, fit: Fit, damping: float) -> tuple[Fit, float]:
    """One accepted step and the damping for the next; the fit itself when none descends."""
    gram = fit.jacobian.T @ fit.jacobian
    slope = fit.jacobian.T @ fit.residual
    diagonal = np.diag(gram) + 1e-12 * gram.trace() / len(gram)
    while damping < 1e8:
        move = _solve(gram, damping * diagonal, slope)
        candidate = None if move is None else _moved(table, columns, fit, move)
        if candidate is not None and candidate.rss < fit.rss:
            return candidate, max(damping / 10, 1e-12)
        damping *= 10
    return fit, damping


def _solve(gram: np.ndarray, ridge: np.ndarray, slope: np.ndarray) -> np.ndarray | None:
    try:
        factor = scipy.linalg.cho_factor(gram + np.diag(ridge), check_finite=False)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(scipy.linalg.cho_solve(factor, slope, check_finite=False))


def _moved(table: Table, columns: np.ndarray, fit: Fit, move: np.ndarray) -> Fit:
    linear = fit.linear + move[: len(fit.linear)]
    at, products = len(fit.linear), []
    for u in fit.products:
        products.append(u + move[at : at + u.size].reshape(u.shape))
        at += u.size
    return _fit(table, fit.terms, columns, linear, products)


def _fit(
    table: Table,
    terms: Terms,
    columns: np.ndarray,
    linear: np.ndarray,
    products: Sequence[Factors],
) -> Fit:
    blocks, value = [columns], columns @ linear
    for u in products:
        projected = table.x @ u.T
        value = value + projected.prod(axis=1)
        blocks += [table.x * others(projected.T, m)[:, None] for m in range(len(u))]
    jacobian = np.concatenate(blocks, axis=1)
    return Fit(terms, linear, tuple(products), jacobian, table.y - value)


def orthonormal(columns: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows rank"]:
    """An orthonormal basis of what the columns span."""
    lengths = np.linalg.norm(columns, axis=0)
    scaled = columns / np.where(lengths > 0, lengths, 1.0)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    kept = values > _NULL * values[-1]
    return np.asarray(scaled @ (vectors[:, kept] / np.sqrt(values[kept])))


def others(projected: np.ndarray, number: int) -> np.ndarray:
    """The product of all projections but one, over the first axis."""
    kept = [one for at, one in enumerate(projected) if at != number]
    return np.asarray(math.prod(kept[1:], start=kept[0]))


def _value(x: np.ndarray, factors: Factors) -> Float[np.ndarray, " rows"]:
    return np.asarray((x @ factors.T).prod(axis=1))


def _balanced(factors: Factors) -> Factors:
    """Factors of equal length with the same product; zero stays zero."""
    lengths = np.linalg.norm(factors, axis=1)
    if not lengths.all():
        return factors
    return factors * (math.exp(np.log(lengths).mean()) / lengths)[:, None]
