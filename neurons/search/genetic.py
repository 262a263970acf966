"""The third stage: genetic programming in the reduced space.

An evaluation needs 64 values, so every individual gets its constants tuned before it is judged.
Islands evolve apart and meet between epochs: the result does not depend on who computes them.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from neurons.search.archive import HANDICAP, Archive, constants_of, fill, refit, structure_of
from neurons.search.fitting import Evaluator, Term, fit
from neurons.search.pool import power_terms
from neurons.search.proposals import base_columns
from neurons.search.reduced import Reduced
from neurons.search.skeletons import Skeleton, sample, shifted
from neurons.search.space import Space
from neurons.task_based import Expression

Individual = tuple[Term, ...]


@dataclass(frozen=True)
class Evolution:
    """Settings of the genetic stage.

    Args:
        islands: populations that evolve apart.
        population: individuals on an island.
        epochs: how often the islands meet.
        generations: generations between two meetings.
        tournament: individuals that compete to be a parent.

    Raises:
        ValueError: for sizes below 1.
    """

    islands: int = 4
    population: int = 32
    epochs: int = 4
    generations: int = 6
    tournament: int = 4

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < (0 if name == "epochs" else 1):
                raise ValueError(f"{name} must be at least 1 (epochs 0), got {value}")


@dataclass(frozen=True)
class Island:
    """One population, and all that it takes to evolve it somewhere else.

    Args:
        problem: the data beside the base's powers.
        space: the language.
        evolution: settings.
        people: individuals; none at the start.
        seed: decides everything that is random.
    """

    problem: Reduced
    space: Space
    evolution: Evolution
    people: tuple[Individual, ...]
    seed: tuple[int, ...]


def evolve(island: Island) -> list[tuple[float, Individual]]:
    """Some generations on one island; its people by fitness, best first."""
    with np.errstate(all="ignore"):
        return _Evolving(island).run()


class _Evolving:
    def __init__(self, island: Island):
        self.island, self.space = island, island.space
        self.evaluator = Evaluator(island.problem, island.space.table)
        self.rng = np.random.default_rng(island.seed)
        self.blocks = shifted(island.space)
        self.known: dict[Individual, tuple[float, Individual]] = {}

    def run(self) -> list[tuple[float, Individual]]:
        settings = self.island.evolution
        people = [self.judge(each) for each in self.island.people]
        while len(people) < settings.population:
            people.append(self.judge((self.fresh(),)))
        for _ in range(settings.generations):
            children = [self.judge(self.child(people)) for _ in range(settings.population)]
            people = _fittest(people + children, settings.population)
        return people

    def judge(self, individual: Individual) -> tuple[float, Individual]:
        """Fitness, lower is better, and the individual with tuned constants."""
        key = structure_of(individual)
        if key in self.known:
            return self.known[key]
        size = sum(self.space.size(term) for term in individual)
        allowed = all(self.space.allows(term) for term in individual)
        if not allowed or size + 4 * len(individual) > self.space.max_complexity:
            return np.inf, individual
        start = constants_of(individual)
        jitter = self.rng.normal(1.0, 0.4, (3, len(start)))
        starts = np.concatenate([start[None], start * jitter]) if len(start) else start[None]
        constants, losses = fit(self.evaluator, individual, starts, iterations=5)
        best = int(np.nan_to_num(losses, nan=np.inf).argmin())
        loss = losses[best] if np.isfinite(losses[best]) else np.inf
        found = (float(loss) * HANDICAP ** (size / 2), fill(individual, constants[best]))
        self.known[key] = found
        return found

    def fresh(self) -> Term:
        """A small term with constants in sensible ranges."""
        return self.settled(self.blocks[self.rng.integers(len(self.blocks))])

    def settled(self, skeleton: Skeleton) -> Term:
        nodes = self.island.problem.nodes
        constants, _ = sample(skeleton, nodes, 64, self.evaluator.operators)
        return fill((skeleton.term,), constants[self.rng.integers(64)])[0]

    def child(self, people: Sequence[tuple[float, Individual]]) -> Individual:
        terms = list(self.parent(people))
        place = int(self.rng.integers(len(terms)))
        change = self.rng.random()
        if change < 0.1 and len(terms) < 2:
            terms.append(self.fresh())
        elif change < 0.2 and len(terms) > 1:
            terms.pop(place)
        elif change < 0.45:
            other = self.parent(people)
            donor = other[self.rng.integers(len(other))]
            terms[place] = self.graft(terms[place], self.piece(donor))
        else:
            terms[place] = self.mutant(terms[place])
        return tuple(terms)

    def parent(self, people: Sequence[tuple[float, Individual]]) -> Individual:
        """The fittest of a few; people are sorted or not, the lowest number wins."""
        drawn = self.rng.integers(len(people), size=self.island.evolution.tournament)
        return min((people[i] for i in drawn), key=lambda each: each[0])[1]

    def mutant(self, term: Term) -> Term:
        kind = self.rng.integers(4)
        if kind == 0:
            return self.graft(term, self.fresh())
        if kind == 1:
            return (*term, *self.fresh(), "*") if self.space.products else self.fresh()
        if kind == 2:
            return self.wrapped(term)
        return self.graft(term, (*self.piece(term), *self.fresh(), 1.0, "*", "+"))

    def wrapped(self, term: Term) -> Term:
        """A function of the term, by putting the term in the place of a small one's x."""
        outer = self.fresh()
        places = [place for place, token in enumerate(outer) if token == "x"]
        at = places[self.rng.integers(len(places))]
        return (*outer[:at], *term, *outer[at + 1 :])

    def piece(self, term: Term) -> Term:
        subtrees = Expression(term, self.evaluator.operators).subtrees()
        bigger = [subtree for subtree in subtrees if "x" in subtree]
        return bigger[self.rng.integers(len(bigger))]

    def graft(self, term: Term, scion: Term) -> Term:
        """The term with one of its subtrees, of those with x, replaced."""
        subtrees = Expression(term, self.evaluator.operators).subtrees()
        ends = [end for end, subtree in enumerate(subtrees) if "x" in subtree]
        end = ends[self.rng.integers(len(ends))]
        start = end + 1 - len(subtrees[end])
        return (*term[:start], *scion, *term[end + 1 :])


def _fittest(people: list[tuple[float, Individual]], most: int) -> list[tuple[float, Individual]]:
    """The best of different structures."""
    seen: dict[Individual, tuple[float, Individual]] = {}
    for fitness, individual in sorted(people, key=lambda each: each[0]):
        seen.setdefault(structure_of(individual), (fitness, individual))
    return list(seen.values())[:most]


def epoch(
    archive: Archive,
    evolution: Evolution,
    people: Sequence[Sequence[Individual]],
    seed: tuple[int, ...],
    executor: Executor | None = None,
) -> list[list[Individual]]:
    """All islands for some generations, then a meeting: each gets its neighbour's best.

    Args:
        archive: gets the best of every island.
        evolution: settings.
        people: the islands' individuals; empty lists at the start.
        seed: randomness of this epoch.
        executor: computes the islands side by side; the result is the same without.

    Returns:
        The islands' people for the next epoch.
    """
    powers = [power for power in archive.space.powers if power <= 2]
    base = tuple(powers[: max(0, archive.space.terms - 2)])
    problem = archive.evaluator.problem.beside(base_columns(archive, base))
    islands = [
        Island(problem, archive.space, evolution, tuple(own), (*seed, place))
        for place, own in enumerate(people)
    ]
    run: Callable[..., object] = map if executor is None else executor.map
    results: list[list[tuple[float, Individual]]] = list(run(evolve, islands))  # type: ignore[call-overload]
    for result in results:
        for _, individual in result[:4]:
            finish(archive, base, individual)
    best = [[individual for _, individual in result] for result in results]
    return [own + best[place - 1][:3] for place, own in enumerate(best)]


def finish(archive: Archive, base: tuple[int, ...], individual: Individual) -> None:
    """Fit an individual beside the base to the end and offer it."""
    terms = (*power_terms(base), *individual)
    if len(terms) <= archive.space.terms:
        archive.offer(*refit(archive.evaluator, terms, iterations=40))
