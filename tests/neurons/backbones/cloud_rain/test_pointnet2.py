"""PointNet++: its numbers, its neighbourhoods, its order-blindness, and what it refuses."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
import numpy_clouds as clouds
import numpy_twins as twins
import pytest
from flax import nnx

from neurons import power_only, quadratic
from neurons.backbones.cloud_rain import (
    MULTI_SCALE,
    SINGLE_SCALE,
    Level,
    PointNet2,
    Scale,
    pointnet2,
)

X = twins.draw((3, 16, 4))
LEVELS = (
    Level(6, (Scale(3, None, (4,)), Scale(5, 1.2, (4, 5)))),
    Level(3, (Scale(4, 2.0, (6,)),)),
)
SIGNS = jnp.array([[[-1.0, 1.0, -1.0, 1.0]]])


@lru_cache
def small(neuron):
    sizes = {"levels": LEVELS, "widths": (8,), "hidden": (6,), "dropout": 0.0}
    return clouds.drawn(PointNet2, neuron, 5, in_features=4, coordinates=3, **sizes)


@pytest.mark.parametrize(
    ("neuron", "train"),
    [(quadratic, False), (power_only, True)],
    ids=lambda v: getattr(v, "name", v),
)
def test_logits_equal_the_numpy_twin(neuron, train):
    found, _ = clouds.run(small(neuron), X, train=train)
    assert clouds.deviation(found, clouds.pointnet2(small(neuron), X, train)) < 1e-4


def test_the_order_of_points_does_not_matter():
    order = np.random.default_rng(0).permutation(16)
    moved, found = (clouds.run(small(quadratic), x)[0] for x in (X[:, order], X))
    assert clouds.deviation(moved, found) < 1e-5


def test_power_only_networks_are_blind_to_signs():
    mirrored, plain = (clouds.run(small(power_only), x, train=True)[0] for x in (X * SIGNS, X))
    assert np.abs(np.asarray(mirrored - plain)).max() <= 1e-5


def test_balls_hold_the_nearest_points_in_reach():
    line = jnp.array([[[0.0], [1.0], [2.5], [9.0]]])
    middle = line[:, :1]
    assert pointnet2.ball(line, middle, 2.0, 3)[0, 0].tolist() == [0, 1, 0]
    assert pointnet2.ball(line, middle, None, 3)[0, 0].tolist() == [0, 1, 2]


def test_centres_begin_farthest_from_the_mean():
    line = jnp.array([[[0.0], [1.0], [2.5], [9.0]]])
    assert pointnet2.centres(line, 3)[0].tolist() == [3, 0, 2]


@pytest.mark.parametrize(("levels", "seen"), [(SINGLE_SCALE, 256), (MULTI_SCALE, 640)])
def test_published_levels_end_in_their_features(levels, seen):
    net = nnx.eval_shape(lambda: PointNet2(quadratic, 40, levels=levels, rngs=nnx.Rngs(0)))
    assert net.blocks[0].layer.in_features == 3 + seen


def test_clouds_smaller_than_a_level_are_refused(unchecked):
    with pytest.raises(ValueError, match="at least 6 points in a cloud, got 5"):
        small(quadratic)(X[:, :5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": (Level(4, LEVELS[1].scales), Level(5, LEVELS[1].scales))}, "level 1 needs 5"),
        ({"levels": (Level(0, LEVELS[1].scales),)}, "centres must be at least 1"),
        ({"levels": (Level(4, ()),)}, "scales must be at least 1"),
        ({"coordinates": 4}, "more than in_features"),
        ({"classes": 0}, "at least 1"),
    ],
)
def test_sizes_it_cannot_have_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PointNet2(quadratic, **{"classes": 5, **options}, rngs=nnx.Rngs(0))
