"""What the claims on training with a prior measure: every arm on every set, seed and share of data.

Protocol, on top of that of `inspection_study`, for every seed and set:

1. The first network is the study's plain classifier; a second one of the same form starts afresh
   and is trained by an arm of `neurons.inspection.prior_arms` on the same pictures, in the same
   order, for the same number of steps. Priors are the first network's own maps of each flip:
   Grad-CAM of the labelled class after the last stage, of defective pictures, found or not.
2. Every training that hands something over chooses its term from two, by the average precision on
   the pictures for choosing: arms that hand over maps from mean squares and four times the
   Kullback-Leibler divergence, the others from their own and four times as much. (Which two was
   settled by us after a look at pictures for choosing, of three seeds' tiles, and after a first
   construction, with the maps' size held fixed for derivatives and mean squares alone, had lost
   on test pictures of three seeds; all arms with maps have the same two.) All arms but the method
   are trained at a tenth of the data only.
3. Test pictures are judged once by every trained network: accuracy, average precision, calibration
   error; the same of the pictures learned from; and, where there are masks, the map of the defect's
   logit of every defective test picture.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

import neurons as nr
from neurons.explain import cam
from neurons.explain import metrics as judge
from neurons.inspection.fold import Fold
from neurons.inspection.knowledge import KnowledgeLoss, Pupil
from neurons.inspection.prior_arms import ARMS, KNOWLEDGE, PLAIN, Ensemble, Extras
from neurons.inspection.prior_maps import Prior, prior_maps
from theory.claims import inspection_study as study
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.inspection_study import Lesson
from theory.claims.inspection_study_networks import Set
from theory.claims.localisation_study import random_map, small
from theory.claims.side_by_side import Pieces, by_seed

Term = tuple[str, float]  # the distance of maps, and how many times its own weight a term has

BASELINE = "first network"
FRACTIONS = (0.1, 0.25, 0.5, 1.0)
CONTROLLED = 0.1  # where the controls are trained: there the method gains, if it does
FOR_MAPS: tuple[Term, ...] = (("mse", 1.0), ("kl", 4.0))
FOR_OTHERS: tuple[Term, ...] = (("own", 1.0), ("own", 4.0))
WARMUP = 0.1  # of the steps
SECOND = 10_000  # added to the seed of a second network's parameters
CHUNK = 40
DIGITS = 5
CERTAIN = 10.0  # the logit of an answer without doubt
REPEATS, TURNS = 9, 25  # of the measurement of seconds: its repetitions, runs of each of them
SCORES = ("accuracy", "ap", "auc", "ece")
MAPS = ("mass", "pointing", "entropy", "gini", "empty")


def outcome(
    lab: Lab, arm: str, which: Set, seed: int, fraction: float = CONTROLLED
) -> dict[str, Any]:
    """What a network trained by an arm reaches on the seed's test pictures, recalled or measured.

    Returns:
        "accuracy", "ap", "auc", "ece" on test pictures, 0 to 1; "train" and "entropies", the
        accuracy on the pictures learned from, and how far the cross-entropy on test pictures is
        above theirs, nats; "distance" and "strength" of the arm's term. Of the maps of defective
        test pictures with a mask, means over pictures: "mass" within the mask, "pointing" (share
        of highest points within it), "entropy" in nats, "gini", "empty" (share of maps of zeros),
        NaN without masks; "shown", for seed 0 of the tiles, maps by kind, for figures.
    """
    fraction = _same_pictures(lab, which, seed, fraction)
    name = f"{lab.data.name}, knowledge prior, {arm}, {fraction:g} of the data, {which}, {seed}"
    return dict(lab.recall(name, partial(_outcome, lab, arm, which, seed, fraction)))


def pieces(lab: Lab) -> Pieces:
    """The outcomes of each set and seed, which need no others, as functions that keep them."""
    return by_seed(lab, _piece, study.SETS)


def _piece(lab: Lab, which: Set, seed: int) -> None:
    for fraction in FRACTIONS:
        for arm in (BASELINE, KNOWLEDGE):
            outcome(lab, arm, which, seed, fraction)
    for arm in taught_arms(lab, which):
        outcome(lab, arm, which, seed)


def _same_pictures(lab: Lab, which: Set, seed: int, fraction: float) -> float:
    """The first share that keeps the same pictures: of few, several shares keep the same ones."""
    kept = study.fold(lab, which, seed, fraction).train
    shares = (CONTROLLED, *FRACTIONS)
    return next(f for f in shares if np.array_equal(study.fold(lab, which, seed, f).train, kept))


def _outcome(lab: Lab, arm: str, which: Set, seed: int, fraction: float) -> dict[str, Any]:
    fold = study.fold(lab, which, seed, fraction)
    (distance, times), net = _chosen(lab, arm, which, seed, fraction, fold)
    if (arm, seed, fraction) == (KNOWLEDGE, 0, CONTROLLED):
        _in_use(lab, arm, which, net)
    known = _judged(lab, which, net, fold.train)
    found = fold.judge(partial(_judged, lab, which, net))
    record: dict[str, Any] = {"distance": distance, "strength": times}
    record |= {name: found[name] for name in SCORES}
    record |= {"train": known["accuracy"], "entropies": found["entropy"] - known["entropy"]}
    looked = fold.test[_marked(lab, which, fold.test)]
    if arm == "ensemble" or not len(looked):
        return _rounded(record | dict.fromkeys(MAPS, float("nan")))
    seen = maps(lab, which, net, looked)
    record |= looks(seen, _masks(lab, which, looked))
    if (which, seed) == ("tiles", 0):
        places = {kind: looked.tolist().index(row) for kind, row in shown(lab).items()}
        return _rounded(record) | {"shown": {kind: small(seen[at]) for kind, at in places.items()}}
    return _rounded(record)


def _rounded(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str) else round(float(value), DIGITS)
        for name, value in record.items()
    }


def _chosen(
    lab: Lab, arm: str, which: Set, seed: int, fraction: float, fold: Fold
) -> tuple[Term, Any]:
    """The term of an arm, and the network trained with it."""
    if not _hands_over(arm):
        return ("none", 0.0), _untaught(lab, arm, which, seed, fraction)
    terms = FOR_MAPS if _looks_at_maps(arm) else FOR_OTHERS
    nets = {term: _trained(lab, arm, which, seed, fraction, term) for term in terms}
    labels = study.part(lab, which).labels

    def precision(term: Term, rows: np.ndarray) -> float:
        return study.scores(study.logits(lab, which, nets[term], rows), labels[rows])["ap"]

    term = fold.choose("term", terms, precision)
    return term, nets[term]


def _untaught(lab: Lab, arm: str, which: Set, seed: int, fraction: float) -> Any:
    """The network of an arm that hands nothing over."""
    if arm == BASELINE:
        return study.baseline(lab, which, seed, fraction)
    if arm == PLAIN:
        return _plain(lab, which, seed)
    if arm == "ensemble":
        both = Ensemble(study.baseline(lab, which, seed, fraction), _plain(lab, which, seed))
        both.eval()
        return both
    return _trained(lab, arm, which, seed, fraction)


def _plain(lab: Lab, which: Set, seed: int) -> Any:
    """The second network without a prior; it is used alone and beside the first."""
    make = partial(_trained, lab, PLAIN, which, seed, CONTROLLED)
    return study.recalled(lab, "second network, no prior", which, seed, make)


def _trained(
    lab: Lab, arm: str, which: Set, seed: int, fraction: float, term: Term = ("none", 0.0)
) -> Any:
    """A second network of the seed after its training by an arm."""
    taught = study.lesson(lab, which, seed, fraction)
    net = study.build(lab, which, SECOND + seed)
    epochs = ARMS[arm].epochs * study.epochs_of(lab, which)
    run = partial(study.train, lab, which, seed, epochs=epochs, taught=taught)
    if not _hands_over(arm):
        return run(net=net)
    first = study.baseline(lab, which, seed, fraction)
    steps = epochs * (len(taught.y) // study.BATCH)
    prior = prior_of(lab, arm, which, seed, first, taught)
    pupil = Pupil(net, warmup=round(WARMUP * steps))
    loss, (distance, times) = ARMS[arm].loss, term
    if isinstance(loss, KnowledgeLoss) and distance != "own":
        loss = replace(loss, distance=distance)
    # The strength is a value of the data: runs of another strength share a compiled step.
    prior = prior._replace(weight=prior.weight * times)
    return run(net=pupil, loss=loss, extra=prior).net


def prior_of(lab: Lab, arm: str, which: Set, seed: int, first: Any, taught: Lesson) -> Prior:
    """What an arm hands over for every example of a lesson."""
    prior = prior_maps(first, taught.x, taught.y, ARMS[arm].loss.rule)
    masks = study.part(lab, which).masks
    moved = None if masks is None else study.flipped(masks, taught)
    key = jax.random.fold_in(study.key(lab, seed), 1)
    return ARMS[arm].change(prior, key, Extras(moved, taught.rows))


def _hands_over(arm: str) -> bool:
    return arm in ARMS and ARMS[arm].loss.weight > 0


def _looks_at_maps(arm: str) -> bool:
    """Whether an arm hands over maps of classes: not attention, whose distance is its own."""
    loss = ARMS[arm].loss
    return isinstance(loss, KnowledgeLoss) and loss.rule.method != "attention"


def taught_arms(lab: Lab, which: Set) -> tuple[str, ...]:
    """Arms that a set can be taught by: masks only where there are masks."""
    masked = study.part(lab, which).masks is not None
    return tuple(arm for arm in ARMS if arm != "random blobs" and (masked or arm != "true mask"))


def _judged(lab: Lab, which: Set, net: Any, rows: np.ndarray) -> dict[str, float]:
    """Scores of pictures as they are, and their mean cross-entropy."""
    answers = study.logits(lab, which, net, rows)
    labels = study.part(lab, which).labels[rows]
    evidence = study.margin(answers) * np.where(labels == 1, 1, -1)
    return study.scores(answers, labels) | {"entropy": np.logaddexp(0, -evidence).mean()}


def _masks(lab: Lab, which: Set, rows: np.ndarray) -> np.ndarray:
    """Of pictures; empty ones of a set without masks."""
    known = study.part(lab, which)
    return np.zeros((len(rows), *known.side), bool) if known.masks is None else known.masks[rows]


def _marked(lab: Lab, which: Set, rows: np.ndarray) -> np.ndarray:
    return np.asarray(_masks(lab, which, rows).any(axis=(1, 2)))


def maps(lab: Lab, which: Set, net: Any, rows: np.ndarray) -> np.ndarray:
    """Finished maps of the defect's logit, `(rows, height, width)` in [0, 1]."""
    known = study.part(lab, which)
    padded = np.resize(rows, -(-len(rows) // CHUNK) * CHUNK)
    parts = [
        cam(net, jnp.asarray(known.entered[0, some]), 1, size=known.side)
        for some in padded.reshape(-1, CHUNK)
    ]
    return np.concatenate(parts)[: len(rows)]


def looks(found: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """How much of the maps is where the defects are, and how concentrated they are."""
    empty = found.max(axis=(1, 2)) == 0
    return {
        # An empty map has no relevance where the defect is, and is not concentrated on anything.
        "mass": float(np.where(empty, 0, judge.relevance_mass(found, masks)).mean()),
        "pointing": float(np.where(empty, 0, judge.pointing_game(found, masks)).mean()),
        "entropy": float(np.where(empty, np.log(found[0].size), judge.complexity(found)).mean()),
        "gini": float(np.where(empty, 0, judge.sparseness(found)).mean()),
        "empty": float(empty.mean()),
    }


def pretended(lab: Lab, which: Set, seed: int, right: bool) -> dict[str, Any]:
    """What a fault puts in the place of an arm's outcome: certain answers, right or by chance.

    Pictures learned from are answered right either way; maps are the masks, or smooth noise.
    """
    name = f"{lab.data.name}, knowledge prior, pretended, {right}, {which}, {seed}"
    return dict(lab.recall(name, partial(_pretended, lab, which, seed, right)))


def _pretended(lab: Lab, which: Set, seed: int, right: bool) -> dict[str, Any]:
    known, rows = study.part(lab, which), study.fold(lab, which, seed).test
    random, truth = numpy_generator(lab, 5, seed), known.labels[rows]
    said = truth if right else random.integers(0, 2, len(truth))
    answers = CERTAIN * (2.0 * said - 1)
    found = study.scores(answers, truth)
    record: dict[str, Any] = {name: found[name] for name in SCORES} | {"train": 1.0}
    record["entropies"] = float(np.logaddexp(0, np.where(said == truth, -1, 1) * CERTAIN).mean())
    looked = rows[_marked(lab, which, rows)]
    if not len(looked):
        return _rounded(record | dict.fromkeys(MAPS, float("nan")))
    masks = _masks(lab, which, looked)
    seen = masks.astype(float) if right else random_map(known.images[looked], random)
    least = seen.min(axis=(1, 2), keepdims=True)
    return _rounded(record | looks(np.asarray(seen - least, np.float32), masks))


def costs(lab: Lab, which: Set, arm: str) -> dict[str, int]:
    """What the network in use costs after an arm: parameters, multiplications of one picture."""
    name = f"{lab.data.name}, knowledge prior, costs, {arm}, {which}"
    return dict(lab.recall(name, partial(_costs, lab, which, arm)))


def _in_use(lab: Lab, arm: str, which: Set, net: Any = None) -> Any:
    """The first seed's network after an arm; kept, that of the method is not trained again."""

    def make() -> Any:
        fold = study.fold(lab, which, 0, CONTROLLED)
        return _chosen(lab, arm, which, 0, CONTROLLED, fold)[1] if net is None else net

    if not _hands_over(arm):
        return _untaught(lab, arm, which, 0, CONTROLLED)
    return study.recalled(lab, f"{arm}, in use", which, 0, make)


def _costs(lab: Lab, which: Set, arm: str) -> dict[str, int]:
    net = _in_use(lab, arm, which)
    one = jnp.asarray(study.part(lab, which).entered[0, :1])
    return {"parameters": nr.parameters(net), "multiplications": nr.multiplications(net, one)}


def seconds(lab: Lab, which: Set, arms: Sequence[str]) -> list[dict[str, float]]:
    """Seconds for a batch through the network in use, by repetition and arm, taking turns."""
    name = f"{lab.data.name}, knowledge prior, seconds, {', '.join(arms)}, {which}"
    return list(lab.recall(name, partial(_seconds, lab, which, arms)))


def _seconds(lab: Lab, which: Set, arms: Sequence[str]) -> list[dict[str, float]]:
    nets = {arm: _in_use(lab, arm, which) for arm in arms}
    x = jnp.asarray(study.part(lab, which).entered[0, :CHUNK])
    runs = {arm: partial(_run, *nnx.split(net), x) for arm, net in nets.items()}
    for run in runs.values():
        run()
    return [
        {arm: min(_timed(run) for _ in range(TURNS)) for arm, run in runs.items()}
        for _ in range(REPEATS)
    ]


@partial(jax.jit, static_argnums=0)
def _forward(graph: Any, state: Any, x: Array) -> Array:
    return nnx.merge(graph, state)(x)


def _run(graph: Any, state: Any, x: Array) -> None:
    _forward(graph, state, x).block_until_ready()


def _timed(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def shown(lab: Lab) -> dict[str, int]:
    """By kind of defect the first test tile of seed 0."""
    test = study.fold(lab, "tiles", 0).test
    marked = test[_marked(lab, "tiles", test)].tolist()
    kinds = [study.part(lab, "tiles").kinds[row] for row in marked]
    return {kind: marked[kinds.index(kind)] for kind in sorted(set(kinds))}


def sheet(lab: Lab, arms: Sequence[str]) -> dict[str, Any]:
    """These tiles, their masks, and what networks trained by arms look at, small, for figures."""
    known, rows = study.part(lab, "tiles"), shown(lab)
    marked = _masks(lab, "tiles", np.array(list(rows.values()))).astype(float)
    return {
        "images": {kind: small(known.images[row]) for kind, row in rows.items()},
        "masks": dict(zip(rows, map(small, marked), strict=True)),
        "maps": {arm: outcome(lab, arm, "tiles", 0)["shown"] for arm in arms},
    }
