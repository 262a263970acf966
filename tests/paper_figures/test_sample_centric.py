import made_up
import numpy as np
import pytest
from made_up import lines

from paper_figures import sample_centric
from theory.claims import claims

SYSTEMS = ("mask only", "joint", "joint, by or", "two networks")
RUNS = {name: [40.0 + place, 44.0 + place] for place, name in enumerate(SYSTEMS)}
QUARTERS = [{"mask only": [10.0 * q, 10.0 * q], "joint": [10.0 * q + 5] * 2} for q in range(4)]
KINDS = {"missed": 10.0, "false alarm": 5.0, "located": 30.0, "found elsewhere": 4.0, "free": 51.0}
SERIES = {
    "fewer_misses": {"tiles": RUNS, "drawn": {**RUNS, "shuffled": [30.0, 31.0]}},
    "sample_metrics_rise": {"outcomes": {"mask only": KINDS, "joint": KINDS}},
    "small_gain_most": {"tiles": QUARTERS, "drawn": QUARTERS},
    "low_contrast_gain_most": {"tiles": QUARTERS, "drawn": QUARTERS},
    "tiny_share_rises": {
        "tiles": {"mask only": [1.0, 3.0], "joint": [2.0, 4.0]},
        "smallest quarter": {
            "magnetic tiles": {"mask only": [10.0, 12.0], "joint": [14.0, 16.0]},
            "drawn tiles": {"mask only": [20.0, 22.0], "joint": [24.0, 26.0]},
        },
    },
    "tasks_agree": {"magnetic tiles": [0.5, 0.5, -0.5, 0.1], "drawn tiles": [0.2]},
    "ranking_reversal": {
        "systems": {name: {"miou": runs, "recall": runs[::-1]} for name, runs in RUNS.items()}
        | {f"joint, any pixel from {v}": {"miou": [v], "recall": [10 * v]} for v in (0.1, 0.5)},
        "pairs": [["mask only", "joint"]] * 2,
        "miou": [[70.0, 60.0], [71.0, 65.0]],
        "recall": [[50.0, 55.0], [40.0, 60.0]],
    },
}
SLUGS = {
    "ranking-reversal",
    "defects-found",
    "what-became",
    "located-by-quarter",
    "gradient-shares",
    "task-cosines",
}


def verdict(name):
    return made_up.verdict(f"sample_centric/{name}", SERIES[name])


@pytest.fixture(scope="module")
def pictures():
    return sample_centric.draw({name: verdict(name) for name in SERIES})


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    made_up.check_drawn(pictures, SLUGS)


def test_claims_that_failed_leave_their_figures_out():
    assert sample_centric.draw({}) == {}
    alone = sample_centric.draw({"small_gain_most": verdict("small_gain_most")})
    assert set(alone) == {"located-by-quarter"}
    assert len(alone["located-by-quarter"].figure.axes) == 2


def test_a_pair_of_every_seed_is_joined(pictures):
    left, right = pictures["ranking-reversal"].figure.axes
    assert [[70, 50], [60, 55]] in lines(right)
    assert [[71, 40], [65, 60]] in lines(right)
    assert [[42, 42]] in lines(left)
    assert [[0.1, 1], [0.5, 5]] in lines(left)
    legend = pictures["ranking-reversal"].figure.legends[0]
    labels = {text.get_text() for text in legend.get_texts()}
    two = {"preferred by mIoU", "preferred by Seg_Recall"}
    assert labels == {*SYSTEMS, "joint, any pixel", *two}


def test_quarters_are_means_of_both_networks(pictures):
    axes = pictures["located-by-quarter"].figure.axes
    assert len(axes) == 4
    assert [[1, 0], [2, 10], [3, 20], [4, 30]] in lines(axes[0])
    assert [[1, 5], [2, 15], [3, 25], [4, 35]] in lines(axes[3])


def test_outcomes_are_stacked(pictures):
    bars = pictures["what-became"].figure.axes[0].patches
    assert [bar.get_width() for bar in bars[::2]] == [30, 4, 10, 5]
    assert [bar.get_x() for bar in bars[::2]] == [0, 30, 34, 44]


def test_bars_are_means(pictures):
    tiles, drawn = pictures["defects-found"].figure.axes
    assert [bar.get_height() for bar in tiles.patches] == [42, 43, 44, 45]
    assert len(drawn.patches) == 5
    first = pictures["gradient-shares"].figure.axes[0]
    assert [bar.get_height() for bar in first.patches] == [2, 3]


def test_cosines_are_shares_of_the_batches(pictures):
    filled = pictures["task-cosines"].figure.axes[0].patches[0]
    values = np.asarray(filled.get_data().values)
    assert values.sum() == pytest.approx(100)
    assert values[:20].sum() == pytest.approx(25)


def test_the_claims_that_are_drawn_exist():
    assert set(SERIES) <= {claim.name for claim in claims("sample_centric")}
