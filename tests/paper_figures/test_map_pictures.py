"""What is drawn of maps is what was measured of them."""

import matplotlib.colors
import numpy as np
import pytest

from paper_figures import map_pictures as pictures
from paper_figures import style
from theory.claims import Comparison, Finding, Row, Verdict, mean_effect

TILE = (10 * np.arange(9).reshape(3, 3)).tolist()
MASK = [[0, 0, 0], [0, 99, 0], [0, 0, 0]]
IMAGES = {"crack": TILE, "fray": TILE}
MASKS = {"crack": MASK, "fray": [[0] * 3] * 3}
MAPS = {"Grad-CAM": {"crack": MASK, "fray": TILE}, "our CAM": {"crack": TILE, "fray": TILE}}
RUNS = {"Grad-CAM": [40.0, 42.0], "our CAM": [50.0, 54.0], "EigenCAM": [10.0, 30.0]}
DEPTH = {
    "Grad-CAM": {"stem": [30.0, 32.0], "stage1": [40.0, 44.0]},
    "our CAM": {"stem": [36.0, 38.0], "stage1": [41.0, 43.0]},
}
OURS = ["our CAM"]


def verdict(series):
    finding = Finding("undecided", Comparison(0.0, (-1.0, 1.0), 2), 1.0, "u", series=series)
    return Verdict("paper/claim", finding, "smoke", "toy tiles", 0.0)


def lines(axes):
    return [np.array(line.get_data()).T.tolist() for line in axes.lines]


def colours(axes):
    return {line.get_label(): line.get_color() for line in axes.lines}


def test_maps_stand_beside_their_tiles_with_the_outline_of_the_mask():
    picture = pictures.contact_sheet(verdict({}), IMAGES, MASKS, MAPS, ours=OURS)
    axes = picture.figure.axes
    titles = [text for a in axes for text in a.texts]
    assert [text.get_text() for text in titles] == ["tile", "Grad-CAM", "our CAM"]
    assert [text.get_fontweight() for text in titles] == ["normal", "normal", "bold"]
    assert [axes[place].get_ylabel() for place in (0, 3)] == ["crack", "fray"]
    shown = [np.asarray(a.images[0].get_array()).tolist() for a in axes]
    assert shown == [TILE, MASK, TILE, TILE, TILE, TILE]
    # A mask without a pixel has no outline.
    assert [len(a.collections) for a in axes] == [1, 1, 1, 0, 0, 0]
    vertices = axes[0].collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(vertices.mean(axis=0), 0.5, atol=0.07)
    assert picture.caption.endswith("the first of 2 seeds at budget smoke (simulated tiles).")
    assert style.png(picture, 30).startswith(b"\x89PNG")


def test_methods_are_ordered_by_their_means_with_their_intervals():
    axes = pictures.ranking(RUNS, "IoU (%)", ours=OURS, full=[70.0, 72.0]).axes[0]
    ticks = axes.get_yticklabels()
    assert [t.get_text() for t in ticks] == ["EigenCAM", "Grad-CAM", "our CAM"]
    assert [t.get_fontweight() for t in ticks] == ["normal", "normal", "bold"]
    drawn = lines(axes)
    assert [[20.0, 0.0]] in drawn
    assert [[52.0, 2.0]] in drawn
    low, high = mean_effect(RUNS["our CAM"]).interval
    assert [[low, 2.0], [high, 2.0]] in drawn
    assert [[71.0, 0.0], [71.0, 1.0]] in drawn  # full supervision, over the whole height


def test_without_full_supervision_no_line_stands_for_it():
    for fig in (pictures.ranking(RUNS, "IoU (%)"), pictures.curves(DEPTH, "layer", "IoU (%)")):
        assert all(line.get_linestyle() != "--" for line in fig.axes[0].lines)


def test_methods_without_a_number_are_left_out():
    runs = {**RUNS, "broken": [float("nan")] * 2}
    assert len(pictures.ranking(runs, "IoU (%)").axes[0].get_yticklabels()) == 3


def test_one_run_has_no_interval():
    axes = pictures.ranking({"Grad-CAM": [40.0]}, "IoU (%)").axes[0]
    assert [[40.0, 0.0], [40.0, 0.0]] in lines(axes)


def test_lines_are_means_of_seeds():
    axes = pictures.curves(DEPTH, "layer", "IoU (%)", ours=OURS, full=[60.0, 62.0]).axes[0]
    assert [[0, 31], [1, 42]] in lines(axes)
    assert [[0, 37], [1, 42]] in lines(axes)
    assert [[0, 61], [1, 61]] in lines(axes)
    assert [t.get_text() for t in axes.get_xticklabels()] == ["stem", "stage1"]


def test_places_that_are_numbers_are_drawn_to_scale():
    run = {"0.0": [1.0, 3.0], "0.5": [2.0, 2.0], "0.9": [3.0, 5.0]}
    axes = pictures.curves({"our CAM": run}, "q", "mass (%)").axes[0]
    assert [[0, 2], [0.5, 2], [0.9, 4]] in lines(axes)


def test_the_paper_s_methods_have_colours_of_their_own():
    found = colours(pictures.curves(DEPTH, "layer", "IoU (%)", ours=OURS).axes[0])
    assert found["our CAM"] == style.VERMILION
    assert found["Grad-CAM"] == style.BLUE


def test_bars_are_means_of_what_is_known():
    groups = {
        "components": {"Grad-CAM": [3.0, 5.0], "our CAM": [1.0, 2.0]},
        "recall (%)": {"our CAM": [20.0, float("nan")]},
    }
    components, recall = pictures.bars(groups, ours=OURS).axes
    assert [bar.get_height() for bar in components.patches] == [4.0, 1.5]
    assert [bar.get_height() for bar in recall.patches] == [20.0]
    assert [a.get_title() for a in (components, recall)] == list(groups)
    face = matplotlib.colors.to_hex(components.patches[1].get_facecolor()).upper()
    assert face == style.VERMILION


@pytest.mark.parametrize("labels", [["at the layer"], ["at the layer", "everywhere"]], ids=len)
def test_sanity_shows_every_cascade(labels):
    series = {"layers": ["the head", "stage4"], "correlation": [[0.9, 0.1], [0.7, 0.3]]}
    picture = pictures.sanity({label: verdict(series) for label in labels})
    axes = picture.figure.axes[0]
    mean = [[0.0, 0.8], [1.0, 0.2]]
    assert sum(np.allclose(one, mean) for one in lines(axes)) == len(labels)
    assert "2 seeds at budget smoke (simulated tiles)" in picture.caption


def test_rows_with_a_unit_are_listed_from_above():
    rows = (
        Row("both, IoU, %", 30.0, (25.0, 35.0)),
        Row("one, IoU, %", 20.0, (-float("inf"), float("inf"))),
        Row("both, AP, %", 90.0),
    )
    axes = pictures.listing(rows, "IoU, %", ours=["both"]).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["one", "both"]
    # An interval that is the whole line is not drawn.
    assert lines(axes) == [[[20.0, 0.0]], [[25.0, 1.0], [35.0, 1.0]], [[30.0, 1.0]]]


def test_captions_tell_real_tiles_from_simulated_ones():
    real = Verdict("paper/claim", verdict({}).finding, "laptop", "12 tiles (real)", 0.0)
    assert pictures.seeds(real) == "2 seeds at budget laptop (real magnetic tiles)"


def test_intervals_of_scores_end_at_zero_and_those_of_differences_do_not():
    values = {"our CAM": [1.0, 5.0]}
    low, high = mean_effect(values["our CAM"]).interval
    assert low < 0
    assert [[0.0, 0.0], [high, 0.0]] in lines(pictures.ranking(values, "IoU (%)").axes[0])
    for signed, end in ((False, 0.0), (True, low)):
        axes = pictures.bars({"holes": values}, signed=signed).axes[0]
        assert [[0, end], [0, high]] in lines(axes)


def test_intervals_of_percentages_end_at_a_hundred():
    high = {"our CAM": [90.0, 98.0]}
    assert mean_effect(high["our CAM"]).interval[1] > 100
    drawn = lines(pictures.ranking(high, "IoU (%)").axes[0])
    assert next(one[1][0] for one in drawn if len(one) == 2) == 100.0
    assert lines(pictures.bars({"holes": high}).axes[0])[0][1][1] > 100
