import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from symmetric_clouds import in_space

import neurons as nr
from neurons.backbones.cloud_rain import PointNet
from neurons.backbones.cloud_rain.invariant import Invariant, SignFeatures
from neurons.training import cross_entropy
from theory.invariance import (
    assert_invariant,
    axis_mirrors,
    improper,
    invariance_gap,
    mirrors,
    permutations,
    rotations,
    translations,
)

BAR, FAULT = 1e-4, 1e-1
MOVES = {"axis mirror": axis_mirrors(3), "oblique mirror": mirrors(3), "improper": improper(3)}
KEY = jax.random.key(3)


def net(neuron, seed=0):
    return PointNet(neuron, 10, widths=(16, 64), hidden=(32,), dropout=0.0, rngs=nnx.Rngs(seed))


def awake(model, seed=1):
    """The model with noise on every parameter: no branch silent, logits of the order of 1 to 10."""
    rng = np.random.default_rng(seed)

    def draw(variable):
        inputs = variable.shape[0] if variable.shape else 1
        noise = 0.5 / np.sqrt(inputs) * rng.normal(size=variable.shape)
        return variable.replace(variable[...] + jnp.asarray(noise, jnp.float32))

    state = nnx.state(model, nnx.Param)
    nnx.update(model, jax.tree.map(draw, state, is_leaf=lambda v: isinstance(v, nnx.Variable)))
    model.eval()
    return model


def clouds(number=48, seed=0):
    """Blobs of several shapes, some of them with equal variances."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(number, 72, 3)) * rng.uniform(0.3, 1, (number, 1, 3))
    points[:, :20] += rng.normal(size=(number, 1, 3))
    special = list(in_space().values())
    points[: len(special)] = special
    return jnp.asarray(points, jnp.float32)


BUILDS = {
    "canonical": lambda: Invariant(net(nr.power_only), "O", "canonical"),
    "frames": lambda: Invariant(net(nr.quadratic), "O", "frames"),
    "signnet": lambda: Invariant(net(nr.quadratic), "O", "signnet", rngs=nnx.Rngs(2)),
}
# A network that sees signs, axes that are not trusted where they should be, no axes at all.
FAULTS = {
    "full quadratic": lambda: Invariant(net(nr.quadratic), "O", "canonical"),
    "conventional": lambda: Invariant(net(nr.conventional), "O", "canonical"),
    "principal axes of a cube": lambda: Invariant(net(nr.power_only), "O", "canonical", 0.0),
    "power-only alone": lambda: net(nr.power_only),
    "quadratic alone": lambda: net(nr.quadratic),
}


@pytest.fixture(scope="module")
def invariant():
    return {name: awake(build()) for name, build in BUILDS.items()}


@pytest.fixture(scope="module")
def compiled(invariant):
    return {name: jax.jit(model.__call__) for name, model in invariant.items()}


@pytest.mark.parametrize("moves", MOVES)
@pytest.mark.parametrize("method", BUILDS)
def test_logits_do_not_change_in_mirrors(method, moves, compiled):
    model, group = compiled[method], MOVES[moves] * translations(0.3) * permutations()
    assert_invariant(model, clouds(), group, tolerance=BAR, key=KEY, samples=4)
    spread = np.ptp(np.asarray(model(clouds())), axis=0)
    assert spread.max() > 0.5  # the logits do tell clouds apart


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_invariant_is_noticed(fault):
    gap = invariance_gap(awake(FAULTS[fault]()), clouds(), mirrors(3), key=KEY, samples=4)
    assert gap.largest > FAULT


def test_a_power_only_network_alone_is_blind_to_axis_mirrors_only():
    model = awake(net(nr.power_only))
    assert invariance_gap(model, clouds(), axis_mirrors(3), key=KEY, samples=3).largest == 0


def test_the_group_of_rotations_keeps_mirror_images_apart():
    model = awake(Invariant(net(nr.quadratic), "SO", "frames"))
    assert_invariant(model, clouds(), rotations(3), tolerance=BAR, key=KEY, samples=4)
    gap = invariance_gap(model, clouds(), mirrors(3), key=KEY, samples=4)
    assert gap.largest > 1e-2


def test_clouds_in_the_plane():
    points = clouds()[..., :2] * jnp.array([[[1.0, 0.7]]])
    small = PointNet(nr.quadratic, 3, in_features=2, widths=(8,), hidden=(), rngs=nnx.Rngs(0))
    model = awake(Invariant(small, "O", "frames"))
    assert_invariant(model, points, mirrors(2), tolerance=BAR, key=KEY, samples=2)


@pytest.mark.parametrize("method", BUILDS)
def test_power_only_networks_alone_cannot_see_how_signs_go_together(method, invariant):
    """Scrambled signs move the points by more than their size, and no distance to the axes."""
    model, x = invariant[method], clouds(48)
    z = model.views(x)[:, 0] * jnp.array([[[1.0, 0.7, 0.5]]])
    flips = np.random.default_rng(1).choice([-1.0, 1.0], z.shape).astype(np.float32)
    inside = model.net if model.encoder is None else lambda z: model.net(model.encoder(z))
    change = np.abs(inside(z) - inside(z * flips)).max()
    assert change == 0 if method == "canonical" else change > 1e-2


@pytest.mark.usefixtures("standard_promotion")
def test_one_frame_at_a_time_trains():
    rng = np.random.default_rng(0)
    labels = np.arange(96) % 2
    x = rng.normal(size=(96, 24, 3)) * np.where(labels, 1.0, 0.2)[:, None, None]
    batches = nr.Batches((jnp.asarray(x, jnp.float32), jnp.asarray(labels)), size=48, epochs=15)
    inner = PointNet(nr.quadratic, 2, widths=(8,), hidden=(), rngs=nnx.Rngs(0))
    start = Invariant(inner, "O", "frames", sample=True, rngs=nnx.Rngs(0))
    losses = np.asarray(nr.fit(start, cross_entropy, optax.adam(3e-2), batches, key=KEY).losses)
    assert np.isfinite(losses).all()
    assert losses[-3:].mean() < 0.5 * losses[:3].mean()


@pytest.mark.parametrize("method", BUILDS)
def test_gradients_are_finite_on_every_cloud(method, invariant):
    flat = np.random.default_rng(0).normal(size=(72, 3)) * [1, 1, 0]
    special = [*in_space().values(), flat, np.zeros((72, 3)), np.outer(np.ones(72), [1, 2, 3])]
    graph, params, rest = nnx.split(invariant[method], nnx.Param, ...)

    @jax.jit
    def slopes(params, points):
        def loss(params, points):
            logits = nnx.merge(graph, params, rest, copy=True)(points)
            return cross_entropy(lambda _: logits, (points, jnp.zeros(len(points), jnp.int32)))

        return jax.grad(loss, (0, 1))(params, points)

    found = slopes(params, jnp.asarray(np.stack(special), jnp.float32))
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(found))


@pytest.mark.parametrize("method", BUILDS)
def test_head_of_features_is_the_whole(method, invariant):
    model, x = invariant[method], clouds(13)
    features = model.features(x)
    assert features.shape == (13, 8 if method == "frames" else 1, 64)
    # Hidden layers of the head are no linear map: only the output is averaged.
    np.testing.assert_allclose(model.head(features), model(x), atol=1e-5)


def test_in_training_one_frame_is_drawn_and_in_evaluation_all_are_used():
    model = Invariant(net(nr.quadratic), "O", "frames", sample=True, rngs=nnx.Rngs(0))
    x = clouds(12)
    model.train()
    first, second = model.views(x), model.views(x)
    assert first.shape == (12, 1, 72, 3)
    assert (first != second).any()
    np.testing.assert_allclose(jnp.abs(first), jnp.abs(second), atol=1e-6)
    model.eval()
    assert model.views(x).shape == (12, 8, 72, 3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"group": "U"}, ValueError, 'group must be "O" or "SO"'),
        ({"method": "pca"}, ValueError, "method must be one of canonical, frames, signnet"),
        ({"group": "SO"}, ValueError, "blind to mirrors"),
        ({"group": "SO", "method": "signnet"}, ValueError, "blind to mirrors"),
        ({"gap": -1.0}, ValueError, "gap must not be negative"),
        ({"sample": True}, ValueError, 'only the method "frames"'),
        ({"method": "frames", "sample": True}, TypeError, "sample needs rngs"),
        ({"method": "signnet"}, TypeError, "needs rngs"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_misuse_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        Invariant(jnp.sin, **options)


@pytest.mark.usefixtures("unchecked")
def test_missing_parts_are_named():
    with pytest.raises(TypeError, match="has no features"):
        Invariant(jnp.sin).features(jnp.ones((1, 5, 3)))
    with pytest.raises(ValueError, match="sizes must be at least 1"):
        SignFeatures(3, 0, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="empty cloud"):
        Invariant(jnp.sin)(jnp.ones((1, 0, 3)))
