import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory import optimal
from theory.optimal.result import certified
from theory.piecewise import PiecewiseLinear
from theory.regions import error_bound, linearised, regions
from theory.regions.smooth import SMOOTH

BOX = np.array([[-1.0, 1.0], [-1.0, 1.0]])


def even_errors(function, domain, segments):
    """Chords between knots of density |f''|^(1/2), shifted to share the error between both sides.

    A plain stand-in for the best approximation: fast, and within a small factor of it.
    """
    z = np.linspace(*domain, 20_001)
    values = function(z)
    bend = np.abs(np.gradient(np.gradient(values, z), z)) + 1e-6
    mass = np.append(0, np.cumsum(np.sqrt(bend[1:]) + np.sqrt(bend[:-1])))
    knots = np.interp(np.linspace(0, mass[-1], segments + 1), mass, z)
    chords = PiecewiseLinear.through(knots, np.interp(knots, z, values))
    return certified(chords, 1.001 * float(np.abs(chords(z) - values).max()), 0.0, "linf", 0, "")


def arrays(widths, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [*itertools.pairwise(widths)]
    weights = [rng.normal(size=size) / np.sqrt(size[0]) for size in sizes]
    return weights, [0.3 * rng.normal(size=n) for _, n in sizes]


def sup_error(made, box=BOX):
    x = np.random.default_rng(0).uniform(*box.T, (20_000, len(box)))
    return np.linalg.norm(made.exact(x) - made.network(x), axis=1).max()


@pytest.mark.parametrize("widths", [(2, 8, 2), (2, 8, 8, 3)])
@pytest.mark.parametrize("name", [*SMOOTH, np.sin])
def test_the_error_stays_below_the_bound_and_falls_with_the_square(name, widths):
    segments, errors, bounds = [8, 16, 32, 64], [], []
    for count in segments:
        made = linearised(*arrays(widths), name, BOX, count, fit=even_errors)
        errors.append(sup_error(made))
        bounds.append(made.bound)
    assert (np.array(errors) <= bounds).all()
    for measured in (errors, bounds):
        assert np.polyfit(np.log(segments), np.log(measured), 1)[0] == pytest.approx(-2, abs=0.25)


def test_the_best_approximation_is_the_default():
    made = linearised(*arrays((2, 4, 1)), "softplus", BOX, 4)
    best = optimal.approximate(SMOOTH["softplus"], tuple(made.ranges[0]), 4, norm="linf")
    assert made.errors[0] == pytest.approx(best.error)
    assert sup_error(made) <= made.bound
    plain = linearised(*arrays((2, 4, 1)), "softplus", BOX, 4, fit=even_errors)
    assert made.bound < plain.bound


@given(st.integers(0, 10**6), st.sampled_from(["tanh", "gelu"]))
def test_units_stay_in_their_ranges(seed, name):
    made = linearised(*arrays((2, 6, 6, 1), seed), name, BOX, 8, fit=even_errors)
    h = np.random.default_rng(seed).uniform(-1, 1, (2000, 2))
    layers = zip(made.network.weights, made.network.biases, made.ranges, strict=False)
    for kernel, bias, (low, high) in layers:
        z = h @ kernel + bias
        assert low <= z.min()
        assert z.max() <= high
        h = made.smooth(z)


def test_a_bound_without_a_layer_is_broken():
    """Planted fault: the bound of a shallower network does not hold for the deeper one."""
    weights, biases = arrays((2, 8, 8, 8, 8, 2))
    loud = [4 * kernel for kernel in weights]
    made = linearised(loud, biases, "tanh", BOX, 8, fit=even_errors)
    slopes = [part.lipschitz for part in made.network.activations]
    assert sup_error(made) <= made.bound
    assert sup_error(made) > error_bound(loud[:2], made.errors[:1], slopes[:1])


def test_regions_of_a_linearised_network_tile_the_box():
    made = linearised(*arrays((2, 6, 2)), "tanh", BOX, 6, fit=even_errors)
    found = regions(made.network, BOX)
    assert len(found) > 6
    assert abs(found.volumes.sum() - 4) <= 1e-9


def test_a_network_of_constant_units_is_linearised_too():
    weights, biases = [np.zeros((2, 3)), np.ones((3, 1))], [np.ones(3), np.zeros(1)]
    made = linearised(weights, biases, "tanh", BOX, 4, fit=even_errors)
    assert sup_error(made) <= made.bound


def test_a_network_without_hidden_layers_has_no_error():
    made = linearised(*arrays((2, 1)), "tanh", BOX, 4)
    assert made.bound == 0.0
    assert made.ranges.shape == (0, 2)


def test_the_bound_of_identities_adds_up():
    eyes = [np.eye(2)] * 3
    assert error_bound(eyes, [0.1, 0.2], [1.0, 1.0]) == pytest.approx(0.3 * np.sqrt(2))
    assert error_bound(eyes, [0.1, 0.2], [9.0, 2.0]) == pytest.approx(0.4 * np.sqrt(2))


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_linearised():
    with pytest.raises(ValueError, match="one of tanh, sigmoid"):
        linearised(*arrays((2, 4, 1)), "swish", BOX)
    with pytest.raises(ValueError, match=r"box must be \(2, 2\)"):
        linearised(*arrays((2, 4, 1)), "tanh", [[0, 1]])
    with pytest.raises(ValueError, match="3 layers need 2 errors"):
        error_bound([np.eye(2)] * 3, [0.1], [1.0])
