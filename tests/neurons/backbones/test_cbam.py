import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from scipy.signal import correlate2d

import neurons as nr
from neurons.backbones.cbam import CBAM, ChannelGate, SpatialGate

X = np.random.default_rng(0).normal(size=(3, 9, 6, 32)).astype(np.float32)


def sigmoid(score):
    return 1 / (1 + np.exp(-score))


def by_hand(net, x, trains):
    """Float64 twin of section 3 of the notes, written from the formula."""
    gate, space = net.channels, net.space
    w1, b1, w2, b2 = (
        np.asarray(p[...], np.float64)
        for p in (gate.narrow.kernel, gate.narrow.bias, gate.widen.kernel, gate.widen.bias)
    )
    x = x.astype(np.float64)
    score = sum(np.maximum(pool @ w1 + b1, 0) @ w2 + b2 for pool in (x.mean((1, 2)), x.max((1, 2))))
    x = x * sigmoid(score)[:, None, None]
    kernel = np.asarray(jax.tree.leaves(nnx.state(space.conv, nnx.Param))[0], np.float64)
    planes = np.stack([x.max(-1), x.mean(-1)], axis=-1)
    score = np.stack(
        [
            sum(correlate2d(p[..., c], kernel[..., 0, c], mode="same") for c in range(2))
            for p in planes
        ]
    )
    if space.norm is not None:
        mean, var = (score.mean(), score.var()) if trains else (0.0, 1.0)
        score = (score - mean) / np.sqrt(var + 1e-5)
    return x * sigmoid(score)[..., None]


@pytest.fixture(scope="module")
def net():
    net = CBAM(32, rngs=nnx.Rngs(1))
    noise = jax.random.normal(jax.random.key(2), (32,))
    net.channels.widen.bias[...] = noise  # a bias of zero would hide that it is there twice
    return net


@pytest.mark.parametrize("trains", [True, False])
def test_equals_the_formula_in_float64(net, trains):
    one = nnx.clone(net)
    one.train() if trains else one.eval()
    found = one(jnp.asarray(X))
    np.testing.assert_allclose(found, by_hand(one, X, trains), atol=2e-6)


def test_without_norm_it_is_the_papers_formula():
    net = CBAM(32, norm=False, rngs=nnx.Rngs(3))
    np.testing.assert_allclose(net(jnp.asarray(X)), by_hand(net, X, False), atol=2e-6)


def test_exchanged_pools_are_noticed(net):
    one = nnx.clone(net)
    one.eval()
    kernel = jax.tree.leaves(nnx.state(one.space.conv, nnx.Param))[0]
    swapped = jax.tree.map(lambda _: kernel[..., ::-1], nnx.state(one.space.conv, nnx.Param))
    nnx.update(one.space.conv, swapped)
    wrong = one(jnp.asarray(X))
    assert np.abs(wrong - by_hand(net, X, False)).max() > 1e-2


def test_statistics_move_in_training_mode_only(net):
    one = nnx.clone(net)
    one.eval()
    one(jnp.asarray(X))
    assert float(one.space.norm.var[0]) == 1.0
    one.train()
    one(jnp.asarray(X))
    assert float(one.space.norm.var[0]) != 1.0


def test_running_statistics_keep_99_parts_of_100(net):
    one = nnx.clone(net)
    one.train()
    one(jnp.full((2, 9, 6, 32), 0.5))
    # A constant input still has a border: the statistics are those of its score.
    bare = nnx.clone(one)
    bare.space.norm = None
    gated = bare.channels(jnp.full((2, 9, 6, 32), 0.5))
    pools = jnp.stack([gated.max(-1), gated.mean(-1)], axis=-1)
    score = bare.space.conv(pools).sum(-1)
    np.testing.assert_allclose(one.space.norm.mean[0], 0.01 * score.mean(), rtol=1e-4)
    np.testing.assert_allclose(one.space.norm.var[0], 0.99 + 0.01 * score.var(), rtol=1e-4)


@pytest.mark.parametrize(("features", "hidden"), [(32, 2), (16, 1), (6, 1)])
def test_the_middle_has_a_sixteenth_of_the_channels_and_at_least_one(features, hidden):
    assert ChannelGate(features, rngs=nnx.Rngs(0)).narrow.kernel.shape == (features, hidden)


def test_the_spatial_gate_has_99_parameters_and_no_bias_of_its_convolution():
    params = nnx.state(SpatialGate(norm=False, rngs=nnx.Rngs(0)), nnx.Param)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == 2 * 7 * 7


@pytest.mark.usefixtures("standard_promotion")
def test_fit_trains_it_and_keeps_its_statistics(net):
    batches = nr.Batches((jnp.asarray(X), jnp.asarray(X) * 0.5), 3, 5)
    run = nr.fit(net, nr.squared_error, optax.adam(1e-2), batches, key=jax.random.key(0))
    assert run.losses[-1] < run.losses[0]
    assert float(run.model.space.norm.var[0]) != 1.0
    assert float(net.space.norm.var[0]) == 1.0


def test_bad_sizes_are_refused(net):
    with pytest.raises(ValueError, match="at least 1"):
        ChannelGate(0, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="at least 1"):
        CBAM(8, reduction=0, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="got"):
        net(jnp.ones((2, 9, 6, 31)))
