"""A black box, data or a domain that cannot be used is refused with a reason."""

import jax
import numpy as np
import pytest
from toy_boxes import SQUARE, ring

from theory.interpreter import interpret

pytestmark = pytest.mark.usefixtures("standard_promotion", "unchecked")
KEY = jax.random.key(0)
BAD = {
    "gave shape": lambda x: np.zeros(3),
    r"gave shape \(\)": lambda x: 1.0,
    "gave shape .*2, 2": lambda x: np.zeros((len(x), 2, 2)),
    "NaN or infinity at .* first at x": lambda x: np.where(x[:, 0] > 0.5, np.nan, 1.0),
    "one class only": lambda x: np.zeros(len(x), int),
    "numbers, Booleans and text": lambda x: np.zeros(len(x), "datetime64[s]"),
    "no boundary": lambda x: np.tile([0.9, 0.1], (len(x), 1)),
}


@pytest.mark.parametrize("reason", list(BAD))
def test_answers_that_are_none(reason):
    with pytest.raises(ValueError, match=reason):
        interpret(BAD[reason], domain=SQUARE, key=KEY)


def test_something_that_cannot_be_asked():
    with pytest.raises(TypeError, match="callable or has predict, got int"):
        interpret(3, domain=SQUARE, key=KEY)


def test_a_task_that_the_answers_contradict():
    with pytest.raises(ValueError, match="one output"):
        interpret(lambda x: np.ones((len(x), 3)), domain=SQUARE, key=KEY, task="regression")
    with pytest.raises(ValueError, match='task="regression"'):
        interpret(lambda x: x[:, 0], domain=SQUARE, key=KEY, task="classification")
    with pytest.raises(ValueError, match="task must be"):
        interpret(ring, domain=SQUARE, key=KEY, task="ranking")
    with pytest.raises(ValueError, match="numbers as values"):
        interpret(ring, domain=SQUARE, key=KEY, task="regression")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "needs data"),
        ({"domain": [[1.0, -1.0], [0.0, 1.0]]}, "low < high"),
        ({"domain": [[0.0, 0.0]]}, "low < high"),
        ({"domain": [0.0, 1.0]}, "shape"),
        ({"data": np.zeros(5)}, "data must be"),
        ({"data": np.full((9, 2), np.nan)}, "finite"),
        ({"data": np.zeros((9, 3)), "domain": SQUARE}, r"box must be \(3, 2\)"),
        ({"data": np.full((9, 2), 7.0), "domain": SQUARE}, "at least 4 rows"),
        ({"data": np.zeros((2, 2))}, "at least 4 rows"),
        ({"data": np.zeros((0, 2))}, "no rows"),
        ({"domain": SQUARE, "samples": 10}, "samples"),
        ({"domain": SQUARE, "steps": 0}, "steps"),
        ({"domain": SQUARE, "hidden": (0,)}, "hidden"),
        ({"domain": SQUARE, "features": ["one"]}, "2 names"),
    ],
)
def test_arguments_that_describe_no_place(given, reason):
    with pytest.raises(ValueError, match=reason):
        interpret(ring, key=KEY, **given)


def test_questions_that_make_no_sense(ring_story):
    for question, reason in (
        (lambda: ring_story.explain([0.0, 0.0, 0.0]), "shape"),
        (lambda: ring_story.explain([0.0, np.inf]), "finite"),
        (lambda: ring_story.explain([0.0, 0.0], label="beside"), "no class"),
        (lambda: ring_story.explain([0.0, 0.0], "inside", "inside"), "itself"),
        (lambda: ring_story([[0.0, 0.0, 0.0]]), "points"),
        (lambda: ring_story.data_fidelity, "no data"),
        (lambda: ring_story.rules(0.0), "fidelity"),
    ):
        with pytest.raises(ValueError, match=reason):
            question()


def test_a_constant_feature_is_no_obstacle():
    data = np.random.default_rng(0).uniform(-1, 1, (60, 3))
    data[:, 2] = 5.0
    story = interpret(lambda x: x[:, 0] > 0, data, key=KEY, hidden=(8,), samples=2000, steps=200)
    assert story.place.box[2].tolist() == [4.5, 5.5]
    assert story.fidelity > 0.9


def test_columns_may_not_change_their_number():
    answers = iter([3, 2])
    with pytest.raises(ValueError, match="2 columns here and 3 before"):
        interpret(
            lambda x: np.random.default_rng(0).normal(size=(len(x), next(answers, 2))),
            domain=SQUARE,
            key=KEY,
        )
