import numpy as np
import pytest

from paper_figures import neuron_search, style
from theory.claims import Comparison, Finding, Verdict

ERRORS = {"5": {"one": 1e-9, "two": 1e-3}, "50": {"one": 1e-9, "two": 1e-8}}
FRONT = [[1, 0.5, "1.0*x"], [5, 0.01, "2.03777*x**3"], [9, 1e-4, "1.23456*sin(x*2.5)"]]
X = np.linspace(-2, 2, 9)
CURVE = {
    "x": X.tolist(),
    "value": (X + 0.1).tolist(),
    "error": [0.5] * 9,
    "true": X.tolist(),
}


def verdict(name, series):
    finding = Finding("undecided", Comparison(0.0, (-1.0, 1.0), 2), 0.0, "u", series=series)
    return Verdict(f"neuron_search/{name}", finding, "smoke", "toys", 0.0)


def noisy(noise, best):
    fronts = {name: {"front": FRONT, "formula": FRONT[2][2], "ceiling": 0.9999} for name in "ab"}
    return {
        "noise": noise,
        "best": {"one": [True, best], "two": [False, False]},
        "among": {"one": [True, True], "two": [False, True]},
        "fronts": fronts,
    }


@pytest.fixture(scope="module")
def evidence():
    series = {
        neuron_search.EXACT: {"errors": ERRORS},
        neuron_search.LITTLE: noisy(0.01, best=True),
        neuron_search.MUCH: noisy(0.1, best=False),
        "band_covers": {"curves": {"one": CURVE, "two": CURVE}, "noise": 0.1},
        "compression_is_linear": {
            "samples": [1000, 4000],
            "seconds": [[0.1, 0.4], [0.1, 0.6]],
            "inputs": 20,
        },
        "search_is_free_of_inputs": {
            "inputs": [5, 100],
            "samples": 10000,
            "search": [[0.1, 0.1], [0.3, 0.2]],
            "compression": [[0.1, 0.5], [0.1, 0.5]],
        },
    }
    return {name: verdict(name, value) for name, value in series.items()}


@pytest.fixture(scope="module")
def pictures(evidence):
    with style.look():
        return neuron_search.draw(evidence)


def points(axes):
    return [line.get_xydata().tolist() for line in axes.lines]


def test_all_figures_are_drawn_with_captions_that_name_the_budget(pictures):
    assert set(pictures) == {"recovery", "fronts", "curve", "time"}
    for picture in pictures.values():
        assert "udget smoke" in picture.caption
        assert picture.caption.endswith(".")


def test_a_claim_that_failed_leaves_its_figures_out(evidence):
    only = {name: evidence[name] for name in ("band_covers", neuron_search.EXACT)}
    assert set(neuron_search.draw(only)) == {"curve"}


def test_the_heat_map_shows_exactness_and_structure(pictures):
    axes = pictures["recovery"].figure.axes[0]
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == ["d = 5", "d = 50", "1 %", "(1 %)", "10 %", "(10 %)"]
    assert axes.images[0].get_array().tolist() == [
        [100, 100, 100, 100, 50, 100],
        [0, 100, 0, 50, 0, 50],
    ]


def test_functions_that_a_smaller_budget_left_out_stay_blank(evidence):
    some = verdict("exact", {"errors": {"5": {"one": 1e-9}}})
    picture = neuron_search.draw({**evidence, neuron_search.EXACT: some})["recovery"]
    assert picture.figure.axes[0].images[0].get_array().mask[1, 0]
    assert len(picture.figure.axes[0].texts) == 9


def test_fronts_mark_the_choice_and_write_rounded_formulas(pictures):
    axes = pictures["fronts"].figure.axes[0]
    assert [[9.0, 1e-4]] in points(axes)
    written = axes.texts[-1].get_text()
    assert written.splitlines() == ["1: 1*x", "2: 2*x^3", "3: 1.2*sin(x*2.5)"]


def test_the_lower_row_shows_the_difference_to_the_truth(pictures):
    lower = pictures["curve"].figure.axes[2]
    assert np.allclose(lower.lines[0].get_ydata(), 0.1)
    assert np.allclose(lower.lines[1].get_ydata(), 0.0)


def test_times_are_means_beside_a_linear_law(pictures):
    left, right = pictures["time"].figure.axes
    assert [[1000.0, 0.1], [4000.0, 0.5]] in points(left)
    assert [[1000.0, 0.1], [4000.0, 0.4]] in points(left)
    assert [[5.0, 0.2], [100.0, pytest.approx(0.15)]] in points(right)
    assert [[5.0, 0.1], [100.0, 0.5]] in points(right)
