"""Pieces of a paper's evidence that do not need each other: they can be computed side by side."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from theory.claims.claim import Lab

Pieces = list[Callable[[], object]]


def by_seed(lab: Lab, piece: Callable[..., object], sets: Iterable[Any] = ()) -> Pieces:
    """A piece for every seed of the budget, of each of some sets.

    Args:
        lab: handed to every piece, which keeps what it computes by `lab.recall`.
        piece: `piece(lab, set, seed)`, or `piece(lab, seed)` without sets.
        sets: the largest first, so that workers end together.
    """
    seeds = range(lab.budget.seeds)
    chosen: list[tuple[Any, ...]] = [(one,) for one in sets] or [()]
    return [partial(piece, lab, *one, seed) for one in chosen for seed in seeds]
