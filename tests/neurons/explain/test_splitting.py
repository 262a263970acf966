"""The cut: evaluation mode, stages, token models, networks with several inputs."""

import cam_nets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from neurons.explain import METHODS, Beside, Split, cam, split, tokens_to_grid
from neurons.explain.splitting import as_pytree


@pytest.fixture(scope="module")
def net():
    return cam_nets.tiny()


def test_halves_make_the_whole_in_evaluation_mode(net):
    x = cam_nets.images()
    net.train()
    before = jax.tree.map(np.asarray, nnx.state(net, nnx.BatchStat))
    results = []
    for stage in (None, "first", "second"):
        features, head = split(net, stage)
        results.append(head(features(x)))
        np.testing.assert_allclose(head(features(x[:1])), results[-1][:1], rtol=1e-5)
    assert not net.drop.deterministic  # the model is as it was
    jax.tree.map(np.testing.assert_array_equal, before, nnx.state(net, nnx.BatchStat))
    net.eval()
    for logits in results:
        np.testing.assert_allclose(logits, net.head(net.features(x)), rtol=1e-5, atol=1e-6)


def test_a_cut_keeps_the_weights_it_was_made_with():
    model, x = cam_nets.tiny(), cam_nets.images()
    features, head = split(model)
    before = head(features(x))
    model.out.bias[...] = model.out.bias[...] + 1
    np.testing.assert_array_equal(head(features(x)), before)


def test_weights_are_arguments_of_compiled_programs(net):
    traces = []

    @jax.jit
    def maps(halves, x):
        traces.append(1)
        return METHODS["layer_cam"](*halves, x, 0)

    other, x = cam_nets.tiny(), cam_nets.images()
    net.train()
    other.out.kernel[...] = -other.out.kernel[...]
    assert np.abs(maps(split(net), x) - maps(split(other), x)).max() > 1e-3
    assert len(traces) == 1


def test_pure_functions_are_a_cut_too(net):
    net.eval()
    plain = Split(lambda x: net.features(x), lambda a: net.head(a))
    x = cam_nets.images()
    expected = METHODS["ablation_cam"](*split(net), x, 1)
    for halves in (plain, split(plain), Split(net.features, net.head)):
        np.testing.assert_allclose(METHODS["ablation_cam"](*halves, x, 1), expected, rtol=1e-5)
    trained = cam_nets.tiny()
    trained.out.bias[...] = jnp.ones(3)
    assert as_pytree(trained.head)(jnp.zeros((1, 4, 4, 4)))[0, 0] == 1  # a method's state is read


@pytest.mark.parametrize("model", [object(), nnx.Linear(2, 2, rngs=nnx.Rngs(0)), None])
def test_models_without_halves(model):
    with pytest.raises(TypeError, match="features"):
        split(model)


@pytest.mark.parametrize("shape", [(3, 4), (3, 0, 4, 4), (3, 4, 4, 0)])
def test_layers_without_space(shape):
    halves = Split(lambda x: jnp.zeros(shape), lambda a: a.reshape(3, -1)[:, :3])
    for name in ("grad_cam", "eigen_cam", "score_cam", "ablation_cam"):
        with pytest.raises(ValueError, match="spatial axis"):
            METHODS[name](*halves, cam_nets.images())


def test_an_image_without_a_batch_axis(net):
    """A convolution takes it, for a batch of rows; the map would be nonsense."""
    for name in ("grad_cam", "score_cam", "ablation_cam"):
        with pytest.raises(ValueError, match="first axis is the batch"):
            METHODS[name](*split(net), cam_nets.images()[0])
    alone = Split(lambda x: x, lambda a: a.mean(axis=(0, 1, 2))[None])
    with pytest.raises(ValueError, match="head turned"):
        METHODS["grad_cam"](*alone, cam_nets.images())


def test_images_as_they_come_from_a_file(net):
    x = (255 * jnp.abs(cam_nets.images())).astype(jnp.uint8)
    for name in ("grad_cam", "score_cam"):
        with pytest.raises(TypeError, match="uint8"):
            METHODS[name](*split(net), x)
    with pytest.raises(TypeError, match="uint8"):
        cam(net, x, 0)
    halves = Split(lambda x: jnp.ones((3, 4, 4, 2), jnp.int32), lambda a: a[:, 0, 0])
    with pytest.raises(TypeError, match="floats"):
        METHODS["grad_cam"](*halves, cam_nets.images())


# -- token models -------------------------------------------------------------------------------


class Tokens(nnx.Module):
    """One class token, two registers, patches of 2x2; one attention behind the cut."""

    def __init__(self, *, rngs):
        self.embed = nnx.Linear(8, 6, rngs=rngs)
        self.prefix = nnx.Param(jax.random.normal(rngs.params(), (1, 3, 6)))
        self.query, self.value = (nnx.Linear(6, 6, rngs=rngs) for _ in range(2))
        self.out = nnx.Linear(6, 3, rngs=rngs)

    def features(self, x):
        batch, rows, columns, _ = x.shape
        patches = x.reshape(batch, rows // 2, 2, columns // 2, 2, 2).swapaxes(2, 3)
        patches = self.embed(patches.reshape(batch, -1, 8))
        prefix = jnp.broadcast_to(self.prefix[...], (batch, 3, 6))
        return jnp.concatenate([prefix, patches], axis=1)

    def head(self, tokens):
        attention = nnx.softmax(jnp.einsum("bd,btd->bt", self.query(tokens[:, 0]), tokens))
        return self.out(jnp.einsum("bt,btd->bd", attention, self.value(tokens)))


@pytest.fixture(scope="module")
def tokens():
    return Tokens(rngs=nnx.Rngs(0))


def test_tokens_lie_on_their_grid(tokens):
    x = jnp.concatenate([cam_nets.images(), cam_nets.images(seed=6)], axis=2)  # 8 x 16
    halves = tokens_to_grid(tokens, prefix=3, grid=(4, 8))
    given = halves.features(x)
    assert isinstance(given, Beside)
    assert given.activations.shape == (3, 4, 8, 6)
    np.testing.assert_array_equal(given.activations[:, 2, 5], tokens.features(x)[:, 3 + 2 * 8 + 5])
    np.testing.assert_allclose(
        halves.head(given), tokens.head(tokens.features(x)), rtol=1e-5, atol=1e-6
    )


def test_every_method_explains_a_token_model(tokens):
    x = jnp.concatenate([cam_nets.images(), cam_nets.images(seed=6)], axis=2)
    halves = tokens_to_grid(tokens, prefix=3, grid=(4, 8))
    gradient = jax.grad(lambda t: tokens.head(t)[:, 1].sum())(tokens.features(x))
    by_hand = jnp.sum(gradient * tokens.features(x), axis=-1)[:, 3:].reshape(3, 4, 8)
    found = METHODS["hires_cam"](*halves, x, 1)
    np.testing.assert_allclose(found, by_hand, rtol=1e-5, atol=1e-6)
    for name in ("score_cam", "ablation_cam", "eigen_cam"):
        assert METHODS[name](*halves, x, 1).shape == (3, 4, 8)
    assert cam(halves, x, 1, method="layer_cam").shape == (3, 8, 16)


def test_the_prefix_stays_with_its_sample_in_ablation(tokens):
    x, halves = cam_nets.images(), tokens_to_grid(tokens, prefix=3, grid=(4, 4))
    given = halves.features(x)
    y = halves.head(given)[:, 0]
    loss = []
    for k in range(6):
        without = Beside(given.activations.at[..., k].set(0), given.rest)
        loss.append((y - halves.head(without)[:, 0]) / jnp.abs(y))
    expected = jnp.einsum("kb,bhwk->bhw", jnp.stack(loss), given.activations)
    found = METHODS["ablation_cam"](*halves, x, 0, chunk=4)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("prefix", "grid"), [(3, (4, 5)), (1, (4, 4)), (0, (4, 4))])
def test_grids_that_do_not_fit(tokens, prefix, grid):
    with pytest.raises(ValueError, match="tokens"):
        tokens_to_grid(tokens, prefix=prefix, grid=grid).features(cam_nets.images())


@pytest.mark.parametrize(("prefix", "grid"), [(-1, (4, 4)), (1, ()), (1, (0, 4))])
def test_grids_that_cannot_be(tokens, prefix, grid):
    with pytest.raises(ValueError, match="prefix"):
        tokens_to_grid(tokens, prefix=prefix, grid=grid)


# -- several inputs -----------------------------------------------------------------------------


class Siamese(nnx.Module):
    """One encoder for two images; the classes see the difference of their features."""

    def __init__(self, *, rngs):
        self.encoder = cam_nets.Tiny(rngs=rngs)

    def features(self, pair):
        before, after = (self.encoder.features(image) for image in pair)
        return jnp.abs(after - before)

    def head(self, difference):
        return self.encoder.head(difference)


def test_siamese_networks_take_a_pytree():
    net = Siamese(rngs=nnx.Rngs(0))
    pair = (cam_nets.images(), cam_nets.images(seed=6))
    for name in ("grad_cam", "score_cam", "ablation_cam"):
        found = METHODS[name](*split(net), pair, 1)
        assert found.shape == (3, 4, 4)
    assert cam(net, pair, 1, method="layer_cam").shape == (3, 8, 8)
    same = METHODS["layer_cam"](*split(net), (pair[0], pair[0]), 1)
    assert (same == 0).all()  # no change, no map
    assert (cam(net, (pair[0], pair[0]), 1, method="layer_cam") == 0).all()
    both = cam(net, pair, 1, method="integrated_gradients", steps=4)
    assert [part.shape for part in both] == [(3, 8, 8)] * 2
    alone = Split(lambda pair: pair[0], lambda a: a.mean(axis=(1, 2)))
    with pytest.raises(ValueError, match="sizes"):
        cam(alone, (pair[0], pair[1][:, :4]), 1)
