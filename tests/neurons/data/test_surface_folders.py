"""Folders laid out like KolektorSDD and MVTec AD, whole and damaged."""

import numpy as np
import pytest
from PIL import Image

from neurons.data.registry import DataError
from neurons.data.surface_folders import kolektor, mvtec

MARK = 255 * np.eye(12)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


@pytest.fixture
def commutators(tmp_path):
    for part, label in (("kos01/Part0", MARK), ("kos01/Part1", 0 * MARK), ("kos02/Part0", MARK)):
        save(tmp_path / f"{part}.jpg", np.full((12, 12, 3), 51))
        save(tmp_path / f"{part}_label.bmp", label)
    return tmp_path


@pytest.fixture
def bottle(tmp_path):
    for name in ("train/good/000", "test/good/000", "test/broken/000", "test/broken/001"):
        save(tmp_path / "bottle" / f"{name}.png", np.full((12, 12, 3), 51))
    for name in ("000", "001"):
        save(tmp_path / f"bottle/ground_truth/broken/{name}_mask.png", MARK)
    return tmp_path / "bottle"


def test_commutators_are_read_with_labels_and_parts(commutators):
    tiles = kolektor(commutators, size=6)
    assert tiles.images.shape == (3, 6, 6)
    assert tiles.kinds == ("defect", "free", "defect")
    assert tiles.parts == ("kos01", "kos01", "kos02")
    np.testing.assert_array_equal(tiles.masks.any(axis=(1, 2)), tiles.defective)
    np.testing.assert_array_equal(tiles.masks[0], np.eye(6, dtype=bool))
    assert not tiles.simulated


def test_the_usual_shape_is_kept_by_default(commutators):
    assert kolektor(commutators).images.shape == (3, 352, 128)
    assert kolektor(commutators, size=4, colour=True).images.shape == (3, 4, 4, 3)


def test_a_category_is_read_by_its_splits(bottle):
    test, train = mvtec(bottle, size=6), mvtec(str(bottle), "train", size=6, colour=False)
    assert test.images.shape == (3, 6, 6, 3)
    assert test.kinds == ("broken", "broken", "free")
    assert len(set(test.parts)) == 3
    np.testing.assert_array_equal(test.masks.any(axis=(1, 2)), test.defective)
    assert train.images.shape == (1, 6, 6)
    assert not train.defective.any()


@pytest.mark.parametrize("name", ["kos01/Part1_label.bmp", "kos02/Part0_label.bmp"])
def test_a_missing_label_is_named(commutators, name):
    (commutators / name).unlink()
    with pytest.raises(DataError, match=f"{name}: expected the label of Part"):
        kolektor(commutators)


def test_a_missing_mask_is_named(bottle):
    (bottle / "ground_truth/broken/001_mask.png").unlink()
    with pytest.raises(DataError, match=r"broken/001_mask\.png: expected the mask"):
        mvtec(bottle)
    assert mvtec(bottle, "train", size=6).images.size  # needs no mask


@pytest.mark.parametrize("name", ["kos01/Part0.jpg", "kos01/Part0_label.bmp"])
def test_a_damaged_file_is_named(commutators, name):
    (commutators / name).write_bytes((commutators / name).read_bytes()[:60])
    with pytest.raises(DataError, match=name):
        kolektor(commutators)


def test_a_label_of_another_size_is_named(commutators):
    save(commutators / "kos01/Part0_label.bmp", MARK[:5])
    with pytest.raises(DataError, match=r"Part0_label\.bmp: expected a mask of 12x12"):
        kolektor(commutators)


@pytest.mark.parametrize("read", [kolektor, mvtec])
def test_absent_and_empty_folders_are_named(tmp_path, read):
    with pytest.raises(DataError, match="nowhere: expected a folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "test" / "good").mkdir(parents=True)
    with pytest.raises(DataError, match="expected pictures like"):
        read(tmp_path)


def test_a_split_that_is_none_is_refused(bottle):
    with pytest.raises(ValueError, match="split is 'valid'; allowed: train, test"):
        mvtec(bottle, "valid")
