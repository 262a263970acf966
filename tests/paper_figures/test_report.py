import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from paper_figures.data import Shelf
from paper_figures.interval import bar
from paper_figures.markup import Markup, join, tag
from paper_figures.numerals import duration, measured, number, printed
from paper_figures.report import Section, page
from paper_figures.runner import Outcome, Run
from paper_figures.store import Store
from theory.claims import smoke

VOID = {"meta", "img", "input", "br", "link"}


class Balanced(HTMLParser):
    """Follows the nesting of elements and collects text and outside references."""

    def __init__(self, source):
        super().__init__()
        self.open, self.text, self.references = [], "", []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.references += [v for k, v in attributes if k in ("src", "href", "srcset", "action")]
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        self.text += data


class Silent:
    def begin(self, claim):
        pass

    under_way = finish = say = begin


@pytest.fixture
def outcomes(toy, tmp_path):
    paper = toy.paper(claims=(*toy.paper().claims, toy.claim("broken", toy.broken)))
    return Run(smoke, 0, Shelf(), Store(tmp_path), Silent()).check([paper])


@pytest.fixture
def html(outcomes):
    figures = {"effects": (b"\x89PNG", "A caption with <tags>.")}
    section = Section("toy", "Toy & co", outcomes, figures)
    times = {"Written": tag("time", "now")}
    return page([section], {"Python": "3.11 <test>"}, times)


def test_shows_every_claim_with_all_that_is_known_of_it(html):
    text = " ".join(Balanced(html).text.split())
    for piece in (
        "Quadratic neurons are better <than> linear ones by 4 points at -6 dB.",
        "A. Author & B. Writer",
        "98.5 % against 94.1 %",
        "the last epoch instead of the best one",
        "97.12[96.90, 97.40]98.5",
        "more data does not help",
        "Few seeds & wide <intervals>.",
        "Coins (simulated, <0.5 g>)",
        "RuntimeError: no <such> thing",
        "A caption with <tags>.",
        "3.11 <test>",
        "supported if the 95 % interval lies above 0.5; 2 seeds",
        "1 supported",
        "1 failed",
    ):
        assert piece in text


def test_refers_to_nothing_outside(html):
    references = Balanced(html).references
    assert references
    assert all(r.startswith(("#", "data:image/png;base64,")) for r in references)
    assert not re.search(r"url\(|@import|https?://", html)


def test_links_lead_somewhere(html):
    targets = {r[1:] for r in Balanced(html).references if r.startswith("#")}
    assert targets <= set(re.findall(r' id="([^"]+)"', html))
    assert "toy--better" in targets


def test_a_report_without_claims_is_still_a_page():
    assert "0 claims of 0 papers" in Balanced(page([], {}, {})).text


def test_says_why_figures_are_missing(outcomes):
    section = Section("toy", "Toy", outcomes, {}, "KeyError: 'broken'")
    assert "could not be drawn: KeyError: 'broken'" in Balanced(page([section], {}, {})).text


def test_a_claim_that_failed_before_it_began_has_no_numbers(toy):
    failed = Outcome(toy.claim("a", toy.broken), None, error="<x>")
    html = page([Section("toy", "Toy", [failed])], {}, {})
    assert "&lt;x&gt;" in html
    assert "<svg" not in html


def attributes(html, name):
    return re.findall(rf'<article [^>]*{name}="([^"]*)"', html)


def test_filters_offer_what_there_is_and_every_claim_has_its_traits(html, outcomes):
    options = dict(re.findall(r'<select name="(\w+)">(.*?)</select>', html))
    values = {name: re.findall(r'value="(\w*)"', inner) for name, inner in options.items()}
    assert values == {
        "status": ["", "supported", "refuted", "undecided", "failed"],
        "paper": ["", "toy"],
        "data": ["", "simulated", "none"],
    }
    assert attributes(html, "data-status") == [outcome.status for outcome in outcomes]
    assert attributes(html, "data-data") == [outcome.data for outcome in outcomes]
    assert "simulated" in attributes(html, "data-data")


def test_verdicts_of_other_code_are_marked_and_can_be_filtered(outcomes):
    old = [replace(outcomes[0], stale=True), outcomes[1]]
    html = page([Section("toy", "Toy", old)], {}, {})
    assert attributes(html, "data-evidence") == ["stale", "current"]
    text = Balanced(html).text
    assert "1 stale" in text
    assert "by other code or libraries" in text
    assert '<select name="evidence">' in html


def test_claims_without_evidence_are_neither_failed_nor_judged(toy):
    unchecked = Outcome(toy.claim("a", toy.broken), None)
    html = page([Section("toy", "Toy", [unchecked])], {}, {})
    text = Balanced(html).text
    assert "1 unchecked" in text
    assert "There is no evidence in the store." in text
    assert "did not finish" not in text


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


STATUSES = ("supported", "refuted", "undecided", "failed")
PAIRS = [(s, f"{s}-bg") for s in STATUSES] + [(c, "page") for c in ("ink", "soft", "link")]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_contrast_satisfies_wcag_aa(theme, ink, ground):
    css = files("paper_figures").joinpath("report.css").read_text()
    colours = {n: pair for n, *pair in re.findall(r"--([\w-]+): light-dark\((\S+), (\S+)\)", css)}
    assert contrast(colours[ink][theme], colours[ground][theme]) >= 4.5


def test_text_is_escaped_and_markup_is_kept():
    made = tag("p", "a<b & ", tag("b", "c"), data_x='"')
    assert made == '<p data-x="&quot;">a&lt;b &amp; <b>c</b></p>'
    assert join("<", Markup("<")) == "&lt;<"


def positions(svg, kind):
    return [float(x) for x in re.findall(rf'class="{kind}" (?:x1|cx)="([-\d.]+)"', svg)]


def test_the_bar_keeps_the_order_of_numbers():
    svg = bar(2.0, (1.0, 3.0), 0.5, labels=True)
    (zero,), (dot,) = positions(svg, "zero"), positions(svg, "dot")
    low, _, high = positions(svg, "whisker")
    assert zero < low < dot < high
    assert dot - low == pytest.approx(high - dot, abs=0.2)


def test_the_bar_has_arrows_for_ends_without_bound():
    inf = float("inf")
    closed, opened = (bar(1.0, i, 0.1, labels=False) for i in ((0.0, 2.0), (-inf, inf)))
    assert len(positions(closed, "whisker")) == 3
    assert len(positions(opened, "whisker")) == 5
    assert "nan" not in opened
    assert "[\N{MINUS SIGN}∞, ∞]" in opened


@pytest.mark.parametrize("interval", [(0.0, 1.0), (float("nan"), 1.0)])
def test_the_bar_does_not_draw_what_is_no_number(interval):
    effect = float("nan") if interval == (0.0, 1.0) else 0.0
    assert bar(effect, interval, 0.1, labels=True) == ""


def test_a_bar_without_spread_is_drawn():
    assert positions(bar(0.0, (0.0, 0.0), 0.0, labels=True), "dot") == [12.0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (12345.6, "12346"),
        (-1.5, "\N{MINUS SIGN}1.5"),
        (1e-7, "1e\N{MINUS SIGN}7"),
        (float("nan"), "NaN"),
    ],
)
def test_numbers_read_well(value, text):
    assert number(value) == text


def test_decimals_follow_the_interval():
    assert measured(0.98765, (0.981, 0.994)) == ("0.9877", "[0.9810, 0.9940]")
    assert measured(0.98765, (0.95, 1.01)) == ("0.988", "[0.950, 1.010]")
    assert measured(-0.001, (-3.0, 3.0)) == ("0.0", "[\N{MINUS SIGN}3.0, 3.0]")
    assert measured(1234.5, (1000.0, 1500.0)) == ("1234", "[1000, 1500]")
    assert measured(2.0, None) == ("2", "")
    assert measured(1.0, (1.0, 1.0)) == ("1", "[1, 1]")
    assert printed(98.532) == "98.532"
    assert printed(None) == "–"
    assert duration(59.99) == "1 min 0 s"
