import numpy as np
import pytest

from paper_figures import cloud_rain
from theory.claims import Comparison, Finding, Verdict

ARMS = {
    "plain": [30.0, 32.0],
    "mirrors": [70.0, 72.0],
    "RAIN": [90.0, 92.0],
    "frames": [95.0, 96.0],
}
CLOUD = {"points": np.eye(3).tolist(), "frame": np.eye(3)[::-1].tolist()}
SERIES = {
    "invariance": {
        "clouds": [
            {"name": "left_helix", "gap": 0.25, "original": CLOUD, "mirrored": CLOUD},
            {"name": "cone", "gap": 0.01, "original": CLOUD, "mirrored": CLOUD},
        ]
    },
    "drop_of_baseline": {
        "angles": [0, 45, 90],
        "by_angle": {"plain": [[99, 30, 60], [97, 32, 62]], "RAIN": [[90] * 3, [92] * 3]},
    },
    "degenerate_axes": {
        "spreads": [1e-1, 1e-3],
        "changes": {"none": [[1e-6, 1e-3]] * 2, "fallback": [[1e-6, 1e-5]] * 2},
    },
    "hands_kept": {
        "classes": ["left_helix", "right_helix"],
        "confusion": {"frames": [[5, 5], [6, 4]], "proper frames": [[10, 0], [1, 9]]},
    },
    "beats_augmentation": {"reflected": ARMS},
    "beats_augmentation_modelnet10": {"reflected": ARMS},
}


def verdict(name, series):
    finding = Finding("supported", Comparison(0.0, (0.0, 0.0), 2), 1.0, "u", series=series)
    return Verdict(f"cloud_rain/{name}", finding, "smoke", "toy (simulated)", 0.0)


@pytest.fixture(scope="module")
def pictures():
    return cloud_rain.draw({name: verdict(name, series) for name, series in SERIES.items()})


def lines(axes):
    return [np.array(line.get_data()).T.tolist() for line in axes.lines]


def test_all_figures_are_drawn_and_name_their_budget(pictures):
    slugs = {"mirror-angle", "eigen-gap", "chiral-pairs", "clouds-and-frames", "in-mirrors"}
    assert set(pictures) == slugs
    named = {
        slug for slug, picture in pictures.items() if "2 seeds at budget smoke" in picture.caption
    }
    assert named == slugs - {"clouds-and-frames"}


def test_claims_that_failed_leave_their_figures_out():
    assert set(cloud_rain.draw({})) == set()
    one = "beats_augmentation_modelnet10"
    found = cloud_rain.draw({one: verdict(one, SERIES[one])})
    assert [axes.get_title() for axes in found["in-mirrors"].figure.axes] == [
        "ModelNet10 (simulated)"
    ]


def test_means_are_drawn_over_the_angle(pictures):
    drawn = lines(pictures["mirror-angle"].figure.axes[0])
    assert [[0, 98], [45, 31], [90, 61]] in drawn


def test_the_tolerance_is_marked(pictures):
    drawn = lines(pictures["eigen-gap"].figure.axes[0])
    assert [[0, 1e-4], [1, 1e-4]] in drawn
    assert [[1e-1, 1e-6], [1e-3, 1e-3]] in drawn


def test_confusions_are_percent_of_the_true_class(pictures):
    texts = [[t.get_text() for t in axes.texts] for axes in pictures["chiral-pairs"].figure.axes]
    assert texts == [["50", "50", "60", "40"], ["100", "10", "90"]]


def test_frames_start_at_the_centre_of_their_cloud(pictures):
    axes = pictures["clouds-and-frames"].figure.axes
    assert len(axes) == 4
    x, y, z = axes[0].lines[0].get_data_3d()
    np.testing.assert_allclose([x[0], y[0], z[0]], 1 / 3)
    np.testing.assert_allclose([x[1], y[1], z[1]], [1 / 3, 1 / 3, 1 / 3 + 0.9])


def test_arms_stand_in_order_with_their_means(pictures):
    axes = pictures["in-mirrors"].figure.axes
    assert [label.get_text() for label in axes[0].get_xticklabels()] == [
        "PointNet", "with mirrors", "Cloud-RAIN", "frame average",
    ]  # fmt: skip
    assert [[2.0, 91.0]] in lines(axes[0])
