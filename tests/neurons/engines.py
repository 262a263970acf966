"""Curves for the back-ends, and an engine that travels to workers."""

from dataclasses import dataclass

import numpy as np

from neurons.search.reduced import Curve
from neurons.task_based import Expression


def curve_of(*functions, error=1e-10, low=-2.0, high=2.0):
    """What the search would see of functions, at Chebyshev nodes."""
    u = np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    x = (low + high) / 2 + (high - low) / 2 * u
    value = np.stack([function(x) for function in functions], axis=1)
    value = value - value.mean(axis=0)
    return Curve(x, value, np.broadcast_to(error, value.shape[::-1]).T.astype(float), 20)


def misfit(formula, curve, target=0):
    """Largest distance from the curve's spread, the intercept aside."""
    gap = formula(curve.x) - curve.value[:, target]
    return np.abs(gap - gap.mean()).max() / curve.value[:, target].std()


@dataclass(frozen=True)
class Powers:
    """A back-end that proposes one power of x, by the seed, and x itself."""

    most: int = 3

    def propose(self, curve, space, seed):
        assert space.powers == (1, 2, 3)
        power = 2 + seed % (self.most - 1)
        return [Expression(("x", power, "**")), Expression(("x",))]
