import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.pieces import Spline
from theory.splines import spline_network

PIECES = 6
numbers = st.floats(-10, 10, allow_nan=False)


@st.composite
def splines(draw):
    """Continuous, with arbitrary curvature and slope on every piece."""
    start = draw(st.floats(-3, 3))
    gaps = draw(st.lists(st.floats(0.05, 2), min_size=PIECES, max_size=PIECES))
    curves = draw(st.lists(st.tuples(numbers, numbers), min_size=PIECES, max_size=PIECES))
    knots = start + np.concatenate([[0], np.cumsum(gaps)])
    rows, value = [], draw(numbers)
    for left, right, (slope, curve) in zip(knots, knots[1:], curves, strict=False):
        rows.append([value - slope * left + curve * left**2, slope - 2 * curve * left, curve])
        value = value + slope * (right - left) + curve * (right - left) ** 2
    return knots, np.array(rows)


@given(splines())
def test_network_equals_any_continuous_quadratic_spline(spline):
    knots, rows = spline
    x = np.sort(np.concatenate([np.linspace(knots[0], knots[-1], 200), knots]))
    net = spline_network(knots, rows)
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(net)(jnp.asarray(x[:, None])))[:, 0]
        terms = np.asarray(net.hidden(jnp.asarray(x[:, None])))
        weights = np.asarray(net.readout.kernel[...])[:, 0]
    # Rounding is relative to what is added up, which may exceed the sum.
    size = np.abs(terms * weights).sum(1).max()
    assert np.abs(found - Spline(knots, rows)(x)).max() <= 1e-12 * size
    assert net.hidden.out_features == 2 * (PIECES - 1) + 1


def test_absolute_value_squared_minus_a_corner():
    net = spline_network([-1, 0, 1], [[0, -1, 0], [0, 0, 1]])  # |x| on the left, x^2 on the right
    with jax.enable_x64(True):
        found = net(jnp.array([[-1.0], [-0.25], [0.0], [0.5], [1.0]]))[:, 0]
    assert found.tolist() == pytest.approx([1, 0.25, 0, 0.25, 1], abs=1e-15)


def test_one_piece_needs_one_neuron():
    net = spline_network([0, 1], [[1, 2, 3]])
    assert net.hidden.out_features == 1
    with jax.enable_x64(True):
        assert float(net(jnp.array([[1.0]]))[0, 0]) == pytest.approx(6, rel=1e-15)


@pytest.mark.parametrize(
    ("knots", "rows", "words"),
    [
        ([0, 1, 2], [[0, 1, 0], [0, 0, 0]], r"do not meet at the knots \[1.0\]"),
        ([0, 1, 1], [[0, 0, 0], [0, 0, 0]], "must increase"),
        ([0, 1], [[0, 0]], r"pieces \(n, 3\)"),
        ([0], np.zeros((0, 3)), r"pieces \(n, 3\)"),
        ([0, np.inf], [[0, 0, 0]], "finite"),
    ],
)
def test_what_is_no_continuous_spline_is_named(knots, rows, words):
    with pytest.raises(ValueError, match=words):
        spline_network(knots, rows)
