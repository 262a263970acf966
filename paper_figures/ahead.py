"""Evidence computed by workers, ahead of the run that reads it from the store.

Claims of one paper share partial results, so they are checked one at a time and in order, those of
different papers side by side. Where a paper says which of its partial results do not need each
other (its pieces: most often seeds), these come first, all at the same time.

Tasks change nothing but the store, which workers and run must see under the same path. Whatever
the layout, a run's verdicts are those of the store.
"""

import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from paper_figures.catalogue import Paper
from paper_figures.data import Shelf
from paper_figures.executors import Workers
from paper_figures.runner import Outcome, Run
from paper_figures.store import Store
from theory.claims import Budget, Claim

ATTEMPTS = 3  # at a task whose worker dies


@dataclass(frozen=True)
class Settings:
    """What all tasks of a run have in common; it can travel to another machine.

    Args:
        budget: amounts of work.
        seed: of the whole run.
        data: folder of public sets, or the reader's choice.
        evidence: folder of the store.
        since: entries older than this are not used, see :class:`Store`.
    """

    budget: Budget
    seed: int
    data: Path | None
    evidence: Path
    since: int = 0


@dataclass(frozen=True)
class Task:
    """One claim, or one piece of what a paper's claims share.

    Args:
        find: gives the paper.
        number: of the claim or piece.
        piece: whether it is a piece.
    """

    find: Callable[[], Paper]
    number: int
    piece: bool

    def __str__(self) -> str:
        paper = self.find()
        if self.piece:
            return f"{paper.name}, piece {self.number + 1}"
        return paper.claims[self.number].id


@dataclass
class Report:
    """What a worker says of a task: why it failed, whether it was done before, what a log tells."""

    error: str = ""
    recalled: bool = False
    said: list[str] = field(default_factory=list)


class _Quiet:
    """The watcher of a worker: it keeps what must be said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def begin(self, claim: str) -> None:
        """Seen where the run is."""

    def under_way(self, part: str) -> None:
        """Seen by nobody."""

    def finish(self, outcome: Outcome) -> None:
        """Seen where the run is."""

    def say(self, message: str) -> None:
        """Keep a line for the log."""
        self.said.append(message)


@lru_cache(maxsize=1)
def _shelf(folder: Path | None) -> Shelf:
    """A process reads every set once."""
    return Shelf(folder)


def carry_out(task: Task, settings: Settings) -> Report:
    """Do a task where a worker is; its results are in the store afterwards."""
    watcher, paper = _Quiet(), task.find()
    store = Store(settings.evidence, since=settings.since, say=watcher.say)
    run = Run(settings.budget, settings.seed, _shelf(settings.data), store, watcher)
    try:
        run.load([paper])
        if task.piece:
            run.pieces(paper)[task.number]()
            return Report(said=watcher.said)
        outcome = run.checked(paper, paper.claims[task.number])
        return Report(outcome.error, outcome.recalled, watcher.said)
    except Exception as problem:
        watcher.say(traceback.format_exc())
        return Report(f"{type(problem).__name__}: {problem}", said=watcher.said)


class Ahead:
    """A run whose evidence workers compute.

    Args:
        run: whose public sets are loaded; its watcher is told which tasks are under way.
        settings: what tasks have in common.
        workers: who computes.
    """

    def __init__(self, run: Run, settings: Settings, workers: Workers) -> None:
        self._run, self._settings, self._workers = run, settings, workers
        self._watcher = run.watcher
        self._waiting: deque[_Turn] = deque()
        self._under_way: dict[Future[Report], _Turn] = {}

    def claims(
        self, papers: Sequence[Callable[[], Paper]]
    ) -> Iterator[tuple[Paper, Claim, Report]]:
        """Claims as their evidence comes in, each with its worker's report.

        Args:
            papers: functions that give the papers; they go to the workers.
        """
        stages = [_stages(find, len(self._run.pieces(find()))) for find in papers]
        first = [[_Turn(number, task) for task in next(s, [])] for number, s in enumerate(stages)]
        # Papers take turns: workers at different papers compile different programs.
        self._waiting.extend(turn for row in zip_longest(*first) for turn in row if turn)
        while self._waiting or self._under_way:
            self._fill()
            done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
            for turn, report in self._reports(done):
                for message in report.said:
                    self._watcher.say(message)
                if not turn.task.piece:
                    paper = turn.task.find()
                    yield paper, paper.claims[turn.task.number], report
                elif report.error:
                    self._watcher.say(f"{turn.task}: {report.error}")
                if all(other.paper != turn.paper for other in self._left()):
                    following = next(stages[turn.paper], [])
                    self._waiting.extend(_Turn(turn.paper, task) for task in following)

    def _left(self) -> Iterator["_Turn"]:
        yield from self._under_way.values()
        yield from self._waiting

    def _fill(self) -> None:
        """Give the workers what they can take; a task that may have killed one runs alone."""
        limit = self._workers.at_once or len(self._waiting) + len(self._under_way)
        while self._waiting and len(self._under_way) < limit:
            alone = any(turn.attempt > 1 for turn in (self._waiting[0], *self._under_way.values()))
            if alone and self._under_way:
                break
            self._submit(self._waiting.popleft())
        self._watcher.begin(", ".join(str(turn.task) for turn in self._under_way.values()))

    def _submit(self, turn: "_Turn") -> None:
        try:
            future = self._workers.executor().submit(carry_out, turn.task, self._settings)
        except BrokenExecutor:
            self._workers.renew()
            future = self._workers.executor().submit(carry_out, turn.task, self._settings)
        self._under_way[future] = turn

    def _reports(self, done: Iterable[Future[Report]]) -> Iterator[tuple["_Turn", Report]]:
        """What came of finished tasks; those whose worker died are tried again."""
        for future in done:
            turn = self._under_way.pop(future)
            problem = future.exception()
            if problem is None:
                yield turn, future.result()
            elif turn.attempt < ATTEMPTS and isinstance(problem, BrokenExecutor):
                self._watcher.say(f"{turn.task}: its worker died; tried again")
                self._waiting.append(replace(turn, attempt=turn.attempt + 1))
            else:
                yield turn, Report(f"{type(problem).__name__}: {problem}")


@dataclass(frozen=True)
class _Turn:
    """A task of a paper, by the paper's place in the run, and which attempt at it this is."""

    paper: int
    task: Task
    attempt: int = 1


def check_ahead(
    run: Run, settings: Settings, papers: Sequence[Callable[[], Paper]], workers: Workers
) -> list[Outcome]:
    """As `run.check`, the evidence being computed by workers.

    Args:
        run: reads the evidence; its settings are those of the tasks.
        settings: what tasks have in common.
        papers: functions that give the papers.
        workers: who computes.

    Raises:
        Unreadable: for a damaged public data set, before any claim is checked.
    """
    run.load(find() for find in papers)
    outcomes: dict[str, Outcome] = {}
    for paper, claim, report in Ahead(run, settings, workers).claims(papers):
        if report.error:
            outcomes[claim.id] = Outcome(claim, None, error=report.error)
        else:
            outcomes[claim.id] = replace(run.checked(paper, claim), recalled=report.recalled)
        run.watcher.finish(outcomes[claim.id])
    return [outcomes[claim.id] for find in papers for claim in find().claims]


def _stages(find: Callable[[], Paper], pieces: int) -> Iterator[list[Task]]:
    """What of a paper may be done at the same time: its pieces; then one claim after the other."""
    if pieces:
        yield [Task(find, number, True) for number in range(pieces)]
    for number in range(len(find().claims)):
        yield [Task(find, number, False)]
