import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from theory.regions import Polytope, boundary, from_layers, labels, margins, regions
from theory.regions.projection import project

SQUARE = np.array([[-2.0, 2.0], [-2.0, 2.0]])


def crossings(ends, first, second):
    """Whether each path from one point to another meets a segment."""

    def side(p, q, r):
        return (q - p)[..., 0] * (r - p)[..., 1] - (q - p)[..., 1] * (r - p)[..., 0]

    p, q = first[:, None], second[:, None]
    a, b = ends[None, :, 0], ends[None, :, 1]
    apart = (side(p, q, a) * side(p, q, b) <= 1e-18) & (side(a, b, p) * side(a, b, q) <= 1e-18)
    return apart.any(axis=1)


def missed(net, ends, points=60):
    """Neighbours on a grid with unlike labels and no segment between them."""
    ticks = np.linspace(-2, 2, points) + 1e-4
    grid = np.stack(np.meshgrid(ticks[:-1], ticks[:-1], indexing="ij"), axis=-1)
    label = labels(net, grid.reshape(-1, 2)).reshape(grid.shape[:2])
    lost = 0
    for axis in (0, 1):
        here, there = np.delete(grid, -1, axis), np.delete(grid, 0, axis)
        unlike = np.diff(label, axis=axis) != 0
        lost += (~crossings(ends, here[unlike], there[unlike])).sum()
    return int(lost)


@pytest.mark.parametrize("outputs", [1, 2, 3, 10])
@pytest.mark.parametrize("name", ["relu", "hard_tanh"])
def test_no_unlike_neighbours_without_a_facet_between_them(outputs, name, random_net):
    for seed in range(3):
        net = random_net((2, 16, 16, outputs), seed, activation=name)
        assert missed(net, boundary(net, SQUARE).ends) == 0


def test_a_lost_facet_is_noticed(random_net):
    net = random_net((2, 16, 16, 3))
    found = boundary(net, SQUARE)
    longest = int(found.lengths.argmax())
    assert missed(net, np.delete(found.ends, longest, axis=0)) > 0


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 4]))
def test_the_top_two_tie_on_facets(seed, outputs):
    rng = np.random.default_rng(seed)
    widths = [2, 8, 8, outputs]
    weights = [rng.normal(size=size) for size in itertools.pairwise(widths)]
    net = from_layers(weights, [rng.normal(size=n) for n in widths[1:]])
    found = boundary(net, SQUARE)
    shares = np.linspace(0, 1, 7)[:, None, None]
    points = ((1 - shares) * found.ends[:, 0] + shares * found.ends[:, 1]).reshape(-1, 2)
    assert margins(net, points).margin.max(initial=0) <= 1e-9
    for facet in found:
        tops = margins(net, facet.interior[None]).classes[0]
        assert sorted(tops.tolist()) == sorted(facet.classes)
        assert facet.normal @ facet.interior == pytest.approx(facet.offset)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_normals_point_to_the_second_class(d, random_net):
    net = random_net((d, 12, 12, 3))
    found = boundary(net, [[-2, 2]] * d)
    step = 1e-7 * found.normals
    assert (labels(net, found.interior + step) == found.classes[:, 1]).all()
    assert (labels(net, found.interior - step) == found.classes[:, 0]).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_distance_is_that_to_a_fine_sample_of_the_boundary(outputs, random_net):
    net = random_net((2, 12, 12, outputs))
    found, x = boundary(net, SQUARE), np.random.default_rng(0).uniform(-2, 2, (300, 2))
    shares = np.linspace(0, 1, 200)[:, None, None]
    sample = ((1 - shares) * found.ends[:, 0] + shares * found.ends[:, 1]).reshape(-1, 2)
    brute = np.linalg.norm(x[:, None] - sample, axis=2).min(axis=1)
    near = found.nearest(x)
    assert (near.distance <= brute + 1e-12).all()
    np.testing.assert_allclose(near.distance, brute, atol=found.lengths.max() / 50)
    np.testing.assert_allclose(np.linalg.norm(x - near.points, axis=1), near.distance, atol=1e-12)
    assert margins(net, near.points).margin.max() <= 1e-9


def test_no_label_changes_closer_than_the_distance(random_net):
    net, rng = random_net((2, 12, 12, 3)), np.random.default_rng(0)
    found, x = boundary(net, [[-9, 9]] * 2), rng.uniform(-2, 2, (200, 2))
    reach = found.nearest(x).distance[:, None]
    angle = rng.uniform(0, 2 * np.pi, (50, 200))
    for turn in angle:
        moved = x + 0.999 * reach * np.column_stack([np.cos(turn), np.sin(turn)])
        assert (labels(net, moved) == labels(net, x)).all()


def test_the_distance_inside_the_region_is_the_margin_over_the_slope(random_net):
    net = random_net((2, 12, 12, 2))
    found, x = regions(net, SQUARE), np.random.default_rng(0).uniform(-2, 2, (2000, 2))
    near, local = boundary(found).nearest(x), margins(net, x)
    inside = boundary(found).regions[near.facets] == found.locate(x)
    feet = np.abs(near.distance - local.distance) <= 1e-9
    assert (local.distance[inside] <= near.distance[inside] + 1e-9).all()
    assert feet[inside].mean() > 0.5


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_boundaries_in_space_are_those_of_the_plane(outputs, random_net):
    """A third input that the network does not see."""
    flat = random_net((2, 8, 8, outputs), 1)
    deep = from_layers([np.vstack([flat.weights[0], np.zeros(8)]), *flat.weights[1:]], flat.biases)
    lines, planes = boundary(flat, SQUARE), boundary(deep, [[-2, 2], [-2, 2], [-9, 9]])
    assert len(lines) == len(planes) > 0
    x = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    near = planes.nearest(np.column_stack([x, np.zeros(50)]))
    np.testing.assert_allclose(near.distance, lines.nearest(x).distance, atol=1e-9)
    assert margins(deep, near.points).margin.max() <= 1e-9


def test_facets_without_a_box_have_a_point_on_them(random_net):
    net = random_net((3, 8, 3))
    found = boundary(net)
    assert margins(net, found.interior).margin.max() <= 1e-9
    for facet in found[:5]:
        assert facet.polytope.contains(facet.interior)


@pytest.mark.parametrize("d", [2, 5])
def test_projections_are_those_of_a_general_solver(d):
    rng = np.random.default_rng(d)
    for _ in range(10):
        rows = rng.normal(size=(12, d))
        polytope = Polytope(rows, np.abs(rng.normal(size=12)) + 0.1)
        unit = rng.normal(size=d)
        unit /= np.linalg.norm(unit)
        point = 3 * rng.normal(size=d)
        foot = project(point, unit, 0.05, polytope)
        assert abs(unit @ foot - 0.05) < 1e-9
        assert polytope.contains(foot)
        solved = minimize(
            lambda y, point=point: ((y - point) ** 2).sum(),
            0.05 * unit,
            jac=lambda y, point=point: 2 * (y - point),
            constraints=[
                {"type": "eq", "fun": lambda y, unit=unit: unit @ y - 0.05},
                {"type": "ineq", "fun": lambda y, p=polytope: p.offsets - p.normals @ y},
            ],
            options={"ftol": 1e-14, "maxiter": 500},
        )
        np.testing.assert_allclose(foot, solved.x, atol=1e-5)


KINK = [[1.0, 0.0], [0.0, 1.0]]
CASES = {
    "at a kink, beside a tie": ([KINK, [[0.0, 1], [0, 0]]], [[0, 0], [0, 0]], 2.0, 2),
    "the same, classes exchanged": ([KINK, [[1.0, 0], [0, 0]]], [[0, 0], [0, 0]], 2.0, 2),
    "at a kink between both": ([[[1.0, -1], [0, 0]], [[1.0, 0], [-1, 0]]], [[0, 0], [0, 0]], 2, 0),
    "touched, not crossed": ([[[1.0, -1], [0, 0]], [[1.0, 0], [1, 0]]], [[0, 0], [0, 0]], 0, 0),
    "through a vertex": ([KINK, [[1.0], [-1]]], [[0, 0], [0]], 2 + np.sqrt(2), 1),
    "no boundary": ([KINK, [[1.0, 0], [0, 0]]], [[0, 0], [1, 0]], 0, 0),
    "equal everywhere": ([np.zeros((2, 2)), np.ones((2, 2))], [[0, 0], [0, 0]], 0, 1),
    "three that meet": ([[[1.0, -1, 0], [0, 0, 1]]], [[0, 0, 0]], 2 + np.sqrt(2), 0),
    "equal classes": ([[[1.0, -1, -1], [0, 0, 0]]], [[0, 0, 0]], 4, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_degenerate_boundaries(case):
    weights, biases, length, ties = CASES[case]
    net, box = from_layers(weights, biases), [[-1, 1], [-1, 1]]
    found = boundary(net, box)
    assert len(found.ties) == ties
    if case == "three that meet":
        length = 1 + 2 * np.sqrt(2)
    assert found.lengths.sum() == pytest.approx(length)
    deep = from_layers([np.vstack([net.weights[0], np.zeros(net.weights[0].shape[1])]),
                        *net.weights[1:]], net.biases)  # fmt: skip
    assert len(boundary(deep, [*box, [0, 1]])) == len(found)


def test_points_bound_intervals():
    hat = from_layers([[[1, 1]], [[1], [-2]]], [[0, -1], [-0.5]])
    found = boundary(hat, [[0, 2]])
    np.testing.assert_allclose(found.ends.ravel(), [0.5, 1.5])
    assert found.nearest([[0.0], [1.2]]).distance == pytest.approx([0.5, 0.3])
    np.testing.assert_allclose(np.sort(boundary(hat).interior.ravel()), [0.5, 1.5])
    with pytest.raises(ValueError, match="two inputs"):
        assert found.lengths


def test_without_a_boundary_the_distance_is_infinite():
    net = from_layers([np.ones((2, 1))], [[9.0]])
    found = boundary(net, SQUARE)
    assert len(found) == 0
    near = found.nearest([[0.0, 0.0]])
    assert np.isinf(near.distance).all()
    assert near.facets.tolist() == [-1]
    assert len(boundary(from_layers([np.zeros((3, 1))], [[1.0]]), [[0, 1]] * 3)) == 0


@pytest.mark.usefixtures("unchecked")
def test_points_of_another_dimension_are_refused(random_net):
    with pytest.raises(ValueError, match=r"x must be \(points, 2\), got shape \(4, 3\)"):
        boundary(random_net((2, 4, 2)), SQUARE).nearest(np.zeros((4, 3)))


def test_regions_bring_their_own_box(random_net):
    found = regions(random_net((2, 4, 2)), SQUARE)
    with pytest.raises(ValueError, match="own box"):
        boundary(found, SQUARE)


def test_facets_are_a_sequence(random_net):
    found = boundary(random_net((2, 8, 8, 3)), SQUARE)
    assert len([*found]) == len(found) == len(found[:])
    pairs = {*itertools.combinations(range(3), 2)}
    assert {facet.classes for facet in found} <= pairs
