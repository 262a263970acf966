"""Small tables from formulas, for checks that must run without the public sets.

They do not imitate any public set: each stands for a kind of task, and its best possible error is
known.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from neurons.data.tables import Table, Tables, Task

Floats = NDArray[np.float64]
FLIPPED = 0.1  # share of labels that are wrong: the error of Bayes' rule on `shell`


def simulated_tables(seed: int = 0, *, rows: int = 1000) -> Tables:
    """Four tables without units, drawn from their formulas.

    `friedman_1`: x ~ U(0, 1)^10, y = 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5 + e,
    e ~ N(0, 1): interactions and idle inputs.

    `homogeneous`: x ~ U(-1, 1)^8, y = sum_j (2 x_j^3 - x_j^2) + e, e ~ N(0, 0.1^2): every input
    undergoes the same computation.

    `linear`: x ~ U(-1, 1)^6, y = w.x + e, w ~ N(0, I), e ~ N(0, 0.1^2): no power helps.

    `shell`: x ~ N(0, I_6), label 1 where |x|^2 exceeds its median, a tenth of the labels flipped:
    Bayes' rule is the sphere, its accuracy 90 %.

    Args:
        seed: Seed of everything random.
        rows: Rows of every table, at least 10.

    Raises:
        ValueError: For fewer rows.

    References:
        J. H. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19 (1991).

    Example:
        >>> print(simulated_tables(rows=10)["shell"])
        shell: 10 x 6, classification (simulated)
    """
    if rows < 10:
        raise ValueError(f"rows is {rows}; allowed: 10 and more")
    random = np.random.default_rng(seed)
    made = (
        _friedman(random, rows),
        _homogeneous(random, rows),
        _linear(random, rows),
        _shell(random, rows),
    )
    return Tables("simulated_tables", made, simulated=True)


def _table(name: str, x: Floats, y: NDArray, task: Task, formula: str) -> Table:
    columns = tuple(f"x{j + 1}" for j in range(x.shape[1]))
    return Table(name, x, y, columns, task, f"simulated: {formula}", simulated=True)


def _friedman(random: np.random.Generator, rows: int) -> Table:
    x = random.random((rows, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
    y += 10 * x[:, 3] + 5 * x[:, 4] + random.standard_normal(rows)
    return _table("friedman_1", x, y, "regression", "Friedman's first function, noise 1")


def _homogeneous(random: np.random.Generator, rows: int) -> Table:
    x = random.uniform(-1, 1, (rows, 8))
    y = (2 * x**3 - x**2).sum(axis=1) + 0.1 * random.standard_normal(rows)
    return _table("homogeneous", x, y, "regression", "sum of 2 x^3 - x^2, noise 0.1")


def _linear(random: np.random.Generator, rows: int) -> Table:
    x = random.uniform(-1, 1, (rows, 6))
    y = x @ random.standard_normal(6) + 0.1 * random.standard_normal(rows)
    return _table("linear", x, y, "regression", "w.x, noise 0.1")


def _shell(random: np.random.Generator, rows: int) -> Table:
    x = random.standard_normal((rows, 6))
    outside = (x**2).sum(axis=1) > chi2.median(6)
    y = (outside ^ (random.random(rows) < FLIPPED)).astype(np.int64)
    y[:2] = 0, 1  # both classes, however few the rows
    return _table("shell", x, y, "classification", "|x|^2 above its median, 10 % flipped")
