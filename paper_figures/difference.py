"""`python -m paper_figures diff A B`: what two reports say differently."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from paper_figures.numerals import measured
from paper_figures.record import Line, NoReport, read

SAME, DIFFERENT, UNREADABLE = 0, 1, 2
TOLERANCE = 1e-6  # relative to the wider interval, or to the effect of a point


def main(arguments: Sequence[str], console: Console | None = None) -> int:
    """Compare two reports.

    Args:
        arguments: the two output folders, or their `report.json`.
        console: where to; standard output by default.

    Returns:
        0 if they say the same, 1 if not, 2 if one cannot be read.
    """
    parser = argparse.ArgumentParser(prog="python -m paper_figures diff", description=main.__doc__)
    parser.add_argument("before", type=Path, metavar="A", help="an output folder, or report.json")
    parser.add_argument("after", type=Path, metavar="B", help="the other one")
    options = parser.parse_args(arguments)
    shown = console or Console(highlight=False)
    try:
        before, after = read(options.before), read(options.after)
    except NoReport as problem:
        shown.print(Text(str(problem)), soft_wrap=True)
        return UNREADABLE
    changes = differences(before, after)
    if changes:
        shown.print(_table(changes))
    same = len(before.keys() & after.keys()) - sum(kind != "only in one" for *_, kind in changes)
    shown.print(Text(f"{same} claims are the same, {len(changes)} differ"), soft_wrap=True)
    return DIFFERENT if changes else SAME


def differences(
    before: Mapping[str, Line], after: Mapping[str, Line]
) -> list[tuple[str, str, str, str]]:
    """Claims that two reports say different things of.

    Returns:
        Claim, what the first says, what the second says, and the kind: "only in one", "verdict",
        "conditions" (budget, data, seeds) or "effect". Seconds do not count.
    """
    found = []
    for claim in dict.fromkeys([*before, *after]):
        one, other = before.get(claim), after.get(claim)
        kind = _kind(one, other)
        if kind:
            found.append((claim, _said(one), _said(other), kind))
    return found


def _kind(one: Line | None, other: Line | None) -> str:
    if one is None or other is None:
        return "only in one"
    if one.status != other.status:
        return "verdict"
    if _conditions(one) != _conditions(other):
        return "conditions"
    return "" if _close(one, other) else "effect"


def _conditions(line: Line) -> tuple[object, ...]:
    return line.budget, line.data, line.seeds, line.unit


def _close(one: Line, other: Line) -> bool:
    if one.effect is None or other.effect is None:
        return one.effect is other.effect
    ends = [(one.effect, other.effect), *zip(one.interval or (), other.interval or (), strict=True)]
    finite = [abs(end) for pair in ends for end in pair if abs(end) < float("inf")]
    scale = TOLERANCE * max(finite, default=0.0)
    return all(a == b or abs(a - b) <= scale or (a != a and b != b) for a, b in ends)


def _said(line: Line | None) -> str:
    if line is None:
        return "–"
    if line.effect is None:
        return line.status
    value, interval = measured(line.effect, line.interval)
    where = ", ".join(part for part in (line.budget, line.data) if part)
    return f"{line.status} {value} {interval} {line.unit} ({where})"


def _table(changes: Sequence[tuple[str, str, str, str]]) -> Table:
    table = Table("Claim", "A", "B", "Differs in")
    for row in changes:
        table.add_row(*map(Text, row))
    return table
