"""PySR, the evolutionary search in Julia, as a back-end; needs the extra `pysr`.

`import pysr` looks for Julia and downloads it where there is none, so nothing here imports it until
it is asked to propose. Where Julia cannot be had, that import fails with whatever stopped it.

References:
    M. Cranmer, Interpretable machine learning for science with PySR and SymbolicRegression.jl,
    arXiv 2305.01582.
"""

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from neurons.search.backend import BackendUnavailable, distinct, legal, tasks
from neurons.search.reduced import Curve
from neurons.search.space import Space
from neurons.task_based import Expression, Operator
from neurons.task_based.symbolic import from_sympy

_WORDS = {"inverse": "inv", "sigmoid": "sigmoid(x) = 1 / (1 + exp(-x))"}
_SMALLEST, _LARGEST = 7, 40  # complexity: PySR refuses less, and warns about more


@dataclass(frozen=True)
class Pysr:
    """Proposes formulas with PySR, serial and deterministic: the same seed, the same formulas.

    Args:
        iterations: of PySR's outer loop.
        populations: how many evolve side by side.
        population_size: formulas in each.
        seconds: a time limit; with one, results depend on the machine.
        julia: Julia text of custom operators, `{"cube": "cube(x) = x^3"}`; without, it is made of
            their sympy form.
        options: further settings of `PySRRegressor`.

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> Pysr(iterations=5).populations
        15
    """

    iterations: int = 40
    populations: int = 15
    population_size: int = 27
    seconds: float | None = None
    julia: Mapping[str, str] = field(default_factory=dict, hash=False)
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if min(self.iterations, self.populations, self.population_size) < 1:
            raise ValueError(
                f"iterations, populations and population_size are at least 1, got {self}"
            )
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")

    def propose(self, curve: Curve, space: Space, seed: int) -> list[Expression]:
        """The Pareto front's formulas for every target, simple ones first.

        Raises:
            BackendUnavailable: without PySR, or where Julia cannot be had.
            ValueError: for a custom operator that has no Julia form.
        """
        settings = self._settings(space)
        regressor = _regressor()
        read = partial(from_sympy, operators=space.table)
        found = []
        for number, task in enumerate(tasks(curve)):
            model = regressor(**settings, random_state=(seed + number) % 2**31)
            model.fit(task.x[:, None], task.y, weights=task.weight, variable_names=["x"])
            found += legal(space, task, read, model.equations_["sympy_format"])
        return distinct(found)

    def _settings(self, space: Space) -> dict[str, Any]:
        import sympy  # takes half a second

        custom = [op.name for op in space.operators] + ["sigmoid"] * ("sigmoid" in space.functions)
        settings = {
            "niterations": self.iterations,
            "populations": self.populations,
            "population_size": self.population_size,
            "timeout_in_seconds": self.seconds,
            "maxsize": min(max(_SMALLEST, space.max_complexity), _LARGEST),
            "extra_sympy_mappings": {name: sympy.Function(name) for name in custom},
            "precision": 64,
            "batching": False,
            "parallelism": "serial",
            "deterministic": True,
            "progress": False,
            "verbosity": 0,
            "temp_equation_file": True,
            "input_stream": "devnull",
        }
        return settings | self._language(space) | dict(self.options)

    def _language(self, space: Space) -> dict[str, Any]:
        """PySR's operators, their sizes and limits; what it has no word for is left out."""
        binary = ["+", "-"] + ["*"] * (space.products or max(space.powers, default=1) > 1)
        unary = [name for power, name in ((2, "square"), (3, "cube")) if power in space.powers]
        unary += [_WORDS.get(name, name) for name in space.functions]
        unary += [julia(operator, self.julia) for operator in space.operators]
        used = {text.split("(")[0] for text in (*binary, *unary)}
        sizes = {operator.name: operator.complexity for operator in space.operators}
        return {
            "binary_operators": binary,
            "unary_operators": unary,
            "complexity_of_operators": _among(used, sizes | dict(space.complexity)),
            "complexity_of_variables": space.complexity.get("x"),
            "complexity_of_constants": space.complexity.get("constant"),
            "constraints": {
                name: (most, most) if name in binary else most
                for name, most in _among(used, space.constraints).items()
            },
            "nested_constraints": {
                name: _among(used, inside) for name, inside in _among(used, space.nested).items()
            },
        }


def _among(used: Iterable[str], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in used}


def julia(operator: Operator, given: Mapping[str, str] | None = None) -> str:
    """A custom operator in Julia.

    Raises:
        ValueError: if there is neither a text nor a sympy form that Julia can compute.

    Example:
        >>> julia(Operator("cube", 1, lambda x: x**3, lambda x: x**3))
        'cube(x) = x .^ 3'
    """
    import sympy

    if given and operator.name in given:
        return given[operator.name]
    formula = operator.sympy
    if isinstance(formula, str):
        formula = getattr(sympy, formula)
    if formula is not None:
        _, unknown, text = sympy.julia_code(formula(sympy.Symbol("x")), human=False)
        if not unknown:
            return f"{operator.name}(x) = {text}"
    raise ValueError(
        f"PySR needs Julia text for the operator {operator.name!r}: "
        f"Pysr(julia={{{operator.name!r}: '{operator.name}(x) = ...'}})"
    )


def _regressor() -> Any:
    try:
        return importlib.import_module("pysr").PySRRegressor
    except Exception as error:  # whatever stopped the download of Julia
        raise BackendUnavailable("pysr", f"{type(error).__name__}: {error}", "pysr") from error
