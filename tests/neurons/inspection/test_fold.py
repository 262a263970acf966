"""An object that refuses every way to choose on what is tested."""

import numpy as np
import pytest

from neurons.inspection.fold import Fold, LeakError


@pytest.fixture
def fold():
    """Pictures 0 to 5 to learn from, 6 and 7 to choose on, 8 and 9 to judge.

    Numbers 10 and 11 show the pieces of 9 and of 7, and belong to none of the three.
    """
    parts = [*range(10), 9, 7]
    return Fold(np.arange(6), np.array([6, 7]), np.array([8, 9]), [0, 1] * 6, parts=parts)


def spread(values):
    """A score that needs no picture: the candidate itself."""
    return lambda candidate, rows: values[candidate]


# The planted leaks.

LEAKS = {
    "the test pictures": ([8, 9], "test pictures 8, 9"),
    "one test picture among others": ([0, 6, 9], "test pictures 9"),
    "a test picture as a mask": (np.arange(12) == 8, "test pictures 8"),
    "another picture of a tested piece": ([6, 10], "other pictures of tested pieces 9"),
}


@pytest.mark.parametrize("choice", ["threshold", "epoch", "map"])
@pytest.mark.parametrize("leak", LEAKS)
def test_nothing_is_chosen_on_test_pictures_or_others_of_their_pieces(fold, choice, leak):
    rows, said = LEAKS[leak]
    looked = []
    with pytest.raises(LeakError, match=f"choosing {choice} on {said}"):
        fold.choose(choice, [0.2, 0.5], lambda candidate, rows: looked.append(rows), rows=rows)
    assert not looked  # the pictures were not even given to the score
    assert fold.choices == []


def test_nothing_is_chosen_after_the_test_was_judged(fold):
    fold.choose("threshold", [0, 1], spread([0.1, 0.2]))
    assert fold.judge(lambda rows: rows.tolist()) == [8, 9]
    for rows in (fold.validation, fold.train):
        with pytest.raises(LeakError, match="epoch cannot be chosen"):
            fold.choose("epoch", [0, 1], spread([0.1, 0.2]), rows)
    with pytest.raises(LeakError, match="judged already"):
        fold.judge(len)


def test_a_planted_leak_would_pay_and_the_honest_choice_does_not():
    # Ten thresholds, each perfect on one test picture: chosen on them any of it would look right.
    truth = np.random.default_rng(0).integers(0, 2, (10, 30)).astype(float)
    rows = np.arange(30)
    fold = Fold(rows[:10], rows[10:20], rows[20:], labels=[0, 1] * 15)

    def score(candidate, rows):
        return truth[candidate, rows].mean()

    with pytest.raises(LeakError):
        fold.choose("threshold", range(10), score, fold.test)
    best_on_test = max(truth[:, fold.test].mean(axis=1))
    chosen = fold.choose("threshold", range(10), score)
    assert fold.judge(lambda rows: score(chosen, rows)) < best_on_test


@pytest.mark.parametrize(
    "shared", [([0, 1], [2, 10], [9]), ([0, 10], [2], [9]), ([0, 7], [11], [8])]
)
def test_a_division_that_leaks_by_itself_is_refused(shared):
    with pytest.raises(LeakError, match="share"):
        Fold(*map(np.array, shared), labels=[0, 1] * 6, parts=[*range(9), 9, 9, 7])


@pytest.mark.parametrize("rows", [[-4], [12], [0.5], [[0, 1]], [True, False], []])
def test_rows_that_no_check_could_see_are_refused(fold, rows):
    # -4 is picture 8, a test picture, to NumPy.
    with pytest.raises(ValueError, match=r"rows|picture"):
        fold.allowed(rows)


def test_nobody_changes_the_rows(fold):
    for rows in (fold.train, fold.validation, fold.test):
        with pytest.raises(ValueError, match="read-only"):
            rows[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        fold.judge(lambda rows: rows.sort())


# Choices.


def test_the_best_candidate_is_chosen_and_all_is_kept(fold):
    seen = []

    def score(candidate, rows):
        seen.append(rows.tolist())
        return {"a": np.nan, "b": 0.5, "c": 0.7, "d": 0.7}[candidate]

    assert fold.choose("map", "abcd", score) == "c"
    assert seen == [[6, 7]] * 4
    (kept,) = fold.choices
    assert (kept.name, kept.chosen, kept.rows) == ("map", "c", (6, 7))
    np.testing.assert_equal(kept.scores, (np.nan, 0.5, 0.7, 0.7))


@pytest.mark.parametrize("scores", [[], [np.nan, np.nan]])
def test_without_a_score_nothing_is_chosen(fold, scores):
    with pytest.raises(ValueError, match="no candidate of epoch"):
        fold.choose("epoch", range(len(scores)), spread(scores))


def test_a_score_without_limit_is_a_score(fold):
    assert fold.choose("margin", [0, 1], spread([-np.inf, -np.inf])) == 0
    assert fold.choose("margin", [0, 1], spread([-np.inf, np.inf])) == 1


@pytest.mark.parametrize(("train", "test"), [([], [1]), ([0], [])])
def test_a_fold_without_pictures_to_learn_from_or_to_judge_is_refused(train, test):
    with pytest.raises(ValueError, match="pictures to learn from"):
        Fold(*(np.array(rows, int) for rows in (train, [2], test)), labels=[0, 1, 0])
