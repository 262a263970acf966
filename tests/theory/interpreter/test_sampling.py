import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.interpreter.sampling import Sampling, at_boundary, place, spread
from theory.interpreter.surrogate import linear_surrogate, neighbourhood, weighted_r2

SQUARE = [[-1.0, 1.0], [-1.0, 1.0]]


def side(x):
    return (x[:, 0] > 0.25).astype(np.int64)


@given(st.integers(0, 2**32 - 1))
def test_half_of_the_boundary_samples_lie_at_the_boundary(seed):
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, (400, 2))
    found = at_boundary(side, x, side(x), 200, random)
    assert found.shape == (200, 2)
    assert (np.abs(found) <= 1).all()
    assert (np.abs(found[:, 0] - 0.25) < 1e-2).mean() > 0.3
    assert np.abs(found[:, 0] - 0.25).max() < 0.5


def test_pairs_of_a_rare_class_are_found():
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (1000, 1))
    x[0], ask = 0.999, lambda z: (z[:, 0] > 0.995).astype(np.int64)
    found = at_boundary(ask, x, ask(x), 100, random)
    assert (np.abs(found - 0.995) < 1e-2).sum() >= 30


@given(st.integers(0, 2**32 - 1))
def test_no_sample_leaves_the_domain_and_held_out_rows_are_none_of_them(seed):
    random = np.random.default_rng(seed)
    data = random.normal(size=(40, 3))
    where = place(data, None, Sampling(), random)
    x = spread(where, 500, Sampling(), random, 0.2)
    assert x.shape == (400, 3)
    assert ((x >= where.box[:, 0]) & (x <= where.box[:, 1])).all()
    assert len(where.held_out) == 10
    assert not (x[:, None] == where.held_out[None]).all(axis=2).any()
    np.testing.assert_array_equal(x[:30], where.rows)


def test_without_data_samples_fill_the_domain():
    random = np.random.default_rng(0)
    where = place(None, SQUARE, Sampling(), random)
    x = spread(where, 1000, Sampling(), random, 0.0)
    assert x.shape == (1000, 2)
    np.testing.assert_allclose(where.scale, 2 / np.sqrt(12))


def test_a_linear_response_is_explained_by_a_line():
    random, box = np.random.default_rng(0), np.array([[-9.0, 9.0]] * 2)
    near = neighbourhood(np.array([1.0, 2.0]), np.array([1.0, 0.5]), box, 2000, random)
    found = linear_surrogate(near, 3 * near.points[:, 0] - near.points[:, 1] + 1)
    np.testing.assert_allclose(found.weights, [3, -1], atol=0.02)
    assert weighted_r2(near.points[:, 0], near.points[:, 0], near.weights) == pytest.approx(1.0)
    assert np.isnan(weighted_r2(np.ones(3), np.ones(3), np.ones(3)))
