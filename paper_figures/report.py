"""The report: one HTML page without outside references, the same bytes for the same evidence.

What differs between two runs over the same evidence (durations, the date) stands in `time`
elements, and nothing else does.
"""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template

from paper_figures.article import anchor, article, chip, chips, effect, traits
from paper_figures.interval import bar
from paper_figures.markup import Markup, cells, join, tag
from paper_figures.markup import table as plain_table
from paper_figures.numerals import measured, printed
from paper_figures.runner import Outcome
from theory.claims import Verdict

_ORDER = ("supported", "refuted", "undecided", "failed", "unchecked")
_DATA = {"real": "real", "simulated": "simulated", "none": "no data needed"}


@dataclass(frozen=True)
class Section:
    """One paper in the report.

    Args:
        name: the paper's short name.
        title: heading.
        outcomes: its claims.
        figures: PNG bytes and caption by slug.
        problem: why there are no figures, if they could not be drawn.
    """

    name: str
    title: str
    outcomes: Sequence[Outcome]
    figures: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    problem: str = ""


def page(
    sections: Sequence[Section], environment: Mapping[str, str], times: Mapping[str, Markup]
) -> str:
    """The whole page.

    Args:
        sections: papers, in order.
        environment: what the run rested on, the same for every run of it.
        times: the date and the seconds, which are not, as `time` elements.
    """
    outcomes = [outcome for section in sections for outcome in section.outcomes]
    lines = [[label, text] for label, text in {**environment, **times}.items()]
    return Template(_resource("report.html")).substitute(
        style=_resource("report.css"),
        script=_resource("report.js"),
        lede=_lede(outcomes, len(sections)),
        filters=_filters(sections, outcomes),
        summary=_summary(outcomes),
        sections=join(*(_section(section) for section in sections)),
        environment=plain_table(["What", "Which"], lines, ["", ""], class_="environment"),
    )


def _resource(name: str) -> str:
    return files("paper_figures").joinpath(name).read_text(encoding="utf-8")


def _lede(outcomes: Sequence[Outcome], papers: int) -> Markup:
    counts = Counter(outcome.status for outcome in outcomes)
    counts["stale"] = sum(outcome.stale for outcome in outcomes)
    tally = [chip(s, f"{counts[s]} {s}") for s in (*_ORDER, "stale") if counts[s]]
    words = f"{_plural(len(outcomes), 'claim')} of {_plural(papers, 'paper')}"
    spaced = [part for item in tally for part in (item, " ")]
    return tag("p", tag("span", words, class_="total"), " ", *spaced, class_="lede")


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _filters(sections: Sequence[Section], outcomes: Sequence[Outcome]) -> Markup:
    present = [status for status in _ORDER if any(o.status == status for o in outcomes)]
    kinds = [(kind, text) for kind, text in _DATA.items() if any(o.data == kind for o in outcomes)]
    selects = [
        _select("status", "Verdict", [(status, status) for status in present]),
        _select("paper", "Paper", [(section.name, section.title) for section in sections]),
        _select("data", "Data", kinds),
    ]
    if any(outcome.stale for outcome in outcomes):
        selects.append(
            _select("evidence", "Evidence", [("current", "current"), ("stale", "stale")])
        )
    return join(*selects)


def _select(name: str, label: str, options: list[tuple[str, str]]) -> Markup:
    listed = [tag("option", text, value=value) for value, text in [("", "all"), *options]]
    return tag("label", label, " ", tag("select", *listed, name=name))


def _summary(outcomes: Sequence[Outcome]) -> Markup:
    headings = ["Claim", "Verdict", "Effect, 95 % interval", "", "Ours | paper", "Seeds"]
    classes = ["claim", "", "num", "drawing", "num", "num"]
    head = [tag("th", h, scope="col", class_=c) for h, c in zip(headings, classes, strict=True)]
    rows = [
        tag(
            "tr",
            *cells(headings, _line(outcome), classes),
            **traits(outcome),
        )
        for outcome in outcomes
    ]
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="summary cards")


def _line(outcome: Outcome) -> list[str]:
    claim, verdict = outcome.claim, outcome.verdict
    link = tag("a", claim.name, href=f"#{anchor(outcome)}")
    first: list[str] = [
        join(link, tag("span", claim.statement, class_="small")),
        chips(outcome),
    ]
    if verdict is None:
        return [*first, "", "", "", ""]
    size = verdict.finding.comparison
    drawing = bar(size.effect, size.interval, verdict.finding.margin, labels=False)
    return [*first, effect(verdict), drawing, _headline(verdict), str(size.seeds)]


def _headline(verdict: Verdict) -> Markup:
    """The first number that the paper gives too."""
    for row in verdict.finding.rows:
        if row.published is not None:
            pair = f"{measured(row.ours, row.interval)[0]} | {printed(row.published)}"
            return join(pair, tag("span", row.label, class_="small"))
    return Markup("")


def _section(section: Section) -> Markup:
    shown = [_figure(section.name, slug, *figure) for slug, figure in section.figures.items()]
    problem = tag("p", "The figures could not be drawn: ", tag("code", section.problem))
    return tag(
        "section",
        tag("h2", section.title),
        *shown,
        *([problem] if section.problem else []),
        *(article(outcome) for outcome in section.outcomes),
        data_paper=section.name,
        id=section.name,
    )


def _figure(paper: str, slug: str, image: bytes, caption: str) -> Markup:
    source = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    picture = tag("img", src=source, alt=slug.replace("-", " ").replace("_", " "))
    return tag("figure", picture, tag("figcaption", caption), id=f"{paper}--figure--{slug}")
