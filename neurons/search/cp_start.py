"""Starting values for one more product of projections: alternating least squares from many starts.

With all factors but one held still, a product is linear in that one. What the model so far can
explain by moving its parameters is projected out, so that a start is judged by what it adds.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from neurons.search.cp_fit import Fit, Table, orthonormal, others


class Start(NamedTuple):
    """Factors and the residual sum of squares that they take away."""

    factors: Float[np.ndarray, "order inputs"]
    gain: float


class Whitening(NamedTuple):
    """`x @ matrix` has no correlations; columns that do not vary are left out."""

    matrix: Float[np.ndarray, "inputs directions"]
    mean: Float[np.ndarray, " inputs"]


def whiten(x: np.ndarray) -> Whitening:
    """The whitening of the inputs."""
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(x, rowvar=False, bias=True)))
    kept = values > 1e-12 * max(values[-1], 1e-300)
    return Whitening(vectors[:, kept] / np.sqrt(values[kept]), mean)


def start_product(
    table: Table,
    fit: Fit,
    order: int,
    generator: np.random.Generator,
    *,
    whitening: Whitening,
    starts: int = 12,
    sweeps: int = 4,
) -> Start:
    """The best product of `order` projections to add to a model, before joint refinement.

    All starts make a few sweeps over some of the rows in float32, the best quarter three times as
    many; the winner then sees all rows in float64.

    Args:
        table: the data.
        fit: the model so far.
        order: number of factors.
        generator: source of the starts, and of the rows.
        whitening: of the table's inputs.
        starts: how many.
        sweeps: rounds over all factors.
    """
    rough = _Alternation.of_some_rows(table, fit, order, generator)
    factors, gains = rough.sweep(_draw(table, fit, order, generator, whitening, starts), sweeps)
    best = np.argsort(-gains)[: max(1, starts // 4)]
    factors, gains = rough.sweep(factors[best], 3 * sweeps)
    whole = _Alternation(table.x, fit.tangent, fit.residual)
    chosen = int(np.argmax(gains))
    factors, gains = whole.sweep(factors[chosen : chosen + 1].astype(float), 2)
    return Start(factors[0], float(gains[0]))


def _draw(
    table: Table,
    fit: Fit,
    order: int,
    generator: np.random.Generator,
    whitening: Whitening,
    starts: int,
) -> Float[np.ndarray, "starts order inputs"]:
    """Random directions; every second start within the directions along which the residual bends.

    A product depends on its inputs through `order` projections only, which span the leading
    eigenvectors of the residual's second moments. For order 2 they give the factors themselves.
    """
    matrix, mean = whitening
    white = (table.x - mean) @ matrix
    drawn = generator.standard_normal((starts, order, white.shape[1]))
    square = fit.residual**2
    for weight, first in ((fit.residual, 0), (square - square.mean(), 1)):
        values, vectors = np.linalg.eigh((white * weight[:, None]).T @ white)
        leading = vectors[:, np.argsort(-np.abs(values))[:order]]
        inside = drawn[first::4, :, : leading.shape[1]]
        drawn[first::4] = inside @ leading.T
        if order == 2 and first == 0 and values[0] < 0 < values[-1]:
            up = np.sqrt(values[-1]) * vectors[:, -1]
            down = np.sqrt(-values[0]) * vectors[:, 0]
            drawn[0] = np.stack([up + down, up - down])
    return np.asarray(drawn @ matrix.T)


class _Alternation(NamedTuple):
    """Exact least squares over one factor at a time, all starts side by side."""

    x: np.ndarray
    tangent: np.ndarray
    residual: np.ndarray

    @classmethod
    def of_some_rows(
        cls, table: Table, fit: Fit, order: int, generator: np.random.Generator
    ) -> "_Alternation":
        """Enough rows to tell good starts from bad ones, in float32."""
        rows, inputs = table.x.shape
        enough = max(1000, 25 * order * inputs, 4 * fit.jacobian.shape[1])
        if enough >= rows:
            parts = (table.x, fit.tangent, fit.residual)
        else:
            some = generator.choice(rows, enough, replace=False)
            parts = (table.x[some], orthonormal(fit.jacobian[some]), fit.residual[some])
        return cls(*(part.astype(np.float32) for part in parts))

    def sweep(self, factors: np.ndarray, rounds: int) -> tuple[np.ndarray, np.ndarray]:
        """Factors `(starts, order, inputs)` after some rounds, and what each start gains."""
        x = self.x
        factors = np.swapaxes(factors, 0, 1).astype(x.dtype)  # order starts inputs
        factors /= np.linalg.norm(factors, axis=-1, keepdims=True)
        projected = factors @ x.T  # order starts rows
        for number in [m for _ in range(rounds) for m in range(len(factors))]:
            moved, gains = self._solve(others(projected, number))
            length = np.linalg.norm(moved, axis=-1, keepdims=True)
            factors[number] = moved / np.where(length > 0, length, 1)
            projected[number] = factors[number] @ x.T
        factors[-1] = moved
        return np.swapaxes(factors, 0, 1), gains

    def _solve(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The best last factor for each product of the others, `(starts, rows)`."""
        design = weight[:, :, None] * self.x
        along = self.tangent.T @ design
        gram = np.swapaxes(design, 1, 2) @ design
        # Relative to the design before projection: what is fully explained leaves rounding only.
        limits = np.finfo(gram.dtype)
        ridge = 10 * limits.eps * np.trace(gram, axis1=1, axis2=2)[:, None, None] + limits.tiny
        gram += ridge * np.eye(gram.shape[-1], dtype=gram.dtype)
        gram -= np.swapaxes(along, 1, 2) @ along
        slope = self.residual @ design - (self.residual @ self.tangent) @ along
        moved = np.linalg.solve(gram, slope[..., None])[..., 0]
        return moved, (slope * moved).sum(axis=-1)
