"""Tables from formulas: reproducible, and their best error is what the docs say."""

import numpy as np
import pytest
from scipy.stats import chi2

from neurons.data import sets
from neurons.data.simulated_tables import FLIPPED, simulated_tables

MANY = simulated_tables(3, rows=20_000)


def test_the_seed_decides_everything():
    assert simulated_tables(1).digest == simulated_tables(1).digest != simulated_tables(2).digest
    assert sets.simulated("tabular", seed=1).digest == simulated_tables(1).digest
    assert simulated_tables().simulated
    assert all(table.simulated for table in simulated_tables().tables)


def residual(name, signal):
    table = MANY[name]
    return np.std(table.y - signal(table.x))


def test_the_formulas_leave_the_stated_noise():
    def friedman(x):
        return (
            10 * np.sin(np.pi * x[:, 0] * x[:, 1])
            + 20 * (x[:, 2] - 0.5) ** 2
            + 10 * x[:, 3]
            + 5 * x[:, 4]
        )

    assert residual("friedman_1", friedman) == pytest.approx(1, abs=0.02)
    cubic = residual("homogeneous", lambda x: (2 * x**3 - x**2).sum(axis=1))
    assert cubic == pytest.approx(0.1, abs=0.002)
    linear = MANY["linear"]
    weights = np.linalg.lstsq(linear.x, linear.y, rcond=None)[0]
    assert residual("linear", lambda x: x @ weights) == pytest.approx(0.1, abs=0.002)


def test_bayes_rule_of_the_shell_has_the_stated_accuracy():
    shell = MANY["shell"]
    rule = (shell.x**2).sum(axis=1) > chi2.median(6)
    assert np.mean(rule == shell.y) == pytest.approx(1 - FLIPPED, abs=0.01)
    assert np.mean(shell.y) == pytest.approx(0.5, abs=0.01)


def test_few_rows_are_refused_and_the_least_have_both_classes():
    assert set(simulated_tables(rows=10)["shell"].y) == {0, 1}
    with pytest.raises(ValueError, match="rows is 9"):
        simulated_tables(rows=9)
