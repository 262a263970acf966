import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from theory.regions import Polytope
from theory.regions.balls import balls
from theory.regions.polytope import from_box


def random_polytope(seed, d=3, rows=12, offset=1.0):
    rng = np.random.default_rng(seed)
    return Polytope(rng.normal(size=(rows, d)), offset + rng.uniform(size=rows))


def needed(polytope):
    """Rows that a solver of linear programmes finds irredundant, one by one."""
    kept = []
    for row in range(len(polytope.offsets)):
        others = np.arange(len(polytope.offsets)) != row
        found = linprog(
            -polytope.normals[row],
            np.concatenate([polytope.normals[others], polytope.normals[row][None]]),
            np.append(polytope.offsets[others], polytope.offsets[row] + 1),
            bounds=(None, None),
            method="highs-ipm",  # the simplex method of HiGHS gives up on one in a thousand
        )
        if -found.fun > polytope.offsets[row] + 1e-9:
            kept.append(row)
    return kept


def largest_radius(normals, offsets, largest):
    """What a solver of linear programmes says, up to its tolerance of 1e-7."""
    rows = np.column_stack([normals, np.linalg.norm(normals, axis=1)])
    bounds = [(None, None)] * normals.shape[1] + [(None, largest)]
    goal = np.append(np.zeros(normals.shape[1]), -1.0)
    return linprog(goal, rows, offsets, bounds=bounds).x[-1]


@given(st.integers(0, 10**6), st.integers(1, 5))
def test_reduction_keeps_what_a_linear_programme_calls_needed(seed, d):
    polytope = random_polytope(seed, d)
    rows = needed(polytope)
    lengths = np.linalg.norm(polytope.normals[rows], axis=1)
    reduced = polytope.reduced()
    np.testing.assert_allclose(reduced.offsets, polytope.offsets[rows] / lengths)


@given(st.integers(0, 10**6))
def test_reduction_does_not_change_the_set(seed):
    polytope = random_polytope(seed, 2, 10)
    reduced, points = polytope.reduced(), np.random.default_rng(seed).normal(size=(200, 2)) * 3
    inside = (polytope.slack(points) >= 0).all(axis=1)
    assert ((reduced.slack(points) >= 0).all(axis=1) == inside).all()


@given(st.integers(0, 10**6))
def test_reduction_does_not_depend_on_the_units_of_features(seed):
    polytope, units = random_polytope(seed, 3), np.array([1e-4, 1.0, 1e6])
    scaled = Polytope(polytope.normals / units, polytope.offsets).reduced()
    rows = polytope.normals[needed(polytope)] / units
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(scaled.normals, rows / lengths)


def test_one_of_equal_rows_stays():
    square = from_box([[-1, 1], [-1, 1]])
    assert len((square & square & square).reduced().offsets) == 4
    scaled = Polytope(3 * square.normals, 3 * square.offsets)
    assert len((square & scaled).reduced().offsets) == 4


def test_rows_that_only_touch_are_redundant():
    corner = Polytope(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([2.0, 1.0]))
    assert len((from_box([[-1, 1], [-1, 1]]) & corner).reduced().offsets) == 4


def test_sets_without_an_inside_stay_as_they_are():
    flat = from_box([[0, 1], [0, 1]]) & Polytope(np.array([[1.0, 0]]), np.array([0.0]))
    assert flat.reduced() is flat
    assert flat.chebyshev_ball()[1] == pytest.approx(0)


def test_balls_of_boxes_are_known():
    centre, radius = from_box([[0, 4], [1, 2]]).chebyshev_ball()
    assert centre[1] == pytest.approx(1.5)
    assert radius == pytest.approx(0.5)


def test_an_empty_polytope_has_a_negative_ball():
    empty = Polytope(np.array([[1.0], [-1.0]]), np.array([-1.0, -1.0]))
    assert empty.chebyshev_ball()[1] == pytest.approx(-1)
    assert Polytope(np.zeros((1, 2)), np.array([-1.0])).chebyshev_ball()[1] < 0
    assert Polytope(np.zeros((0, 2)), np.zeros(0)).chebyshev_ball(5.0)[1] == pytest.approx(5)


@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([1e-3, 1.0, 1e3]))
def test_all_balls_at_once_are_the_solvers(seed, d, scale):
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(8, 15, d))
    offsets = scale * (rng.normal(size=(8, 15)) + 0.7)
    normals[:4, 10:] = 0.0  # padding
    offsets[:4, 10:] = np.abs(offsets[:4, 10:])
    normals[0, 5:10] = normals[0, :5]  # the same twice
    offsets[0, 5:10] = offsets[0, :5]
    centres, radii = balls(normals, offsets, np.zeros((8, d)), 3 * scale)
    oracle = [
        scale * largest_radius(a, c / scale, 3.0) for a, c in zip(normals, offsets, strict=True)
    ]
    np.testing.assert_allclose(radii, oracle, atol=1e-6 * scale)
    for a, c, centre, radius in zip(normals, offsets, centres, radii, strict=True):
        assert Polytope(a, c).slack(centre).min() >= radius - 1e-9 * scale


def test_a_point_on_every_wall_is_a_fair_start():
    """All sides are zero there: the steps of the simplex method are degenerate."""
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(50, 12, 3))
    normals[:, :, 0] = np.abs(normals[:, :, 0])  # a cone around -x
    centres, radii = balls(normals, np.zeros((50, 12)), np.zeros((50, 3)), 1.0)
    np.testing.assert_allclose(radii, 1.0)
    assert (np.einsum("pwd,pd->pw", normals, centres) < 0).all()


def test_corners_and_volumes():
    triangle = Polytope(np.array([[-1.0, 0], [0, -1], [1, 1]]), np.array([0.0, 0, 2]))
    assert triangle.volume() == pytest.approx(2)
    corners = triangle.vertices()
    along = np.roll(corners, -1, axis=0) - corners
    assert (along[:, 0] * np.roll(along[:, 1], -1) > along[:, 1] * np.roll(along[:, 0], -1)).all()
    assert from_box([[0, 1], [0, 2], [0, 3]]).volume() == pytest.approx(6)
    assert from_box([[1, 3]]).volume() == pytest.approx(2)


@pytest.mark.parametrize(
    "polytope",
    [
        Polytope(np.eye(2), np.ones(2)),
        Polytope(np.array([[1.0, 0], [-1, 0]]), np.ones(2)),
        Polytope(np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]]), np.ones(4)),
        Polytope(np.array([[0.0, -1], [-1, -1], [1, -1]]), np.ones(3)),
        Polytope(np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]]), np.array([0.0, 0, 1, 1])),
        Polytope(np.array([[1.0], [-1.0]]), np.array([-1.0, -1.0])),
    ],
)
def test_what_has_no_corners_says_so(polytope):
    with pytest.raises(ValueError, match="bounded polytope with an inside"):
        polytope.volume()


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ([[0, 1, 2]], r"box must be \(1, 2\)"),
        ([[1, 0]], "low < high"),
        ([[0, 0]], "low < high"),
        ([[0, np.inf]], "finite"),
        ([[0, np.nan]], "finite"),
        ([0, 1], "in_features, 2"),
    ],
)
def test_boxes_that_are_none(box, message):
    with pytest.raises(ValueError, match=message):
        from_box(box)
