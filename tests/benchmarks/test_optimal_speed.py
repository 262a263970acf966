"""Optimal lines of functions: how long they take, beside the classical alternation.

pwlf and ruptures, which fit data, are met in test_piecewise_peers.py.
"""

import numpy as np
import pytest

from theory.optimal import Lloyd, approximate, resolve

pytestmark = pytest.mark.peers
ROUNDS = 20
# What a user may wait for 16 segments of a smooth convex function, sampling it included, seconds.
CONVEX_BAR = 0.05


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_sixteen_segments_of_a_convex_function(norm, interleaved, record):
    ours = interleaved(lambda: approximate(np.exp, (0.0, 1.0), 16, norm=norm), rounds=ROUNDS)
    bar = np.full(ROUNDS, CONVEX_BAR)
    record(f"16 segments of exp, {norm}", "the bar of 50 ms", ours[0], bar, bar=1.0)


def test_newton_against_lloyd(interleaved, record):
    target = resolve(np.exp, (0.0, 1.0))
    newton, lloyd = interleaved(
        lambda: approximate(target, segments=8),
        lambda: approximate(target, segments=8, solver=Lloyd()),
        rounds=3,
    )
    record("8 segments of exp, l2, certified", "Lloyd's alternation", newton, lloyd, bar=0.2)


@pytest.mark.parametrize("continuous", [True, False])
def test_sixteen_segments_of_a_sine(continuous, interleaved, record):
    def fit():
        return approximate(np.sin, (0.0, 2 * np.pi), 16, continuous=continuous)

    ours = interleaved(fit, rounds=3)
    kind = "continuous" if continuous else "with jumps"
    record(f"16 segments of a sine, l2, {kind}", "10 s", ours[0], np.full(3, 10.0), bar=1.0)
