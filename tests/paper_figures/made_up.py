"""Made-up verdicts to draw from, and what was drawn."""

import numpy as np

from paper_figures import style
from theory.claims.claim import Finding, Verdict
from theory.claims.statistics import Comparison


def verdict(claim, series, rows=()):
    """A verdict of two seeds on simulated tiles that holds these series and rows."""
    none = Comparison(0.0, (0.0, 0.0), 2)
    found = Finding("refuted", none, 1.0, "u", rows=rows, series=series)
    return Verdict(claim, found, "smoke", "toy tiles (simulated)", 0.0)


def lines(axes):
    """The points of every line."""
    return [np.array(line.get_data()).T.tolist() for line in axes.lines]


def check_drawn(pictures, slugs):
    """All figures are there, drawn, and name data and budget."""
    assert set(pictures) == set(slugs)
    for picture in pictures.values():
        assert "2 seeds at budget smoke (simulated tiles)" in picture.caption
        assert style.png(picture, 30).startswith(b"\x89PNG")
