"""Tiles in any size and colour."""

import numpy as np
import pytest

from neurons.data.registry import DataError
from neurons.data.tiles import Tiles


def few(**changes):
    grey = np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 4, 3)
    fields = {"images": grey, "masks": grey > 0.5, "kinds": ("free", "crack"), **changes}
    return Tiles("few", **fields, source="toy", simulated=True)


def test_pictures_need_not_be_square_or_grey():
    colour = np.zeros((2, 4, 3, 3), np.float32)
    assert str(few(images=colour)) == "few: toy, 2 tiles of 4x3: 1 crack, 1 free (simulated)"
    assert few(images=colour).digest != few().digest


def test_all_but_free_tiles_are_defective():
    assert few().defective.tolist() == [False, True]


def test_parts_are_part_of_the_digest_where_there_are_any():
    assert few(parts=("1", "2")).digest != few(parts=("1", "1")).digest
    assert few(parts=()).digest == few().digest


@pytest.mark.parametrize(
    "changes",
    [
        {"parts": ("1",)},
        {"images": np.zeros((2, 4, 3, 2), np.float32)},
        {"images": np.zeros((0, 4, 3), np.float32), "masks": np.zeros((0, 4, 3), bool)},
    ],
)
def test_arrays_that_do_not_fit_are_named(changes):
    with pytest.raises(DataError, match="a kind each"):
        few(**changes)
