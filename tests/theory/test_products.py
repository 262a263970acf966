from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import chebyshev

from theory.products import product_tree
from theory.roots import roots

X = np.linspace(-1, 1, 101)
DEGREE = 12


def exact(coefficients, x=X):
    """Horner's rule in fractions: no rounding but the last."""
    found = []
    for point in x:
        total = Fraction(0)
        for c in reversed(coefficients):
            total = total * Fraction(float(point)) + Fraction(float(c))
        found.append(float(total))
    return np.array(found)


def values(net, x=X):
    with jax.enable_x64(True):
        return np.asarray(net(jnp.asarray(x[:, None])))[:, 0]


def relative_error(coefficients, x=X):
    truth = exact(coefficients, x)
    found = values(product_tree(coefficients, (float(x[0]), float(x[-1]))), x)
    return np.abs(found - truth).max() / np.abs(truth).max()


@pytest.mark.parametrize("degree", [1, 2, 3, 7, 16, 32])
def test_chebyshev_polynomials_equal_their_cosines(degree):
    net = product_tree(chebyshev.cheb2poly([0] * degree + [1]))
    assert np.abs(values(net) - np.cos(degree * np.arccos(X))).max() < 1e-12
    factors = -(-degree // 2)
    assert net.depth == 1 + int(np.ceil(np.log2(factors)))
    assert net.neurons == 2 * factors - 1 <= degree
    assert net.width == factors


@given(st.lists(st.floats(-1, 1), min_size=DEGREE, max_size=DEGREE), st.floats(0.5, 2))
def test_random_coefficients(rest, leading):
    assert relative_error([*rest, leading]) < 1e-10


@pytest.mark.parametrize("degree", [9, 32])
def test_random_roots_in_the_unit_disc(degree):
    generator = np.random.default_rng(degree)
    half = np.sqrt(generator.random(degree // 2)) * np.exp(6.28j * generator.random(degree // 2))
    chosen = np.concatenate([half, half.conj(), generator.uniform(-1, 1, degree % 2)])
    assert relative_error(np.poly(chosen).real[::-1]) < 1e-12


@pytest.mark.parametrize(
    "coefficients", [[1, -3, 3, -1], [1, 0, 2, 0, 1], [0, 0, 0, 1], [-4, 4, -1], [0, 2, 0]]
)
def test_multiple_and_vanishing_roots(coefficients):
    assert relative_error(coefficients) < 1e-12


def test_condition_of_wilkinson_s_polynomial_warns_and_the_tree_keeps_the_given_coefficients():
    coefficients = np.poly(np.arange(1, 21) / 20)[::-1]
    assert product_tree(coefficients).condition > 1e12
    assert relative_error(coefficients, np.linspace(0, 1, 51)) < 1e-12
    assert product_tree([-1, 0, 1]).condition < 2


def test_eigenvalues_alone_would_not_do():
    coefficients = chebyshev.cheb2poly([0] * 32 + [1])
    rough = np.sort(np.polynomial.polynomial.polyroots(coefficients).real)
    true = np.sort(np.cos((2 * np.arange(32) + 1) * np.pi / 64))
    assert np.abs(rough - true).max() > 1e-9
    assert np.abs(np.sort(roots(coefficients).values.real) - true).max() < 1e-15


@pytest.mark.parametrize(
    ("coefficients", "interval", "words"),
    [
        ([1.0], (-1.0, 1.0), "last not zero"),
        ([0.0, 0.0], (-1.0, 1.0), "last not zero"),
        ([1.0, np.nan], (-1.0, 1.0), "finite"),
        ([1.0, 1.0], (1.0, -1.0), "low < high"),
    ],
)
def test_misuse_is_named(coefficients, interval, words):
    with pytest.raises(ValueError, match=words):
        product_tree(coefficients, interval)
