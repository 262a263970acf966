"""Constants of a model: the linear ones by projection, the inner ones by Levenberg-Marquardt.

A model is a tuple of terms; its columns' coefficients are always the least-squares ones (variable
projection), so that only the constants inside the terms are searched, many starts at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from neurons.search.projection import project_out
from neurons.search.reduced import Reduced
from neurons.task_based import OPERATORS, Operator
from neurons.task_based.expression import Token, run

Term = tuple[Token, ...]
_STEP = 1e-7


@dataclass(frozen=True)
class Evaluator:
    """Columns and losses of models on a reduced problem.

    Args:
        problem: the data.
        operators: what names mean.
    """

    problem: Reduced
    operators: Mapping[str, Operator] = field(default_factory=lambda: OPERATORS)

    def values(self, terms: Sequence[Term], constants: np.ndarray) -> np.ndarray:
        """Values `(starts, terms, nodes)` for constants `(starts, all)`."""
        starts, at = len(constants), 0
        found = np.empty((starts, len(terms), len(self.problem.nodes)))
        for place, term in enumerate(terms):
            own = sum(isinstance(token, float) for token in term)
            columns = [constants[:, at + k, None] for k in range(own)]
            found[:, place] = run(term, self.problem.nodes, columns, operators=self.operators)
            at += own
        return found

    def columns(self, terms: Sequence[Term], constants: np.ndarray) -> np.ndarray:
        """Columns `(starts, terms, rows)`; a term that is not finite at every node gives zeros."""
        values = self.values(terms, constants)
        values[~np.isfinite(values).all(axis=-1)] = 0.0
        largest = np.abs(values).max(axis=-1, keepdims=True)
        values[largest[..., 0] > 1e150] = 0.0
        return self.problem.columns(values)

    def residual(self, terms: Sequence[Term], constants: np.ndarray) -> np.ndarray:
        """What the best coefficients leave of the target, `(starts, rows, targets)`."""
        return project_out(self.columns(terms, constants), self.problem.target)


def fit(
    evaluator: Evaluator, terms: Sequence[Term], starts: np.ndarray, *, iterations: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    """Tune inner constants from several starts at once.

    Args:
        evaluator: the data.
        terms: the model.
        starts: constants `(starts, all)` in the terms' order.
        iterations: at most so many Levenberg-Marquardt steps.

    Returns:
        Constants `(starts, all)` and squared losses `(starts,)` above the problem's rest.
    """
    constants = np.array(starts, float)
    count = constants.shape[1]
    with np.errstate(all="ignore"):
        if not count:
            left = evaluator.residual(terms, constants)
            return constants, np.einsum("srt,srt->s", left, left)
        return _levenberg_marquardt(evaluator, terms, constants, iterations)


def _levenberg_marquardt(
    evaluator: Evaluator, terms: Sequence[Term], constants: np.ndarray, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    count = constants.shape[1]
    damping = np.full(len(constants), 1e-3)
    left, slope = _residual_and_slope(evaluator, terms, constants)
    loss = np.einsum("sr,sr->s", left, left)
    active = np.arange(len(constants))
    for _ in range(iterations):
        normal = np.einsum("srp,srq->spq", slope[active], slope[active])
        size = np.einsum("spp->sp", normal)
        scale = np.maximum(size, 1e-12 * size.max(axis=1, keepdims=True)) + 1e-300
        normal += (damping[active, None] * scale)[:, :, None] * np.eye(count)
        pull = np.einsum("srp,sr->sp", slope[active], left[active])
        step = _solve(normal, pull)
        trial = constants[active] - step
        trial_left, trial_slope = _residual_and_slope(evaluator, terms, trial)
        trial_loss = np.einsum("sr,sr->s", trial_left, trial_left)
        better = trial_loss < loss[active]
        gain = np.where(better, 1 - trial_loss / np.maximum(loss[active], 1e-300), 0.0)
        won = active[better]
        constants[won], loss[won] = trial[better], trial_loss[better]
        left[won], slope[won] = trial_left[better], trial_slope[better]
        damping[active] = np.where(better, damping[active] * 0.15, damping[active] * 6.0)
        going = (loss[active] > 1e-3 * evaluator.problem.floor) & (damping[active] < 1e8)
        going &= ~(better & (gain < 1e-9) & (gain > 0))
        active = active[going]
        if not len(active):
            break
    return constants, loss


def _solve(matrices: np.ndarray, sides: np.ndarray) -> np.ndarray:
    usable = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(sides).all(axis=1)
    matrices = np.where(usable[:, None, None], matrices, np.eye(matrices.shape[1]))
    scale = 1 / np.sqrt(np.einsum("spp->sp", matrices))
    scaled = matrices * scale[:, :, None] * scale[:, None, :]
    try:
        found = np.linalg.solve(scaled, (sides * scale)[..., None])[..., 0] * scale
    except np.linalg.LinAlgError:
        found = np.zeros_like(sides)
    return np.where(usable[:, None], found, 0.0)


def _residual_and_slope(
    evaluator: Evaluator, terms: Sequence[Term], constants: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Residual `(starts, rows)` and its forward differences `(starts, rows, constants)`."""
    starts, count = constants.shape
    step = _STEP * np.maximum(np.abs(constants), 1e-2)
    moved = np.repeat(constants[:, None], count + 1, axis=1)
    places = np.arange(count)
    moved[:, places + 1, places] += step
    left = evaluator.residual(terms, moved.reshape(-1, count))
    left = left.reshape(starts, count + 1, -1)
    slope = (left[:, 1:] - left[:, :1]) / step[:, :, None]
    return left[:, 0], slope.swapaxes(1, 2)
