"""Training on pseudo labels: a loss by hand, rounds that learn, stop, and can be taken up again."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import neurons as nr
from neurons.explain.segmentation import PixelLoss, Rounds, pixel_loss, predict, train_rounds

TX = optax.adam(0.05)
KEY = jax.random.key(0)
DEFECTIVE = jnp.arange(12) % 3 > 0
pytestmark = pytest.mark.usefixtures("standard_promotion")


class Pixelwise(nnx.Module):
    """A pixel's logit from its neighbourhood."""

    def __init__(self, *, rngs):
        self.hidden = nr.Conv(nr.conventional, 1, 4, (3, 3), padding=1, rngs=rngs)
        self.out = nr.Conv(nr.conventional, 4, 1, (1, 1), padding=0, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.relu(self.hidden(x["image"])))


def squares():
    """Twelve images of noise, eight with a bright square, and its mask."""
    random = np.random.default_rng(0)
    masks = np.zeros((12, 8, 8), np.int8)
    for image in np.flatnonzero(DEFECTIVE):
        row, column = random.integers(0, 5, 2)
        masks[image, row : row + 3, column : column + 3] = 1
    images = masks + 0.2 * random.normal(size=masks.shape)
    return {"image": jnp.asarray(images[..., None], jnp.float32)}, jnp.asarray(masks)


def sparse(masks):
    """Seeds: the corner of every square and what lies far from it; a third is ignored."""
    random = np.random.default_rng(1)
    found = np.where(random.random(masks.shape) < 0.4, -1, np.asarray(masks)).astype(np.int8)
    return jnp.asarray(np.where(DEFECTIVE[:, None, None], found, 0).astype(np.int8))


@pytest.fixture(scope="module")
def data():
    return squares()


@pytest.fixture(scope="module")
def model():
    return Pixelwise(rngs=nnx.Rngs(0))


def trained(model, x, labels, **options):
    options = {"rounds": 3, "epochs": 12, "size": 4, **options}
    return train_rounds(model, x, labels, DEFECTIVE, TX, key=KEY, **options)


def iou(model, x, masks):
    found, masks = np.asarray(predict(model, x, size=4)) > 0.5, np.asarray(masks) == 1
    return (found & masks).sum() / (found | masks).sum()


def test_the_loss_by_hand():
    logits = np.array([[[[0.5], [-1.0]], [[2.0], [3.0]]]], np.float32)
    labels = np.array([[[1, 0], [1, -1]]], np.int8)
    p, y = 1 / (1 + np.exp(-logits[0, :, :, 0].ravel()[:3])), np.array([1, 0, 1])
    entropy = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
    batch = (jnp.asarray(logits), jnp.asarray(labels))
    assert float(pixel_loss(lambda x: x, batch)) == pytest.approx(entropy + dice, rel=1e-5)
    assert float(PixelLoss(dice=0)(lambda x: x, batch)) == pytest.approx(entropy, rel=1e-5)
    ignored = (batch[0], jnp.full_like(batch[1], -1))
    assert float(pixel_loss(lambda x: x, ignored)) == 0
    slope = jax.grad(lambda x: pixel_loss(lambda x: x, (x, batch[1])))(batch[0])
    assert slope[0, 1, 1, 0] == 0


def test_by_image_a_small_defect_counts_as_much_as_a_large_one():
    logits = np.random.default_rng(0).normal(size=(4, 6, 6, 1)).astype(np.float32)
    labels = np.zeros((4, 6, 6), np.int8)
    labels[0, 2, 2] = labels[1, :4] = 1  # the third image is free, the fourth ignored as a whole
    labels[3] = -1
    batch = (jnp.asarray(logits), jnp.asarray(labels))
    p = 1 / (1 + np.exp(-logits[..., 0]))
    losses = [
        1 - (2 * p[labels == 1][start:stop].sum() + 2) / (p[image].sum() + area + 2)
        for image, area, start, stop in ((0, 1, 0, 1), (1, 24, 1, 25))
    ]
    entropy = float(PixelLoss(dice=0)(lambda x: x, batch))
    found = float(PixelLoss(smooth=2, over="images")(lambda x: x, batch))
    assert found == pytest.approx(entropy + np.mean(losses), rel=1e-5)
    free = (batch[0], jnp.zeros_like(batch[1]))
    plain = float(PixelLoss(dice=0)(lambda x: x, free))
    assert float(PixelLoss(over="images")(lambda x: x, free)) == plain


def test_rounds_learn_what_the_seeds_left_open(model, data):
    x, masks = data
    record = trained(model, x, sparse(masks))
    assert record.status in ("agreed", "all rounds")
    assert [len(done.losses) for done in record.rounds] == [36] * len(record.rounds)
    first, last = record.rounds[0], record.rounds[-1]
    assert first.ignored == pytest.approx(0.4, abs=0.05)
    assert last.ignored < first.ignored
    assert iou(record.model, x, masks) > 0.8
    assert iou(model, x, masks) < 0.5  # planted fault: the network that learned nothing
    full = trained(model, x, masks, rounds=1)
    assert iou(full.model, x, masks) > 0.8
    assert not record.labels[~np.asarray(DEFECTIVE)].any()


def test_the_rounds_stop_when_labels_agree(model, data):
    x, masks = data
    record = trained(model, x, masks, stop=0.5)
    assert record.status == "agreed"
    assert len(record.rounds) == 1
    assert record.rounds[0].agreement > 0.5


def test_a_break_changes_nothing(model, data):
    x, masks = data
    kept = []
    run = partial(trained, model, x, sparse(masks), rounds=2, epochs=6, stop=1.0)
    whole = run(on_round=kept.append)
    assert [len(record.rounds) for record in kept] == [1, 2]
    resumed = run(resume=kept[0])
    assert np.array_equal(resumed.labels, whole.labels)
    assert np.array_equal(resumed.rounds[1].losses, whole.rounds[1].losses)
    again = run(resume=whole)
    assert again is whole
    warm = run(restart=False)
    assert warm.rounds[1].losses[0] < whole.rounds[1].losses[0]


def test_nothing_to_learn_is_a_status(model, data):
    x, masks = data
    empty = jnp.where(DEFECTIVE[:, None, None], jnp.int8(-1), jnp.int8(0))
    record = trained(model, x, jnp.broadcast_to(empty, masks.shape), epochs=2)
    assert record.status == "no defect left"
    assert len(record.rounds) == 1
    ill = trained(model, {"image": x["image"].at[0].set(jnp.nan)}, masks, epochs=2)
    assert ill.status == "diverged"


def test_prediction_does_not_depend_on_the_blocks(model, data):
    x, _ = data
    whole = predict(model, x, size=12)
    assert whole.shape == (12, 8, 8)
    for size in (5, 100):
        np.testing.assert_allclose(predict(model, x, size=size), whole, atol=1e-6)


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_trained_is_refused(model, data):
    x, masks = data
    for labels, message in [
        (masks[:4], "one length"),
        (masks * 3, "1, 0 or -1"),
        (jnp.ones_like(masks), "labelled normal"),
    ]:
        with pytest.raises(ValueError, match=message):
            trained(model, x, labels)
    with pytest.raises(ValueError, match="rounds"):
        trained(model, x, masks, rounds=0)
    with pytest.raises(ValueError, match="no images"):
        predict(model, {"image": jnp.zeros((0, 8, 8, 1))})
    with pytest.raises(ValueError, match="expected logits"):
        predict(nnx.Linear(3, 2, rngs=nnx.Rngs(0)), jnp.zeros((2, 3)))
    with pytest.raises(ValueError, match="for labels of shape"):
        pixel_loss(lambda x: x, (jnp.zeros((1, 4, 4, 1)), jnp.zeros((1, 8, 8), jnp.int8)))
    with pytest.raises(ValueError, match="dice"):
        PixelLoss(dice=-1)
    with pytest.raises(ValueError, match="batch, images"):
        PixelLoss(over="pixels")


def test_a_record_is_its_last_model(model, data):
    x, masks = data
    record = trained(model, x, masks, rounds=1, epochs=1)
    assert isinstance(record, Rounds)
    assert record.model is record.rounds[-1].model
