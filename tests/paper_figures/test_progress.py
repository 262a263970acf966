import io

import pytest
from rich.console import Console

from paper_figures.progress import Progress
from paper_figures.runner import Outcome


def said(toy, *, terminal):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=60, highlight=False)
    claim = toy.claim("equal", toy.broken)
    with Progress(1, console) as progress:
        progress.begin(claim.id)
        progress.under_way("train/[qcnn]/seed0")
        progress.say("a [bold] message that is longer than the line of this narrow console is")
        if terminal:
            progress._bar.refresh()
        progress.finish(Outcome(claim, None, error="ValueError: [x]"))
    return stream.getvalue()


def test_a_log_gets_whole_plain_lines(toy):
    assert said(toy, terminal=False).splitlines() == [
        "a [bold] message that is longer than the line of this narrow console is",
        "1/1  failed  toy/equal  ValueError: [x]",
    ]


@pytest.mark.parametrize("piece", ["1/1 toy/equal", "train/[qcnn]/seed0", "0:00:0", "[bold]"])
def test_a_terminal_shows_what_is_under_way(toy, piece):
    assert piece in said(toy, terminal=True)
