"""Trained lattices beside pwlf, which searches knots by differential evolution."""

import jax
import numpy as np
import pytest

from neurons.lattice import fit_lattice
from theory.claims.pwla_problems import PROBLEMS

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("standard_promotion")]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_a_lattice_misses_no_more_than_pwlf(problem):
    pwlf = pytest.importorskip("pwlf")
    x = np.linspace(*problem.domain, 129)
    y = problem.function(x)
    theirs = pwlf.PiecewiseLinFit(x, y, seed=0)
    theirs.fitfast(8, pop=3)
    error = np.sqrt(np.mean((theirs.predict(x) - y) ** 2))
    assert fit_lattice(x, y, 8, key=jax.random.key(0)).error <= 1.01 * error
