"""Small anomaly tables from formulas, for checks that must run without the public sets.

They do not imitate any public set: each stands for a way in which a row can be wrong.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neurons.data.anomaly_tables import AnomalyTable, AnomalyTables

Floats = NDArray[np.float64]
Maker = Callable[[np.random.Generator, NDArray[np.bool_]], Floats]


def simulated_anomalies(seed: int = 0, *, rows: int = 1000) -> AnomalyTables:
    """Four tables without units, a tenth of the rows anomalous, drawn from their formulas.

    `shifted`: x ~ N(0, I_8); anomalies have the mean 1.25 in every column: far from the centre.
    The best score is the sum, its AUC `Phi(1.25 sqrt(8 / 2))`, 0.994.

    `plane`: x = B u + 0.3 e with u ~ N(0, I_4), B `(16, 4)` of unit rows, e ~ N(0, I_16);
    anomalies are N(0, 1.09 I_16): each column has the same law in both, only the correlations
    are broken.

    `curved`: x = (u, (u_j^2 - 1) / sqrt(2), u_j u_k) + 0.1 e with u ~ N(0, I_4), `(14,)`; in
    anomalies every column is drawn from another row: no linear map sees them well.

    `hollow`: x = 3 v + 0.3 e with v uniform on the unit sphere of R^6; anomalies are
    N(0, 0.3^2 I_6), in the hole: the nearer to the centre, the worse.

    Args:
        seed: Seed of everything random.
        rows: Rows of every table, at least 20.

    Raises:
        ValueError: For fewer rows.

    Example:
        >>> print(simulated_anomalies(rows=20)["curved"])
        curved: 20 x 14, 2 anomalous (10.0 %, simulated)
    """
    if rows < 20:
        raise ValueError(f"rows is {rows}; allowed: 20 and more")
    random = np.random.default_rng(seed)
    made = tuple(_table(name, random, rows) for name in _MAKERS)
    return AnomalyTables("simulated_anomalies", made, simulated=True)


def _table(name: str, random: np.random.Generator, rows: int) -> AnomalyTable:
    y = random.permutation(np.arange(rows) < rows // 10)
    maker, rule = _MAKERS[name]
    return AnomalyTable(name, maker(random, y), y, f"simulated: {rule}", simulated=True)


def _shifted(random: np.random.Generator, y: NDArray[np.bool_]) -> Floats:
    return random.standard_normal((len(y), 8)) + 1.25 * y[:, None]


def _plane(random: np.random.Generator, y: NDArray[np.bool_]) -> Floats:
    basis = random.standard_normal((16, 4))
    basis /= np.linalg.norm(basis, axis=1, keepdims=True)
    flat = random.standard_normal((len(y), 4)) @ basis.T
    flat += 0.3 * random.standard_normal(flat.shape)
    return np.where(y[:, None], np.sqrt(1.09) * random.standard_normal(flat.shape), flat)


def _curved(random: np.random.Generator, y: NDArray[np.bool_]) -> Floats:
    u = random.standard_normal((len(y), 4))
    pairs = u[:, :, None] * u[:, None, :]  # (rows, 4, 4)
    products = pairs[:, *np.triu_indices(4, 1)]
    x = np.concatenate([u, (u**2 - 1) / np.sqrt(2), products], axis=1)
    mixed = np.stack([random.permutation(column) for column in x.T], axis=1)
    return np.where(y[:, None], mixed, x) + 0.1 * random.standard_normal(x.shape)


def _hollow(random: np.random.Generator, y: NDArray[np.bool_]) -> Floats:
    v = random.standard_normal((len(y), 6))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    return np.where(y[:, None], 0.0, 3 * v) + 0.3 * random.standard_normal(v.shape)


_MAKERS: dict[str, tuple[Maker, str]] = {
    "shifted": (_shifted, "anomalies moved by 1.25 in each of 8 columns"),
    "plane": (_plane, "anomalies off the 4-dimensional plane of the normal rows"),
    "curved": (_curved, "anomalies without the squares and products that bind normal rows"),
    "hollow": (_hollow, "anomalies in the hole of a sphere of normal rows"),
}
