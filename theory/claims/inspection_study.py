"""The study behind the claims on inspection: three sets, one protocol, one plain classifier.

Protocol, for every seed:

1. The pieces of material of each set (magnetic tiles, solar cells, drawn tiles) are dealt into
   five folds with equal shares of every kind; seed `i` tests on fold `i`, so that five seeds test
   every picture once. 15 % of the other pieces are for choosing, the rest is learned from, cut to
   the budget's share of the data.
2. Every training takes as many steps as any other one, whatever the share of the data: fewer
   pictures come more often. Each comes in four flips (rows, columns, both, none).
3. Thresholds, epochs and options of maps are chosen by `Fold.choose`, test pictures are judged by
   `Fold.judge`, which refuse what would be a leak.

How others build on it::

    fold = study.fold(lab, "tiles", seed)
    net = study.baseline(lab, "tiles", seed)
    found = fold.judge(lambda rows: study.logits(lab, "tiles", net, rows))
    study.scores(found, study.part(lab, "tiles").labels[fold.test])["ap"]

Trained weights are recalled under names that depend on what was trained only: claims of different
papers share the plain classifier.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

import neurons as nr
from neurons.backbones.defect import StagedNet
from neurons.explain.metrics import auc, pixel_ap
from neurons.inspection.protocol import Fold, Protocol
from theory.claims import inspection_study_networks as networks
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.inspection_study_networks import FLIPS, Part, Set
from theory.claims.inspection_study_networks import SETS as SETS
from theory.claims.inspection_study_networks import STAGES as STAGES
from theory.claims.localisation_study_detectors import LINEAR, TwoSided, adam
from theory.claims.packed_weights import packed, restored

FOLDS, VALIDATION = 5, 0.15
STEPS, LEAST_STEPS, BATCH, RATE = 1000, 20, 32, 3e-3
BINS = 10  # of confidence, for the calibration error

Loss = Callable[[Any, Any], Array]


class Lesson(NamedTuple):
    """What is learned from, every picture in four flips.

    Args:
        x: `(examples, ...)` what enters the trained stages.
        y: `(examples,)` int32 labels.
        rows: `(examples,)` the picture's number in its part.
        flips: `(examples,)` the flip's number in `FLIPS`.
    """

    x: Array
    y: Array
    rows: np.ndarray
    flips: np.ndarray


def part(lab: Lab, which: Set) -> Part:
    """One of the lab's sets: pictures, labels, masks, and what enters the trained stages."""
    return networks.part(lab.data, which)


def fold(lab: Lab, which: Set, seed: int, fraction: float = 1.0) -> Fold:
    """The seed's division; a new object at every call, with nothing chosen or judged yet.

    Args:
        lab: budget, key and data.
        which: "tiles", "cells" or "drawn".
        seed: seeds beyond the fifth begin another round of folds.
        fraction: of the budget's share of the training pieces, in (0, 1].
    """
    turn, number = divmod(seed, FOLDS)
    return _whole_fold(part(lab, which), _start(lab) + turn, number).fraction(
        lab.budget.data * fraction
    )


def _start(lab: Lab) -> int:
    return int(numpy_generator(lab, 0).integers(2**30))


@lru_cache(maxsize=64)
def _whole_fold(known: Part, start: int, number: int) -> Fold:
    """A fold to be copied; nothing is chosen or judged on this one."""
    return _protocol(known, start).fold(number)


@lru_cache(maxsize=16)
def _protocol(known: Part, start: int) -> Protocol:
    labels = known.labels.tolist()
    return Protocol(labels, known.kinds, known.parts, FOLDS, start, VALIDATION)


def build(lab: Lab, which: Set, seed: int) -> StagedNet:
    """A fresh network on `part(lab, which).entered`, logits `(batch, 2)`, the defect's second.

    Its last stage is "stage4"; `net.features(x, stage)` and `net.head` work on what enters.
    """
    return networks.build(lab.data, which, rngs=nnx.Rngs(key(lab, seed)))


def key(lab: Lab, seed: int) -> Array:
    """The seed's key, for parameters and the order of batches."""
    return jax.random.fold_in(lab.key, 100 + seed)


def whole(lab: Lab, which: Set, net: StagedNet) -> StagedNet:
    """The network from pictures: for gradients at the input, and for maps of the frozen stages.

    Pictures enter as `neurons.backbones.defect.preprocess` gives them.
    """
    return networks.whole(lab.data, which, net)


def explained(lab: Lab, which: Set, net: StagedNet) -> TwoSided:
    """As :func:`whole`, the signed activations of frozen stages given as two positive parts."""
    signed = LINEAR if part(lab, which).pretrained else ()
    return TwoSided(whole(lab, which, net), signed)


def lesson(lab: Lab, which: Set, seed: int, fraction: float = 1.0, rows: Any = None) -> Lesson:
    """What the seed learns from: as many examples for every seed and fraction.

    Args:
        lab: budget, key and data.
        which: the part.
        seed: the seed.
        fraction: of the training pieces.
        rows: other rows of the part to learn from, refused if they touch the test.

    Raises:
        LeakError: for rows that touch the test.
    """
    own = fold(lab, which, seed, fraction)
    chosen = own.train if rows is None else own.allowed(rows, "learning")
    # Fewer pictures are repeated: all runs share one shape, one compilation, one number of steps.
    chosen = np.resize(numpy_generator(lab, 1, seed).permutation(chosen), _count(lab, which))
    known = part(lab, which)
    flips = np.repeat(np.arange(len(FLIPS)), len(chosen))
    places = np.tile(chosen, len(FLIPS))
    x = known.entered[flips, places]
    return Lesson(jnp.asarray(x), jnp.asarray(known.labels[places]), places, flips)


def _count(lab: Lab, which: Set) -> int:
    """How many pictures every lesson holds, repeated ones included."""
    return _largest(part(lab, which), _start(lab), lab.budget.data)


@lru_cache(maxsize=16)
def _largest(known: Part, start: int, share: float) -> int:
    cut = [_whole_fold(known, start, number).fraction(share) for number in range(FOLDS)]
    return max(BATCH, *(len(one.train) for one in cut))


def flipped(values: np.ndarray, taught: Lesson) -> Array:
    """What is known by picture and pixel, for every example of a lesson.

    Args:
        values: `(pictures of the part, rows, columns, ...)`, of any resolution: masks, maps.
        taught: whose flips are applied.
    """
    chosen = np.empty((len(taught.rows), *values.shape[1:]), values.dtype)
    for number, (down, right) in enumerate(FLIPS):
        where = taught.flips == number
        chosen[where] = values[taught.rows[where]][:, ::down, ::right]
    return jnp.asarray(chosen)


def train(
    lab: Lab,
    which: Set,
    seed: int,
    *,
    loss: Loss = nr.cross_entropy,
    extra: Any = None,
    epochs: int | None = None,
    fraction: float = 1.0,
    net: Any = None,
    taught: Lesson | None = None,
    held_out: Any = None,
) -> Any:
    """Train a network on the seed's lesson.

    Args:
        lab: budget, key and data.
        which: the part.
        seed: the seed.
        loss: `loss(model, (x, y))`, or `loss(model, (x, y, extra))` where there is any; a function
            of a module shares its compilation with other runs, a closure does not.
        extra: pytree of arrays, one row for every example of `taught`.
        epochs: passes over the lesson; as many as the budget's steps make by default, see
            :func:`epochs_of`.
        fraction: of the training pieces.
        net: what is trained, a fresh :func:`build` by default.
        taught: the lesson; :func:`lesson` by default.
        held_out: rows of the part; the epoch with the least loss on them is chosen. By default
            it is the last one. Not with `extra`.

    Returns:
        The trained network, in evaluation mode.

    Raises:
        LeakError: for held-out rows that touch the test.
    """
    validation = None if held_out is None else _held_out(lab, which, seed, held_out)
    taught = lesson(lab, which, seed, fraction) if taught is None else taught
    passes = epochs_of(lab, which) if epochs is None else epochs
    data = (taught.x, taught.y) if extra is None else (taught.x, taught.y, extra)
    batches = nr.Batches(data, BATCH, passes)
    net = build(lab, which, seed) if net is None else net
    return nr.fit(
        net,
        loss,
        adam(batches.steps, RATE),
        batches,
        key=key(lab, seed),
        validation=validation,
        select="last" if validation is None else "best",
    ).model


def _held_out(lab: Lab, which: Set, seed: int, rows: Any) -> tuple[Array, Array]:
    """Pictures as they are and their labels, to choose an epoch on."""
    allowed, known = fold(lab, which, seed).allowed(rows, "choosing an epoch"), part(lab, which)
    return jnp.asarray(known.entered[0, allowed]), jnp.asarray(known.labels[allowed])


def epochs_of(lab: Lab, which: Set) -> int:
    """Passes over a lesson that make the budget's number of steps."""
    steps = max(LEAST_STEPS, round(STEPS * lab.budget.effort))
    return max(1, round(steps / (len(FLIPS) * _count(lab, which) // BATCH)))


def recalled(lab: Lab, name: str, which: Set, seed: int, make: Callable[[], Any]) -> Any:
    """A trained network of :func:`build`'s form, its weights recalled or made.

    Args:
        lab: where weights are remembered.
        name: of the way it was trained, with every option that matters.
        which: the part.
        seed: the seed.
        make: trains it.
    """
    full = f"{lab.data.name}, inspection, {name}, {which}, {seed}"
    stored = lab.recall(full, lambda: {"weights": packed(make())})
    net = restored(build(lab, which, seed), stored["weights"])
    net.eval()
    return net


def baseline(lab: Lab, which: Set, seed: int, fraction: float = 1.0) -> StagedNet:
    """The seed's plain classifier, recalled or trained by cross-entropy."""
    make = partial(train, lab, which, seed, fraction=fraction)
    return recalled(lab, f"plain, {fraction:g} of the data", which, seed, make)


def logits(lab: Lab, which: Set, net: Any, rows: Any) -> np.ndarray:
    """What a network on `part.entered` answers to pictures as they are, `(rows, 2)`.

    A network that answers with a pytree gives the pytree, its leaves with rows first.
    """
    return networks.outputs(net, part(lab, which).entered[0, np.asarray(rows)])


def scores(answers: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """How well a classifier tells defective pictures, from 0 to 1.

    Args:
        answers: logits `(pictures, 2)`, or a single logit `(pictures,)`.
        labels: `(pictures,)` 1 for a defective one.

    Returns:
        "accuracy"; "ap", the defect's average precision; "auc" of the ROC; "f1" of the defect;
        "ece", the expected calibration error over ten bins of confidence. NaN where it is
        undefined: "ap" without a defective picture, "auc" without one of either label, "f1"
        without a defective picture that is there or called.
    """
    evidence, truth = margin(answers), np.asarray(labels).astype(bool)
    called = evidence > 0
    hits, claims = int((called & truth).sum()), int(called.sum() + truth.sum())
    return {
        "accuracy": float((called == truth).mean()),
        "ap": float(pixel_ap(evidence[None], truth[None])[0]),
        "auc": float(auc(evidence[None], truth[None])[0]),
        "f1": 2 * hits / claims if claims else float("nan"),
        "ece": _calibration_error(evidence, truth),
    }


def margin(answers: np.ndarray) -> np.ndarray:
    """The evidence for a defect, `z_1 - z_0` of two logits; a single logit as it is."""
    answers = np.asarray(answers, np.float64)
    return answers[:, 1] - answers[:, 0] if answers.ndim == 2 else answers


def _calibration_error(evidence: np.ndarray, truth: np.ndarray) -> float:
    """Mean over pictures of how far the hits of their bin are from its confidence."""
    confidence = 1 / (1 + np.exp(-abs(evidence)))  # of the called label, from one half up
    right = (evidence > 0) == truth
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, confidence - right, BINS)
    return float(abs(gaps).sum() / len(truth))
