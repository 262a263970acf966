import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.backbones.cloud_rain.geometry import _in_passes, farthest_points, gather, knn

K = 7


def cloud(seed=0, shape=(2, 40, 3), steps=None):
    """Normal points, or points of a coarse grid, among which many distances are equal."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=shape) if steps is None else rng.integers(0, steps, shape)
    return points.astype(np.float32)


def nearest(points, k, query=None):
    """The oracle: sorted by distance, then by index."""
    query = points if query is None else query
    squares = np.square(query[:, :, None].astype(float) - points[:, None]).sum(axis=-1)
    return np.argsort(squares, axis=-1, kind="stable")[..., :k], squares


def spread(points, count, start=0):
    """The oracle: farthest point sampling, the definition in loops."""
    chosen = np.full((len(points), count), start)
    for one, found in zip(points.astype(float), chosen, strict=True):
        for number in range(1, count):
            squares = np.square(one[:, None] - one[None, found[:number]]).sum(axis=-1)
            found[number] = squares.min(axis=1).argmax()
    return chosen


@given(seed=st.integers(0, 10**6), steps=st.sampled_from([None, 2, 3, 50]))
def test_neighbours_are_the_nearest_and_ties_go_to_the_lower_index(seed, steps):
    points = cloud(seed, steps=steps)
    np.testing.assert_array_equal(knn(jnp.asarray(points), K), nearest(points, K)[0])


def test_neighbours_of_other_points():
    points, query = cloud(0), cloud(1, (2, 5, 3))
    found = knn(jnp.asarray(points), K, jnp.asarray(query))
    np.testing.assert_array_equal(found, nearest(points, K, query)[0])


@pytest.mark.parametrize("held", [1, 90, 1000, 2**20])
def test_neighbours_do_not_depend_on_how_many_distances_are_held(held):
    points = jnp.asarray(cloud())
    np.testing.assert_array_equal(_in_passes(points, points, k=K, held=held), knn(points, K))


def test_many_coordinates_are_as_near_as_the_nearest():
    points = cloud(shape=(2, 200, 64)) + 5
    found = np.asarray(knn(jnp.asarray(points), K))
    expected, squares = nearest(points, K)
    reached, best = (np.take_along_axis(squares, i, axis=-1) for i in (found, expected))
    np.testing.assert_allclose(reached, best, atol=1e-4)
    assert (found != expected).mean() < 1e-2
    np.testing.assert_array_equal(found[..., 0], np.broadcast_to(np.arange(200), (2, 200)))


@pytest.mark.parametrize("d", [3, 64])
def test_identical_points_are_told_apart_by_index(d):
    found = knn(jnp.full((1, 40, d), 0.25), 3)
    np.testing.assert_array_equal(found, np.broadcast_to([0, 1, 2], (1, 40, 3)))


def test_points_on_a_line():
    points = np.outer(np.arange(40.0) ** 2, [1, -2, 0.5])[None].astype(np.float32)
    np.testing.assert_array_equal(knn(jnp.asarray(points), K), nearest(points, K)[0])
    np.testing.assert_array_equal(farthest_points(jnp.asarray(points), K), spread(points, K))


def test_gradients_flow_through_what_is_gathered():
    points = cloud()

    def edges(points):
        far = farthest_points(points, 4)
        near = gather(points, knn(points, K))
        return jnp.square(near - points[:, :, None]).sum() + gather(points, far).sum()

    gradient = np.asarray(jax.jit(jax.grad(edges))(jnp.asarray(points)))
    index, _ = nearest(points, K)
    expected = np.zeros(points.shape)
    for b in range(2):
        for i in range(40):
            gaps = points[b, index[b, i]] - points[b, i]
            np.add.at(expected[b], index[b, i], 2 * gaps)
            expected[b, i] -= 2 * gaps.sum(axis=0)
        np.add.at(expected[b], spread(points, 4)[b], 1.0)
    np.testing.assert_allclose(gradient, expected, atol=1e-4)


def test_all_functions_may_be_vmapped():
    points = jnp.asarray(cloud(shape=(4, 40, 3)))
    pairs = points.reshape(2, 2, 40, 3)
    for function in (lambda p: knn(p, K), lambda p: farthest_points(p, K)):
        whole, parts = function(points), jax.jit(jax.vmap(function))(pairs)
        np.testing.assert_array_equal(parts.reshape(whole.shape), whole)


@given(seed=st.integers(0, 10**6), steps=st.sampled_from([None, 2, 50]), start=st.integers(0, 39))
def test_farthest_points_follow_the_definition(seed, steps, start):
    points = cloud(seed, steps=steps)
    found = farthest_points(jnp.asarray(points), 9, start)
    assert found.dtype == jnp.int32
    np.testing.assert_array_equal(found, spread(points, 9, start))


def test_farthest_points_of_identical_points():
    np.testing.assert_array_equal(farthest_points(jnp.ones((1, 5, 3)), 4, 2), [[2, 0, 0, 0]])


@pytest.mark.parametrize("shape", [(2, 3), (2, 40, 7), (2,)])
def test_gather_reads_rows_of_the_own_cloud(shape):
    features = cloud(shape=(2, 40, 5))
    index = np.random.default_rng(0).integers(0, 40, shape).astype(np.int32)
    expected = np.stack([features[b][index[b]] for b in range(2)])
    np.testing.assert_array_equal(gather(jnp.asarray(features), jnp.asarray(index)), expected)


def test_a_wrong_neighbour_is_noticed():
    points = cloud()
    wrong = np.asarray(knn(jnp.asarray(points), K + 1))[..., 1:]  # without the point itself
    assert (wrong != nearest(points, K)[0]).any()


bad = cloud()
bad[1, 3, 0] = np.nan


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: knn(jnp.ones((2, 5, 3)), 6), "k must be from 1 to the number of points 5, got 6"),
        (lambda: knn(jnp.ones((2, 5, 3)), 0), "k must be"),
        (lambda: knn(jnp.ones((2, 0, 3)), 1), "empty cloud"),
        (lambda: knn(jnp.ones((5, 3)), 1), "batch, points, coordinates"),
        (lambda: knn(jnp.asarray(bad), 2), "NaN or infinity, first in cloud 1"),
        (lambda: knn(jnp.ones((2, 5, 3)), 2, jnp.ones((2, 5, 2))), "does not fit"),
        (lambda: knn(jnp.ones((2, 5, 3)), 2, jnp.ones((1, 5, 3))), "does not fit"),
        (lambda: farthest_points(jnp.ones((2, 5, 3)), 6), "count must be"),
        (lambda: farthest_points(jnp.ones((2, 5, 3)), 2, 5), "start must be from 0 to 4"),
        (lambda: farthest_points(jnp.ones((2, 0, 3)), 1), "empty cloud"),
        (lambda: farthest_points(jnp.asarray(bad), 2), "NaN"),
        (lambda: gather(jnp.ones((2, 5, 3)), jnp.zeros((1, 4), jnp.int32)), "does not fit"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_array_closed_over_is_checked_while_tracing():
    points = jnp.asarray(cloud())
    np.testing.assert_array_equal(jax.jit(lambda: knn(points, K))(), knn(points, K))
