"""Areas under curves against loops over thresholds and pairs."""

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
LOOPS = {
    "pixel_ap": loops.average_precision,
    "auc": loops.auc,
    "aupro": lambda one, mask: loops.aupro(one, mask, 0.3),
}
each = pytest.mark.parametrize("name", LOOPS)


@each
@given(maps=maps_of, masks=masks_of)
def test_values_are_those_of_a_loop(name, maps, masks):
    masks[:, 0, 0], masks[:, 0, 1] = True, False
    found = getattr(metrics, name)(maps, masks)
    expected = [LOOPS[name](m, t) for m, t in zip(maps, masks, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@each
def test_pooled_pixels_are_ranked_together(name, pair):
    maps, masks = pair
    found = getattr(metrics, name)(maps, masks, pooled=True)
    assert np.shape(found) == ()
    # Images as columns with a gap of background between them: one picture, no region across.
    gap = ((0, 0), (0, 0), (0, 1))
    tall = np.pad(maps, gap, constant_values=-9).transpose(1, 0, 2).reshape(1, 9, -1)
    known = np.pad(masks, gap).transpose(1, 0, 2).reshape(1, 9, -1)
    if name == "pixel_ap":  # pixels below all others add nothing to its sum
        np.testing.assert_allclose(found, loops.average_precision(tall[0], known[0]))
    flat = [np.concatenate([one.ravel() for one in stack]) for stack in (maps, masks)]
    if name == "auc":
        np.testing.assert_allclose(found, loops.auc(*flat))
    if name == "aupro":
        padded = loops.aupro(tall[0], known[0], 0.3 * (~masks).sum() / (~known).sum())
        np.testing.assert_allclose(found, padded)


@each
@given(maps=maps_of, masks=masks_of, scale=st.floats(0.5, 4), shift=st.floats(-1, 1))
def test_only_the_order_of_the_pixels_counts(name, maps, masks, scale, shift):
    find = getattr(metrics, name)
    np.testing.assert_array_equal(find(maps, masks), find(scale * maps**3 + shift, masks))


@each
def test_extremes(name, pair):
    masks, find = pair[1], getattr(metrics, name)
    np.testing.assert_allclose(find(masks * 1.0, masks), 1)
    constant = {"pixel_ap": masks.mean(axis=(1, 2)), "auc": 0.5, "aupro": 0.15}
    np.testing.assert_allclose(find(np.ones(masks.shape), masks), constant[name])
    assert (find(1.0 - masks, masks) < 0.7).all()


def test_the_opposite_map_turns_the_roc_around(pair):
    maps, masks = pair
    np.testing.assert_allclose(metrics.auc(maps, masks) + metrics.auc(-maps, masks), 1)


def test_small_regions_count_as_much_as_large_ones():
    masks = np.zeros((1, 6, 20), bool)
    masks[0, 1:5, 1:9] = True
    masks[0, 2, 15] = True
    large, small = masks.astype(float), masks.astype(float)
    large[0, 2, 15] = 0
    small[0, :, :12] = 0
    # Half the overlap at no false positive, the rest at the limit of all of them.
    expected = 0.5 + 0.5 * 0.3 / 2
    np.testing.assert_allclose(metrics.aupro(large, masks), expected)
    np.testing.assert_allclose(metrics.aupro(small, masks), expected)


def test_images_without_a_defect_add_false_positives():
    maps = np.array([[[0.9, 0.1, 0.1, 0.1]], [[0.1, 0.1, 0.95, 0.1]]])
    masks = np.array([[[1, 0, 0, 0]], [[0, 0, 0, 0]]])
    np.testing.assert_allclose(metrics.aupro(maps, masks), [1, np.nan])
    # One of seven pixels outside outranks the defect.
    expected = (0.3 - 1 / 7) / 0.3
    np.testing.assert_allclose(metrics.aupro(maps, masks, pooled=True), expected)


@pytest.mark.parametrize("limit", [0.0, 1.5, float("nan")])
def test_the_limit_is_a_rate(limit):
    with pytest.raises(ValueError, match="rate of false positives"):
        metrics.aupro(np.zeros((1, 3)), np.zeros((1, 3), bool), limit=limit)
