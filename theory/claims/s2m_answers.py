"""What S2M's networks are asked beside their maps: which text fits which region, and what leaks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from neurons.backbones.change_detection.s2m import S2M
from neurons.data import Scenes
from theory.claims.inspection_study_networks import in_chunks

CHUNK = 64  # tiles at once
ASKED = 4  # tiles for the leak


def retrieval(
    net: S2M, scenes: Scenes, ids: np.ndarray, numbers: np.ndarray
) -> Mapping[str, float]:
    """How often the nearest region, or sentence, is a right one.

    Args:
        net: with a bank.
        scenes: pairs.
        ids: `(pairs, height, width)` the region of each pixel, from 1.
        numbers: `(pairs, count)` of the regions' sentences in the bank, -1 where there is none.

    Returns:
        In per cent: "text to region", over the different sentences that are true of some region;
        "region to text", over the regions, among these sentences; "chance", of the first when a
        region is taken at random. NaN without a region.
    """
    both = np.stack([scenes.before, scenes.after], axis=1)
    count = numbers.shape[1]
    pairs = np.arange(len(ids))

    def described(rows: Array) -> Array:
        chosen = np.asarray(rows)
        return _described(net, jnp.asarray(both[chosen]), jnp.asarray(ids[chosen]), count)

    vectors = np.asarray(in_chunks(described, pairs, CHUNK))
    there = numbers >= 0
    # A bank may have several sentences for one description: their mean direction stands for it.
    bank = np.asarray(net.bank()).mean(axis=1)  # type: ignore[misc]
    return recall(vectors[there], bank, numbers[there])


@nnx.jit(static_argnums=3)
def _described(net: S2M, both: Array, ids: Array, count: int) -> Array:
    return net.described(net.tokens(both[:, 0], both[:, 1]), ids, count)


def recall(regions: np.ndarray, bank: np.ndarray, numbers: np.ndarray) -> Mapping[str, float]:
    """Recall at 1 of vectors, see :func:`retrieval`.

    Args:
        regions: `(regions, width)`.
        bank: `(sentences, width)`.
        numbers: `(regions,)` the sentence that is true of each region.
    """
    if not len(regions):
        return dict.fromkeys(("text to region", "region to text", "chance"), float("nan"))
    asked = np.unique(numbers)
    closeness = regions @ bank[asked].T
    hits = numbers[closeness.argmax(axis=0)] == asked
    back = asked[closeness.argmax(axis=1)] == numbers
    chance = [(numbers == one).mean() for one in asked]
    return {
        "text to region": 100 * float(hits.mean()),
        "region to text": 100 * float(back.mean()),
        "chance": 100 * float(np.mean(chance)),
    }


def leak(net: S2M, scenes: Scenes, numbers: np.ndarray) -> Mapping[str, float]:
    """How far answers move with the labels of the pictures asked about.

    Args:
        net: with a bank of slots.
        scenes: pairs with labels.
        numbers: `(pairs, count)` of the regions' sentences, -1 where there is none.

    Returns:
        The largest difference of a logit between the pairs as labelled and with the labels of other
        pairs: of the network as it answers ("fixed bank"), and of one that may read the sentences
        of the pair at hand only ("own captions").
    """
    pairs = np.flatnonzero((numbers >= 0).any(axis=1))[:ASKED]
    if not len(pairs):
        return {"fixed bank": 0.0, "own captions": 0.0}
    other = np.roll(pairs, 1)
    named, swapped = scenes.take(pairs), scenes.take(other)
    relabelled = replace(
        named, labels_before=swapped.labels_before, labels_after=swapped.labels_after
    )
    fixed = [_answers(net, one) for one in (named, relabelled)]
    own = [
        np.concatenate(
            [_answers(_only(net, numbers[row]), named.take([at])) for at, row in enumerate(rows)]
        )
        for rows in (pairs, other)
    ]
    return {
        name: float(np.abs(one - two).max())
        for name, (one, two) in {"fixed bank": fixed, "own captions": own}.items()
    }


def _only(net: S2M, numbers: np.ndarray) -> S2M:
    """The network, its bank filled with some sentences alone."""
    made: Any = nnx.clone(net)
    rows = np.asarray(made.bank.rows[...])
    made.bank.rows[...] = jnp.asarray(np.resize(rows[numbers[numbers >= 0]], rows.shape))
    return made


@nnx.jit
def _forward(net: S2M, x: Array) -> Array:
    return net(x[:, 0], x[:, 1]).stacked


def _answers(net: S2M, scenes: Scenes) -> np.ndarray:
    both = np.stack([scenes.before, scenes.after], axis=1)
    return np.asarray(_forward(net, jnp.asarray(both)))
