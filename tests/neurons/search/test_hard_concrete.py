"""NeuronSeek's own search: its formulas against NumPy, its gates, its key."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.search.hard_concrete import (
    SPARSE_SCRIPT,
    Found,
    NsTd,
    gate_openness,
    gate_sample,
    search_by_gates,
    search_many_by_gates,
    terms,
)

pytestmark = pytest.mark.usefixtures("standard_promotion")
KEY = jax.random.key(0)
QUICK = NsTd(order=2, rank=2, epochs=12, batch=32, penalty=3.0, warm=0.5, full=0.5, gate_rate=2.0)
GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((128, 3))
Y = (X**2).sum(axis=1) / 6**0.5


@pytest.fixture(scope="module")
def runs():
    """Three runs of one program: twice the same key, then another."""
    with jax.numpy_dtype_promotion("standard"):
        keys = jnp.stack([KEY, KEY, jax.random.key(1)])
        return search_many_by_gates(np.stack([X] * 3), np.stack([Y] * 3), keys=keys, settings=QUICK)


def test_terms_are_the_formula():
    params = {
        "pure": jnp.asarray(GENERATOR.standard_normal((3, 4)), jnp.float32),
        "factors": jnp.asarray(GENERATOR.standard_normal((6, 4, 2)), jnp.float32),
    }
    x = GENERATOR.standard_normal((5, 4))
    pure, u = np.asarray(params["pure"]), np.asarray(params["factors"])
    want = [
        *(x ** (k + 1) @ pure[k] for k in range(3)),
        (x @ u[0]).sum(axis=1),
        ((x @ u[1]) * (x @ u[2])).sum(axis=1),
        ((x @ u[3]) * (x @ u[4]) * (x @ u[5])).sum(axis=1),
    ]
    np.testing.assert_allclose(terms(params, jnp.asarray(x, jnp.float32)), want, rtol=1e-4)


def test_openness_is_the_chance_that_a_gate_is_not_zero():
    log_alpha = jnp.array([-2.0, 0.0, 1.5])
    samples = jax.vmap(lambda key: gate_sample(log_alpha, key))(jax.random.split(KEY, 20_000))
    assert samples.min() == 0
    assert samples.max() == 1
    np.testing.assert_allclose((samples > 0).mean(axis=0), gate_openness(log_alpha), atol=0.01)
    by_hand = 1 / (1 + math.exp(-(0.66 * math.log(11))))
    assert gate_openness(jnp.zeros(()))[()] == pytest.approx(by_hand, rel=1e-5)


def test_a_run_learns_and_its_gates_close(runs):
    found = runs[0]
    assert found.losses.shape == (12,)
    assert found.losses[5] < 0.6 * found.losses[0]
    assert found.gates.shape == (2, 2)
    assert found.gates.min() < 0.9 < gate_openness(jnp.asarray(math.log(9)))


def test_same_key_same_run_and_another_key_another(runs):
    np.testing.assert_array_equal(runs[0].losses, runs[1].losses)
    assert not np.array_equal(runs[0].losses, runs[2].losses)
    alone = search_by_gates(X, Y, key=KEY, settings=QUICK)
    np.testing.assert_allclose(alone.losses[:6], runs[0].losses[:6], rtol=1e-3)


def test_gates_wait_until_the_warm_up_ends():
    still = NsTd(order=1, rank=1, epochs=2, batch=64, warm=1.0, full=1.0)
    found = search_by_gates(X, Y, key=KEY, settings=still)
    np.testing.assert_allclose(found.gates, gate_openness(jnp.asarray(math.log(9))), rtol=1e-6)
    assert (found.powers, found.orders) == ((1,), (1,))


def test_the_interaction_of_order_one_is_power_one():
    found = Found((2,), (1, 3), np.zeros((2, 3)), np.zeros(1))
    assert found.merged == ((1, 2), (3,))


def test_published_settings():
    search = NsTd()
    assert (search.epochs, search.penalty, search.rank, search.order) == (200, 0.05, 8, 5)
    assert (SPARSE_SCRIPT.epochs, SPARSE_SCRIPT.penalty, SPARSE_SCRIPT.warm) == (100, 0.6, 0.4)


@pytest.mark.parametrize(
    "options", [{"order": 0}, {"warm": 0.8}, {"full": 1.2}, {"open_at_start": 1.0}]
)
def test_impossible_settings_are_named(options):
    with pytest.raises(ValueError, match=r"order must be|needs 0 <= warm"):
        NsTd(**options)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y[:5], "do not belong together"),
        (X[:, 0], Y, "do not belong together"),
        (X[:8], Y[:8], "at least one batch of 64 rows, got 8"),
        (np.where(X > 2, np.nan, X), Y, "finite"),
    ],
)
def test_bad_data_are_named(x, y, message):
    with pytest.raises(ValueError, match=message):
        search_by_gates(x, y, key=KEY)
