"""From an archive to a result: coefficients, standard errors, the front."""

from collections.abc import Iterable

import numpy as np

from neurons.search.archive import Archive, Model, coefficients, constants_of, structure_of
from neurons.search.data import Data
from neurons.search.fitting import Evaluator, Term
from neurons.search.proposals import base_columns
from neurons.search.result import Found, LackOfFit, SearchResult
from neurons.task_based import Expression

EQUIVALENT = 2.0  # BIC
_MOST = 20  # equivalents that are listed
_STEP = 1e-6


def pareto(archive: Archive) -> list[Model]:
    """Models none of which is both simpler and better than another, simple ones first."""
    front: list[Model] = []
    floor = archive.evaluator.problem.floor

    def key(model: Model) -> tuple[int, float, str]:
        """Complexity, then loss; the last digits are rounding, so that they do not decide."""
        loss = float(f"{max(archive.loss(model), floor):.8e}")
        return archive.complexity(model), loss, repr(structure_of(model.terms))

    least = np.inf
    for model in sorted(archive.models.values(), key=key):
        loss = max(archive.loss(model), floor)
        if loss < least * (1 - 1e-9):
            front.append(model)
            least = loss
    return front


def equivalents(archive: Archive, best: Model) -> list[Model]:
    """Other models within 2 BIC of the best, by score."""
    limit = archive.bic(best) + EQUIVALENT
    close = [m for m in archive.models.values() if m is not best and archive.bic(m) <= limit]
    return sorted(close, key=archive.score)[:_MOST]


def found_of(archive: Archive, data: Data, model: Model) -> Found:
    """A model with everything that is known of it, in the data's own units."""
    evaluator = archive.evaluator
    if model.excess < 0 and archive.rows is not None:  # it has what the triangle does not
        evaluator = archive.rows
    problem, terms, unit = evaluator.problem, model.terms, data.unit
    betas = coefficients(evaluator, terms)
    values = evaluator.values(terms, constants_of(terms)[None])[0]
    intercept = (problem.centre - problem.means(values) @ betas) * unit
    errors, constant_errors = standard_errors(evaluator, terms, betas, archive.loss(model))
    whole = archive.evaluator.problem
    return Found(
        tuple(Expression(term, evaluator.operators) for term in terms),
        _rows(betas * unit),
        tuple(float(value) for value in intercept),
        _rows(errors * unit),
        tuple(float(value) for value in constant_errors),
        archive.complexity(model),
        float(archive.loss(model) / whole.samples * (unit**2).mean()),
        float(1 - archive.loss(model) / whole.total),
        archive.bic(model),
        archive.misfit(model),
    )


def _rows(values: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in values)


def standard_errors(
    evaluator: Evaluator, terms: tuple[Term, ...], betas: np.ndarray, loss: float
) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors of coefficients `(terms, targets)` and of inner constants.

    From the curvature of the squared loss at the minimum, all parameters together.
    """
    constants = constants_of(terms)
    targets = betas.shape[1]
    columns = evaluator.columns(terms, constants[None])[0]  # (terms, rows)
    step = _STEP * np.maximum(np.abs(constants), 1e-2)
    moved = constants + np.diag(step) if len(constants) else np.empty((0, 0))
    shifted = evaluator.columns(terms, moved) if len(constants) else np.empty((0, *columns.shape))
    slopes = (shifted - columns) / step[:, None, None]  # (constants, terms, rows)
    blocks = [np.kron(np.eye(targets), columns.T), _stack(slopes, betas)]
    slope = np.concatenate(blocks, axis=1)  # (targets * rows, parameters)
    freedom = max(1, evaluator.problem.samples * targets - targets - slope.shape[1])
    scale = np.linalg.norm(slope, axis=0)
    scale[scale == 0] = 1.0
    inverse = np.linalg.pinv(slope / scale, rcond=1e-12)
    spread = np.linalg.norm(inverse, axis=1) / scale * np.sqrt(max(loss, 0.0) / freedom)
    own = len(terms) * targets
    return spread[:own].reshape(targets, len(terms)).T, spread[own:]


def _stack(slopes: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """Derivatives of all targets by the constants, `(targets * rows, constants)`."""
    by_target = np.einsum("ctr,tk->krc", slopes, betas)
    return by_target.reshape(betas.shape[1] * slopes.shape[2], slopes.shape[0])


def lack_of_fit(archive: Archive, data: Data, best: Model) -> LackOfFit:
    """What any smooth f could reach."""
    problem = archive.evaluator.problem
    size, freedom = problem.samples * problem.targets, problem.residual_freedom
    ceiling = 1 - problem.rest / problem.total
    if freedom:
        ceiling = 1 - (problem.rest / freedom) / (problem.total / max(1, size - problem.targets))
    line = problem.beside(base_columns(archive, (1,)))
    linear = float((line.target**2).sum()) + problem.rest
    noise = np.sqrt(problem.noise) * float(np.sqrt((data.unit**2).mean()))
    return LackOfFit(
        float(ceiling),
        float(noise),
        problem.misfit(linear, 2 * problem.targets),
        archive.misfit(best),
        problem.truncated,
    )


def result_of(
    archive: Archive, data: Data, status: str, steps: Iterable[str], seconds: float
) -> SearchResult:
    """Everything that a search found."""
    best = archive.ranked()[0]
    if archive.loss(best) <= archive.evaluator.problem.floor:
        status = "exact"
    return SearchResult(
        best=found_of(archive, data, best),
        front=tuple(found_of(archive, data, model) for model in pareto(archive)),
        equivalents=tuple(found_of(archive, data, m) for m in equivalents(archive, best)),
        lack_of_fit=lack_of_fit(archive, data, best),
        scaling=data.scaling,
        status=status,
        samples=data.triangle.samples,
        inputs=data.triangle.inputs,
        steps=tuple(steps),
        seconds=seconds,
        single=data.single,
        operators=archive.evaluator.operators,
    )
