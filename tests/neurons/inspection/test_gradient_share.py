"""Shares of the shared gradient: against gradients by hand, and planted samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prior_nets import build, pictures

from neurons.backbones.defect import MultiTaskNet
from neurons.inspection.gradient_share import (
    gradient_grams,
    gradient_norms,
    gradient_share,
    task_cosines,
    task_gradients,
)
from neurons.inspection.multi_task_loss import MultiTaskLoss

LOSS = MultiTaskLoss()


def tasks(model, batch):
    return LOSS.tasks(model, batch)


@pytest.fixture(scope="module")
def net():
    found = MultiTaskNet(build(rngs=nnx.Rngs(0)), width=2, rngs=nnx.Rngs(0))
    found.eval()
    return found


@pytest.fixture(scope="module")
def data():
    x, y, masks = pictures(6)
    return jnp.asarray(x), jnp.asarray(masks), jnp.asarray(y) == 1


def by_hand(net, batch):
    """Both gradients in the encoder's stages, by reverse mode over all parameters."""
    graph, params, rest = nnx.split(net, nnx.Param, ...)

    @jax.jit
    def found(params):
        def one(params, task):
            return tasks(nnx.merge(graph, params, rest, copy=True), batch)[task]

        return [jax.grad(one)(params, task) for task in (0, 1)]

    stages = [nnx.merge(graph, grads, rest).encoder.parts for grads in found(params)]
    leaves = [jax.tree.leaves(nnx.state(part, nnx.Param)) for part in stages]
    return np.stack([np.concatenate([np.ravel(leaf) for leaf in one]) for one in leaves])


def test_gradients_are_those_of_the_shared_stages_alone(net, data):
    found = jax.jit(lambda x: task_gradients(tasks, net, x))(data)
    np.testing.assert_allclose(found, by_hand(net, data), rtol=1e-4, atol=1e-6)


def test_samples_and_batches_have_the_inner_products_of_their_gradients(net, data):
    one = gradient_grams(tasks, net, jax.tree.map(lambda leaf: leaf[2:3], data))
    vectors = by_hand(net, jax.tree.map(lambda leaf: leaf[2:3], data))
    np.testing.assert_allclose(one[0], vectors @ vectors.T, rtol=1e-4, atol=1e-8)
    whole = gradient_grams(tasks, net, data, size=6)
    vectors = by_hand(net, data)
    np.testing.assert_allclose(whole[0], vectors @ vectors.T, rtol=1e-4, atol=1e-8)


def test_samples_do_not_touch_each_other_through_batch_statistics(net, data):
    training = nnx.clone(net)
    training.train()
    one, other = (gradient_grams(tasks, model, data, size=6) for model in (net, training))
    np.testing.assert_array_equal(one, other)


GRAMS = arrays(np.float64, (5, 2, 3), elements=st.floats(-3, 3)).map(
    lambda g: np.einsum("stp,sup->stu", g, g)
)
GROUP = arrays(bool, 5)


@given(GRAMS, GROUP, st.floats(0, 2))
def test_shares_add_up(grams, group, weight):
    parts = [gradient_share(grams, one, (1, weight)) for one in (group, ~group)]
    if gradient_norms(grams, (1, weight)).sum() > 0:
        assert sum(parts) == pytest.approx(1)
        assert gradient_share(grams, np.ones(5, bool), (1, weight)) == pytest.approx(1)
    else:
        assert np.isnan(parts).all()


@given(arrays(np.float64, (4, 2, 3), elements=st.floats(-3, 3)), st.floats(-2, 2))
def test_norms_and_cosines_are_those_of_the_vectors(vectors, weight):
    grams = np.einsum("stp,sup->stu", vectors, vectors)
    total = vectors[:, 0] + weight * vectors[:, 1]
    np.testing.assert_allclose(
        gradient_norms(grams, (1, weight)), np.linalg.norm(total, axis=1), atol=1e-6
    )
    norms = np.linalg.norm(vectors, axis=2)
    clear = (norms > 1e-3).all(axis=1)
    wanted = (vectors[:, 0] * vectors[:, 1]).sum(1)[clear] / norms[clear].prod(1)
    np.testing.assert_allclose(task_cosines(grams)[clear], wanted, atol=1e-6)


def test_a_sample_that_pulls_harder_has_the_larger_share():
    grams = np.stack([np.eye(2), np.eye(2), 9 * np.eye(2)])
    group = np.array([False, False, True])
    assert gradient_share(grams, group, (1, 0)) == pytest.approx(3 / 5)
    grams[2] = np.diag([1.0, 9.0])  # in the second task only
    assert gradient_share(grams, group, (1, 0)) == pytest.approx(1 / 3)
    assert gradient_share(grams, group, (0, 1)) == pytest.approx(3 / 5)


def test_what_cannot_be_is_refused(net, data):
    with pytest.raises(ValueError, match="no parameter below an attribute named 'trunk'"):
        gradient_grams(tasks, net, data, shared="trunk")
    with pytest.raises(ValueError, match="fewer samples than size=7"):
        gradient_grams(tasks, net, data, size=7)
    with pytest.raises(ValueError, match=r"weights of shape \(3,\) for 2 tasks"):
        gradient_norms(np.zeros((2, 2, 2)), (1, 1, 1))


@pytest.mark.usefixtures("unchecked")
def test_groups_must_fit():
    with pytest.raises(ValueError, match="2 samples, but a group among"):
        gradient_share(np.zeros((2, 2, 2)), np.ones(3, bool), (1, 1))
