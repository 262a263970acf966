"""What is drawn is what the verdict holds."""

import numpy as np
import pytest

from paper_figures import image_pictures, style
from theory.claims import Comparison, Finding, Verdict
from theory.claims.one_neuron_images import FAULTS

TILE = {
    "tile": (16 * np.arange(16).reshape(4, 4)).tolist(),
    "mask": np.eye(4, dtype=int).tolist(),
    "predicted": np.tri(4, dtype=int).tolist(),
}
SERIES = {
    "segmentation": {
        "dice": {"QUNet": [70.0, 74.0], "UNet": [80.0, 82.0], "slim UNet": [60.0, 61.0]},
        "parameters": {"QUNet": 91_246, "UNet": 486_418, "slim UNet": 92_766},
        "examples": {model: [TILE] * 4 for model in ("QUNet", "UNet", "slim UNet")},
    },
    "small_images": {
        "accuracy": {"QResNet-20": [70.0, 72.0], "ResNet-20": [60.0, 60.0]},
        "parameters": {"QResNet-20": 51_238, "ResNet-20": 17_326},
    },
    "scale_sweep": {
        "scales": [0.0, 1e-4, 1.0],
        "accuracy": {"0": [60.0, 62.0], "0.0001": [65.0, 65.0], "1": [10.0, 12.0]},
        "chosen": 1e-4,
    },
    "relinear_converges": {
        "norm": True,
        "runs": 4,
        "diverged": {
            "20": {"common": [0.0] * 4, "relinear": [0.0] * 4},
            "56": {"common": [100.0, 100.0, 0.0, 100.0], "relinear": [0.0] * 4},
        },
    },
}
SERIES["relinear_converges_without_norm"] = {**SERIES["relinear_converges"], "norm": False}


def drawn(claim, number=0):
    finding = Finding("undecided", Comparison(0.0, (-1.0, 1.0), 2), 1.0, "u", series=SERIES[claim])
    verdict = Verdict(f"one_neuron/{claim}", finding, "smoke", "toy images", 0.0)
    return image_pictures.DRAWERS[claim][number](verdict)


def test_every_experiment_has_a_figure():
    assert set(image_pictures.DRAWERS) == set(FAULTS)


@pytest.mark.parametrize("claim", list(SERIES))
def test_figures_render_and_captions_name_data_and_budget(claim):
    for number in range(len(image_pictures.DRAWERS[claim])):
        picture = drawn(claim, number)
        assert "toy images" in picture.caption
        assert "smoke" in picture.caption
        assert style.png(picture, 40).startswith(b"\x89PNG")


def test_masks_stand_beside_predictions():
    grid = drawn("segmentation").figure.axes
    assert [axes.get_title() for axes in grid[:5]] == [
        "tile",
        "marked",
        "QUNet",
        "UNet",
        "slim UNet",
    ]
    shown = [np.asarray(axes.images[0].get_array()).tolist() for axes in grid[:3]]
    assert shown == [TILE["tile"], TILE["mask"], TILE["predicted"]]


def test_parameters_are_the_abscissa():
    lines = drawn("segmentation", 1).figure.axes[0].lines
    points = [line.get_xydata().tolist() for line in lines]
    assert [[91.246, 72.0]] in points
    assert [[486.418, 81.0]] in points


def test_scale_curve_shows_means_of_seeds():
    lines = drawn("scale_sweep").figure.axes[0].lines
    assert [[0.0, 61.0], [1.0, 65.0], [2.0, 11.0]] in [line.get_xydata().tolist() for line in lines]


def test_bars_are_means():
    bars = drawn("small_images").figure.axes[0].patches
    assert [bar.get_height() for bar in bars] == [71.0, 60.0]
    bars = drawn("relinear_converges").figure.axes[0].patches
    assert [bar.get_height() for bar in bars] == [0.0, 75.0, 0.0, 0.0]
    assert "without" in drawn("relinear_converges_without_norm").caption


def test_no_defect_in_the_test_part_leaves_an_empty_row():
    series = {**SERIES["segmentation"], "examples": {"QUNet": [], "UNet": []}}
    finding = Finding("undecided", Comparison(0.0, (-1.0, 1.0), 2), 1.0, "u", series=series)
    verdict = Verdict("one_neuron/segmentation", finding, "smoke", "toy images", 0.0)
    assert image_pictures.masks(verdict).figure.axes
