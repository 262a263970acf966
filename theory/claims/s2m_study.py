"""The study behind the claims on S2M: arms that differ in text, one start, equal steps.

Pairs, division by place, turns and optimizer are those of `change_study`; the drawn pairs are cut
into tiles of 32 x 32 pixels. For every seed:

1. "stage 1": a network without a bank of sentences learns to segment (cross-entropy and Dice).
2. From it every two-stage arm goes on, for as many steps: "vision" without a bank, all others with
   the bank of all sentences of the vocabulary and the contrastive loss of weight 0.3, on the same
   examples in the same order. Arms differ in the texts they are told: true ones ("S2M"), a share of
   them wrong, a part of the quadruple left out, one direction of the loss, or none of it.
3. "one stage" begins with everything at once, for the steps of both stages.
4. All arms answer, from pictures alone, on the seed's test tiles. Nothing is chosen by them.

Texts are taken from the labels of the turned tiles. Steps are passes over what is learned from:
they grow with the budget's effort and with its data.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from neurons.backbones.change_detection.maps import change_loss
from neurons.backbones.change_detection.s2m import S2M, alignment_loss, reading
from neurons.backbones.change_detection.sentence_bank import SlotBank, Vocabulary, slot_rows
from neurons.backbones.dino import Shape
from neurons.data.scenes import corrupt, regions, slots, vocabulary
from theory.claims import change_gallery as gallery
from theory.claims import change_study as study
from theory.claims import s2m_answers as answers
from theory.claims import side_by_side
from theory.claims.change_study import Lesson
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator

SIDE, LEAST, MOST = 32, 8, 8  # pixels of a tile and of a region, regions of a tile
SHAPE = Shape(width=32, layers=2, heads=2, hidden=64, registers=0, patch=4)
WIDTH, HEADS = 32, 1
SHOWN = 5  # tiles in a figure
STEPS, LEAST_STEPS, FIRST = 2000, 8, 3  # of the second stage; the first takes FIRST times as many
RATE, WEIGHT = 4e-3, 0.3
STAGE1, VISION, OURS, ONE_STAGE = "stage 1", "vision", "S2M", "one stage"
NOISE: Mapping[str, float] = {OURS: 0.0, "25 % wrong": 0.25, "50 % wrong": 0.5, "all wrong": 1.0}


class Told(NamedTuple):
    """What the second stage is told of every region, and how much it counts.

    Args:
        wrong: share of the quadruples that are replaced by others.
        without: parts that are left out.
        weights: of the contrastive loss from regions to sentences, and back.
    """

    wrong: float = 0.0
    without: tuple[str, ...] = ()
    weights: tuple[float, float] = (WEIGHT / 2, WEIGHT / 2)


SLOTS_LEFT_OUT = {f"no {part}": (part,) for part in ("where", "what", "how", "how many")}
COARSE, NONE, FORTH, BACK = "coarse", "no contrast", "regions to text", "text to regions"
TEXTS: Mapping[str, Told] = {
    **{name: Told(wrong=share) for name, share in NOISE.items()},
    **{name: Told(without=parts) for name, parts in SLOTS_LEFT_OUT.items()},
    COARSE: Told(without=("where", "how", "how many")),
    FORTH: Told(weights=(WEIGHT, 0.0)),
    BACK: Told(weights=(0.0, WEIGHT)),
    NONE: Told(weights=(0.0, 0.0)),
}
ARMS = (STAGE1, VISION, *TEXTS, ONE_STAGE)


def outcome(lab: Lab, seed: int) -> dict[str, Any]:
    """What all arms reach on one seed's test tiles, recalled or computed.

    Returns:
        "scores": by arm, see `change_study.score`. "recall": of "stage 1" (as it enters the
        second), of "S2M" and of "no contrast", see :func:`answers.retrieval`. "leak": see
        :func:`answers.leak`. "examples": of the first seed, see `change_gallery.shown`.
    """
    name = f"{lab.data.name}, S2M outcome, {seed}"
    return dict(lab.recall(name, partial(_outcome, lab, seed)))


def pieces(lab: Lab) -> side_by_side.Pieces:
    """The outcomes of the seeds, which need no others, as functions that keep them."""
    return side_by_side.by_seed(lab, outcome)


def _outcome(lab: Lab, seed: int) -> dict[str, Any]:
    lab = study.tiled(lab, SIDE)
    nets = trained(lab, seed)
    rows = study.division(lab, seed).test
    test = study.pairs(lab).take(rows)
    found = {arm: study.decided(net, test) for arm, net in nets.items()}
    ids, codes = texts(test.labels, test.classes)
    numbers = spoken(test.classes).number(codes)
    start = second_stage(lab, seed, nets[STAGE1], test.classes)
    asked = {STAGE1: start, OURS: nets[OURS], NONE: nets[NONE]}
    drawn = gallery.chosen(test, np.arange(len(test)), SHOWN if seed == 0 else 0)
    maps = {arm: found[arm][drawn] for arm in (VISION, OURS)}
    return {
        "scores": {arm: study.scores(study.tally(one, test)) for arm, one in found.items()},
        "recall": {a: answers.retrieval(net, test, ids, numbers) for a, net in asked.items()},
        "leak": answers.leak(nets[OURS], test, numbers),
        "examples": gallery.shown(test, drawn, maps),
    }


def steps_of(lab: Lab) -> int:
    """Steps of the second stage."""
    return max(LEAST_STEPS, round(STEPS * lab.budget.effort * lab.budget.data))


def trained(lab: Lab, seed: int) -> dict[str, S2M]:
    """All arms of a seed, of a lab whose pairs are tiles."""
    steps, lesson = steps_of(lab), study.lesson(lab, seed)
    whole = texts(np.asarray(lesson.labels), study.pairs(lab).classes)
    run, classes = partial(_run, lab, seed, lesson, whole), study.pairs(lab).classes
    # Networks are built once and copied: drawing parameters takes as long as some dozen steps.
    seeing, reads = (
        partial(retold, study.build(lab, seed, partial(make, classes)), classes)
        for make in (vision, built)
    )
    nets = {STAGE1: run(STAGE1, Told(), FIRST * steps, make=seeing)}
    nets[VISION] = run(VISION, Told(), steps, make=seeing, start=nets[STAGE1])
    second = second_stage(lab, seed, nets[STAGE1], classes)
    for name, told in TEXTS.items():
        make, start = (partial(f, told.without) for f in (reads, partial(retold, second, classes)))
        nets[name] = run(name, told, steps, make=make, start=start)
    nets[ONE_STAGE] = run(ONE_STAGE, TEXTS[OURS], (1 + FIRST) * steps, make=reads)
    return nets


def _run(
    lab: Lab,
    seed: int,
    lesson: Lesson,
    whole: tuple[np.ndarray, np.ndarray],
    name: str,
    told: Told,
    steps: int,
    **options: Any,
) -> S2M:
    """An arm, its weights recalled or learned."""
    rows = examples_of(len(lesson.rows), steps)
    before, after, labels, pairs, turns = lesson
    cut = Lesson(before[rows], after[rows], labels[rows], pairs[rows], turns[rows])
    ids, codes = (part[rows] for part in whole)

    def extra(_: Lesson) -> tuple[Array, Array, Array]:
        classes = study.pairs(lab).classes
        said = wrongly(codes, told.wrong, classes, numpy_generator(lab, 3, seed))
        numbers = spoken(classes, told.without).number(said)
        numbers = np.where(codes[..., 0] < 0, -1, numbers).astype(np.int32)
        weights = np.tile(np.asarray(told.weights, np.float32), (len(ids), 1))
        return jnp.asarray(ids), jnp.asarray(numbers), jnp.asarray(weights)

    net: S2M = study.train(
        lab, f"S2M, {name}", seed, loss=loss, steps=steps, taught=cut, extra=extra, rate=RATE,
        **options,
    )  # fmt: skip
    return net


def examples_of(count: int, steps: int) -> np.ndarray:
    """Rows whose passes are exactly so many steps: the fewest passes that the rows suffice for."""
    passes = -(-steps * study.BATCH // count)
    while steps % passes:
        passes += 1
    return np.arange(steps // passes * study.BATCH)


def loss(net: S2M, batch: Any) -> Array:
    """Cross-entropy and Dice; of a network with a bank the weighted contrastive losses, too."""
    before, after, labels, (ids, numbers, weights) = batch
    tokens = net.tokens(before, after)
    logits = net.answer(tokens, before, after)
    seen = change_loss(logits, labels, focal=0, lovasz=0, dice=1, cross_entropy=1)
    if net.bank is None:
        return seen
    align = partial(alignment_loss, net, tokens, ids, numbers)
    # Weights are data: arms that differ in nothing else share one compiled program.
    return seen + weights[0, 0] * align(directions="v2t") + weights[0, 1] * align(directions="t2v")


def vision(classes: tuple[str, ...], *, rngs: nnx.Rngs) -> S2M:
    """A network without a bank."""
    return S2M(len(classes), SHAPE, None, width=WIDTH, heads=HEADS, rngs=rngs)


def built(classes: tuple[str, ...], *, rngs: nnx.Rngs) -> S2M:
    """A network with the bank of all sentences."""
    bank = SlotBank(spoken(classes), WIDTH, rngs=rngs)
    return S2M(len(classes), SHAPE, bank, width=WIDTH, heads=HEADS, rngs=rngs)


def second_stage(lab: Lab, seed: int, first: S2M, classes: tuple[str, ...]) -> S2M:
    """How the second stage begins: with what the first learned, and a new bank."""
    rngs = nnx.Rngs(study.key(lab, seed))
    return reading(first, SlotBank(spoken(classes), WIDTH, rngs=rngs), rngs=rngs)


def retold(
    net: S2M, classes: tuple[str, ...], without: tuple[str, ...] = (), *, rngs: Any = None
) -> S2M:
    """A copy of a network, parts of the quadruple left out of its bank.

    Args:
        net: with a bank of slots, or without any.
        classes: of its vocabulary.
        without: parts that have no vector any more.
        rngs: not used; nothing is drawn.
    """
    made = nnx.clone(net)
    if without and isinstance(made.bank, SlotBank):
        made.bank.rows[...] = jnp.asarray(slot_rows(spoken(classes, without)))
    return made


@lru_cache(maxsize=16)
def spoken(classes: tuple[str, ...], without: tuple[str, ...] = ()) -> Vocabulary:
    """The vocabulary of some classes, a row for every sentence whatever is left out."""
    return Vocabulary([slots(one, classes) for one in vocabulary(classes)], without)


def texts(labels: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The regions of maps, and what is said of them.

    Args:
        labels: `(pairs, 2, height, width)` classes of both dates; pictures are not needed.
        classes: their names.

    Returns:
        `(pairs, height, width)` int8, 0 for none, the region's number from 1 elsewhere; and
        `(pairs, MOST, 5)` slots of the regions, -1 where there is none. The largest regions, if
        there are more than `MOST`.
    """
    ids = np.zeros((len(labels), *labels.shape[2:]), np.int8)
    codes = np.full((len(labels), MOST, 5), -1)
    for place, (before, after) in enumerate(labels):
        found = regions(before, after, classes, least=LEAST)
        largest = sorted(found, key=lambda region: -region.mask.sum())[:MOST]
        for number, region in enumerate(largest):
            ids[place][region.mask] = number + 1
            codes[place, number] = slots(region.quadruple, classes)
    return ids, codes


def wrongly(
    codes: np.ndarray, share: float, classes: tuple[str, ...], random: np.random.Generator
) -> np.ndarray:
    """Slots of which a share is those of another sentence; where there is none, there is none."""
    there = codes[..., 0] >= 0
    bank = vocabulary(classes)
    true = [bank[number] for number in spoken(classes).number(codes[there])]
    said = corrupt(true, share, random, classes)
    found = codes.copy()
    if true:
        found[there] = [slots(one, classes) for one in said]
    return found
