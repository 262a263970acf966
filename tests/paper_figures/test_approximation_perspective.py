import numpy as np
import pytest

from paper_figures import approximation_perspective as pictures
from paper_figures import style
from theory.claims import Comparison, Finding, Verdict

CROSS = {"weights": [np.eye(2).tolist(), [[1, 0], [0, 1]]], "biases": [[0, 0], [0.0, 0.1]]}
BOX = [[-1.0, 1.0], [-1.0, 1.0]]
SHOWN = {
    "names": ["flavanoids", "color_intensity"],
    "box": BOX,
    "x": [[0.0, 0.5], [0.5, 0.0], [-0.5, -0.5]],
    "y": [0, 1, 2],
    "black_box": [[0, 1], [2, 1]],
    "network": CROSS,
    "fidelity": 0.96,
    "held_out_rows": 0.9,
    "rules": {"rules": 7.0, "regions": 100.0, "fidelity": 0.99},
}
RECORD = {
    f"{name}/jittered": [0.98, 0.96 + shift]
    for name, shift in (("network", 0.04), ("tree", 0.0), ("linear", -0.1))
} | {"local/network": [0.9, 0.8], "local/linear": [0.5, 0.4]}
RUNS = [{"samples": [0.9, 0.94], "widths": [0.8, 0.95], "plain": 0.9}] * 2
SERIES = {
    "compression": {"picture": SHOWN},
    "complete_boundary": {"box": BOX, "networks": [CROSS, CROSS]},
    "universal_interpreter": {"fidelity": {"k-NN, wine": RECORD, "CNN, digits": RECORD}},
    "noisy_table": {"samples": [100, 2000], "widths": [8, 32], "runs": RUNS, "table": "phoneme"},
}


def verdict(name, series):
    finding = Finding("supported", Comparison(0.98, (0.97, 0.99), 2), 0.97, "u", series=series)
    return Verdict(f"approximation_perspective/{name}", finding, "smoke", "no data", 0.0)


@pytest.fixture(scope="module")
def drawn():
    with style.look():
        return pictures.draw({name: verdict(name, series) for name, series in SERIES.items()})


def test_all_figures_are_drawn_and_name_their_budget(drawn):
    assert set(drawn) == {"side-by-side", "region-maps", "fidelity", "budget"}
    assert all("smoke" in picture.caption for picture in drawn.values())


def test_a_claim_that_failed_leaves_its_figure_out():
    only = {"noisy_table": verdict("noisy_table", SERIES["noisy_table"])}
    assert set(pictures.draw(only)) == {"budget"}


def test_the_interpreter_is_drawn_with_its_regions_and_facets(drawn):
    left, right = drawn["side-by-side"].figure.axes
    assert right.get_title(loc="left") == "interpreter: 4 regions, 2 facets"
    assert "7 cells keep 99.0%" in drawn["side-by-side"].caption
    assert left.get_ylabel() == "color intensity"
    assert len(left.lines) == len(right.lines) == 3


def test_every_black_box_has_a_mean_and_its_seeds(drawn):
    first, second = drawn["fidelity"].figure.axes
    assert len(first.lines) == 2 * 2 * 3 + 1
    assert len(second.lines) == 2 * 2 * 2
    assert [label.get_text() for label in first.get_yticklabels()] == ["k-NN, wine", "CNN, digits"]
    means = [line.get_xdata() for line in first.lines[1:4:2]]
    assert np.allclose(means, 0.99)


def test_fidelity_is_drawn_over_samples_and_widths(drawn):
    for panel, at in zip(drawn["budget"].figure.axes, ([100, 2000], [8, 32]), strict=True):
        assert panel.lines[-2].get_xdata().tolist() == at
        assert panel.lines[-1].get_ydata()[0] == 0.97
