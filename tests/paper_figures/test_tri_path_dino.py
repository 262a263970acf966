import made_up
import numpy as np
import pytest

from paper_figures import tri_path_dino
from theory.claims import tri_path_dino as paper
from theory.claims.change_gallery import stored

ARMS = (*tri_path_dino.ABLATED, *tri_path_dino.LEARNED[1:])
RUNS = {arm: [10.0 + place, 14.0 + place] for place, arm in enumerate(ARMS)}
LABELS = np.zeros((2, 8, 8), int)
LABELS[:, 2:5, 2:6] = 1
PICTURE = stored(np.full((8, 8, 3), 90))
SHOWN = [
    {
        "before": PICTURE,
        "after": PICTURE,
        "labels": stored(LABELS),
        "classes": ["water", "tree"],
        "found": {"full": stored(LABELS)},
        "maps": {path: stored(np.eye(4) * 200) for path in ("main", "auxiliary")},
    }
] * 2
SERIES = {
    "beats_main_only": {
        "scores": {"SeK": RUNS, "F_scd": RUNS, "mIoU": RUNS},
        "shown": SHOWN,
        "real": SHOWN,
    },
    "three_losses_beat_cross_entropy": {"SeK": RUNS},
    "auxiliary_at_boundaries": {"shown": SHOWN},
    "auxiliary_of_higher_frequency": {
        "spectra": {path: [[0.5, 0.3, 0.2], [0.7, 0.2, 0.1]] for path in ("main", "auxiliary")}
    },
    "small_regions_need_auxiliary": {
        "area": 12.0,
        "recall": {
            size: {"main only": [40.0, 42], "full": [60.0, 61]} for size in ("small", "large")
        },
    },
}
SLUGS = {
    "change-maps",
    "ablations",
    "losses-and-labels",
    "maps-of-paths",
    "spectra-of-paths",
    "regions-by-size",
    "real-pairs",
}


def verdict(name):
    return made_up.verdict(f"tri_path_dino/{name}", SERIES[name])


@pytest.fixture(scope="module")
def pictures():
    return tri_path_dino.draw({name: verdict(name) for name in SERIES})


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    made_up.check_drawn(pictures, SLUGS)


def test_claims_that_failed_leave_their_figures_out():
    assert tri_path_dino.draw({}) == {}


def test_bars_are_means_of_the_arms_they_are_about(pictures):
    sek, *_ = pictures["ablations"].figure.axes
    assert [bar.get_height() for bar in sek.patches] == [12, 13, 14, 15]
    assert len(pictures["losses-and-labels"].figure.axes[0].patches) == 5


def test_spectra_are_in_cycles_per_pixel(pictures):
    line = pictures["spectra-of-paths"].figure.axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), np.array([1, 3, 5]) / 6 / 4)


def test_the_claims_that_are_drawn_exist():
    assert set(SERIES) <= {claim.name for claim in paper.CLAIMS}
