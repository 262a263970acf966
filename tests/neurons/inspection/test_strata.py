"""Quartiles of defects by contrast and area."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.data import simulated_defects
from neurons.inspection.strata import by_quartile, contrast, quartile

VALUES = arrays(np.float64, 12, elements=st.floats(-10, 10) | st.just(np.nan)).filter(
    lambda values: np.isfinite(values).any()
)


def test_contrast_is_that_which_was_drawn():
    tiles = simulated_defects(0, images=12, side=32, contrast=(0.2, 0.5), area=(0.01, 0.05))
    flat = np.where(tiles.masks, 0.8 - tiles.contrast[:, None, None], 0.8)
    found = contrast(flat, tiles.masks)
    np.testing.assert_allclose(found[tiles.defective], tiles.contrast[tiles.defective])
    assert np.isnan(found[~tiles.defective]).all()
    drawn = contrast(tiles.images, tiles.masks)[tiles.defective]
    assert np.corrcoef(drawn, tiles.contrast[tiles.defective])[0, 1] > 0.9


def test_light_and_dark_defects_and_colours_have_contrast():
    mask = np.zeros((1, 5, 5), bool)
    mask[0, 2, 2] = True
    image = np.where(mask, 0.9, 0.5)
    assert contrast(image, mask, ring=1) == pytest.approx(0.4)
    assert contrast(1 - image, mask, ring=1) == pytest.approx(0.4)
    assert contrast(image[..., None] * np.array([0.5, 1.0, 1.5]), mask) == pytest.approx(0.4)
    assert np.isnan(contrast(image, np.ones_like(mask))[0])


@given(VALUES)
def test_quarters_are_ordered_and_even(values):
    found = quartile(values)
    known = np.isfinite(values)
    assert (found[~known] == -1).all()
    assert set(found[known].tolist()) <= {0, 1, 2, 3}
    for number in range(3):
        low, high = values[found == number], values[found == number + 1]
        assert not low.size or not high.size or low.max() < high.min()
    if len(set(values[known].tolist())) == known.sum():
        counts = np.bincount(found[known], minlength=4)
        assert counts.max() - counts.min() <= 1


def test_borders_may_be_those_of_other_values():
    found = quartile(np.array([0.0, 5.0, 100.0]), np.arange(1.0, 9.0))
    np.testing.assert_array_equal(found, [0, 2, 3])


def test_scores_are_averaged_by_quarter():
    scores = np.array([1.0, 0.0, np.nan, 1.0, 1.0])
    found = by_quartile(scores, np.array([0, 0, 0, 3, -1]))
    np.testing.assert_array_equal(found, [0.5, np.nan, np.nan, 1.0])


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="no values to take quartiles of"):
        quartile(np.full(3, np.nan))
    with pytest.raises(ValueError, match="need a width above 0"):
        contrast(np.zeros((1, 2, 2)), np.zeros((1, 2, 2), bool), ring=0)
    with pytest.raises(ValueError, match="masks must have the maps' shape"):
        contrast(np.zeros((1, 2, 2)), np.zeros((1, 2, 3), bool))
    with pytest.raises(ValueError, match="scores for"):
        by_quartile(np.zeros(2), np.zeros(3, int))
