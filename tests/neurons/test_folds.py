"""Folds: equal shares of every kind, no part in two of them, and the seed decides."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.folds import folds

LABELS = st.lists(st.sampled_from("abc"), min_size=8, max_size=40)


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
