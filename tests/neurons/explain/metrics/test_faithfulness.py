"""Removing, restoring and keeping pixels, where the score is a sum and all areas are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.explain import metrics

SHAPE = (3, 4, 5, 2)
rng = np.random.default_rng(5)
X = rng.uniform(0.1, 1, SHAPE).astype(np.float32)
MAPS = rng.random(SHAPE[:-1])


def total(x):
    return np.asarray(x, np.float64).sum(axis=(1, 2, 3))


def by_hand(x, maps, counts, *, insert):
    """Scores of one image after its `count` most relevant pixels changed, in a loop."""
    order = np.argsort(-maps.ravel(), kind="stable")
    found = []
    for count in counts:
        flat = np.zeros_like(x) if insert else x.copy()
        for place in order[:count]:
            spot = np.unravel_index(place, maps.shape)
            flat[spot] = x[spot] if insert else 0
        found.append(float(flat.astype(np.float64).sum()))
    return found


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
def test_curves_are_those_of_a_loop(kind):
    curve = metrics.replacement_curve(total, X, MAPS, kind=kind, steps=6)
    counts = [0, 4, 8, 12, 16, 20]
    np.testing.assert_allclose(curve.fractions, np.array(counts) / 20)
    expected = [
        by_hand(x, m, counts, insert=kind == "insertion") for x, m in zip(X, MAPS, strict=True)
    ]
    np.testing.assert_allclose(curve.scores, expected, rtol=1e-6)
    widths = np.diff(curve.fractions)
    area = (widths * (curve.scores[:, 1:] + curve.scores[:, :-1]) / 2).sum(axis=1)
    np.testing.assert_allclose(curve.area, area)


def test_the_last_step_is_shorter_where_steps_do_not_divide_the_pixels():
    fractions = metrics.replacement_curve(total, X, MAPS, steps=7).fractions
    np.testing.assert_allclose(fractions * 20, [0, 3, 6, 9, 12, 15, 18, 20])
    assert metrics.replacement_curve(total, X, MAPS, steps=50).fractions.size == 21


def test_the_score_s_own_map_is_best_and_its_opposite_worst():
    own = X.sum(axis=-1)
    areas = {
        name: find(total, X, one)
        for name, one in {"own": own, "opposite": -own, "random": MAPS}.items()
        for find in [metrics.deletion]
    }
    assert (areas["own"] < areas["random"]).all()
    assert (areas["random"] < areas["opposite"]).all()
    # What is deleted is what the opposite order inserts.
    np.testing.assert_allclose(areas["own"], metrics.insertion(total, X, -own), rtol=1e-6)


@given(values=arrays(np.float64, (1, 2, 3), elements=st.floats(-4, 4)), power=st.integers(-9, 9))
def test_only_the_order_counts(values, power):
    one = np.broadcast_to(values, (3, 2, 3))
    found = metrics.deletion(total, X[:, :2, :3], one)
    np.testing.assert_array_equal(found, metrics.deletion(total, X[:, :2, :3], one * 2.0**power))


def test_equal_pixels_go_in_random_order_of_the_seed():
    flat = np.ones(SHAPE[:-1])
    areas = [metrics.deletion(total, X, flat, seed=seed) for seed in range(200)]
    assert np.ptp(areas, axis=0).min() > 0
    # Chance removes half of the score on average.
    np.testing.assert_allclose(np.mean(areas, axis=0), total(X) / 2, rtol=0.02)
    np.testing.assert_array_equal(areas[3], metrics.deletion(total, X, flat, seed=3))


def test_the_baseline_replaces_pixels():
    curve = metrics.replacement_curve(total, X, MAPS, baseline=0.5)
    np.testing.assert_allclose(curve.scores[:, -1], 20.0)
    mean = X.mean(axis=(1, 2), keepdims=True)
    curve = metrics.replacement_curve(total, X, MAPS, kind="insertion", baseline=mean)
    np.testing.assert_allclose(curve.scores[:, [0, -1]], total(X)[:, None] * [1, 1], rtol=1e-5)


def test_drop_and_increase_are_those_of_the_masked_input():
    def score(x):
        return 1 / (1 + np.exp(3 - total(x)))

    masked = score(X * MAPS[..., None].astype(np.float32))
    expected = [max(0.0, (a - b) / a) for a, b in zip(score(X), masked, strict=True)]
    np.testing.assert_allclose(metrics.average_drop(score, X, MAPS), expected)
    falling = metrics.increase_in_confidence(lambda x: -score(x), X, MAPS)
    assert falling.tolist() == [1, 1, 1]
    assert metrics.increase_in_confidence(score, X, MAPS).tolist() == [0, 0, 0]
    np.testing.assert_array_equal(metrics.average_drop(score, X, np.ones_like(MAPS)), 0)


def test_a_score_that_rises_has_no_drop():
    def score(x):
        return 50 - total(x)

    assert metrics.average_drop(score, X, MAPS).tolist() == [0, 0, 0]
    assert metrics.increase_in_confidence(score, X, MAPS).tolist() == [1, 1, 1]


def test_a_drop_is_relative_to_a_positive_score():
    scores = metrics.average_drop(lambda x: total(x) - [100, 0, 0], X, MAPS)
    assert np.isnan(scores).tolist() == [True, False, False]


def test_scores_and_maps_of_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="resize them first"):
        metrics.deletion(total, X, MAPS[:, :2])
    with pytest.raises(ValueError, match="one number per input"):
        metrics.deletion(lambda x: x.sum(axis=(1, 2)), X, MAPS)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        metrics.average_drop(total, X, 2 * MAPS)
    with pytest.raises(ValueError, match="steps must be"):
        metrics.deletion(total, X, MAPS, steps=0)
    with pytest.raises(TypeError, match="got uint8"):
        metrics.deletion(total, (255 * X).astype(np.uint8), MAPS)
    with pytest.raises(ValueError, match="batch, \\*space, channels"):
        metrics.deletion(total, X[0, 0], MAPS[0, 0])


def test_nan_stays_with_its_image():
    maps = MAPS.copy()
    maps[1, 2, 2] = np.nan
    for find in (metrics.deletion, metrics.average_drop, metrics.increase_in_confidence):
        assert np.isnan(find(total, X, maps)).tolist() == [False, True, False]

    def broken(x):
        return total(x) * [1, 1, np.nan]

    for find in (metrics.insertion, metrics.average_drop, metrics.increase_in_confidence):
        assert np.isnan(find(broken, X, MAPS)).tolist() == [False, False, True]


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_curve_is_named():
    with pytest.raises(ValueError, match="got 'swap'"):
        metrics.replacement_curve(total, X, MAPS, kind="swap")
