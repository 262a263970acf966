"""Tiles in any size and colour, and folds that keep the pictures of one piece together."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.data.registry import DataError
from neurons.data.tiles import Tiles, folds

LABELS = st.lists(st.sampled_from("abc"), min_size=8, max_size=40)


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


@given(LABELS, st.integers(2, 5), st.integers(0, 99))
def test_folds_hold_equal_shares_of_every_kind(kinds, count, seed):
    found = folds(kinds, count, seed)
    assert found.shape == (len(kinds),)
    for kind in set(kinds):
        held = Counter(fold for fold, other in zip(found, kinds, strict=True) if other == kind)
        each = [held[fold] for fold in range(count)]
        assert max(each) - min(each) <= 1


@given(LABELS, st.integers(0, 99), st.data())
def test_no_part_lies_in_two_folds(kinds, seed, data):
    numbers = st.integers(0, 6)
    parts = data.draw(st.lists(numbers, min_size=len(kinds), max_size=len(kinds)))
    if len(set(parts)) < 3:
        return
    found = folds(kinds, 3, seed, parts)
    assert len({(part, fold) for part, fold in zip(parts, found, strict=True)}) == len(set(parts))
    assert set(found.tolist()) == {0, 1, 2}


def test_the_seed_decides_the_folds():
    kinds = ["free", "crack"] * 20
    assert (folds(kinds, 5, 1) == folds(kinds, 5, 1)).all()
    assert (folds(kinds, 5, 1) != folds(kinds, 5, 2)).any()


@pytest.mark.parametrize(("count", "parts"), [(1, ()), (5, ()), (3, "aabb"), (2, "ab")])
def test_impossible_folds_are_refused(count, parts):
    with pytest.raises(ValueError, match="allowed"):
        folds("wxyz", count, 0, parts)
