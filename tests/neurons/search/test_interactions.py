"""The interactions engine against formulas that are known, and against misuse."""

import jax
import numpy as np
import pytest

from neurons.data.interaction_cases import CASES, sample
from neurons.search.cp_fit import Table, Terms, refine
from neurons.search.interactions import interactions, symmetric

KEY = jax.random.key(0)


def draw(rows, inputs, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, inputs))


def products(x, order, rank, seed=1):
    u = np.random.default_rng(seed).standard_normal((rank, order, x.shape[1])) / x.shape[1] ** 0.5
    return (x @ np.swapaxes(u, 1, 2)).prod(axis=2).sum(axis=0), u


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_structure_of_all_fifteen_cases(case):
    drawn = sample(case, seed=3, formula=3)
    found = interactions(drawn.x, drawn.y, key=KEY)
    assert (found.powers, found.orders) == (case.powers, case.orders)
    assert all(rank == 1 for rank in found.ranks.values())
    left = np.std(found.predict(drawn.x) - drawn.clean)
    assert left < 0.25 * np.std(drawn.y - drawn.clean)


@pytest.mark.parametrize("name", ["interact 1", "interact 3", "hybrid 2", "hybrid 4"])
def test_noise_free_tensors_are_exact(name):
    drawn = sample(name, noise=0.0, seed=4)
    found = interactions(drawn.x, drawn.y, key=KEY)
    for order, factors in drawn.factors.items():
        want = symmetric(factors[None])
        np.testing.assert_allclose(symmetric(found.factors[order]), want, atol=1e-10)
    for power, coefficient in drawn.power_sums.items():
        assert found.shared[power] == pytest.approx(coefficient, rel=1e-9)
    np.testing.assert_allclose(found.predict(drawn.x), drawn.y, atol=1e-9)


@pytest.mark.parametrize(("order", "rank"), [(2, 3), (3, 2), (3, 3), (4, 2)])
def test_ranks_are_found(order, rank):
    x = draw(2500, 10)
    y, u = products(x, order, rank)
    found = interactions(x, y, key=KEY)
    assert found.powers == ()
    assert found.ranks == {order: rank}
    np.testing.assert_allclose(found.form(order), symmetric(u), atol=1e-8)


def test_parameters_count_what_can_move():
    x = draw(600, 6)
    y, _ = products(x, 3, 1)
    assert interactions(x, y, key=KEY).parameters == 1 + 3 * 6 - 2
    y, _ = products(x, 2, 2)  # symmetric matrices of rank 4: 4 d - 6
    assert interactions(x, y, key=KEY).parameters == 1 + 4 * 6 - 6


def test_a_square_of_a_projection_needs_no_second_factor():
    x = draw(600, 5)
    u = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
    found = interactions(x, (x @ u) ** 2, key=KEY)
    assert (found.powers, found.ranks) == ((), {2: 1})
    np.testing.assert_allclose(found.form(2), np.outer(u, u), atol=1e-8)


def test_weights_per_input_only_where_they_pay():
    x = draw(1000, 5)
    noise = 0.1 * draw(1000, 1, seed=9)[:, 0]
    w = np.array([1.0, 2.0, -1.0, 0.5, 3.0])
    own = interactions(x, x**3 @ w + noise, key=KEY)
    assert (list(own.own), list(own.shared), own.orders) == ([3], [], ())
    np.testing.assert_allclose(own.own[3], w, atol=0.02)
    shared = interactions(x, (x**3).sum(axis=1) + noise, key=KEY)
    assert (list(shared.own), list(shared.shared)) == ([], [3])
    forced = interactions(x, (x**3).sum(axis=1) + noise, key=KEY, weights="own", orders=())
    assert (list(forced.own), list(forced.shared)) == ([3], [])


def test_noise_alone_gives_the_constant():
    found = interactions(draw(1000, 8), 5 + draw(1000, 1, seed=2)[:, 0], key=KEY)
    assert (found.powers, found.orders, found.parameters) == ((), (), 1)
    assert found.intercept == pytest.approx(5, abs=0.1)
    assert found.variance == pytest.approx(1, abs=0.1)


def test_a_constant_target_is_its_own_model():
    found = interactions(draw(50, 3), np.full(50, 7.0), key=KEY)
    assert (found.intercept, found.rss, found.parameters) == (7.0, 0.0, 1)
    assert found.bic == -np.inf


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_scales_of_the_data_change_nothing(scale):
    x = draw(500, 5)
    y, u = products(x, 3, 1)
    found = interactions(scale * x, y, key=KEY)
    assert (found.powers, found.ranks) == ((), {3: 1})
    np.testing.assert_allclose(found.form(3) * scale**3, symmetric(u), atol=1e-8)


def test_columns_may_differ_in_scale_repeat_or_stand_still():
    x = draw(800, 4)
    y, _ = products(x, 3, 1)
    spread = np.concatenate([x * [1e-4, 1, 1e3, 1e6], x[:, :1], np.zeros((800, 1))], axis=1)
    found = interactions(spread, y + 0.01 * draw(800, 1, seed=3)[:, 0], key=KEY)
    assert (found.powers, found.ranks) == ((), {3: 1})
    assert found.variance == pytest.approx(1e-4, rel=0.15)


def test_uniform_correlated_and_heavy_inputs():
    gauss = draw(1500, 6)
    mixed = gauss @ (np.eye(6) + 0.2 * draw(6, 6, seed=5))
    uniform = np.random.default_rng(6).uniform(0, 1, (1500, 6))
    heavy = np.random.default_rng(7).standard_t(4, (1500, 6))
    for x in (mixed, uniform, heavy):
        y, u = products(x, 3, 1)
        found = interactions(x, y / y.std() + 0.01 * gauss[:, 0] * gauss[:, 1], key=KEY)
        np.testing.assert_allclose(found.form(3) * y.std(), symmetric(u), atol=0.05)


def test_same_key_same_result():
    drawn = sample("interact 1", rows=500)
    first, second = (interactions(drawn.x, drawn.y, key=KEY) for _ in range(2))
    assert first.rss == second.rss
    np.testing.assert_array_equal(first.factors[3], second.factors[3])


def test_lists_and_integers_are_data_too():
    x = np.arange(40).reshape(20, 2) % 7
    found = interactions(x.tolist(), (x**2).sum(axis=1).tolist(), key=KEY, orders=())
    assert list(found.shared) == [2]
    assert found.predict([[2, 3]])[0] == pytest.approx(13)


def test_refinement_reaches_the_minimum_from_nearby():
    x = draw(400, 4)
    y, u = products(x, 2, 1)
    table = Table(x, y)
    fit = refine(table, Terms(products=(2,)), [u[0] * table.scales + 0.1])
    assert fit.rss < 1e-20
    assert fit.jacobian.shape == (400, 9)
    assert fit.parameters == 8


def test_symmetric_tensor_is_the_form():
    u = draw(6, 4, seed=8).reshape(2, 3, 4)
    x = draw(5, 4, seed=9)
    value = np.einsum("abc,na,nb,nc->n", symmetric(u), x, x, x)
    np.testing.assert_allclose(value, (x @ np.swapaxes(u, 1, 2)).prod(axis=2).sum(axis=0))


X, Y = draw(20, 3), draw(20, 1)[:, 0]


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (X, Y[:10], {}, r"got \(20, 3\) and \(10,\)"),
        (X[:, 0], Y, {}, "needs x"),
        (X[:, :0], Y, {}, "needs x"),
        (X[:1], Y[:1], {}, "at least 16 rows, got 1"),
        (X[:0], Y[:0], {}, "at least 16 rows, got 0"),
        (np.where(X > 2, np.nan, X) * np.inf, Y, {}, "x has 60 values that are no number"),
        (X, np.where(Y > 0, np.nan, Y), {}, "y has"),
        (X, Y, {"orders": (1,)}, "orders must be a whole number of at least 2, got 1"),
        (X, Y, {"powers": (0,)}, "at least 1, got 0"),
        (X, Y, {"powers": (2, 2)}, "different"),
        (X, Y, {"powers": (), "orders": ()}, "nothing to choose from"),
        (X, Y, {"max_rank": 0}, "max_rank"),
        (X, Y, {"starts": 0}, "starts"),
    ],
)
def test_misuse_is_named(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        interactions(x, y, key=KEY, **options)


@pytest.mark.usefixtures("unchecked")
def test_unknown_weights_are_named():
    with pytest.raises(ValueError, match="'shared', 'own' or 'either', got 'mine'"):
        interactions(X, Y, key=KEY, weights="mine")


def test_prediction_needs_the_same_inputs():
    found = interactions(X, Y, key=KEY)
    with pytest.raises(ValueError, match=r"\(rows, 3\), got \(4, 2\)"):
        found.predict(np.ones((4, 2)))


def test_what_was_found_becomes_a_neuron():
    x = np.random.default_rng(0).normal(size=(400, 4))
    u, v = np.array([1.0, -1.0, 0.5, 0.0]), np.array([0.0, 2.0, 1.0, -1.0])
    found = interactions(x, 3 * (x**3).sum(axis=1) + (x @ u) * (x @ v), key=jax.random.key(0))
    neuron = found.to_neuron()
    assert (found.powers, found.ranks) == ((3,), {2: 1})
    assert neuron.parameters(4) == 4 + 2 * 4 + 1
