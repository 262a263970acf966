import made_up
import pytest
from made_up import lines

from paper_figures import shallow_cam
from theory.claims import claims

CASCADE = {"layers": ["the head", "stem"], "correlation": [[0.9, 0.1], [0.7, 0.1]]}
ARMS = {"truncated, fused": [50.0, 52.0], "last layer (CAM)": [40.0, 41.0]}
SERIES = {
    "randomisation": CASCADE,
    "randomisation_backprop": {**CASCADE, "correlation": [[0.9, 0.8], [0.9, 0.8]]},
    "shallow_gain": {
        "by depth": {
            "LayerCAM": {"stage1": [30.0, 32.0], "stage2": [40.0, 42.0]},
            "truncated": {"stage1": [35.0, 37.0], "stage2": [41.0, 43.0]},
        }
    },
    "noise_removed": {"mass": {"0.0": [10.0, 12.0], "0.5": [20.0, 24.0], "0.99": [15.0, 15.0]}},
    "plug_in": {"gains": {"grad_cam_pp": [1.0, 2.0], "layer_cam": [-1.0, 0.0]}},
    "fused_iou": {"iou": ARMS},
    "fused_boundary": {"boundary": ARMS},
}
SLUGS = {
    "iou-by-depth",
    "truncated-share",
    "plug-ins",
    "fused-layers",
    "parameter-randomisation",
}


def verdict(name):
    return made_up.verdict(f"shallow_cam/{name}", SERIES[name])


@pytest.fixture(scope="module")
def pictures():
    return shallow_cam.draw({name: verdict(name) for name in SERIES})


def axes_of(pictures, slug):
    return pictures[slug].figure.axes


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    made_up.check_drawn(pictures, SLUGS)


def test_claims_that_failed_leave_their_figures_out():
    assert shallow_cam.draw({}) == {}
    alone = shallow_cam.draw({"fused_boundary": verdict("fused_boundary")})
    assert [a.get_title() for a in alone["fused-layers"].figure.axes] == ["boundary F (%)"]


def test_iou_is_drawn_by_layer(pictures):
    assert [[0, 31], [1, 41]] in lines(axes_of(pictures, "iou-by-depth")[0])
    assert [[0, 36], [1, 42]] in lines(axes_of(pictures, "iou-by-depth")[0])


def test_the_share_is_drawn_to_scale(pictures):
    assert [[0, 11], [0.5, 22], [0.99, 15]] in lines(axes_of(pictures, "truncated-share")[0])


def test_gains_are_named_by_method(pictures):
    axes = axes_of(pictures, "plug-ins")[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["Grad-CAM++", "LayerCAM"]
    assert [bar.get_height() for bar in axes.patches] == [1.5, -0.5]


def test_fusion_stands_beside_the_last_layer(pictures):
    iou, boundary = axes_of(pictures, "fused-layers")
    assert [bar.get_height() for bar in iou.patches] == [51.0, 40.5]
    assert boundary.get_title() == "boundary F (%)"


def test_both_truncations_are_put_to_the_sanity_check(pictures):
    axes = axes_of(pictures, "parameter-randomisation")[0]
    labels = [line.get_label() for line in axes.lines]
    assert set(shallow_cam.TRUNCATIONS.values()) <= set(labels)


def test_the_claims_that_are_drawn_exist():
    assert set(SERIES) <= {claim.name for claim in claims("shallow_cam")}
