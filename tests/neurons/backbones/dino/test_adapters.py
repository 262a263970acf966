"""Little is trained of a frozen network; and images enter as DINOv3 wants them."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.dino import (
    SATELLITE,
    Shape,
    VisionTransformer,
    freeze,
    low_rank_adapters,
    preprocess,
)


@pytest.fixture
def net():
    return VisionTransformer(Shape(16, 2, 2, 24), classes=2, rngs=nnx.Rngs(0))


def trained_names(net):
    return {".".join(map(str, path)) for path, _ in nnx.to_flat_state(nnx.state(net, nnx.Param))}


def test_freezing_keeps_the_answers_and_leaves_what_is_kept(net):
    x = jax.random.normal(jax.random.key(0), (3, 16, 16, 3))
    before = net(x)
    freeze(net, but=[net.out])
    np.testing.assert_array_equal(net(x), before)
    assert trained_names(net) == {"out.kernel_r", "out.bias_r"}
    freeze(net)
    assert not trained_names(net)


@pytest.mark.usefixtures("standard_promotion")  # optax divides by powers of whole numbers
def test_adapters_change_nothing_at_first_and_learn_alone(net):
    x = jax.random.normal(jax.random.key(0), (8, 16, 16, 3))
    y = jnp.arange(8) % 2
    before = net(x)
    freeze(net)
    low_rank_adapters(net, 2, alpha=4, places=("query", "value", "up"), rngs=nnx.Rngs(1))
    np.testing.assert_array_equal(net(x), before)
    assert nr.parameters(net.blocks[0].feed_forward.up.layer) == 0
    assert len(trained_names(net)) == 2 * 3 * 2
    run = nr.fit(
        net, nr.cross_entropy, optax.adam(0.05), nr.Batches((x, y), 8, 30), key=jax.random.key(0)
    )
    assert run.losses[-1] < 0.2 * run.losses[0]
    kernels = (net.embed.kernel_r[...], run.model.embed.kernel_r[...])
    np.testing.assert_array_equal(*kernels)


def test_an_adapter_is_a_correction_of_low_rank(net):
    low_rank_adapters(net, 3, alpha=6, places=("down",), rngs=nnx.Rngs(1))
    adapted = net.blocks[1].feed_forward.down
    adapted.up[...] = jax.random.normal(jax.random.key(3), adapted.up.shape)
    correction = np.asarray(adapted(jnp.eye(24)) - adapted.layer(jnp.eye(24)))
    expected = 2 * np.asarray(adapted.down[...]) @ np.asarray(adapted.up[...])
    np.testing.assert_allclose(correction, expected, rtol=1e-4, atol=1e-5)
    assert np.linalg.matrix_rank(correction, tol=1e-4) == 3


def test_wrong_adapters_are_refused(net):
    with pytest.raises(ValueError, match="rank"):
        low_rank_adapters(net, 0, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="places are query"):
        low_rank_adapters(net, places=("norm1",), rngs=nnx.Rngs(0))
    low_rank_adapters(net, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="has an adapter already"):
        low_rank_adapters(net, rngs=nnx.Rngs(0))


def test_images_are_resized_to_whole_patches_then_standardised():
    images = np.random.default_rng(0).integers(0, 256, (1, 32, 64, 3), np.uint8)
    mean, deviation = (np.array(values).reshape(1, 1, 1, 3) for values in SATELLITE)
    expected = (images / 255 - mean) / deviation
    found = preprocess(images, colours=SATELLITE)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    halved = preprocess(np.full((1, 64, 64), 0.25, np.float32), (32, 16))
    assert halved.shape == (1, 32, 16, 3)
    np.testing.assert_allclose(halved[0, 3, 5, 0], (0.25 - 0.485) / 0.229, rtol=1e-5)
    assert preprocess(np.zeros((1, 5, 41), np.float32)).shape == (1, 16, 48, 3)
    with pytest.raises(ValueError, match="multiples of the patch"):
        preprocess(images, (32, 40))
    with pytest.raises(ValueError, match="from 0 to 1"):
        preprocess(np.full((1, 16, 16), 3.0, np.float32))
