"""Concentration against pairwise differences and sums."""

import loops
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.explain import metrics

maps_of = arrays(np.float64, (2, 3, 4), elements=st.floats(-5, 5, width=16))
SCALE_FREE = {
    "sparseness": metrics.sparseness,
    "complexity": metrics.complexity,
    "effective": metrics.effective_complexity,
}


@given(maps=maps_of)
def test_values_are_those_of_loops(maps):
    maps[:, 0, 0] = 1.0
    gini, entropy = ([find(one) for one in maps] for find in (loops.gini, loops.entropy))
    np.testing.assert_allclose(metrics.sparseness(maps), gini, atol=1e-12)
    np.testing.assert_allclose(metrics.complexity(maps), entropy, atol=1e-12)
    counted = [(np.abs(one) / np.abs(one).max() > 0.25).sum() for one in maps]
    np.testing.assert_array_equal(metrics.effective_complexity(maps, threshold=0.25), counted)
    np.testing.assert_allclose(metrics.l1_complexity(maps), np.abs(maps).mean(axis=(1, 2)))


@pytest.mark.parametrize("name", SCALE_FREE)
@given(maps=maps_of, power=st.integers(-20, 20))
def test_neither_scale_nor_sign_count(name, maps, power):
    find = SCALE_FREE[name]
    np.testing.assert_array_equal(find(maps), find(-maps * 2.0**power))


def test_extremes():
    one = np.zeros((1, 2, 4))
    one[0, 1, 1] = -7
    assert metrics.sparseness(one).tolist() == [1 - 1 / 8]
    assert metrics.complexity(one).tolist() == [0]
    assert metrics.effective_complexity(one).tolist() == [1]
    flat = np.full((1, 2, 4), 0.3)
    np.testing.assert_allclose(metrics.sparseness(flat), 0, atol=1e-12)
    np.testing.assert_allclose(metrics.complexity(flat), np.log(8))
    assert metrics.effective_complexity(flat).tolist() == [8]


def test_zeros_have_no_concentration():
    zeros = np.zeros((1, 2, 4))
    assert np.isnan(metrics.sparseness(zeros)).all()
    assert np.isnan(metrics.complexity(zeros)).all()
    assert metrics.effective_complexity(zeros).tolist() == [0]
    assert metrics.l1_complexity(zeros).tolist() == [0]


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_the_threshold_is_a_share(threshold):
    with pytest.raises(ValueError, match="share of the largest"):
        metrics.effective_complexity(np.ones((1, 3)), threshold=threshold)


@given(maps=maps_of)
def test_histograms_are_numpy_s(maps):
    found = metrics.histogram_entropy(maps, bins=7)
    for one, value in zip(maps, found, strict=True):
        share = np.histogram(one, bins=7)[0] / one.size
        np.testing.assert_allclose(value, -(share[share > 0] * np.log(share[share > 0])).sum())
