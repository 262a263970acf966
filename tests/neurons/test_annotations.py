"""The checks on annotations are there, in every worker, and can be lifted."""

import jax.numpy as jnp
import jaxtyping
import pytest
from flax import nnx

import neurons as nr
from neurons.explain.qttention import raw_map
from neurons.quadratic import pairwise_products


def test_a_wrong_rank_is_caught():
    layer = nr.Conv(nr.quadratic, 2, 4, 3, rngs=nnx.Rngs(0))
    with pytest.raises(jaxtyping.TypeCheckError, match="batch length channels"):
        raw_map(layer, jnp.zeros((9, 2)))


def test_a_wrong_dtype_is_caught():
    with pytest.raises(jaxtyping.TypeCheckError, match="'x'"):
        pairwise_products(jnp.zeros(3, jnp.int32))


def test_a_wrong_literal_is_caught():
    with pytest.raises(jaxtyping.TypeCheckError, match="'init'"):
        nr.Dense(nr.quadratic, 3, 2, init="normal", rngs=nnx.Rngs(0))


def test_users_without_the_hook_are_not_checked(unchecked):
    assert pairwise_products(jnp.ones(3, jnp.int32)).shape == (9,)


def test_promotion_of_dtypes_and_ranks_is_strict():
    with pytest.raises(Exception, match="implicit dtype promotion"):
        jnp.ones(2) + jnp.ones(2, jnp.int32)
    with pytest.raises(ValueError, match="rank_promotion"):
        jnp.ones(2) + jnp.ones((2, 2))


def test_promotion_can_be_relaxed(standard_promotion):
    assert (jnp.ones(2) + jnp.ones(2, jnp.int32)).dtype == jnp.float32
