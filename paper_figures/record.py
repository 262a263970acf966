"""A report as data: what `report.html` says of every claim, for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from paper_figures.runner import Outcome

NAME = "report.json"


@dataclass(frozen=True)
class Line:
    """One claim of a report.

    Args:
        claim: `paper/name`.
        status: "supported", "refuted", "undecided", "failed" or "unchecked".
        effect: in `unit`; `None` without a verdict, like all that follow but the data.
        interval: its 95 % confidence interval.
        unit: e.g. "F1 points".
        seeds: how many repetitions.
        budget: its name.
        data: "real", "simulated" or "none".
        stale: whether other code or libraries reached the verdict.
        seconds: that the evidence cost.
    """

    claim: str
    status: str
    effect: float | None = None
    interval: tuple[float, float] | None = None
    unit: str = ""
    seeds: int | None = None
    budget: str = ""
    data: str = "none"
    stale: bool = False
    seconds: float = 0.0


class NoReport(Exception):  # noqa: N818
    """A folder or file has no report that can be read."""


def line(outcome: Outcome) -> Line:
    """What a report says of a claim."""
    verdict = outcome.verdict
    if verdict is None:
        return Line(outcome.claim.id, outcome.status, data=outcome.data)
    found = verdict.finding.comparison
    return Line(
        outcome.claim.id,
        outcome.status,
        found.effect,
        found.interval,
        verdict.finding.unit,
        found.seeds,
        verdict.budget,
        outcome.data,
        outcome.stale,
        round(verdict.seconds, 1),
    )


def text(outcomes: Sequence[Outcome]) -> str:
    """All claims of a report as JSON."""
    return json.dumps([asdict(line(outcome)) for outcome in outcomes], indent=1) + "\n"


def read(path: Path) -> dict[str, Line]:
    """The claims of a report by name.

    Args:
        path: the file, or the output folder that holds it.

    Raises:
        NoReport: if there is none, or it cannot be read.
    """
    path = path / NAME if path.is_dir() else path
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(stored, list):
            raise TypeError(type(stored))
        lines = [Line(**{**one, "interval": _pair(one["interval"])}) for one in stored]
    except OSError as problem:
        raise NoReport(f"{path}: no report there ({problem.strerror})") from problem
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise NoReport(f"{path}: not a report of `python -m paper_figures`") from problem
    return {one.claim: one for one in lines}


def _pair(stored: list[float] | None) -> tuple[float, float] | None:
    if stored is None:
        return None
    low, high = stored
    return float(low), float(high)
