"""The search's own view of the data: one unknown function, known through 64 nodes.

For values `v` of a function at the nodes the data's column `sum_i f(x_i)`, centred, is `W v` up to
a rotation that leaves lengths alone. Squared loss of any model = `|z - W v|^2 + rest`.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import stats

from neurons.search.frame import to_coefficients
from neurons.search.moments import Triangle
from neurons.search.projection import basis_of

NOISE = 1e-10  # share of the total from which on the rest is taken for noise, not truncation
EXACT = 1e-18  # of the total sum of squares: what float64 leaves of an exact fit


@dataclass(frozen=True)
class Reduced:
    """A regression problem in the values of one function at the nodes.

    Args:
        nodes: inputs `(degree,)`.
        design: `W` `(degree - 1, degree)`.
        target: `z` `(degree - 1, targets)`.
        rest: squared loss that no smooth f can remove.
        samples: how many samples stand behind it.
        averages: `(degree,)`; values at the nodes times these give the mean of the data's column.
        centre: the mean target `(targets,)`.
    """

    nodes: np.ndarray
    design: np.ndarray
    target: np.ndarray
    rest: float
    samples: int
    averages: np.ndarray
    centre: np.ndarray

    @cached_property
    def total(self) -> float:
        """Squared loss of the best constant."""
        return float((self.target**2).sum() + self.rest)

    @property
    def targets(self) -> int:
        """How many targets the data has."""
        return self.target.shape[1]

    @property
    def residual_freedom(self) -> int:
        """Degrees of freedom that `rest` has."""
        return max(0, (self.samples - len(self.nodes)) * self.targets)

    @property
    def floor(self) -> float:
        """Squared loss below which a model counts as exact."""
        return EXACT * self.total

    @property
    def noise(self) -> float:
        """Variance of the noise per target, NaN without degrees of freedom for it."""
        return self.rest / self.residual_freedom if self.residual_freedom else float("nan")

    @property
    def noisy(self) -> bool:
        """Whether what no smooth f can remove is noise."""
        return self.rest > NOISE * self.total and not self.truncated

    @cached_property
    def truncated(self) -> bool:
        """Whether f has structure beyond the last moment: a kink, or waves too fine for the nodes.

        Noise weighs on all degrees alike; a tail that was cut off shows in the last ones.
        """
        if not self.residual_freedom:
            return False
        last = len(self.target) // 4
        excess = (self.target[-last:] ** 2).sum() / (last * self.targets)
        ratio = excess / max(self.noise, 1e-300)
        return bool(stats.f.sf(ratio, last * self.targets, self.residual_freedom) < 1e-6)

    def beside(self, columns: np.ndarray) -> "Reduced":
        """What is left of the problem once columns `(count, degree - 1)` are projected out."""
        basis = basis_of(columns)
        return replace(
            self,
            design=self.design - basis @ (basis.T @ self.design),
            target=self.target - basis @ (basis.T @ self.target),
        )

    def means(self, values: np.ndarray) -> np.ndarray | np.floating:
        """Mean of the data's column for values `(..., degree)`."""
        return values @ self.averages

    def columns(self, values: np.ndarray) -> np.ndarray:
        """Columns `(..., degree - 1)` for values `(..., degree)` at the nodes."""
        return values @ self.design.T

    def bic(self, loss: np.ndarray | float, parameters: np.ndarray | int) -> np.ndarray | float:
        """Bayesian information criterion of a model with so much squared loss."""
        size = self.samples * self.targets
        return size * np.log(np.maximum(loss, self.floor) / size) + parameters * np.log(size)

    def misfit(self, loss: float, parameters: int) -> float:
        """p-value of the F-test of a model against the best smooth f; 1 for an exact one.

        Small: the model lacks something that the data shows.
        """
        if loss <= self.floor:
            return 1.0
        between = (len(self.nodes) - 1) * self.targets + 1 - parameters
        if between < 1 or not self.residual_freedom:
            return float("nan")
        excess = max(0.0, loss - self.rest) / between
        return float(stats.f.sf(excess / max(self.noise, 1e-300), between, self.residual_freedom))


def reduce_triangle(triangle: Triangle) -> Reduced:
    """The reduced problem of compressed data."""
    degree = triangle.degree
    factor = triangle.factor
    coefficients = to_coefficients(degree)
    design = factor[1:degree, 1:degree] @ coefficients[1:]
    root = factor[0, 0]  # square root of the sum of weights
    averages = factor[0, 1:degree] @ coefficients[1:] / root + triangle.inputs * coefficients[0]
    return Reduced(
        triangle.frame.nodes(degree),
        design,
        factor[1:degree, degree:],
        float((factor[degree:, degree:] ** 2).sum()),
        triangle.samples,
        averages,
        factor[0, degree:] / root,
    )


@dataclass(frozen=True)
class Curve:
    """The best smooth f of the data, and how sure it is.

    Args:
        x: nodes `(degree,)`.
        value: `(degree, targets)`, each with mean 0 over the nodes.
        error: standard errors, same shape.
        degree: degree of the polynomial, chosen by BIC.
    """

    x: np.ndarray
    value: np.ndarray
    error: np.ndarray
    degree: int


def curve(triangle: Triangle) -> Curve:
    """Deconvolve f from the data: `y = c + sum_i f(x_i)`.

    The triangle orders the moments by degree, so the loss of every degree is a partial sum; BIC
    chooses one.
    """
    factor, size = triangle.factor, triangle.degree
    target, rest = factor[1:size, size:], (factor[size:, size:] ** 2).sum()
    loss = rest + np.append(np.cumsum((target**2).sum(1)[::-1])[::-1], 0.0)
    usable = _rank(factor[1:size, 1:size])
    count = triangle.samples * triangle.targets
    floor = EXACT * loss[0]
    degrees = np.arange(usable + 1)
    bic = count * np.log(np.maximum(loss[: usable + 1], floor) / count) + degrees * np.log(count)
    best = int(bic.argmin())
    powers = np.linalg.inv(to_coefficients(size))[:, 1 : best + 1]
    powers = powers - powers.mean(0)
    inverse = np.linalg.pinv(factor[1 : best + 1, 1 : best + 1]) if best else np.zeros((0, 0))
    freedom = max(1, count - best - 1)
    spread = np.linalg.norm(powers @ inverse, axis=1) * np.sqrt(loss[best] / freedom)
    value = powers @ inverse @ target[:best]
    error = np.repeat(spread[:, None], triangle.targets, axis=1)
    return Curve(triangle.frame.nodes(size), value, error, best)


def _rank(factor: np.ndarray) -> int:
    """How many leading columns are independent."""
    diagonal = np.abs(np.diagonal(factor))
    weak = np.flatnonzero(diagonal <= 1e-10 * np.linalg.norm(factor, axis=0).clip(1e-300))
    return int(weak[0]) if len(weak) else len(diagonal)
