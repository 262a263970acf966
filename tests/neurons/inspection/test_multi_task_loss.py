"""The loss of deciding and marking: each sample's two parts, and what trains on it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from prior_nets import build, pictures

from neurons import Batches, fit
from neurons.backbones.defect import MultiTask, MultiTaskNet
from neurons.explain.segmentation import dice_loss
from neurons.inspection.balancing import Balanced, Fixed, GradNorm, Uncertainty, task_weights
from neurons.inspection.multi_task_loss import MultiTaskLoss

RANDOM = np.random.default_rng(0)
PIXELS = jnp.asarray(RANDOM.normal(size=(4, 3, 2, 1)), jnp.float32)
LOGITS = jnp.asarray(RANDOM.normal(size=4), jnp.float32)
MASKS = jnp.asarray(RANDOM.random((4, 3, 2)) < 0.5).at[2:].set(False)
LABELS = jnp.array([True, True, True, False])  # the third was never marked
BATCH = (None, MASKS, LABELS)


def answer(x):
    return MultiTask(LOGITS, PIXELS)


def by_hand(dice=1.0, smooth=1.0, gamma=0.0):
    """Sample by sample, as it is written."""
    found = []
    for logit, pixels, mask, label in zip(LOGITS, PIXELS[..., 0], MASKS, LABELS, strict=True):
        m, g = 1 / (1 + np.exp(-np.asarray(pixels, float))), np.asarray(mask, float)
        segmentation = -(g * np.log(m) + (1 - g) * np.log(1 - m)).mean()
        if label and g.any():
            overlap = (2 * (m * g).sum() + smooth) / (m.sum() + g.sum() + smooth)
            segmentation += dice * (1 - overlap)
        true = 1 / (1 + np.exp(-float(logit) * (1 if label else -1)))
        found.append((segmentation, -np.log(true) * (1 - true) ** gamma))
    return np.array(found).T


@pytest.mark.parametrize(
    "options", [{}, {"dice": 0.0}, {"smooth": 4.0, "dice": 2.0}, {"gamma": 2.0}], ids=str
)
def test_every_sample_has_its_own_loss(options):
    loss, wanted = MultiTaskLoss(**options), by_hand(**options)
    np.testing.assert_allclose(loss.samples(answer, BATCH), wanted, rtol=1e-5)
    np.testing.assert_allclose(loss.tasks(answer, BATCH), wanted.mean(axis=1), rtol=1e-5)
    assert float(loss(answer, BATCH)) == pytest.approx(wanted.mean(axis=1) @ [1, 0.5], rel=1e-5)


def test_large_logits_do_not_overflow():
    def sure(x):
        return MultiTask(1e4 * LOGITS, 1e4 * PIXELS)

    found = jnp.stack(MultiTaskLoss().samples(sure, BATCH))
    assert bool(jnp.isfinite(found).all())


def test_dice_of_a_perfect_shape_is_zero_and_of_none_nearly_one():
    truth = jnp.zeros((2, 4, 4)).at[:, 1:3, 1:3].set(1.0)
    logits = jnp.stack([100 * (2 * truth[0] - 1), jnp.full((4, 4), -100.0)])
    found = dice_loss(jax.nn.sigmoid(logits), truth, axes=(1, 2))
    np.testing.assert_allclose(found, [0, 1 - 1 / 5], atol=1e-6)


def test_weight_zero_leaves_a_task_alone():
    def broken(x):
        return MultiTask(LOGITS * jnp.nan, PIXELS)

    loss = MultiTaskLoss(Fixed((1.0, 0.0)))
    assert float(loss(broken, BATCH)) == pytest.approx(by_hand()[0].mean(), rel=1e-5)


def net(seed=0):
    return MultiTaskNet(build(rngs=nnx.Rngs(seed)), width=2, rngs=nnx.Rngs(seed))


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize(
    "balance",
    [Fixed((1.0, 0.5)), Uncertainty(), GradNorm(alpha=1.5)],
    ids=lambda b: type(b).__name__,
)
def test_every_balance_trains_both_tasks(balance):
    x, y, masks = pictures(16)
    data = (jnp.asarray(x), jnp.asarray(masks), jnp.asarray(y) == 1)
    loss = MultiTaskLoss(balance)
    start = net() if isinstance(balance, Fixed) else Balanced(net())
    run = fit(start, loss, optax.adam(0.02), Batches(data, 8, 20), key=jax.random.key(0))
    model = run.model if isinstance(balance, Fixed) else run.model.model
    before, after = (MultiTaskLoss().tasks(m, data) for m in (evaluated(net()), model))
    assert run.finite
    assert float(after[0]) < 0.7 * float(before[0])
    assert float(after[1]) < 0.7 * float(before[1])
    weights = task_weights(run.model, balance)
    assert weights.shape == (2,)
    assert (weights > 0).all()
    if not isinstance(balance, Fixed):
        assert np.abs(weights - 1).max() > 0.01  # they were learned
    if isinstance(balance, GradNorm):
        assert weights.sum() == pytest.approx(2)
        assert bool(jnp.isfinite(run.model.first[...]).all())


def evaluated(model):
    model.eval()
    return model


def test_shapes_and_options_are_checked():
    with pytest.raises(ValueError, match=r"needs dice >= 0, gamma >= 0 and smooth > 0: -1.0"):
        MultiTaskLoss(dice=-1.0)
    with pytest.raises(ValueError, match="smooth > 0"):
        MultiTaskLoss(smooth=0)


@pytest.mark.usefixtures("unchecked")
def test_labels_must_fit_the_answers():
    with pytest.raises(ValueError, match=r"for labels \(3,\) and masks"):
        MultiTaskLoss()(answer, (None, MASKS, LABELS[:3]))
    with pytest.raises(ValueError, match=r"masks \(4, 3, 1\)"):
        MultiTaskLoss()(answer, (None, MASKS[..., :1], LABELS))
