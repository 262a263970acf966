"""Drawn defects: exact masks, contrast and area as asked for, stains as often as asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurons.data import sets
from neurons.data.simulated_defects import STAIN, simulated_defects

TILES = simulated_defects(images=300, side=32)
SEEDS = st.integers(0, 2**32)


def drawn(seed, **options):
    return simulated_defects(seed, images=6, side=24, **options)


def test_the_seed_decides_everything():
    assert drawn(1).digest == drawn(1).digest != drawn(2).digest
    assert TILES.simulated
    assert str(TILES).endswith("(simulated)")


def test_they_stand_in_by_name():
    assert sets.SIMULATORS["defects"] is sets.SIMULATORS["pretrained_tiles"] is simulated_defects


def test_a_tile_does_not_depend_on_how_many_there_are():
    np.testing.assert_array_equal(simulated_defects(images=12, side=32).images, TILES.images[:12])


def test_every_other_tile_has_a_defect():
    np.testing.assert_array_equal(TILES.masks.any(axis=(1, 2)), TILES.defective)
    assert TILES.defective.mean() == 0.5
    assert sorted(set(TILES.kinds)) == ["blob", "free", "pits", "scratch"]


@settings(max_examples=8)
@given(SEEDS)
def test_the_mask_is_exact_and_the_contrast_as_said(seed):
    light, dark = (drawn(seed, contrast=(depth, depth)) for depth in (0.1, 0.3))
    np.testing.assert_array_equal(light.masks, dark.masks)
    difference = light.images - dark.images
    np.testing.assert_allclose(difference, 0.2 * light.masks, atol=1e-6)
    assert not difference[~light.masks].any()
    np.testing.assert_array_equal(light.contrast, 0.1 * light.defective)


@settings(max_examples=8)
@given(SEEDS, st.floats(0.001, 0.1), st.floats(1, 2.5))
def test_the_area_lies_within_its_bounds(seed, least, factor):
    tiles = drawn(seed, area=(least, least * factor))
    pixels = tiles.area[tiles.defective] * 24**2
    assert np.all(pixels >= max(1, least * 24**2 - 0.5) - 1e-9)
    assert np.all(pixels <= max(1, least * factor * 24**2 + 0.5) + 1e-9)


def test_contrast_and_area_fill_their_bounds():
    contrast, area = TILES.contrast[TILES.defective], TILES.area[TILES.defective]
    assert 0.03 <= contrast.min() < 0.06
    assert 0.47 < contrast.max() <= 0.5
    assert area.min() == 1 / 32**2
    assert 0.04 < area.max() <= 0.05


@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_stains_are_as_frequent_as_asked_for(rate):
    tiles = simulated_defects(5, images=600, side=16, confounder=rate)
    marked, free = tiles.stained[tiles.defective], tiles.stained[~tiles.defective]
    assert abs(marked.mean() - rate) < 3 * np.sqrt(rate * (1 - rate) / 300)
    assert abs(free.mean() - (1 - rate)) < 3 * np.sqrt(rate * (1 - rate) / 300)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_sure_stain_is_sure(rate):
    tiles = drawn(0, confounder=rate)
    np.testing.assert_array_equal(tiles.stained, tiles.defective if rate else ~tiles.defective)


@settings(max_examples=8)
@given(SEEDS)
def test_a_stain_is_light_soft_and_off_the_defect(seed):
    with_stain, without = drawn(seed, confounder=1.0), drawn(seed, confounder=0.0)
    marked = with_stain.defective
    added = (with_stain.images - without.images)[marked]
    stains = with_stain.stains[marked]
    assert not (stains & with_stain.masks[marked]).any()
    assert np.all(added[~stains] == 0)
    assert added.min() >= 0
    assert added.max() <= STAIN + 1e-6
    np.testing.assert_array_equal(with_stain.masks, without.masks)


def test_no_level_of_grey_separates_faint_defects():
    tiles = simulated_defects(images=60, side=32, contrast=(0.03, 0.12))

    def dice(level):
        found = tiles.images < level
        return 2 * (found & tiles.masks).sum() / (found.sum() + tiles.masks.sum())

    assert 0.1 < max(dice(level) for level in np.linspace(0, 1, 50)) < 0.6


def test_the_largest_defects_fit_the_smallest_tiles():
    tiles = simulated_defects(2, images=12, side=16, area=(0.25, 0.25), confounder=1.0)
    assert set(tiles.area[tiles.defective]) == {0.25}
    assert tiles.stained[tiles.defective].all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"images": 5}, "at least 6 images"),
        ({"side": 15}, "side 15"),
        ({"seed": -1}, "seed -1"),
        ({"contrast": (0.0, 0.5)}, "contrast"),
        ({"contrast": (0.4, 0.6)}, "contrast"),
        ({"area": (0.1, 0.05)}, "area"),
        ({"area": (0.1, 0.3)}, "area"),
        ({"confounder": 1.1}, "confounder"),
        ({"confounder": float("nan")}, "confounder"),
    ],
)
def test_values_outside_their_bounds_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        simulated_defects(**options)
