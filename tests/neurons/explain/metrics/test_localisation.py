"""Mass, ranks and peaks against loops, and what chance scores."""

import loops
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.explain import metrics

SHAPE = (2, 4, 4)
maps_of = arrays(np.float64, SHAPE, elements=st.sampled_from([-2.0, 0.0, 0.5, 0.75, 3.0]))
masks_of = arrays(np.bool_, SHAPE)
METRICS = {
    "mass": metrics.relevance_mass,
    "rank": metrics.relevance_rank,
    "top 5": lambda maps, masks: metrics.top_k_intersection(maps, masks, 5),
    "pointing": metrics.pointing_game,
}
each = pytest.mark.parametrize("name", METRICS)


def mass(one, mask):
    positive = [max(v, 0.0) for v in one.ravel()]
    inside = [p for p, t in zip(positive, mask.ravel(), strict=True) if t]
    return sum(inside) / sum(positive) if sum(positive) else np.nan


LOOPS = {
    "mass": mass,
    "rank": lambda one, mask: loops.share_of_top(one, mask, int(mask.sum())),
    "top 5": lambda one, mask: loops.share_of_top(one, mask, 5),
    "pointing": lambda one, mask: mask[one == one.max()].mean(),
}


@each
@given(maps=maps_of, masks=masks_of)
def test_values_are_those_of_a_loop(name, maps, masks):
    masks[:, 0, 0] = True
    expected = [LOOPS[name](m, t) for m, t in zip(maps, masks, strict=True)]
    np.testing.assert_allclose(METRICS[name](maps, masks), expected, rtol=1e-12)


@each
@given(maps=maps_of, masks=masks_of, power=st.integers(-30, 30))
def test_the_scale_of_a_map_does_not_count(name, maps, masks, power):
    found = METRICS[name](maps * 2.0**power, masks)
    np.testing.assert_array_equal(found, METRICS[name](maps, masks))


@each
def test_extremes(name, pair):
    masks = pair[1]
    find = METRICS[name]
    np.testing.assert_array_equal(find(masks * 1.0, masks), 1)
    np.testing.assert_allclose(find(np.ones(masks.shape), masks), masks.mean(axis=(1, 2)))
    if name != "top 5":  # with five pixels outside
        np.testing.assert_array_equal(find(np.where(masks, 0.0, 1.0), masks)[:2], [0, 0])


def test_ties_are_broken_by_chance(pair):
    maps, masks = pair
    rng = np.random.default_rng(1)
    noise = 1e-4 * rng.random((4000, *maps.shape[1:]))
    broken = maps[:1] + noise
    found = metrics.relevance_rank(broken, np.broadcast_to(masks[:1], noise.shape)).mean()
    np.testing.assert_allclose(found, metrics.relevance_rank(maps[:1], masks[:1])[0], atol=0.01)


@pytest.mark.parametrize(("tolerance", "hit"), [(0, 0), (4, 0), (4.9, 0), (5, 1), (15, 1)])
def test_the_pointing_game_forgives_a_distance(tolerance, hit):
    maps, masks = np.zeros((1, 9, 9)), np.zeros((1, 9, 9), bool)
    maps[0, 1, 2], masks[0, 5, 5] = 1, True  # five pixels apart
    assert metrics.pointing_game(maps, masks, tolerance=float(tolerance)).tolist() == [hit]


def test_distance_does_not_reach_into_the_next_image():
    maps, masks = np.zeros((3, 4, 4)), np.zeros((3, 4, 4), bool)
    maps[:, 0, 0] = 1
    masks[0, 0, 0], masks[1, 3, 3], masks[2, 0, 0] = True, True, True
    assert metrics.pointing_game(maps, masks, tolerance=3.0).tolist() == [1, 0, 1]


@pytest.mark.parametrize("k", [0, 7])
def test_k_must_fit_the_image(k):
    with pytest.raises(ValueError, match=r"k must lie in \[1, 6\]"):
        metrics.top_k_intersection(np.zeros((1, 6)), np.zeros((1, 6), bool), k)


def test_huge_relevance_has_a_finite_mass():
    maps = np.full((1, 4), 3e38, np.float32)
    assert metrics.relevance_mass(maps, np.array([[1, 0, 0, 0]])).tolist() == [0.25]
