"""The network that decides and marks learns what PyTorch's does, in little more than its time."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from training_step import our_step

from neurons.backbones.defect import MultiTaskNet, resnet18, to_torch
from neurons.inspection.multi_task_loss import MultiTaskLoss

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("standard_promotion")]
WIDTH, DECODER, SIDE, RATE = 16, 8, 96, 0.01
THROUGHPUT = 0.7  # of PyTorch's, at least
LOSS = MultiTaskLoss()


@pytest.fixture(scope="session")
def twin_module(torch):
    """The module multi_task_twin, which imports torch."""
    import multi_task_twin

    return multi_task_twin


@pytest.fixture
def both(torch, twin_module):
    """Our network and its twin, with the same weights."""
    net = MultiTaskNet(resnet18(width=WIDTH, rngs=nnx.Rngs(0)), width=DECODER, rngs=nnx.Rngs(1))
    encoder = {
        name: torch.from_numpy(np.array(values))
        for name, values in to_torch(net.encoder).items()
        if not name.startswith("fc.")
    }
    return net, twin_module.fill(twin_module.MultiTask(WIDTH, DECODER), net, encoder)


def batch(count=16):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, SIDE, SIDE, 3)).astype(np.float32)
    masks = np.zeros((count, SIDE, SIDE), bool)
    masks[::2, 20:40, 30:60] = True
    return jnp.asarray(x), jnp.asarray(masks), jnp.asarray(masks.any(axis=(1, 2)))


def in_torch(torch, data):
    x, masks, defective = (np.asarray(part, np.float32) for part in data)
    images = np.array(x.transpose(0, 3, 1, 2), order="C")
    return [torch.from_numpy(np.array(part)) for part in (images, masks, defective)]


def test_answers_loss_and_gradient_equal_torch(both, torch, twin_module):
    net, twin = both
    data = batch(4)
    theirs = in_torch(torch, data)
    graph, params, rest = nnx.split(net, nnx.Param, ...)

    @jax.jit
    def found(params):
        def score(params):
            model = nnx.merge(graph, params, rest, copy=True)
            return LOSS(model, data), model(data[0])

        return jax.value_and_grad(score, has_aux=True)(params)

    (value, answers), grads = found(params)
    logits, pixels = twin.train()(theirs[0])
    np.testing.assert_allclose(answers.logits, logits.detach(), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(answers.masks[..., 0], pixels.detach(), rtol=1e-3, atol=1e-3)
    other = twin_module.loss(twin, *theirs)
    other.backward()
    assert float(value) == pytest.approx(other.item(), rel=1e-4)
    ours = nnx.merge(graph, grads, rest).encoder.out.layers[0].kernel[...]
    np.testing.assert_allclose(ours, twin.sample.weight.grad.T, rtol=1e-3, atol=1e-4)


def test_throughput_of_training(both, record, interleaved, torch, twin_module):
    """Steps on 16 images of 96 x 96, Adam, all cores for both."""
    net, twin = both
    data = batch()
    ours = our_step(net, data, LOSS, optax.adam(RATE))
    torch.set_num_threads(os.cpu_count())
    other = torch.optim.Adam(twin.train().parameters(), lr=RATE)
    parts = in_torch(torch, data)

    def theirs():
        other.zero_grad()
        twin_module.loss(twin, *parts).backward()
        other.step()

    times = interleaved(ours, theirs, rounds=6)
    peer = f"torch, {os.cpu_count()} threads"
    record("multi-task: training step, 16 of 96", peer, *times, 1 / THROUGHPUT)
