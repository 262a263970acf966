import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from theory.exact_layers import (
    linear_layer,
    product_neuron,
    quadratic_layer,
    square_norm_neuron,
    xor_neuron,
)

CORNERS = np.array(list(itertools.product((0.0, 1.0), repeat=2)))


def test_one_neuron_is_exclusive_or():
    with jax.enable_x64(True):
        found = np.asarray(xor_neuron()(jnp.asarray(CORNERS)))[:, 0]
    assert found.tolist() == [0, 1, 1, 0]


def test_one_neuron_multiplies_without_any_rounding_of_its_own():
    x = np.random.default_rng(0).normal(size=(100, 2))
    with jax.enable_x64(True):
        found = np.asarray(product_neuron()(jnp.asarray(x)))[:, 0]
    assert np.array_equal(found, x[:, 0] * x[:, 1])


def test_one_neuron_is_the_squared_norm():
    x = np.random.default_rng(0).normal(size=(10, 5))
    with jax.enable_x64(True):
        found = np.asarray(square_norm_neuron(5)(jnp.asarray(x)))[:, 0]
    assert found == pytest.approx((x**2).sum(1), rel=1e-15)


def test_linear_layer_is_affine():
    with jax.enable_x64(True):
        found = linear_layer([[1, 2], [3, 4]], [5, 6])(jnp.array([[1.0, 1.0]]))
    assert found.tolist() == [[9, 12]]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: quadratic_layer([1], [0], [[1]], [0], [[0]], [0]), "kernel_r is"),
        (lambda: quadratic_layer([[1]], [0], [[1]], [0, 1], [[0]], [0]), "bias_g needs shape"),
        (lambda: linear_layer([[1, 2]], [0]), "kernel"),
        (lambda: square_norm_neuron(0), "at least 1"),
    ],
)
def test_misuse_is_named(act, words):
    with pytest.raises(ValueError, match=words):
        act()
