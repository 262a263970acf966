import json
from dataclasses import asdict, replace
from io import StringIO

import pytest
from rich.console import Console

from paper_figures.__main__ import main
from paper_figures.difference import differences
from paper_figures.difference import main as compare
from paper_figures.record import Line, NoReport, read

ONE = Line("toy/a", "supported", 2.0, (1.0, 3.0), "points", 5, "laptop", "real", False, 7.0)


def kinds(**changes):
    return [kind for *_, kind in differences({"toy/a": ONE}, {"toy/a": replace(ONE, **changes)})]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, []),
        ({"seconds": 900.0}, []),
        ({"effect": 2.0 + 1e-7}, []),
        ({"effect": 2.1}, ["effect"]),
        ({"interval": (1.0, 3.2)}, ["effect"]),
        ({"interval": (1.0, float("inf"))}, ["effect"]),
        ({"budget": "paper"}, ["conditions"]),
        ({"data": "simulated"}, ["conditions"]),
        ({"seeds": 4}, ["conditions"]),
        ({"status": "refuted"}, ["verdict"]),
        ({"status": "failed", "effect": None, "interval": None}, ["verdict"]),
    ],
)
def test_what_counts_as_a_difference(changes, kind):
    assert kinds(**changes) == kind


def test_unbounded_intervals_and_nan_can_be_equal():
    wide = replace(ONE, effect=float("nan"), interval=(-float("inf"), float("inf")))
    assert differences({"toy/a": wide}, {"toy/a": replace(wide)}) == []


def test_claims_of_one_report_alone_are_listed():
    found = differences({"toy/a": ONE}, {"toy/b": replace(ONE, claim="toy/b")})
    assert [(claim, kind) for claim, *_, kind in found] == [
        ("toy/a", "only in one"),
        ("toy/b", "only in one"),
    ]


def said(*arguments):
    out = StringIO()
    code = compare([str(a) for a in arguments], Console(file=out, width=200, highlight=False))
    return code, out.getvalue()


def test_the_command_compares_two_runs(toy, tmp_path):
    for out, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        library = {"toy": lambda: toy.paper(draw=None)}
        line = ["--budget", "smoke", "--seed", seed, "--out", str(tmp_path / out)]
        assert main(line, library) == 0
    assert said(tmp_path / "a", tmp_path / "b") == (0, "3 claims are the same, 0 differ\n")
    stored = json.loads((tmp_path / "c" / "report.json").read_text())
    stored[0]["status"] = "refuted"
    (tmp_path / "c" / "report.json").write_text(json.dumps(stored))
    code, text = said(tmp_path / "a" / "report.json", tmp_path / "c")
    assert code == 1
    assert "toy/better" in text
    assert "verdict" in text
    assert text.endswith("2 claims are the same, 1 differ\n")


def test_the_whole_command_knows_diff(tmp_path, capsys):
    assert main(["diff", str(tmp_path), str(tmp_path)]) == 2
    assert "report.json: no report there" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"claim": "a"}]', "[[]]", "\x00"])
def test_what_is_no_report_is_refused(tmp_path, content):
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(NoReport, match=r"report\.json: not a report of"):
        read(path)


def test_lines_survive_the_file(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps([asdict(ONE)]))
    assert read(tmp_path) == {"toy/a": ONE}
