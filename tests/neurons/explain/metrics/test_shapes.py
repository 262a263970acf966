"""Regions, holes and boundaries against flooding and distances."""

import loops
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.explain import metrics
from neurons.explain.metrics.shapes import dilated

masks_of = arrays(np.bool_, (2, 5, 6))
RING = np.array([[0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 1, 1, 1, 0]], bool)


@given(shapes=masks_of)
def test_components_and_holes_are_those_of_flooding(shapes):
    for touch in ("corners", "edges"):
        expected = [len(loops.flood(one, touch == "corners")) for one in shapes]
        np.testing.assert_array_equal(metrics.components(shapes, touch=touch), expected)
    holes = [loops.holes(one) for one in shapes]
    np.testing.assert_array_equal(metrics.holes(shapes), holes)
    np.testing.assert_array_equal(metrics.euler(shapes), metrics.components(shapes) - holes)


@given(shapes=masks_of)
def test_regions_are_labelled_within_their_image(shapes):
    labels, image = metrics.regions(shapes)
    np.testing.assert_array_equal(labels > 0, shapes)
    np.testing.assert_array_equal(image[labels][shapes], np.nonzero(shapes)[0])


@given(shapes=masks_of)
def test_boundaries_have_a_neighbour_outside(shapes):
    for one, found in zip(shapes, metrics.boundary(shapes), strict=True):
        assert sorted(zip(*np.nonzero(found), strict=True)) == sorted(loops.boundary(one))


@pytest.mark.parametrize("shape", [(2, 12), (2, 5, 6), (2, 3, 4, 3)], ids=["1d", "2d", "3d"])
@pytest.mark.parametrize("radius", [0.0, 0.9, 1.0, 1.5, 2.3, 9.0])
def test_dilation_reaches_so_far(shape, radius):
    shapes = np.random.default_rng(2).random(shape) < 0.08
    for one, found in zip(shapes, dilated(shapes, radius), strict=True):
        places = np.argwhere(one)
        grid = np.indices(one.shape).reshape(one.ndim, -1).T
        apart = np.linalg.norm(grid[:, None] - places[None], axis=-1)
        np.testing.assert_array_equal(found.ravel(), (apart <= radius).any(axis=1))


@given(maps=arrays(np.float64, (2, 5, 6), elements=st.sampled_from([0.0, 1.0])), masks=masks_of)
def test_boundary_scores_are_those_of_distances(maps, masks):
    for tolerance in (0.0, 1.0, 1.5):
        found = metrics.boundary_f(maps, masks, 0.5, tolerance=tolerance)
        pairs = zip(maps, masks, strict=True)
        expected = [loops.boundary_f(one, mask, 0.5, tolerance) for one, mask in pairs]
        np.testing.assert_allclose(found, expected)


def test_a_ring_has_a_hole_and_a_gap_closes_it():
    open_ring = RING.copy()
    open_ring[1, 1] = False
    assert metrics.holes(np.stack([RING, open_ring])).tolist() == [1, 0]
    assert metrics.euler(np.stack([RING, open_ring])).tolist() == [0, 1]
    # Over corners nothing escapes: a diamond is closed.
    diamond = np.array([[[0, 1, 0], [1, 0, 1], [0, 1, 0]]], bool)
    assert metrics.euler(diamond).tolist() == [0]


def test_a_shifted_shape_scores_within_its_shift():
    masks = np.zeros((1, 20, 20), bool)
    masks[0, 5:12, 5:12] = True
    moved = np.roll(masks, 2, axis=2) * 1.0
    assert metrics.boundary_f(moved, masks, 0.5).tolist() == [1]
    assert metrics.boundary_f(moved, masks, 0.5, tolerance=1.0)[0] < 1
    assert metrics.boundary_f(masks * 1.0, masks, 0.5, tolerance=0.0).tolist() == [1]
    far = np.zeros((1, 20, 20))
    far[0, 19, 19] = 1
    assert metrics.boundary_f(far, masks, 0.5).tolist() == [0]
    assert metrics.boundary_f(0 * far, masks, 0.5).tolist() == [0]


def test_scatter_is_counted_everywhere_or_inside():
    masks = np.array([[[1, 1, 1, 0, 0, 0, 1]]], bool)
    maps = np.array([[[1, 0, 1, 0, 1, 0, 1]]], float)
    assert metrics.components_per_region(maps, masks, 0.5).tolist() == [2.0]
    assert metrics.components_per_region(maps, masks, 0.5, where="regions").tolist() == [1.5]
    assert metrics.components_per_region(masks * 1.0, masks, 0.5).tolist() == [1.0]


def test_holes_need_a_plane():
    with pytest.raises(ValueError, match="height, width"):
        metrics.holes(np.zeros((1, 3, 3, 3), bool))


def test_distances_are_not_negative():
    with pytest.raises(ValueError, match="at least 0 pixels"):
        metrics.boundary_f(np.zeros((1, 3)), np.zeros((1, 3), bool), 0.5, tolerance=-1.0)


@pytest.mark.usefixtures("unchecked")
def test_unknown_words_are_named():
    empty = np.zeros((1, 3), bool)
    with pytest.raises(ValueError, match="got 'faces'"):
        metrics.components(empty, touch="faces")
    with pytest.raises(ValueError, match="got 'mask'"):
        metrics.components_per_region(empty * 1.0, empty, 0.5, where="mask")
    with pytest.raises(ValueError, match="must be a number"):
        metrics.boundary_f(empty * 1.0, empty, float("nan"))
