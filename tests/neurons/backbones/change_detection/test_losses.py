"""Losses of maps: closed forms, brute force, and pixels that do not count."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurons.backbones.change_detection import dice_loss, focal_loss, lovasz_softmax

LOSSES = (focal_loss, dice_loss, lovasz_softmax)


@pytest.fixture(scope="module")
def maps():
    random = np.random.default_rng(0)
    logits = 2 * random.normal(size=(2, 4, 5, 3)).astype(np.float32)
    return jnp.asarray(logits), jnp.asarray(random.integers(0, 3, (2, 4, 5)))


def probabilities(logits):
    p = np.exp(np.asarray(logits, np.float64))
    return p / p.sum(axis=-1, keepdims=True)


def test_focal_loss_by_hand_and_as_cross_entropy(maps):
    logits, labels = maps
    p = np.take_along_axis(probabilities(logits), np.asarray(labels)[..., None], -1)[..., 0]
    weights = np.array([0.2, 1.0, 3.0])
    expected = np.mean(-weights[np.asarray(labels)] * (1 - p) ** 2 * np.log(p))
    alpha = jnp.asarray(weights, jnp.float32)
    assert float(focal_loss(logits, labels, alpha=alpha)) == pytest.approx(expected, rel=1e-5)
    plain = float(focal_loss(logits, labels, gamma=0))
    assert plain == pytest.approx(-np.log(p).mean(), rel=1e-5)


def test_dice_loss_by_hand(maps):
    logits, labels = maps
    p, y = probabilities(logits).reshape(-1, 3), np.eye(3)[np.asarray(labels).ravel()]
    expected = np.mean(1 - (2 * (p * y).sum(0) + 1) / (p.sum(0) + y.sum(0) + 1))
    assert float(dice_loss(logits, labels)) == pytest.approx(expected, rel=1e-5)


def jaccard_loss(wrong, truth):
    """1 - IoU of a class where a set of pixels is wrong."""
    predicted = truth ^ wrong
    return 1 - (predicted & truth).sum() / max((predicted | truth).sum(), 1)


def test_lovasz_is_the_extension_of_one_minus_iou(maps):
    logits, labels = maps
    p, found = probabilities(logits).reshape(-1, 3), []
    for k in range(3):
        truth = np.asarray(labels).ravel() == k
        errors, wrong, before, total = np.abs(truth - p[:, k]), np.zeros(len(p), bool), 0.0, 0.0
        for pixel in np.argsort(-errors):
            wrong[pixel] = True
            after = jaccard_loss(wrong, truth)
            total += errors[pixel] * (after - before)
            before = after
        found.append(total)
    assert float(lovasz_softmax(logits, labels)) == pytest.approx(np.mean(found), rel=1e-5)


def test_lovasz_of_sure_predictions_is_one_minus_iou(maps):
    _, labels = maps
    guess = jnp.roll(labels, 1, axis=2)
    sure = 200 * jax.nn.one_hot(guess, 3, dtype=jnp.float32)
    expected = np.mean(
        [
            jaccard_loss(np.asarray((guess == k) ^ (labels == k)), np.asarray(labels == k))
            for k in range(3)
        ]
    )
    assert float(lovasz_softmax(sure, labels)) == pytest.approx(expected, rel=1e-5)
    right = 200 * jax.nn.one_hot(labels, 3, dtype=jnp.float32)
    assert float(lovasz_softmax(right, labels)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_ignored_pixels_do_not_count(loss, maps):
    logits, labels = maps
    ignored = labels.at[:, 2:].set(-1)
    expected = float(loss(logits[:, :2], labels[:, :2]))
    assert float(loss(logits, ignored)) == pytest.approx(expected, rel=1e-5)
    slope = jax.grad(lambda x: loss(x, ignored))(logits)
    assert float(jnp.abs(slope[:, 2:]).max()) == 0
    assert float(jnp.abs(slope[:, :2]).max()) > 0
    nothing = jnp.full_like(labels, -1)
    assert float(loss(logits, nothing)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_stay_numbers_where_all_is_known(loss, maps):
    labels = maps[1]
    sure = 200 * jax.nn.one_hot(labels, 3, dtype=jnp.float32)
    value, slope = jax.value_and_grad(loss)(sure, labels)
    assert np.isfinite(float(value))
    assert np.isfinite(slope).all()


def test_wrong_input_is_refused(maps):
    logits, labels = maps
    with pytest.raises(ValueError, match="gamma"):
        focal_loss(logits, labels, gamma=-1)
    with pytest.raises(ValueError, match="smooth"):
        dice_loss(logits, labels, smooth=0)
