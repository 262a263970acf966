import made_up
import numpy as np
import pytest
from made_up import lines

from paper_figures import reliability, style
from theory.claims import claims

GRID = (10 * np.arange(9).reshape(3, 3)).tolist()
CURVE = [0.0, 0.5, 1.0]
LOWER = [0.0, 0.2, 1.0]
ENTRY = {
    "title": "missed, flagged",
    "score": 0.5,
    "row": 3,
    **dict.fromkeys(("picture", "normal", "defect", "agnostic"), GRID),
}
COUNTS = {"missed": [1, 3], "normal": [9, 1]}
SERIES = {
    "beats_threshold": {
        "curves": {
            "cost": CURVE,
            "tiles": {
                "decision threshold": CURVE,
                "guide, plain": LOWER,
                "guide, A1": LOWER,
                "guide, chosen": LOWER,
                "energy": CURVE,
            },
        }
    },
    "beats_confidence": {
        "areas": {
            "tiles": {"guide, A1": [0.5, 0.7], "energy": [0.8, 0.8]},
            "cells": {"guide, A1": [0.6], "energy": []},
        }
    },
    "above_chance": {
        "histograms": {"edges": [-1, 0, 1], "tiles": {"diff": COUNTS, "guide, A1": COUNTS}},
        "sheet": {"tiles": [ENTRY, ENTRY | {"title": "good, flagged"}], "cells": []},
    },
    "gap_grows": {
        "levels": [0, 1],
        "gaps": {"tiles": [[0.1, 0.3], [0.5, 0.5]], "cells": [[], []]},
        "areas": {"tiles": [[0.6, 0.6], [0.5, 0.7]], "cells": [[], []]},
    },
}
SLUGS = {"recall-against-cost", "areas", "histograms", "radius", "flagged"}


def verdict(name):
    return made_up.verdict(f"reliability/{name}", SERIES[name])


@pytest.fixture(scope="module")
def pictures():
    return reliability.draw({name: verdict(name) for name in SERIES})


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    assert set(pictures) == SLUGS
    for picture in pictures.values():
        assert "budget smoke (all drawn)" in picture.caption
        assert style.png(picture, 30).startswith(b"\x89PNG")


def test_claims_that_failed_leave_their_figures_out():
    assert reliability.draw({}) == {}
    assert set(reliability.draw({"gap_grows": verdict("gap_grows")})) == {"radius"}


def test_every_score_has_its_curve(pictures):
    axes = pictures["recall-against-cost"].figure.axes[0]
    labels = {line.get_label() for line in axes.lines}
    assert {"decision threshold", "guide, plain", "guide, A1", "energy"} <= labels
    assert [[0, 0], [50, 20], [100, 100]] in lines(axes)


def test_areas_are_means_with_their_runs(pictures):
    first, second = pictures["areas"].figure.axes
    assert [text.get_text() for text in first.get_yticklabels()] == ["energy", "guide, A1"]
    drawn = lines(first)
    assert [[0.6, 1]] in drawn
    assert [[0.5, 1], [0.7, 1]] in drawn
    assert {at for line in lines(second) if len(line) == 1 for _, at in line} == {1}


def test_histograms_are_shares(pictures):
    axes = pictures["histograms"].figure.axes
    assert [round(bar.get_height()) for bar in axes[0].patches] == [90, 10, 25, 75]
    assert axes[0].get_ylabel().startswith("without")
    assert axes[1].get_ylabel().startswith("with A1")


def test_radii_are_means(pictures):
    assert [[0, 0.2], [1, 0.5]] in lines(pictures["radius"].figure.axes[0])


def test_the_page_shows_pictures_beside_their_maps(pictures):
    axes = pictures["flagged"].figure.axes
    shown = [np.asarray(a.images[0].get_array()).tolist() for a in axes if a.images]
    assert shown == [GRID] * 8
    texts = [text.get_text() for axis in axes for text in axis.texts]
    assert texts == ["tiles\nmissed\nflagged\n+0.50", "tiles\ngood\nflagged\n+0.50"]


def test_the_claims_that_are_drawn_exist():
    assert set(SERIES) <= {claim.name for claim in claims("reliability")}
