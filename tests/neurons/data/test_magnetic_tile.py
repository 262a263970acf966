"""Tiles with marked defects: the class, decoding, and what is refused."""

import os
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurons.data import registry
from neurons.data.magnetic_tile import (
    Tiles,
    frame_parts,
    magnetic_tile,
    magnetic_tile_pictures,
    read_grey,
    read_mask,
)
from neurons.data.registry import DataError


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("NEURONS_DATA")
    if not folder:
        pytest.skip("real data: set NEURONS_DATA to a folder that holds magnetic_tile/")
    if not registry.available("magnetic_tile", folder):
        pytest.skip("real data: the folder NEURONS_DATA does not hold magnetic_tile/ intact")
    return Path(folder)


@pytest.fixture
def picture(tmp_path):
    def write(pixels, name="tile.png"):
        Image.fromarray(np.asarray(pixels, np.uint8)).save(tmp_path / name)
        return tmp_path / name

    return write


def few(**changes):
    grey = np.linspace(0, 1, 32, dtype=np.float32).reshape(2, 4, 4)
    fields = {"images": grey, "masks": grey > 0.5, "kinds": ("free", "crack"), **changes}
    return Tiles("few", **fields, source="toy", simulated=True)


def test_the_text_says_what_it_is():
    assert str(few()) == "few: toy, 2 tiles of 4x4: 1 crack, 1 free (simulated)"


def test_digest_follows_pixels_masks_and_kinds():
    digests = {
        few().digest,
        few(images=few().images[::-1].copy()).digest,
        few(masks=~few().masks).digest,
        few(kinds=("crack", "free")).digest,
    }
    assert len(digests) == 4
    assert few().digest == few().digest


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kinds": ("free",)}, "a kind each"),
        ({"masks": np.zeros((2, 4, 4))}, "bool mask"),
        ({"masks": np.zeros((2, 4, 5), bool)}, "bool mask"),
        ({"images": np.zeros((2, 4, 4))}, "float32"),
        ({"images": np.full((2, 4, 4), np.nan, np.float32)}, r"pixels in \[0, 1\]"),
        ({"images": np.full((2, 4, 4), 255, np.float32)}, r"pixels in \[0, 1\]"),
    ],
)
def test_arrays_that_do_not_fit_are_named(changes, expected):
    with pytest.raises(DataError, match=expected):
        few(**changes)


def test_a_small_pixel_is_the_mean_of_its_part(picture):
    pixels = np.arange(64).reshape(8, 8)
    means = pixels.reshape(2, 4, 2, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(read_grey(picture(pixels), 2), means, atol=1e-3)


def test_a_mask_is_what_exceeds_127_on_a_quarter_of_a_small_pixel(picture):
    pixels = np.zeros((8, 8))
    pixels[0, :4] = 128  # 4 of 16 pixels
    pixels[4, 4:7] = 255  # 3 of 16
    pixels[4:, :4] = 127  # all of them, at the threshold
    np.testing.assert_array_equal(read_mask(picture(pixels), 2), [[True, False], [False, False]])


def test_the_smallest_defect_keeps_a_pixel(picture):
    pixels = np.zeros((8, 8))
    pixels[5, 6] = 255
    np.testing.assert_array_equal(read_mask(picture(pixels), 2), [[False, False], [False, True]])
    assert not read_mask(picture(0 * pixels), 2).any()


def test_colour_is_read_as_grey(picture):
    path = picture(np.full((4, 4, 3), 90), "tile.jpg")
    np.testing.assert_allclose(read_grey(path, 4), 90, atol=1)


@pytest.mark.parametrize("content", [b"", b"\0" * 500, b"\xff\xd8\xff\xe0" + b"\0" * 40])
def test_bytes_that_are_no_picture_are_named(tmp_path, content):
    path = tmp_path / "tile.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"tile\.jpg: expected a JPEG or PNG picture"):
        read_grey(path, 8)


def test_truncated_pictures_are_named(picture):
    random = np.random.default_rng(0).integers(0, 255, (64, 64))
    for name in ("tile.jpg", "tile.png"):
        path = picture(random, name)
        path.write_bytes(path.read_bytes()[:-1500])
        with pytest.raises(DataError, match="expected a JPEG or PNG picture"):
            read_mask(path, 8)


def test_manifest_pairs_every_image_with_its_mask():
    files = {entry.file for entry in registry.entries("magnetic_tile")}
    stems = {suffix: {f[:-4] for f in files if f.endswith(suffix)} for suffix in (".jpg", ".png")}
    assert stems[".jpg"] == stems[".png"]
    assert len(files) == 2 * len(stems[".jpg"]) == 2 * (115 + 85 + 57 + 32 + 103 + 400)
    assert all(entry.url.startswith("https://") for entry in registry.entries("magnetic_tile"))


def test_absent_files_name_the_command(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"python -m neurons\.data fetch magnetic_tile"):
        magnetic_tile()


def test_no_side_is_refused():
    with pytest.raises(ValueError, match="side is 0"):
        magnetic_tile(side=0)


def test_frames_far_apart_show_different_pieces():
    numbers = [3279, 3191, 32128, 3611, 4012]
    assert frame_parts(numbers) == ("3191", "3191", "32128", "3191", "4012")


@pytest.mark.parametrize("free", [-1, 401])
def test_more_free_tiles_than_there_are_is_refused(free):
    with pytest.raises(ValueError, match="allowed: 0 to 400 tiles"):
        magnetic_tile(free=free)


def test_free_tiles_of_the_manifest_are_spread_over_the_exposures():
    names = [entry.file for entry in registry.entries("magnetic_tile")]
    free = [name for name in names if name.startswith("MT_Free") and name.endswith(".jpg")]
    exposures = Counter(re.search(r"exp(\d)_", name)[1] for name in free)
    assert all(66 <= exposures[digit] <= 67 for digit in "123456")


def test_real_pieces_are_kept_together(real):
    pictures = magnetic_tile_pictures(real, free=400)
    assert len(pictures) == 392 + 400
    frames = {}
    for picture in pictures:
        exposure, frame = map(int, re.search(r"exp(\d)_num_(\d+)", picture.image.name).groups())
        frames.setdefault(picture.kind, []).append((frame, exposure, picture.part))
    # Consecutive frames of a kind whose exposure rises by one show the same piece.
    for found in map(sorted, frames.values()):
        for (frame, exposure, part), (later, next_exposure, other) in pairwise(found):
            assert part == other or next_exposure != exposure + 1 or later - frame > 400
    assert 150 < len({picture.part for picture in pictures}) < 250


def test_real_tiles_keep_their_defects_at_64_pixels(real):
    tiles = magnetic_tile(real)
    assert not tiles.simulated
    assert tiles.images.shape == (432, 64, 64)
    marked = {kind: [] for kind in tiles.kinds}
    for kind, mask in zip(tiles.kinds, tiles.masks, strict=True):
        marked[kind].append(mask.mean())
    assert not np.any(marked["free"])
    assert np.count_nonzero(np.array(marked["uneven"]) == 0) == 4  # as published
    # Thin cracks and small holes survive being made small.
    assert all(np.min(marked[kind]) > 0 for kind in ("blowhole", "break", "crack", "fray"))
    assert np.mean(marked["uneven"]) > np.mean(marked["break"]) > np.mean(marked["crack"])
