"""Rare labels: weighted or repeated, they count as much as frequent ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neurons as nr
from neurons.inspection.imbalance import balanced_weights, repeated_rows, weighted_cross_entropy

labels_of = st.lists(st.integers(0, 3), min_size=1, max_size=40).map(np.array)


@given(labels_of)
def test_labels_weigh_alike(labels):
    weights = balanced_weights(labels)
    sums = [weights[labels == label].sum() for label in np.unique(labels)]
    assert sums == pytest.approx([len(labels) / len(sums)] * len(sums), rel=1e-5)
    assert weights.mean() == pytest.approx(1, rel=1e-5)


@given(labels_of, st.integers(0, 5))
def test_every_label_is_repeated_as_often_as_the_most_frequent_one(labels, seed):
    rows = repeated_rows(labels, seed)
    counts = np.bincount(labels[rows])
    assert set(counts[counts > 0]) == {np.bincount(labels).max()}
    assert set(rows) == set(range(len(labels)))
    times = np.bincount(rows)
    for label in np.unique(labels):
        assert np.ptp(times[labels == label]) <= 1
    assert np.array_equal(rows, repeated_rows(labels, seed))


def test_weights_in_the_loss_do_what_repeating_does():
    random = np.random.default_rng(0)
    labels = np.array([0] * 6 + [1] * 3, np.int32)
    x = jnp.asarray(random.normal(size=(9, 2)), jnp.float32)

    def model(x):
        return x

    weights = jnp.asarray(balanced_weights(labels))
    weighted = weighted_cross_entropy(model, (x, jnp.asarray(labels), weights))
    rows = repeated_rows(labels)
    repeated = nr.cross_entropy(model, (x[rows], jnp.asarray(labels[rows])))
    assert weighted == pytest.approx(float(repeated), rel=1e-5)
    even = weighted_cross_entropy(model, (x, jnp.asarray(labels), jnp.ones(9)))
    assert even == pytest.approx(float(nr.cross_entropy(model, (x, jnp.asarray(labels)))), rel=1e-6)


def test_weights_move_the_border_towards_the_frequent_label():
    # One number a picture; of its two logits the gradient of the rare one's bias tells the way.
    labels = jnp.asarray([0] * 9 + [1], jnp.int32)

    def loss(bias, weights):
        return weighted_cross_entropy(lambda x: x + bias, (jnp.zeros((10, 2)), labels, weights))

    plain = jax.grad(loss)(jnp.zeros((10, 2)), jnp.ones(10)).sum(axis=0)
    fair = jax.grad(loss)(jnp.zeros((10, 2)), jnp.asarray(balanced_weights(labels))).sum(axis=0)
    assert plain[1] > 0.3  # descent would lower the rare label's logit
    assert fair[1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("labels", [[], [[0, 1]]])
def test_labels_that_are_none_are_refused(labels):
    for function in (balanced_weights, repeated_rows):
        with pytest.raises(ValueError, match="at least one picture"):
            function(labels)
