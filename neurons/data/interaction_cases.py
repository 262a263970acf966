"""The fifteen synthetic formulas of NeuronSeek: power sums, products of projections, and both.

`y = sum_k c_k sum_i x_i^k + sum_k c'_k prod_(m<=k) (u_km . x)` with Gaussian inputs, noise, and `y`
standardised. The formula and the rows have seeds of their own: one formula can be met in many
samples.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MODERATE, _WIDE = (1.0, 3.0), (0.5, 3.0)
Coefficient = float | tuple[float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One formula, up to the numbers in it.

    Args:
        name: mode and variant, e.g. "hybrid 3".
        power_sums: coefficient of `sum_i x_i^k` by `k`: a number, or the range of a magnitude whose
            sign is drawn too.
        products: coefficient of the product of `k` random projections by `k`, likewise.
    """

    name: str
    power_sums: Mapping[int, Coefficient]
    products: Mapping[int, Coefficient]

    @property
    def powers(self) -> tuple[int, ...]:
        """Powers that the formula has, ascending."""
        return tuple(sorted(self.power_sums))

    @property
    def orders(self) -> tuple[int, ...]:
        """Orders of its products, ascending."""
        return tuple(sorted(self.products))


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of a case, with the truth in the scale of the standardised `y`.

    Args:
        case: where they come from.
        x: `(rows, inputs)`, standard normal.
        y: `(rows,)`, with noise, mean 0 and standard deviation 1.
        clean: `(rows,)`, what `y` is without noise, in `y`'s scale.
        power_sums: true coefficient by power.
        factors: true projections by order, `(order, inputs)`; the first carries the coefficient.
    """

    case: Case
    x: Floats
    y: Floats
    clean: Floats
    power_sums: Mapping[int, float]
    factors: Mapping[int, Floats]

    def __str__(self) -> str:
        return f"simulated {self.case.name}, {self.x.shape[0]} x {self.x.shape[1]}"


CASES: tuple[Case, ...] = (
    Case("pure 0", {2: _MODERATE}, {}),
    Case("pure 1", {3: _MODERATE}, {}),
    Case("pure 2", {1: 10.0, 2: 0.5}, {}),
    Case("pure 3", {2: 5.0, 4: 0.5}, {}),
    Case("pure 4", {5: _MODERATE}, {}),
    Case("interact 0", {}, {2: _MODERATE}),
    Case("interact 1", {}, {2: _MODERATE, 3: _WIDE}),
    Case("interact 2", {}, {2: 8.0, 3: 0.5}),
    Case("interact 3", {}, {2: _MODERATE, 4: _WIDE}),
    Case("interact 4", {}, {4: _MODERATE}),
    Case("hybrid 0", {2: _MODERATE}, {2: _MODERATE}),
    Case("hybrid 1", {1: _MODERATE}, {2: _MODERATE}),
    Case("hybrid 2", {3: 5.0}, {2: 0.5}),
    Case("hybrid 3", {2: 0.5}, {3: 5.0}),
    Case("hybrid 4", {2: _MODERATE}, {3: _MODERATE}),
)
"""The authors' list; coefficients, projections and rows come from our seeds, not from theirs."""


def case(name: str) -> Case:
    """The case of that name.

    Raises:
        ValueError: for an unknown name.
    """
    named = {one.name: one for one in CASES}
    if name not in named:
        raise ValueError(f"cases are {', '.join(named)}; got {name!r}")
    return named[name]


def sample(
    of: Case | str,
    *,
    rows: int = 2500,
    inputs: int = 10,
    noise: float = 0.01,
    formula: int = 0,
    seed: int = 0,
) -> Sample:
    """Draw a sample of a case.

    Projections have entries N(0, 1/inputs), so that every factor has variance about one. Noise has
    the given standard deviation **before** `y` is standardised, as in the authors' generator.

    Args:
        of: a case or its name.
        rows: number of examples, at least 2.
        inputs: number of columns, at least 1.
        noise: standard deviation of the noise in raw `y`.
        formula: seed of coefficients and projections.
        seed: seed of rows and noise.

    Raises:
        ValueError: for an unknown case, too few rows or inputs, or negative noise.

    References:
        H. Pei et al., NeuronSeek, arXiv 2506.15715; generator of the repository
        HanyuPei22/NeuronSeek (modes pure, interact, hybrid, five variants each).

    Example:
        >>> drawn = sample("hybrid 1", rows=100)
        >>> drawn.case.powers, drawn.case.orders, drawn.factors[2].shape
        ((1,), (2,), (2, 10))
    """
    chosen = case(of) if isinstance(of, str) else of
    if rows < 2 or inputs < 1 or noise < 0:
        raise ValueError(f"needs rows >= 2, inputs >= 1, noise >= 0: {rows}, {inputs}, {noise}")
    power_sums, factors = _draw_formula(chosen, inputs, formula)
    generator = np.random.default_rng([seed, rows, inputs])
    x = generator.standard_normal((rows, inputs))
    clean = evaluate(x, power_sums, factors)
    raw = clean + noise * generator.standard_normal(rows)
    mean, scale = float(raw.mean()), float(raw.std())
    return Sample(
        chosen,
        x,
        (raw - mean) / scale,
        (clean - mean) / scale,
        {k: c / scale for k, c in power_sums.items()},
        {k: _scale_first(u, 1 / scale) for k, u in factors.items()},
    )


def evaluate(
    x: Floats,
    power_sums: Mapping[int, float],
    factors: Mapping[int, Floats],
) -> Floats:
    """The formula's value, without a constant."""
    pure = sum((c * (x**k).sum(axis=1) for k, c in power_sums.items()), np.zeros(len(x)))
    return pure + sum((x @ u.T).prod(axis=1) for u in factors.values())


def _draw_formula(
    chosen: Case, inputs: int, seed: int
) -> tuple[dict[int, float], dict[int, Floats]]:
    """Cases differ in their numbers even under one seed: their place in the list is folded in."""
    place = next((i for i, one in enumerate(CASES) if one == chosen), len(CASES))
    generator = np.random.default_rng([seed, place])
    power_sums = {k: _coefficient(c, generator) for k, c in chosen.power_sums.items()}
    factors = {
        k: _scale_first(
            generator.standard_normal((k, inputs)) / math.sqrt(inputs), _coefficient(c, generator)
        )
        for k, c in chosen.products.items()
    }
    return power_sums, factors


def _coefficient(wanted: Coefficient, generator: np.random.Generator) -> float:
    if not isinstance(wanted, tuple):
        return wanted
    sign = 1 if generator.random() < 0.5 else -1
    return sign * float(generator.uniform(*wanted))


def _scale_first(factors: Floats, by: float) -> Floats:
    return np.concatenate([by * factors[:1], factors[1:]])
