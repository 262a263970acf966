"""Answers of change detectors: how maps are decided, weighed and scored, by value."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurons.backbones.change_detection import (
    ChangeLogits,
    change_evidence,
    change_loss,
    dice_loss,
    focal_loss,
    lovasz_softmax,
)

SHAPE = (2, 2, 3, 4, 4)  # batch, maps, height, width, classes
values = arrays(np.float32, SHAPE, elements=st.floats(-8, 8, width=32))


def answer(stacked):
    return ChangeLogits(tuple(jnp.asarray(stacked[:, place]) for place in range(stacked.shape[1])))


def by_hand(stacked):
    """Decision of every pixel, in float64 and one after the other."""
    z = np.asarray(stacked, np.float64)
    odds = np.log(np.exp(z[..., 1:]).sum(-1)) - z[..., 0]
    changed = odds.mean(axis=1) > 0
    return np.where(changed[:, None], 1 + z[..., 1:].argmax(-1), 0), odds.mean(axis=1)


@given(values)
def test_a_pixel_changed_where_the_mean_log_odds_say_so(stacked):
    expected, odds = by_hand(stacked)
    sure = np.abs(odds) > 1e-5
    found = np.asarray(answer(stacked).decided())
    assert (found == expected)[np.broadcast_to(sure[:, None], found.shape)].all()
    np.testing.assert_allclose(answer(stacked).change, odds, atol=1e-5)


@given(values)
def test_both_maps_agree_on_what_changed_and_change_places(stacked):
    found = np.asarray(answer(stacked).decided())
    assert ((found[:, 0] > 0) == (found[:, 1] > 0)).all()
    exchanged = np.asarray(answer(stacked[:, ::-1].copy()).decided())
    assert (exchanged == found[:, ::-1]).all()


def test_one_map_is_decided_by_its_own_odds():
    """0.45 of change in two classes of 0.225 and 0.225: no class is as likely as "unchanged"."""
    probabilities = np.array([[0.55, 0.25, 0.2], [0.45, 0.25, 0.3]], np.float32)
    z = jnp.log(jnp.asarray(probabilities)).reshape(1, 1, 2, 3)
    assert ChangeLogits((z,)).decided().ravel().tolist() == [0, 2]


def test_maps_of_two_shapes_or_three_of_them_are_refused():
    one, other = jnp.zeros((1, 2, 2, 3)), jnp.zeros((1, 2, 3, 3))
    for maps in ((one, other), (one, one, one), ()):
        with pytest.raises(ValueError, match="one or two maps"):
            _ = ChangeLogits(maps).stacked


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(3)
    stacked = random.normal(size=SHAPE).astype(np.float32)
    return answer(stacked), jnp.asarray(random.integers(0, 4, SHAPE[:-1]))


def test_the_loss_is_the_sum_of_its_terms(case):
    logits, labels = case
    z, y = logits.stacked.reshape(-1, 3, 4, 4), labels.reshape(-1, 3, 4)
    parts = [float(loss(z, y)) for loss in (focal_loss, dice_loss, lovasz_softmax)]
    assert float(change_loss(logits, labels)) == pytest.approx(sum(parts), rel=1e-6)
    weighted = change_loss(logits, labels, focal=2, dice=0, lovasz=0.5)
    assert float(weighted) == pytest.approx(2 * parts[0] + 0.5 * parts[2], rel=1e-6)
    plain = change_loss(logits, labels, focal=0, dice=0, lovasz=0, cross_entropy=1)
    assert float(plain) == pytest.approx(float(focal_loss(z, y, gamma=0)), rel=1e-6)


def test_labels_of_small_integers_will_do(case):
    logits, labels = case
    small = change_loss(logits, labels.astype(jnp.int8))
    assert float(small) == float(change_loss(logits, labels))


def test_bad_labels_and_weights_are_refused(case):
    logits, labels = case
    with pytest.raises(ValueError, match="labels"):
        change_loss(logits, labels[:, :1])
    for weights in ({"focal": 0, "dice": 0, "lovasz": 0}, {"dice": -1}):
        with pytest.raises(ValueError, match="weights are at least 0"):
            change_loss(logits, labels, **weights)


def test_evidence_is_the_mean_odds_where_change_is_seen(case):
    logits, _ = case
    _, odds = by_hand(logits.stacked)
    expected = [row[row > 0].mean() for row in odds.reshape(2, -1)]
    np.testing.assert_allclose(change_evidence(logits.stacked), expected, rtol=1e-5)
    slope = jax.grad(lambda z: change_evidence(z).sum())(logits.stacked)
    assert not np.asarray(slope)[np.broadcast_to((odds <= 0)[:, None, ..., None], SHAPE)].any()


def test_evidence_where_nothing_changed_is_the_mean_over_all():
    z = jnp.zeros((1, 1, 2, 2, 3)).at[..., 0].set(5.0)
    assert float(change_evidence(z)[0]) == pytest.approx(np.log(2) - 5)
