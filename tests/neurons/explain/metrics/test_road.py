"""Imputation against a dense linear system; removal in both orders."""

import numpy as np
import pytest

from neurons.explain import metrics

rng = np.random.default_rng(6)
X = rng.normal(size=(2, 5, 6, 2)).astype(np.float32)
MAPS = rng.random((2, 5, 6))


def dense(image, hole):
    """Every removed pixel is the weighted mean of its neighbours: written out pixel by pixel."""
    height, width = hole.shape
    places = [tuple(p) for p in np.argwhere(hole)]
    matrix, right = np.zeros((len(places),) * 2), np.zeros((len(places), image.shape[-1]))
    for row, (y, x) in enumerate(places):
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                beside = (y + dy, x + dx)
                if not (dy or dx) or not (0 <= beside[0] < height and 0 <= beside[1] < width):
                    continue
                weight = 1 / 12 if dy and dx else 1 / 6
                matrix[row, row] += weight
                if hole[beside]:
                    matrix[row, places.index(beside)] -= weight
                else:
                    right[row] += weight * image[beside]
    filled = image.astype(np.float64)
    filled[hole] = np.linalg.solve(matrix, right)
    return filled


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_imputation_solves_the_linear_system(share):
    holes = share > MAPS
    found = metrics.impute(X, holes, noise=0.0)
    expected = [dense(image, hole) for image, hole in zip(X, holes, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(found[~holes], X[~holes])


def test_a_constant_image_is_restored_and_noise_is_added_to_holes_only():
    flat, holes = np.full((1, 8, 8, 3), 0.25), np.zeros((1, 8, 8), bool)
    holes[0, 1:7] = True
    np.testing.assert_allclose(metrics.impute(flat, holes, noise=0.0), 0.25)
    noisy = metrics.impute(flat, holes, noise=0.1)
    np.testing.assert_array_equal(noisy[~holes], 0.25)
    assert 0.07 < (noisy[holes] - 0.25).std() < 0.13
    np.testing.assert_array_equal(noisy, metrics.impute(flat, holes, noise=0.1))


def test_nothing_removed_changes_nothing():
    np.testing.assert_array_equal(metrics.impute(X, np.zeros_like(MAPS, bool)), X)


def test_scores_after_removal_in_both_orders():
    seen = []

    def score(x):
        seen.append(x)
        return x.astype(np.float64).sum(axis=(1, 2, 3))

    found = metrics.road(score, X, MAPS, fractions=[0.2, 0.5], noise=0.0)
    for order, scores in ((MAPS, found.most_relevant_first), (-MAPS, found.least_relevant_first)):
        for place, count in enumerate((6, 15)):
            for image, one, value in zip(X, order, scores[:, place], strict=True):
                hole = one >= np.sort(one.ravel())[-count]
                np.testing.assert_allclose(value, dense(image, hole).sum(), rtol=1e-4, atol=1e-4)
    combined = (found.least_relevant_first - found.most_relevant_first).mean(axis=1) / 2
    np.testing.assert_allclose(found.combined, combined)
    assert {x.shape for x in seen} == {X.shape}


def test_a_faithful_map_beats_chance_and_its_opposite_loses():
    x = np.zeros((1, 12, 12, 1))
    x[0, 4:8, 4:8] = 1.0

    def score(x):
        return x[:, 4:8, 4:8].mean(axis=(1, 2, 3))

    good = metrics.road(score, x, x[..., 0], noise=0.0)
    assert good.combined[0] > 0.1
    np.testing.assert_allclose(
        metrics.road(score, x, -x[..., 0], noise=0.0).combined, -good.combined
    )
    chance = [
        metrics.road(score, x, np.ones((1, 12, 12)), noise=0.0, seed=s).combined for s in range(8)
    ]
    assert abs(np.mean(chance)) < good.combined[0] / 5


def test_fractions_keep_a_pixel_and_take_one():
    found = metrics.road(
        lambda x: x[:, 0, 0, 0], X[:, :1, :2], MAPS[:, :1, :2], fractions=[0.01, 0.99]
    )
    assert np.isfinite(found.combined).all()


def test_maps_with_nan_have_no_value():
    maps = MAPS.copy()
    maps[0, 0, 0] = np.nan
    found = metrics.road(lambda x: x.sum(axis=(1, 2, 3)), X, maps, fractions=[0.5])
    assert np.isnan(found.combined).tolist() == [True, False]


def test_wrong_inputs_are_refused():
    holes = np.zeros(MAPS.shape, bool)
    with pytest.raises(ValueError, match="shares in"):
        metrics.road(lambda x: x.sum(axis=(1, 2, 3)), X, MAPS, fractions=[0.0, 0.5])
    with pytest.raises(ValueError, match="no pixel stays"):
        metrics.impute(X, ~holes)
    with pytest.raises(ValueError, match="height, width, channels"):
        metrics.impute(X[:, 0], holes[:, 0])
    with pytest.raises(ValueError, match="standard deviation"):
        metrics.impute(X, holes, noise=-0.1)
    with pytest.raises(ValueError, match="the maps' shape"):
        metrics.impute(X, holes[:, :2])
