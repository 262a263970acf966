from itertools import combinations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from theory.optimal import dynamic_programming
from theory.optimal.dynamic_programming import least_squares_table, traced
from theory.optimal.fitted import through_runs
from theory.optimal.series import Series


def brute_force(series, segments):
    """Least error over every choice of cuts."""
    cuts = combinations(range(1, series.places.size), segments - 1)
    return min(series.error(through_runs(series, np.array([0, *cut]))) for cut in cuts)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(1, 4), st.booleans())
def test_the_table_is_the_optimum_of_all_cuts(seed, samples, segments, coarse):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=samples)
    x = np.cumsum(rng.uniform(0.1, 1, samples))
    series = Series.of(x, np.round(y) if coarse else y, rng.uniform(0.5, 2, samples))
    segments = min(segments, samples)
    table = least_squares_table(series.scaled, segments)
    for pieces in range(1, segments + 1):
        best = brute_force(series, pieces)
        error = series.scaled.error(float(table[pieces, -1]))
        assert error == pytest.approx(best, rel=1e-9, abs=1e-6 * np.abs(y).max())
        starts = traced(table, series.scaled, pieces)
        assert series.error(through_runs(series, starts)) == pytest.approx(best, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind", ["noise", "wave", "steps", "line"])
def test_leaving_out_blocks_changes_nothing(kind, monkeypatch):
    rng = np.random.default_rng(1)
    x = np.linspace(0, 1, 300)
    y = {
        "noise": rng.normal(size=300),
        "wave": np.sin(15 * x),
        "steps": np.floor(5 * x),
        "line": 2 * x + 1,
    }[kind]
    data = Series.of(x, y).scaled
    whole = least_squares_table(data, 7)  # three blocks of 128
    monkeypatch.setattr(dynamic_programming, "_BLOCK", 16)
    pruned = least_squares_table(data, 7)
    # The last row is filled at its end alone, by blocks.
    np.testing.assert_allclose(pruned[:-1], whole[:-1], rtol=1e-9, atol=1e-12)
    assert pruned[-1, -1] == pytest.approx(whole[-1, -1], rel=1e-9, abs=1e-12)


def test_a_wrong_bound_would_lose_the_optimum(monkeypatch):
    """The planted fault: blocks left out that should not be."""
    x = np.linspace(0, 1, 300)
    data = Series.of(x, np.sin(15 * x)).scaled
    right = least_squares_table(data, 5)[5, -1]
    wanted = dynamic_programming._wanted

    def greedy(table, floors, near, first):
        kept = wanted(table, floors, near, first)
        return kept & (np.arange(kept.shape[0]) == kept.shape[0] - 1)[:, None]

    monkeypatch.setattr(dynamic_programming, "_BLOCK", 16)
    monkeypatch.setattr(dynamic_programming, "_wanted", greedy)
    assert least_squares_table(data, 5)[5, -1] > 1.1 * right
