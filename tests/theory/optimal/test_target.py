"""Functions on panels: what is resolved, how exactly, and what is refused."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from theory.optimal import resolve

# Users give whole numbers where floats are meant.
pytestmark = pytest.mark.usefixtures("unchecked")

RUNGE = lambda x: 1 / (1 + 25 * x**2)  # noqa: E731

CASES = {
    "exp": (np.exp, (0, 1), "convex"),
    "exp of jax": (jnp.exp, (0, 1), "convex"),
    "exp of floats": (math.exp, (0, 1), "convex"),
    "sqrt": (np.sqrt, (0, 1), "concave"),
    "sine": (np.sin, (0, 2 * np.pi), "mixed"),
    "runge": (RUNGE, (-1, 1), "mixed"),
    "line": (lambda x: 3 * x + 1e3, (0, 1), "affine"),
    "constant": (lambda x: 2.0, (0, 1), "affine"),
    "kink": (np.abs, (-1, 1.3), "convex"),
    "kink down": (lambda x: -np.abs(x - 0.1), (-1, 1.3), "concave"),
    "jump": (np.sign, (-1, 1.3), "mixed"),
    "far from zero": (lambda x: np.exp(x - 1e4), (1e4, 1e4 + 1), "convex"),
    "tiny": (lambda x: 1e-12 * np.sin(x), (0, 6), "mixed"),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_curvature(name):
    function, domain, curvature = CASES[name]
    target = resolve(function, domain)
    x = np.linspace(*domain, 1010)
    exact = np.array([float(np.asarray(function(np.float64(v)))) for v in x])
    tolerance = 1e-6 if "jax" in name else 1e-12
    np.testing.assert_allclose(target(x), exact, atol=tolerance * np.abs(exact).max(), rtol=0)
    assert target.curvature == curvature


def test_derivatives_and_integral_of_the_sine():
    target = resolve(np.sin, (0, 2 * np.pi))
    x = np.linspace(0, 2 * np.pi, 301)
    np.testing.assert_allclose(target.derivative(x), np.cos(x), atol=1e-11)
    np.testing.assert_allclose(target.second(x), -np.sin(x), atol=1e-8)
    np.testing.assert_allclose(target.integral(x), 1 - np.cos(x), atol=1e-14)


def test_quadrature_is_exact_across_panels_and_empty_intervals():
    target = resolve(np.sqrt, (0.0, 1.0))
    left, right = np.array([0.0, 0.2, 0.2]), np.array([1.0, 0.2, 0.7])
    nodes, weights, starts = target.pieces(left, right)
    found = np.add.reduceat((weights * target(nodes)).sum(axis=1), starts)
    np.testing.assert_allclose(found, 2 / 3 * (right**1.5 - left**1.5), atol=1e-14)


def test_landmarks_are_jumps_and_kinks():
    target = resolve(lambda x: np.floor(3 * x), (0.0, 0.99))
    np.testing.assert_allclose(target.landmarks, [1 / 3, 2 / 3], atol=1e-14)
    assert resolve(np.exp, (0, 1)).landmarks.size == 0


@pytest.mark.parametrize("place", [0.5, 0.4])  # between two first panels, or inside one
def test_jumps_are_found(place):
    target = resolve(lambda x: np.where(x < place, x**2, 1 - x), (0.0, 1.0))
    np.testing.assert_allclose(target.jumps, [place], atol=1e-12)
    np.testing.assert_allclose(target.landmarks, [place], atol=1e-12)
    assert target.curvature == "mixed"
    assert resolve(np.abs, (-1.0, 1.3)).jumps.size == 0


def test_panels_do_not_overshoot_at_a_jump():
    target = resolve(lambda x: np.where(x < 0.4, 0.0, 1.0), (0.0, 1.0))
    x = np.concatenate([0.4 + np.linspace(-1e-13, 1e-13, 4001), np.linspace(0, 1, 1001)])
    assert target(x).min() > -1e-12
    assert target(x).max() < 1 + 1e-12


def test_less_its_chord_a_function_is_zero_at_the_ends():
    target = resolve(np.exp, (0.0, 1.0))
    flat = target.minus(1.0, np.e)
    np.testing.assert_allclose(flat([0.0, 1.0]), 0, atol=1e-15)
    np.testing.assert_allclose(flat.negative()(0.5), (1 + np.e) / 2 - np.exp(0.5), atol=1e-15)


@pytest.mark.parametrize(
    ("function", "domain", "message"),
    [
        (lambda x: 1 / (x - 0.3), (0, 1), "pole"),
        (np.tan, (0, 3), "pole"),
        (np.log, (0, 1), "not finite at x = 0"),
        (lambda x: np.where(x > 0.5, np.nan, x), (0, 1), "not finite at x = 1"),
        (lambda x: x[:3], (0, 1), "one number per point"),
        (lambda x: np.stack([x, x]), (0, 1), "one number per point"),
        (lambda x: 1j * x, (0, 1), "real numbers"),
        (lambda x: np.random.default_rng(0).normal(size=x.shape), (0, 1), "too rough"),
        (np.exp, (1, 0), "low < high"),
        (np.exp, (0, np.inf), "finite"),
        (np.exp, (0, 1, 2), "domain must be"),
        (np.exp, (1, 1 + 1e-12), "too narrow"),
    ],
)
def test_what_cannot_be_resolved_says_so(function, domain, message):
    with pytest.raises(ValueError, match=message):
        resolve(function, domain)


def test_errors_of_the_function_itself_are_passed_on():
    def broken(x):
        raise KeyError("no table")

    with pytest.raises(KeyError, match="no table"):
        resolve(broken, (0, 1))
