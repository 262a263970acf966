"""The README's table of claims and its gallery, between markers, without times."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from paper_figures import files
from paper_figures.article import SIGNS
from paper_figures.numerals import measured, printed
from paper_figures.report import Section
from paper_figures.runner import Outcome
from paper_figures.style import Picture, small_png
from theory.claims import Verdict

_HEADLINES = 2


def has_block(text: str, block: str) -> bool:
    """Whether a text has the markers of a block, in order."""
    begin, end = _markers(block)
    return 0 <= text.find(begin) < text.find(end)


def rewrite(path: Path, blocks: Mapping[str, str]) -> bool:
    """Replace what stands between the markers of each block; blocks without markers are left out.

    Returns:
        Whether the file changed.
    """
    before = after = path.read_text(encoding="utf-8")
    for block, content in blocks.items():
        if has_block(after, block):
            begin, end = _markers(block)
            head, _, rest = after.partition(begin)
            after = f"{head}{begin}\n{content}\n{end}{rest.partition(end)[2]}"
    if after != before:
        files.write(path, after)
    return after != before


def _markers(block: str) -> tuple[str, str]:
    return f"<!-- {block}:begin -->", f"<!-- {block}:end -->"


def table(outcomes: Sequence[Outcome]) -> str:
    """The claims as a Markdown table."""
    headings = ("Claim", "Verdict", "Effect [95 %]", "Ours / paper", "Seeds", "Budget", "Data")
    lines = [headings, ("---",) * len(headings), *(_line(outcome) for outcome in outcomes)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(outcome: Outcome) -> tuple[str, ...]:
    claim, verdict = outcome.claim, outcome.verdict
    first = (f"`{claim.id}` {_cell(claim.statement)}", f"{SIGNS[outcome.status]} {outcome.status}")
    if verdict is None:
        return (*first, "", "", "", "", outcome.data)
    size = verdict.finding.comparison
    effect = " ".join((*measured(size.effect, size.interval), _cell(verdict.finding.unit)))
    return (*first, effect, _headlines(verdict), str(size.seeds), verdict.budget, outcome.data)


def _headlines(verdict: Verdict) -> str:
    """The first numbers that the paper gives too."""
    rows = [row for row in verdict.finding.rows if row.published is not None][:_HEADLINES]
    return "<br>".join(
        f"{_cell(row.label)}: {measured(row.ours, row.interval)[0]} / {printed(row.published)}"
        for row in rows
    )


def _cell(text: str) -> str:
    """Text that neither ends the cell nor is taken for HTML."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


def gallery(readme: Path, folder: Path, pictures: Mapping[str, Mapping[str, Picture]]) -> str:
    """Write small PNGs for the README and the Markdown that shows them.

    Args:
        readme: the file that will show them; links are relative to its folder.
        folder: where the PNGs go; PNGs of earlier runs are removed from it.
        pictures: by paper and slug.
    """
    written, lines = set(), []
    for paper, drawn in pictures.items():
        for slug, picture in drawn.items():
            path = files.write(folder / f"{paper}-{slug}.png", small_png(picture))
            written.add(path)
            link = path.relative_to(readme.parent).as_posix()
            lines.append(f"![{paper}: {slug}]({link})\n\n{_cell(picture.caption)}")
    for old in set(folder.glob("*.png")) - written:
        old.unlink()
    return "\n\n".join(lines)


def blocks(
    readme: Path, sections: Sequence[Section], pictures: Mapping[str, Mapping[str, Picture]]
) -> dict[str, str]:
    """The content of every block the README can have."""
    outcomes = [outcome for section in sections for outcome in section.outcomes]
    folder = readme.parent / "paper_figures" / "gallery"
    found = {"claims": table(outcomes)}
    if has_block(readme.read_text(encoding="utf-8"), "gallery"):
        found["gallery"] = gallery(readme, folder, pictures)
    return found
