"""The data as it is: for what the triangle cannot hold, kinks above all.

It has the face of a reduced problem, so that everything that fits and weighs models works on it.
"""

from dataclasses import dataclass

import numpy as np

from neurons.search.reduced import Reduced

VALUES = 1 << 16  # input values up to which all samples are used


@dataclass(frozen=True)
class Rows(Reduced):
    """Samples as a regression problem; `nodes` are all their inputs, one after the other.

    Args:
        inputs: inputs per sample.
        root: square roots of the samples' weights `(samples, 1)`, or None.
        whole: whether these are all samples of the data.
    """

    inputs: int = 1
    root: np.ndarray | None = None
    whole: bool = True

    def columns(self, values: np.ndarray) -> np.ndarray:
        """Columns `(..., samples)`: sums over each sample's inputs, centred."""
        sums = values.reshape(*values.shape[:-1], -1, self.inputs).sum(axis=-1)
        return _centred(sums, None if self.root is None else self.root[:, 0])

    def means(self, values: np.ndarray) -> np.ndarray | np.floating:
        """Mean over the samples of the inputs' sums."""
        sums = values.reshape(*values.shape[:-1], -1, self.inputs).sum(axis=-1)
        if self.root is None:
            return sums.mean(axis=-1)
        return np.average(sums, axis=-1, weights=self.root[:, 0] ** 2)


def _centred(columns: np.ndarray, root: np.ndarray | None) -> np.ndarray:
    """Weighted columns `(..., samples)` less their part along the constant."""
    if root is None:
        return columns - columns.mean(axis=-1, keepdims=True)
    weighted, unit = columns * root, root / np.linalg.norm(root)
    return weighted - (weighted @ unit)[..., None] * unit


def rows_of(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> Rows:
    """Samples as a problem: all of them, or an even selection if there are many.

    Args:
        x: inputs `(n, d)`.
        y: targets `(n, targets)`.
        weights: weights of the squared errors `(n,)`.
    """
    most = max(256, VALUES // x.shape[1])
    step = -(-len(x) // most)
    x, y = x[::step], y[::step]
    root = None if weights is None else np.sqrt(weights[::step])
    target = _centred(y.T, root).T
    column = None if root is None else root[:, None]
    centre = np.average(y, axis=0, weights=None if root is None else root**2)
    return Rows(
        nodes=x.ravel(),
        design=np.empty((0, 0)),
        target=target,
        rest=0.0,
        samples=len(x),
        averages=np.empty(0),
        centre=centre,
        inputs=x.shape[1],
        root=column,
        whole=step == 1,
    )
