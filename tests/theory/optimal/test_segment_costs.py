import numpy as np
import pytest

from theory.optimal.segment_costs import Vicinity
from theory.optimal.series import Series


def direct(data, first, last):
    """Least squares of samples first ... last by lstsq."""
    root = np.sqrt(data.w[first : last + 1])
    basis = np.stack([np.ones_like(root), data.u[first : last + 1]], axis=1)
    rest = root * data.v[first : last + 1]
    return np.sum(
        (rest - root[:, None] * basis @ np.linalg.lstsq(root[:, None] * basis, rest)[0]) ** 2
    )


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 5, 60))
    return Series.of(x, 100 + 30 * x + rng.normal(size=60), rng.uniform(0.2, 3, 60)).scaled


def test_costs_of_all_runs_equal_least_squares(data):
    near = Vicinity(data, 20, 30)
    costs, corner = near.costs(slice(0, 20), np.empty((6, 20, 10))), near.corner()
    for end in range(20, 30):
        expected = [direct(data, start, end) for start in range(end + 1)]
        np.testing.assert_allclose(costs[:, end - 20], expected[:20], atol=1e-12)
        np.testing.assert_allclose(corner[: end - 19, end - 20], expected[20:], atol=1e-12)
    assert np.isinf(corner[np.tri(10, k=-1, dtype=bool)]).all()
    np.testing.assert_allclose(near.to_end(-1), near.to_end(9), rtol=0)
    starts = np.array([3, 17])
    np.testing.assert_allclose(near.to_first(starts), [direct(data, s, 20) for s in starts])


def test_short_runs_keep_their_digits_far_from_the_origin():
    # Costs of 1e-14 of all squares: sums about a common origin would leave no digit of them.
    x = np.linspace(0, 1, 2000)
    data = Series.of(x, np.exp(20 * x)).scaled
    near = Vicinity(data, 100, 110)
    exact = direct(data, 95, 104)
    assert exact < 1e-20 * (data.w @ data.v**2)
    assert near.to_end(4)[95] == pytest.approx(exact, rel=1e-4)
