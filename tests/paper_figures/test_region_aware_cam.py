import made_up
import numpy as np
import pytest
from made_up import lines

from paper_figures import region_aware_cam
from theory.claims import claims

TILE = (10 * np.arange(9).reshape(3, 3)).tolist()
MASK = [[0, 0, 0], [0, 99, 0], [0, 0, 0]]
CASCADE = {"layers": ["the head", "stem"], "correlation": [[0.9, 0.1], [0.7, 0.1]]}
SERIES = {
    "randomisation": CASCADE,
    "randomisation_fgbp": {**CASCADE, "correlation": [[0.9, 0.8], [0.9, 0.8]]},
    "beats_standard": {
        "iou": {
            "region-aware CAM": [30.0, 34.0],
            "Grad-CAM": [20.0, 22.0],
            "full supervision": [60.0, 64.0],
        },
        "sheet": {
            "images": {"crack": TILE},
            "masks": {"crack": MASK},
            "tile": {"crack": 7},
            "maps": {"Grad-CAM": {"crack": MASK}, "region-aware CAM": {"crack": TILE}},
        },
    },
    "optimum": {"shares": [0.0, 0.5, 0.9], "mass": [[10.0, 12.0], [14.0, 14.0], [9.0, 9.0]]},
    "parts": {"iou": {"FGBP alone": [10.0, 12.0], "both": [20.0, 22.0]}},
    "rounds_rise": {
        "seeds": [30.0, 34.0],
        "rounds": [[40.0, 42.0], [44.0, 46.0]],
        "labels": [[50.0, 52.0], [54.0, 56.0]],
        "supervised": [60.0, 64.0],
    },
}
SLUGS = {
    "contact-sheet",
    "methods-in-order",
    "pseudo-label-rounds",
    "parts",
    "filtered-share",
    "parameter-randomisation",
}


def verdict(name):
    return made_up.verdict(f"region_aware_cam/{name}", SERIES[name])


@pytest.fixture(scope="module")
def pictures():
    return region_aware_cam.draw({name: verdict(name) for name in SERIES})


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    made_up.check_drawn(pictures, SLUGS)


def test_claims_that_failed_leave_their_figures_out():
    assert region_aware_cam.draw({}) == {}
    alone = region_aware_cam.draw({"randomisation_fgbp": verdict("randomisation_fgbp")})
    assert set(alone) == {"parameter-randomisation"}


def test_the_sheet_shows_the_tile_beside_its_maps(pictures):
    axes = pictures["contact-sheet"].figure.axes
    shown = [np.asarray(a.images[0].get_array()).tolist() for a in axes]
    assert shown == [TILE, MASK, TILE]


def test_full_supervision_is_a_line_and_no_method(pictures):
    axes = pictures["methods-in-order"].figure.axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["Grad-CAM", "region-aware CAM"]
    assert [[62.0, 0.0], [62.0, 1.0]] in lines(axes)
    assert "trained on masks" in pictures["methods-in-order"].caption


def test_rounds_start_from_the_maps(pictures):
    axes = pictures["pseudo-label-rounds"].figure.axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["maps", "1", "2"]
    drawn = lines(axes)
    assert [[0, 32], [1, 41], [2, 45]] in drawn
    assert [[1, 51], [2, 55]] in drawn  # labels of training tiles begin with the first round
    assert [[0, 62], [1, 62]] in drawn


def test_parts_and_shares_are_means(pictures):
    bars = pictures["parts"].figure.axes[0].patches
    assert [bar.get_height() for bar in bars] == [11, 21]
    assert [[0, 11], [0.5, 14], [0.9, 9]] in lines(pictures["filtered-share"].figure.axes[0])


def test_both_rules_are_put_to_the_sanity_check(pictures):
    axes = pictures["parameter-randomisation"].figure.axes[0]
    labels = {line.get_label() for line in axes.lines}
    assert set(region_aware_cam.CHECKED.values()) <= labels


def test_the_claims_that_are_drawn_exist():
    assert set(SERIES) <= {claim.name for claim in claims("region_aware_cam")}
