"""Least squares by Gram-Schmidt, for many small sets of columns at once.

LAPACK takes one matrix at a time; here the sets are tiny and there are thousands of them.
"""

import numpy as np

_PARALLEL = 1e-12  # squared sine of an angle below which a column adds nothing


def orthonormal(columns: np.ndarray) -> np.ndarray:
    """Orthonormal directions `(terms, starts, rows)` of columns `(starts, terms, rows)`.

    Gram-Schmidt with every column orthogonalised twice; a column that adds nothing gives zeros.
    """
    basis: list[np.ndarray] = []
    for place in range(columns.shape[1]):
        column = columns[:, place]
        size = np.einsum("sr,sr->s", column, column)
        for _ in range(2 if basis else 0):
            for direction in basis:
                column = column - direction * np.einsum("sr,sr->s", direction, column)[:, None]
        own = np.einsum("sr,sr->s", column, column)
        scale = np.where(own > _PARALLEL * size, 1 / np.sqrt(np.maximum(own, 1e-300)), 0.0)
        basis.append(column * scale[:, None])
    return np.array(basis)


def project_out(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Residual `(starts, rows, targets)` of targets `(rows, targets)` on columns."""
    left = np.broadcast_to(target, (len(columns), *target.shape))
    for direction in orthonormal(columns):
        left = left - direction[:, :, None] * np.einsum("sr,srt->st", direction, left)[:, None]
    return left


def basis_of(columns: np.ndarray) -> np.ndarray:
    """Orthonormal basis `(rows, rank)` of columns `(count, rows)`."""
    directions = orthonormal(columns[None])[:, 0] if len(columns) else columns
    return directions[directions.any(axis=1)].T
