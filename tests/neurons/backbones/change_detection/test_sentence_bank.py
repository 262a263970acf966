"""Banks of sentences: numbers of descriptions, sums of slots, and anybody's sentence encoder."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from neurons.backbones.change_detection.sentence_bank import (
    SLOTS,
    Cached,
    SlotBank,
    TextBank,
    Vocabulary,
)
from neurons.data.scene_sentences import sentences as told
from neurons.data.scenes import slots, vocabulary

CODES = np.array([[0, 0, 1, 0, 0], [1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [0, 1, 0, 1, 1]])
CLASSES = ("water", "tree", "building")


@given(st.permutations(range(4)))
def test_every_description_has_its_number_whatever_the_order(order):
    known = Vocabulary(CODES[order])
    np.testing.assert_array_equal(known.codes[known.number(CODES)], CODES)
    assert known.number(CODES[order]).tolist() == [0, 1, 2, 3]
    assert known.number([[7, 7, 7, 7, 7]]).tolist() == [-1]
    assert known.number(CODES.reshape(2, 2, 5)).shape == (2, 2)
    assert known.number(np.zeros((3, 0, 5), int)).shape == (3, 0)


@pytest.mark.parametrize(("part", "left"), [("where", 3), ("what", 4), ("how", 4), ("how many", 3)])
def test_what_is_left_out_makes_no_difference(part, left):
    known = Vocabulary(CODES, [part])
    numbers = known.number(CODES)
    assert len(set(numbers.tolist())) == left
    other = CODES.copy()
    other[:, list(SLOTS[part])] += 5
    np.testing.assert_array_equal(known.number(other), numbers)
    bank = SlotBank(known, 6, rngs=nnx.Rngs(0))()
    assert len(np.unique(np.round(bank[:, 0], 5), axis=0)) == left


def test_the_whole_vocabulary_of_the_scenes_fits():
    quadruples = vocabulary(CLASSES)
    codes = [slots(one, CLASSES) for one in quadruples]
    known = Vocabulary(codes)
    assert known.number(codes).tolist() == list(range(len(quadruples)))
    # The verb follows from the classes.
    assert Vocabulary(codes, ["how"]).number(codes).tolist() == known.number(codes).tolist()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("codes", "without", "error", "message"),
    [
        (CODES, ["when"], ValueError, "parts are where, what, how, how many; got when"),
        (CODES, list(SLOTS), ValueError, "every part is left out"),
        (CODES[:, :4], [], ValueError, "codes have 5 slots"),
        (CODES[:0], [], ValueError, "at least one"),
        (CODES + 0.5, [], TypeError, "whole numbers"),
    ],
)
def test_vocabularies_that_make_no_sense(codes, without, error, message):
    with pytest.raises(error, match=message):
        Vocabulary(codes, without)


def test_slots_add_up():
    bank = SlotBank(CODES, 6, rngs=nnx.Rngs(0))
    table = np.asarray(bank.table[...])
    assert table.shape == (2 + 2 + 2 + 2 + 2, 6)
    for number, code in enumerate(CODES):
        total = sum(table[2 * slot + value] for slot, value in enumerate(code))
        np.testing.assert_allclose(bank()[number, 0], total / np.linalg.norm(total), rtol=1e-5)


def test_a_slot_that_is_left_out_has_no_vector():
    bank = SlotBank(Vocabulary(CODES, ["where", "how"]), 6, rngs=nnx.Rngs(0))
    table = np.asarray(bank.table[...])
    total = table[2 + 1] + table[4 + 0] + table[8 + 1]
    np.testing.assert_allclose(bank()[3, 0], total / np.linalg.norm(total), rtol=1e-5)


@pytest.mark.usefixtures("unchecked")
def test_banks_that_make_no_sense():
    with pytest.raises(ValueError, match="width"):
        SlotBank(CODES, 0, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="codes from 0"):
        SlotBank(CODES - 1, 4, rngs=nnx.Rngs(0))


class Letters:
    """A user's encoder: how often each of five letters occurs, and how often it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, sentences):
        self.asked += sentences
        return np.array([[s.count(letter) for letter in "aeion"] for s in sentences], float)


def test_any_encoder_will_do_and_is_asked_once():
    quadruples = sorted(vocabulary(CLASSES[:2]), key=lambda one: slots(one, CLASSES))
    codes = [slots(one, CLASSES) for one in quadruples]
    letters = Letters()
    encode = Cached(letters)
    texts = [told(one) for one in quadruples]
    bank = TextBank(codes, texts, encode, 4, rngs=nnx.Rngs(0))
    again = TextBank(codes, texts, encode, 4, rngs=nnx.Rngs(0))
    assert len(letters.asked) == len(set(letters.asked)) == len({s for t in texts for s in t})
    assert bank().shape == (len(codes), 3, 4)
    np.testing.assert_array_equal(bank(), again())
    np.testing.assert_allclose(jnp.linalg.norm(bank(), axis=-1), 1, rtol=1e-5)
    expected = letters([texts[5][1]])[0]
    np.testing.assert_allclose(
        bank.vectors[...][5, 1], expected / np.linalg.norm(expected), rtol=1e-5
    )


def test_the_encoder_is_fixed_and_its_projection_is_learned():
    bank = TextBank(CODES, [["a"], ["b"], ["c"], ["d"]], lambda s: np.eye(4)[: len(s)], 3,
                    rngs=nnx.Rngs(0))  # fmt: skip
    trained = jax.tree.leaves(nnx.state(bank, nnx.Param))
    assert [leaf.shape for leaf in trained] == [(4, 3)]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.ones((1, 3)), "2 sentences, but vectors of shape"),
        (np.ones(2), "2 sentences, but vectors of shape"),
        (np.full((2, 3), np.nan), "not all finite"),
    ],
)
def test_encoders_that_answer_wrongly(answer, message):
    with pytest.raises(ValueError, match=message):
        Cached(lambda sentences: answer)(["a", "b"])


def test_an_encoder_that_changes_its_mind_about_the_length():
    encode = Cached(lambda sentences: np.ones((1, len(sentences[0]))))
    encode(["a"])
    with pytest.raises(ValueError, match="vectors of length 2 after some of 1"):
        encode(["bb"])
    with pytest.raises(ValueError, match="no sentence"):
        encode([])


@pytest.mark.parametrize("texts", [[["a"]] * 3, [["a"], ["b"], ["c"], ["d", "e"]], [[]] * 4])
def test_sentences_that_do_not_fit_the_vocabulary(texts):
    with pytest.raises(ValueError, match="all of one"):
        TextBank(CODES, texts, lambda s: np.ones((len(s), 2)), 3, rngs=nnx.Rngs(0))
