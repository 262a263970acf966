"""What a search returns."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from neurons.neuron import Neuron
from neurons.search.data import Scaling
from neurons.task_based import OPERATORS, Expression, Operator, with_operators
from neurons.task_based.expression import Token


@dataclass(frozen=True)
class Found:
    """One formula: `y_k = intercept_k + sum_t coefficient_tk sum_i term_t(x_i)`.

    Args:
        terms: the terms, without coefficients.
        coefficients: `(terms, targets)`.
        intercept: `(targets,)`.
        errors: standard errors of the coefficients, shaped like them.
        constant_errors: standard errors of the inner constants, in the terms' order.
        complexity: nodes of the whole formula.
        loss: mean squared error on the data, summed over the targets.
        r2: share of the variance explained.
        bic: Bayesian information criterion.
        misfit: p-value of the test against the best smooth function; 1 for an exact formula, NaN
            where the data has too few samples for the test.
    """

    terms: tuple[Expression, ...]
    coefficients: tuple[tuple[float, ...], ...]
    intercept: tuple[float, ...]
    errors: tuple[tuple[float, ...], ...]
    constant_errors: tuple[float, ...]
    complexity: int
    loss: float
    r2: float
    bic: float
    misfit: float

    def expression(self, target: int = 0) -> Expression:
        """The f of one target, its coefficients in place, without the intercept."""
        tokens: list[Token] = []
        for place, term in enumerate(self.terms):
            tokens += [*term.postfix, self.coefficients[place][target], "*"]
            tokens += ["+"] if place else []
        return Expression(tuple(tokens), self.terms[0].operators)

    @property
    def sum(self) -> Expression:
        """The terms with coefficients 1: what becomes a neuron."""
        tokens: list[Token] = []
        for place, term in enumerate(self.terms):
            tokens += [*term.postfix, *(["+"] if place else [])]
        return Expression(tuple(tokens), self.terms[0].operators)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Targets `(n, targets)` for scaled inputs `(n, d)`."""
        columns = np.stack([term(x).sum(axis=-1) for term in self.terms], axis=-1)
        return np.asarray(self.intercept) + columns @ np.array(self.coefficients)

    def to_neuron(self, **options: Any) -> Neuron:
        """A neuron whose every term has its own weights; see `Expression.to_neuron`."""
        return self.sum.to_neuron(**options)

    def to_jax(self, target: int = 0) -> Callable[..., Any]:
        """The f of one target as a JAX function."""
        return self.expression(target).to_jax()

    def sympy(self, target: int = 0) -> Any:
        """The f of one target as a sympy expression."""
        return self.expression(target).sympy()

    def latex(self, target: int = 0, **options: Any) -> str:
        """The f of one target in LaTeX."""
        return self.expression(target).latex(**options)

    def __str__(self) -> str:
        if len(self.intercept) > 1:
            rows = ("[" + " ".join(f"{c:.4g}" for c in row) + "]" for row in self.coefficients)
            return " + ".join(f"{row}*{_short(t)}" for row, t in zip(rows, self.terms, strict=True))
        parts = []
        for term, (coefficient,) in zip(self.terms, self.coefficients, strict=True):
            size, sign = f"{abs(coefficient):.6g}", "-" if coefficient < 0 else "+"
            parts += [sign, _short(term) if size == "1" else f"{size}*{_short(term)}"]
        return " ".join(parts[1:]) if parts[0] == "+" else "-" + " ".join(parts[1:])


def _short(term: Expression) -> str:
    """The term with rounded constants; factors 1 and summands 0 left out."""
    rounded = term.with_constants([float(f"{value:.6g}") for value in term.constants])
    tokens: list[Token] = []
    for token in rounded.postfix:
        last = tokens[-1] if tokens else None
        if isinstance(last, float) and (last, token) in ((1.0, "*"), (0.0, "+")):
            tokens.pop()
        elif isinstance(last, float) and last < 0 and token == "+":
            tokens[-1:] = [-last, "-"]
        else:
            tokens.append(token)
    text = str(Expression(tuple(tokens), term.operators))
    return f"({text})" if tokens[-1] in ("+", "-", "/") else text


@dataclass(frozen=True)
class LackOfFit:
    """What any f could reach, and what the search's formula lacks.

    Args:
        ceiling: R^2 of the best smooth f, adjusted for its parameters: no task-based neuron of
            one function gets further. Far below 1, the task wants interactions or another model.
        noise: standard deviation of what the best smooth f leaves, per target; NaN for few samples.
        linear: p-value of a linear neuron against the best smooth f: small where a function other
            than x is needed.
        best: the same for the formula found.
        truncated: whether f has kinks or waves finer than the moments resolve, so that `ceiling`
            is too low.
    """

    ceiling: float
    noise: float
    linear: float
    best: float
    truncated: bool


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Args:
        best: the formula with the lowest BIC and penalty for its nodes.
        front: formulas none of which is both simpler and better than another, simple ones first.
        equivalents: other formulas within 2 BIC of the best: the data cannot tell them apart.
        lack_of_fit: what any formula could reach.
        scaling: what was done to the inputs before; formulas hold for scaled inputs.
        status: "exact", "adequate" (nothing more in the data), "exhausted" (the engine has no
            more to try) or "stopped" (by the time limit or the callback).
        samples: how many samples there were.
        inputs: inputs per sample.
        steps: what the search did.
        seconds: how long it took.
        single: whether the target was a vector.
    """

    best: Found
    front: tuple[Found, ...]
    equivalents: tuple[Found, ...]
    lack_of_fit: LackOfFit
    scaling: Scaling
    status: str
    samples: int
    inputs: int
    steps: tuple[str, ...]
    seconds: float
    single: bool = True
    operators: Mapping[str, Operator] = field(
        default_factory=lambda: OPERATORS, repr=False, compare=False
    )

    def predict(self, x: Any) -> np.ndarray:
        """Targets for inputs `(n, d)` as the data had them: `(n,)` or `(n, targets)`.

        Raises:
            ValueError: for another number of inputs.
        """
        values = np.asarray(x, float)
        if values.ndim != 2 or values.shape[1] != self.inputs:
            raise ValueError(f"x is (samples, {self.inputs}), got shape {values.shape}")
        found = self.best.predict(self.scaling(values))
        return found[:, 0] if self.single else found

    def to_neuron(self, **options: Any) -> Neuron:
        """The best formula as a neuron; see `Expression.to_neuron`."""
        return self.best.to_neuron(**options)

    def to_jax(self, target: int = 0) -> Callable[..., Any]:
        """The best f of one target as a JAX function."""
        return self.best.to_jax(target)

    def sympy(self, target: int = 0) -> Any:
        """The best f of one target as a sympy expression."""
        return self.best.sympy(target)

    def latex(self, target: int = 0, **options: Any) -> str:
        """The best f of one target in LaTeX."""
        return self.best.latex(target, **options)

    def to_json(self) -> str:
        """Everything, as JSON; custom operators by name only."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "operators"}
        values["best"] = _found_to_json(self.best)
        for name in ("front", "equivalents"):
            values[name] = [_found_to_json(found) for found in values[name]]
        values["lack_of_fit"], values["scaling"] = asdict(self.lack_of_fit), asdict(self.scaling)
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str, operators: Mapping[str, Operator] = OPERATORS) -> "SearchResult":
        """Read what `to_json` wrote.

        Raises:
            ValueError: if the text is no search result.
        """
        try:
            values = json.loads(text)
            values["best"] = _found_from_json(values["best"], operators)
            for name in ("front", "equivalents"):
                values[name] = tuple(_found_from_json(each, operators) for each in values[name])
            values["lack_of_fit"] = LackOfFit(**values["lack_of_fit"])
            scaling = values["scaling"]
            values["scaling"] = Scaling(
                tuple(scaling["shift"]), tuple(scaling["width"]), scaling["kind"]
            )
            values["steps"] = tuple(values["steps"])
            return cls(**values, operators=operators)
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"no search result in JSON: {error!r}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """Through JSON: a table of operators does not pickle."""
        custom = tuple(op for name, op in self.operators.items() if name not in OPERATORS)
        return _restored, (self.to_json(), custom)

    def __str__(self) -> str:
        lines = [f"{'complexity':>10} {'loss':>10} {'R^2':>9}  formula"]
        lines += [f"{f.complexity:>10} {f.loss:>10.4g} {f.r2:>9.6f}  {f}" for f in self.front]
        return "\n".join(lines)


def _restored(text: str, custom: tuple[Operator, ...]) -> SearchResult:
    return SearchResult.from_json(text, with_operators(custom) if custom else OPERATORS)


def _found_to_json(found: Found) -> dict[str, Any]:
    values = {f.name: getattr(found, f.name) for f in fields(found)}
    return values | {"terms": [list(term.postfix) for term in found.terms]}


def _found_from_json(values: dict[str, Any], operators: Mapping[str, Operator]) -> Found:
    terms = tuple(Expression(tuple(term), operators) for term in values["terms"])
    rows = {name: tuple(tuple(row) for row in values[name]) for name in ("coefficients", "errors")}
    flat = {name: tuple(values[name]) for name in ("intercept", "constant_errors")}
    return Found(**{**values, **rows, **flat, "terms": terms})
