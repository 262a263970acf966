"""A black box whose boundary is known."""

import numpy as np

SQUARE = [[-1.0, 1.0], [-1.0, 1.0]]


def ring(x):
    """Labels: inside a circle or not."""
    return np.where((x**2).sum(axis=1) < 0.5, "inside", "outside")
