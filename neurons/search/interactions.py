"""Search for powers and interactions: the class of NeuronSeek, by exact least squares.

`y = c0 + sum_k c_k sum_i x_i^k + sum_k w_k . x^k + sum_k sum_(r<=R_k) prod_(m<=k) (u_krm . x)`

**What can be recovered.** The part of degree k of the polynomial is one symmetric tensor, and data
determine no more than that. It can hold powers on its diagonal **and** products, whose tensors
have diagonals too: `x_i^2` terms are a product of order 2 as well. The split is a matter of
convention. Ours is the fewest effective parameters: the model with the lowest extended BIC, where
a sum of powers with one coefficient costs 1, powers with a weight per input cost d, and a product
of order k costs k d - (k - 1), or less where products overlap (the Jacobian's rank is counted).
A set of powers and orders is recovered exactly if it equals the generating set under that
convention. Terms enter one by one: two products that pay only together are missed, which happens
where one costs a good part of the rows (order 4 of 100 inputs: 397 parameters).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Literal

import jax
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from neurons.neuron import Neuron
from neurons.options import distinct, require
from neurons.search.cp_fit import Fit, Table
from neurons.search.cp_start import whiten
from neurons.search.cp_terms import Choices, TermSearch
from neurons.search.threads import one_thread
from neurons.task_based import Expression
from neurons.task_based.expression import Token

Weights = Literal["shared", "own", "either"]
_LEAST_ROWS = 16


@dataclass(frozen=True, eq=False)
class Interactions:
    """A found sum of powers and products of projections.

    Args:
        intercept: `c0`.
        shared: coefficient of `sum_i x_i^k` by power `k`.
        own: weights `(inputs,)` of `x^k` by power `k`.
        factors: `(rank, order, inputs)` by order; the factors of a product have equal lengths.
        inputs: number of inputs.
        rows: number of examples that it was fitted to.
        rss: residual sum of squares.
        parameters: effective parameters: the rank of the derivatives by all parameters.
    """

    intercept: float
    shared: Mapping[int, float]
    own: Mapping[int, Float[np.ndarray, " inputs"]]
    factors: Mapping[int, Float[np.ndarray, "rank order inputs"]]
    inputs: int
    rows: int
    rss: float
    parameters: int

    @property
    def powers(self) -> tuple[int, ...]:
        """Powers that occur, with one coefficient or with one per input, ascending."""
        return tuple(sorted({*self.shared, *self.own}))

    @property
    def orders(self) -> tuple[int, ...]:
        """Orders of interactions that occur, ascending."""
        return tuple(sorted(self.factors))

    @property
    def ranks(self) -> dict[int, int]:
        """Number of products by order."""
        return {order: len(self.factors[order]) for order in self.orders}

    @property
    def variance(self) -> float:
        """Unbiased estimate of the noise variance."""
        return self.rss / max(self.rows - self.parameters, 1)

    @property
    def bic(self) -> float:
        """`n log(RSS / n) + p log n`; minus infinity for a perfect fit."""
        fit = math.log(self.rss / self.rows) if self.rss > 0 else -math.inf
        return self.rows * fit + self.parameters * math.log(self.rows)

    def predict(self, x: ArrayLike | Sequence[Any]) -> Float[np.ndarray, " rows"]:
        """Values for inputs `(rows, inputs)`.

        Raises:
            ValueError: for another number of inputs.
        """
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise ValueError(f"x must have shape (rows, {self.inputs}), got {x.shape}")
        value = np.full(len(x), self.intercept)
        for k, coefficient in self.shared.items():
            value += coefficient * (x**k).sum(axis=1)
        for k, weights in self.own.items():
            value += x**k @ weights
        for factors in self.factors.values():
            value += (x @ np.swapaxes(factors, 1, 2)).prod(axis=2).sum(axis=0)
        return value

    def to_neuron(self, **options: Any) -> Neuron:
        """A neuron with the powers and products found, all weights free; without powers, with x.

        Args:
            options: of `Expression.to_neuron`, but for `interactions`.
        """
        first, *others = self.powers or (1,)
        tokens: list[Token] = ["x", first, "**"]
        for power in others:
            tokens += ["x", power, "**", "+"]
        return Expression(tuple(tokens)).to_neuron(
            interactions=tuple(self.ranks.items()), **options
        )

    def form(self, degree: int) -> np.ndarray:
        """The symmetric tensor of the part of some degree; unlike its split, it is unique.

        Args:
            degree: number of axes, each of length `inputs`.

        Returns:
            The tensor `A` with `A(x, ..., x)` the terms of that degree.
        """
        require("degree", degree)
        tensor = np.zeros((self.inputs,) * degree)
        if degree in self.factors:
            tensor += symmetric(self.factors[degree])
        diagonal = (np.arange(self.inputs),) * degree
        tensor[diagonal] += self.shared.get(degree, 0.0) + self.own.get(degree, 0.0)
        return tensor


def symmetric(factors: Float[np.ndarray, "rank order inputs"]) -> np.ndarray:
    """The symmetric tensor of `sum_r prod_m (u_rm . x)`: the mean over all orders of the factors.

    Example:
        >>> symmetric(np.array([[[1.0, 0.0], [0.0, 1.0]]]))  # x_1 x_2
        array([[0. , 0.5],
               [0.5, 0. ]])
    """
    order = factors.shape[1]
    letters = "abcdefgh"[:order]
    formula = ",".join("r" + letter for letter in letters) + "->" + letters
    tensor = np.einsum(formula, *np.swapaxes(factors, 0, 1))
    turned = [tensor.transpose(axes) for axes in permutations(range(order))]
    return np.asarray(np.mean(turned, axis=0))


def interactions(
    x: ArrayLike | Sequence[Any],
    y: ArrayLike | Sequence[Any],
    *,
    key: Array,
    powers: Sequence[int] = (1, 2, 3, 4, 5),
    orders: Sequence[int] = (2, 3, 4),
    max_rank: int = 4,
    weights: Weights = "either",
    starts: int = 12,
) -> Interactions:
    """Find the powers and the products of projections that explain `y`.

    Terms enter and leave one by one, judged by the extended BIC; after every step all parameters
    are refined together by Levenberg-Marquardt. A product to add comes from alternating least
    squares from many starts, half of them within the directions in which the residual bends. No
    training, no penalty to tune; about a tenth of a second for 2,500 rows of 10 inputs.

    Args:
        x: `(rows, inputs)`; at least 16 rows. Sums of powers take the inputs as they are.
        y: `(rows,)`.
        key: JAX random key of the starts; the same key gives the same result.
        powers: powers to choose from; may be empty.
        orders: orders of products to choose from, at least 2; may be empty.
        max_rank: products of one order at most.
        weights: "shared": one coefficient for a power of all inputs; "own": a weight per input;
            "either": whichever has the lower score.
        starts: starts per product.

    Returns:
        The model with the lowest score that was met, see :class:`Interactions`.

    Raises:
        ValueError: for arrays of wrong shapes, too few rows, values that are not finite, powers
            below 1, orders below 2, repetitions, nothing to choose from, or unknown `weights`.

    References:
        The class of models: H. Pei et al., NeuronSeek, arXiv 2506.15715. The criterion: J. Chen,
        Z. Chen, Extended Bayesian information criteria, Biometrika 95(3), 2008. The method is ours.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((500, 4))
        >>> y = 2 * (x**3).sum(axis=1) + x[:, 0] * (x[:, 1] - x[:, 2])
        >>> found = interactions(x, y, key=jax.random.key(0))
        >>> found.powers, found.orders, found.ranks
        ((3,), (2,), {2: 1})
    """
    x, y = _checked(x, y)
    choices = _choices(powers, orders, max_rank, weights, starts)
    mean, scale = float(y.mean()), float(y.std()) or 1.0
    table = Table(x, (y - mean) / scale)
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    with one_thread():  # many small products: threads would only wait
        fit = TermSearch(table, whiten(table.x), choices, generator).run()
    return _result(table, fit, mean, scale)


def _checked(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 2 or y.shape != x.shape[:1] or x.shape[1] == 0:
        raise ValueError(f"needs x (rows, inputs) and y (rows,), got {x.shape} and {y.shape}")
    if len(y) < _LEAST_ROWS:
        raise ValueError(f"needs at least {_LEAST_ROWS} rows, got {len(y)}")
    for label, values in (("x", x), ("y", y)):
        if not np.isfinite(values).all():
            raise ValueError(
                f"{label} has {np.sum(~np.isfinite(values))} values that are no number"
            )
    return x, y


def _choices(
    powers: Sequence[int], orders: Sequence[int], max_rank: int, weights: str, starts: int
) -> Choices:
    powers = distinct("powers", powers) if powers else ()
    orders = distinct("orders", orders, 2) if orders else ()
    if not powers and not orders:
        raise ValueError("powers and orders are both empty: there is nothing to choose from")
    if weights not in ("shared", "own", "either"):
        raise ValueError(f"weights must be 'shared', 'own' or 'either', got {weights!r}")
    require("max_rank", max_rank)
    require("starts", starts)
    shared = () if weights == "own" else powers
    return Choices(shared, () if weights == "shared" else powers, orders, max_rank, starts)


def _result(table: Table, fit: Fit, mean: float, scale: float) -> Interactions:
    """Back to the scales of the data."""
    terms, linear = fit.terms, scale * fit.linear
    inputs, at = table.x.shape[1], 1 + len(terms.shared)
    shared = {
        k: float(c) / table.common**k for k, c in zip(terms.shared, linear[1:at], strict=True)
    }
    rows = linear[at:].reshape(len(terms.own), inputs)
    own = {k: row / table.scales**k for k, row in zip(terms.own, rows, strict=True)}
    factors: dict[int, list[np.ndarray]] = {}
    for order, product in zip(terms.products, fit.products, strict=True):
        factors.setdefault(order, []).append(_canonical(product / table.scales, scale))
    return Interactions(
        intercept=mean + float(linear[0]),
        shared=shared,
        own=own,
        factors={order: np.stack(factors[order]) for order in sorted(factors)},
        inputs=inputs,
        rows=len(table.y),
        rss=scale**2 * fit.rss,
        parameters=fit.parameters,
    )


def _canonical(factors: np.ndarray, scale: float) -> np.ndarray:
    """The product times a scale, by factors of equal length; the last carries the sign."""
    lengths = np.linalg.norm(factors, axis=1)
    peaks = np.take_along_axis(factors, np.abs(factors).argmax(axis=1)[:, None], axis=1)[:, 0]
    signs = np.where(peaks < 0, -1.0, 1.0)
    common = (scale * lengths.prod()) ** (1 / len(factors))
    turned = factors * (signs * common / np.where(lengths > 0, lengths, 1.0))[:, None]
    turned[-1] *= signs.prod()
    return turned
