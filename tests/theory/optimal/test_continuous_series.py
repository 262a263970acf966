from itertools import combinations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from theory.optimal import continuous_series
from theory.optimal.continuous_series import on_samples
from theory.optimal.free_knots import spread_out, total
from theory.optimal.series import Series


def brute_force(data, segments, candidates):
    inner = combinations(candidates[1:-1], segments - 1)
    ends = candidates[0], candidates[-1]
    return min(total(data, data.u[[ends[0], *knots, ends[1]]]) for knots in inner)


def noisy(seed, samples, coarse=False):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=samples)
    x = np.cumsum(rng.uniform(0.1, 1, samples))
    return Series.of(x, np.round(y) if coarse else y, rng.uniform(0.5, 2, samples)).scaled


@given(st.integers(0, 2**32 - 1), st.integers(3, 12), st.integers(1, 4), st.booleans())
def test_pruning_finds_the_optimum_of_all_choices_of_knots(seed, samples, segments, coarse):
    data, segments = noisy(seed, samples, coarse), min(segments, samples - 1)
    (knots,) = on_samples(data, segments, total(data, spread_out(data, segments)))
    best = brute_force(data, segments, np.arange(samples))
    assert total(data, knots) == pytest.approx(best, rel=1e-9, abs=1e-12)


def test_knots_stay_on_the_candidates():
    data, candidates = noisy(3, 40), np.array([0, 5, 9, 17, 20, 31, 34, 39])
    start = total(data, data.u[[0, 9, 20, 39]])
    (knots,) = on_samples(data, 3, start, data.u[candidates])
    assert set(knots) <= set(data.u[candidates])
    best = brute_force(data, 3, candidates)
    assert total(data, knots) == pytest.approx(best, rel=1e-9)


def test_a_limit_nothing_reaches_is_said_so():
    data = noisy(0, 12)
    assert on_samples(data, 2, 0.5 * brute_force(data, 2, np.arange(12))) == []


def test_an_envelope_that_drops_parabolas_would_lose_the_optimum(monkeypatch):
    """The planted fault: keep only the parabola of the least value."""
    data = Series.of(np.arange(40), np.random.default_rng(6).normal(size=40)).scaled
    limit = total(data, spread_out(data, 6))
    right = total(data, on_samples(data, 6, limit)[0])

    def cheapest(front, room):
        return front.kept(np.unique(front.knot, return_index=True)[1])

    monkeypatch.setattr(continuous_series, "_pruned", cheapest)
    assert total(data, on_samples(data, 6, limit)[0]) > 1.001 * right
