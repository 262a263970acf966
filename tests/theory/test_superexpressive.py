"""Dense trajectories and their price; what polynomial aggregation cannot follow."""

import math

import numpy as np
import pytest

from theory import superexpressive as sup


def test_frequencies_are_the_first_that_hit():
    values, directions = np.array([0.3, 0.9]), sup.trajectory_directions(2)
    tolerances = [0.2, 0.05, 0.01]
    found = sup.first_frequencies(values, directions, tolerances, 100_000)
    for tolerance, first in zip(tolerances, found, strict=True):
        w = np.arange(1, first + 1)[:, None]
        turn = (w * directions - values) % 1
        near = np.minimum(turn, 1 - turn).max(axis=1) < tolerance
        assert near[-1]
        assert not near[:-1].any()


def test_the_chunks_are_seamless(monkeypatch):
    values, directions = np.array([0.3, 0.9]), sup.trajectory_directions(2)
    whole = sup.first_frequencies(values, directions, [0.1, 0.01], 20_000)
    monkeypatch.setattr(sup, "_CHUNK", 7)
    assert sup.first_frequencies(values, directions, [0.1, 0.01], 20_000) == whole


def test_dependent_directions_are_not_dense():
    directions = math.sqrt(2) * np.ones(2)
    assert sup.first_frequencies(np.array([0.1, 0.6]), directions, [0.2], 10_000) == [None]


@pytest.mark.parametrize("k", [5, 10, 13, 15])
def test_one_frequency_shatters_up_to_fifteen_points(k):
    labels = np.random.default_rng(k).random((300, k)) < 0.5
    assert all(sup.shatters(y, sup.shattering_frequency(y)) for y in labels)


def test_float64_ends_the_shattering():
    labels = np.random.default_rng(0).random((300, 18)) < 0.5
    failures = sum(not sup.shatters(y, sup.shattering_frequency(y)) for y in labels)
    assert failures > 30


def test_a_bounded_parameter_pays_in_digits():
    generator = np.random.default_rng(1)
    bits = {
        k: np.mean([sup.bits_of_bounded_parameter(generator.random(k) < 0.5) for _ in range(40)])
        for k in (4, 12)
    }
    per_point = (bits[12] - bits[4]) / 8
    assert per_point == pytest.approx(math.log2(10), rel=0.15)


def test_bits_of_a_bounded_parameter_suffice():
    labels = np.array([True, False, False, True, False])
    bits = sup.bits_of_bounded_parameter(labels)
    inverse = 1 / sup.shattering_frequency(labels)
    assert sup.shatters(labels, 1 / sup.significant(inverse, bits))
    assert not sup.shatters(labels, 1 / sup.significant(inverse, bits - 1))


@pytest.mark.parametrize(("width", "layers"), [(1, 1), (3, 1), (2, 2)])
def test_networks_stay_within_their_bounds(width, layers):
    x = np.linspace(-4, 4, 4001)
    generator = np.random.default_rng(width)
    seen = max(
        sup.sign_changes(sup.random_network(x, width, layers, generator)) for _ in range(300)
    )
    assert 1 <= seen <= sup.sign_change_bound(width, layers)


def test_what_a_polynomial_captures_of_a_wave():
    k, degree = 5.0, 3
    t, weights = np.polynomial.legendre.leggauss(60)
    basis = np.polynomial.legendre.legvander(t, degree) * np.sqrt(weights)[:, None]
    wave = np.exp(1j * k * t) * np.sqrt(weights)
    fitted = basis @ np.linalg.lstsq(basis.astype(complex), wave, rcond=None)[0]
    share = (np.abs(fitted) ** 2).sum() / 2
    assert sup.captured(degree, np.array([k])) == pytest.approx(share)


@pytest.mark.parametrize("waves", [16, 64])
def test_no_piecewise_polynomial_beats_the_bound(waves):
    pieces, degree = 5, 2
    x = np.linspace(0, 2 * np.pi, 6001)
    target = np.sin(waves * x)
    generator = np.random.default_rng(0)
    best = min(
        _piecewise_error(x, target, np.sort(generator.uniform(0, 2 * np.pi, pieces - 1)), degree)
        for _ in range(50)
    )
    assert sup.wave_error_bound(waves, pieces, degree) <= best <= 1


def _piecewise_error(x, target, knots, degree):
    residual = []
    for part in np.split(np.arange(len(x)), np.searchsorted(x, knots)):
        if len(part) > degree + 1:
            local = np.polynomial.Polynomial.fit(x[part], target[part], degree)
            residual.append(target[part] - local(x[part]))
    return np.linalg.norm(np.concatenate(residual)) / np.linalg.norm(target)


def test_the_bound_tends_to_one():
    errors = [sup.wave_error_bound(m, sup.piece_bound(4), 2) for m in (1, 64, 1024, 10**6)]
    assert errors[0] == 0
    assert np.all(np.diff(errors) > 0)
    assert errors[-1] > 0.9999
