"""Pictures and masks of other sizes, shapes and depths: what is read and what is refused."""

import numpy as np
import pytest
from PIL import Image

from neurons.data.pictures import Picture, check_size, files_like, read_grey, resize, tiles_of
from neurons.data.registry import DataError

WIDE = np.arange(32, dtype=np.float32).reshape(4, 8)


@pytest.fixture
def save(tmp_path):
    def write(name, pixels, dtype=np.uint8):
        Image.fromarray(np.asarray(pixels, dtype)).save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        ("squeeze", WIDE.reshape(4, 4, 2).mean(axis=2)),
        ("crop", WIDE[:, 2:6]),
        ("pad", np.pad(WIDE, ((2, 2), (0, 0)), mode="edge").reshape(4, 2, 4, 2).mean(axis=(1, 3))),
    ],
)
def test_another_aspect_ratio_is_met_as_asked(fit, expected):
    np.testing.assert_allclose(resize(WIDE, 4, fit), expected, atol=1e-5)


def test_added_parts_of_a_mask_are_free(save):
    picture = Picture(save("a.png", 9 + 0 * WIDE), save("m.png", 255 + 0 * WIDE), "crack", "a")
    _, mask = picture.resized(4, "pad")
    np.testing.assert_array_equal(mask, np.tile([[False], [True], [True], [False]], 4))


def test_a_small_picture_grows_smoothly_and_its_mask_in_blocks(save):
    ramp = np.array([[0, 100], [0, 100]])
    picture = Picture(save("a.png", ramp), save("m.png", [[0, 255], [0, 255]]), "crack", "a")
    image, mask = picture.resized(4)
    assert np.all(np.diff(image[0]) >= 0)
    assert len(np.unique(image)) > 2
    np.testing.assert_array_equal(mask, np.repeat([[False, False, True, True]], 4, axis=0))


def test_own_size_and_values_are_at_hand(save):
    image, mask = Picture(save("a.png", WIDE), None, "free", "a").read()
    np.testing.assert_allclose(image, WIDE / 255)
    assert mask.shape == image.shape
    assert not mask.any()


@pytest.mark.parametrize(("colour", "shape"), [(True, (1, 4, 6, 3)), (False, (1, 4, 6))])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_grey_and_colour_files_are_read_either_way(save, colour, shape, channels):
    path = save("a.png", np.full((8, 12, *channels), 51))
    tiles = tiles_of("toy", [Picture(path, None, "free", "a")], "toy", (4, 6), colour=colour)
    assert tiles.images.shape == shape
    np.testing.assert_allclose(tiles.images, 0.2, atol=1e-6)


def test_channels_keep_their_order(save):
    path = save("a.png", np.stack([0 * WIDE, 51 + 0 * WIDE, 102 + 0 * WIDE], axis=-1))
    image, _ = Picture(path, None, "free", "a").resized(2, colour=True)
    np.testing.assert_allclose(image[0, 0], [0, 0.2, 0.4], atol=1e-6)


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.eye(8), "levels up to 1"),  # a label map
        (np.full((8, 8), 90), "levels up to 90"),
        (np.linspace(80, 170, 64).reshape(8, 8), "64 of 64 pixels grey"),
    ],
)
def test_pictures_that_are_no_masks_are_named(save, pixels, found):
    picture = Picture(save("a.png", np.eye(8)), save("m.png", pixels), "crack", "a")
    with pytest.raises(DataError, match=rf"m\.png: expected a mask of 0 and 255.*{found}"):
        picture.read()


def test_a_mask_of_another_size_is_named(save):
    picture = Picture(save("a.png", WIDE), save("m.png", 255 * np.eye(4)), "crack", "a")
    with pytest.raises(DataError, match=r"m\.png: expected a mask of 4x8 .* found 4x4"):
        picture.resized(4)


def test_sixteen_bits_are_not_clipped_to_eight(save):
    path = save("deep.png", 500 * WIDE, np.uint16)
    with pytest.raises(DataError, match=r"deep\.png: .* more than 8 bits a channel"):
        read_grey(path, 4)


@pytest.mark.parametrize(("size", "fit"), [(0, "crop"), ((4, 0), "crop"), (4, "stretch")])
def test_sizes_that_are_none_are_refused(size, fit):
    with pytest.raises(ValueError, match="allowed"):
        check_size(size, fit)


def test_only_pictures_are_listed_in_order(save, tmp_path):
    for name in ("b.png", "a.PNG", ".hidden.png"):
        save("c.png", WIDE).rename(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in files_like(tmp_path, (".png",))] == ["a.PNG", "b.png"]
