"""The contrastive loss against brute force and by hand; regions' means; rows without a positive."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.backbones.change_detection.contrast import contrast, region_means, shares, unit

DIRECTIONS = ("both", "v2t", "t2v")


def brute(v, t, same, temperature, directions="both"):
    """Row by row, sum by sum, as the formula is printed."""
    if directions == "both":
        ways = [brute(v, t, same, temperature, way) for way in ("v2t", "t2v")]
        return sum(ways) / 2
    if directions == "t2v":
        v, t, same = t, v, same.T
    losses = []
    for row, right in zip(v, same, strict=True):
        weights = [np.exp(row @ other / temperature) for other in t]
        if right.any():
            positive = sum(w for w, ok in zip(weights, right, strict=True) if ok)
            losses.append(-np.log(positive / sum(weights)))
    return float(np.mean(losses)) if losses else 0.0


def drawn(seed, regions=5, sentences=7, width=4):
    random = np.random.default_rng(seed)
    v, t = random.normal(size=(regions, width)), random.normal(size=(sentences, width))
    same = random.random((regions, sentences)) < 0.3
    v, t = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (v, t))
    return v.astype(np.float32), t.astype(np.float32), same


found = jax.jit(contrast, static_argnames="directions")
slopes = jax.jit(
    jax.value_and_grad(contrast, argnums=(0, 1)), static_argnames=("directions", "temperature")
)


def arrays(seed):
    return [jnp.asarray(part) for part in drawn(seed)]


@pytest.mark.parametrize("directions", DIRECTIONS)
@given(st.integers(0, 10_000), st.floats(0.05, 2))
def test_it_is_the_formula(directions, seed, temperature):
    v, t, same = drawn(seed)
    value = found(v, t, same, temperature=jnp.float32(temperature), directions=directions)
    expected = brute(v.astype(float), t.astype(float), same, np.float32(temperature), directions)
    assert float(value) == pytest.approx(expected, rel=2e-5, abs=2e-5)


def test_by_hand():
    """Similarities (1, 0; 0, 1): log(e + 1) - 1; one sentence for both regions: log 2 / 2."""
    eye = jnp.eye(2)
    each = contrast(eye, eye, jnp.eye(2, dtype=bool), temperature=1.0)
    assert float(each) == pytest.approx(np.log(np.e + 1) - 1, rel=1e-6)
    # Two regions, three sentences, of which the first two are true of both.
    t = jnp.array([[1.0, 0], [1, 0], [0, 1]])
    v = jnp.array([[1.0, 0], [1, 0]])
    same = jnp.array([[True, True, False]] * 2)
    forth = contrast(v, t, same, temperature=1.0, directions="v2t")
    assert float(forth) == pytest.approx(np.log((2 * np.e + 1) / (2 * np.e)), rel=1e-6)
    # Back, every region is right for the first two, and the third has no region: 0.
    assert float(contrast(v, t, same, temperature=1.0, directions="t2v")) == 0


def test_one_region_and_one_sentence_cost_nothing():
    v = jnp.array([[0.6, 0.8]])
    for directions in DIRECTIONS:
        value, (slope, _) = slopes(v, v, jnp.ones((1, 1), bool), directions=directions)
        assert float(value) == 0
        assert not np.asarray(slope).any()


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_without_any_positive_loss_and_gradient_are_zero(directions):
    v, t, same = arrays(0)
    value, found = slopes(v, t, jnp.zeros_like(same), directions=directions)
    assert float(value) == 0
    assert not any(np.asarray(slope).any() for slope in found)


def test_a_row_without_a_positive_is_still_a_negative_for_others():
    v, t, same = drawn(3)
    same[2], same[:, 4] = False, False
    same[0, 0] = same[1, 0] = True
    expected = brute(v.astype(float), t.astype(float), same, 0.5)
    value, (slope, _) = slopes(v, t, same, temperature=0.5)
    assert float(value) == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(slope).all()
    assert np.asarray(slope)[2].any()


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_what_fills_up_a_batch_changes_nothing(directions):
    v, t, same = arrays(1)
    there = {"shown": jnp.arange(5) < 3, "told": jnp.arange(7) < 4}
    alone = found(v[:3], t[:4], same[:3, :4], directions=directions)
    filled, (slope, _) = slopes(v, t, same, directions=directions, **there)
    assert float(filled) == pytest.approx(float(alone), rel=1e-6)
    assert not np.asarray(slope)[3:].any()


def test_steep_similarities_do_not_overflow():
    v = jnp.eye(3)
    value, (slope, _) = slopes(v, v, jnp.eye(3, dtype=bool)[::-1], temperature=1e-3)
    assert float(value) == pytest.approx(2000 / 3, rel=1e-5)
    assert np.isfinite(slope).all()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"directions": "forth"}, "directions are both, v2t, t2v"),
        ({"temperature": 0.0}, "temperature must be positive"),
        ({"same": np.zeros((7, 5), bool)}, "do not fit"),
    ],
)
def test_wrong_options_are_refused(change, message):
    v, t, same = drawn(0)
    with pytest.raises(ValueError, match=message):
        contrast(v, t, **({"same": same} | change))


def test_unit_vectors_and_the_zero_vector():
    vectors = jnp.array([[3.0, 4], [0, 0]])
    np.testing.assert_allclose(unit(vectors), [[0.6, 0.8], [0, 0]], atol=1e-6)
    assert np.isfinite(jax.grad(lambda x: unit(x).sum())(vectors)).all()


@given(st.integers(0, 10_000))
def test_means_of_regions_are_masked_averages(seed):
    random = np.random.default_rng(seed)
    regions = random.integers(0, 3, (2, 4, 6)).astype(np.int8)
    features = random.normal(size=(2, 2, 3, 5)).astype(np.float32)
    weights = shares(jnp.asarray(regions), 2, 3)
    means = np.asarray(region_means(jnp.asarray(features), weights))
    pixels = features.repeat(2, axis=1).repeat(2, axis=2)
    for picture, number in np.ndindex(2, 3):
        mask = regions[picture] == number + 1
        expected = pixels[picture][mask].mean(axis=0) if mask.any() else np.zeros(5)
        np.testing.assert_allclose(means[picture, number], expected, atol=1e-5)


def test_an_empty_mask_has_mean_zero_and_no_gradient():
    features, weights = jnp.ones((1, 2, 2, 3)), jnp.zeros((1, 1, 2, 2))
    assert not np.asarray(region_means(features, weights)).any()
    slope = jax.grad(lambda f: unit(region_means(f, weights)).sum())(features)
    assert np.isfinite(slope).all()
    assert not np.asarray(slope).any()


def test_patches_over_the_border_are_filled_with_no_region():
    found = shares(jnp.ones((1, 3, 5), jnp.int8), 2, 1)
    np.testing.assert_array_equal(found, [[[[1, 1, 0.5], [0.5, 0.5, 0.25]]]])


@pytest.mark.usefixtures("unchecked")
def test_patches_have_a_size():
    with pytest.raises(ValueError, match="patch"):
        shares(jnp.ones((1, 2, 2), jnp.int8), 0, 1)
