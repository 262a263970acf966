"""DINOv3's form: positions with known digits, cuts that change nothing, wrong input refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.dino import VARIANTS, Shape, VisionTransformer, rotary_table
from neurons.backbones.dino.rotary import rotate
from neurons.explain import cam, tokens_to_grid

SHAPE = Shape(16, 2, 2, 24)


@pytest.fixture(scope="module")
def net():
    return VisionTransformer(SHAPE, classes=3, pool="both", rngs=nnx.Rngs(0))


@pytest.fixture(scope="module")
def x():
    return jax.random.normal(jax.random.key(1), (2, 32, 48, 3))


def test_rotary_positions_have_the_known_digits():
    cosine, sine = (np.asarray(part[0], np.float64) for part in rotary_table(14, 14, 64))
    known = {
        "cosine": (0.90096887, -0.33086159, -0.99031011, -0.77678465),
        "sine": (0.43388374, 0.94367929, 0.1388736, -0.62976631),
    }
    np.testing.assert_allclose(cosine[:4], known["cosine"], atol=5e-7)
    np.testing.assert_allclose(sine[:4], known["sine"], atol=5e-7)
    np.testing.assert_array_equal(cosine[:32], cosine[32:])
    np.testing.assert_array_equal(cosine[:16], cosine[16:32])  # the first patch is on the diagonal


def test_rotation_depends_on_the_way_between_patches_alone():
    table = rotary_table(5, 7, 8)
    random = np.random.default_rng(0)
    query, key = (jnp.asarray(random.normal(size=(1, 1, 1, 8)), jnp.float32) for _ in range(2))
    turned = [rotate(jnp.broadcast_to(v, (1, 35, 1, 8)), table)[0, :, 0] for v in (query, key)]
    product = np.asarray(turned[0] @ turned[1].T).reshape(5, 7, 5, 7)
    for row, column in ((0, 0), (2, 3), (3, 1)):  # one down, two to the right
        assert product[row, column, row + 1, column + 2] == pytest.approx(
            product[0, 0, 1, 2], abs=1e-5
        )
    prefixed = rotary_table(5, 7, 8, prefix=3)
    alone = rotate(jnp.broadcast_to(query, (1, 38, 1, 8)), prefixed)[0, :3, 0]
    np.testing.assert_array_equal(alone, jnp.broadcast_to(query[0, 0], (3, 8)))


def test_a_cut_changes_nothing_and_the_grid_must_fit(net, x):
    expected = np.asarray(net(x))
    with pytest.raises(ValueError, match="set `grid`"):
        net.head(net.features(x))
    net.grid = (2, 3)
    for stage in net.stages:
        found = net.head(net.features(x, stage), stage)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    net.grid = None
    square = x[:, :, :32]
    np.testing.assert_allclose(net.head(net.features(square)), net(square), rtol=1e-5, atol=1e-6)


def test_pixels_beyond_the_last_whole_patch_are_not_seen(net, x):
    larger = jnp.pad(x, ((0, 0), (0, 6), (0, 15), (0, 0)), constant_values=9.0)
    np.testing.assert_array_equal(net(larger), net(x))


def test_intermediate_maps_are_the_tokens_on_their_grid(net, x):
    first, last = net.intermediate(x, [1, 2], norm=False)
    tokens = np.asarray(net.features(x, "block1"))
    np.testing.assert_allclose(first, tokens[:, 5:].reshape(2, 2, 3, 16), rtol=1e-5, atol=1e-6)
    normed = net.intermediate(x, [2])[0]
    np.testing.assert_allclose(normed, net.encode(x).patches, rtol=1e-5, atol=1e-6)
    plain = np.asarray(last, np.float64)
    centred = plain - plain.mean(-1, keepdims=True)
    scaled = centred / np.sqrt(centred.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(normed, scaled, rtol=1e-4, atol=1e-5)


def test_a_masked_patch_is_not_seen(net, x):
    masked = jnp.zeros((2, 2, 3), bool).at[0, 1, 2].set(True)
    changed = x.at[0, 16:, 32:].set(5.0)
    one, other = (net.encode(images, masked) for images in (x, changed))
    np.testing.assert_array_equal(one.token, other.token)
    assert np.abs(np.asarray(net.encode(x).token - net.encode(changed).token)[0]).max() > 1e-3


def test_any_neuron_in_the_feed_forward_networks(x):
    plain = VisionTransformer(SHAPE, rngs=nnx.Rngs(0))
    quadratic = VisionTransformer(SHAPE, neuron=nr.quadratic, rngs=nnx.Rngs(0))
    assert quadratic(x).shape == plain(x).shape
    assert nr.parameters(quadratic) - nr.parameters(plain) == 2 * (2 * 16 + 2) * 24


def test_the_gated_network_by_hand(x):
    shape = Shape(16, 1, 2, 24, gated=True)
    block = VisionTransformer(shape, rngs=nnx.Rngs(3)).blocks[0].feed_forward
    t = jax.random.normal(jax.random.key(2), (1, 4, 16))
    up, gate = (t[0] @ block.up.weights(b) + block.up.offset(b)[None] for b in ("r", "g"))
    hidden = np.asarray(up * gate / (1 + jnp.exp(-gate)))
    expected = hidden @ np.asarray(block.down.weights("r")) + np.asarray(block.down.offset("r"))
    np.testing.assert_allclose(block(t)[0], expected, rtol=1e-5, atol=1e-6)


def test_maps_of_images_that_are_not_square(net, x):
    net.grid = (2, 3)
    halves = tokens_to_grid(net, prefix=5, grid=(2, 3), stage="block1")
    maps = cam(halves, x, 1, method="grad_cam", size=None)
    net.grid = None
    assert maps.shape == (2, 2, 3)
    assert np.isfinite(maps).all()
    assert float(maps.max()) == pytest.approx(1)


def test_published_sizes_are_of_known_width():
    assert {name: shape.width // shape.heads for name, shape in VARIANTS.items()} == {
        **dict.fromkeys(VARIANTS, 64),
        "vit7b16": 128,
    }
    small = nnx.eval_shape(lambda: VisionTransformer(VARIANTS["vits16"], rngs=nnx.Rngs(0)))
    width, hidden = 384, 1536
    attention, forward = 4 * width**2 + 3 * width, 2 * width * hidden + hidden + width
    block = attention + forward + 4 * width + 2 * width  # two norms and two scales
    outside = (3 * 16**2 + 1) * width + (1 + 1 + 4) * width + 2 * width
    assert nr.parameters(small) == 12 * block + outside


def test_wrong_input_is_refused(net, x):
    with pytest.raises(ValueError, match="at least 16 x 16"):
        net(x[:, :15])
    with pytest.raises(ValueError, match=r"\(batch, height, width, 3\)"):
        net(x[..., :1])
    with pytest.raises(ValueError, match="stages are embedding, block1, block2"):
        net.features(x, "block3")
    with pytest.raises(ValueError, match="0 to 2"):
        net.intermediate(x, [3])
    with pytest.raises((ValueError, TypeError), match="pool"):
        VisionTransformer(SHAPE, pool="max", rngs=nnx.Rngs(0))
    for sizes in ((0, 1, 1, 1), (16, 2, 3, 8), (6, 1, 1, 8)):
        with pytest.raises(ValueError, match="width"):
            Shape(*sizes)
    with pytest.raises(ValueError, match="multiple of 4 channels"):
        rotary_table(2, 2, 6)
