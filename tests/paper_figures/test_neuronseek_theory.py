import math

import numpy as np
import pytest

from paper_figures import barron_pictures, neuronseek_theory
from theory.claims import Comparison, Finding, Verdict

SERIES = {
    "super_expressive_as_stated": {
        "waves": [1, 2],
        "trained": [[0.1, 0.8], [0.3, 1.0]],
        "far_waves": [1, 1024],
        "bounds": {"1 x 8": [0.0, 0.9], "2 x 8": [0.0, 0.3]},
    },
    "dense_trajectory": {"inverse": [8, 16], "values": [2], "logs": [[3.0, 4.0]]},
    "bounded_parameter_pays_in_bits": {"points": [2, 4], "bits": [[3.0, 9.0], [5.0, 11.0]]},
}
BARRON = {
    "monte_carlo": {
        "dimensions": [2, 10, 100],
        "widths": [25, 100],
        "errors": [[[0.2, 0.1]] * 3, [[0.2, 0.1]] * 3],
        "predicted": [1.2, 1.4, 1.45],
        "limit": 1.46,
    },
    "norm_growth": {
        "dimensions": [2, 10],
        "needed": [2, 10],
        "norms": [12.0, 60.0],
        "quadratic": [1.0, 1.0],
    },
    "curved_kink": {
        "widths": [8, 16],
        "plain": [0.4, 0.3],
        "best": [0.2, 0.1],
        "slopes": [-1.0, -1.1],
        "quadratic": 5e-8,
        "others": {"|x|": [0.1, 0.05]},
    },
}


def verdict(series):
    finding = Finding(
        "undecided", Comparison(0.0, (-1.0, 1.0), 2), 1.0, "u", note="Note.", series=series
    )
    return Verdict("toy/claim", finding, "smoke", "no data needed", 0.0)


@pytest.fixture(scope="module")
def pictures():
    return neuronseek_theory.draw({name: verdict(series) for name, series in SERIES.items()})


def curves(picture, axes=0):
    return [np.asarray(line.get_xydata()).tolist() for line in picture.figure.axes[axes].lines]


def test_all_figures_are_drawn_and_name_their_budget(pictures):
    assert set(pictures) == {"lost-waves", "dense-trajectory", "bits"}
    assert all("smoke" in picture.caption for picture in pictures.values())


def test_trained_networks_and_bounds_share_their_axes(pictures):
    drawn = curves(pictures["lost-waves"])
    assert [[1.0, pytest.approx(0.2)], [2.0, pytest.approx(0.9)]] in drawn
    assert [[1.0, 0.0], [1024.0, 0.9]] in drawn


def test_frequencies_stand_beside_their_law(pictures):
    drawn = curves(pictures["dense-trajectory"])
    assert [[8.0, pytest.approx(math.exp(3))], [16.0, pytest.approx(math.exp(4))]] in drawn
    law = math.exp(-np.euler_gamma)
    assert [[8.0, pytest.approx(64 * law)], [16.0, pytest.approx(256 * law)]] in drawn


def test_bits_are_compared_with_one_a_label(pictures):
    drawn = curves(pictures["bits"])
    assert [[2.0, 4.0], [4.0, 10.0]] in drawn
    assert [[2.0, 2.0], [4.0, 4.0]] in drawn


def test_barron_pictures_show_their_numbers():
    drawn = {name: getattr(barron_pictures, name)(verdict(BARRON[name])) for name in BARRON}
    assert [[25.0, 0.2], [100.0, 0.1]] in curves(drawn["monte_carlo"])
    assert [[2.0, 1.0], [10.0, 1.0], [100.0, 1.0]] in curves(drawn["monte_carlo"], 1)
    assert [[2.0, 12.0], [10.0, 60.0]] in curves(drawn["norm_growth"], 1)
    assert [[8.0, 0.2], [16.0, 0.1]] in curves(drawn["curved_kink"])
    assert all("|x|" in drawn[name].caption for name in ("monte_carlo", "norm_growth"))
