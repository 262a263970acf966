"""One division into pictures to learn from, to choose on and to judge on, which keeps them apart.

A threshold, an epoch or an option of a map that was chosen on the pictures it is then judged on
makes every method look better than it is, and so does a second picture of the same piece of
material. :class:`Fold` holds the three parts of a division. Choices go through
:meth:`Fold.choose`, judgements through :meth:`Fold.judge`; what must not be is refused with a
:class:`LeakError`, and what was chosen on which pictures is kept.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rows = NDArray[np.int64]
Labels = Sequence[Hashable] | NDArray[Any]
Candidate = TypeVar("Candidate")
Result = TypeVar("Result")


class LeakError(Exception):
    """Test pictures, or others of their pieces, would decide what they are to judge."""


@dataclass(frozen=True)
class Choice:
    """What was chosen, and on what.

    Args:
        name: of what was chosen, e.g. "threshold".
        chosen: the candidate with the highest score, the first among equals.
        scores: of every candidate, in their order.
        rows: the pictures that decided.
    """

    name: str
    chosen: Any
    scores: tuple[float, ...]
    rows: tuple[int, ...]


@dataclass(eq=False)
class Fold:
    """One division of pictures: to learn from, to choose on, to judge on.

    What a score function looks up by itself, no object can see; it should use nothing but the
    rows that it is given.

    Args:
        train: rows to learn from.
        validation: rows to choose on.
        test: rows to judge on.
        labels: of all pictures; a rare label is thinned by :meth:`rarer`.
        kinds: of all pictures, for stratified parts.
        parts: the piece each picture shows; empty if each shows its own.
        seed: decides which pieces :meth:`fraction` keeps.

    Attributes:
        choices: what was chosen so far.
        judged: whether the test pictures were used.

    Raises:
        LeakError: if a picture or a piece lies in two of the three.
        ValueError: for rows outside the pictures, or nothing to learn from or to judge on.

    Example:
        >>> fold = Fold(*np.arange(6).reshape(3, 2), labels=[0, 1] * 3)
        >>> fold.choose("threshold", [0.2, 0.8], lambda t, rows: -t, rows=fold.validation)
        0.2
        >>> fold.judge(lambda rows: rows.tolist())
        [4, 5]
    """

    train: Rows
    validation: Rows
    test: Rows
    labels: Labels
    kinds: Labels = ()
    parts: Labels = ()
    seed: int = 0
    choices: list[Choice] = field(default_factory=list, init=False)
    judged: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.labels, self.kinds, self.parts = listed(self.labels, self.kinds, self.parts)
        self.train, self.validation, self.test = (
            _rows(part, len(self.labels)) for part in (self.train, self.validation, self.test)
        )
        if not (len(self.train) and len(self.test)):
            raise ValueError("a fold needs pictures to learn from and pictures to judge on")
        self._check_apart()

    def _check_apart(self) -> None:
        named = (("train", self.train), ("validation", self.validation), ("test", self.test))
        for place, (name, rows) in enumerate(named):
            for other, others in named[place + 1 :]:
                shared = sorted(self._pieces(rows) & self._pieces(others), key=str)
                if shared:
                    raise LeakError(f"{name} and {other} share {few(shared)}")

    def _pieces(self, rows: Rows) -> set[Hashable]:
        """The pieces that pictures show; their numbers where each shows its own."""
        return {self.parts[row] for row in rows} if self.parts else set(rows.tolist())

    def allowed(self, rows: ArrayLike, purpose: str = "a choice") -> Rows:
        """The rows as whole numbers, if they may be learned from or chosen on.

        Args:
            rows: numbers of pictures from 0, or a bool for each picture.
            purpose: named in the error.

        Raises:
            LeakError: if one is a test picture, or shows a piece that a test picture shows.
            ValueError: for no rows, or numbers outside the pictures.
        """
        found = _rows(rows, len(self.labels))
        if not len(found):
            raise ValueError(f"{purpose} needs at least one picture")
        tested = np.intersect1d(found, self.test)
        if len(tested):
            raise LeakError(f"{purpose} on test pictures {few(tested.tolist())}")
        shared = sorted(self._pieces(found) & self._pieces(self.test), key=str)
        if shared:
            raise LeakError(f"{purpose} on other pictures of tested pieces {few(shared)}")
        return found

    def choose(
        self,
        name: str,
        candidates: Sequence[Candidate],
        score: Callable[[Candidate, Rows], Any],
        rows: ArrayLike | None = None,
    ) -> Candidate:
        """The candidate with the highest score, the first among equals; NaN is never chosen.

        Args:
            name: of what is chosen: "threshold", "epoch", "map".
            candidates: what there is to choose from.
            score: `score(candidate, rows)` -> number, higher is better.
            rows: pictures to choose on; those for validation by default.

        Raises:
            LeakError: for test pictures, other pictures of their pieces, or any choice after the
                test pictures were judged.
            ValueError: without a candidate, a row or a score that is a number.
        """
        if self.judged:
            raise LeakError(f"{name} cannot be chosen: the test pictures were judged already")
        found = self.allowed(self.validation if rows is None else rows, f"choosing {name}")
        scores = np.array([float(score(candidate, found)) for candidate in candidates])
        if np.isnan(scores).all():
            raise ValueError(f"no candidate of {name} has a score: {scores.tolist()}")
        best = int(np.nanargmax(scores))
        self.choices.append(
            Choice(name, candidates[best], tuple(scores.tolist()), tuple(found.tolist()))
        )
        return candidates[best]

    def judge(self, function: Callable[[Rows], Result]) -> Result:
        """What `function` returns of the test rows, once.

        Raises:
            LeakError: the second time: what is changed after a look at the test is chosen on it.
        """
        if self.judged:
            raise LeakError("the test pictures were judged already")
        self.judged = True
        return function(self.test)

    def fraction(self, share: float) -> "Fold":
        """The same fold with a stratified part of what is learned from.

        Whole pieces are kept, of every kind at least one; a smaller share is part of a larger
        one. Validation and test stay as they are, nothing is chosen or judged yet.

        Args:
            share: of the pieces of every kind, in (0, 1].

        Raises:
            ValueError: for a share outside (0, 1].
        """
        return replace(self, train=_thinned(self, dict.fromkeys(self.kinds, share)))

    def rarer(self, share: float, label: Hashable = 1) -> "Fold":
        """The same fold with only a share of the training pieces that carry a label.

        Args:
            share: of the label's pieces, of every kind at least one, in (0, 1].
            label: which one becomes rare; 1 is the defect's.

        Raises:
            ValueError: for a share outside (0, 1], or a label that no training picture has.
        """
        if not any(self.labels[row] == label for row in self.train):
            raise ValueError(f"no training picture has the label {label!r}")
        kinds = {k for k, known in zip(self.kinds, self.labels, strict=True) if known == label}
        shares = {kind: share if kind in kinds else 1.0 for kind in self.kinds}
        return replace(self, train=_thinned(self, shares))

    @property
    def counts(self) -> dict[str, dict[Hashable, int]]:
        """By part of the fold, how many pictures have each label."""
        known = sorted(set(self.labels), key=str)
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {
            name: {label: sum(self.labels[row] == label for row in rows) for label in known}
            for name, rows in named.items()
        }


def _thinned(fold: Fold, shares: dict[Hashable, float]) -> Rows:
    """Training rows of the first pieces of every kind, in an order that the seed decides."""
    for share in shares.values():
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}; allowed: above 0, at most 1")
    random = np.random.default_rng((fold.seed, 3))
    shuffled = random.permutation(len(fold.labels))
    piece = tuple(fold.parts) or tuple(range(len(fold.labels)))
    order = shuffled[np.isin(shuffled, fold.train)]
    kind = _rarest_kinds(fold, piece)
    kept: set[Hashable] = set()
    for name in dict.fromkeys(kind.values()):
        pieces = [p for p in dict.fromkeys(piece[row] for row in order) if kind[p] == name]
        kept.update(pieces[: int(np.ceil(round(shares[name] * len(pieces), 9)))])
    return np.array([row for row in fold.train if piece[row] in kept], np.int64)


def _rarest_kinds(fold: Fold, piece: Sequence[Hashable]) -> dict[Hashable, Hashable]:
    """The kind of each training piece: of its pictures' kinds the one with fewest pictures."""
    count = Counter(fold.kinds)
    found: dict[Hashable, Hashable] = {}
    for row in fold.train:
        known = found.setdefault(piece[row], fold.kinds[row])
        if count[fold.kinds[row]] < count[known]:
            found[piece[row]] = fold.kinds[row]
    return found


def _rows(rows: ArrayLike, count: int) -> Rows:
    """Sorted numbers of pictures, each once."""
    found = np.asarray(rows)
    if found.dtype == np.bool_:
        if found.shape != (count,):
            raise ValueError(f"a bool for each of {count} pictures is needed, got {found.shape}")
        return _fixed(np.flatnonzero(found))
    if found.size and not np.issubdtype(found.dtype, np.integer):
        raise ValueError(f"rows are whole numbers or a bool each, got {found.dtype}")
    # A negative number would count from the end, past every check.
    if found.ndim != 1 or (found.size and not 0 <= found.min() <= found.max() < count):
        raise ValueError(f"rows lie in 0 to {count - 1} on one axis, got {few(found.ravel())}")
    return _fixed(np.unique(found.astype(np.int64)))


def _fixed(rows: Rows) -> Rows:
    """The same array, which nobody can change any more."""
    rows.flags.writeable = False
    return rows


def listed(labels: Labels, kinds: Labels, parts: Labels) -> tuple[tuple[Hashable, ...], ...]:
    """All three as tuples of equal length; the labels where there are no kinds."""
    found = [tuple(v.tolist() if isinstance(v, np.ndarray) else v) for v in (labels, kinds, parts)]
    counts = [len(values) for values in found]
    if counts[1] not in (0, counts[0]) or counts[2] not in (0, counts[0]):
        numbers = "{} labels, {} kinds, {} parts".format(*counts)
        raise ValueError(f"{numbers}; allowed: as many of each, or none of the last two")
    return found[0], found[1] or found[0], found[2]


def few(values: Any, most: int = 5) -> str:
    """The first values as text."""
    listed = [str(value) for value in values]
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")
