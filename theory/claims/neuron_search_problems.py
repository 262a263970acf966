"""Functions that the neuron search has to find, data from them, and when one counts as found."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

from neurons.search import Found
from neurons.task_based import Expression

REACH = 2.0  # inputs are uniform on [-2, 2]
WIDER = 1.2  # range of the fresh data, relative to that of the search
_SAME = 1e-6  # root mean square error over the true curve's deviation
Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """A function to be found.

    Args:
        function: of one variable, element by element.
        terms: additive terms, intercept not counted.
        constants: numbers inside of terms: in `2 x^3 + sin(3 x)` one.
        formula: the function as the search would write it, with its inner constants.
        kind: what sort of function it is.
    """

    function: Function
    terms: int = 1
    constants: int = 0
    formula: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Problems:
    """What claims on recovery are given as data.

    Args:
        text: what they are, for the reader.
        truths: the functions by name.
        inputs: numbers of inputs.
    """

    text: str
    truths: Mapping[str, Truth]
    inputs: tuple[int, ...]
    simulated: bool = True

    @property
    def digest(self) -> str:
        """Changes with the functions, by their names and values, and with the inputs."""
        grid = np.linspace(-REACH, REACH, 9)
        values = [[name, *np.round(t.function(grid), 9)] for name, t in self.truths.items()]
        return hashlib.sha256(repr((values, self.inputs)).encode()).hexdigest()

    def __str__(self) -> str:
        return self.text


# The design's twelve: the dictionary's author knew them, so they show that nothing is lost.
PUBLIC: Mapping[str, Truth] = {
    "2x³ + sin x": Truth(lambda x: 2 * x**3 + np.sin(x), 2, 1, "2*x**3 + sin(1.0*x)"),
    "x² + 0.5x": Truth(lambda x: x**2 + 0.5 * x, 2, 0, "x**2 + 0.5*x"),
    "x⁵ - 2x³ + 0.5x": Truth(lambda x: x**5 - 2 * x**3 + 0.5 * x, 3, 0, "x**5 - 2*x**3 + 0.5*x"),
    "1.5x exp(-0.5x²)": Truth(
        lambda x: 1.5 * x * np.exp(-0.5 * x**2), 1, 1, "1.5*x*exp(-0.5*x**2)"
    ),
    "sin 2.7x + 0.3x²": Truth(
        lambda x: np.sin(2.7 * x) + 0.3 * x**2, 2, 1, "sin(2.7*x) + 0.3*x**2"
    ),
    "tanh 1.3x - 0.8x": Truth(lambda x: np.tanh(1.3 * x) - 0.8 * x, 2, 1, "tanh(1.3*x) - 0.8*x"),
    "log(1 + x²) + 0.7cos x": Truth(
        lambda x: np.log(1 + x**2) + 0.7 * np.cos(x), 2, 2, "log(1.0 + x**2) + 0.7*cos(1.0*x)"
    ),
    "4/(1 + exp(-3x))": Truth(lambda x: 4 * expit(3 * x), 1, 1, "2*tanh(1.5*x)"),
    "x sin 1.7x": Truth(lambda x: x * np.sin(1.7 * x), 1, 1, "x*sin(1.7*x)"),
    "1/(1 + 0.5x²) + x": Truth(lambda x: 1 / (1 + 0.5 * x**2) + x, 2, 1, "2*(1/(2.0 + x**2)) + x"),
    "x³ - x": Truth(lambda x: x**3 - x, 2, 0, "x**3 - x"),
    "0.8x² cos x + exp 0.5x": Truth(
        lambda x: 0.8 * x**2 * np.cos(x) + np.exp(0.5 * x), 2, 2, "0.8*x**2*cos(1.0*x) + exp(0.5*x)"
    ),
}

# Written down before the search was first run on any of them, four of a kind; never tuned to.
UNSEEN: Mapping[str, Function] = {
    "sin(exp 0.6x)": lambda x: np.sin(np.exp(0.6 * x)),
    "exp(sin 1.4x)": lambda x: np.exp(np.sin(1.4 * x)),
    "tanh(x² - 1.2)": lambda x: np.tanh(x**2 - 1.2),
    "log(2 + sin 1.3x)": lambda x: np.log(2 + np.sin(1.3 * x)),
    "tanh(1.6x + 0.7)": lambda x: np.tanh(1.6 * x + 0.7),
    "exp(-(x - 0.6)²)": lambda x: np.exp(-((x - 0.6) ** 2)),
    "sin(2.1x + 0.4) - 0.5x": lambda x: np.sin(2.1 * x + 0.4) - 0.5 * x,
    "sqrt(x + 2.7)": lambda x: np.sqrt(x + 2.7),
    "x tanh 1.4x": lambda x: x * np.tanh(1.4 * x),
    "x² exp(-0.8x)": lambda x: x**2 * np.exp(-0.8 * x),
    "sin 1.2x cos 2.3x": lambda x: np.sin(1.2 * x) * np.cos(2.3 * x),
    "exp(-0.4x) sin 2x": lambda x: np.exp(-0.4 * x) * np.sin(2 * x),
    "sin 0.9x + 0.6cos 2.2x": lambda x: np.sin(0.9 * x) + 0.6 * np.cos(2.2 * x),
    "exp 0.7x - 1.5tanh 1.9x": lambda x: np.exp(0.7 * x) - 1.5 * np.tanh(1.9 * x),
    "atan 2.4x + 0.4exp(-1.1x²)": lambda x: np.arctan(2.4 * x) + 0.4 * np.exp(-1.1 * x**2),
    "tanh 1.5x + 0.3sin 3.1x": lambda x: np.tanh(1.5 * x) + 0.3 * np.sin(3.1 * x),
    "x/(1 + 0.8x²)": lambda x: x / (1 + 0.8 * x**2),
    "(x² - 1)/(x² + 1.5)": lambda x: (x**2 - 1) / (x**2 + 1.5),
    "1/(3.2 + x)": lambda x: 1 / (3.2 + x),
    "(x³ + 1)/(x² + 2)": lambda x: (x**3 + 1) / (x**2 + 2),
    "|x - 0.5|": lambda x: np.abs(x - 0.5),
    "max(x - 0.3, 0) + 0.5x": lambda x: np.maximum(x - 0.3, 0) + 0.5 * x,
    "|x| + 0.4sin 2x": lambda x: np.abs(x) + 0.4 * np.sin(2 * x),
    "max(1 - x², 0.2x)": lambda x: np.maximum(1 - x**2, 0.2 * x),
}
KINDS = ("composition", "shift", "product", "two constants", "rational", "not smooth")


def public() -> Problems:
    """The twelve functions of the search's design."""
    return Problems("twelve public functions, simulated samples", PUBLIC, (5, 10, 50))


def unseen() -> Problems:
    """Twenty-four functions that nobody tuned the search to."""
    each = len(UNSEEN) // len(KINDS)
    truths = {
        name: Truth(function, kind=KINDS[place // each])
        for place, (name, function) in enumerate(UNSEEN.items())
    }
    return Problems("twenty-four unseen functions, simulated samples", truths, (5,))


def draw(
    function: Function,
    inputs: int,
    noise: float,
    random: np.random.Generator,
    *,
    samples: int = 1000,
    reach: float = REACH,
) -> tuple[np.ndarray, np.ndarray]:
    """Samples `(n, d)` and `(n,)` of `y = sum_i f(x_i)`; noise relative to y's deviation."""
    x = random.uniform(-reach, reach, (samples, inputs))
    y = function(x).sum(axis=1)
    return x, y + noise * y.std() * random.standard_normal(samples)


def has_structure(found: Found, truth: Truth) -> bool:
    """Whether a formula is the true one but for the values of its numbers.

    With its inner constants refitted to the noise-free curve, the formula equals the true function
    up to an offset, and it has no more terms and no more inner constants than that. So
    `2 tanh(1.5 x)` is `4 / (1 + exp(-3 x))`, but `sin(a x + b)` is not `sin(a x)`.
    """
    if len(found.terms) > truth.terms or _inner(found.terms) > truth.constants:
        return False
    grid = np.linspace(-REACH, REACH, 257)[:, None]
    goal = truth.function(grid[:, 0])
    return bool(np.sqrt(refitted_loss(found.terms, grid, goal)) < _SAME * goal.std())


def refitted_loss(terms: Sequence[Expression], x: np.ndarray, y: np.ndarray) -> float:
    """Smallest mean squared error that the terms reach from their inner constants on."""
    goal = y - y.mean()

    def residual(constants: np.ndarray) -> np.ndarray:
        given = iter(constants)
        tuned = (t.with_constants([next(given) for _ in t.constants]) for t in terms)
        columns = np.stack([term(x).sum(axis=1) for term in tuned], axis=1)
        if not np.isfinite(columns).all():
            return np.full(len(x), 1e3)
        columns = columns - columns.mean(axis=0)
        return columns @ np.linalg.lstsq(columns, goal, rcond=None)[0] - goal

    start = np.array([value for term in terms for value in term.constants])
    if not len(start):
        return float(np.mean(residual(start) ** 2))
    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
    return float(np.mean(least_squares(residual, start, **tight).fun ** 2))


def bic_behind(found: Found, truth: Truth, x: np.ndarray, y: np.ndarray) -> float:
    """BIC of a formula less that of the true structure, fitted to the same data; NaN if unknown."""
    if not truth.formula:
        return float("nan")
    true_terms = Expression.parse(truth.formula).terms()[0]
    mine = np.mean((y - found.predict(x)[:, 0]) ** 2)
    theirs = refitted_loss(true_terms, x, y)
    more = len(found.terms) + _inner(found.terms) - truth.terms - truth.constants
    floor = 1e-24 * y.var()
    return float(len(y) * np.log(max(mine, floor) / max(theirs, floor)) + more * np.log(len(y)))


def _inner(terms: Sequence[Expression]) -> int:
    return sum(len(term.constants) for term in terms)
