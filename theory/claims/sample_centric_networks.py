"""Networks of the study on sample-centric learning: one encoder, trained for both answers or one.

On magnetic tiles three trained stages take the activations of three frozen ones of MobileNetV2,
each also what comes from the trained stage above, and are the encoder that both answers share. On
drawn tiles the first of them takes the picture itself. The decoder marks pixels at half of
a magnetic tile's side, and at a drawn tile's full side.

All arms are one network with one start, which takes as many steps on the same examples in the same
order: what differs is a weight of each example's two losses, or its label.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

import neurons as nr
from neurons.backbones.defect import MultiTask, MultiTaskNet, StagedNet, preprocess
from neurons.backbones.defect.blocks import ConvNorm, MeanHead, Names
from neurons.backbones.defect.staged import Plan
from neurons.backbones.unet import max_pool
from neurons.inspection.gradient_share import gradient_grams, gradient_share, task_cosines
from neurons.inspection.multi_task_loss import MultiTaskLoss
from theory.claims import inspection_study as study
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.inspection_study_networks import part
from theory.claims.localisation_study_detectors import adam, backbone, chunks
from theory.claims.packed_weights import packed, restored

Arm = Literal["mask", "joint", "shuffled"]
Which = Literal["tiles", "drawn"]

WEIGHT = 0.5  # of the classification loss, in the middle of 0.1, 0.5 and 1


class Shape(NamedTuple):
    """Channels of the trained stages, and of the decoder at the masks' size; steps of training."""

    widths: tuple[int, ...]
    decoder: int
    steps: int


LEAST, BATCH, RATE = 20, 8, 5e-3
PRETRAINED, SCRATCH = Shape((16, 24, 32), 4, 4000), Shape((8, 16, 24), 2, 1500)
CHUNK = 32
TINY = 0.001  # share of a tile: the paper's "small" defects in our reading
MOMENTS = (0.5, 1.0)  # of the training, when gradients are looked at
LOSS = MultiTaskLoss()


class Net(nnx.Module):
    """Trained stages, a head for the sample and a decoder for its pixels, on what enters.

    Args:
        channels: of the arrays that enter, from shallow to deep; each is half as high and wide as
            the one before. Deeper stages take only what the stage above gives.
        shape: of the trained stages and the decoder.
        size: height and width of the masks.
        rngs: stream `params`.
    """

    def __init__(
        self,
        channels: Sequence[int],
        shape: Shape,
        size: tuple[int, int],
        *,
        rngs: nnx.Rngs,
    ) -> None:
        widths = shape.widths
        entering = [*channels, *[0] * (len(widths) - len(channels))]
        before = (0, *widths[:-1])
        self.encoder = nnx.List(
            ConvNorm(nr.conventional, own + above, width, 3, names=Names(), rngs=rngs)
            for own, above, width in zip(entering, before, widths, strict=True)
        )
        plans = [Plan(f"level{place}", width, 2**place) for place, width in enumerate(widths)]
        bare = StagedNet(plans, [], MeanHead(1, 1, name="", rngs=rngs), channels=1)
        self.answers, self.size = MultiTaskNet(bare, width=shape.decoder, rngs=rngs), size

    def __call__(self, entering: tuple[Array, ...]) -> MultiTask:
        """Both answers."""
        pyramid: list[Array] = []
        for place, stage in enumerate(self.encoder):
            given = [max_pool(pyramid[-1])] if pyramid else []
            given += entering[place : place + 1]
            pyramid.append(stage(jnp.concatenate(given, axis=-1)))
        return self.answers.decode(pyramid, self.size)


@lru_cache(maxsize=2)
def entering(data: Any, which: Which) -> tuple[np.ndarray, ...]:
    """What enters the network, `(pictures, rows, columns, channels)` each, from shallow to deep."""
    known = part(data, which)
    pictures, net = preprocess(known.images), backbone(data)
    if net is None or not known.pretrained:
        return (np.asarray(pictures),)
    found = [_frozen(net, chunk) for chunk in chunks(pictures)]
    return tuple(np.concatenate(stage)[: len(known.labels)] for stage in zip(*found, strict=True))


@nnx.jit
def _frozen(net: StagedNet, x: Array) -> tuple[Array, ...]:
    return net.pyramid(x)[1:4]  # strides 4, 8 and 16; what lies deeper is compiled away


def true_masks(lab: Lab, which: Which) -> np.ndarray:
    """`(pictures, height, width)` bool.

    Raises:
        ValueError: for a set without masks, as solar cells are.
    """
    found = study.part(lab, which).masks
    if found is None:
        raise ValueError(f"{which} have no masks to learn from")
    return found


def masks(lab: Lab, which: Which) -> np.ndarray:
    """Masks as they are learned: at the network's size, defective where half of the pixels are."""
    full, (height, width) = true_masks(lab, which).astype(np.float32), _size(lab, which)
    step = full.shape[1] // height
    blocks = full.reshape(len(full), height, step, width, step)
    return np.asarray(blocks.mean(axis=(2, 4)) >= 0.5)


def _size(lab: Lab, which: Which) -> tuple[int, int]:
    known = study.part(lab, which)
    step = 2 if known.pretrained else 1
    return known.side[0] // step, known.side[1] // step


def weighted(model: Any, batch: tuple[Any, Array, Array, Array]) -> Array:
    """The multi-task loss with weights of its own for each example.

    One function for all arms: they share a compilation, and the time a step takes.
    """
    *example, weights = batch
    both = jnp.stack(LOSS.samples(model, tuple(example)), axis=1)
    return (weights * both).sum(axis=1).mean()


def weights(arm: Arm) -> tuple[float, float]:
    """Of the segmentation and of the classification loss."""
    return (1.0, 0.0) if arm == "mask" else (1.0, WEIGHT)


def trained(lab: Lab, which: Which, arm: Arm, seed: int) -> Net:
    """The seed's network, recalled or trained."""
    channels, shape, size = _plan(lab, which)
    start = nnx.clone(_template(channels, shape, size))
    found: Net = restored(start, record(lab, which, arm, seed)["weights"])
    found.eval()
    return found


def record(lab: Lab, which: Which, arm: Arm, seed: int) -> dict[str, Any]:
    """What training left.

    Returns:
        "weights"; "moments", a list with, of half-way and of the end, "share": of the encoder's
        gradient, from the tiny defects, under this arm's loss, and "other": under the loss with
        the other weight of the classification; "small": the same two of the smallest quarter of
        the defects; "cosine": between the tasks' gradients, of every batch.
    """
    name = f"{lab.data.name}, sample-centric, {arm}, {which}, {seed}"
    return dict(lab.recall(name, partial(_record, lab, which, arm, seed)))


def _record(lab: Lab, which: Which, arm: Arm, seed: int) -> dict[str, Any]:
    taught = study.lesson(lab, which, seed)
    steps = max(LEAST, round(_shape(lab, which).steps * lab.budget.effort))
    epochs = max(2, round(steps / (len(taught.rows) // BATCH)))
    data = _lesson(lab, which, arm, seed, taught)
    batches = nr.Batches(data, BATCH, epochs)
    moments = {max(1, round(moment * epochs)) for moment in MOMENTS}
    found: list[dict[str, Any]] = []
    net = _fresh(lab, which, seed)

    def look(state: Any) -> None:
        if state.epoch in moments and arm != "shuffled":
            nnx.update(net, state.carry.params, state.carry.rest)
            found.append(_gradients(lab, which, arm, net, taught.rows))

    run = nr.fit(
        net,
        weighted,
        adam(batches.steps, RATE),
        batches,
        key=study.key(lab, seed),
        on_epoch=look,
    )
    return {"weights": packed(run.model), "moments": found}


def _lesson(lab: Lab, which: Which, arm: Arm, seed: int, taught: study.Lesson) -> tuple[Any, ...]:
    """What enters, masks, labels and weights of every example."""
    x = tuple(study.flipped(level, taught) for level in entering(lab.data, which))
    labels = study.part(lab, which).labels == 1
    if arm == "shuffled":
        labels = numpy_generator(lab, 5, seed).permutation(labels)
    known = jnp.asarray(np.tile(np.array(weights(arm), np.float32), (len(taught.rows), 1)))
    marked = study.flipped(masks(lab, which), taught)
    return x, marked, jnp.asarray(labels[taught.rows]), known


def _gradients(lab: Lab, which: Which, arm: Arm, net: Net, rows: np.ndarray) -> dict[str, Any]:
    """Who moves the encoder: every training picture once, as it is, then in batches."""
    places = np.unique(rows)
    known = study.part(lab, which)
    x = tuple(level[places] for level in entering(lab.data, which))
    data = (x, masks(lab, which)[places], known.labels[places] == 1)
    area = true_masks(lab, which)[places].mean(axis=(1, 2))
    singles = gradient_grams(LOSS.tasks, net, data, shared="encoder")
    size = min(BATCH, len(places))
    batches = gradient_grams(LOSS.tasks, net, data, shared="encoder", size=size)
    ours, theirs = weights(arm), weights("mask" if arm == "joint" else "joint")
    groups = {"tiny": (area > 0) & (area < TINY), "small": area_quarter(area)}
    shares = {
        name: [gradient_share(singles, group, w) for w in (ours, theirs)]
        for name, group in groups.items()
    }
    cosines = task_cosines(batches)
    return {**shares, "cosine": cosines[np.isfinite(cosines)].round(4).tolist()}


def area_quarter(area: np.ndarray) -> np.ndarray:
    """Which defects are among the smallest quarter."""
    marked = area[area > 0]
    return (area > 0) & (area <= np.quantile(marked, 0.25)) if marked.size else area > 0


def answers(lab: Lab, which: Which, net: Net, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of samples and, at the pictures' full size, of pixels; nothing is flipped."""
    x = tuple(level[rows] for level in entering(lab.data, which))
    last = -(-len(rows) // CHUNK) * CHUNK
    places = np.minimum(np.arange(last), len(rows) - 1)
    parts = [
        _logits(net, tuple(jnp.asarray(v[places[at : at + CHUNK]]) for v in x))
        for at in range(0, last, CHUNK)
    ]
    logits, pixels = (np.concatenate(leaf)[: len(rows)] for leaf in zip(*parts, strict=True))
    return _sigmoid(logits), _enlarged(_sigmoid(pixels), study.part(lab, which).side)


@nnx.jit
def _logits(net: Net, x: tuple[Array, ...]) -> MultiTask:
    return net(x)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """In float64: in float32 sure pixels are all equal to one, and no threshold parts them."""
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def _enlarged(pixels: np.ndarray, side: tuple[int, int]) -> np.ndarray:
    step = side[0] // pixels.shape[1]
    return np.repeat(np.repeat(pixels[..., 0], step, axis=1), step, axis=2)


def _fresh(lab: Lab, which: Which, seed: int) -> Net:
    return Net(*_plan(lab, which), rngs=nnx.Rngs(study.key(lab, seed)))


@lru_cache(maxsize=2)
def _template(channels: tuple[int, ...], shape: Shape, size: tuple[int, int]) -> Net:
    return Net(channels, shape, size, rngs=nnx.Rngs(0))


def _plan(lab: Lab, which: Which) -> tuple[tuple[int, ...], Shape, tuple[int, int]]:
    """Arguments of the set's network."""
    channels = tuple(level.shape[-1] for level in entering(lab.data, which))
    return channels, _shape(lab, which), _size(lab, which)


def _shape(lab: Lab, which: Which) -> Shape:
    return PRETRAINED if study.part(lab, which).pretrained else SCRATCH
