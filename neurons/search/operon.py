"""Operon, the fast genetic programming in C++, as a back-end; needs the extra `operon`.

Operon computes in float32 and has no weights: nodes that are known better are repeated.

References:
    B. Burlacu, G. Kronberger, M. Kommenda, Operon C++: an efficient genetic programming framework
    for symbolic regression, GECCO 2020 companion. https://github.com/heal-research/pyoperon
"""

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurons.search.backend import BackendUnavailable, Task, distinct, legal, tasks
from neurons.search.reduced import Curve
from neurons.search.space import Space
from neurons.task_based import Expression
from neurons.task_based.expression import Token

_SAME = ("sin", "cos", "tan", "exp", "log", "sinh", "cosh", "tanh", "sqrt", "abs", "atan")
_OTHER = {"inverse": ("div",), "relu": ("fmin", "fmax")}
_COPIES = 4  # of the best known node
_DIGITS = 17  # after the point: more than float32 has


@dataclass(frozen=True)
class Operon:
    """Proposes formulas with pyoperon, single-threaded; the same seed gives the same formulas.

    Two objectives, error and length (NSGA-II), constants by Levenberg-Marquardt. Functions that
    Operon lacks, custom operators among them, are left out; `relu` is found as a maximum.

    Args:
        population: formulas alive at a time.
        generations: rounds of selection.
        seconds: a time limit, whole seconds; with one, results depend on the machine.
        iterations: of Levenberg-Marquardt for every formula.
        options: further settings of `pyoperon.sklearn.SymbolicRegressor`.

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> Operon(population=100).generations
        60
    """

    population: int = 500
    generations: int = 60
    seconds: float | None = None
    iterations: int = 10
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if min(self.population, self.generations, self.iterations) < 1:
            raise ValueError(f"population, generations and iterations are at least 1, got {self}")
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")

    def propose(self, curve: Curve, space: Space, seed: int) -> list[Expression]:
        """The Pareto front's formulas for every target, short ones first.

        Raises:
            BackendUnavailable: without pyoperon.
        """
        regressor = _regressor()
        settings = self._settings(space)
        found = []
        for number, task in enumerate(tasks(curve)):
            model = regressor(**settings, random_state=(seed + number) % 2**31)
            with np.errstate(all="ignore"):
                model.fit(*_repeated(task))
            front = sorted(model.pareto_front_, key=lambda solution: solution["length"])
            texts = [model.get_model_string(s["tree"], _DIGITS, ["x"]) for s in front]
            found += legal(space, task, _read, texts)
        return distinct(found)

    def _settings(self, space: Space) -> dict[str, Any]:
        settings = {
            "allowed_symbols": ",".join(symbols(space)),
            "objectives": ["mse", "length"],
            "population_size": self.population,
            "generations": self.generations,
            "max_evaluations": 10**9,
            "max_length": max(5, space.max_complexity),
            "optimizer_iterations": self.iterations,
            "epsilon": 0.0,
            "n_threads": 1,
        }
        if self.seconds is not None:
            settings["max_time"] = math.ceil(self.seconds)
        return settings | dict(self.options)


def symbols(space: Space) -> tuple[str, ...]:
    """Operon's words for a space.

    Example:
        >>> symbols(Space(powers=[1], functions=["sin", "inverse"], products=False))
        ('add', 'sub', 'constant', 'variable', 'sin', 'div')
    """
    found = ["add", "sub", "constant", "variable"]
    if space.products or max(space.powers, default=1) > 1:
        found.append("mul")
    if 2 in space.powers:
        found.append("square")
    for name in space.functions:
        found += _OTHER.get(name, (name,) if name in _SAME else ())
    return tuple(found)


def _regressor() -> Any:
    try:
        return importlib.import_module("pyoperon.sklearn").SymbolicRegressor
    except ImportError as error:
        raise BackendUnavailable("operon", str(error), "operon") from error


def _repeated(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Inputs `(rows, 1)` and values, each node as often as its weight says."""
    copies = np.maximum(1, np.rint(_COPIES * task.weight)).astype(int)
    if (copies == _COPIES).all():
        copies[:] = 1
    return np.repeat(task.x, copies)[:, None], np.repeat(task.y, copies)


def _read(text: str) -> Expression:
    return Expression(_rectified(Expression.parse(text.replace("^", "**"))))


def _rectified(formula: Expression) -> tuple[Token, ...]:
    """`max(a, b) = relu(a - b) + b`, `min(a, b) = a - relu(a - b)`: the space knows relu only."""
    stack: list[tuple[Token, ...]] = []
    for token in formula.postfix:
        arity = formula.operators[token].arity if token != "x" and isinstance(token, str) else 0
        arguments = stack[len(stack) - arity :]
        del stack[len(stack) - arity :]
        if token in ("max", "min"):
            left, right = arguments
            above = (*left, *right, "-", "relu")
            stack.append((*above, *right, "+") if token == "max" else (*left, *above, "-"))
        else:
            stack.append((*(t for argument in arguments for t in argument), token))
    return stack.pop()
