"""Corruptions: as much as was asked for, where it belongs, and reproducibly."""

import numpy as np
import pytest

from neurons.data import cloud_corruptions as corrupt
from neurons.data.procedural_shapes import procedural_shapes

CLOUDS = procedural_shapes(train=16, test=16, points=200, classes=("sphere",), noise=0.0).x_train


def random(seed=0):
    return np.random.default_rng(seed)


def kept(found):
    """Which points are where they were."""
    return (found == CLOUDS).all(axis=2)


CORRUPTIONS = {
    "jittered": lambda clouds, seed: corrupt.jittered(clouds, 0.05, random(seed)),
    "with_outliers": lambda clouds, seed: corrupt.with_outliers(clouds, 0.2, random(seed)),
    "dropped": lambda clouds, seed: corrupt.dropped(clouds, 0.4, random(seed)),
    "cut": lambda clouds, seed: corrupt.cut(clouds, 0.4, random(seed)),
    "seen": lambda clouds, seed: corrupt.seen(clouds, random(seed)),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_shape_and_dtype_stay_and_the_seed_decides(name):
    before = CLOUDS.copy()
    found = CORRUPTIONS[name](CLOUDS, 1)
    assert (found.shape, found.dtype) == (CLOUDS.shape, np.float32)
    np.testing.assert_array_equal(found, CORRUPTIONS[name](CLOUDS, 1))
    assert (found != CORRUPTIONS[name](CLOUDS, 2)).any()
    np.testing.assert_array_equal(CLOUDS, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("bad", [np.zeros((2, 0, 3)), np.zeros((5, 3)), np.full((1, 4, 3), np.nan)])
def test_bad_clouds_are_refused(name, bad):
    with pytest.raises(ValueError, match="needs finite"):
        CORRUPTIONS[name](bad.astype(np.float32), 0)


def test_noise_has_its_deviation():
    assert (corrupt.jittered(CLOUDS, 0.05, random()) - CLOUDS).std() == pytest.approx(
        0.05, rel=0.05
    )
    np.testing.assert_array_equal(corrupt.jittered(CLOUDS, 0.0, random()), CLOUDS)


def test_outliers_fill_the_ball():
    found = corrupt.with_outliers(CLOUDS, 0.25, random())
    np.testing.assert_array_equal((~kept(found)).sum(axis=1), 50)
    radius = np.linalg.norm(found[~kept(found)], axis=1)
    assert radius.max() <= 1
    assert radius.mean() == pytest.approx(0.75, abs=0.02)  # 3/4 for a uniform ball
    np.testing.assert_array_equal(corrupt.with_outliers(CLOUDS, 0.0, random()), CLOUDS)


@pytest.mark.parametrize("name", ["dropped", "cut"])
def test_lost_points_are_replaced_by_kept_ones(name):
    found = CORRUPTIONS[name](CLOUDS, 0)
    np.testing.assert_array_equal(kept(found).sum(axis=1), 120)
    for cloud in found:
        assert len(np.unique(cloud, axis=0)) == 120


def test_a_cut_leaves_a_half_space():
    found = corrupt.cut(CLOUDS, 0.5, random())
    # Half a sphere: its mean is half a radius from the centre.
    centres = np.stack(
        [cloud[stays].mean(axis=0) for cloud, stays in zip(found, kept(found), strict=True)]
    )
    assert np.linalg.norm(centres, axis=1).mean() == pytest.approx(0.5, abs=0.05)


def test_the_front_is_seen():
    found = corrupt.seen(CLOUDS, random())
    centres = np.stack(
        [cloud[stays].mean(axis=0) for cloud, stays in zip(found, kept(found), strict=True)]
    )
    assert 0.3 < kept(found).mean() < 0.9
    assert np.linalg.norm(centres, axis=1).mean() > 0.2
    everything = corrupt.seen(CLOUDS, random(), width=5.0)
    np.testing.assert_array_equal(everything, CLOUDS)


def test_amounts_out_of_range_are_refused():
    for share in (-0.1, 1.1, float("nan")):
        for name in ("with_outliers", "dropped", "cut"):
            with pytest.raises(ValueError, match="allowed: 0 to 1"):
                getattr(corrupt, name)(CLOUDS, share, random())
    for name in ("dropped", "cut"):
        with pytest.raises(ValueError, match="at least one point"):
            getattr(corrupt, name)(CLOUDS, 1.0, random())
    with pytest.raises(ValueError, match="deviation is -1"):
        corrupt.jittered(CLOUDS, -1.0, random())
    with pytest.raises(ValueError, match="width is 0"):
        corrupt.seen(CLOUDS, random(), width=0.0)
