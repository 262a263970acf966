"""PointNet: its numbers, its order-blindness, its sign-blindness, and what it refuses."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import numpy_clouds as clouds
import numpy_twins as twins
import pytest
from flax import nnx

from neurons import conventional, power_only, quadratic
from neurons.backbones.cloud_rain import PointNet, orthogonality_penalty
from neurons.backbones.cloud_rain.pointnet import Transform
from neurons.cost import parameters

X = twins.draw((3, 16, 3))
SIGNS = jnp.array([[[-1.0, 1.0, -1.0]]])


@lru_cache
def small(neuron):
    options = {"widths": (4, 6, 8), "hidden": (6,), "dropout": 0.0}
    both = dict.fromkeys(("input_transform", "feature_transform"), neuron is quadratic)
    return clouds.drawn(PointNet, neuron, 5, **options, **both)


@pytest.mark.parametrize(
    ("neuron", "train"),
    [(conventional, True), (quadratic, True), (quadratic, False), (power_only, True)],
    ids=["conventional", "quadratic", "quadratic, evaluation", "power_only"],
)
def test_logits_equal_the_numpy_twin(neuron, train):
    model = small(neuron)
    found, _ = clouds.run(model, X, train=train)
    assert clouds.deviation(found, clouds.pointnet(model, X, train)) < 1e-4


def test_running_statistics_move_towards_the_batchs():
    model = small(conventional)
    last = model.blocks[-1]
    _, after = clouds.run(model, X, train=True)
    x = twins.float64(X)
    for block in model.blocks[:-1]:
        x = clouds.block(block, x, True)
    z = clouds.layer(last.layer, x)
    moved = after["blocks"][2]["norm"]
    for name, now in (("mean", z.mean((0, 1))), ("var", z.var((0, 1)))):
        expected = 0.9 * twins.float64(getattr(last.norm, name)[...]) + 0.1 * now
        assert twins.relative_error(moved[name][...], expected) < 1e-5


def test_the_order_of_points_does_not_matter():
    order = np.random.default_rng(0).permutation(16)
    moved, found = (clouds.run(small(quadratic), x)[0] for x in (X[:, order], X))
    assert clouds.deviation(moved, found) < 1e-5


def test_power_only_networks_are_blind_to_signs_and_quadratic_ones_are_not():
    def gap(neuron):
        model = small(neuron)
        mirrored, plain = (clouds.run(model, x, train=True)[0] for x in (X * SIGNS, X))
        return np.abs(np.asarray(mirrored - plain)).max()

    assert gap(power_only) <= 1e-5
    assert gap(quadratic) > 1e-1


def test_transforms_start_as_the_identity():
    found = jax.jit(lambda: Transform(3, (4, 8), (6,), rngs=nnx.Rngs(0))(X))()
    np.testing.assert_array_equal(found, np.broadcast_to(np.eye(3), (3, 3, 3)))


def test_the_penalty_is_the_mean_distance_from_orthogonality():
    a = twins.draw((4, 3, 3))
    exact = np.mean([np.linalg.norm(m @ m.T - np.eye(3)) for m in twins.float64(a)])
    np.testing.assert_allclose(orthogonality_penalty(a), exact, rtol=1e-5)
    eye = jnp.eye(3)[None]
    assert not np.asarray(jax.grad(orthogonality_penalty)(eye)).any()  # finite where it starts


def test_the_published_layers_have_three_times_the_weights():
    def per_point(neuron):
        net = nnx.eval_shape(lambda: PointNet(neuron, 40, rngs=nnx.Rngs(0)))
        return sum(parameters(block.layer) for block in net.blocks)

    weights = 3 * 64 + 64 * 128 + 128 * 1024 + 64 + 128 + 1024
    assert (per_point(conventional), per_point(quadratic)) == (weights, 3 * weights)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (jnp.ones((3, 16, 4)), r"\(batch, points, 3\)"),
        (jnp.ones((16, 3)), "got shape"),
        (jnp.ones((3, 0, 3)), "empty cloud"),
        (X.at[1, 2, 0].set(jnp.nan), "NaN"),
    ],
)
def test_points_it_cannot_read_are_refused(points, message, unchecked):
    with pytest.raises(ValueError, match=message):
        small(quadratic)(points)


@pytest.mark.parametrize("options", [{"classes": 0}, {"in_features": 0}, {"widths": ()}])
def test_sizes_it_cannot_have_are_refused(options):
    with pytest.raises(ValueError, match="at least 1"):
        PointNet(quadratic, **{"classes": 5, **options}, rngs=nnx.Rngs(0))
