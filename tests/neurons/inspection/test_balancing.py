"""Balances of task losses, on tasks whose gradients are known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from neurons import Batches, fit
from neurons.inspection.balancing import Balanced, Fixed, GradNorm, Uncertainty, task_weights

X = jnp.ones((4, 1))


class Line(nnx.Module):
    """Two shared numbers, one for each task."""

    def __init__(self):
        self.parts = nnx.Param(jnp.array([3.0, 4.0]))


def losses(model, x):
    """Gradients of norm 1 and 10 in the shared numbers, at every place."""
    line = model.model
    return line.parts[0] * x.mean(), 10 * line.parts[1] * x.mean()


def gradients(balance, start):
    graph, params, rest = nnx.split(start, nnx.Param, ...)

    def value(params):
        return balance(losses, nnx.merge(graph, params, rest, copy=True), X)

    return jax.jit(jax.value_and_grad(value))(params)


def test_fixed_weights_are_a_sum():
    assert float(Fixed((2.0, 0.5))(losses, Balanced(Line()), X)) == 2 * 3 + 0.5 * 40
    np.testing.assert_array_equal(task_weights(Balanced(Line()), Fixed((2, 1))), [2, 1])


def test_uncertainty_is_its_formula():
    model = Balanced(Line())
    model.balance[...] = jnp.array([0.5, -1.0])
    value, grads = gradients(Uncertainty(), model)
    held = np.exp([-0.5, 1.0]) * [3, 40]
    assert float(value) == pytest.approx(held.sum() + (0.5 - 1.0) / 2, rel=1e-6)
    np.testing.assert_allclose(grads.balance[...], -held + 0.5, rtol=1e-5)
    np.testing.assert_allclose(grads.model.parts[...], np.exp([-0.5, 1.0]) * [1, 10], rtol=1e-5)
    np.testing.assert_allclose(task_weights(model, Uncertainty()), np.exp([-0.5, 1.0]), rtol=1e-6)


def test_uncertainty_settles_where_a_weight_is_half_over_its_loss():
    """At the minimum over s of `exp(-s) L + s / 2` stands `exp(-s) = 1 / (2 L)`."""
    model = Balanced(Line())
    model.balance[...] = jnp.log(2 * jnp.array([3.0, 40.0]))
    _, grads = gradients(Uncertainty(), model)
    np.testing.assert_allclose(grads.balance[...], 0, atol=1e-5)


def test_gradnorm_descends_on_the_model_by_the_weighted_sum_and_on_weights_by_the_norms():
    value, grads = gradients(GradNorm(alpha=0.0), Balanced(Line()))
    assert float(value) == pytest.approx(3 + 40)  # equal weights, and no term of the norms
    np.testing.assert_allclose(grads.model.parts[...], [1, 10], rtol=1e-6)
    # Norms 1 and 10 about their mean 5.5: the first weight must rise, the second fall.
    assert float(grads.balance[0]) < 0 < float(grads.balance[1])


@pytest.mark.usefixtures("standard_promotion")
def test_gradnorm_brings_the_norms_together():
    """With alpha 0 every task pulls alike: weights 20 / 11 and 2 / 11 for norms 1 and 10."""
    tx = optax.multi_transform(
        {"model": optax.set_to_zero(), "balance": optax.sgd(0.02)},
        lambda params: (
            {"model": "model", "balance": "balance"}
            if isinstance(params, dict)
            else jax.tree.map_with_path(
                lambda path, leaf: "balance" if "balance" in str(path[0]) else "model", params
            )
        ),
    )
    run = fit(
        Balanced(Line()), pull_alike, tx, Batches(X, 4, 200), key=jax.random.key(0), loop="scan"
    )
    found = task_weights(run.model, GradNorm(alpha=0.0))
    np.testing.assert_allclose(found, [20 / 11, 2 / 11], atol=0.1)


def pull_alike(model, x):
    return GradNorm(alpha=0.0)(losses, model, x)


def test_a_task_that_lags_is_pulled_harder():
    model = Balanced(Line())
    model.first[...] = jnp.array([3.0, 400.0])  # the second has come down to a tenth
    _, slow = gradients(GradNorm(alpha=1.5), model)
    _, even = gradients(GradNorm(alpha=0.0), model)
    assert float(slow.balance[0]) <= float(even.balance[0])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="must not be negative, nor all 0"):
        Fixed((0.0, 0.0))
    with pytest.raises(ValueError, match="3 weights for 2 tasks"):
        Fixed((1, 1, 1))(losses, Balanced(Line()), X)
    with pytest.raises(ValueError, match="alpha must not be negative"):
        GradNorm(alpha=-1)
    with pytest.raises(ValueError, match="tasks must be a whole number of at least 2"):
        Balanced(Line(), tasks=1)
    with pytest.raises(ValueError, match="2 tasks for a model balanced over 3"):
        Uncertainty()(losses, Balanced(Line(), tasks=3), X)
    with pytest.raises(TypeError, match="wrap the model in Balanced"):
        Uncertainty()(lambda model, x: (x.sum(), x.sum()), Line(), X)
    with pytest.raises(ValueError, match="no parameter below an attribute named 'trunk'"):
        GradNorm(shared="trunk")(losses, Balanced(Line()), X)
