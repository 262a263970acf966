"""Normalisation and maximum in one pass equal the two one after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from flax import nnx

from neurons.backbones.cloud_rain import pooling
from neurons.backbones.cloud_rain.pooling import pooled

X, KERNEL, WEIGHTS = twins.draw((3, 8, 2)), twins.draw((2, 5)), twins.draw((3, 5), seed=2)
SCALE = jnp.array([1.0, -2.0, 0.5, 0.0, -0.1])  # of both signs


def normaliser(train):
    norm = nnx.BatchNorm(5, momentum=0.9, use_fast_variance=False, rngs=nnx.Rngs(0))
    norm.scale[...], norm.bias[...] = SCALE, 0.3 * SCALE[::-1]
    norm.use_running_average = not train
    return norm


def one_pass(norm, kernel):
    return pooled(lambda x: (lambda rows: rows @ kernel, (x,)), norm, nnx.relu, X)


def one_pass_by_rows(norm, kernel):
    """The same points as two neighbours of four rows each, whose maxima are pooled once more."""
    rows = X.reshape(3, 4, 2, 2)
    return pooled(lambda x: (lambda r: r @ kernel, (x,)), norm, nnx.relu, rows).max(axis=1)


def plainly(norm, kernel):
    return nnx.relu(norm(X @ kernel)).max(axis=1)


def outcome(pool, train):
    """Values, gradients of kernel, scale and bias, and the running moments after."""
    graph, params, rest = nnx.split(normaliser(train), nnx.Param, ...)

    @jax.jit
    @lambda f: jax.value_and_grad(f, has_aux=True)
    def loss(both):
        norm = nnx.merge(graph, both[0], rest, copy=True)
        values = pool(norm, both[1])
        return (WEIGHTS * values).sum(), (values, norm.mean[...], norm.var[...])

    return jax.tree.leaves(loss((params, KERNEL)))


@pytest.fixture(scope="module")
def plain():
    return {train: outcome(plainly, train) for train in (False, True)}


@pytest.mark.parametrize(
    ("pool", "train", "tile"),
    [
        (one_pass, False, 10),
        (one_pass, True, 10),
        (one_pass, True, 2**18),
        (one_pass_by_rows, True, 10),
    ],
    ids=["evaluation", "tiles of two points", "all points", "tiles of rows"],
)
def test_values_gradients_and_moments_are_those_of_two_passes(
    pool, train, tile, plain, monkeypatch
):
    monkeypatch.setattr(pooling, "_TILE", tile)
    for ours, theirs in zip(outcome(pool, train), plain[train], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_tiles_divide_the_points_or_take_them_all(monkeypatch):
    monkeypatch.setattr(pooling, "_TILE", 100)
    found = [pooling._tile_rows(count, 2) for count in (8, 64, 100, 1024, 1021, 60)]
    assert found == [8, 32, 50, 32, 1021, 30]


def test_the_maximum_alone_would_be_wrong_for_negative_scales():
    norm = normaliser(train=True)
    wrong = nnx.relu(norm((X @ KERNEL).max(axis=1, keepdims=True)))[:, 0]
    assert np.abs(np.asarray(wrong - plainly(normaliser(train=True), KERNEL))).max() > 0.1


def test_far_from_zero_the_variance_keeps_its_digits():
    norm = normaliser(train=True)
    pooled(lambda x: (lambda rows: rows @ KERNEL + 1000, (x,)), norm, nnx.relu, X)
    exact = (twins.float64(X) @ twins.float64(KERNEL)).var((0, 1))
    np.testing.assert_allclose(norm.var[...], 0.9 + 0.1 * exact, rtol=1e-3)


def test_accelerators_take_all_clouds_at_once(plain, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    for all_at_once, in_turn in zip(outcome(one_pass, train=True), plain[True], strict=True):
        np.testing.assert_allclose(all_at_once, in_turn, rtol=1e-4, atol=1e-5)


def test_nan_is_not_hidden():
    broken = X.at[1, 2].set(jnp.nan)
    norm = normaliser(train=False)
    found = pooled(lambda x: (lambda rows: rows @ KERNEL, (x,)), norm, nnx.relu, broken)
    assert np.isnan(np.asarray(found[1])).all()
    assert np.isfinite(np.asarray(found[0])).all()
