import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from theory.optimal.anchors import best_knot, carried, first_anchor, snapped
from theory.optimal.fitted import hats
from theory.optimal.series import Series


def square(data, knots):
    """Least squares with given knots, by lstsq."""
    root = np.sqrt(data.w)
    basis = root[:, None] * hats(data.u, np.asarray(knots))
    rest = root * data.v
    return float(np.sum((rest - basis @ np.linalg.lstsq(basis, rest)[0]) ** 2))


def noisy(seed, samples):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.1, 1, samples))
    return Series.of(x, rng.normal(size=samples), rng.uniform(0.5, 2, samples)).scaled


@pytest.mark.parametrize("forward", [True, False])
def test_what_is_carried_along_the_knots_is_the_cost_of_the_fit(forward):
    data, knots = noisy(0, 30), [0.0, 0.21, 0.22, 0.7, 1.0]
    way = knots if forward else knots[::-1]
    anchor = first_anchor(data, 0 if forward else -1)
    for here, there in itertools.pairwise(way):
        anchor = carried(data, anchor, here, there)
    assert anchor.cost == pytest.approx(square(data, knots), rel=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(3, 12))
def test_the_best_knot_beats_every_place_on_a_fine_grid(seed, samples):
    data = noisy(seed, samples)
    ends = first_anchor(data, 0), first_anchor(data, -1)
    cost, place = best_knot(data, 0.0, 1.0, *ends)
    assert cost == pytest.approx(square(data, [0, place, 1]), rel=1e-6, abs=1e-12)
    grid = np.linspace(0, 1, 301)[1:-1]
    assert cost <= min(square(data, [0, t, 1]) for t in grid) * (1 + 1e-9) + 1e-12


def test_without_a_sample_in_between_there_is_no_knot():
    data = noisy(0, 5)
    ends = first_anchor(data, 0), first_anchor(data, -1)
    cost, place = best_knot(data, data.u[1], data.u[2], *ends)
    assert np.isinf(cost)
    assert np.isnan(place)


def test_knots_next_to_a_sample_are_put_on_it():
    data = Series.of([0, 1, 2, 4], [0, 1, 0, 1]).scaled
    knots = np.array([0, 0.25 + 1e-9, 0.4, 0.5 - 1e-9, 1])
    assert snapped(data, knots).tolist() == [0, 0.25, 0.4, 0.5, 1]
    close = np.array([0, 0.25 - 1e-9, 0.25 + 1e-9, 1])
    assert snapped(data, close) is close
