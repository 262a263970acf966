"""The report as a browser shows it; without a browser at hand there is nothing to see."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from paper_figures.__main__ import main

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)
USE = (Path(__file__).parent / "in_the_browser.js").read_text()
WATCH = """<script>window.problems = [];
addEventListener("error", (e) => window.problems.push(e.message), true);
console.error = (...words) => window.problems.push(words.join(" "));</script>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome")


@pytest.fixture
def seen(toy, tmp_path, request):
    """What the page's user saw, in a window of a given width."""
    main(["--out", str(tmp_path), "--budget", "smoke"], {"toy": toy.paper})
    page = (tmp_path / "report.html").read_text()
    page = page.replace("<head>", f"<head>{WATCH}", 1)
    page = page.replace("</body>", f"<script>{USE}</script></body>")
    used = tmp_path / "used.html"
    used.write_text(page)
    line = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"]
    line += [f"--user-data-dir={tmp_path / 'browser'}", f"--window-size={request.param},900"]
    done = subprocess.run(
        [*line, "--dump-dom", used.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'id="seen">(.*?)</script>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(unescape(found[1]))


@pytest.mark.parametrize("seen", [390, 1280], indirect=True, ids=["phone", "desk"])
def test_the_report_works_in_a_browser(seen):
    assert seen["errors"] == []
    assert seen["images"]
    assert min(seen["images"]) > 0
    # By filter and choice: claims in the table, claims in full.
    assert seen["filters"] == {
        "status": {"": [3, 3], "supported": [1, 1], "refuted": [1, 1], "undecided": [1, 1]},
        "paper": {"": [3, 3], "toy": [3, 3]},
        "data": {"": [3, 3], "simulated": [1, 1], "none": [2, 2]},
    }
    assert seen["none"] == [1, 0, 0]
    assert min(seen["contrast"].values()) >= 4.5
    assert seen["turned"]
    assert seen["overflow"] <= 0
