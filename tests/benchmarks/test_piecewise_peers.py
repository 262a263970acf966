"""Piecewise-linear fits of data against pwlf (continuous) and ruptures (with jumps).

pwlf searches the knots by differential evolution (`fit`) or by gradients from a few starts
(`fitfast`); both are seeded. ruptures' `Dynp` with the model "linear" takes the signal
`[y, x, 1]` and cuts after a sample; with `jump=1, min_size=2` it solves our problem: a run of one
sample, which only we allow, costs no less than one of two.
"""

import jaxtyping
import numpy as np
import pytest
from conftest import EXTRA, seconds

from theory.optimal.series import Series
from theory.optimal.series_fit import fit_series

pytestmark = pytest.mark.peers
SEGMENTS = 8
KINDS = ["noisy sine", "bearing", "corners", "walk"]


@pytest.fixture(scope="module", autouse=True)
def users_speed():
    """What users run: without the checks of annotations."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def series(kind, samples=200):
    rng, x = np.random.default_rng(KINDS.index(kind)), np.linspace(0, 1, samples)
    noise = rng.normal(size=samples)
    ringing = np.exp(-8 * ((12 * x) % 1)) * np.sin(120 * np.pi * x)
    corners = np.interp(x, [0, 0.2, 0.5, 0.6, 1], [0, 1, 0, 2, 1])
    y = {
        "noisy sine": np.sin(7 * x) + 0.1 * noise,
        "bearing": ringing + 0.05 * noise,  # like CWRU: ringing after every impact
        "corners": corners + 0.1 * noise,
        "walk": np.cumsum(noise),
    }
    return Series.of(x, y[kind])


@pytest.mark.parametrize(("method", "bar"), [("fit", 0.01), ("fitfast", 1.0)])
@pytest.mark.parametrize("kind", KINDS)
def test_never_worse_than_pwlf_and_faster(kind, method, bar, record):
    pwlf = pytest.importorskip("pwlf", reason=EXTRA)
    data, fits = series(kind), []
    peer = pwlf.PiecewiseLinFit(data.x, data.y, seed=0)
    ours = [seconds(lambda: fits.append(fit_series(data, SEGMENTS))) for _ in range(5)]
    theirs = seconds(lambda: getattr(peer, method)(SEGMENTS))
    ratio = fits[0].error / np.sqrt(peer.ssr)
    record(f"{kind}, 8 lines, error x {ratio:.4f}", f"pwlf {method}", ours, [theirs], bar)
    assert fits[0].error <= np.sqrt(peer.ssr) + 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_never_worse_than_pwlf_on_little_data(seed):
    pwlf = pytest.importorskip("pwlf", reason=EXTRA)
    rng = np.random.default_rng(seed)
    samples, segments = int(rng.integers(15, 80)), int(rng.integers(2, 6))
    x, noise = np.sort(rng.uniform(size=samples)), rng.normal(size=samples)
    y = [noise, np.cumsum(noise), np.sin(9 * x) + 0.2 * noise, np.round(2 * x)][seed % 4]
    peer = pwlf.PiecewiseLinFit(x, y, seed=0)
    peer.fit(segments)
    assert fit_series(Series.of(x, y), segments).error <= np.sqrt(peer.ssr) + 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_the_cost_of_ruptures_and_not_slower(kind, record):
    ruptures = pytest.importorskip("ruptures", reason=EXTRA)
    data, fits = series(kind), []
    signal = np.stack([data.y, data.x, np.ones_like(data.x)], axis=1)
    peer = ruptures.Dynp(model="linear", min_size=2, jump=1)
    cuts = []
    theirs = seconds(lambda: cuts.extend(peer.fit(signal).predict(SEGMENTS - 1)))
    ours = [
        seconds(lambda: fits.append(fit_series(data, SEGMENTS, continuous=False))) for _ in range(5)
    ]
    record(f"{kind}, 8 lines with jumps", "ruptures Dynp", ours, [theirs], bar=1.0)
    assert fits[0].error == pytest.approx(np.sqrt(peer.cost.sum_of_costs(cuts)), rel=1e-9)


@pytest.mark.parametrize("continuous", [True, False])
def test_ten_thousand_samples_and_sixteen_segments_in_two_seconds(continuous, record):
    data = series("corners", 10_000)
    ours = [seconds(lambda: fit_series(data, 16, continuous=continuous)) for _ in range(5)]
    record(f"10,000 samples, continuous={continuous}", "the promise: 2 s", ours, [2.0], bar=1.0)
