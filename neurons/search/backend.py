"""Other engines at work on our problem: the search's curve is a one-variable regression for them.

A back-end sees f at 64 nodes with standard errors, whatever the numbers of samples and inputs were,
and proposes formulas; the search fits their constants again.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from typing import Any, Protocol, runtime_checkable

import numpy as np

from neurons.search.reduced import Curve
from neurons.search.space import Space
from neurons.task_based import Expression
from neurons.task_based.expression import Token
from neurons.task_based.symbolic import from_sympy

_SURE = 1e-6  # relative error from which on a node counts as known: engines compute in float32
_GROWING = ("*", "/", "**")
_LOW, _HIGH = 0.1, 10.0  # sizes of inputs that engines' constants reach by themselves


class BackendUnavailable(Exception):  # noqa: N818  # what happened, not a bug
    """A back-end that cannot run here.

    Args:
        backend: its name.
        reason: why not, in the words of what failed.
        extra: the extra of this package that installs it.
    """

    def __init__(self, backend: str, reason: str, extra: str) -> None:
        super().__init__(backend, reason, extra)
        self.backend, self.reason, self.extra = backend, reason, extra

    def __str__(self) -> str:
        return (
            f"the back-end {self.backend} is not available: {self.reason} "
            f'(it comes with: pip install "neuron-companion[{self.extra}]")'
        )


@runtime_checkable
class Backend(Protocol):
    """An engine with its settings: a frozen dataclass, so that it travels to workers."""

    def propose(self, curve: Curve, space: Space, seed: int) -> list[Expression]:
        """Formulas that fit the curve, of every target in turn; additive constants are free.

        Args:
            curve: the best smooth f, with errors.
            space: the language; a back-end leaves out what it has no word for.
            seed: the same seed gives the same formulas.

        Raises:
            BackendUnavailable: if the engine is not installed or does not start.
        """
        ...


@dataclass(frozen=True)
class Task:
    """One target's curve in units that suit an engine.

    Args:
        x: nodes, divided by `unit`.
        y: values of variance 1 over the nodes.
        weight: `1 / error^2`, at most 1.
        unit: of the inputs; 1 for inputs of ordinary size.
        scale: of the values.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    unit: float
    scale: float

    def restore(self, terms: Sequence[Expression], coefficients: Sequence[float]) -> Expression:
        """A sum of terms of this task in the data's own units."""
        inputs: tuple[Token, ...] = ("x",) if self.unit == 1 else ("x", self.unit, "/")
        found: list[Token] = []
        for term, coefficient in zip(terms, coefficients, strict=True):
            plus = ("+",) if found else ()
            inner = (t for token in term.postfix for t in (inputs if token == "x" else (token,)))
            found += (self.scale * coefficient, *inner, "*", *plus)
        return Expression(tuple(found), terms[0].operators)


def tasks(curve: Curve) -> list[Task]:
    """The regressions of a curve, one for every target that depends on x."""
    size = float(np.abs(curve.x).max())
    unit = 1.0 if _LOW <= size <= _HIGH else size
    pairs = zip(curve.value.T, curve.error.T, strict=True)
    return [_task(curve.x / unit, value, error, unit) for value, error in pairs if value.any()]


def _task(x: np.ndarray, value: np.ndarray, error: np.ndarray, unit: float) -> Task:
    scale = float(value.std())
    error = np.maximum(error / scale, _SURE)
    return Task(x, value / scale, (error.min() / error) ** 2, unit, scale)


def propose_in(
    executor: Executor, backend: Backend, curve: Curve, space: Space, seeds: Iterable[int]
) -> list[Expression]:
    """What a back-end proposes for several seeds, in the seeds' order whatever the workers.

    Args:
        executor: of `concurrent.futures`, Dask (`client.get_executor()`) or mpi4py.
        backend: the engine; it must be installed where the workers are.
        curve: the best smooth f.
        space: the language.
        seeds: one run of the engine for each.

    Returns:
        Formulas without repetitions.
    """
    # A space holds a read-only table of operators, which does not pickle; its settings do.
    plain = {field.name: getattr(space, field.name) for field in fields(space)}
    jobs = [executor.submit(_run, backend, curve, plain, seed) for seed in seeds]
    return distinct(formula for job in jobs for formula in job.result())


def _run(backend: Backend, curve: Curve, space: dict[str, Any], seed: int) -> list[Expression]:
    return backend.propose(curve, Space(**space), seed)


def distinct(formulas: Iterable[Expression]) -> list[Expression]:
    """Each formula once, in order."""
    return list(dict.fromkeys(formulas))


def legal(
    space: Space, task: Task, read: Callable[[Any], Expression], raw: Iterable[Any]
) -> list[Expression]:
    """What could be read of an engine's formulas and lies in the space, in the data's units.

    Sums of terms without their intercept, which is free; a formula with products of sums is
    followed by what it expands to.
    """
    found = []
    for each in raw:
        try:
            formula = read(each)
            sums = [formula.terms(), expanded(formula).terms()]
        except ValueError:  # an engine's corner, such as an infinite constant: no formula
            continue
        for terms, coefficients, _ in sums:
            if _within(space, terms):
                found.append(task.restore(terms, coefficients))
    return distinct(found)


def expanded(formula: Expression) -> Expression:
    """The formula with products of sums multiplied out; itself where there are none.

    Example:
        >>> expanded(Expression.parse("(x + 2)*(x - 2)*sin(x)"))
        Expression('x**2*sin(x) - 4.0*sin(x)')
    """
    sums = ("+", "-")
    if not any(any(t in each for t in sums) for each in formula.subtrees() if each[-1] in _GROWING):
        return formula
    import sympy  # takes half a second

    grown = sympy.expand(formula.sympy(), power_base=False, power_exp=False, log=False)
    return from_sympy(grown, formula.operators)


def _within(space: Space, terms: Sequence[Expression]) -> bool:
    size = sum(space.size((1.0, *term.postfix, "*")) for term in terms)
    size += (len(terms) - 1) * space.size(("+",))
    few = 1 <= len(terms) <= space.terms and size <= space.max_complexity
    return few and all(space.allows(term.postfix) for term in terms)
