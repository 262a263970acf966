"""Neighbours and spread-out points: the same as PyTorch's, and how long they take beside it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.backbones.cloud_rain import farthest_points, gather, knn

pytestmark = pytest.mark.peers
POINTS, K, COUNT = 1024, 20, 512
ROUNDS = 20


def clouds(torch, batch, d):
    x = np.random.default_rng(0).normal(size=(batch, POINTS, d)).astype(np.float32)
    return jnp.asarray(x), torch.from_numpy(x.copy())


def farthest_in_torch(torch, points, count):
    """The loop of the usual PyTorch PointNet++, without its random start."""
    rows = torch.arange(len(points))
    chosen = torch.zeros(len(points), count, dtype=torch.long)
    nearest = torch.full(points.shape[:2], 1e10)
    last = torch.zeros(len(points), dtype=torch.long)
    for number in range(count):
        chosen[:, number] = last
        squares = ((points - points[rows, last][:, None]) ** 2).sum(dim=-1)
        nearest = torch.minimum(nearest, squares)
        last = nearest.argmax(dim=-1)
    return chosen


@pytest.mark.parametrize(("batch", "d"), [(8, 3), (32, 3), (8, 64), (32, 64)])
def test_neighbours(batch, d, record, interleaved, torch):
    x, theirs = clouds(torch, batch, d)
    find = jax.jit(lambda x: knn(x, K))
    times = interleaved(
        lambda: find(x).block_until_ready(),
        lambda: torch.cdist(theirs, theirs).topk(K, largest=False)[1],
        rounds=ROUNDS,
    )
    record(f"{K} of {POINTS} points, batch {batch}, d={d}", "torch cdist + topk", *times, bar=1.0)


@pytest.mark.parametrize("d", [3, 64])
def test_neighbours_are_those_of_torch(d, torch):
    x, theirs = clouds(torch, 2, d)
    exact = torch.cdist(theirs.double(), theirs.double())
    found = torch.from_numpy(np.asarray(knn(x, K), np.int64))
    reached, best = exact.gather(2, found), exact.topk(K, largest=False, sorted=True)[0]
    assert (reached - best).abs().max().item() < 1e-5


def test_farthest_points(record, interleaved, torch):
    x, theirs = clouds(torch, 8, 3)
    times = interleaved(
        lambda: farthest_points(x, COUNT).block_until_ready(),
        lambda: farthest_in_torch(torch, theirs, COUNT),
        rounds=5,
    )
    record(f"{COUNT} farthest of {POINTS} points, batch 8", "torch loop", *times, bar=0.2)


def test_farthest_points_are_those_of_torch(torch):
    x, theirs = clouds(torch, 8, 3)
    expected = farthest_in_torch(torch, theirs, COUNT).numpy()
    np.testing.assert_array_equal(farthest_points(x, COUNT), expected)


def test_reading_features_and_its_gradient(record, interleaved, torch):
    x, theirs = clouds(torch, 8, 64)
    index = knn(x, K)
    other = torch.from_numpy(np.asarray(index, np.int64))
    other = (other + POINTS * torch.arange(8)[:, None, None]).flatten()
    theirs.requires_grad_()
    weights = jnp.asarray(np.random.default_rng(1).normal(size=(8, POINTS, K, 64)), jnp.float32)
    their_weights = torch.from_numpy(np.array(weights)).flatten(0, 2)
    slope = jax.jit(
        jax.value_and_grad(lambda x, index, weights: (gather(x, index) * weights).sum())
    )

    def step():
        theirs.grad = None
        (theirs.flatten(0, 1)[other] * their_weights).sum().backward()
        return theirs.grad

    gap = np.abs(np.asarray(slope(x, index, weights)[1]) - step().numpy()).max()
    assert gap < 1e-3
    times = interleaved(
        lambda: jax.block_until_ready(slope(x, index, weights)), step, rounds=ROUNDS // 2
    )
    record(f"{K} neighbours' features and gradient", "torch indexing", *times)
