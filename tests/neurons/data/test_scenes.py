"""Text from masks: nothing is lost on the way to a sentence and back, and flips commute with it."""

import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neurons.data import simulated_scenes
from neurons.data.scene_sentences import CELL_NAMES, NOTHING, TEMPLATES, parse, sentences
from neurons.data.scenes import (
    BUCKETS,
    CELLS,
    HOWS,
    WHOLE,
    Quadruple,
    corrupt,
    regions,
    slot_sizes,
    slots,
    summary,
    verb,
    vocabulary,
)

CLASSES = ("water", "low vegetation", "building")
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,6}( [a-zA-Z0-9_-]{1,6}){0,2}", fullmatch=True)
QUADRUPLES = st.builds(
    Quadruple,
    st.integers(0, WHOLE),
    st.tuples(NAMES, NAMES),
    NAMES,
    st.integers(1, 40),
)
KINDS = hnp.arrays(
    np.int8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.integers(0, 9),
)


def maps(kinds):
    """Both dates' labels from one number a pixel: 0, or 1 to 9 for a pair of three classes."""
    changed = kinds > 0
    return (1 + (kinds - 1) // 3) * changed, (1 + (kinds - 1) % 3) * changed


def told(kinds, **options):
    return regions(*maps(kinds), CLASSES, **{"least": 1, **options})


def same(found, expected):
    """The same quadruples over the same pixels, in any order."""

    def keys(some):
        return Counter((quadruple, mask.tobytes()) for quadruple, mask in some)

    return keys(found) == keys(expected)


# Sentences.


@given(QUADRUPLES)
def test_every_sentence_can_be_read_back(quadruple):
    for sentence in sentences(quadruple):
        assert parse(sentence) == quadruple
    for sentence in sentences(quadruple, count="words"):
        assert parse(sentence) == quadruple.rounded


@given(KINDS)
def test_masks_to_sentences_and_back(kinds):
    for region in told(kinds):
        assert {parse(text) for text in sentences(region.quadruple)} == {region.quadruple}


def test_no_two_descriptions_of_a_bank_share_a_sentence():
    bank = vocabulary(CLASSES)
    texts = [text for one in bank for text in sentences(one, count="words")]
    assert len(set(texts)) == len(texts) == len(bank) * len(TEMPLATES)


def test_what_is_said_of_nothing():
    assert sentences(None) == (NOTHING,)
    assert parse(NOTHING) is None


@pytest.mark.parametrize(
    "sentence",
    ["", "3 regions of tree", "in the attic: tree, now water (flooded), one region",
     "in the top: tree, now water (flooded), no region",
     "² regions of a, b, formerly c, in the top"],
)  # fmt: skip
def test_other_sentences_are_refused(sentence):
    with pytest.raises(ValueError, match="fits none of the templates"):
        parse(sentence)


def test_templates_of_ones_own():
    templates = ("{where}: {count}, {before} > {after} = {how}.",)
    quadruple = Quadruple(0, ("a", "b"), "c", 1)
    (text,) = sentences(quadruple, templates=templates)
    assert text == "top left: 1 region, a > b = c."
    assert parse(text, templates=templates) == quadruple


# Regions.


def brute_force(first, second, least):
    """Regions by filling from every pixel, and thirds by fractions."""
    height, width = first.shape
    left = {(r, c) for r in range(height) for c in range(width) if first[r, c]}
    found = []
    while left:
        seed = min(left)
        kind, todo, part = (first[seed], second[seed]), [seed], set()
        while todo:
            r, c = todo.pop()
            if (r, c) in left and (first[r, c], second[r, c]) == kind:
                left.remove((r, c))
                part.add((r, c))
                todo += [(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        if len(part) >= least:
            found.append((tuple(int(k) for k in kind), part))
    counts = Counter(kind for kind, _ in found)
    return [(kind, counts[kind], part) for kind, part in found]


@given(KINDS, st.integers(1, 4))
def test_regions_are_those_of_a_plain_search(kinds, least):
    first, second = maps(kinds)
    expected = brute_force(first, second, least)
    found = [
        (
            tuple(1 + CLASSES.index(name) for name in one.quadruple.what),
            one.quadruple.how_many,
            {(int(r), int(c)) for r, c in np.argwhere(one.mask)},
        )
        for one in told(kinds, least=least)
    ]
    key = lambda one: (one[0], sorted(one[2]))  # noqa: E731
    assert sorted(found, key=key) == sorted(expected, key=key)


@given(KINDS)
def test_where_is_the_cell_of_the_centroid(kinds):
    for region in told(kinds):
        centre = np.argwhere(region.mask).mean(axis=0) + 0.5
        down, right = divmod(region.quadruple.where, 3)
        for place, share in zip((down, right), centre / region.mask.shape, strict=True):
            assert place / 3 - 1e-9 <= share <= (place + 1) / 3 + 1e-9


@given(KINDS, st.booleans(), st.booleans())
def test_text_of_a_flipped_mask_is_the_flipped_text(kinds, rows, columns):
    turn = (slice(None, None, -1 if rows else 1), slice(None, None, -1 if columns else 1))
    expected = [
        (r.quadruple.flipped(rows=rows, columns=columns), r.mask[turn]) for r in told(kinds)
    ]
    assert same([(r.quadruple, r.mask) for r in told(kinds[turn])], expected)


@given(KINDS)
def test_text_of_a_transposed_mask_is_the_transposed_text(kinds):
    expected = [(r.quadruple.transposed(), r.mask.T) for r in told(kinds)]
    assert same([(r.quadruple, r.mask) for r in told(kinds.T)], expected)


@given(KINDS)
def test_text_of_exchanged_dates_is_the_exchanged_text(kinds):
    expected = [(r.quadruple.exchanged(), r.mask) for r in told(kinds)]
    found = regions(*maps(kinds)[::-1], CLASSES, least=1)
    assert same([(r.quadruple, r.mask) for r in found], expected)


def test_a_flip_that_forgot_where_is_noticed():
    kinds = np.zeros((9, 9), np.int8)
    kinds[:2, :2] = 2
    (region,) = told(kinds[::-1])
    assert region.quadruple != told(kinds)[0].quadruple


def test_nothing_is_said_of_an_empty_mask():
    assert told(np.zeros((4, 5), np.int8)) == ()
    assert summary(()) == ()
    assert regions(np.zeros((0, 0), np.int8), np.zeros((0, 0), np.int8), CLASSES) == ()


def test_a_summary_counts_each_kind_once():
    kinds = np.zeros((9, 9), np.int8)
    kinds[0, ::2], kinds[8, 8] = 2, 6
    found = summary(told(kinds))
    assert [(q.where, q.what, q.how_many) for q in found] == [
        (WHOLE, ("water", "low vegetation"), 5),
        (WHOLE, ("low vegetation", "building"), 1),
    ]


def test_small_regions_do_not_count():
    kinds = np.zeros((8, 8), np.int8)
    kinds[0, :3], kinds[4, :5] = 2, 2
    (region,) = told(kinds, least=4)
    assert region.mask.sum() == 5
    assert region.quadruple.how_many == 1


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        (np.ones((2, 2), int), np.ones((2, 3), int), {}, "two maps of one shape"),
        (np.ones((2, 2), int), np.zeros((2, 2), int), {}, "at both dates or at none"),
        (np.full((2, 2), 4), np.ones((2, 2), int), {}, "classes are 0 to 3"),
        (np.full((2, 2), -1), np.ones((2, 2), int), {}, "classes are 0 to 3"),
        (np.ones((2, 2), int), np.ones((2, 2), int), {"least": 0}, "least is 0"),
    ],
)
def test_maps_that_cannot_be_told_are_refused(first, second, options, message):
    with pytest.raises(ValueError, match=message):
        regions(first, second, CLASSES, **options)


# Slots, bank, noise.


@given(QUADRUPLES)
def test_flips_of_a_quadruple_undo_themselves(one):
    assert one.flipped(rows=True).flipped(rows=True) == one
    assert one.flipped(columns=True).flipped(columns=True) == one
    assert one.transposed().transposed() == one
    both = one.flipped(rows=True, columns=True)
    assert both.where in (WHOLE, 8 - one.where)


def test_slots_tell_every_description_of_a_bank_apart():
    bank = vocabulary(CLASSES, same=True)
    codes = [slots(one, CLASSES) for one in bank]
    assert len(set(codes)) == len(codes) == (CELLS + 1) * len(CLASSES) ** 2 * len(BUCKETS)
    assert (np.array(codes) < slot_sizes(CLASSES)).all()
    assert set(bank) == {one.rounded for one in bank}


def test_slots_refuse_what_they_do_not_know():
    one = Quadruple(0, ("water", "building"), "built", 1)
    with pytest.raises(ValueError, match="water"):
        slots(one, CLASSES[1:])
    with pytest.raises(ValueError, match="built"):
        slots(one, CLASSES, hows=("erected",))


def test_buckets_begin_where_their_words_say():
    buckets = [Quadruple(0, ("a", "b"), "c", n).bucket for n in (1, 2, 4, 5, 9, 10, 99)]
    assert buckets == [0, 1, 1, 2, 2, 3, 3]


def test_verbs_follow_from_the_classes_or_from_the_user():
    assert {verb(a, b) for a in CLASSES for b in CLASSES} <= set(HOWS)
    assert verb("water", "water") == "changed"
    assert verb("road", "rail") == "converted"
    war = {("building", "rubble"): "destroyed"}
    assert verb("building", "rubble", war) == "destroyed"
    kinds = np.full((2, 2), 1), np.full((2, 2), 2)
    (region,) = regions(*kinds, ("building", "rubble"), least=1, verbs=war)
    assert region.quadruple.how == "destroyed"


def test_a_single_class_becomes_itself():
    (region,) = regions(np.ones((3, 3), int), np.ones((3, 3), int), ("building",), least=1)
    assert region.quadruple == Quadruple(4, ("building", "building"), "changed", 1)
    assert region.quadruple in vocabulary(("building",))
    assert CELL_NAMES[region.quadruple.where] == "centre"


def test_corruption_replaces_about_the_share_and_nests():
    truth = [Quadruple(4, ("water", "building"), "built", 1)] * 400
    noisy = [
        corrupt(truth, share, np.random.default_rng(0), CLASSES) for share in (0.0, 0.3, 0.6, 1.0)
    ]
    wrong = [np.array([a != b for a, b in zip(truth, some, strict=True)]) for some in noisy]
    assert not wrong[0].any()
    assert wrong[3].all()
    assert wrong[1].mean() == pytest.approx(0.3, abs=0.08)
    for few, many, some, more in zip(wrong[:-1], wrong[1:], noisy[:-1], noisy[1:], strict=True):
        assert (few <= many).all()
        assert all(a == b for a, b, w in zip(some, more, few, strict=True) if w)


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
def test_a_share_is_a_share(share):
    with pytest.raises(ValueError, match="share is"):
        corrupt([], share, np.random.default_rng(0), CLASSES)


@pytest.mark.parametrize(
    "changed",
    [{"where": 10}, {"where": -1}, {"how_many": 0}, {"how": ""}, {"what": ("a,b", "c")},
     {"what": ("a", " c")}, {"how": "re(built)"}],
)  # fmt: skip
def test_quadruples_that_could_not_be_read_back_are_refused(changed):
    with pytest.raises(ValueError, match="allowed"):
        replace(Quadruple(0, ("a", "b"), "c", 1), **changed)


def test_extraction_needs_masks_only_and_its_speed_can_be_measured():
    scenes = simulated_scenes(count=8)
    begin = time.process_time()
    found = [
        regions(first, second, scenes.classes, least=4)
        for first, second in zip(scenes.labels_before, scenes.labels_after, strict=True)
    ]
    assert len(found) / max(time.process_time() - begin, 1e-9) > 20  # pairs a second; 1,400 seen
    assert sum(map(len, found)) > 20
