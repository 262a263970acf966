"""The layer: max of mins in any dimension, its soft form, its gradient, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from neurons.cost import parameters
from neurons.lattice import Lattice, max_min
from neurons.training import Batches, fit

MASK = [[True, True, False], [False, True, True]]


def draw(shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def plain(lattice, x):
    """The formula, by loops."""
    kernel, bias = np.asarray(lattice.kernel[...]), np.asarray(lattice.bias[...])
    z = np.einsum("bi,iop->bop", np.asarray(x), kernel) + bias
    mask = np.asarray(lattice.mask[...])
    return np.max([z[..., group].min(axis=-1) for group in mask], axis=0)


@pytest.mark.parametrize("mask", [MASK, [[True] * 3], np.eye(3, dtype=bool)])
def test_a_lattice_is_the_largest_of_smallest_affine_maps(mask):
    lattice, x = Lattice(4, mask, 2, rngs=nnx.Rngs(0)), draw((5, 4))
    np.testing.assert_allclose(lattice(x), plain(lattice, x), rtol=1e-5, atol=1e-6)


def test_groups_share_no_piece():
    lattice = Lattice.groups(3, 4, 2, rngs=nnx.Rngs(0))
    np.testing.assert_array_equal(np.asarray(lattice.mask[...]).sum(axis=0), 1)
    assert lattice(draw((2, 5, 3))).shape == (2, 5, 1)
    assert parameters(lattice) == 8 * 4  # the mask is fixed


def test_soft_values_lie_within_the_stated_distance_and_tend_to_the_hard_ones():
    z, mask = draw((50, 3)), jnp.asarray(MASK)
    hard = max_min(z, mask)
    for t in (1.0, 1e-2, 1e-4):
        soft = max_min(z, mask, t)
        assert (soft - hard).max() <= t * np.log(2) + 1e-6
        assert (hard - soft).max() <= t * np.log(3) + 1e-6
    np.testing.assert_allclose(max_min(z, mask, 1e-6), hard, atol=1e-5)


def test_soft_values_of_equal_pieces_are_the_bounds_themselves():
    z = jnp.zeros((1, 2))
    assert max_min(z, jnp.eye(2, dtype=bool), 0.5) == pytest.approx(0.5 * np.log(2))
    assert max_min(z, jnp.ones((1, 2), bool), 0.5) == pytest.approx(-0.5 * np.log(2))


def test_a_temperature_may_change_inside_a_compiled_function():
    z, mask = draw((50, 3)), jnp.asarray(MASK)
    soft = jax.jit(lambda t: max_min(z, mask, t))(jnp.float32(0.1))
    np.testing.assert_allclose(soft, max_min(z, mask, 0.1), rtol=1e-6)


def test_the_gradient_goes_to_the_active_piece_alone():
    z, mask = draw((200, 3)), jnp.asarray(MASK)
    gradient = np.asarray(jax.grad(lambda z: max_min(z, mask).sum())(z))
    members = jnp.where(mask, z[:, None, :], jnp.inf)
    expected = jax.grad(lambda z: jnp.where(mask, z[:, None, :], jnp.inf).min(-1).max(-1).sum())(z)
    np.testing.assert_array_equal(gradient, expected)
    assert members.shape == (200, 2, 3)
    np.testing.assert_array_equal(gradient.sum(axis=1), 1)


def test_a_copy_of_the_active_piece_in_a_losing_group_gets_no_gradient():
    z, mask = jnp.asarray([1.0, 1.0, 0.0]), jnp.asarray([[True, False, False], [False, True, True]])
    np.testing.assert_array_equal(jax.grad(lambda z: max_min(z, mask))(z), [1, 0, 0])


@pytest.mark.usefixtures("standard_promotion")
def test_a_lattice_trains_like_any_model():
    x = draw((256, 2))
    data = (x, jnp.abs(x).sum(axis=1, keepdims=True))
    model = Lattice.groups(2, 4, 1, rngs=nnx.Rngs(1))
    error = lambda model, batch: jnp.mean((model(batch[0]) - batch[1]) ** 2)  # noqa: E731
    run = fit(model, error, optax.adam(0.05), Batches(data, 256, 300), key=jax.random.key(0))
    assert float(run.losses[-1]) < 0.02 < float(run.losses[0])
    np.testing.assert_array_equal(run.model.mask[...], model.mask[...])


def test_what_is_no_lattice_is_refused(unchecked):
    for mask in ([[False, False], [True, True]], [True], [[1, 0]], np.zeros((0, 2), bool)):
        with pytest.raises(ValueError, match="mask must be a Boolean matrix"):
            Lattice(1, mask, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="temperature must be at least 0, got -1"):
        Lattice(1, MASK, temperature=-1.0, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="in_features must be a whole number"):
        Lattice(0, MASK, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="groups must be a whole number"):
        Lattice.groups(1, 0, 2, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="expected in_features=2"):
        Lattice(2, MASK, rngs=nnx.Rngs(0))(draw((5, 3)))
