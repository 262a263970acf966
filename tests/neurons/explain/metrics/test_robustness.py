"""Sensitivity and additivity where they are known: linear maps and linear scores."""

import numpy as np
import pytest

from neurons.explain import metrics

rng = np.random.default_rng(7)
X = rng.normal(size=(3, 4, 4, 2))
WEIGHTS = rng.normal(size=(4, 4, 2))


def linear(x):
    return (np.asarray(x) * WEIGHTS).sum(axis=(1, 2, 3))


def test_a_scaled_identity_has_its_scale_as_lipschitz_constant():
    found = metrics.sensitivity(lambda x: 3 * x, X)
    np.testing.assert_allclose(found.lipschitz, 3)
    norms = np.linalg.norm(X.reshape(3, -1), axis=1)
    # 32 uniform numbers in [-r, r] have the length r sqrt(32 / 3), give or take.
    np.testing.assert_allclose(found.average, 0.02 * np.sqrt(32 / 3) / norms, rtol=0.15)
    assert (found.maximum >= found.average).all()


def test_measures_are_those_of_a_loop():
    def explain(x):
        return np.sin(2 * x).sum(axis=-1)

    steps = []

    def listening(x):
        steps.append(x - X)
        return explain(x)

    found = metrics.sensitivity(listening, X, radius=0.5, samples=4, seed=1)
    assert len(steps) == 5
    for row, x in enumerate(X):
        apart = [np.linalg.norm(explain(x + s[row]) - explain(x)) for s in steps[1:]]
        reached = [np.linalg.norm(s[row]) for s in steps[1:]]
        norm = np.linalg.norm(explain(x))
        np.testing.assert_allclose(found.maximum[row], max(apart) / norm)
        np.testing.assert_allclose(found.average[row], np.mean(apart) / norm)
        ratios = [a / b for a, b in zip(apart, reached, strict=True)]
        np.testing.assert_allclose(found.lipschitz[row], max(ratios))
    assert max(np.abs(s).max() for s in steps) <= 0.5


def test_each_measure_has_a_name_of_its_own():
    found = metrics.sensitivity(np.sin, X, samples=3)
    np.testing.assert_array_equal(metrics.max_sensitivity(np.sin, X, samples=3), found.maximum)
    np.testing.assert_array_equal(metrics.avg_sensitivity(np.sin, X, samples=3), found.average)
    np.testing.assert_array_equal(metrics.local_lipschitz(np.sin, X, samples=3), found.lipschitz)


def test_constant_explanations_are_insensitive_and_zeros_have_no_relative_change():
    assert metrics.max_sensitivity(lambda x: np.ones(x.shape), X).tolist() == [0, 0, 0]
    zeros = metrics.sensitivity(lambda x: np.zeros(x.shape), X)
    assert np.isnan(zeros.maximum).all()
    assert zeros.lipschitz.tolist() == [0, 0, 0]


def test_a_map_with_nan_has_no_sensitivity():
    found = metrics.max_sensitivity(lambda x: x * np.array([1, np.nan, 1])[:, None, None, None], X)
    assert np.isnan(found).tolist() == [False, True, False]


def test_wrong_neighbourhoods_are_refused():
    for radius in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="radius must be positive"):
            metrics.sensitivity(np.sin, X, radius=radius)
    with pytest.raises(ValueError, match="samples must be"):
        metrics.sensitivity(np.sin, X, samples=0)
    with pytest.raises(ValueError, match="as many maps"):
        metrics.sensitivity(lambda x: x[:2], X)


# -- adding up ------------------------------------------------------------------------------------


def test_linear_attributions_are_complete():
    blank = rng.normal(size=WEIGHTS.shape)
    attributed = (X - blank) * WEIGHTS
    found = metrics.completeness(linear, X, attributed, baseline=blank)
    np.testing.assert_allclose(found, 0, atol=1e-12)
    # Over channels or not is the same sum; what is missing is what is found.
    np.testing.assert_allclose(
        metrics.completeness(linear, X, attributed.sum(axis=-1) + 0.5, baseline=blank), 8
    )


@pytest.mark.parametrize("change", ["noise", "patches"])
def test_the_gradient_of_a_linear_score_is_faithful(change):
    gradient = np.broadcast_to(WEIGHTS, X.shape)
    found = metrics.infidelity(linear, X, gradient, change=change, size=0.4)
    np.testing.assert_allclose(found, 0, atol=1e-10)
    doubled = metrics.infidelity(linear, X, 2 * gradient, change=change, size=0.4)
    assert (doubled > 1e-3).all()
    scaled = metrics.infidelity(linear, X, 2 * gradient, change=change, size=0.4, scaled=True)
    np.testing.assert_allclose(scaled, 0, atol=1e-10)


def test_infidelity_under_noise_is_the_distance_of_gradients():
    """E (I . (M - w))^2 = s^2 |M - w|^2."""
    other = rng.normal(size=X.shape)
    found = metrics.infidelity(linear, X, other, size=0.1, samples=4000)
    expected = 0.01 * ((other - WEIGHTS) ** 2).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=0.1)


def test_patches_are_squares_of_zeros():
    seen = []

    def score(x):
        seen.append(x)
        return linear(x)

    metrics.infidelity(score, X, X, change="patches", size=0.5, samples=6)
    for x in seen[1:]:
        for image in (x != X).any(axis=-1):
            rows, columns = np.nonzero(image.any(axis=1))[0], np.nonzero(image.any(axis=0))[0]
            assert image.sum() == 4
            assert np.ptp(rows) == np.ptp(columns) == 1


def test_maps_over_space_count_for_every_channel():
    plane = rng.normal(size=X.shape[:-1])
    both = np.repeat(plane[..., None], 2, axis=-1)
    found = metrics.infidelity(linear, X, plane)
    np.testing.assert_allclose(found, metrics.infidelity(linear, X, both))


def test_silent_attributions_leave_the_whole_change():
    silent = metrics.infidelity(linear, X, np.zeros(X.shape), samples=5)
    np.testing.assert_array_equal(
        silent, metrics.infidelity(linear, X, np.zeros(X.shape), samples=5, scaled=True)
    )
    assert (silent > 0).all()


@pytest.mark.usefixtures("unchecked")
def test_wrong_changes_are_refused():
    with pytest.raises(ValueError, match="got 'blur'"):
        metrics.infidelity(linear, X, X, change="blur")
    with pytest.raises(ValueError, match="for patches at most 1"):
        metrics.infidelity(linear, X, X, change="patches", size=1.5)
    with pytest.raises(ValueError, match="inputs' size"):
        metrics.infidelity(linear, X, X[:, :2])
    with pytest.raises(ValueError, match="as many maps"):
        metrics.completeness(linear, X, X[:2])
