"""DGCNN: its numbers, its order-blindness, its sign-blindness, and what it refuses."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import numpy_clouds as clouds
import numpy_twins as twins
import pytest
from flax import nnx

from neurons import conventional, power_only, quadratic
from neurons.backbones.cloud_rain import DGCNN, EdgeConv, knn, without_shifts

X = twins.draw((3, 16, 3))
SIGNS = jnp.array([[[-1.0, 1.0, -1.0]]])


@lru_cache
def small(neuron, **options):
    sizes = {"neighbours": 4, "widths": (4, 6), "embedding": 8, "hidden": (6,), "dropout": 0.0}
    return clouds.drawn(DGCNN, neuron, 5, **sizes, **options)


@pytest.mark.parametrize(
    ("neuron", "train"),
    [(conventional, True), (quadratic, True), (quadratic, False), (power_only, True)],
    ids=["conventional", "quadratic", "quadratic, evaluation", "power_only"],
)
def test_logits_equal_the_numpy_twin(neuron, train):
    model = small(neuron)
    found, _ = clouds.run(model, X, train=train)
    assert clouds.deviation(found, clouds.dgcnn(model, X, train)) < 1e-4


def test_several_layers_on_edges_equal_the_numpy_twin():
    conv = clouds.drawn(EdgeConv, quadratic, 3, (4, 5))
    found, _ = clouds.run(conv, X, knn(X, 4), train=True)
    assert clouds.deviation(found, clouds.edge_conv(conv, X, 4, True)) < 1e-4


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


def test_only_factors_have_biases_as_published():
    layer = small(quadratic).convs[0].first.layer
    assert set(twins.parameters(layer)) == {"kernel_r", "kernel_g", "kernel_b", "bias_g"}
    sizes = {"neighbours": 4, "widths": (4,), "embedding": 8, "hidden": (6,)}
    full = nnx.eval_shape(lambda: DGCNN(quadratic, 5, bias=True, **sizes, rngs=nnx.Rngs(0)))
    assert {"bias_r", "bias_b"} < set(twins.parameters(full.embed.layer))


def test_it_starts_as_the_conventional_network():
    start = jax.jit(
        lambda: nnx.state(EdgeConv(without_shifts(quadratic), 3, (4,), rngs=nnx.Rngs(0)))
    )
    layer = start()["first"]["layer"]
    assert not np.asarray(layer["kernel_g"][...]).any()
    assert not np.asarray(layer["kernel_b"][...]).any()
    np.testing.assert_array_equal(layer["bias_g"][...], 1)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (jnp.ones((3, 16, 2)), r"\(batch, points, 3\)"),
        (jnp.ones((3, 0, 3)), "empty cloud"),
        (jnp.ones((3, 3, 3)), "at least 4 points in a cloud, got 3"),
    ],
)
def test_points_it_cannot_read_are_refused(points, message, unchecked):
    with pytest.raises(ValueError, match=message):
        small(quadratic)(points)


def test_identical_points_give_finite_logits():
    found, _ = clouds.run(small(quadratic), jnp.ones((3, 16, 3)))
    assert np.isfinite(np.asarray(found)).all()


@pytest.mark.parametrize("options", [{"classes": 0}, {"neighbours": 0}, {"widths": ()}])
def test_sizes_it_cannot_have_are_refused(options):
    with pytest.raises(ValueError, match="at least 1"):
        DGCNN(quadratic, **{"classes": 5, **options}, rngs=nnx.Rngs(0))
