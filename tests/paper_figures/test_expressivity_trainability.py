import pytest

from paper_figures import expressivity_trainability
from theory.claims import Comparison, Finding, Verdict

KINDS = ("conventional z^2", "quadratic", "product_only", "compact")
TABLE = [
    {"widths": name, "kind": kind, "dimension": 5 + i, "parameters": 6 + 2 * i, "ambient": 10}
    for name in ("3-1-1", "3-2-1")
    for i, kind in enumerate(KINDS)
]
SWEEP = [
    {"d": d, "k": k, "width": 3 * k, "parameters": 9, "quadratic": 7, "conventional": 6 + k}
    for d in (4, 8)
    for k in (1, 2)
]
ARMS = ("random", "start", "both")


def verdict(name, series):
    finding = Finding("supported", Comparison(0.0, (0.0, 0.0), 2), 1e-12, "u", series=series)
    return Verdict(f"expressivity_trainability/{name}", finding, "smoke", "no data", 0.0)


@pytest.fixture(scope="module")
def evidence():
    series = {
        "more_dimensions_as_stated": {"table": TABLE},
        "dimensions_at_equal_parameters_as_read": {"sweep": SWEEP},
        "splines_exact": {
            "x": [-1.0, 0.0, 1.0],
            "spline": [1.0, 0.0, 1.0],
            "conventional": [1.0, 0.5, 1.0],
            "knots": [-1.0, 0.0, 1.0],
            "neurons": [3, 9],
            "errors": [1e-16, 2e-16],
        },
        "fewer_explode": {
            "depths": [10, 56],
            "exploded": {arm: [10.0 * i, 20.0 * i] for i, arm in enumerate(ARMS)},
            "runs": 8,
        },
    }
    return {name: verdict(name, found) for name, found in series.items()}


@pytest.fixture(scope="module")
def pictures(evidence):
    return expressivity_trainability.draw(evidence)


def lines(picture, axes=0):
    return [line.get_xydata().tolist() for line in picture.figure.axes[axes].lines]


def test_all_figures_are_drawn_and_name_their_budget(pictures):
    assert set(pictures) == {"dimensions", "equal-parameters", "spline", "explosions"}
    assert all("smoke" in picture.caption for picture in pictures.values())


def test_a_claim_that_failed_leaves_its_figure_out(evidence):
    only = {"splines_exact": evidence["splines_exact"]}
    assert set(expressivity_trainability.draw(only)) == {"spline"}


def test_dimensions_stand_over_parameters(pictures):
    assert [[8.0, 6.0], [8.0, 6.0]] in lines(pictures["dimensions"], 1)


def test_gaps_are_quadratic_minus_conventional(pictures):
    assert [[1.0, 0.0], [2.0, -1.0]] in lines(pictures["equal-parameters"])


def test_every_arm_has_its_curve(pictures):
    assert lines(pictures["explosions"]) == [[[10.0, 10.0 * i], [56.0, 20.0 * i]] for i in range(3)]
