"""Checking claims one after the other, with the evidence store behind every one."""

import traceback
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import jax
import numpy as np

from paper_figures.catalogue import Paper
from paper_figures.data import Shelf, digest
from paper_figures.notebook import Notebook
from paper_figures.store import Key, Store
from paper_figures.version import code_version
from theory.claims import Budget, Claim, Lab, Pieces, Verdict

LIBRARIES = ("jax", "jaxlib", "flax", "optax", "numpy", "scipy")


@dataclass(frozen=True)
class Outcome:
    """What came of one claim.

    Args:
        claim: the claim.
        verdict: the answer; `None` if the check failed, or there was none.
        data: "real", "simulated" or "none".
        error: why the check failed.
        recalled: whether the verdict came out of the store.
        seconds: seconds spent, without those of `parts`.
        parts: seconds of each partial result; claims of one paper may share some.
        stale: whether the verdict was reached by other code or libraries than those at hand.
    """

    claim: Claim
    verdict: Verdict | None
    data: str = "none"
    error: str = ""
    recalled: bool = False
    seconds: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    stale: bool = False

    @property
    def status(self) -> str:
        """The verdict's status, "failed" or "unchecked"."""
        if self.verdict:
            return self.verdict.status
        return "failed" if self.error else "unchecked"


class Watcher(Protocol):
    """Who is told how the run goes."""

    def begin(self, claim: str) -> None:
        """A claim is about to be checked."""

    def under_way(self, part: str) -> None:
        """A partial result is about to be computed."""

    def finish(self, outcome: Outcome) -> None:
        """A claim is done."""

    def say(self, message: str) -> None:
        """Something a reader of the log must know."""


@dataclass(frozen=True)
class Run:
    """The settings that all claims share.

    Args:
        budget: amounts of work.
        seed: of the whole run; every paper derives its own key from it.
        shelf: the data.
        store: the evidence.
        watcher: who is told.
    """

    budget: Budget
    seed: int
    shelf: Shelf
    store: Store
    watcher: Watcher

    def check(self, papers: Iterable[Paper]) -> list[Outcome]:
        """Check all claims of some papers; one that fails does not stop the others.

        Raises:
            Unreadable: for a damaged public data set, before any claim is checked.
        """
        listed = list(papers)
        self.load(listed)
        outcomes = []
        for paper in listed:
            for claim in paper.claims:
                self.watcher.begin(claim.id)
                outcomes.append(self.checked(paper, claim))
                self.watcher.finish(outcomes[-1])
        return outcomes

    def load(self, papers: Iterable[Paper]) -> None:
        """Read the papers' public sets, so that damage is known before any claim is checked.

        Raises:
            Unreadable: for a damaged public data set.
        """
        self.shelf.load(claim for paper in papers for claim in paper.claims)

    def checked(self, paper: Paper, claim: Claim) -> Outcome:
        """What comes of a claim whose public set was loaded; one that fails has no verdict."""
        try:
            return self._check(paper, claim)
        except Exception as problem:
            self.watcher.say(traceback.format_exc())
            return Outcome(claim, None, error=f"{type(problem).__name__}: {problem}")
        finally:
            # Compiled programs are memory maps, of which a process may hold some 65,000: a run
            # over many networks ends without them.
            jax.clear_caches()

    def stored(self, papers: Iterable[Paper]) -> list[Outcome]:
        """What the store knows of some papers' claims; nothing is computed.

        Raises:
            Unreadable: for a damaged public data set.
        """
        listed = list(papers)
        self.load(listed)
        return [self._stored(paper, claim) for paper in listed for claim in paper.claims]

    def _stored(self, paper: Paper, claim: Claim) -> Outcome:
        _, kind = self.shelf.get(claim)
        entry, stale = self._notebook(paper, claim).known(claim.name, Verdict.from_json)
        if entry is None:
            return Outcome(claim, None, kind)
        verdict = replace(Verdict.from_json(entry.value), seconds=entry.total)
        return Outcome(claim, verdict, kind, "", True, entry.seconds, entry.parts, stale)

    def pieces(self, paper: Paper) -> Pieces:
        """What can be computed ahead of a paper's claims, see :class:`Paper`; it keeps itself."""
        if paper.pieces is None:
            return []
        claim = paper.claims[0]
        data, _ = self.shelf.get(claim)
        notebook = self._notebook(paper, claim)
        return paper.pieces(
            Lab(self.budget, paper_key(self.seed, claim.paper), data, notebook.recall)
        )

    def _notebook(self, paper: Paper, claim: Claim) -> Notebook:
        data, _ = self.shelf.get(claim)
        amounts = ", ".join(f"{k}={v}" for k, v in asdict(self.budget).items())
        code = _loaded(paper.module)
        context = Key(claim.paper, code, libraries(), amounts, self.seed, digest(data))
        return Notebook(self.store, context, self.watcher.under_way)

    def _check(self, paper: Paper, claim: Claim) -> Outcome:
        data, kind = self.shelf.get(claim)
        notebook = self._notebook(paper, claim)
        key = paper_key(self.seed, claim.paper)

        def judge() -> object:
            found = claim.check(self.budget, key=key, data=data, recall=notebook.recall)
            return found.to_json()

        entry, recalled = notebook.claim(claim.name, judge, Verdict.from_json)
        verdict = replace(Verdict.from_json(entry.value), seconds=entry.total)
        return Outcome(claim, verdict, kind, "", recalled, entry.seconds, entry.parts)


@lru_cache(maxsize=64)
def _loaded(module: str) -> str:
    """The version of code that this process runs: files may change after they were imported."""
    return code_version(module)


def paper_key(seed: int, paper: str) -> jax.Array:
    """The key of all claims of a paper: one key, so that they can share partial results."""
    return jax.random.fold_in(jax.random.key(seed), np.uint32(zlib.crc32(paper.encode())))


def libraries() -> str:
    """Names and versions of the libraries that can change a result."""
    return ", ".join(f"{name} {installed(name)}" for name in LIBRARIES)


def installed(package: str) -> str:
    """The version of an installed distribution."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def total_seconds(outcomes: Iterable[Outcome]) -> float:
    """Seconds that all evidence cost; a part that several claims share counts once."""
    own = 0.0
    parts: dict[tuple[str, str], float] = {}
    for outcome in outcomes:
        own += outcome.seconds
        parts |= {(outcome.claim.paper, name): spent for name, spent in outcome.parts.items()}
    return own + sum(parts.values())
