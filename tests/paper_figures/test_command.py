import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

from paper_figures import catalogue, readme
from paper_figures.__main__ import main
from paper_figures.numerals import measured
from paper_figures.runner import paper_key
from paper_figures.style import Picture
from theory.claims import laptop, smoke

README = """# Title
<!-- claims:begin -->
old
<!-- claims:end -->
Between.
<!-- gallery:begin --><!-- gallery:end -->
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(toy, *arguments, **changes):
    return main(["--out", "out", *arguments], {"toy": lambda: toy.paper(**changes)})


def timeless(path):
    return re.sub(r"<time.*?</time>", "", path.read_text())


def test_writes_evidence_figures_and_report(toy, here, capsys):
    assert command(toy, "toy", "--budget", "smoke") == 0
    names = {p.relative_to(here).as_posix() for p in here.rglob("*") if p.is_file()}
    assert {
        "out/report.html",
        "out/figures/toy/effects.png",
        "out/figures/toy/effects.pdf",
    } <= names
    assert len([n for n in names if n.startswith("out/evidence/toy/claims/")]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"1/3  supported  toy/better  4\.27 \[.*\] accuracy points  \d\.\d s", lines[0])
    assert lines[3] == "report: out/report.html"


def test_the_report_does_not_depend_on_how_often_it_was_resumed(toy, here):
    pages = []
    for _ in range(2):
        command(toy, draw=None)
        pages.append(timeless(here / "out" / "report.html"))
    assert pages[0] == pages[1]


def test_a_recalled_verdict_keeps_its_seconds(slow_toy, here):
    seconds = []
    for _ in range(2):
        command(slow_toy, draw=None)
        page = (here / "out" / "report.html").read_text()
        seconds.append(re.findall(r'<time datetime="PT([\d.]+)S"', page))
    assert seconds[0] == seconds[1]
    # Three claims, then all: the shared parts (one a seed), the last claim's own, its pause.
    shared = float(laptop.seeds)
    assert list(map(float, seconds[0])) == [shared, shared, shared + 1, 2 * shared + 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "unknown paper 'nobody'; known are toy"),
        (["--budget", "huge"], "unknown budget 'huge'; known are smoke, laptop, paper"),
        (["--data", "nowhere"], "--data must name an existing folder, got nowhere"),
        (["--readme", "no.md"], "--readme must name a file with the markers"),
        (["--readme", "R.md", "--budget", "smoke"], "--readme quotes whole runs"),
        (["--out", "R.md"], "--out must name a folder"),
        (["--executor", "threads"], "unknown executor 'threads'; allowed are process"),
        (["--devices", "0"], "--devices must be from 1 to 1, got 0"),
        (["--devices", "2"], "XLA_FLAGS=--xla_force_host_platform_device_count=N"),
        (["--devices", "1", "--executor", "process"], "not with --executor"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(toy, here, capsys, arguments, message):
    (here / "R.md").write_text(README)
    with pytest.raises(SystemExit) as stopped:
        command(toy, *arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_the_data_folder_may_come_from_the_environment(toy, here, capsys, monkeypatch):
    monkeypatch.setenv("NEURONS_DATA", "nowhere")
    with pytest.raises(SystemExit):
        command(toy)
    assert "NEURONS_DATA must name an existing folder" in capsys.readouterr().err


def test_a_failed_claim_is_reported_and_leaves_the_readme(toy, here, capsys):
    (here / "README.md").write_text(README)
    claims = (toy.claim("broken", toy.broken), *toy.paper().claims)
    assert command(toy, claims=claims, draw=None) == 1
    assert "failed: toy/broken" in capsys.readouterr().out
    assert "RuntimeError: no &lt;such&gt; thing" in (here / "out" / "report.html").read_text()
    assert (here / "README.md").read_text() == README


def test_a_failed_drawing_is_reported(toy, here, capsys):
    assert command(toy, draw=lambda evidence: evidence["missing"]) == 1
    assert "failed: figures of toy" in capsys.readouterr().out
    assert "KeyError: &#x27;missing&#x27;" in (here / "out" / "report.html").read_text()


def test_damaged_data_stops_the_run(toy, here, capsys, monkeypatch):
    def refuse(name, folder):
        raise toy.NoReader.DataError("105.mat: checksum")

    monkeypatch.setattr(toy.NoReader, "available", staticmethod(lambda name, folder: True))
    monkeypatch.setattr(toy.NoReader, "load", staticmethod(refuse), raising=False)
    assert command(toy) == 1
    assert "damaged data: coins: 105.mat: checksum" in capsys.readouterr().out
    assert not (here / "out").exists()


def test_no_resume_computes_again(toy, here, capsys):
    for arguments, recalled in (((), 0), ((), 3), (("--no-resume",), 0)):
        command(toy, *arguments, draw=None)
        assert capsys.readouterr().out.count("recalled") == recalled


def test_a_whole_run_rewrites_the_readme(toy, here):
    (here / "README.md").write_text(README)
    assert command(toy) == 0
    text = (here / "README.md").read_text()
    assert text.startswith("# Title\n<!-- claims:begin -->\n| Claim |")
    assert "old" not in text
    assert "\nBetween.\n" in text
    row = next(line for line in text.splitlines() if "toy/better" in line)
    verdict = toy.paper().claims[0].check(laptop, key=paper_key(0, "toy"))
    found, quoted = verdict.finding.comparison, verdict.finding.rows[0]
    effect = " ".join((*measured(found.effect, found.interval), verdict.finding.unit))
    assert row.split(" | ")[1:] == [
        "✓ supported",
        effect,
        f"accuracy of quadratic, %: {measured(quoted.ours, quoted.interval)[0]} / 98.5",
        str(laptop.seeds),
        "laptop",
        "none |",
    ]
    image = re.search(r"!\[.*\]\((.*)\)", text)[1]
    assert image == "paper_figures/gallery/toy-effects.png"
    assert (here / image).stat().st_size <= 150_000
    command(toy)
    assert (here / "README.md").read_text() == text


@pytest.mark.parametrize("arguments", [["--budget", "smoke"], ["toy", "--budget", "smoke"]])
def test_smoke_leaves_the_readme(toy, here, arguments):
    (here / "README.md").write_text(README)
    command(toy, *arguments, draw=None)
    assert (here / "README.md").read_text() == README


def test_a_part_of_the_papers_leaves_the_readme(toy, here):
    (here / "README.md").write_text(README)
    main(["toy", "--out", "out"], {"toy": lambda: toy.paper(draw=None), "other": toy.paper})
    assert (here / "README.md").read_text() == README


def test_the_gallery_drops_pictures_that_are_gone(toy, here):
    made = toy.draw({"better": toy.paper().claims[0].check(smoke, key=jax.random.key(0))})
    old = here / "gallery" / "toy-old.png"
    old.parent.mkdir()
    old.write_bytes(b"")
    text = readme.gallery(here / "README.md", old.parent, {"toy": made})
    assert [p.name for p in old.parent.iterdir()] == ["toy-effects.png"]
    assert text.endswith("Effects of &lt;b>neurons&lt;/b>, by seed.")
    assert isinstance(made["effects"], Picture)


def test_unknown_papers_are_refused_by_the_catalogue():
    with pytest.raises(ValueError, match="got 'nobody'"):
        catalogue.find("nobody")


def begin(out, entries):
    # toy_paper.py is named as in this process: keys must agree across processes.
    script = Path(__file__).with_name("toy_paper.py")
    paths = os.pathsep.join(p for p in sys.path if p)
    surroundings = {**os.environ, "TOY_ENTRIES": str(entries), "PYTHONPATH": paths}
    return subprocess.Popen(
        [sys.executable, script, "--budget", "smoke", "--out", out],
        env=surroundings,
        stdout=subprocess.PIPE,
        text=True,
    )


def evidence(out):
    return {p: p.stat().st_mtime_ns for p in Path(out).rglob("*.json")}


def stop_after(out, entries, how):
    """Start the command and stop it when the store has so many entries: it goes no further."""
    process = begin(out, entries)
    for _ in range(6000):
        if len(evidence(out)) >= entries:
            break
        time.sleep(0.01)
    process.send_signal(how)
    return process, process.communicate(timeout=60)[0]


def test_a_killed_run_goes_on_where_it_was(toy, here):
    kept = {}
    for entries, how in ((1, signal.SIGKILL), (4, signal.SIGINT)):
        process, said = stop_after("out", entries, how)
        assert process.returncode == (130 if how == signal.SIGINT else -how)
        assert ("run again to go on" in said) is (how == signal.SIGINT)
        now = evidence("out")
        assert kept.items() <= now.items(), "evidence was computed again"
        assert entries <= len(now) < 7
        kept = now
    assert main(["--budget", "smoke", "--out", "out"], {"toy": toy.paper}) == 0
    assert kept.items() <= evidence("out").items()
    assert not list(Path("out").rglob("*.part"))
    main(["--budget", "smoke", "--out", "undisturbed"], {"toy": toy.paper})
    assert timeless(Path("out/report.html")) == timeless(Path("undisturbed/report.html"))
    for figure in Path("out/figures").rglob("*.p*"):
        assert figure.read_bytes() == Path("undisturbed", *figure.parts[1:]).read_bytes()
