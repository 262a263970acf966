"""Figures on SAL-CNN: all are drawn from made-up series, and show what they say."""

import made_up
import numpy as np
import pytest

from paper_figures import sal_cnn, style

BEARINGS = tuple(f"Bearing{c}_{n}" for c in (1, 2) for n in range(1, 5))
ARMS = ("SAL-CNN", "multi-scale CNN", "no LSTM", "linear RMS", "mean life", "constant 50 %")
CURVE = {
    "hours": [0.0, 1.0, 2.0],
    "left": [100.0, 50.0, 0.0],
    "mean": [80.0, 50.0, 20.0],
    "low": [70.0, 40.0, 10.0],
    "high": [90.0, 60.0, 30.0],
}
BANDS = {f"{3.2 * k:g} to {3.2 * k + 3.2:g} kHz": [1.0 + k, 2.0 + k] for k in range(4)}
SERIES = {
    "improves_by_2_8": {"curves": dict.fromkeys(BEARINGS, CURVE)},
    "better_on_eleven": {
        "errors": {
            arm: {b: [10.0 + place, 12.0 + place] for b in BEARINGS}
            for place, arm in enumerate(ARMS)
        }
    },
    "low_band_matters_more": {"harm": BANDS, "share": BANDS},
}
SLUGS = {"remaining-life", "errors", "band-importance"}


@pytest.fixture(scope="module")
def pictures():
    found = {name: made_up.verdict(f"sal_cnn/{name}", series) for name, series in SERIES.items()}
    return sal_cnn.draw(found)


def test_all_figures_are_drawn_and_name_data_and_budget(pictures):
    assert set(pictures) == SLUGS
    for picture in pictures.values():
        assert "2 seeds at budget smoke (simulated bearings" in picture.caption
        assert style.png(picture, 30).startswith(b"\x89PNG")


def test_every_bearing_has_its_curve(pictures):
    shown = [axis for axis in pictures["remaining-life"].figure.axes if axis.get_visible()]
    assert [axis.get_title() for axis in shown] == [b[7:].replace("_", "-") for b in BEARINGS]
    np.testing.assert_array_equal(made_up.lines(shown[0])[1], [[0, 100], [1, 50], [2, 0]])


def test_the_least_error_stands_on_top(pictures):
    top, bottom = pictures["errors"].figure.axes
    assert [label.get_text() for label in top.get_yticklabels()] == list(ARMS)[::-1]
    assert [label.get_text() for label in bottom.get_xticklabels()] == [b[7:] for b in BEARINGS]


def test_bars_are_means(pictures):
    left, _ = pictures["band-importance"].figure.axes
    assert [bar.get_height() for bar in left.patches] == [1.5, 2.5, 3.5, 4.5]


def test_claims_that_failed_leave_their_figures_out():
    assert sal_cnn.draw({}) == {}
