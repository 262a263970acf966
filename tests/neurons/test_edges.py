"""Sums of one-dimensional functions: bases against SciPy and NumPy, exact fits."""

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest
from scipy.interpolate import BSpline

import neurons as nr
from neurons.edges import b_splines, chebyshev_features, fourier_features

X = np.linspace(-1.9, 1.9, 57)


@pytest.mark.parametrize(("grid", "degree"), [(5, 3), (4, 1), (1, 2)])
def test_b_splines_are_scipys(grid, degree):
    with twins.precision(jnp.float64):
        found = b_splines(jnp.asarray(X)[:, None], grid, degree, -1.0, 1.0)
    knots = -1 + 2 / grid * np.arange(-degree, grid + degree + 1)
    expected = [
        np.nan_to_num(BSpline.basis_element(knots[p : p + degree + 2], extrapolate=False)(X))
        for p in range(grid + degree)
    ]
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-12)
    inside = np.abs(X) < 1
    np.testing.assert_allclose(np.asarray(found)[inside].sum(axis=1), 1, atol=1e-12)


def test_features_of_one_input_stand_side_by_side():
    x = jnp.asarray([[0.25, 0.5]])
    angle = np.pi * np.asarray([[0.25, 0.5], [0.5, 1.0]])
    expected = np.hstack([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(fourier_features(x, 2).reshape(2, 4), expected, atol=1e-6)
    polynomials = np.polynomial.chebyshev.chebvander([0.25, 0.5], 3)[:, 1:]
    np.testing.assert_allclose(chebyshev_features(x, 3).reshape(2, 3), polynomials, atol=1e-6)


def test_a_chebyshev_edge_is_any_polynomial_of_its_degree():
    layer = twins.drawn(nr.Dense, nr.chebyshev(3), 1, 1)
    c = np.polynomial.chebyshev.poly2cheb([1.0, -2.0, 3.0, 4.0])
    layer.bias_c[...] = jnp.asarray(c[:1], jnp.float32)
    layer.kernel_r[...] = jnp.asarray(c[1:, None], jnp.float32)
    x = X.astype(np.float32)
    np.testing.assert_allclose(
        layer(jnp.asarray(x)[:, None])[:, 0], 1 - 2 * x + 3 * x**2 + 4 * x**3, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nr.kan(0), "grid must be a whole number of at least 1, got 0"),
        (lambda: nr.kan(5, -1), "degree must be .* got -1"),
        (lambda: nr.kan(5, 3, 1.0, 1.0), "low must be below high, got 1.0 and 1.0"),
        (lambda: nr.fourier(0), "frequencies must be .* got 0"),
        (lambda: nr.chebyshev(0), "degree must be .* got 0"),
    ],
)
def test_impossible_bases_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
