"""Drawn stand-ins: reproducible, of the promised kinds, and no single pixel gives them away."""

import numpy as np
import pytest

from neurons.data import sets
from neurons.data.simulated_images import KINDS, SHAPES, simulated_shapes, simulated_tiles

TILES, IMAGES = simulated_tiles(), simulated_shapes()


@pytest.mark.parametrize("make", [simulated_tiles, simulated_shapes])
def test_the_seed_decides_everything(make):
    assert make(1).digest == make(1).digest != make(2).digest
    assert make(1).simulated
    assert str(make(1)).endswith("(simulated)")


def test_they_stand_in_by_name():
    assert sets.simulated("magnetic_tile").digest == TILES.digest
    assert sets.simulated("images").digest == IMAGES.digest


def test_every_tile_but_the_free_ones_has_a_defect():
    assert set(TILES.kinds) == set(KINDS)
    for kind, mask in zip(TILES.kinds, TILES.masks, strict=True):
        assert mask.any() == (kind != "free"), kind
        assert mask.mean() < 0.6


def test_defects_are_dark_but_no_level_separates_them():
    assert TILES.images[TILES.masks].mean() < TILES.images[~TILES.masks].mean() - 0.1

    def dice(level):
        found = TILES.images < level
        return 2 * (found & TILES.masks).sum() / (found.sum() + TILES.masks.sum())

    assert 0.2 < max(dice(level) for level in np.linspace(0, 1, 50)) < 0.6


def test_classes_are_balanced_and_splits_differ():
    assert IMAGES.classes == tuple(SHAPES)
    assert set(np.bincount(IMAGES.y_train)) == {60}
    assert set(np.bincount(IMAGES.y_test)) == {30}
    assert not (IMAGES.x_test[0] == IMAGES.x_train).all(axis=(1, 2, 3)).any()


def test_pixels_alone_do_not_tell_the_shapes():
    train, test = (x.reshape(len(x), -1) for x in (IMAGES.x_train, IMAGES.x_test))
    distance = (test**2).sum(1)[:, None] + (train**2).sum(1) - 2 * test @ train.T
    nearest = IMAGES.y_train[distance.argmin(axis=1)]
    assert np.mean(nearest == IMAGES.y_test) < 0.6


@pytest.mark.parametrize("options", [{"tiles": 4}, {"side": 15}])
def test_too_few_tiles_are_refused(options):
    with pytest.raises(ValueError, match="at least 5 tiles of side 16"):
        simulated_tiles(**options)


@pytest.mark.parametrize("options", [{"train": 9}, {"test": 0}, {"side": 7}])
def test_too_few_images_are_refused(options):
    with pytest.raises(ValueError, match="images of side 8"):
        simulated_shapes(**options)
