"""Folds of pictures with equal shares of every kind, no piece of material in two of them."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def folds(
    kinds: Sequence[Hashable], count: int, seed: int = 0, parts: Sequence[Hashable] = ()
) -> NDArray[np.int64]:
    """Divide pictures into folds with equal shares of every kind, no part in two of them.

    Parts are dealt out one by one, in an order that the seed shuffles within equal sizes, each
    to the fold where its kinds are scarcest. Without `parts` the folds' counts of a kind differ
    by at most one.

    Args:
        kinds: The kind of each picture, or any other label; a kind with fewer parts than folds
            is missing in some.
        count: Number of folds, from 2 to the number of parts.
        seed: Seed of the shuffling.
        parts: The piece each picture shows; empty if each shows its own.

    Returns:
        The fold of each picture, shape `(pictures,)`, from 0 to `count - 1`: test on
        `found == 2`, train on `found != 2`.

    Raises:
        ValueError: For a wrong number of folds, or kinds and parts of different lengths.

    >>> folds(["free", "free", "crack", "crack"], 2).tolist()
    [0, 1, 1, 0]
    """
    if parts and len(parts) != len(kinds):
        raise ValueError(f"{len(kinds)} kinds and {len(parts)} parts; allowed: as many or none")
    content = _content(kinds, parts or range(len(kinds)))
    if not 2 <= count <= len(content):
        raise ValueError(f"{count} folds of {len(content)} parts; allowed: 2 to {len(content)}")
    fold = _dealt(content, count, np.random.default_rng(seed))
    number = {part: index for index, part in enumerate(dict.fromkeys(parts or range(len(kinds))))}
    return np.array([fold[number[part]] for part in (parts or range(len(kinds)))])


def _content(kinds: Sequence[Hashable], parts: Sequence[Hashable]) -> NDArray[np.float64]:
    """The share of every kind that each part holds, shape `(parts, kinds)`."""
    row = {part: index for index, part in enumerate(dict.fromkeys(parts))}
    column = {kind: index for index, kind in enumerate(dict.fromkeys(kinds))}
    counts = np.zeros((len(row), len(column)))
    for kind, part in zip(kinds, parts, strict=True):
        counts[row[part], column[kind]] += 1
    return counts / counts.sum(axis=0, initial=0)


def _dealt(
    content: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """The fold of each part: largest shares first, each where the squares grow least."""
    shuffled = random.permutation(len(content))
    order = shuffled[np.argsort(-content[shuffled].max(axis=1), kind="stable")]
    held, found = np.zeros((count, content.shape[1])), np.zeros(len(content), np.int64)
    for part in order:
        growth = np.round(held @ content[part], 12)  # equal but for rounding is equal
        fold = np.lexsort((random.random(count), held.sum(axis=1).round(12), growth))[0]
        held[fold] += content[part]
        found[part] = fold
    return found
