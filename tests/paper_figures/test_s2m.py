import made_up
import numpy as np
import pytest
from made_up import lines

from paper_figures import s2m, style
from theory.claims import change_gallery as gallery
from theory.claims import claims

ARMS = {"stage 1": [1.0, 2.0], "vision": [4.0, 6.0], "no contrast": [5.0, 5.0], "S2M": [6.0, 8.0]}


def tile():
    random = np.random.default_rng(0)
    maps = {name: gallery.stored(random.integers(0, 3, (2, 8, 8))) for name in ("vision", "S2M")}
    colours = {
        name: gallery.stored(random.integers(0, 256, (8, 8, 3))) for name in ("before", "after")
    }
    labels = gallery.stored(np.repeat(random.integers(0, 3, (1, 8, 8)), 2, axis=0))
    return {**colours, "labels": labels, "classes": ["water", "tree"], "found": maps}


def without(*arms):
    return {"SeK (%)": {"S2M": [6.0, 8.0], **{arm: [5.0, 6.0] for arm in arms}}}


RECALL = {"before stage 2": [1.0, 2.0], "after stage 2": [20.0, 30.0]}
SERIES = {
    "beats_vision_twin": {"arms": {"SeK (%)": ARMS, "F_scd (%)": ARMS}, "examples": [tile()] * 2},
    "noise_lowers_sek": {
        "shares": [0.0, 0.25, 0.5, 1.0],
        "sek": [[8.0, 7.0, 6.0, 5.0], [6.0, 5.0, 4.0, 3.0]],
        "vision": [4.0, 6.0],
    },
    "each_slot_matters": without("no where", "no what"),
    "both_directions_win": without("no contrast", "regions to text"),
    "two_stages_win": without("one stage"),
    "retrieval_rises": {
        "text to region (%)": RECALL, "region to text (%)": RECALL, "chance": [0.5, 1.5],
    },
}  # fmt: skip
SLUGS = {
    "sek-and-caption-noise", "text-against-twin", "retrieval-recall", "ablations", "change-maps",
}  # fmt: skip


def verdict(name):
    return made_up.verdict(f"s2m/{name}", SERIES[name])


@pytest.fixture(scope="module")
def pictures():
    return s2m.draw({name: verdict(name) for name in SERIES})


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    assert set(pictures) == SLUGS
    for picture in pictures.values():
        assert "2 seeds at budget smoke (drawn pairs)" in picture.caption
        assert style.png(picture, 30).startswith(b"\x89PNG")


def test_claims_that_failed_leave_their_figures_out():
    assert s2m.draw({}) == {}
    alone = s2m.draw({"two_stages_win": verdict("two_stages_win")})
    assert set(alone) == {"ablations"}
    empty = made_up.verdict("s2m/beats_vision_twin", SERIES["beats_vision_twin"] | {"examples": []})
    assert set(s2m.draw({"beats_vision_twin": empty})) == {"text-against-twin"}


def test_real_pairs_are_told_where_there_are_any():
    record = tile() | {"text": ["1 region of tree, planted, formerly water"]}
    drawn = s2m.draw({"text_is_free": made_up.verdict("s2m/text_is_free", {"told": [record] * 2})})
    texts = [text.get_text() for axis in drawn["told-pairs"].figure.axes for text in axis.texts]
    assert texts.count("1 region of tree, planted, formerly water") == 2
    assert s2m.draw({"text_is_free": made_up.verdict("s2m/text_is_free", {"told": []})}) == {}


def test_noise_is_a_line_of_means_beside_the_twin(pictures):
    left, right = pictures["sek-and-caption-noise"].figure.axes
    assert [[0, 7], [25, 6], [50, 5], [100, 4]] in lines(left)
    assert [[0, 5], [1, 5]] in lines(left)
    assert [[0, 2], [25, 1], [50, 0], [100, -1]] in lines(right)


def test_ablations_are_differences_to_the_whole(pictures):
    axis = pictures["ablations"].figure.axes[0]
    assert [bar.get_height() for bar in axis.patches] == [-1.5] * 5
    names = [text.get_text() for text in axis.get_xticklabels()]
    assert names == ["no where", "no what", "no contrast", "regions to text", "one stage"]


def test_bars_are_means(pictures):
    sek, _ = pictures["text-against-twin"].figure.axes
    assert [bar.get_height() for bar in sek.patches] == [1.5, 5, 5, 7]
    recall = pictures["retrieval-recall"].figure.axes[0]
    assert [bar.get_height() for bar in recall.patches] == [1.5, 25]
    assert [[0, 1], [1, 1]] in lines(recall)


def test_the_claims_that_are_drawn_exist():
    assert set(SERIES) <= {claim.name for claim in claims("s2m")}
