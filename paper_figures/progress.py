"""How a run looks in a terminal, and in a log that is none."""

from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from paper_figures.numerals import duration, measured
from paper_figures.runner import Outcome

_STYLES = {
    "supported": "bold green",
    "refuted": "bold red",
    "undecided": "bold yellow",
    "failed": "bold white on red",
}


class Progress:
    """One live line for the claim under way, one lasting line for each that is done.

    Without a terminal only the lasting lines are written.

    Args:
        total: number of claims.
        console: where to; standard output by default.
    """

    def __init__(self, total: int, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._total = total
        self._done = 0
        self._task: TaskID | None = None
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[part]}", markup=False, style="dim"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, claim: str) -> None:
        """Open the live line of a claim."""
        self._drop()
        label = f"{self._done + 1}/{self._total} {claim}"
        self._task = self._bar.add_task(label, total=None, part="")

    def under_way(self, part: str) -> None:
        """Name the partial result that is being computed."""
        if self._task is not None:
            self._bar.update(self._task, part=part)

    def finish(self, outcome: Outcome) -> None:
        """Replace the live line by the lasting one."""
        self._drop()
        self._done += 1
        line = Text(f"{self._done}/{self._total} ")
        line.append(f" {outcome.status} ", _STYLES[outcome.status])
        line.append(f" {outcome.claim.id}  {_result(outcome)}")
        self._print(line)

    def say(self, message: str) -> None:
        """Write a line of text as it is."""
        self._print(Text(message))

    def _drop(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None

    def _print(self, line: Text) -> None:
        # Logs have no width: wrapping at rich's guess would cut lines that people search.
        self._console.print(line, soft_wrap=True)


def _result(outcome: Outcome) -> str:
    if outcome.verdict is None:
        return outcome.error
    found = outcome.verdict.finding
    effect, interval = measured(found.comparison.effect, found.comparison.interval)
    again = ", recalled" if outcome.recalled else ""
    return f"{effect} {interval} {found.unit}  {duration(outcome.verdict.seconds)}{again}"
