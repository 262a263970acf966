"""One claim in the report: statement, result, protocol, numbers beside the paper's, controls."""

from paper_figures.interval import bar
from paper_figures.markup import Markup, join, table, tag
from paper_figures.numerals import duration, measured, number, printed
from paper_figures.runner import Outcome
from theory.claims import Control, Row, Verdict

# A verdict must be readable without colour, hence a sign and a word.
SIGNS = {
    "supported": "✓",
    "refuted": "✗",
    "undecided": "?",
    "failed": "!",
    "unchecked": "–",
    "stale": "↻",
}


def chip(status: str, words: str = "") -> Markup:
    """A verdict as a sign and a word, or other words about it."""
    sign = tag("b", SIGNS[status], aria_hidden="true")
    return tag("span", sign, words or status, class_=f"chip {status}")


def chips(outcome: Outcome) -> Markup:
    """The verdict, and a warning where it is that of other code."""
    return join(chip(outcome.status), *([" ", chip("stale")] if outcome.stale else []))


def traits(outcome: Outcome) -> dict[str, str]:
    """What the filters of the page look at, as attributes."""
    return {
        "data_status": outcome.status,
        "data_paper": outcome.claim.paper,
        "data_data": outcome.data,
        "data_evidence": "stale" if outcome.stale else "current",
    }


def took(seconds: float) -> Markup:
    """A duration; like all times it stands in an element of its own."""
    return tag("time", duration(seconds), datetime=f"PT{seconds:.1f}S")


def anchor(outcome: Outcome) -> str:
    """The claim's place in the page."""
    return outcome.claim.id.replace("/", "--")


def effect(verdict: Verdict) -> Markup:
    """Effect, interval and unit."""
    found = verdict.finding
    value, interval = measured(found.comparison.effect, found.comparison.interval)
    return join(tag("b", value), " ", tag("span", interval, class_="interval"), " ", found.unit)


def article(outcome: Outcome) -> Markup:
    """Everything the report says about one claim."""
    claim, verdict = outcome.claim, outcome.verdict
    heading = tag("header", tag("h3", claim.name), chips(outcome))
    body = _answered(outcome, verdict) if verdict else _unanswered(outcome)
    return tag(
        "article",
        heading,
        tag("p", claim.statement, class_="statement"),
        tag("p", claim.source, class_="source"),
        *body,
        id=anchor(outcome),
        **traits(outcome),
    )


def _unanswered(outcome: Outcome) -> list[Markup]:
    problem = tag("p", "There is no evidence in the store.")
    if outcome.error:
        problem = tag("p", "The check did not finish: ", tag("code", outcome.error), class_="error")
    return [problem, _protocol(outcome, [])]


def _answered(outcome: Outcome, verdict: Verdict) -> list[Markup]:
    found = verdict.finding
    size = found.comparison
    needed = {
        "greater": f"supported if the 95 % interval lies above {number(found.margin)}",
        "same": f"supported if the 95 % interval lies within ±{number(found.margin)}",
        "below": f"supported if nothing seen exceeds {number(found.margin)}",
    }[found.test]
    words = f"{needed}; {_count(size.seeds, 'seed')}"
    result = tag(
        "div",
        tag("p", effect(verdict), class_="effect"),
        tag("p", words, class_="small"),
        bar(size.effect, size.interval, found.margin, labels=True),
        class_="result",
    )
    ran = join(f"budget {verdict.budget}, ", took(verdict.seconds))
    if outcome.stale:
        ran = join(ran, ", by other code or libraries than those here")
    told = outcome.data == "none" or outcome.data in verdict.data
    prefix = "" if told else f"{outcome.data}: "
    facts = [("Note", found.note), ("Data", prefix + verdict.data), ("Run", ran)]
    return [result, _protocol(outcome, facts), _numbers(found.rows), _controls(found.controls)]


def _protocol(outcome: Outcome, facts: list[tuple[str, str]]) -> Markup:
    told = [("The paper reports", outcome.claim.published), ("We differ", outcome.claim.differs)]
    pairs = [join(tag("dt", label), tag("dd", text)) for label, text in [*told, *facts] if text]
    return tag("dl", *pairs)


def _numbers(rows: tuple[Row, ...]) -> Markup:
    if not rows:
        return Markup("")
    lines = [[row.label, *measured(row.ours, row.interval), printed(row.published)] for row in rows]
    headings = ["Measured", "Ours", "95 % interval", "Paper"]
    return table(headings, lines, ["", "num", "num", "num"], class_="numbers")


def _controls(controls: tuple[Control, ...]) -> Markup:
    if not controls:
        return Markup("")
    lines: list[list[str]] = [
        [c.question, chip(c.status), *measured(c.effect, c.interval)] for c in controls
    ]
    headings = ["Control", "Verdict", "Effect", "95 % interval"]
    return table(headings, lines, ["", "", "num", "num"], class_="controls")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
