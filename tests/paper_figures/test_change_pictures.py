"""Change maps: every pixel of an error map has the colour of its kind."""

import numpy as np
import pytest

from neurons.data import simulated_scenes
from paper_figures import change_pictures, style
from theory.claims import change_gallery as gallery

SCENES = simulated_scenes(0, count=3, side=16)
LABELS = np.array([[[0, 0, 1, 1, 1, 1]], [[0, 0, 2, 2, 2, 2]]])
FOUND = np.array([[[0, 1, 1, 1, 2, 0]], [[0, 1, 2, 1, 2, 0]]])


def names(kinds):
    return [list(change_pictures.ERRORS)[kind] for kind in kinds.ravel()]


def test_every_kind_of_error_is_told_apart():
    assert names(change_pictures.errors(FOUND, LABELS)) == [
        "right: unchanged", "false alarm", "right: change, classes", "class wrong", "class wrong",
        "missed",
    ]  # fmt: skip


def test_a_single_map_is_that_of_the_second_date():
    assert names(change_pictures.errors(FOUND[1:], LABELS))[2:5] == [
        "right: change, classes", "class wrong", "right: change, classes"
    ]  # fmt: skip


@pytest.mark.parametrize("networks", [{}, {"ours": SCENES.labels, "main path only": SCENES.labels}])
def test_change_maps_are_drawn(networks):
    records = gallery.shown(SCENES, np.arange(3), networks)
    with style.look():
        fig = change_pictures.change_maps(records, ours=("ours",))
        fig.canvas.draw()
    assert len(fig.axes) == 3 * (4 + len(networks))
    assert len(fig.legends) == 1 + bool(networks)
    for legend in fig.legends:
        assert legend.get_window_extent().x1 <= fig.bbox.x1


def test_told_pairs_are_drawn_within_the_figure():
    records = gallery.told(SCENES, np.arange(3), least=1)
    with style.look():
        fig = change_pictures.told_pairs(records)
        fig.canvas.draw()
    texts = [text for axis in fig.axes for text in axis.texts]
    assert any("region" in text.get_text() for text in texts)
    assert all(text.get_window_extent().x1 <= fig.bbox.x1 for text in texts)


def test_classes_of_other_names_have_colours_too():
    colours = change_pictures.class_colours(["water", "road", "rail"])
    assert len(set(colours)) == 4
