import numpy as np
import pytest

from paper_figures import universal_approximation
from theory.claims import Comparison, Finding, Verdict

SERIES = {
    "tree_exact": {
        "degree": [1, 32],
        "tree": [0.0, 1e-14],
        "eigenvalues": [0.0, 1e-4],
        "horner": [0.0, 1e-6],
    },
    "products_cheap": {"bits": [4.0, 6.0], "weights": [28, 44], "fewest": [1, 2], "quadratic": 2},
    "exponential_as_read": {
        "dimensions": [2, 4],
        "counts": {"k = 1": [2, 4], "k = 2": [3, 10], "k = 3": [4, 20], "k = d": [3, 35]},
    },
}


def verdict(name, series):
    finding = Finding("supported", Comparison(0.0, (0.0, 0.0), 1), 1e-10, "u", series=series)
    return Verdict(f"universal_approximation/{name}", finding, "smoke", "no data", 0.0)


@pytest.fixture(scope="module")
def pictures():
    return universal_approximation.draw({n: verdict(n, s) for n, s in SERIES.items()})


def lines(picture):
    return [line.get_xydata().tolist() for line in picture.figure.axes[0].lines]


def test_all_figures_are_drawn_and_name_their_budget(pictures):
    assert set(pictures) == {"product-tree", "weights", "ridges"}
    assert all("smoke" in picture.caption for picture in pictures.values())


def test_a_claim_that_failed_leaves_its_figure_out():
    only = {"tree_exact": verdict("tree_exact", SERIES["tree_exact"])}
    assert set(universal_approximation.draw(only)) == {"product-tree"}


def test_an_error_of_zero_is_drawn_at_half_an_ulp(pictures):
    assert [[1.0, np.finfo(float).eps / 2], [32.0, 1e-14]] in lines(pictures["product-tree"])


def test_a_quadratic_neuron_costs_the_same_at_any_accuracy(pictures):
    assert [[4.0, 2.0], [6.0, 2.0]] in lines(pictures["weights"])


def test_counts_of_ridges_stand_beside_one_neuron(pictures):
    drawn = lines(pictures["ridges"])
    assert [[2.0, 3.0], [4.0, 35.0]] in drawn
    assert [[2.0, 1.0], [4.0, 1.0]] in drawn
