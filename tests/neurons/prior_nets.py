"""Small networks and images for the tests of training with a prior."""

import jax.numpy as jnp
import numpy as np

import neurons as nr
from neurons.backbones.defect import StagedNet
from neurons.backbones.defect.blocks import ConvNorm, MeanHead, Names, Stage
from neurons.backbones.defect.staged import Plan

WIDTH, SIDE = 3, 8


def build(*, rngs, logits=2, window=3):
    """Two stages with a pooling between them: maps of 4 x 4 for images of 8 x 8."""

    def stage(before, pool):
        layer = ConvNorm(nr.conventional, before, WIDTH, window, names=Names(), rngs=rngs)
        return Stage([layer], pool=pool)

    plans = [Plan("shallow", WIDTH, 1), Plan("deep", WIDTH, 2)]
    out = MeanHead(WIDTH, logits, name="", rngs=rngs)
    return StagedNet(plans, [stage(1, 0), stage(WIDTH, 2)], out, channels=1)


def pixel_by_pixel(*, rngs):
    """One stage that looks at every pixel alone: moved maps are maps of moved images."""
    layer = ConvNorm(nr.conventional, 1, 8, 1, norm=False, names=Names(), rngs=rngs)
    out = MeanHead(8, 2, name="", rngs=rngs)
    return StagedNet([Plan("only", 8, 1)], [Stage([layer])], out, channels=1)


def pictures(count=12, seed=0):
    """Noise, with a bright spot in every second image: images, labels, masks."""
    random = np.random.default_rng(seed)
    x = random.random((count, SIDE, SIDE, 1), np.float32)
    y = np.arange(count) % 2
    masks = np.zeros((count, SIDE, SIDE), bool)
    masks[y == 1, 2:4, 4:6] = True
    x[masks] += 2
    return jnp.asarray(x), jnp.asarray(y, jnp.int32), masks
