"""Point clouds: the class and what it refuses, the unit ball, and the sets by name."""

import numpy as np
import pytest

from neurons.data import sets
from neurons.data.pointclouds import PointClouds, unit_ball
from neurons.data.procedural_shapes import rotations
from neurons.data.registry import DataError

X = np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32)


def few(**changes):
    fields = {
        "x_train": X[:3].copy(),
        "y_train": np.array([0, 1, 0]),
        "x_test": X[3:].copy(),
        "y_test": np.array([1]),
    }
    return PointClouds(
        "few", **{**fields, "classes": ("a", "b"), "source": "toy", "simulated": True, **changes}
    )


def with_parts(**changes):
    parts = np.zeros((4, 6), int)
    fields = {"parts_train": parts[:3], "parts_test": parts[3:], "part_names": ("all",)}
    return few(**{**fields, **changes})


def test_the_text_says_what_it_is():
    assert str(few()) == "few: toy, 3 + 1 clouds of 6 points in 3-d (simulated)"


def test_digest_follows_points_labels_parts_and_nothing_else():
    same, moved = few(), X[:3].copy()
    moved[0, 0, 0] += 1
    others = [few(x_train=moved), few(y_train=np.array([1, 1, 0])), with_parts()]
    assert same.digest == few().digest
    assert len({same.digest, *(other.digest for other in others)}) == 4


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        few().x_train[0] = 0


NAN = np.where(np.arange(18).reshape(1, 6, 3) == 4, np.nan, 0).astype(np.float32)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"x_train": X[:3, 0]}, "clouds, points, dimensions"),
        ({"x_train": X[:3].astype(float)}, "float32"),
        ({"x_train": X[:3, :0]}, "none of them 0"),
        ({"x_train": X[:0], "y_train": np.zeros(0, int)}, "none of them 0"),
        ({"x_test": X[3:, :, :1]}, "2 or 3 dimensions"),
        ({"x_test": X[3:, :5]}, "clouds of one shape"),
        ({"x_test": NAN}, "finite coordinates, found others in cloud 0"),
        ({"y_train": np.array([0, 1])}, "label each"),
        ({"y_test": np.array([2])}, "labels below 2"),
        ({"y_test": np.array([0.5])}, "labels below 2"),
        ({"part_names": ("a",)}, "labels of 1 parts, found none"),
        ({"parts_train": np.zeros((3, 5), int), "part_names": ("a",)}, "a part for every point"),
        ({"parts_train": np.ones((3, 6), int), "part_names": ("a",)}, "labels below 1"),
    ],
)
def test_arrays_that_do_not_fit_are_named(changes, expected):
    with pytest.raises(DataError, match=expected):
        few(**changes)


def test_the_unit_ball_holds_every_cloud_and_turns_with_it():
    points = 1e3 + 5 * X.astype(float)
    ball = unit_ball(points)
    np.testing.assert_allclose(ball.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(ball, axis=2).max(axis=1), 1)
    turn = rotations(np.random.default_rng(1), 1)[0] @ np.diag([1, 1, -1.0])
    np.testing.assert_allclose(unit_ball(points @ turn), ball @ turn, atol=1e-12)
    assert unit_ball(X).dtype == np.float32


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((0, 3)), "none of them 0"),
        (np.zeros(3), "none of them 0"),
        (np.array([[0, np.nan], [1, 2]]), "finite; 1 are not"),
        (np.full((5, 3), 0.1), "all points of a cloud are the same"),
        (np.full((2, 7, 3), 1e6 + 0.3, np.float32), "all points of a cloud are the same"),
    ],
)
def test_clouds_without_size_are_refused(points, message):
    with pytest.raises(ValueError, match=message):
        unit_ball(points)


@pytest.mark.parametrize("name", ["pointclouds", "modelnet10", "mnist_points"])
def test_simulated_sets_say_so_and_follow_their_seed(name):
    made = sets.simulated(name, seed=2)
    assert made.simulated
    assert made.name == f"simulated_{name}"
    assert made.digest == sets.simulated(name, seed=2).digest
    assert made.digest != sets.simulated(name, seed=3).digest
    np.testing.assert_allclose(np.linalg.norm(made.x_test, axis=2).max(axis=1), 1, atol=1e-6)


def test_mirrored_digits_are_each_others_image():
    two, five = (sets.SIMULATORS["mnist_points"](test=400).x_test[k::10] for k in (2, 5))
    # The product of both coordinates changes sign with a mirror: strokes run the other way.
    left, right = ((x[:, :, 0] * x[:, :, 1]).mean() for x in (two, five))
    assert left > 0.02 > 0 > right


def test_too_few_digits_are_refused():
    with pytest.raises(ValueError, match=r"needs 10 \+ 10 clouds of 8 points"):
        sets.SIMULATORS["mnist_points"](test=9)
