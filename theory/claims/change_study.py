"""The study behind the claims on change detection: one division by place, one way to train.

Protocol, for every seed:

1. The places of the drawn pairs are dealt into five folds; seed `i` tests on fold `i`, so that five
   seeds test every pair once. A tenth of the other places is held out for choosing, the rest is
   learned from, cut to the budget's share of the data. No place lies in two parts.
2. Every network takes as many steps as any other one, whatever the share of the data: fewer pairs
   come more often. Each comes turned, mirrored, and with its dates exchanged, labels with them;
   what is drawn depends on the seed alone, so that networks are compared on the same examples in
   the same order.
3. Thresholds, epochs and options are never chosen on test pairs.

How others build on it::

    net = study.train(lab, "name with every option", seed, make, loss=loss)
    study.score(lab, net, study.division(lab, seed).test)["sek"]

`make(rngs=...)` builds the network; weights are recalled under the name, seed, share and steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

import neurons as nr
from neurons.backbones.change_detection import ChangeLogits, Tally, change_loss
from neurons.data import Scenes
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.inspection_study_networks import in_chunks
from theory.claims.packed_weights import packed, restored

FOLDS, HELD_OUT = 5, 0.1
STEPS, LEAST_STEPS, BATCH = 1500, 20, 8
# Against 2e-3 on drawn places that no claim uses, after a glance at one seed's test scores.
RATE = 5e-3
COPIES = 4  # of each pair in a lesson, turned differently
CHUNK = 32  # pairs at once
TURNS = 16  # row flip, column flip, transposition and exchange of dates, each done or not
SCORES = ("oa", "miou", "sek", "f_scd", "score")

Loss = Callable[[Any, Any], Array]
Make = Callable[..., Any]


def tiled(lab: Lab, side: int) -> Lab:
    """The lab with its drawn pairs cut into squares of a smaller side, pixels."""
    return replace(lab, data=replace(lab.data, drawn=_tiles(lab.data.drawn, side)))


@lru_cache(maxsize=4)
def _tiles(scenes: Scenes, side: int) -> Scenes:
    return scenes.cut(side) if scenes.before.shape[1] > side else scenes


class Division(NamedTuple):
    """Numbers of a seed's pairs; no place lies in two of the three parts.

    Args:
        train: to learn from.
        held_out: for choices.
        test: a fifth, another one for every seed up to five.
    """

    train: np.ndarray
    held_out: np.ndarray
    test: np.ndarray


class Lesson(NamedTuple):
    """What is learned from, a row for every example.

    Args:
        before: `(examples, height, width, 3)` colours in [0, 1].
        after: the same at the second date.
        labels: `(examples, 2, height, width)` int32 classes of both dates, 0 for unchanged.
        rows: `(examples,)` the pair's number in the set.
        turns: `(examples,)` how it was turned, see :func:`turned`.
    """

    before: Array
    after: Array
    labels: Array
    rows: np.ndarray
    turns: np.ndarray


def pairs(lab: Lab) -> Scenes:
    """The drawn pairs of the lab's set."""
    found: Scenes = lab.data.drawn
    return found


def division(lab: Lab, seed: int, fraction: float = 1.0) -> Division:
    """The seed's pairs.

    Args:
        lab: budget, key and data.
        seed: seeds beyond the fifth begin another round of folds.
        fraction: of the budget's share of the training places, in (0, 1]. A smaller one is part
            of a larger one.

    Raises:
        ValueError: for another fraction, or fewer places than folds.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction is {fraction}; allowed: above 0, up to 1")
    places = np.unique(pairs(lab).places)
    if len(places) < FOLDS:
        raise ValueError(f"{len(places)} places; needed: one for each of {FOLDS} folds")
    turn, number = divmod(seed, FOLDS)
    order = numpy_generator(lab, 0, turn).permutation(places)
    shares = np.array_split(order, FOLDS)
    rest = numpy_generator(lab, 1, seed).permutation(
        np.concatenate([share for place, share in enumerate(shares) if place != number])
    )
    held, learned = np.split(rest, [max(1, round(HELD_OUT * len(rest)))])
    kept = max(1, round(lab.budget.data * fraction * len(learned)))
    return Division(*(_rows(lab, part) for part in (learned[:kept], held, shares[number])))


def _rows(lab: Lab, places: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.isin(pairs(lab).places, places))


def lesson(lab: Lab, seed: int, fraction: float = 1.0) -> Lesson:
    """What the seed learns from: as many examples for every seed and fraction."""
    known, random = pairs(lab), numpy_generator(lab, 2, seed)
    chosen = random.permutation(division(lab, seed, fraction).train)
    rows = np.resize(chosen, COPIES * _count(lab))
    turns = random.integers(TURNS, size=len(rows))
    labels = known.labels[rows].astype(np.int32)
    before, after = turned(known.before[rows], known.after[rows], turns)
    first, second = turned(labels[:, 0], labels[:, 1], turns)
    stacked = jnp.asarray(np.stack([first, second], axis=1))
    return Lesson(jnp.asarray(before), jnp.asarray(after), stacked, rows, turns)


def _count(lab: Lab) -> int:
    """Pairs of a lesson, each in some copies: the same for all folds, which may differ by one."""
    return max(BATCH, *(len(division(lab, seed).train) for seed in range(FOLDS)))


def turned(
    before: np.ndarray, after: np.ndarray, turns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs as they are turned: pictures, or maps of them.

    Args:
        before: `(pairs, side, side, ...)` of the first date.
        after: of the second date.
        turns: numbers below :data:`TURNS`, one a pair, whose bits say: reverse rows, reverse
            columns, exchange rows and columns, exchange dates; in this order.

    Raises:
        ValueError: for pictures that are not square.
    """
    if before.shape[1] != before.shape[2]:
        raise ValueError(f"only square pictures are turned, got {before.shape[1:3]}")
    out = np.empty_like(before), np.empty_like(after)
    for turn in np.unique(turns):
        where = turns == turn
        dates = [_turned(date[where], int(turn)) for date in (before, after)]
        for target, date in zip(out, dates[::-1] if turn & 8 else dates, strict=True):
            target[where] = date
    return out


def _turned(values: np.ndarray, turn: int) -> np.ndarray:
    values = values[:, ::-1] if turn & 1 else values
    values = values[:, :, ::-1] if turn & 2 else values
    return values.swapaxes(1, 2) if turn & 4 else values


def three_losses(model: Any, batch: tuple[Any, ...]) -> Array:
    """Focal, Dice and Lovasz loss of a network's maps.

    Args:
        model: gives `ChangeLogits` of two maps, or of one, that of the second date.
        batch: before, after, labels; anything behind them is left alone.
    """
    answer, labels = _answered(model, batch)
    return change_loss(answer, labels)


def cross_entropy(model: Any, batch: tuple[Any, ...]) -> Array:
    """Cross-entropy of a network's maps, as :func:`three_losses`."""
    answer, labels = _answered(model, batch)
    return change_loss(answer, labels, focal=0, dice=0, lovasz=0, cross_entropy=1)


def _answered(model: Any, batch: tuple[Any, ...]) -> tuple[ChangeLogits, Array]:
    before, after, labels = batch[:3]
    answer = model(before, after)
    return answer, labels[:, -len(answer.maps) :]


def train(
    lab: Lab,
    name: str,
    seed: int,
    make: Make,
    *,
    fraction: float = 1.0,
    loss: Loss = three_losses,
    steps: int | None = None,
    start: Any = None,
    taught: Lesson | None = None,
    extra: Any = None,
    rate: float = RATE,
    batch: int = BATCH,
) -> Any:
    """A network trained on the seed's lesson, its weights recalled or made.

    Args:
        lab: budget, key, data, and where weights are remembered.
        name: of the way it is trained, with every option that matters and is not named here.
        seed: decides fold, start, and order of examples.
        make: `make(rngs=nnx.Rngs(key))` builds the network.
        fraction: of the training pairs.
        loss: `loss(model, (before, after, labels))`, or with `extra` behind; a function of a
            module shares its compilation with other runs, a closure does not.
        steps: of training; the budget's by default, see :func:`steps_of`.
        start: the network to go on from, or a function without arguments that gives it, of
            `make`'s form; a fresh one by default.
        taught: the lesson; :func:`lesson` by default.
        extra: pytree of arrays with a row for every example of the lesson, or a function from a
            lesson to one, called only where something is to be learned.
        rate: the largest rate of AdamW, which decays to zero.
        batch: pairs of a step, at most as many as the lesson has.

    Returns:
        The network in evaluation mode.
    """
    steps = steps_of(lab) if steps is None else steps
    how = f"{fraction:g} of the data, {steps} steps of {batch} at {rate:g}"
    full = f"{lab.data.name}, change, {name}, {seed}, {how}"

    def learned() -> dict[str, Any]:
        lessons = lesson(lab, seed, fraction) if taught is None else taught
        more = extra(lessons) if callable(extra) else extra
        data = lessons[:3] if more is None else (*lessons[:3], more)
        begin = start() if callable(start) and not isinstance(start, nnx.Module) else start
        begin = build(lab, seed, make) if begin is None else begin
        return {"weights": packed(_fitted(begin, loss, data, (steps, batch, rate), key(lab, seed)))}

    net = restored(build(lab, seed, make), lab.recall(full, learned)["weights"])
    net.eval()
    return net


def _fitted(net: Any, loss: Loss, data: Any, pace: tuple[int, int, float], order: Array) -> Any:
    steps, batch, rate = pace
    # No more steps than asked for: of a short training the lesson is cut, not the pace.
    per_epoch = min(steps, len(data[0]) // batch)
    shown = jax.tree.map(lambda leaf: leaf[: per_epoch * batch], data)
    batches = nr.Batches(shown, batch, max(1, round(steps / per_epoch)))
    return nr.fit(net, loss, adamw(batches.steps, rate), batches, key=order).model


@lru_cache
def adamw(steps: int, rate: float = RATE) -> optax.GradientTransformation:
    """AdamW whose rate decays to zero; one object for equal steps shares a compilation."""
    schedule = optax.warmup_cosine_decay_schedule(0.0, rate, max(1, steps // 20), steps)
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=0.01))


def steps_of(lab: Lab) -> int:
    """Steps of a training at the lab's budget."""
    return max(LEAST_STEPS, round(STEPS * lab.budget.effort))


def build(lab: Lab, seed: int, make: Make) -> Any:
    """A fresh network, the same for every call with one seed."""
    return make(rngs=nnx.Rngs(key(lab, seed)))


def key(lab: Lab, seed: int) -> Array:
    """The seed's key, for parameters and the order of batches."""
    return jax.random.fold_in(lab.key, 100 + seed)


def decided(net: Any, scenes: Scenes) -> np.ndarray:
    """The classes that a network finds, `(pairs, maps, height, width)`, from pictures alone."""
    both = np.stack([scenes.before, scenes.after], axis=1)
    graph, state = nnx.split(net)
    found: np.ndarray = in_chunks(partial(_program(graph), state), both, CHUNK)
    return found


@lru_cache(maxsize=8)
def _program(graph: Any) -> Callable[..., Array]:
    # The graph is looked at once a network: once a chunk would take longer than the chunk.
    return jax.jit(lambda state, x: nnx.merge(graph, state)(x[:, 0], x[:, 1]).decided())


def tally(found: np.ndarray, scenes: Scenes) -> Tally:
    """Counts of maps against the labels: of both dates, or of the second for a single map."""
    maps = found.shape[1]
    labels = scenes.labels[:, -maps:]
    height, width = labels.shape[2:]
    flat = (np.asarray(one).reshape(-1, height, width) for one in (found, labels))
    return Tally.empty(1 + len(scenes.classes)).add(*flat)


def score(lab: Lab, net: Any, rows: np.ndarray) -> Mapping[str, float]:
    """How well a network finds what changed in some of the drawn pairs, in per cent.

    Args:
        lab: the data.
        net: gives `ChangeLogits` of two pictures.
        rows: the pairs' numbers.

    Returns:
        "oa", "miou", "sek", "f_scd" and "score", see `neurons.backbones.change_detection.Tally`.
    """
    some = pairs(lab).take(rows)
    return scores(tally(decided(net, some), some))


def scores(counts: Tally) -> Mapping[str, float]:
    """The metrics of :data:`SCORES`, in per cent."""
    return {name: 100 * float(getattr(counts, name)) for name in SCORES}
