"""Folders laid out like SECOND and LEVIR-CD: both layouts of the one, and everything damaged."""

import numpy as np
import pytest
from PIL import Image

from neurons.data import SECOND_CLASSES, SECOND_COLOURS, DataError, levir, regions, second
from neurons.data.scene_folders import places_of

SIZE = (10, 14)  # neither square nor a multiple of 16
FIRST = np.array(np.arange(140).reshape(SIZE) // 20, np.uint8)
SECOND = np.where(FIRST > 0, FIRST % 6 + 1, 0).astype(np.uint8)
MARK = np.uint8(255) * np.eye(*SIZE, dtype=np.uint8)


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


def colours(classes):
    return np.array(SECOND_COLOURS, np.uint8)[classes]


def picture(level, size=SIZE):
    return np.full((*size, 3), level, np.uint8)


@pytest.fixture(params=["colours", "numbers", "label1_rgb alone"])
def layout(request, tmp_path):
    """A folder in each layout that SECOND circulates in, and the root of its pairs."""
    coded = (lambda classes: classes) if request.param == "numbers" else colours
    ending = "_rgb" if request.param == "label1_rgb alone" else ""
    for name in ("00002.png", "00010.png"):
        for part, values in (("im1", picture(51)), ("im2", picture(102))):
            save(tmp_path / "train" / part / name, values)
        save(tmp_path / f"train/label1{ending}" / name, coded(FIRST))
        save(tmp_path / f"train/label2{ending}" / name, coded(SECOND))
        if request.param == "numbers":
            save(tmp_path / "train/label1_rgb" / name, colours(FIRST))
    return tmp_path


@pytest.fixture
def pairs(tmp_path):
    for part, values in (
        ("im1", picture(51)), ("im2", picture(102)), ("label1", colours(FIRST)),
        ("label2", colours(SECOND)),
    ):  # fmt: skip
        for name in ("1.png", "2.png"):
            save(tmp_path / part / name, values)
    return tmp_path


@pytest.fixture
def buildings(tmp_path):
    names = ("test_2_0000_0000.png", "test_2_0000_0512.png", "train_36_0512_0512.png")
    for name in names:
        for part, values in (("A", picture(51)), ("B", picture(102)), ("label", MARK)):
            save(tmp_path / part / name, values)
    (tmp_path / "list").mkdir()
    (tmp_path / "list/train.txt").write_text("train_36_0512_0512.png\n\n")
    return tmp_path


# What is whole.


def test_both_layouts_of_second_give_the_same_pairs(layout):
    for scenes in (second(layout, "train"), second(str(layout / "train"))):
        assert scenes.labels.shape == (2, 2, *SIZE)
        assert scenes.classes == SECOND_CLASSES
        np.testing.assert_array_equal(scenes.labels_before[0], FIRST)
        np.testing.assert_array_equal(scenes.labels_after[1], SECOND)
        np.testing.assert_allclose(scenes.before, 0.2, rtol=1e-6)
        np.testing.assert_allclose(scenes.after, 0.4, rtol=1e-6)
        assert scenes.places.tolist() == [0, 1]
        assert not scenes.simulated


def test_names_choose_and_order_the_pairs(pairs):
    save(pairs / "im1/2.png", picture(255))
    (pairs / "some.txt").write_text("2.png\n1.png\n")
    for names in (["2.png", "1.png"], pairs / "some.txt", str(pairs / "some.txt")):
        assert second(pairs, names=names).before[:, 0, 0, 0].tolist() == [1.0, np.float32(0.2)]
    assert len(second(pairs, names=["2.png"])) == 1


def test_buildings_are_read_with_the_places_of_their_tiles(buildings):
    scenes = levir(buildings)
    assert scenes.binary
    assert scenes.classes == ("building",)
    assert scenes.places.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(scenes.labels_before, scenes.labels_after)
    np.testing.assert_array_equal(scenes.changed[0], MARK > 0)
    (region,) = regions(*scenes.labels[0], scenes.classes, least=4)
    assert region.quadruple.what == ("building", "building")


def test_a_list_stands_in_for_a_subfolder(buildings):
    assert len(levir(buildings, "train")) == 1
    save(buildings / "train/A/a.png", picture(0))
    with pytest.raises(DataError, match=r"train/B/a\.png: expected a picture, found no file"):
        levir(buildings, "train")


def test_masks_of_0_and_1_will_do(buildings):
    for path in (buildings / "label").iterdir():
        save(path, MARK // 255)
    np.testing.assert_array_equal(levir(buildings).changed[0], MARK > 0)


def test_another_picture_format_will_do(pairs):
    (pairs / "im2/1.png").unlink()
    Image.fromarray(picture(102)).save(pairs / "im2/1.tif")
    assert len(second(pairs)) == 2


def test_empty_masks_are_pairs_without_change(pairs, buildings):
    for part in ("label1", "label2"):
        save(pairs / part / "1.png", colours(0 * FIRST))
    for path in (buildings / "label").iterdir():
        save(path, 0 * MARK)
    scenes = second(pairs)
    assert not scenes.changed[0].any()
    assert scenes.changed[1].any()
    assert regions(*scenes.labels[0], scenes.classes) == ()
    assert not levir(buildings).changed.any()


def test_pixels_marked_at_one_date_are_unchanged(pairs):
    one = FIRST.copy()
    one[5, :4] = 0
    save(pairs / "label1/1.png", colours(one))
    scenes = second(pairs)
    np.testing.assert_array_equal(scenes.labels_before[0], one)
    np.testing.assert_array_equal(scenes.labels_after[0], np.where(one > 0, SECOND, 0))


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (["3_4.png", "3_1.png", "13_4.png"], [0, 0, 1]),
        (["test_2.png", "test_3.png", "test_2_0000_0256.png"], [0, 1, 2]),
        (["00003.png", "00004.png"], [0, 1]),
    ],
)
def test_places_are_read_from_the_names_of_tiles_only(names, places):
    assert places_of(names).tolist() == places


# What is damaged: the message names the file.


@pytest.mark.parametrize("part", ["im1", "im2", "label1", "label2"])
def test_a_truncated_file_is_named(pairs, part):
    path = pairs / part / "2.png"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=rf"{part}/2\.png: expected a JPEG or PNG picture"):
        second(pairs)


@pytest.mark.parametrize("part", ["im2", "label1", "label2"])
def test_a_missing_file_is_named(pairs, part):
    (pairs / part / "2.png").unlink()
    with pytest.raises(DataError, match=rf"{part}/2\.png: expected a picture, found no file"):
        second(pairs)


@pytest.mark.parametrize("part", ["im2", "label1", "label2"])
def test_another_size_within_a_pair_is_named(pairs, part):
    save(pairs / part / "2.png", picture(255, (10, 13)))
    with pytest.raises(DataError, match=rf"{part}/2\.png: expected 10x14 pixels .* found 10x13"):
        second(pairs)


def test_misaligned_pairs_of_buildings_are_named(buildings):
    name = "train_36_0512_0512.png"
    save(buildings / "B" / name, picture(0, (14, 10)))
    with pytest.raises(DataError, match=rf"B/{name}: expected 10x14 pixels .* found 14x10"):
        levir(buildings)


def test_pairs_of_several_sizes_are_refused(pairs):
    for part in ("im1", "im2", "label1", "label2"):
        save(pairs / part / "2.png", picture(255, (16, 16)))
    with pytest.raises(DataError, match="pairs of one size, found 10x14 and 16x16"):
        second(pairs)
    assert second(pairs, names=["2.png"]).labels.shape == (1, 2, 16, 16)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda c: colours(c) // 2, "#00007f"),
        (lambda c: np.where(c[..., None] == 3, np.uint8([1, 2, 3]), colours(c)), "#010203"),
        (lambda c: 40 * c, "#282828"),
        (lambda c: c + 1, "#070707"),
        (lambda c: np.where(c[..., None] == 3, np.uint8([0, 0, 0]), colours(c)), "both"),
    ],
    ids=["dark", "one strange class", "grey levels", "class 7", "both codes"],
)
def test_unknown_label_colours_are_named(pairs, change, found):
    save(pairs / "label2/2.png", change(FIRST))
    with pytest.raises(DataError, match=rf"label2/2\.png: expected the colours #ffffff.*{found}"):
        second(pairs)


def test_a_label_compressed_with_loss_is_no_label(pairs):
    (pairs / "label1/1.png").unlink()
    Image.fromarray(colours(FIRST)).save(pairs / "label1/1.jpg")
    with pytest.raises(DataError, match=r"label1/1\.jpg: .*save labels without loss"):
        second(pairs)


def test_labels_of_two_different_pairs_are_noticed(pairs):
    save(pairs / "label2/2.png", colours(SECOND[::-1]))
    with pytest.raises(DataError, match=r"label2/2\.png: .*% of a pair marked at one date only"):
        second(pairs)


def test_a_mask_with_grey_levels_is_named(buildings):
    save(buildings / "label/test_2_0000_0512.png", MARK // 2)
    with pytest.raises(DataError, match=r"label/test_2_0000_0512\.png: expected a mask of 0 and"):
        levir(buildings)


def test_folders_without_pairs_are_named(tmp_path, pairs):
    with pytest.raises(DataError, match="im1: expected a folder"):
        second(tmp_path / "nowhere")
    with pytest.raises(DataError, match="A: expected a folder"):
        levir(pairs)
    (tmp_path / "empty/A").mkdir(parents=True)
    with pytest.raises(DataError, match="A: expected at least one picture"):
        levir(tmp_path / "empty")


def test_lists_that_cannot_be_used_are_named(pairs):
    with pytest.raises(DataError, match=r"no\.txt: expected a text file"):
        second(pairs, names=pairs / "no.txt")
    (pairs / "no.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"no\.txt: expected a text file"):
        second(pairs, names=pairs / "no.txt")
    (pairs / "no.txt").write_text("\n")
    with pytest.raises(DataError, match=r"no\.txt: expected at least one picture"):
        second(pairs, names=pairs / "no.txt")
    (pairs / "no.txt").write_text("3.png\n")
    with pytest.raises(DataError, match=r"im1/3\.png: expected a picture"):
        second(pairs, names=pairs / "no.txt")
