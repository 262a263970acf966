"""What is drawn is what the verdicts hold."""

import numpy as np
import pytest

from paper_figures import one_neuron_saved, style
from theory.claims import Comparison, Finding, Verdict

RUNS = {"quadratic": [[0.5, 0.7], [1.0, 1.0]], "conventional": [[0.5, 0.5], [0.6, 0.8], [1.0, 0.9]]}


def sizes(*dimensions):
    return {str(d): {"quadratic": [9, 18], "conventional": [5, 10, 20]} for d in dimensions}


def verdict(name, tasks, dimensions):
    series = {"curves": dict.fromkeys(tasks, RUNS), "sizes": sizes(*dimensions)}
    finding = Finding("supported", Comparison(1.0, (0.5, 1.5), 2), 0.0, "u", series=series)
    return Verdict(f"one_neuron_saved/{name}", finding, "smoke", "no data needed", 0.0)


@pytest.fixture(scope="module")
def pictures():
    return one_neuron_saved.draw(
        {
            "spheres": verdict("spheres", ("2", "10"), (2, 10)),
            "targets": verdict("targets", ("product", "curved kink"), (10,)),
            "task_dependent": verdict("task_dependent", ("clusters",), (50,)),
        }
    )


def line(panel, label):
    found = next(line for line in panel.lines if line.get_label() == label)
    return np.asarray(found.get_xydata()).tolist()


def test_only_claims_at_hand_are_drawn(pictures):
    assert set(pictures) == {"spheres", "targets", "clusters"}


@pytest.mark.parametrize("slug", ["spheres", "targets", "clusters"])
def test_figures_render_and_say_how_many_widths_and_seeds(pictures, slug):
    caption = pictures[slug].caption
    assert "2 widths of quadratic neurons and 3 widths of conventional neurons" in caption
    assert "2 seeds" in caption
    assert style.png(pictures[slug], 40).startswith(b"\x89PNG")


def test_means_over_seeds_stand_at_their_parameters(pictures):
    panels = pictures["spheres"].figure.axes
    assert [panel.get_title() for panel in panels] == ["2 dimensions", "10 dimensions"]
    assert line(panels[1], "quadratic") == [[9.0, pytest.approx(60.0)], [18.0, 100.0]]
    errors = line(pictures["targets"].figure.axes[0], "conventional")
    assert errors == [[5.0, 0.5], [10.0, pytest.approx(0.7)], [20.0, pytest.approx(0.95)]]


def test_single_runs_are_drawn_too(pictures):
    points = [
        list(map(float, one.get_ydata())) for one in pictures["clusters"].figure.axes[0].lines
    ]
    assert [50.0, 100.0] in points
    assert [70.0, 100.0] in points
