"""Networks of the study on Tri-path DINO: the full one, its ablations, and a main path that knows.

All arms are one network with parts left out, trained as `change_study` trains: one division, one
order of examples, as many steps. What is left out is left out of the start, too.

DINOv3's weights are not reachable. What stands in for them is ours: the same small transformer,
taught on other drawn places which classes of land cover each patch shows, and then put into the
network. What it knows comes from single pictures with labels of another kind, not from change.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

import neurons as nr
from neurons.backbones.change_detection import TriPath, change_loss
from neurons.backbones.change_detection.auxiliary import Plan
from neurons.backbones.defect.preprocessing import preprocess
from neurons.backbones.dino import Shape, VisionTransformer
from neurons.data import simulated_scenes
from theory.claims import change_study as study
from theory.claims.claim import Lab
from theory.claims.packed_weights import packed, restored

SIDE = 32  # pixels of a picture; the drawn pairs are cut
SHAPE = Shape(32, 4, 2, 64, registers=1, patch=8)
PLAN = Plan((8, 16, 24, 32), (1, 2, 3, 4), (4, 2, 1, 1), (1, 1, 1, 1), 2)
FIELDS = ((1, 1), (3, 1), (3, 2))
WIDTH = 16
STEPS = 1000  # of the budget paper
FULL, MAIN, AUXILIARY, PLAIN = "full", "main only", "auxiliary only", "without MLHA"
WIDE, SAME_SIZE = "main only, wider", 34  # the width that gives it the full one's parameters
CROSS_ENTROPY, KNOWING, FEW, KNOWING_FEW = (
    "cross-entropy",
    "pre-trained",
    "few labels",
    "pre-trained, few labels",
)
SHARE = 0.1  # of the training places: few labels
OTHER_PLACES, PICTURES_STEPS, PICTURES = 7000, 1000, 32
Options = Mapping[str, Any]
PARTS: Mapping[str, Options] = MappingProxyType(
    {
        MAIN: {"auxiliary": False},
        AUXILIARY: {"main": False},
        PLAIN: {"decoder": "plain"},
        WIDE: {"auxiliary": False, "width": SAME_SIZE},
    }
)
ARMS = (FULL, *PARTS, CROSS_ENTROPY, KNOWING, FEW, KNOWING_FEW)


def make(classes: int, arm: str, *, rngs: nnx.Rngs) -> TriPath:
    """The arm's network, untrained.

    Args:
        classes: without "unchanged".
        arm: one of :data:`ARMS`.
        rngs: stream `params`.
    """
    options = {"width": WIDTH, **PARTS.get(arm, {})}
    return TriPath(classes, SHAPE, plan=PLAN, fields=FIELDS, rngs=rngs, **options)


def trained(lab: Lab, arm: str, seed: int) -> TriPath:
    """An arm's network, recalled or trained.

    Args:
        lab: of pairs cut to `SIDE`.
        arm: one of :data:`ARMS`.
        seed: decides fold, start and order.
    """
    classes = len(study.pairs(lab).classes)
    form = partial(make, classes, arm if arm in PARTS else FULL)
    knows = arm in (KNOWING, KNOWING_FEW)
    net: TriPath = study.train(
        lab,
        f"tri-path, {SIDE} pixels, {arm}",
        seed,
        form,
        fraction=SHARE if arm in (FEW, KNOWING_FEW) else 1.0,
        loss=weighed,
        steps=max(study.LEAST_STEPS, round(STEPS * lab.budget.effort)),
        start=partial(knowing, lab, seed, form) if knows else None,
        extra=partial(_weights, arm),
    )
    return net


def weighed(model: Any, batch: tuple[Array, ...]) -> Array:
    """Focal, Dice and Lovasz loss together, and cross-entropy, weighed by what stands behind.

    One function for all arms: those of one form share a compilation, and the time a step takes.
    """
    before, after, labels, weights = batch
    answer = model(before, after)
    three = change_loss(answer, labels)
    plain = change_loss(answer, labels, focal=0, dice=0, lovasz=0, cross_entropy=1)
    return (jnp.stack([three, plain]) * weights.mean(axis=0)).sum()


def _weights(arm: str, lesson: study.Lesson) -> Array:
    """Of the three losses, and of cross-entropy, for every example."""
    row = jnp.array([0.0, 1.0] if arm == CROSS_ENTROPY else [1.0, 0.0])
    return jnp.tile(row[None], (len(lesson.rows), 1))


def knowing(lab: Lab, seed: int, form: study.Make) -> TriPath:
    """The seed's start, but for a main path that learned land cover on other places."""
    net: TriPath = study.build(lab, seed, form)
    if net.main is None:
        raise ValueError("a network without a main path has nothing to know by")
    nnx.update(net.main.net, nnx.state(taught(lab, seed).net, nnx.Param))
    return net


class CoverNet(nnx.Module):
    """A transformer with logits of the land cover of every patch.

    Args:
        classes: of land cover.
        rngs: stream `params`.
    """

    def __init__(self, classes: int, *, rngs: nnx.Rngs) -> None:
        self.net = VisionTransformer(SHAPE, rngs=rngs)
        self.out = nr.Dense(nr.conventional, SHAPE.width, classes, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Logits `(batch, rows, columns, classes)`."""
        return self.out(self.net.encode(preprocess(x)).patches)


def taught(lab: Lab, seed: int) -> CoverNet:
    """What stands in for DINOv3's weights, recalled or trained."""
    classes = len(study.pairs(lab).classes)
    steps = max(study.LEAST_STEPS, round(PICTURES_STEPS * lab.budget.effort))
    start = CoverNet(classes, rngs=nnx.Rngs(study.key(lab, seed)))

    def learned() -> dict[str, Any]:
        batches = nr.Batches(*pictures(lab, seed, steps))
        tx = study.adamw(batches.steps)
        run = nr.fit(start, cover_loss, tx, batches, key=study.key(lab, seed))
        return {"weights": packed(run.model)}

    name = f"{lab.data.name}, tri-path, land cover, {seed}, {steps} steps"
    net: CoverNet = restored(nnx.clone(start), lab.recall(name, learned)["weights"])
    return net


def pictures(lab: Lab, seed: int, steps: int) -> tuple[Any, int, int]:
    """Other drawn places: pictures with the shares of their patches' classes, batch and epochs."""
    classes = len(study.pairs(lab).classes)
    count = max(2, round(96 * lab.budget.data))
    drawn = simulated_scenes(OTHER_PLACES + seed, count=count).cut(SIDE)
    x = np.concatenate([drawn.before, drawn.after])
    cover = np.concatenate([drawn.cover_before, drawn.cover_after]).astype(int) - 1
    side, patch = SIDE // SHAPE.patch, SHAPE.patch
    kinds = np.eye(classes, dtype=np.float32)[cover].reshape(-1, side, patch, side, patch, classes)
    batch = min(PICTURES, len(x))
    data = (jnp.asarray(x), jnp.asarray(kinds.mean(axis=(2, 4))))
    return data, batch, max(1, round(steps / (len(x) // batch)))


def cover_loss(model: Any, batch: tuple[Array, Array]) -> Array:
    """Cross-entropy of the patches' classes against their shares."""
    x, shares = batch
    return -(shares * jax.nn.log_softmax(model(x))).sum(axis=-1).mean()
