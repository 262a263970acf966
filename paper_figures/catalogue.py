"""The papers: their claims, which live in `theory`, with their drawings, which live here."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from paper_figures.style import Picture
from theory.claims import Claim, Lab, Pieces, Verdict, claims, papers, pieces

Draw = Callable[[Mapping[str, Verdict]], Mapping[str, Picture]]


@dataclass(frozen=True)
class Paper:
    """One paper, ready to be checked and drawn.

    Args:
        name: short name, e.g. "qttention".
        title: heading in the report.
        claims: what is checked, in the order of the report.
        module: full name of the module that holds the claims; evidence is keyed by its code.
        draw: from verdicts by claim name (without the paper) to pictures by slug.
        pieces: partial results that its claims share and that do not need each other, as functions
            to call; from the lab of its first claim.
    """

    name: str
    title: str
    claims: tuple[Claim, ...]
    module: str
    draw: Draw | None = None
    pieces: Callable[[Lab], Pieces] | None = None


def find(name: str) -> Paper:
    """A paper by its short name.

    Its file here is optional: `draw(evidence)` makes the figures, `TITLE` is the heading.

    Raises:
        ValueError: for a paper without claims.
    """
    found = claims(name)
    here = f"{__package__}.{name}"
    drawings = importlib.import_module(here) if find_spec(here) else None
    return Paper(
        name=name,
        title=getattr(drawings, "TITLE", name),
        claims=found,
        module=f"theory.claims.{name}",
        draw=getattr(drawings, "draw", None),
        pieces=pieces(name),
    )


def library() -> dict[str, Callable[[], Paper]]:
    """Every paper by name; importing one is put off until it is asked for."""
    return {name: partial(find, name) for name in papers()}
