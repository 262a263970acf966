"""Labelled images: the class, the reader of two subsets, and what it refuses."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from neurons.data import registry
from neurons.data.download import fetch
from neurons.data.images import Images, images, read_images
from neurons.data.registry import DataError

PIXELS = np.arange(4 * 8 * 8 * 3).reshape(4, 8, 8, 3).astype(np.uint8)


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "few.npz", **arrays)
        return tmp_path / "few.npz"

    return write


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("NEURONS_DATA")
    if not folder:
        pytest.skip("real data: set NEURONS_DATA to a folder that holds images/")
    if not registry.available("images", folder):
        pytest.skip("real data: the folder NEURONS_DATA does not hold images/ intact")
    return Path(folder)


def few(**changes):
    x = PIXELS.astype(np.float32) / 255
    fields = {
        "x_train": x[:3],
        "y_train": np.array([0, 1, 0]),
        "x_test": x[3:],
        "y_test": np.array([1]),
    }
    return Images("few", **{**fields, **changes}, classes=("a", "b"), source="toy", simulated=True)


def cifar(**changes):
    labels = np.array([0, 1, 0, 1], np.uint8)
    fields = {"x_train": PIXELS, "y_train": labels, "x_test": PIXELS, "y_test": labels}
    return {**fields, "classes": np.array(["cat", "dog"]), **changes}


def test_the_text_says_what_it_is():
    assert str(few()) == "few: toy, 3 + 1 images of 8x8x3 (simulated)"


def test_digest_follows_pixels_labels_and_nothing_else():
    assert few().digest == few().digest
    altered = few().x_train.copy()
    altered[0, 0, 0, 0] = 1
    assert few(x_train=altered).digest != few().digest
    assert few(y_train=np.array([1, 1, 0])).digest != few().digest


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        few().x_train[0] = 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"x_train": np.zeros((3, 8, 8), np.float32)}, "height, width, channels"),
        ({"x_train": np.zeros((3, 8, 8, 3))}, "float32"),
        ({"y_train": np.array([0, 1])}, "label each"),
        ({"x_test": np.zeros((1, 9, 8, 3), np.float32)}, "one shape"),
        ({"x_train": np.full((3, 8, 8, 3), np.nan, np.float32)}, r"pixels in \[0, 1\]"),
        ({"x_train": np.full((3, 8, 8, 3), 2, np.float32)}, r"pixels in \[0, 1\]"),
        ({"y_test": np.array([2])}, "labels below 2"),
        ({"y_test": np.array([0.5])}, "labels below 2"),
    ],
)
def test_arrays_that_do_not_fit_are_named(changes, expected):
    with pytest.raises(DataError, match=expected):
        few(**changes)


def test_both_files_are_read(npz):
    found = read_images(npz(**cifar()), "cifar10")
    assert found.classes == ("cat", "dog")
    np.testing.assert_array_equal(found.x_train * 255, PIXELS)
    digits = np.zeros((10, 8, 8), np.uint8)
    found = read_images(npz(x=digits, y=np.arange(10, dtype=np.uint8)), "mnist")
    assert (found.x_train.shape, found.x_test.shape) == ((8, 8, 8, 1), (2, 8, 8, 1))
    assert found.y_test.tolist() == [0, 5]


@pytest.mark.parametrize("content", [b"", b"\0" * 99, b"PK\x03\x04" + b"\xff" * 200])
def test_bytes_that_are_no_archive_are_named(tmp_path, content):
    path = tmp_path / "cifar10.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cifar10\.npz: expected an \.npz file with x_train"):
        read_images(path, "cifar10")


def test_archives_of_something_else_are_named(npz):
    with pytest.raises(DataError, match=r"expected an \.npz file with x, y, found KeyError"):
        read_images(npz(**cifar()), "mnist")
    objects = np.array([{}, 1, 2, 3], object)
    with pytest.raises(DataError, match="found ValueError: Object arrays"):
        read_images(npz(**cifar(y_train=objects)), "cifar10")


def test_unknown_subset_lists_the_allowed():
    with pytest.raises(ValueError, match="'cifar100'; allowed: cifar10, mnist"):
        images(subset="cifar100")


def test_a_set_without_address_says_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not any(entry.url for entry in registry.entries("images"))
    with pytest.raises(DataError, match="expected a public address, found none") as caught:
        fetch("images", tmp_path)
    place = tmp_path / registry.entries("images")[0].path
    assert caught.value.way_out == f"put the file at {place} by hand"


def test_real_subsets_have_their_published_shapes(real):
    cifar10, mnist = (images(real, subset=subset) for subset in ("cifar10", "mnist"))
    assert str(cifar10).endswith("1500 + 400 images of 32x32x3 (real)")
    assert cifar10.classes[:3] == ("airplane", "automobile", "bird")
    assert str(mnist).endswith("4000 + 1000 images of 28x28x1 (real)")
    for found in (cifar10, mnist):
        assert set(found.y_train) == set(found.y_test) == set(range(10))


def test_damaged_real_file_is_named(real, tmp_path):
    for entry in registry.entries("images"):
        (tmp_path / "images").mkdir(exist_ok=True)
        shutil.copy(real / entry.path, tmp_path / entry.path)
    victim = tmp_path / registry.entries("images")[0].path
    raw = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(raw[:-1] + b"!")
    with pytest.raises(DataError, match="SHA-256"):
        images(tmp_path)
