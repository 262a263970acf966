import made_up
import numpy as np
import pytest
from made_up import lines

from paper_figures import knowledge_prior, style
from theory.claims import claims

TILE = (10 * np.arange(9).reshape(3, 3)).tolist()
MASK = [[0, 0, 0], [0, 99, 0], [0, 0, 0]]
SETS = ("tiles", "cells")
OURS, FIRST = knowledge_prior.KNOWLEDGE, knowledge_prior.FIRST
LOOKS = {OURS: [0.4, 0.6], FIRST: [0.2, 0.4]}
SERIES = {
    "data_efficiency": {
        "fractions": [0.1, 0.25, 1.0],
        "gains": {"ap": {which: [[4.0, 6.0], [2.0, 4.0], [0.0, 2.0]] for which in SETS}},
        "controls": {
            "tiles": {OURS: [2.0, 4.0], "no prior": [-1.0, 1.0], "true mask": [8.0, 8.5]},
            "cells": {OURS: [2.0, 4.0], "no prior": [0.5, 1.0]},
        },
        "controlled": 0.25,
    },
    "concentrated": {
        "sheet": {
            "images": {"crack": TILE},
            "masks": {"crack": MASK},
            "maps": {FIRST: {"crack": MASK}, OURS: {"crack": TILE}},
        },
        "looks": dict.fromkeys(knowledge_prior.LOOKS, LOOKS),
    },
}
SLUGS = {"gain-over-data", "controls", "before-and-after", "where-it-looks"}


@pytest.fixture(scope="module")
def pictures():
    made = {name: made_up.verdict(f"knowledge_prior/{name}", SERIES[name]) for name in SERIES}
    return knowledge_prior.draw(made)


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    assert set(pictures) == SLUGS
    for picture in pictures.values():
        assert "2 seeds at budget smoke (all sets simulated)" in picture.caption
        assert style.png(picture, 30).startswith(b"\x89PNG")


def test_claims_that_failed_leave_their_figures_out():
    assert knowledge_prior.draw({}) == {}


def test_the_gain_is_a_mean_over_shares_with_the_controls_at_theirs(pictures):
    tiles, cells = pictures["gain-over-data"].figure.axes[:2]
    drawn = lines(tiles)
    assert [[0.1, 5], [0.25, 3], [1, 1]] in drawn
    single = [line[0] for line in drawn if len(line) == 1]
    assert any(y == 8.25 and 0.2 < x < 0.3 for x, y in single)
    assert all(np.isnan(y) or y < 8 for x, y in (p[0] for p in lines(cells) if len(p) == 1))


def test_controls_have_a_row_each_in_one_order(pictures):
    tiles, cells = pictures["controls"].figure.axes
    names = [text.get_text() for text in tiles.get_yticklabels()]
    assert names == ["true mask", "no prior", OURS]
    assert [[3.0, 2.0]] in lines(tiles)
    assert not any(point[1] == 0 for line in lines(cells) for point in line if len(line) < 2)


def test_before_stands_beside_after(pictures):
    axes = pictures["before-and-after"].figure.axes
    shown = [np.asarray(a.images[0].get_array()).tolist() for a in axes]
    assert shown == [TILE, MASK, TILE]
    titles = {text.get_text() for axis in axes for text in axis.texts}
    assert titles == {"tile", "before", "after"}


def test_what_maps_look_at_is_in_percent(pictures):
    for axis in pictures["where-it-looks"].figure.axes:
        assert [bar.get_height() for bar in axis.patches] == pytest.approx([50, 30])


def test_real_data_is_called_so():
    found = made_up.verdict("knowledge_prior/x", {})
    real = type(found)("c", found.finding, "laptop", "surfaces: tiles (real); cells (real)", 0.0)
    assert knowledge_prior._basis(real) == "2 seeds at budget laptop (real tiles and cells)"


def test_the_claims_that_are_drawn_exist():
    assert set(SERIES) <= {claim.name for claim in claims("knowledge_prior")}
