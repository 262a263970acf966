"""Folds by pieces of material: stratified, nested, and the same for the same seed."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.inspection.protocol import Protocol

KINDS = ("free", "free", "crack", "pit")


def pieces(count=40, pictures=3):
    """Labels, kinds and parts of pictures, as many of each piece."""
    kinds = [KINDS[piece % len(KINDS)] for piece in range(count) for _ in range(pictures)]
    parts = [f"piece {piece}" for piece in range(count) for _ in range(pictures)]
    return [int(kind != "free") for kind in kinds], kinds, parts


@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=30, max_size=30),
    parts=st.lists(st.integers(0, 60), min_size=30, max_size=30),
    seed=st.integers(0, 9),
)
def test_no_piece_lies_in_two_of_the_three_and_every_picture_is_tested_once(kinds, parts, seed):
    kinds[:8], parts[:8] = KINDS * 2, range(100, 108)  # every label in every training part
    labels = [int(kind != "free") for kind in kinds]
    protocol = Protocol(labels, kinds, parts, folds=3, seed=seed, validation=0.2)
    folds = [protocol.fold(number) for number in range(3)]  # each checks its own pieces
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(30))
    for fold in folds:
        assert len(fold.train) + len(fold.validation) + len(fold.test) == 30


def test_every_part_of_a_fold_holds_every_kind():
    labels, kinds, parts = pieces()
    fold = Protocol(labels, kinds, parts, folds=5, validation=0.15).fold(2)
    for rows in (fold.train, fold.validation, fold.test):
        assert {kinds[row] for row in rows} == set(KINDS)
    assert fold.counts["test"] == {0: 12, 1: 12}
    assert sum(fold.counts["validation"].values()) == pytest.approx(0.15 * 96, abs=6)


def test_the_same_seed_gives_the_same_folds_and_another_one_others():
    def rows(seed, number=1):
        fold = Protocol(*pieces(), seed=seed).fold(number).fraction(0.5)
        return [fold.train.tolist(), fold.validation.tolist(), fold.test.tolist()]

    assert rows(4) == rows(4)
    assert rows(4) != rows(5)
    assert rows(4) != rows(4, 2)


def test_folds_do_not_depend_on_the_order_in_which_they_are_made():
    protocol = Protocol(*pieces())
    last = protocol.fold(4).train.tolist()
    protocol.fold(0).fraction(0.1)
    assert protocol.fold(4).train.tolist() == last


@pytest.mark.parametrize("pictures", [1, 3])
def test_smaller_fractions_lie_in_larger_ones_and_keep_pieces_and_kinds(pictures):
    labels, kinds, parts = pieces(pictures=pictures)
    whole = Protocol(labels, kinds, parts).fold(0)
    shares = (0.01, 0.1, 0.25, 0.5, 1.0)
    found = [set(whole.fraction(share).train.tolist()) for share in shares]
    for small, large in pairwise(found):
        assert small <= large
    assert found[-1] == set(whole.train.tolist())
    for share, kept in zip(shares, found, strict=True):
        assert {kinds[row] for row in kept} == set(KINDS)
        names = {parts[row] for row in kept}
        assert kept == {row for row in whole.train if parts[row] in names}
        assert len(kept) == pytest.approx(share * len(whole.train), abs=3.1 * pictures)


def test_a_fraction_changes_only_what_is_learned_from():
    whole = Protocol(*pieces()).fold(3)
    whole.judge(len)
    part = whole.fraction(0.25)
    assert part.test.tolist() == whole.test.tolist()
    assert part.validation.tolist() == whole.validation.tolist()
    assert (part.judged, part.choices) == (False, [])


def test_a_label_is_made_rare_and_no_kind_of_it_is_lost():
    _, kinds, _ = pieces()
    whole = Protocol(*pieces()).fold(0)
    rare = whole.rarer(0.1)
    assert rare.counts["train"][0] == whole.counts["train"][0]
    assert 0 < rare.counts["train"][1] <= 0.2 * whole.counts["train"][1]
    assert {kinds[row] for row in rare.train} == set(KINDS)
    assert rare.counts["test"] == whole.counts["test"]


# What cannot be divided.


def test_a_fold_without_a_defect_to_learn_from_says_so():
    labels = [0] * 9 + [1]
    protocol = Protocol(labels, folds=5, validation=0.0)
    number = next(n for n in range(5) if 9 in np.flatnonzero(vars(protocol)["_number"] == n))
    with pytest.raises(ValueError, match=rf"fold {number} has no picture of label 1"):
        protocol.fold(number)
    other = protocol.fold((number + 1) % 5)
    assert other.counts["test"] == {0: 2, 1: 0}  # nothing to find: no error, and told
    assert other.counts["train"][1] == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"labels": [0] * 120}, "two labels"),
        ({"kinds": ["free"]}, "120 labels, 1 kinds"),
        ({"parts": ["a", "b"]}, "2 parts"),
        ({"folds": 1}, "1 folds"),
        ({"folds": 41}, "41 folds of 40 parts"),
        ({"validation": 1.0}, "validation is 1.0"),
    ],
)
def test_what_cannot_be_divided_is_refused(changed, said):
    labels, kinds, parts = pieces()
    with pytest.raises(ValueError, match=said):
        Protocol(**{"labels": labels, "kinds": kinds, "parts": parts} | changed)


@pytest.mark.parametrize("share", [0.0, 1.5, float("nan")])
def test_shares_that_are_none_are_refused(share):
    fold = Protocol(*pieces()).fold(0)
    with pytest.raises(ValueError, match="share is"):
        fold.fraction(share)
    with pytest.raises(ValueError, match="share is"):
        fold.rarer(share)


def test_a_label_nobody_has_cannot_become_rare():
    with pytest.raises(ValueError, match="label 7"):
        Protocol(*pieces()).fold(0).rarer(0.5, label=7)


def test_folds_beyond_the_last_are_refused():
    with pytest.raises(ValueError, match="fold 5; allowed: 0 to 4"):
        Protocol(*pieces()).fold(5)


def test_no_share_for_validation_leaves_it_empty_and_choosing_says_so():
    fold = Protocol(*pieces(), validation=0.0).fold(0)
    assert len(fold.validation) == 0
    with pytest.raises(ValueError, match="choosing threshold needs at least one picture"):
        fold.choose("threshold", [1], lambda *_: 0.0)
