"""Stratified cross-validation by pieces of material, with fixed seeds."""

from dataclasses import dataclass

import numpy as np

from neurons.folds import folds as deal
from neurons.inspection.fold import Choice as Choice
from neurons.inspection.fold import Fold as Fold
from neurons.inspection.fold import Labels, Rows, few, listed
from neurons.inspection.fold import LeakError as LeakError


@dataclass(frozen=True, eq=False)
class Protocol:
    """Stratified cross-validation by pieces, with fixed seeds.

    Fold `i` tests on the `i`-th of `folds` equal shares; of the other pieces a share goes to
    validation, stratified alike. The same arguments give the same folds.

    Args:
        labels: of every picture, e.g. 0 for a free and 1 for a defective one.
        kinds: strata; the labels by default.
        parts: the piece each picture shows; empty if each shows its own.
        folds: how many, at least 2.
        seed: decides who goes where, and nothing else does.
        validation: share of what is not tested that goes to validation, in [0, 1).

    Raises:
        ValueError: for fewer than two labels, lists of different lengths, a number of folds
            below 2 or above that of the pieces, or a share outside [0, 1).
    """

    labels: Labels
    kinds: Labels = ()
    parts: Labels = ()
    folds: int = 5
    seed: int = 0
    validation: float = 0.15

    def __post_init__(self) -> None:
        labels, kinds, parts = listed(self.labels, self.kinds, self.parts)
        if len(set(labels)) < 2:
            raise ValueError(f"pictures of two labels are needed, got only {few(set(labels))}")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation is {self.validation}; allowed: a share in [0, 1)")
        for name, value in (("labels", labels), ("kinds", kinds), ("parts", parts)):
            object.__setattr__(self, name, value)
        strata = list(zip(kinds, labels, strict=True))
        object.__setattr__(self, "_number", deal(strata, self.folds, self.seed, parts))

    def fold(self, number: int) -> Fold:
        """Fold `number`, from 0.

        Raises:
            ValueError: for another number, or where a label is missing in what is learned from.
        """
        if not 0 <= number < self.folds:
            raise ValueError(f"fold {number}; allowed: 0 to {self.folds - 1}")
        numbers: Rows = vars(self)["_number"]
        test, rest = np.flatnonzero(numbers == number), np.flatnonzero(numbers != number)
        held_out = self._held_out(rest, number)
        train = np.setdiff1d(rest, held_out)
        missing = set(self.labels) - {self.labels[row] for row in train}
        if missing:
            raise ValueError(
                f"fold {number} has no picture of label {few(sorted(missing, key=str))} to learn "
                "from; allowed: fewer folds, less validation, or more pictures"
            )
        return Fold(train, held_out, test, self.labels, self.kinds, self.parts, self.seed)

    def _held_out(self, rest: Rows, number: int) -> Rows:
        """Pieces for validation: one of as many shares as come nearest to what is asked for."""
        shares = round(1 / self.validation) if self.validation else 0
        pieces = len({self.parts[row] for row in rest}) if self.parts else len(rest)
        if not 2 <= shares <= pieces:
            return rest[:0]
        strata = [(self.kinds[row], self.labels[row]) for row in rest]
        parts = [self.parts[row] for row in rest] if self.parts else ()
        return rest[deal(strata, shares, self.seed + 1 + number, parts) == 0]
