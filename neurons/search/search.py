"""The door: data in, formulas out."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from neurons.search.archive import Archive, refit
from neurons.search.backend import Backend
from neurons.search.data import Data, Scale, check, prepare
from neurons.search.dictionary import Dictionary
from neurons.search.fitting import Evaluator, Term
from neurons.search.genetic import Evolution, Individual, epoch
from neurons.search.losses import LOSSES, encode
from neurons.search.moments import DEGREE, Triangle
from neurons.search.operon import Operon
from neurons.search.pool import power_terms
from neurons.search.pysr import Pysr
from neurons.search.raw import search_under
from neurons.search.reduced import curve, reduce_triangle
from neurons.search.report import result_of
from neurons.search.result import SearchResult
from neurons.search.settle import prune
from neurons.search.skeletons import rich, shifted, simple
from neurons.search.space import Space
from neurons.search.threads import one_thread
from neurons.search.tnsr import Tnsr
from neurons.task_based import Expression

_FEW = 2 * DEGREE  # samples below which the richest stages only fit noise
_ALWAYS = ("powers", "simple terms")  # with noise, several formulas may do: compare them
STAGES = ("auto", "dictionary", "genetic")
BACKENDS = {"operon": Operon, "pysr": Pysr, "tnsr": Tnsr}


@dataclass(frozen=True)
class Budget:
    """How much work a search may do.

    Args:
        seconds: time limit; None for none. A search that stops by time depends on the machine.
        evolution: settings of the genetic stage; `Evolution(epochs=0)` leaves it out.

    Raises:
        ValueError: for a limit of 0 or below.
    """

    seconds: float | None = None
    evolution: Evolution = field(default_factory=Evolution)

    def __post_init__(self) -> None:
        if self.seconds is not None and not self.seconds > 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")


@dataclass(frozen=True)
class Progress:
    """Where a search stands, for its callback.

    Args:
        step: the step just finished.
        seconds: since the start.
        state: everything needed to go on, as JSON; see `Checkpoint`.
        result: makes the result so far.
    """

    step: str
    seconds: float
    state: Callable[[], str]
    result: Callable[[], SearchResult]


Callback = Callable[[Progress], bool | None]


def search(
    x: Any,
    y: Any = None,
    space: Space | None = None,
    *,
    engine: "str | Backend" = "auto",
    budget: Budget | None = None,
    loss: str = "squared",
    weights: Any = None,
    scale: Scale = "auto",
    guesses: Iterable[str | Expression] = (),
    key: Any = 0,
    callback: Callback | None = None,
    resume: str | None = None,
    executor: Executor | None = None,
) -> SearchResult:
    """Find one formula f such that `y = c + sum_i f(x_i)`.

    Args:
        x: inputs `(n, d)`, or the `Triangle` of data that lies elsewhere.
        y: target `(n,)`, or several `(n, targets)`, which share f's terms and inner constants;
            None beside a triangle.
        space: the language of formulas.
        engine: "auto" reads a dictionary, then a richer one, then evolves; "dictionary" and
            "genetic" do a part of that; "operon", "pysr" and "tnsr", or an object with `propose`,
            look for f in the deconvolved curve.
        budget: how much work.
        loss: "squared"; "absolute"; "huber"; "logistic" for labels 0 and 1, f's sum being the
            log-odds; "softmax" for labels 0 to K - 1, with one target per class.
        weights: weights >= 0 of the samples' losses `(n,)`.
        scale: "none"; "columns" maps every column to [-1, 1]; "auto" does so for columns of
            different magnitudes.
        guesses: formulas to start from, such as `"sin(2*x) + x**2"`.
        key: randomness: a JAX key or a whole number. Same key, same result, whatever `executor`.
        callback: called after every step with `Progress`; the search stops if it returns True.
        resume: the state of an earlier, stopped search on the same data and space.
        executor: runs the islands of the genetic stage side by side.

    Returns:
        The formulas found; see `SearchResult`.

    Raises:
        ValueError: for data that cannot be searched, or unknown options.
        BackendUnavailable: if the engine's package is missing.

    References:
        F.-L. Fan et al., task-based neurons, arXiv 2405.02369.

    Example:
        >>> x = np.random.default_rng(0).uniform(-2, 2, (200, 5))
        >>> found = search(x, (2 * x**3 + np.sin(x)).sum(axis=1))
        >>> print(found.best)
        2*x**3 + sin(x)
    """
    ask = _Ask(space or Space(), engine, budget or Budget(), _seed(key), executor, callback)
    with one_thread(), np.errstate(all="ignore"):
        if loss == "squared":
            return ask.run(prepare(x, y, weights, scale), guesses, resume)
        return _under(loss, x, y, weights, scale, ask, guesses, resume)


@dataclass(frozen=True)
class _Ask:
    """What is asked of a search, the data aside."""

    space: Space
    engine: "str | Backend"
    budget: Budget
    seed: tuple[int, ...]
    executor: Executor | None
    callback: Callback | None

    def run(
        self, data: Data, guesses: Iterable[str | Expression], resume: str | None = None
    ) -> SearchResult:
        run = self.prepared(data, guesses)
        if resume is not None:
            run.restore(resume)
        return run.go(self.callback)

    def prepared(self, data: Data, guesses: Iterable[str | Expression]) -> "_Search":
        run = _Search(data, self.space, self.engine, self.budget, self.seed, self.executor)
        for guess in guesses:
            if isinstance(guess, str):
                guess = Expression.parse(guess, self.space.table)
            run.try_formula(guess)
        return run


def _under(
    name: str,
    x: Any,
    y: Any,
    weights: Any,
    scale: Scale,
    ask: _Ask,
    guesses: Iterable[str | Expression],
    resume: str | None,
) -> SearchResult:
    """A search under another loss than the squared one."""
    if name not in LOSSES:
        raise ValueError(f"loss is 'squared' or one of {', '.join(LOSSES)}, got {name!r}")
    if resume is not None:
        raise ValueError("only searches under the squared loss resume")
    if isinstance(x, Triangle):
        raise ValueError(f"loss {name!r} needs the samples, not only their triangle")
    inputs, labels, own = check(x, y, weights)
    targets = encode(name, labels)
    own = np.ones(len(inputs)) if own is None else own
    formulas = tuple(guesses)

    def surrogate(working: np.ndarray, weight: np.ndarray) -> tuple[Archive, SearchResult]:
        run = ask.prepared(prepare(x, working, weight, scale), formulas)
        return run.archive, run.go(ask.callback)

    data = prepare(x, targets, own, scale)
    result = search_under(LOSSES[name], data, targets, own, surrogate)
    return replace(result, single=targets.shape[1] == 1)


def _seed(key: Any) -> tuple[int, ...]:
    if isinstance(key, int | np.integer):
        if key < 0:
            raise ValueError(f"a key is a JAX key or a whole number >= 0, got {key}")
        return (int(key),)
    try:
        return tuple(int(word) for word in np.asarray(jax.random.key_data(key)).ravel())
    except TypeError as error:
        raise ValueError(f"a key is a JAX key or a whole number >= 0, got {key!r}") from error


class _Search:
    def __init__(
        self,
        data: Data,
        space: Space,
        engine: "str | Backend",
        budget: Budget,
        seed: tuple[int, ...],
        executor: Executor | None,
    ):
        if isinstance(engine, str) and engine not in (*STAGES, *BACKENDS):
            raise ValueError(f"engine is one of {', '.join((*STAGES, *BACKENDS))}, got {engine!r}")
        named = isinstance(engine, str) and engine in BACKENDS
        self.engine = BACKENDS[str(engine)]() if named else engine
        self.data, self.space, self.budget = data, space, budget
        self.seed, self.executor = seed, executor
        self.started = time.monotonic()
        rows = None if data.rows is None else Evaluator(data.rows, space.table)
        problem = reduce_triangle(data.triangle)
        self.archive = Archive(Evaluator(problem, space.table), space, rows=rows)
        self.people: list[list[Individual]] = [[] for _ in range(budget.evolution.islands)]
        self.done: list[str] = []
        self.over = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def late(self) -> bool:
        limit = self.budget.seconds
        return limit is not None and self.seconds > limit

    def steps(self) -> Iterator[tuple[str, Callable[[], bool]]]:
        """Names and works; a work says whether the data has no more to say."""
        book = Dictionary(self.archive, self.late)
        if self.space.powers:
            yield "powers", book.polynomials
        if self.engine in ("auto", "dictionary") and self.space.unary:
            yield "simple terms", book.simple_terms
            yield "simple pairs", book.simple_pairs
            yield "shifted terms", book.shifted_terms
            yield "rich terms", book.rich_terms
            if self.data.triangle.samples < _FEW:
                return
            yield "shifted pairs", book.shifted_pairs
            yield "rich sweep", book.rich_sweep
            yield "rich pairs", book.rich_pairs
        if self.engine in ("auto", "genetic") and self.space.unary:
            for number in range(self.budget.evolution.epochs):
                yield f"epoch {number}", lambda number=number: self.evolve(number)  # type: ignore[misc]
        if not isinstance(self.engine, str):
            yield "back-end", self.ask

    def go(self, callback: Callback | None) -> SearchResult:
        for name, work in () if self.over else self.steps():
            if name in self.done:
                continue
            solved, late = bool(work()), self.late()
            if not late:
                self.done.append(name)
                enough = self.archive.simplest_exact() or name not in _ALWAYS
                self.over = solved and bool(enough or not self.space.unary)
            progress = Progress(name, self.seconds, self.state, self.result)
            if (callback and callback(progress)) or late:
                return self.result("stopped")
            if self.over:
                break
        return self.result("adequate" if self.over else "exhausted")

    def result(self, status: str = "stopped") -> SearchResult:
        if not self.archive.models:
            self.archive.offer((("x",),), float((self.archive.evaluator.problem.target**2).sum()))
        return result_of(self.archive, self.data, status, self.done, self.seconds)

    def evolve(self, number: int) -> bool:
        evolution = self.budget.evolution
        self.people = epoch(
            self.archive, evolution, self.people, (*self.seed, number), self.executor
        )
        prune(self.archive)
        self.archive.look_closer()
        return self.archive.solved()

    def ask(self) -> bool:
        """Formulas of a back-end for the deconvolved curve, their constants tuned on the data."""
        for formula in self._proposed():
            self.try_formula(formula)
        prune(self.archive)
        self.archive.look_closer()
        return self.archive.solved()

    def _proposed(self) -> Iterable[Expression]:
        engine = self.engine
        if isinstance(engine, Tnsr):  # the papers' own method works on the samples
            if self.data.x is None:
                raise ValueError("the engine tnsr needs the samples, not only their triangle")
            runs = (engine.run(self.data.x, target, self.seed[-1]) for target in self.data.y.T)
            return [_polynomial(run.powers) for run in runs if run.powers]
        return engine.propose(curve(self.data.triangle), self.space, self.seed[-1])  # type: ignore[union-attr]

    def try_formula(self, formula: Expression) -> None:
        """Offer a formula: its terms, constants tuned, coefficients by least squares."""
        terms = tuple(term.postfix for term in formula.terms()[0])
        if terms and len(terms) <= self.space.terms and all(map(self.space.allows, terms)):
            self.archive.offer(*refit(self.archive.evaluator, terms, iterations=40))

    def fingerprint(self) -> str:
        """Changes with the data, the language and the settings."""
        text = repr((self.space, self.engine, self.budget.evolution, self.seed))
        factor = np.round(self.data.triangle.factor, 9).tobytes()
        return hashlib.sha256(factor + text.encode()).hexdigest()

    def state(self) -> str:
        """Everything needed to go on, as JSON."""
        models = [[list(m.terms), m.excess] for m in self.archive.models.values()]
        return json.dumps(
            {
                "search": self.fingerprint(),
                "done": self.done,
                "over": self.over,
                "models": models,
                "people": self.people,
            }
        )

    def restore(self, text: str) -> None:
        """Take over the state of another search.

        Raises:
            ValueError: if it is none, or one on other data or with other settings.
        """
        try:
            state = json.loads(text)
            fingerprint, done, over = state["search"], list(state["done"]), bool(state["over"])
            models = [(_terms(terms), float(excess)) for terms, excess in state["models"]]
            people = [[_terms(terms) for terms in island] for island in state["people"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no state of a search: {error!r}") from error
        if fingerprint != self.fingerprint():
            raise ValueError("the state belongs to a search on other data or with other settings")
        self.done, self.over, self.people = done, over, people
        for skeleton in (*simple(self.space), *rich(self.space), *shifted(self.space)):
            self.archive.skeletons[skeleton.term] = skeleton
        for terms, excess in models:
            self.archive.offer(terms, excess)


def _polynomial(powers: Sequence[int]) -> Expression:
    tokens: list[Any] = []
    for place, term in enumerate(power_terms(powers)):
        tokens += [*term, *(["+"] if place else [])]
    return Expression(tuple(tokens))


def _terms(rows: Sequence[Sequence[Any]]) -> tuple[Term, ...]:
    return tuple(tuple(row) for row in rows)
