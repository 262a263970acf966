import numpy as np
import pytest
from scipy.optimize import linprog

from theory.optimal.absolute_lines import NUDGE, all_costs


def program(x, y, w):
    """The least cost by linear programming."""
    rows = np.stack([np.ones_like(x), x])
    return -linprog(-y, A_eq=rows, b_eq=[0, 0], bounds=np.stack([-w, w], axis=1)).fun


@pytest.mark.parametrize("kind", ["noise", "integers", "steps", "repeated x"])
def test_every_run_costs_what_the_linear_program_says(kind):
    rng = np.random.default_rng(0)
    x, y, w = np.arange(12.0) / 11, rng.normal(size=12), rng.uniform(0.5, 2, 12)
    if kind == "integers":
        y, w = np.round(y), np.ones(12)
    if kind == "steps":
        y = np.repeat([0.0, 1.0, -1.0], 4)
    if kind == "repeated x":
        x = np.round(6 * x) / 6
    costs = all_costs(x, y / 3, w, 1)
    for first in range(12):
        assert np.isinf(costs[first, :first]).all()
        for last in range(first, 12):
            run = slice(first, last + 1)
            exact = program(x[run], y[run] / 3, w[run]) if x[first] < x[last] else 0.0
            assert costs[first, last] == pytest.approx(exact, abs=2 * NUDGE * w.sum())


def test_cells_cost_what_their_samples_cost():
    rng = np.random.default_rng(1)
    x, y, w = np.sort(rng.uniform(size=30)), rng.normal(size=30) / 3, np.ones(30)
    fine, coarse = all_costs(x, y, w, 1), all_costs(x, y, w, 5)
    for first in range(6):
        for last in range(first, 6):
            expected = fine[5 * first, 5 * last + 4]
            assert coarse[first, last] == pytest.approx(expected, abs=1e-8)


def test_samples_of_weight_zero_count_nothing():
    rng = np.random.default_rng(2)
    x, y = np.append(np.sort(rng.uniform(size=7)), 1.0), rng.normal(size=8) / 3
    w = np.append(np.ones(7), 0.0)
    alone = program(x[:7], y[:7], w[:7])
    assert all_costs(x, y, w, 8)[0, 0] == pytest.approx(alone, abs=1e-8)
