"""Maps of inputs that are multiplied by their maps; harmonic means of what they reach."""

import numpy as np
import pytest

from neurons.explain import metrics

rng = np.random.default_rng(5)
X = rng.uniform(0.1, 1, (3, 4, 5, 2)).astype(np.float32)
MAPS = rng.random(X.shape[:-1])


def total(x):
    return np.asarray(x, np.float64).sum(axis=(1, 2, 3))


def test_a_map_that_survives_itself_is_coherent():
    def share(x):
        sums = np.asarray(x).sum(axis=-1)
        return sums / sums.max(axis=(1, 2), keepdims=True)

    found = metrics.coherency(share, X)
    for x, value in zip(X, found, strict=True):
        one = share(x[None])[0]
        again = share((x * one[..., None])[None])[0]
        np.testing.assert_allclose(value, (1 + np.corrcoef(one.flat, again.flat)[0, 1]) / 2)
    steady = metrics.coherency(lambda x: MAPS, X)
    np.testing.assert_allclose(steady, 1)
    np.testing.assert_allclose(metrics.adcc(lambda x: 0 * total(x) + 1, lambda x: MAPS, X),
                               3 / (2 + 1 / (1 - MAPS.mean(axis=(1, 2)))))  # fmt: skip


def test_one_worthless_part_makes_the_harmonic_mean_zero():
    blank = np.zeros_like(MAPS)
    blank[:, 0, 0] = 1
    lost = metrics.adcc(lambda x: total(x) - total(X) * (total(x) < 4), lambda x: blank, X)
    assert lost.tolist() == [0, 0, 0]


def test_road_takes_the_place_of_the_drop():
    def score(x):
        return total(x) / 40

    own = X.sum(axis=-1) / 2
    found = metrics.arcc(score, lambda x: own, X, fractions=[0.3, 0.6], noise=0.0)
    removed = metrics.road(score, X, own, fractions=[0.3, 0.6], noise=0.0).combined
    expected = 3 / (1 + 1 / (1 - own.mean(axis=(1, 2))) + 1 / (2 * removed))
    np.testing.assert_allclose(found, expected)
    opposite = metrics.arcc(score, lambda x: 1 - own, X, fractions=[0.3, 0.6], noise=0.0)
    assert opposite.tolist() == [0, 0, 0]


def test_undefined_parts_have_no_mean():
    constant = np.full(MAPS.shape, 0.5)
    for find in (metrics.adcc, metrics.arcc):
        assert np.isnan(find(total, lambda x: constant, X)).all()
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        metrics.coherency(lambda x: 2 * MAPS, X)
