import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory import pieces
from theory.exact_layers import linear_layer
from theory.piecewise import PiecewiseLinear
from theory.regions import (
    boundary,
    from_layers,
    generic_count,
    label_cells,
    margins,
    most_at_least,
    most_at_most,
    regions,
)

SQUARE = np.array([[-2.0, 2.0], [-1.0, 3.0]])
CROOKED = PiecewiseLinear.through([-2.0, -1.0, 0.5, 2.0], [0.3, -1.0, 0.0, 0.4])


def uniform(box, points, seed=0):
    box = np.asarray(box, float)
    return np.random.default_rng(seed).uniform(*box.T, (points, len(box)))


def misfit(found, x):
    """How far the map of the region a point is located in is from the network."""
    where = found.locate(x)
    assert (where >= 0).all()
    maps = np.einsum("pod,pd->po", found.weights[where], x) + found.biases[where]
    return np.abs(maps - found.network(x)).max()


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("units", [1, 2, 3, 5, 8, 10])
def test_one_generic_layer_has_as_many_regions_as_the_formula_says(d, units, random_net):
    for seed in range(5):
        assert len(regions(random_net((d, units, 2), seed))) == generic_count(units, d)


def test_ten_generic_lines_make_56_regions_and_two_the_same_55():
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(2, 10)), rng.normal(size=10)
    readout = [np.ones((10, 1)), np.zeros(1)]
    assert len(regions(from_layers([kernel, readout[0]], [bias, readout[1]]))) == 56
    kernel[:, 1] = 2 * kernel[:, 0]  # parallel lines: no longer generic
    assert len(regions(from_layers([kernel, readout[0]], [bias, readout[1]]))) == 55


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "hard_tanh", CROOKED])
@pytest.mark.parametrize("widths", [(2, 8, 2), (2, 16, 16, 3), (2, 8, 8, 8, 8, 1)])
def test_polygons_tile_the_box_and_hold_the_networks_maps(name, widths, random_net):
    found = regions(random_net(widths, activation=name), SQUARE)
    assert (found.volumes > 0).all()
    assert abs(found.volumes.sum() - 16) <= 1e-9
    assert misfit(found, uniform(SQUARE, 10_000)) <= 1e-12
    assert len(np.unique(found.patterns, axis=0)) == len(found)


def test_a_tiling_that_lost_a_region_is_noticed(random_net):
    found = regions(random_net((2, 16, 16, 2)), SQUARE)
    assert abs(np.delete(found.volumes, 7).sum() - 16) > 1e-9


@pytest.mark.parametrize("widths", [(1, 12, 12, 2), (2, 12, 12, 2), (3, 6, 6, 2)])
def test_no_pattern_that_points_have_is_missing(widths, random_net):
    net = random_net(widths)
    box = [[-2, 2]] * widths[0]
    seen = {row.tobytes() for row in net.pattern(uniform(box, 100_000))}
    known = {row.tobytes() for row in regions(net, box).patterns}
    assert seen <= known
    assert len(seen) > len(known) / 2


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3]), st.sampled_from(["relu", "hard_tanh"]))
def test_regions_have_their_own_pattern_inside_and_nowhere_else(seed, d, name):
    rng = np.random.default_rng(seed)
    widths = [d, 5, 4, 2]
    weights = [rng.normal(size=size) for size in itertools.pairwise(widths)]
    net = from_layers(weights, [rng.normal(size=n) for n in widths[1:]], name)
    found = regions(net, [[-2, 2]] * d)
    assert (net.pattern(found.interior) == found.patterns).all()
    assert (found.locate(found.interior) == np.arange(len(found))).all()
    assert abs(found.volumes.sum() - 4**d) <= 1e-9 * 4**d
    for region, volume in zip(found[:3], found.volumes, strict=False):
        assert region.polytope.contains(region.interior, tolerance=0.0)
        assert region.polytope.volume() == pytest.approx(volume)


@pytest.mark.parametrize("seed", range(3))
def test_linear_programmes_find_what_clipping_finds(seed, random_net):
    """The same network, with a third input that it does not see."""
    flat = random_net((2, 8, 8, 2), seed)
    deep = from_layers([np.vstack([flat.weights[0], np.zeros(8)]), *flat.weights[1:]], flat.biases)
    clipped, walked = regions(flat, SQUARE), regions(deep, [*SQUARE.tolist(), [0, 1]])
    assert {row.tobytes() for row in clipped.patterns} == {row.tobytes() for row in walked.patterns}
    same = walked.locate(np.column_stack([clipped.interior, np.full(len(clipped), 0.5)]))
    np.testing.assert_allclose(walked.volumes[same], clipped.volumes, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_large_box_holds_the_regions_of_the_plane(seed, random_net):
    net = random_net((2, 8, 8, 2), seed)
    everywhere, boxed = regions(net), regions(net, [[-1e4, 1e4]] * 2)
    assert {row.tobytes() for row in boxed.patterns} == {
        row.tobytes() for row in everywhere.patterns
    }


@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_one_variable_are_those_of_theory_pieces(seed, random_net):
    net = random_net((1, 6, 6, 1), seed)
    layers = [linear_layer(w, b) for w, b in zip(net.weights, net.biases, strict=True)]
    exact = pieces.pieces(layers, (-3.0, 3.0))
    found = regions(net, [[-3, 3]])
    ends = np.sort([region.corners[0, 0] for region in found])
    bends = exact.knots[:-1]
    assert np.abs(ends[:, None] - bends).min(axis=0).max() < 1e-5  # its layers are float32
    x = uniform([[-3, 3]], 1000)
    assert misfit(found, x) <= 1e-12


def test_a_deep_network_stays_between_the_bounds(random_net):
    found = regions(random_net((2, 8, 8, 2)))
    assert len(found) <= most_at_most([8, 8], 2) == 37**2
    assert most_at_least([8, 8], 2) == 16 * 37
    assert most_at_most([10], 3) == generic_count(10, 3) == most_at_least([10], 3)
    assert most_at_most([1, 10], 3) == 2 * 11


def sawtooth(layers):
    """Folds [0, 1] onto itself in every layer: 2^layers pieces of each input."""
    fold = np.kron(np.eye(2), [[2.0], [-4.0]]).reshape(4, 2)
    spread = np.kron(np.eye(2), [[1.0, 1.0]])
    shift = np.array([0.0, -0.5] * 2)
    kernels = [spread, *[fold @ spread] * (layers - 1), fold]
    return from_layers(kernels, [*[shift] * layers, np.zeros(2)])


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_folding_reaches_the_number_that_the_lower_bound_counts(layers):
    found = regions(sawtooth(layers), [[0, 1], [0, 1]])
    assert len(found) == 4**layers
    np.testing.assert_allclose(found.volumes, 4.0**-layers)


DEGENERATE = {
    "dead units": ([np.zeros((2, 3)), np.ones((3, 2))], [-np.ones(3), np.zeros(2)], 1),
    "all zero": ([np.zeros((2, 3)), np.zeros((3, 2))], [np.zeros(3), np.zeros(2)], 1),
    "the same unit thrice": ([np.ones((2, 3)), np.ones((3, 2))], [np.zeros(3), np.zeros(2)], 2),
    "opposite units": ([[[1, -1], [0, 0]], np.ones((2, 1))], [np.zeros(2), np.zeros(1)], 2),
    "lines through the box's corner": (
        [[[1.0, 1, 1], [-1, -2, 1]], np.ones((3, 1))],
        [[0, 1, -2], [0]],
        3,
    ),
    "lines along the box's edges": ([np.eye(2), np.ones((2, 1))], [[1, -1], [0]], 1),
    "many lines through one point": (
        [[[1.0, 0, 1, 1], [0, 1, 1, -1]], np.ones((4, 1))],
        [np.zeros(4), np.zeros(1)],
        8,
    ),
    "units that cancel": (
        [[[0.1, 0.1], [0.7, 0.7]], [[1], [-1]], [[1]]],
        [[0.3, 0.3], [0], [0]],
        2,
    ),
    "nearly the same line": (
        [[[1, 1 + 1e-15], [0.3, 0.3]], np.ones((2, 1))],
        [np.zeros(2), np.zeros(1)],
        2,
    ),
    "a tiny unit": ([[[1e-30], [2e-30]], [[1e30]]], [[0], [0]], 2),
    "a large unit": ([[[1e30], [2e30]], [[1e-30]]], [[0], [0]], 2),
}


@pytest.mark.parametrize("third", [False, True])
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_networks_are_cut_where_they_bend(case, third):
    weights, biases, number = DEGENERATE[case]
    box = [[-1, 1], [-1, 1]]
    if third:
        first = np.asarray(weights[0], float)
        weights = [np.vstack([first, np.zeros(first.shape[1])]), *weights[1:]]
        box = [*box, [0, 1]]
    net = from_layers(weights, biases)
    found = regions(net, box)
    assert len(found) == number
    assert found.volumes.sum() == pytest.approx(4, abs=1e-9)
    assert misfit(found, uniform(box, 500)) <= 1e-12


@pytest.mark.parametrize("units", [(1e-6, 1e-6, 1e-6), (1e6, 1e6, 1e6), (1e-3, 1e6, 1.0)])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_units_of_features_do_not_matter(d, units, random_net):
    net, scale = random_net((d, 6, 6, 3)), np.array(units[:d])
    scaled = from_layers([net.weights[0] / scale[:, None], *net.weights[1:]], net.biases)
    box = np.array([[-2.0, 2.0]] * d)
    found, same = regions(net, box), regions(scaled, box * scale[:, None])
    assert (found.patterns == same.patterns).all()
    np.testing.assert_allclose(same.volumes / scale.prod(), found.volumes, atol=1e-9)
    assert len(boundary(found)) == len(boundary(same)) > 0
    assert len(label_cells(found)) == len(label_cells(same))
    feet = boundary(same).nearest(same.interior).points
    assert margins(scaled, feet).margin.max() <= 1e-6


@pytest.mark.parametrize("d", [1, 2, 3])
def test_far_from_zero_the_same_line_still_cuts_once(d):
    rng = np.random.default_rng(d)
    kernel, place = rng.normal(size=(d, 4)), 1e6 + rng.uniform(0.4, 0.6, d)
    twice = np.hstack([kernel, 3 * kernel, -0.1 * kernel])
    net = from_layers([twice, np.ones((12, 1))], [-place @ twice, np.zeros(1)])
    assert len(regions(net, [[1e6, 1e6 + 1]] * d)) == {1: 2, 2: 8, 3: 14}[d]


def test_a_network_without_hidden_layers_is_one_region():
    found = regions(from_layers([np.ones((2, 1))], [[1.0]]), SQUARE)
    assert len(found) == 1
    assert found[0]([[1.0, 1.0]]).tolist() == [[3.0]]
    assert len(regions(from_layers([np.ones((3, 1))], [[1.0]]))) == 1


def test_regions_are_a_sequence(random_net):
    found = regions(random_net((2, 6, 2)), SQUARE)
    assert len([*found]) == len(found) == len(found[:])
    assert (found[-1].pattern == found.patterns[-1]).all()
    with pytest.raises(IndexError):
        found[len(found)]


def test_points_are_located_on_walls_too_and_outside_nowhere():
    found = regions(from_layers([np.eye(2), np.ones((2, 1))], [np.zeros(2), np.zeros(1)]), SQUARE)
    assert (found.locate([[0.0, 0.0], [2.0, 3.0], [-2.0, -1.0]]) >= 0).all()
    assert found.locate([[2.1, 0.0]]).tolist() == [-1]


@pytest.mark.parametrize(("d", "box"), [(2, SQUARE), (3, [[-1, 1]] * 3), (3, None)])
def test_more_regions_than_tolerated_are_an_error(d, box, random_net):
    net = random_net((d, 16, 16, 2))
    with pytest.raises(ValueError, match="more regions than tolerated"):
        regions(net, box, most=20)


@pytest.mark.usefixtures("unchecked")
def test_boxes_and_sizes_that_are_none(random_net):
    net = random_net((2, 4, 2))
    with pytest.raises(ValueError, match=r"box must be \(2, 2\), got shape \(3, 2\)"):
        regions(net, [[0, 1]] * 3)
    with pytest.raises(ValueError, match="low < high"):
        regions(net, [[0, 1], [1, 1]])
    with pytest.raises(ValueError, match="volumes need a box"):
        assert regions(net).volumes
    with pytest.raises(ValueError, match="most must be at least 1"):
        regions(net, SQUARE, most=0)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        generic_count(0, 2)
    with pytest.raises(ValueError, match="hidden layers"):
        most_at_most([], 2)
    with pytest.raises(ValueError, match="no narrower"):
        most_at_least([1, 4], 2)
