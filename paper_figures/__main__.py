"""Check the papers' claims, draw their figures, write the report and the README's table.

Evidence is kept in the output folder: a run that was stopped goes on where it was, and a claim is
checked again only when its code, budget, seed, data or libraries have changed. `python -m
paper_figures diff A B` compares the reports in two output folders.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import jax

from neurons import spread_over
from paper_figures import catalogue, difference, files, readme, record, style
from paper_figures.ahead import Settings, check_ahead
from paper_figures.article import took
from paper_figures.catalogue import Paper
from paper_figures.data import Shelf, Unreadable
from paper_figures.environment import environment
from paper_figures.executors import NoWorkers, workers
from paper_figures.markup import tag
from paper_figures.options import parse
from paper_figures.progress import Progress
from paper_figures.report import Section, page
from paper_figures.runner import Outcome, Run, Watcher, total_seconds
from paper_figures.store import Store, now
from paper_figures.style import Picture
from theory.claims import budgets

Library = Mapping[str, Callable[[], Paper]]


def main(arguments: Sequence[str] | None = None, library: Library | None = None) -> int:
    """Run the command.

    Args:
        arguments: of the command line.
        library: papers by name; by default all that have claims.

    Returns:
        0; 1 if a check or a figure failed or data is damaged; 130 if interrupted. Wrong arguments
        end the process with 2.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["diff"]:
        return difference.main(given[1:])
    shelf_of_papers = catalogue.library() if library is None else library
    options = parse(given, tuple(shelf_of_papers), __doc__)
    chosen = [shelf_of_papers[name] for name in options.papers or shelf_of_papers]
    with Progress(sum(len(find().claims) for find in chosen)) as progress:
        try:
            return _run(options, chosen, progress)
        except Unreadable as problem:
            progress.say(f"damaged data: {problem}")
            return 1
        except NoWorkers as problem:
            progress.say(str(problem))
            return 1
        except KeyboardInterrupt:
            kept = options.out / "evidence"
            progress.say(f"stopped; what was computed is kept in {kept}: run again to go on")
            return 130


def _run(
    options: argparse.Namespace, chosen: Sequence[Callable[[], Paper]], watcher: Watcher
) -> int:
    papers = [find() for find in chosen]
    outcomes = _outcomes(options, chosen, watcher)
    pictures: dict[str, Mapping[str, Picture]] = {}
    sections = []
    for paper in papers:
        mine = [outcome for outcome in outcomes if outcome.claim.paper == paper.name]
        pictures[paper.name], problem = _draw(paper, mine)
        figures = _save(options.out / "figures" / paper.name, pictures[paper.name])
        sections.append(Section(paper.name, paper.title, mine, figures, problem))
    settings = {"Budget": options.budget, "Seed": str(options.seed)}
    today = tag("time", datetime.now().astimezone().isoformat(" ", "minutes"))
    times = {"Written": today, "Time spent": took(total_seconds(outcomes))}
    report = page(sections, {**settings, **environment()}, times)
    watcher.say(f"report: {files.write(options.out / 'report.html', report)}")
    watcher.say(f"figures: {options.out / 'figures'}")
    files.write(options.out / "report.json", record.text(outcomes))
    failed = [o.claim.id for o in outcomes if o.status == "failed"]
    failed += [f"figures of {section.name}" for section in sections if section.problem]
    if failed:
        watcher.say(f"failed: {', '.join(failed)}")
    if options.readme:
        _update(options.readme, sections, pictures, failed, watcher)
    return 1 if failed else 0


def _outcomes(
    options: argparse.Namespace, chosen: Sequence[Callable[[], Paper]], watcher: Watcher
) -> list[Outcome]:
    """All claims checked, in the order of the papers."""
    evidence = options.out / "evidence"
    settings = Settings(
        budgets[options.budget],
        options.seed,
        options.data,
        evidence.absolute(),
        0 if options.resume else now(evidence),
    )
    store = Store(evidence, since=settings.since, say=watcher.say)
    run = Run(settings.budget, settings.seed, Shelf(options.data), store, watcher)
    if options.stored:
        return run.stored(find() for find in chosen)
    if options.executor is None:
        with spread_over(jax.devices()[: options.devices or 1]):
            return run.check(find() for find in chosen)
    with closing(workers(options.executor)) as crew:
        return check_ahead(run, settings, chosen, crew)


def _draw(paper: Paper, outcomes: Sequence[Outcome]) -> tuple[Mapping[str, Picture], str]:
    """The paper's pictures, or why there are none."""
    evidence = {o.claim.name: o.verdict for o in outcomes if o.verdict}
    if paper.draw is None or not evidence:
        return {}, ""
    try:
        with style.look():
            return dict(paper.draw(evidence)), ""
    except Exception as problem:
        return {}, f"{type(problem).__name__}: {problem}"


def _save(folder: Path, pictures: Mapping[str, Picture]) -> dict[str, tuple[bytes, str]]:
    shown = {}
    for slug, picture in pictures.items():
        png, _ = style.save(picture, folder, slug)
        shown[slug] = png.read_bytes(), picture.caption
    return shown


def _update(
    path: Path,
    sections: Sequence[Section],
    pictures: Mapping[str, Mapping[str, Picture]],
    failed: Sequence[str],
    watcher: Watcher,
) -> None:
    """Rewrite the README's blocks, unless something failed: it quotes complete runs only."""
    if failed:
        watcher.say(f"{path}: left as it was")
        return
    changed = readme.rewrite(path, readme.blocks(path, sections, pictures))
    watcher.say(f"{path}: {'rewritten' if changed else 'up to date'}")


if __name__ == "__main__":
    sys.exit(main())
