import numpy as np
import pytest

from paper_figures import heterogeneous_theorem
from theory.claims import Comparison, Finding, Verdict

SERIES = {
    "radial_ceiling": {
        "widths": [1, 10],
        "solved": {"2": [0.1, 0.39], "5": [0.05, 0.1]},
        "plateaus": {"2": 0.4, "5": 0.11},
        "trained": {"8": [0.1, 0.09]},
        "trained_dimension": 5,
        "dimensions": [2, 5],
        "ceilings": {"cos(v.x)": [0.5, 0.2]},
    },
    "heterogeneous_wins": {
        "dimensions": [5, 10],
        "neurons": 32,
        "errors": [
            {d: {"conventional": 0.5, "radial": 0.6, "mixed": m} for d, m in at}
            for at in ([("5", 0.02), ("10", 0.04)], [("5", 0.04), ("10", 0.06)])
        ],
    },
    "general_quadratic_ties": {
        "errors": {"conventional": [0.5, 0.6], "quadratic": [0.02, 0.04]},
        "dimension": 10,
        "neurons": 32,
    },
}


@pytest.fixture(scope="module")
def evidence():
    finding = {
        name: Finding("undecided", Comparison(0.0, (-1.0, 1.0), 2), 1.0, "u", series=series)
        for name, series in SERIES.items()
    }
    return {
        name: Verdict(f"heterogeneous_theorem/{name}", found, "smoke", "no data needed", 0.0)
        for name, found in finding.items()
    }


@pytest.fixture(scope="module")
def pictures(evidence):
    return heterogeneous_theorem.draw(evidence)


def curves(picture, axes=0):
    return [np.asarray(line.get_xydata()).tolist() for line in picture.figure.axes[axes].lines]


def test_all_figures_are_drawn_and_name_their_budget(pictures):
    assert set(pictures) == {"radial-ceiling", "sum-of-both", "general-quadratic"}
    assert all("smoke" in picture.caption for picture in pictures.values())


def test_a_claim_that_failed_leaves_its_figure_out(evidence):
    only = {name: v for name, v in evidence.items() if name == "radial_ceiling"}
    assert set(heterogeneous_theorem.draw(only)) == {"radial-ceiling"}


def test_networks_stand_below_their_ceilings(pictures):
    drawn = curves(pictures["radial-ceiling"])
    assert [[1.0, 0.1], [10.0, 0.39]] in drawn
    assert [[0.0, 0.4], [1.0, 0.4]] in drawn  # across the axes
    assert [[8.0, 0.1], [8.0, 0.09]] in drawn


def test_means_over_seeds_are_drawn(pictures):
    assert [[5.0, pytest.approx(0.03)], [10.0, pytest.approx(0.05)]] in curves(
        pictures["sum-of-both"]
    )
    assert [[pytest.approx(0.03), 0.0]] in curves(pictures["general-quadratic"])
