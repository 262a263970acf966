"""Neurons of higher degree: their degree, special cases, and what is refused."""

import jax.numpy as jnp
import numpy as np
import numpy_twins as twins
import pytest

import neurons as nr
from neurons.polynomial import monomials

DEGREES = [
    (nr.polynomial((1, 4)), 4),
    (nr.cp(3, 2), 3),
    (nr.neuronseek(4, 1), 4),
    (nr.pi_sigma(3), 3),
    (nr.ridge_polynomial(3), 3),
    (nr.sigma_pi(3), 3),
    (nr.pi_net_ccp(3, 4), 3),
    (nr.pi_net_ncp(3, 4), 3),
    (nr.pi_net_ncp(3, 4, skip=True), 3),
    (nr.cross, 2),
    (nr.dendrite, 2),
    (nr.kervolution_polynomial(5), 5),
]


@pytest.mark.parametrize(("neuron", "degree"), DEGREES, ids=lambda v: getattr(v, "name", None))
def test_along_a_line_the_output_is_a_polynomial_of_the_degree(neuron, degree):
    with twins.precision(jnp.float64):
        layer = twins.drawn(nr.Dense, neuron, 3, 3, dtype=jnp.float64)
        t = np.linspace(-1, 1, degree + 3)
        y = layer(jnp.asarray(t[:, None] * [1.0, -0.7, 0.4] + 0.2))
    scale = np.abs(y).max()
    exact, residual, *_ = np.polyfit(t, y, degree, full=True)
    assert residual.max() < 1e-20 * scale**2
    assert np.abs(exact[0]).min() > 1e-6 * scale  # and of no lower one


def test_monomials_come_by_degree():
    x = jnp.asarray([2.0, 3.0])
    np.testing.assert_array_equal(monomials(x, 3), [2, 3, 4, 6, 9, 8, 12, 18, 27])


def test_powers_may_come_in_any_order_and_without_the_first():
    neuron = nr.polynomial([3, 2])
    assert neuron.formula == "w_2.x^2 + w_3.x^3 + b"
    assert neuron.degenerate is None
    assert neuron.parameters(4) == 9
    layer = twins.drawn(nr.Dense, neuron, 2, 3)
    x = twins.draw((5, 2))
    assert twins.relative_error(layer(x), twins.output(layer, twins.float64(x))) < 1e-5


def test_equal_options_give_the_same_neuron():
    assert nr.cp(3, 2) is nr.cp(3, 2)
    assert nr.polynomial([1, 2]) is nr.polynomial((1, 2))
    assert nr.polynomial(range(1, 3)) is nr.polynomial((1, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nr.polynomial(()),
            r"powers needs different whole numbers, at least one, got \(\)",
        ),
        (lambda: nr.polynomial((1, 1)), r"powers needs different whole numbers.* got \(1, 1\)"),
        (lambda: nr.polynomial((0, 1)), "powers must be a whole number of at least 1, got 0"),
        (lambda: nr.polynomial((-1,)), "powers must be .* got -1"),
        (lambda: nr.polynomial((1.5,)), "powers must be .* got 1.5"),
        (lambda: nr.cp(1), "order must be a whole number of at least 2, got 1"),
        (lambda: nr.cp(2, -3), "rank must be .* got -3"),
        (lambda: nr.neuronseek(1), "order must be .* at least 2, got 1"),
        (lambda: nr.neuronseek(2, 0), "rank must be .* got 0"),
        (lambda: nr.pi_sigma(0), "order must be .* got 0"),
        (lambda: nr.ridge_polynomial(0), "order must be .* got 0"),
        (lambda: nr.sigma_pi(-2), "order must be .* got -2"),
        (lambda: nr.pi_net_ccp(0), "order must be .* got 0"),
        (lambda: nr.pi_net_ccp(2, 0), "rank must be .* got 0"),
        (lambda: nr.pi_net_ncp(0), "order must be .* got 0"),
        (lambda: nr.pi_net_ncp(2, -1), "rank must be .* got -1"),
    ],
)
def test_impossible_degrees_and_ranks_are_refused(call, message, unchecked):
    with pytest.raises(ValueError, match=message):
        call()
