import itertools

import numpy as np
import pytest

from theory.regions import from_layers


@pytest.fixture
def random_net():
    """Makes a network of the given widths, input first: normal weights, outputs around zero."""

    def make(widths, seed=0, activation="relu", dtype=np.float64):
        rng = np.random.default_rng(seed)
        sizes = [*itertools.pairwise(widths)]
        weights = [(rng.normal(size=size) / np.sqrt(size[0])).astype(dtype) for size in sizes]
        biases = [(0.3 * rng.normal(size=size[1])).astype(dtype) for size in sizes]
        middle = from_layers(weights, biases, activation)(rng.normal(size=(200, widths[0])))
        biases[-1] = biases[-1] - middle.mean(axis=0).astype(dtype)
        return from_layers(weights, biases, activation)

    return make
