import numpy as np
import pytest

from paper_figures import pwla
from theory.claims import Comparison, Finding, Verdict
from theory.claims.pwla_problems import PROBLEMS

NAMES = [problem.name for problem in PROBLEMS]
FITS = {p.name: {"knots": list(p.domain), "values": [0.0, 1.0], "ratio": 1.0} for p in PROBLEMS}


def ratios(value):
    return {"ratios": {name: [value, 1.0] for name in NAMES}}


SERIES = {
    "global_as_stated": ratios(5.0),
    "local_improved": ratios(1.005),
    "global_improved": {**ratios(1.0), "fits": FITS},
    "rate": {"counts": [4, 8], "errors": {"x^2": [0.5, 0.1]}, "limits": {"x^2": 8.0}},
}


def verdict(name, series):
    finding = Finding("supported", Comparison(0.0, (0.0, 0.0), 1), 1e-10, "u", series=series)
    return Verdict(f"pwla/{name}", finding, "smoke", "no data", 0.0)


@pytest.fixture(scope="module")
def pictures():
    return pwla.draw({n: verdict(n, s) for n, s in SERIES.items()})


def lines(picture, place=0):
    return [line.get_xydata() for line in picture.figure.axes[place].lines]


def test_all_figures_are_drawn_and_name_their_budget(pictures):
    assert set(pictures) == {"fits", "rate", "optima"}
    assert all("smoke" in picture.caption for picture in pictures.values())


def test_a_claim_that_failed_leaves_its_figures_out():
    some = {n: verdict(n, s) for n, s in SERIES.items() if n != "local_improved"}
    assert set(pwla.draw(some)) == {"fits", "rate"}


def test_every_function_stands_behind_its_fit(pictures):
    assert len(pictures["fits"].figure.axes) == len(PROBLEMS)
    curve, fit = lines(pictures["fits"])
    np.testing.assert_allclose(curve[:, 1], curve[:, 0] ** 2)
    np.testing.assert_array_equal(fit, [[0, 0], [1, 1]])


def test_the_law_is_drawn_through_its_limit(pictures):
    drawn = [line.tolist() for line in lines(pictures["rate"])]
    assert [[4.0, 0.5], [8.0, 0.1]] in drawn
    assert [[4.0, 0.5], [8.0, 0.125]] in drawn


def test_optima_are_distances_and_no_zero_is_lost(pictures):
    places = np.concatenate([line[:, 0] for line in lines(pictures["optima"])])
    assert places.max() == pytest.approx(4.0)
    assert places.min() == pytest.approx(1e-8)
    assert "2 lattices" in pictures["optima"].caption
