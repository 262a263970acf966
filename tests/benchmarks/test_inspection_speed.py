"""What training with a prior costs a step, beside the same step without."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from training_step import our_step

from neurons.backbones.defect import mobilenet_v2, resnet18
from neurons.inspection.knowledge import KnowledgeLoss, Lesson, Pupil
from neurons.inspection.prior_maps import prior_maps

pytestmark = [pytest.mark.peers, pytest.mark.usefixtures("unchecked", "standard_promotion")]
COUNT, SIDE = 16, 32
MOST = 1.5  # times the plain step, with priors that were computed before


def lesson(net):
    x = jnp.asarray(np.random.default_rng(0).random((COUNT, SIDE, SIDE, 3), np.float32))
    y = jnp.arange(COUNT, dtype=jnp.int32) % 2
    return Lesson(x, y, prior_maps(net, x, y))


def narrow(*, rngs):
    return resnet18(width=16, small=True, rngs=rngs)


def wide(*, rngs):
    return mobilenet_v2(classes=2, rngs=rngs)


@pytest.mark.parametrize("build", [narrow, wide], ids=["resnet18", "mobilenet_v2"])
def test_the_knowledge_term_costs_at_most_half_a_step(build, record, interleaved):
    taught = lesson(build(rngs=nnx.Rngs(0)))
    steps = [
        our_step(Pupil(build(rngs=nnx.Rngs(1)), warmup=10), taught, loss, optax.sgd(0.01))
        for loss in (KnowledgeLoss(), KnowledgeLoss(0))
    ]
    times = interleaved(*steps, rounds=10)
    record(f"{build.__name__} network: step with a prior", "the step without", *times, MOST)
