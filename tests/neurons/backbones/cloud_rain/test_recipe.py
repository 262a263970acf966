"""The recipe: loss, rates of each group, and what augmentation leaves as it was."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_clouds as clouds
import numpy_twins as twins
import optax
import pytest
from flax import nnx

import neurons as nr
from neurons.backbones.cloud_rain import PointNet, orthogonality_penalty, recipe

KEY = jax.random.key(0)
X = twins.draw((400, 6, 3))
STEPS = 10


def test_the_loss_is_the_cross_entropy_of_smoothed_labels():
    logits, labels = twins.draw((6, 4)), jnp.array([0, 1, 2, 3, 1, 1])
    z = twins.float64(logits)
    z = z - np.log(np.exp(z).sum(1, keepdims=True))
    expected = -(0.85 * z[np.arange(6), labels] + 0.05 * (z.sum(1) - z[np.arange(6), labels]))
    found = recipe.smoothed_cross_entropy(lambda x: x, (logits, labels))
    np.testing.assert_allclose(found, expected.mean(), rtol=1e-5)


def test_the_regularised_loss_adds_the_transforms_penalty(standard_promotion):
    options = {"widths": (4, 4), "hidden": (4,), "dropout": 0.0}
    model = clouds.drawn(PointNet, nr.quadratic, 3, feature_transform=True, **options)
    model.eval()
    batch = X[:4], jnp.array([0, 1, 2, 0])
    graph, state = nnx.split(model)

    @jax.jit
    def three(state, batch):
        model = nnx.merge(graph, state)
        penalty = orthogonality_penalty(model.transformed(batch[0])[1])
        plain = recipe.smoothed_cross_entropy(model, batch)
        return recipe.regularised_cross_entropy(model, batch), plain, penalty

    found, plain, penalty = three(state, batch)
    np.testing.assert_allclose(found - plain, 1e-3 * penalty, rtol=1e-3)


def test_a_network_without_a_transform_has_no_penalty():
    class Plain:
        def transformed(self, points):
            return points[:, 0], None

    with pytest.raises(ValueError, match="no feature transform"):
        recipe.regularised_cross_entropy(Plain(), (X[:2], jnp.array([0, 1])))


def rates(step):
    """Published rates of r, g and b, by PyTorch's formula of a cosine with a floor."""
    return [1e-3 + (r - 1e-3) * (1 + np.cos(np.pi * step / STEPS)) / 2 for r in (0.1, 1e-3, 1e-2)]


def test_every_group_takes_pytorchs_steps_at_its_own_rate(standard_promotion):
    layer = twins.drawn(nr.Dense, nr.quadratic, 3, 2)
    tx = recipe.optimizer(nr.quadratic, STEPS, grown=recipe.S3DIS_RATES)
    params = nnx.state(layer, nnx.Param)
    state = tx.init(params)
    names = ["kernel_r", "kernel_g", "kernel_b"]
    expected = {name: twins.float64(params[name][...]) for name in names}
    speed = dict.fromkeys(names, 0.0)
    update = jax.jit(tx.update)
    for step in range(STEPS):
        grads = jax.tree.map(lambda p, s=step: 0.1 * (s + 1) * jnp.ones_like(p), params)
        updates, state = update(grads, state, params)
        params = optax.apply_updates(params, updates)
        for name, rate in zip(names, rates(step), strict=True):
            speed[name] = 0.9 * speed[name] + 0.1 * (step + 1) + 1e-4 * expected[name]
            expected[name] = expected[name] - rate * speed[name]
    for name in names:
        np.testing.assert_allclose(params[name][...], expected[name], rtol=1e-4)


@pytest.mark.parametrize("neuron", [nr.conventional, nr.product_only], ids=lambda n: n.name)
def test_groups_that_a_neuron_lacks_need_no_rate(neuron, standard_promotion):
    layer = nr.Dense(neuron, 3, 2, rngs=nnx.Rngs(0))
    recipe.optimizer(neuron, STEPS).init(nnx.state(layer, nnx.Param))


def test_the_recipe_trains(standard_promotion):
    labels = jnp.arange(400) % 2
    x = X * jnp.where(labels == 1, 2.0, 1.0)[:, None, None]  # large and small clouds
    net = PointNet(nr.quadratic, 2, widths=(4, 8), hidden=(), rngs=nnx.Rngs(0))
    batches = nr.Batches((x, labels), size=100, epochs=10)
    tx = recipe.optimizer(nr.quadratic, batches.steps)
    run = nr.fit(net, recipe.smoothed_cross_entropy, tx, batches, key=KEY)
    found = run.model(x).argmax(axis=1)
    assert run.finite
    assert np.mean(np.asarray(found == labels)) > 0.9


def test_scales_and_shifts_keep_to_their_bounds():
    corners = jnp.tile(jnp.array([[0.0], [1.0]]), (400, 1, 3))
    zero, one = (twins.float64(recipe.scale_and_shift(KEY, corners)[:, i]) for i in (0, 1))
    factors = one - zero
    assert np.abs(zero).max() <= 0.2
    assert 2 / 3 - 1e-6 <= factors.min() < 0.68
    assert 1.48 < factors.max() <= 1.5 + 1e-6
    assert len(np.unique(factors)) > 1000  # per axis, per cloud


@pytest.mark.parametrize("law", ["uniform", "euler"])
def test_rotations_keep_distances_and_handedness(law):
    turned = twins.float64(recipe.rotate(KEY, X, law))
    x = twins.float64(X)
    np.testing.assert_allclose(turned @ turned.swapaxes(1, 2), x @ x.swapaxes(1, 2), atol=1e-4)
    signs = np.linalg.det(turned[:, :3]) * np.linalg.det(x[:, :3])
    assert (signs > 0).all()
    assert np.abs(turned - x).max() > 1


def test_uniform_rotations_send_an_axis_everywhere():
    axis = jnp.tile(jnp.array([[[0.0, 0.0, 1.0]]]), (4000, 1, 1))
    seen = twins.float64(recipe.rotate(KEY, axis))[:, 0]
    np.testing.assert_allclose(seen.T @ seen / len(seen), np.eye(3) / 3, atol=0.03)
    np.testing.assert_allclose(seen.mean(0), 0, atol=0.03)


def test_rotations_in_the_plane_are_possible_and_unknown_laws_are_not(unchecked):
    flat = X[..., :2]
    turned = recipe.rotate(KEY, flat)
    np.testing.assert_allclose((turned**2).sum(-1), (flat**2).sum(-1), rtol=1e-4)
    for points, law in ((flat, "euler"), (X, "any")):
        with pytest.raises(ValueError, match="law must be"):
            recipe.rotate(KEY, points, law)


def test_mirrors_negate_one_axis_or_none_equally_often():
    signs = twins.float64(recipe.mirror(KEY, X) / X)
    assert (signs == signs[:, :1]).all()  # the same for all points of a cloud
    kinds, counts = np.unique(signs[:, 0], axis=0, return_counts=True)
    assert sorted(kinds.sum(1)) == [1, 1, 1, 3]
    assert np.abs(counts / 400 - 0.25).max() < 0.08


def test_shuffling_keeps_every_point():
    moved = twins.float64(recipe.shuffle(KEY, X))
    np.testing.assert_array_equal(np.sort(moved, axis=1), np.sort(twins.float64(X), axis=1))
    assert len(np.unique(np.asarray(recipe.orders(KEY, 400, 6)), axis=0)) > 200


@pytest.mark.parametrize("options", [{"steps": 0}, {"rate": 0.0}, {"floor": -1.0}])
def test_rates_that_are_none_are_refused(options):
    with pytest.raises(ValueError, match="above 0"):
        recipe.optimizer(nr.quadratic, **{"steps": STEPS, **options})


def test_smoothing_is_a_share(unchecked):
    with pytest.raises(ValueError, match="smoothing"):
        recipe.smoothed_cross_entropy(lambda x: x, (X[:2, 0], jnp.array([0, 1])), 1.5)
