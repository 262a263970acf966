"""Thresholds of maps: brute force over all edges, and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.explain.thresholds import otsu, quantile


def by_hand(sample, bins):
    """The edge with the largest variance between its sides, in a loop over edges."""
    counts, edges = np.histogram(sample, bins)
    centres, scores = (edges[1:] + edges[:-1]) / 2, []
    for edge in range(1, bins):
        sides = [(counts[:edge], centres[:edge]), (counts[edge:], centres[edge:])]
        masses = [n.sum() for n, _ in sides]
        means = [(n * c).sum() / max(n.sum(), 1) for n, c in sides]
        scores.append(masses[0] * masses[1] * (means[0] - means[1]) ** 2)
    return edges[1 + np.argmax(scores)]


def test_otsu_is_the_best_of_all_edges():
    random = np.random.default_rng(0)
    maps = np.concatenate([random.normal(0, 1, (3, 60)), random.normal(4, 0.5, (3, 20))], axis=1)
    found = otsu(jnp.asarray(maps.reshape(3, 8, 10), jnp.float32), 64)
    np.testing.assert_allclose(found, [by_hand(sample, 64) for sample in maps], rtol=1e-5)


def test_a_value_on_the_edge_belongs_to_the_upper_class():
    maps = jnp.array([[0.0, 0.1, 0.5, 1.0]])  # 1/2 is an edge of two bins
    assert (maps > otsu(maps, 2)[:, None]).tolist() == [[False, False, True, True]]
    assert (maps[:, :2] > otsu(maps[:, :2])[:, None]).tolist() == [[False, True]]


def test_a_constant_map_has_nothing_above():
    maps = jnp.stack([jnp.zeros((2, 2)), jnp.full((2, 2), 7.0), jnp.full((2, 2), jnp.nan)])
    found = jax.jit(otsu)(maps)
    assert found[:2].tolist() == [0, 7]
    assert np.isnan(found[2])
    assert not (maps > found[:, None, None]).any()


def test_a_quantile_leaves_its_share_above():
    maps = jax.random.normal(jax.random.key(0), (3, 10, 10))
    for q in (0, 0.5, 0.9, 1):
        np.testing.assert_allclose(
            quantile(maps, q), np.quantile(maps.reshape(3, -1), q, axis=1), rtol=1e-5
        )


@pytest.mark.usefixtures("unchecked")
def test_what_has_no_threshold_is_refused():
    with pytest.raises(ValueError, match="with entries"):
        otsu(jnp.zeros((2, 0)))
    with pytest.raises(ValueError, match="bins"):
        otsu(jnp.zeros((2, 3)), 1)
    with pytest.raises(ValueError, match="share"):
        quantile(jnp.zeros((2, 3)), 2.0)
