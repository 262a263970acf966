"""The quantile of positive entries: NumPy's, sample by sample."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.explain.quantiles import positive_quantile

quantile = jax.jit(positive_quantile, static_argnums=1)


def by_hand(values, q):
    found = []
    for sample in values:
        positive = sample[sample > 0]
        usable = len(positive) and q
        found.append(np.quantile(positive, q, method="inverted_cdf") if usable else 0)
    return np.array(found, values.dtype)


@pytest.mark.parametrize("q", [0, 0.5, 0.7, 0.9, 1])
@given(
    values=arrays(np.float32, (3, 10), elements=st.floats(-4, 4, width=32, allow_subnormal=False))
)
def test_the_quantile_is_numpys_to_the_last_bit(q, values):
    assert np.array_equal(quantile(values, q), by_hand(values, q))


def test_the_quantile_of_a_large_layer_is_numpys():
    values = np.random.default_rng(0).normal(size=(2, 8, 8, 50)).astype(np.float32)
    for q in (0.1, 0.5, 0.9):
        expected = by_hand(values.reshape(2, -1), q)
        assert np.array_equal(quantile(values, q), expected)
        half = positive_quantile(jnp.asarray(values, jnp.bfloat16), q)
        assert half.dtype == jnp.bfloat16
        np.testing.assert_allclose(half.astype(jnp.float32), expected, rtol=0.01)


def test_doubles_are_found_to_the_last_bit():
    with jax.enable_x64(True):
        values = np.random.default_rng(0).normal(size=(2, 50))
        assert np.array_equal(positive_quantile(jnp.asarray(values), 0.5), by_hand(values, 0.5))


def test_nothing_positive_and_nothing_numeric():
    values = jnp.array([[-1.0, 0.0, -2.0], [jnp.nan, 2.0, 1.0], [jnp.inf, 1.0, jnp.nan]])
    assert positive_quantile(values, 1).tolist() == [0, 2, jnp.inf]
    assert positive_quantile(jnp.zeros((0, 4)), 0.5).shape == (0,)


@pytest.mark.parametrize("q", [-0.1, 1.5, float("nan")])
def test_a_share_outside_zero_to_one_is_an_error(q):
    with pytest.raises(ValueError, match="share"):
        positive_quantile(jnp.ones((1, 2)), q)
