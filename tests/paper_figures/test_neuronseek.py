import numpy as np
import pytest

from paper_figures import neuronseek
from theory.claims import Comparison, Finding, Verdict

LOGS = {"logs": {"NS-Net": [-2.0, -1.0], "MLP": [0.0, 2.0]}, "parameters": {"NS-Net": 5, "MLP": 6}}
SERIES = {
    "beats_power_sums": {
        "cases": ["pure 0", "hybrid 0"],
        "recovered": {"least squares": [1.0, 1.0], "NS-TD": [0.5, 0.0]},
    },
    "stability_as_stated": {
        "cases": ["pure 0", "hybrid 0"],
        "identical": {"least squares": [100.0, 100.0], "NS-TD": [100.0, 50.0]},
        "right": {"least squares": [100.0, 90.0], "NS-TD": [10.0, 30.0]},
    },
    "flat_in_inputs_as_stated": {
        "inputs": [10, 100],
        "seconds": {"NS-TD": [[1.0, 3.0], [2.0, 5.0]], "least squares": [[0.1, 4.0]]},
    },
    "networks": LOGS,
    "powers_explode": LOGS,
}


def verdict(series):
    finding = Finding(
        "undecided", Comparison(0.0, (-1.0, 1.0), 2), 0.0, "u", note="A note.", series=series
    )
    return Verdict("toy/claim", finding, "smoke", "no data needed", 0.0)


@pytest.fixture(scope="module")
def pictures():
    return neuronseek.draw({name: verdict(series) for name, series in SERIES.items()})


def axes_of(picture):
    return picture.figure.axes[0]


def test_all_figures_are_drawn_and_name_their_budget(pictures):
    assert set(pictures) == {"recovery", "stability", "time", "networks", "heavy-tails"}
    assert all("smoke" in picture.caption for picture in pictures.values())
    assert neuronseek.draw({}) == {}


def test_the_heat_map_shows_shares_and_sums(pictures):
    axes = axes_of(pictures["recovery"])
    np.testing.assert_array_equal(axes.images[0].get_array(), [[1.0, 1.0], [0.5, 0.0]])
    assert [text.get_text() for text in axes.texts] == ["100", "100", "50", "0"]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["least squares (2.0 of 2)", "NS-TD (0.5 of 2)"]


def test_bars_are_means_over_the_cases(pictures):
    widths = [bar.get_width() for bar in axes_of(pictures["stability"]).patches]
    assert widths == [100.0, 75.0, 95.0, 20.0]


def test_times_are_means_over_repetitions(pictures):
    lines = [np.asarray(line.get_xydata()).tolist() for line in axes_of(pictures["time"]).lines]
    assert [[10.0, 1.5], [100.0, 4.0]] in lines
    assert [[10.0, 0.1], [100.0, 4.0]] in lines


def test_network_errors_stand_by_kind_with_their_geometric_mean(pictures):
    lines = [line.get_xydata().tolist() for line in axes_of(pictures["networks"]).lines]
    assert [[pytest.approx(0.01), 1.0], [pytest.approx(0.1), 1.0]] in lines
    assert [[pytest.approx(10.0), 0.0]] in lines
    assert "NS-Net (5)" in [
        label.get_text() for label in axes_of(pictures["networks"]).get_yticklabels()
    ]
    assert "A note." in pictures["heavy-tails"].caption
