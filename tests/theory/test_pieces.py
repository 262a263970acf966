from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

import neurons as nr
from theory.exact_layers import linear_layer, quadratic_layer
from theory.pieces import Spline, count_pieces, pieces, pieces_bound
from theory.splines import spline_network


@cache
def layers_of(neuron, widths):
    pairs = zip((1, *widths), widths, strict=False)
    layers = [nr.Dense(neuron, n, m, rngs=nnx.Rngs(0)) for n, m in pairs]
    return [*layers, nnx.Linear(widths[-1], 1, rngs=nnx.Rngs(0))]


def random_network(neuron, widths, seed):
    """Fresh standard normal weights in layers that are built once."""
    generator = np.random.default_rng(seed)
    for layer in layers_of(neuron, widths):
        drawn = jax.tree.map(
            lambda leaf: jnp.asarray(generator.normal(size=leaf.shape), jnp.float32),
            nnx.state(layer),
        )
        nnx.update(layer, drawn)
    return layers_of(neuron, widths)


def values(layers, x):
    for layer in layers[:-1]:
        x = nnx.relu(layer(x))
    return np.asarray(layers[-1](x))[:, 0]


@pytest.mark.parametrize("neuron", [nr.conventional, nr.quadratic, nr.product_only, nr.compact])
def test_pieces_are_the_network(neuron):
    layers = random_network(neuron, (4, 3), seed=3)
    x = np.linspace(-3, 3, 97)
    spline = pieces(layers)
    assert spline(x) == pytest.approx(
        values(layers, jnp.asarray(x[:, None], jnp.float32)), rel=1e-4, abs=1e-3
    )
    assert spline.knots[0] == -np.inf
    assert np.all(np.diff(spline.knots) > 0)


@given(st.integers(0, 2**20), st.sampled_from([(5,), (3, 3)]))
def test_bounds_are_never_exceeded(seed, widths):
    for kind, neuron in (("conventional", nr.conventional), ("quadratic", nr.quadratic)):
        found = count_pieces(random_network(neuron, widths, seed))
        assert 1 <= found <= pieces_bound(kind, widths[0], len(widths))


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_one_layer_attains_its_bound(width):
    centres = 3.0 * np.arange(width)
    ones = np.ones(width)
    zeros = np.zeros_like(ones)
    humps = quadratic_layer(-ones[None], centres + 1, ones[None], 1 - centres, zeros[None], zeros)
    readout = linear_layer(np.ones((width, 1)), [0])
    assert count_pieces([humps, readout]) == pieces_bound("quadratic", width, 1) == 2 * width + 1
    kinks = linear_layer(ones[None], -centres)
    assert count_pieces([kinks, readout]) == pieces_bound("conventional", width, 1) == width + 1


def test_pieces_give_back_the_spline_that_built_the_network():
    knots, rows = [-2, -1, 0.5, 3], [[1, 0, 0], [3, 3, 1], [4, 1, 1]]
    net = spline_network(knots, rows)
    found = pieces([net.hidden, net.readout], (-2.0, 3.0))
    assert found.knots == pytest.approx(knots)
    assert found.coefficients[:, :3] == pytest.approx(np.array(rows), abs=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_degree_doubles_with_every_quadratic_layer(depth):
    layers = random_network(nr.quadratic, (2,) * depth, seed=0)
    assert pieces(layers, (-1.0, 1.0), "identity").degree == 2**depth
    layers = random_network(nr.conventional, (2,) * depth, seed=0)
    assert pieces(layers, (-1.0, 1.0)).degree <= 1


def test_a_kink_that_cancels_is_no_knot():
    both = linear_layer([[1, -1]], [-1, 1])  # relu(x - 1) - relu(1 - x) = x - 1
    assert count_pieces([both, linear_layer([[1], [-1]], [0])]) == 1


def test_a_parabola_that_touches_zero_makes_no_piece():
    square = quadratic_layer([[1]], [-0.3], [[1]], [-0.3], [[0]], [0])
    assert count_pieces([square, linear_layer([[1]], [0])]) == 1


def test_dead_networks_are_one_constant():
    dead = quadratic_layer([[0]], [0], [[0]], [0], [[-1]], [-1])
    spline = pieces([dead, linear_layer([[1]], [2])])
    assert spline.coefficients[:, 0].tolist() == [2]
    assert spline.degree == 0


def test_spline_goes_on_beyond_its_knots():
    ramp = Spline(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert ramp(np.array([-1.0, 0.5, 1.5, 9.0])).tolist() == [-1, 0.5, 1, 1]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: pieces_bound("cubic", 1, 1), "kind must be"),
        (lambda: pieces_bound("quadratic", 0, 1), "at least 1"),
        (lambda: pieces([linear_layer([[1]], [0])], (1.0, 1.0)), "low < high"),
        (lambda: pieces([linear_layer([[1], [1]], [0])]), "one input"),
        (lambda: pieces([nr.Dense(nr.qres, 1, 1, rngs=nnx.Rngs(0))]), "got qres"),
    ],
)
def test_misuse_is_named(act, words):
    with pytest.raises(ValueError, match=words):
        act()
