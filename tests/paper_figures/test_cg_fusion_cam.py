import made_up
import pytest
from made_up import lines

from paper_figures import cg_fusion_cam, style
from theory.claims import Row, claims

PAIR = {"CG-fusion CAM": [1.0, 2.0], "LayerCAM": [3.0, 5.0]}
SERIES = {
    "randomisation": {"layers": ["the head", "stem"], "correlation": [[0.9, 0.1], [0.7, 0.1]]},
    "beats_layer_cam": {"iou": {"LayerCAM, stage1": [20.0, 22.0], "CG-fusion CAM": [30.0, 34.0]}},
    "scatter": PAIR,
    "holes": PAIR,
    "under_activation": {"CG-fusion CAM": [40.0, 50.0], "LayerCAM": [30.0, 32.0]},
    "sizes": {
        "CG-fusion CAM": [[10.0, 20.0, 30.0], [12.0, 22.0, 32.0]],
        "LayerCAM": [[1.0, 2.0, 3.0]] * 2,
    },
    "gradient_alone": {},
    "near_supervision": {"CG-fusion CAM": [30.0, 34.0], "full supervision": [60.0, 64.0]},
}
ROWS = (Row("LayerCAM, one layer, IoU, %", 20.0, (18.0, 22.0)), Row("both, IoU, %", 30.0))


def verdict(name):
    return made_up.verdict(f"cg_fusion_cam/{name}", SERIES[name], ROWS)


@pytest.fixture(scope="module")
def pictures():
    return cg_fusion_cam.draw({name: verdict(name) for name in SERIES})


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    slugs = {"methods-in-order", "sizes", "parts", "scatter", "parameter-randomisation"}
    assert set(pictures) == slugs
    for picture in pictures.values():
        assert "2 seeds at budget smoke (simulated tiles)" in picture.caption
        assert style.png(picture, 30).startswith(b"\x89PNG")


def test_claims_that_failed_leave_their_figures_out():
    assert cg_fusion_cam.draw({}) == {}
    alone = cg_fusion_cam.draw({"holes": verdict("holes")})
    assert [a.get_title() for a in alone["scatter"].figure.axes] == ["holes per tile"]


def test_scatter_and_under_activation_are_means(pictures):
    axes = pictures["scatter"].figure.axes
    assert [[bar.get_height() for bar in a.patches] for a in axes] == [[1.5, 4], [1.5, 4], [45, 31]]


def test_sizes_are_thirds_in_order(pictures):
    axes = pictures["sizes"].figure.axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["small", "medium", "large"]
    assert [[0, 11], [1, 21], [2, 31]] in lines(axes)


def test_methods_stand_in_order(pictures):
    ticks = pictures["methods-in-order"].figure.axes[0].get_yticklabels()
    assert [t.get_text() for t in ticks] == ["LayerCAM, stage1", "CG-fusion CAM"]


def test_full_supervision_is_marked_where_it_is_known(pictures):
    picture = pictures["methods-in-order"]
    assert [[62.0, 0.0], [62.0, 1.0]] in lines(picture.figure.axes[0])
    assert "trained on masks" in picture.caption
    alone = cg_fusion_cam.draw({"beats_layer_cam": verdict("beats_layer_cam")})
    assert "trained on masks" not in alone["methods-in-order"].caption


def test_parts_are_those_of_the_table(pictures):
    drawn = lines(pictures["parts"].figure.axes[0])
    assert [[18.0, 1.0], [22.0, 1.0]] in drawn
    assert [[30.0, 0.0]] in drawn


def test_the_claims_that_are_drawn_exist():
    assert set(SERIES) <= {claim.name for claim in claims("cg_fusion_cam")}
