import pytest

from paper_figures import style, task_based_neurons
from theory.claims import Comparison, Finding, Row, Verdict

NAMES = {"task": "task-based neurons", "linear": "linear neurons"}
TABLES = {
    "errors": {
        "task": {"one": [0.1, 0.3], "two_sets": [0.5, 0.5]},
        "linear": {"one": [0.4, 0.6], "two_sets": [0.2, 0.4]},
    },
    "parameters": {"task": {"one": 30.5, "two_sets": 40}, "linear": {"one": 44, "two_sets": 50}},
    "names": NAMES,
}
RECOVERED = {
    "exact": {"low": {"no1": [100.0, 100.0], "no2": [100.0, 0.0]}},
    "mended": {"low": {"no1": [0.0, 100.0], "no2": [0.0, 0.0]}},
}
SECONDS = {"genetic": [[1.0, 1.2], [1.4, 1.6]], "exact": [[0.003, 0.004], [0.005, 0.004]]}
GAINS = (
    Row("one: gain over linear neurons, log points", 20.0, (10.0, 30.0), 12.5),
    Row("two_sets: gain over linear neurons, log points", -5.0, (-9.0, -1.0)),
    Row("three: gain over linear neurons, log points", 1.0, (-1.0, 3.0)),
)


def verdict(name, series, rows=()):
    finding = Finding("undecided", Comparison(0.0, (-1.0, 1.0), 2), 0.0, "u", rows, series=series)
    return Verdict(f"task_based_neurons/{name}", finding, "smoke", "toy tables", 0.0)


@pytest.fixture(scope="module")
def evidence():
    shown = {"recovered": RECOVERED, "names": {"exact": "exact", "mended": "genetic"}}
    return {
        "search_recovers": verdict("search_recovers", shown),
        "time_against_inputs": verdict(
            "time_against_inputs", {"inputs": [5, 100], "seconds": SECONDS}
        ),
        "beats_linear_on_average": verdict("beats_linear_on_average", TABLES),
        "beats_linear_everywhere_as_stated": verdict("everywhere", TABLES, GAINS),
    }


@pytest.fixture(scope="module")
def pictures(evidence):
    with style.look():
        return task_based_neurons.draw(evidence)


def points(axes):
    return [line.get_xydata().tolist() for line in axes.lines]


def test_all_figures_are_drawn_and_say_their_seeds(pictures):
    assert set(pictures) == {"recovery", "time-by-inputs", "error-by-parameters", "gains"}
    for picture in pictures.values():
        assert " 2 " in picture.caption
        assert "smoke" in picture.caption
        assert picture.caption.endswith(".")


def test_a_claim_that_failed_leaves_its_figures_out(evidence):
    only = {"time_against_inputs": evidence["time_against_inputs"]}
    assert set(task_based_neurons.draw(only)) == {"time-by-inputs"}


def test_the_heat_map_shows_the_rates(pictures):
    axes = pictures["recovery"].figure.axes[0]
    assert axes.images[0].get_array().tolist() == [[100, 50], [50, 0]]
    assert [text.get_text() for text in axes.texts] == ["100", "50", "50", "0"]
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "exact, low noise",
        "genetic, low noise",
    ]


def test_times_are_means_over_seeds(pictures):
    drawn = points(pictures["time-by-inputs"].figure.axes[0])
    assert [[5.0, 1.2], [100.0, pytest.approx(1.4)]] in drawn
    assert [[5.0, 0.004], [100.0, 0.004]] in drawn


def test_every_table_has_a_panel_with_parameters_as_abscissa(pictures):
    panels = [axes for axes in pictures["error-by-parameters"].figure.axes if axes.get_visible()]
    assert [panel.get_title(loc="left") for panel in panels] == ["one", "two sets"]
    assert [[30.5, 0.2]] in points(panels[0])
    assert [[30.5, 0.1], [30.5, 0.3]] in points(panels[0])
    assert [[50.0, pytest.approx(0.3)]] in points(panels[1])


def test_gains_are_sorted_and_coloured_by_what_is_certain(pictures):
    axes = pictures["gains"].figure.axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["two sets", "three", "one"]
    colours = {
        line.get_xdata()[0]: line.get_color() for line in axes.lines if line.get_marker() == "o"
    }
    assert colours == {-5.0: style.BLUE, 1.0: style.GREY, 20.0: style.VERMILION}
    assert [12.5, 2.0] in [p for line in points(axes) for p in line]  # the paper's, beside ours
