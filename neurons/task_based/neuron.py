"""From a formula to a neuron: every additive term gets its own weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from jax import Array

from neurons.neuron import Branch, Neuron
from neurons.options import distinct, require
from neurons.polynomial import interaction, plain_interaction
from neurons.quadratic import add, free, linear
from neurons.task_based.domain import is_finite
from neurons.task_based.expression import Expression, run
from neurons.task_based.function import JaxFunction

Normalise = str | tuple[float, ...] | None
Orders = tuple[tuple[int, int], ...]  # pairs of a degree and a rank

_NORMAL_REACH = 12.0  # standard deviations; beyond lies less than 1e-32 of the mass
_POINTS = 24_001
_REACHES = (1e3, 1e2, 1e1, 1.0, 0.1)
_LARGEST = 1e30  # terms up to it can be added up in float32


@dataclass(frozen=True)
class Term:
    """An element-wise part of a neuron: `factor * phi(x)`.

    Args:
        phi: the term.
        factor: a fixed number.
    """

    phi: Expression
    factor: float = 1.0

    def __call__(self, x: Array) -> Array:
        """Values at `x`, any shape."""
        value = JaxFunction(self.phi)(x)
        return value if self.factor == 1.0 else self.factor * value

    def __str__(self) -> str:
        text = str(self.phi)
        text = text if self.phi.postfix[-1] not in ("+", "-", "neg") else f"({text})"
        return text if self.factor == 1.0 else f"({self.factor:.4g}*{text})"


def to_neuron(
    expression: Expression,
    *,
    name: str = "task_based",
    normalise: str | Sequence[float] | None = None,
    interactions: Sequence[int] | Sequence[tuple[int, int]] = (),
) -> Neuron:
    """The task-based neuron `sum_t w_t . phi_t(x) + b` of a formula's additive terms `phi_t`.

    The formula's coefficients and intercept give way to weights and bias; constants inside a term
    stay as they are. A term `x` is the linear branch "r": the neuron then starts as the
    conventional one and grows out of it. Otherwise "r" is the first term, and all start at random.
    The other branches "t1", "t2", ... form the group "term", interactions "u2", "u3", ... the group
    "product", which `neurons.relinear` and `freeze` can address.

    Powers of inputs above 1 explode. With `normalise`, each term is brought to the size that `x`
    itself has: it becomes `phi_t(x) rms(x) / rms(phi_t)`, where `rms(g) = sqrt(E[g(X)^2])`.

    Args:
        expression: the formula.
        name: the neuron's.
        normalise: what X is: "normal" for a standard normal variable, cut off at 12; a pair
            `(low, high)` for a uniform one; `None` leaves the terms alone.
        interactions: a pair `(order, rank)` adds `sum_(r<=rank) prod_(m<=order) (u_rm.x)`; several
            pairs of different orders add a sum each, as in `neurons.neuronseek`.

    Returns:
        A neuron for `Dense`, `Conv` and `ConvTranspose`. Equal arguments give the same one.

    Raises:
        ValueError: for a formula without a term; an order below 2, a rank below 1, or an order
            twice; an unknown way to normalise, or a term that it meets where it is not finite.

    References:
        F.-L. Fan et al., No one-size-fits-all neurons: task-based neurons for artificial neural
        networks, arXiv 2405.02369; interactions: NeuronSeek, arXiv 2506.15715.

    Example:
        >>> to_neuron(Expression.parse("0.5*x**3 - 2*x + sin(3*x) + 1")).formula
        'w_r.x + w_t1.x**3 + w_t2.sin(3.0*x) + b'
    """
    kept = normalise if isinstance(normalise, str | None) else tuple(map(float, normalise))
    return _task_based(expression, name, kept, _pairs(interactions))


@lru_cache(maxsize=256)
def _task_based(
    expression: Expression, name: str, normalise: Normalise, interactions: Orders
) -> Neuron:
    phis, _, _ = expression.terms()
    if not phis:
        raise ValueError(f"{expression} has no term in x to weigh")
    terms = tuple(Term(phi, _factor(phi, normalise)) for phi in phis)
    branches = _branches(terms)
    products = tuple(
        free(f"u{order}", group="product", shape=(rank, order)) for order, rank in interactions
    )
    weights = len(terms) + sum(order * rank for order, rank in interactions)
    extra = sum((order - 1) * rank for order, rank in interactions)
    named = {branch.name: term for branch, term in zip(branches, terms, strict=True)}
    return Neuron(
        name,
        _formula(named, interactions),
        (*branches, *products),
        partial(_combined, len(terms)),
        degenerate="conventional" if branches[0] is linear and not interactions else None,
        reference="F.-L. Fan et al., task-based neurons, arXiv 2405.02369"
        + (", with interactions of NeuronSeek, arXiv 2506.15715" if interactions else ""),
        plain=partial(_plain, named, tuple(branch.name for branch in products)),
        size=f"{weights}n + 1",
        work=f"{weights}n" + (f" + {extra}" if extra else ""),
        reach=_reach(terms),
    )


def _pairs(interactions: Sequence[Any]) -> Orders:
    """Checked pairs of degree and rank, by degree."""
    listed = list(interactions)
    listed = [listed] if listed and not isinstance(listed[0], list | tuple) else listed
    pairs = [tuple(pair) for pair in listed]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"interactions are pairs (order, rank), got {interactions}")
    if pairs:
        distinct("orders of interactions", [order for order, _ in pairs], 2)
    for _, rank in pairs:
        require("rank", rank)
    return tuple(sorted(pairs))


def _branches(terms: tuple[Term, ...]) -> tuple[Branch, ...]:
    """One branch per term; the first has the bias, the others grow beside it."""
    first, *others = terms
    is_linear = first.phi.postfix == ("x",)
    lowest = linear if is_linear else Branch("r", of=first)
    anchor = 0.0 if is_linear else None
    grown = (
        free(f"t{k}", group="term", of=term, anchor=anchor) for k, term in enumerate(others, 1)
    )
    return (lowest, *grown)


def _combined(terms: int, *z: Array) -> Array:
    return add(*z[:terms], *(interaction(u) for u in z[terms:]))


def _plain(
    terms: dict[str, Term], products: tuple[str, ...], x: np.ndarray, w: object, b: object
) -> float:
    """The formula in float64, for one neuron."""
    weights = vars(w)
    value = vars(b)["r"]
    for name, term in terms.items():
        value = value + weights[name] @ (term.factor * term.phi(x))
    return value + sum(plain_interaction(x, weights[name]) for name in products)


def _formula(terms: dict[str, Term], interactions: Orders) -> str:
    weighed = [f"w_{name}.{term}" for name, term in terms.items()]
    added = [f"sum_(r<={rank}) prod_(m<={order}) (u_{order}rm.x)" for order, rank in interactions]
    return " + ".join([*weighed, *added, "b"])


def _factor(phi: Expression, normalise: Normalise) -> float:
    """`rms(x) / rms(phi)`, or 1."""
    if normalise is None or phi.postfix == ("x",):
        return 1.0
    x, weight = _measure(normalise)
    if not is_finite(phi, x[0], x[-1]):
        raise ValueError(
            f"the term {phi} is not finite on the whole of [{x[0]:g}, {x[-1]:g}], where "
            f"normalise={normalise!r} meets it; give the range of your inputs as (low, high)"
        )
    size = math.sqrt(weight @ phi(x) ** 2)
    if not 0 < size < math.inf:
        raise ValueError(f"the term {phi} has no root mean square under {normalise!r}: {size}")
    return math.sqrt(weight @ x**2) / size


def _measure(normalise: str | tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights of the trapezoidal rule for an expectation."""
    if normalise == "normal":
        x = np.linspace(-_NORMAL_REACH, _NORMAL_REACH, _POINTS)
        weight = np.exp(-(x**2) / 2)
    elif isinstance(normalise, tuple) and len(normalise) == 2 and normalise[0] < normalise[1]:
        x = np.linspace(normalise[0], normalise[1], _POINTS)
        weight = np.ones_like(x)
    else:
        raise ValueError(f'normalise is None, "normal" or (low, high), got {normalise!r}')
    weight[[0, -1]] /= 2
    return x, weight / weight.sum()


def _reach(terms: tuple[Term, ...]) -> float:
    """The largest of some magnitudes up to which all terms are finite in float32; 0 for none."""
    for reach in _REACHES:
        if all(_is_tame(term, reach) for term in terms):
            return reach
    return 0.0


def _is_tame(term: Term, reach: float) -> bool:
    x = np.linspace(-reach, reach, 1001, dtype=np.float32)
    with np.errstate(all="ignore"):
        values = run(term.phi.postfix, x, operators=term.phi.operators) * np.float32(term.factor)
    return bool(np.all(np.abs(values) < _LARGEST)) and is_finite(term.phi, -reach, reach)
