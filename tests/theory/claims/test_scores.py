import numpy as np
import pytest

from theory.claims.scores import macro_scores


def by_hand(labels, predicted, classes):
    """Scores from counting, class by class."""
    per_class = []
    for c in range(classes):
        hit = sum(y == c == p for y, p in zip(labels, predicted, strict=True))
        alarm = sum(y != c == p for y, p in zip(labels, predicted, strict=True))
        missed = sum(p != c == y for y, p in zip(labels, predicted, strict=True))
        quiet = len(labels) - hit - alarm - missed
        ratios = ((2 * hit, 2 * hit + alarm + missed), (hit, hit + alarm), (hit, hit + missed))
        per_class.append([a / b if b else 0.0 for a, b in (*ratios, (alarm, alarm + quiet))])
    return 100 * np.mean(per_class, axis=0)


@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_counting(seed):
    generator = np.random.default_rng(seed)
    labels, predicted = generator.integers(0, 4, size=(2, 50))
    assert macro_scores(labels, predicted, 4) == pytest.approx(by_hand(labels, predicted, 4))


def test_perfect_and_constant_predictions():
    labels = np.repeat(np.arange(10), 5)
    assert macro_scores(labels, labels, 10) == (100, 100, 100, 0)
    constant = macro_scores(labels, np.zeros(50, int), 10)
    assert constant.recall == 10
    assert constant.f1 == pytest.approx(100 * (2 / 11) / 10)
    assert constant.false_positive_rate == 10


def test_a_class_nobody_predicts_counts_as_zero():
    assert macro_scores(np.array([0, 1]), np.array([0, 0]), 2).precision == 25


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [([], [], "equally many"), ([0, 3], [0, 1], r"\[0, 3\)")],
)
def test_bad_labels_are_named(labels, predicted, message):
    with pytest.raises(ValueError, match=message):
        macro_scores(np.array(labels, int), np.array(predicted, int), 3)
