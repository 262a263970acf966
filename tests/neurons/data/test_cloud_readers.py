"""Voxels and pixels become points: uniformly, in their places, and only from intact files."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from neurons.data import cloud_readers, registry
from neurons.data.registry import DataError


def random():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("NEURONS_DATA")
    if not folder or not all(registry.available(n, folder) for n in ("modelnet10", "images")):
        pytest.skip("real data: set NEURONS_DATA to a folder with modelnet10/ and images/")
    return Path(folder)


def packed(count):
    grid = np.zeros((count, 32, 32, 32), np.uint8)
    grid[:, 10:20, 12:14, 5:6] = 1
    return np.packbits(grid.reshape(count, -1), axis=1)


def test_points_lie_on_the_faces_between_filled_and_empty():
    voxels = np.zeros((5, 4, 3), bool)
    voxels[1:3, 1, 1] = True  # a box of 2 x 1 x 1: 10 faces, 2 of them at the ends
    points = cloud_readers.voxel_surface(voxels, 20_000, random())
    low, high = np.array([1, 1, 1]), np.array([3, 2, 2])
    assert (points >= low).all()
    assert (points <= high).all()
    on = (points == low) | (points == high)
    assert on.any(axis=1).all()
    assert stats.binomtest(int(on[:, 0].sum()), len(points), 0.2).pvalue > 1e-3
    assert stats.kstest((points[~on[:, 0], 0] - 1) / 2, "uniform").pvalue > 1e-3


def test_hollow_voxels_have_an_inner_surface():
    shell = np.ones((3, 3, 3), bool)
    shell[1, 1, 1] = False
    points = cloud_readers.voxel_surface(shell, 6_000, random())
    inner = ((points >= 1) & (points <= 2)).all(axis=1)
    assert inner.mean() == pytest.approx(6 / 60, abs=0.02)


@pytest.mark.parametrize(
    ("voxels", "points"),
    [(np.zeros((2, 2, 2)), 5), (np.ones((2, 2)), 5), (np.ones((2, 2, 2)), 0)],
)
def test_empty_grids_and_no_points_are_refused(voxels, points):
    with pytest.raises(ValueError, match="needs a point and a filled voxel"):
        cloud_readers.voxel_surface(voxels, points, random())


def test_packed_voxels_are_read_and_split(tmp_path):
    np.savez(tmp_path / "few.npz", chair=packed(7), monitor=packed(4))
    found = cloud_readers.read_voxels(tmp_path / "few.npz", points=40)
    assert str(found).endswith("8 + 3 clouds of 40 points in 3-d (real)")
    assert found.y_test.tolist() == [0, 0, 1]
    spread = np.ptp(np.concatenate(found.x_train), axis=0)
    assert np.argsort(spread).tolist() == [2, 1, 0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"\xff" * 200])
def test_other_files_are_named(tmp_path, content):
    (tmp_path / "few.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"few\.npz: expected an \.npz file with packed 32\^3"):
        cloud_readers.read_voxels(tmp_path / "few.npz")


def test_other_arrays_are_named(tmp_path):
    np.savez(tmp_path / "few.npz", chair=packed(3)[:, :-1], monitor=packed(3))
    with pytest.raises(DataError, match="found ValueError: cannot reshape"):
        cloud_readers.read_voxels(tmp_path / "few.npz")


def test_ink_becomes_points_in_its_pixels():
    image = np.zeros((4, 6))
    image[0, 1], image[3, 5] = 1, 3  # upper left, and three times as dark lower right
    points = cloud_readers.ink_points(image, 4_000, random())
    upper = points[:, 1] > 2
    assert upper.mean() == pytest.approx(0.25, abs=0.03)
    np.testing.assert_array_equal(np.floor(points[upper]), np.tile([1, 3], (upper.sum(), 1)))
    np.testing.assert_array_equal(np.floor(points[~upper]), np.tile([5, 0], ((~upper).sum(), 1)))


@pytest.mark.parametrize(("ink", "points"), [(0, 5), (np.nan, 5), (1, 0)])
def test_images_without_ink_are_refused(ink, points):
    with pytest.raises(ValueError, match="needs a point and some ink"):
        cloud_readers.ink_points(np.full((3, 3), ink), points, random())


def test_real_sets_have_their_published_sizes(real):
    solid = cloud_readers.modelnet10(real, points=16)
    assert len(solid.y_train) + len(solid.y_test) == 889 + 465
    assert np.bincount(np.concatenate([solid.y_train, solid.y_test])).tolist() == [889, 465]
    digits = cloud_readers.mnist_points(real, points=16)
    assert digits.x_train.shape == (4000, 16, 2)
    # A seven has its ink above, and right of where it has it below.
    seven = digits.x_train[digits.y_train == 7]
    assert (seven[..., 0] * seven[..., 1]).mean() > 0.005


def test_damaged_real_file_is_named(real, tmp_path):
    entry = registry.entries("modelnet10")[0]
    (tmp_path / "modelnet10").mkdir()
    victim = shutil.copyfile(real / entry.path, tmp_path / entry.path)
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    with pytest.raises(DataError, match="SHA-256"):
        cloud_readers.modelnet10(tmp_path)


def test_the_digits_are_a_set_of_their_own_name():
    assert registry.entries("mnist_points") == registry.entries("images")
