"""The papers' own method: vectorised symbolic regression by genetic programming, in NumPy.

Every input undergoes the same computation, `y = a_0 + sum_k a_k sum_j x_j^k` with whole a_k. A
program is compared with the data through its coefficients and the power sums of the inputs, so
that an evaluation costs the same for any number of rows and inputs.
"""

import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurons.search.tnsr_programs import Breeder, Program, coefficients
from neurons.task_based.expression import Expression, Token

Floats = NDArray[np.float64]
Hook = Callable[[int, "TnsrResult"], bool]
LARGEST = 1e20  # of |x|: its 16th power still fits into float64
HIGHEST_DEGREE = 15
LARGEST_CONSTANT = 1_000_000


@dataclass(frozen=True)
class TnsrResult:
    """What a run has found.

    Args:
        powers: of the formula, rising; empty if no program with x was ever valid.
        coefficients: of the powers, whole numbers.
        intercept: the constant.
        mse: the fitness, in squared units of y; with `mended=False` that of the released code,
            which is not the error of the formula.
        history: the best fitness after every generation.
        evaluations: how many programs were compared with the data.
    """

    powers: tuple[int, ...]
    coefficients: tuple[float, ...]
    intercept: float
    mse: float
    history: tuple[float, ...]
    evaluations: int

    def predict(self, x: ArrayLike) -> Floats:
        """Values of the formula at `x`, `(rows, inputs)` -> `(rows,)`."""
        values = np.asarray(x, np.float64)
        terms = zip(self.powers, self.coefficients, strict=True)
        return sum((a * (values**k).sum(axis=1) for k, a in terms), np.zeros(len(values))) + (
            self.intercept
        )

    def expression(self) -> Expression:
        """The formula of one input without its intercept, as everything else here takes it."""
        tokens: list[Token] = [] if self.powers else [0.0]
        for number, (k, a) in enumerate(zip(self.powers, self.coefficients, strict=True)):
            power: tuple[Token, ...] = ("x",) if k == 1 else ("x", k, "**")
            tokens += [*power, a, "*", *(["+"] if number else [])]
        return Expression(tuple(tokens))

    def __str__(self) -> str:
        """The formula of one input, e.g. `6*x**2 + 2*x**1 - 3`."""
        terms = [f"{a:+g}*x**{k}" for k, a in zip(self.powers, self.coefficients, strict=True)]
        return " ".join([*reversed(terms), f"{self.intercept:+g}"]).removeprefix("+")


class PowerSums:
    """The data, compressed to what the loss of any polynomial needs.

    A QR decomposition of (1, p_1, ..., p_K, y), p_k the sum of the inputs' k-th powers, leaves a
    triangle that gives the mean squared error of a coefficient vector as the norm of a short
    vector: no cancellation, unlike the normal equations.

    Args:
        x: `(rows, inputs)`, finite.
        y: `(rows,)`, finite.
        degree: K.

    Raises:
        ValueError: for shapes that do not fit, or values that are not finite or above 1e20.
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, degree: int) -> None:
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if x.ndim != 2 or 0 in x.shape or y.shape != x.shape[:1]:
            raise ValueError(f"needs x (rows, inputs) and y (rows,), got {x.shape} and {y.shape}")
        if not (np.isfinite(y).all() and np.abs(x).max() <= LARGEST):  # NaN fails, too
            raise ValueError(f"x and y must be finite and |x| at most {LARGEST:g}")
        self.degree = degree
        self.scale = float(np.abs(x).max()) or 1.0
        self._scaled = x / self.scale
        columns = [np.ones(len(y)), *self._sums(degree)]
        self._triangle = np.linalg.qr(np.stack([*columns, y], axis=1), mode="r") / len(y) ** 0.5
        self._units = self.scale ** np.arange(degree + 1.0)

    def _sums(self, highest: int) -> list[Floats]:
        power, found = np.ones_like(self._scaled), []
        for _ in range(highest):
            power = power * self._scaled
            found.append(power.sum(axis=1))
        return found

    def mse(self, found: Floats) -> Floats:
        """Mean squared errors of coefficients `(programs, degree + 1)`, in squared units of y."""
        return _norms((found * self._units) @ self._triangle[:, :-1].T - self._triangle[:, -1])

    def released_mse(self, found: Floats) -> Floats:
        """As the released code has it: terms with coefficient 1 or -1 are not summed over inputs.

        Such a term stays a vector over the inputs, and the squared error is averaged over them.
        """
        inputs = self._scaled.shape[1]
        lone = np.abs(found) == 1
        lone[:, 0] = False
        mean = np.where(lone, found / inputs, found)
        spread = np.where(lone, found, 0.0)[:, 1:] * self._units[1:]
        around = np.einsum("pk,kl,pl->p", spread, self._scatter, spread)
        return self.mse(mean) + np.maximum(around, 0)

    @cached_property
    def _scatter(self) -> Floats:
        """Covariances of the inputs' powers within a row, averaged over rows, `(K, K)`."""
        sums = np.stack(self._sums(2 * self.degree)) / self._scaled.shape[1]
        moments = np.concatenate([[1.0], sums.mean(axis=1)])
        powers = np.arange(1, self.degree + 1)
        means = sums[: self.degree]
        return moments[powers[:, None] + powers] - means @ means.T / means.shape[1]


def _norms(vectors: Floats) -> Floats:
    return np.einsum("pi,pi->p", vectors, vectors)


@dataclass(frozen=True)
class Tnsr:
    """Vectorised symbolic regression with the settings of the papers' experiments.

    Programs of + - * neg over x and whole constants are bred by tournaments; an archive of the
    best ones returns to every generation. Fitness is the mean squared error, without parsimony.

    Three defects of the released code are mended, the first two of which `mended=False` brings
    back, to show what they cost: terms with coefficient 1 or -1 were not summed over the inputs;
    programs were shuffled after their fitness was computed, so that tournaments compared the
    fitness of others; single powers were refused (`monomials=False`).

    A program whose degree exceeds `degree`, or whose coefficients may exceed 2^62, is worth
    nothing: the released code let float64 overflow there.

    Args:
        population: programs of a generation, at least 2.
        generations: at least 1.
        tournament: programs that compete to be a parent, at least 1; 3 % of the population.
        crossover: share of offspring by crossover.
        mutation: share of offspring by mutation; the rest is copied.
        elite: share of the population that the archive holds.
        x_share: probability that a leaf is x.
        constants: least constant, and one more than the greatest.
        depth: deepest place of an operator in a new tree, the root being at 0.
        degree: highest power, 1 to 15.
        monomials: whether a single power is a formula.
        mended: False for the released code's first two defects.

    Raises:
        ValueError: for a value outside its range.

    References:
        F.-L. Fan et al., No One-Size-Fits-All Neurons, arXiv 2405.02369, section 3, and code.

    Example:
        >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 3))
        >>> found = Tnsr(population=100, generations=5).run(x, (2 * x**2 - 3 * x).sum(axis=1), 0)
        >>> found.powers, found.coefficients, round(found.mse, 6)
        ((1, 2), (-3.0, 2.0), 0.0)
    """

    population: int = 500
    generations: int = 80
    tournament: int = 15
    crossover: float = 0.3
    mutation: float = 0.6
    elite: float = 0.05
    x_share: float = 0.7
    constants: tuple[int, int] = (-20, 20)
    depth: int = 6
    degree: int = 12
    monomials: bool = True
    mended: bool = True

    def __post_init__(self) -> None:
        least = {"population": 2, "generations": 1, "tournament": 1, "depth": 0, "degree": 1}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        for name in ("crossover", "mutation", "elite", "x_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share in [0, 1], got {getattr(self, name)}")
        if self.crossover + self.mutation > 1:
            raise ValueError(f"crossover + mutation exceed 1: {self.crossover} + {self.mutation}")
        if self.constants[0] >= self.constants[1]:
            raise ValueError(f"constants are [low, high) with low < high, got {self.constants}")
        if max(map(abs, self.constants)) > LARGEST_CONSTANT:
            raise ValueError(f"constants lie within 1,000,000, got {self.constants}")
        if self.degree > HIGHEST_DEGREE:
            raise ValueError(f"degree must be at most {HIGHEST_DEGREE}, got {self.degree}")

    def run(
        self,
        x: ArrayLike,
        y: ArrayLike,
        seed: int | np.random.Generator,
        after_generation: Hook | None = None,
    ) -> TnsrResult:
        """Search for a formula.

        Args:
            x: `(rows, inputs)`.
            y: `(rows,)`.
            seed: decides everything; the same seed finds the same formula.
            after_generation: receives the generation, counted from 1, and the best so far; the
                search ends when it returns True.

        Raises:
            ValueError: for shapes that do not fit, or values that are not finite.
        """
        data = PowerSums(x, y, self.degree)
        search = _Search(self, data, np.random.default_rng(seed))
        for generation in range(1, self.generations + 1):
            search.compare()
            best = search.best
            if after_generation is not None and after_generation(generation, best):
                break
            if generation < self.generations:
                with _uncollected():
                    search.breed()
        return best


TNLEARN = Tnsr(
    population=5000,
    generations=20,
    tournament=10,
    constants=(-1, 1),
    monomials=False,
    mended=False,
)
"""The defaults of the authors' package tnlearn 0.2.0, constants -1 and 0, with its defects."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles meanwhile: trees have none, and looking for them doubles the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class _Search:
    """The state of a run: programs, their fitness, the archive."""

    def __init__(self, settings: Tnsr, data: PowerSums, chance: np.random.Generator) -> None:
        self._settings, self._data, self._chance = settings, data, chance
        dice = random.Random(int(chance.integers(1 << 62)))
        self._breeder = Breeder(
            dice,
            x_share=settings.x_share,
            low=settings.constants[0],
            high=settings.constants[1],
            depth=settings.depth,
            degree=settings.degree,
        )
        self._programs = [self._breeder.grow() for _ in range(settings.population)]
        self._fitness = np.zeros(0)
        self._archive: dict[float, Program] = {}
        self._history: list[float] = []
        self._evaluations = 0

    def compare(self) -> None:
        """Fitness of all programs; the archive keeps the best that differ in fitness."""
        self._fitness = self._judge(self._programs)
        self._evaluations += len(self._programs)
        merged = self._archive
        for at in np.argsort(self._fitness, kind="stable")[: self._kept]:
            if np.isfinite(self._fitness[at]):
                merged.setdefault(float(self._fitness[at]), self._programs[at])
        self._archive = {score: merged[score] for score in sorted(merged)[: self._kept]}
        self._history.append(next(iter(self._archive), np.inf))

    @property
    def _kept(self) -> int:
        return max(1, round(self._settings.elite * self._settings.population))

    def _judge(self, programs: list[Program]) -> Floats:
        found = coefficients(programs, self._data.degree)
        with np.errstate(all="ignore"):
            judge = self._data.mse if self._settings.mended else self._data.released_mse
            fitness = judge(found)
            terms = (found[:, 1:] != 0).sum(axis=1)
        lacking = (terms == 0) | (~np.isfinite(fitness))
        if not self._settings.monomials:
            lacking |= terms == 1
        return np.where(lacking, np.inf, fitness)

    def breed(self) -> None:
        """The next generation: offspring of tournaments' winners, and the archive."""
        settings, breeder = self._settings, self._breeder
        elite = list(self._archive.values())
        parents = self._programs + elite
        fitness = np.concatenate([self._fitness, list(self._archive)])
        candidates = len(parents)
        if not settings.mended:
            parents = [parents[at] for at in self._chance.permutation(candidates)]
            candidates = settings.population  # the released code draws from the first ones only
        size = (settings.population, 2, settings.tournament)
        drawn = self._chance.integers(candidates, size=size)
        winners = np.take_along_axis(drawn, fitness[drawn].argmin(axis=-1)[..., None], -1)[..., 0]
        kinds = self._chance.random(settings.population)
        self._programs = elite[:]
        for kind, (first, second) in zip(kinds.tolist(), winners.tolist(), strict=True):
            if kind < settings.crossover:
                new = breeder.cross(parents[first], parents[second])
            elif kind < settings.crossover + settings.mutation:
                new = breeder.mutate(parents[first])
            else:
                new = parents[first]
            self._programs.append(new)

    @property
    def best(self) -> TnsrResult:
        """The best so far."""
        mse, program = next(iter(self._archive.items()), (np.inf, None))
        found = coefficients([program], self._data.degree)[0] if program else np.zeros(1)
        powers = tuple(int(k) for k in np.flatnonzero(found[1:]) + 1)
        return TnsrResult(
            powers,
            tuple(float(found[k]) for k in powers),
            float(found[0]),
            float(mse),
            tuple(self._history),
            self._evaluations,
        )
