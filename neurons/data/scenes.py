"""What changed, as text: masks -> (where, what, how, how many) -> sentences, and back.

A region is an 8-connected set of pixels that all changed from one class to one other. Each is told
by a :class:`Quadruple`: the cell of a 3x3 grid that its centroid lies in, the two classes, a verb
that follows from them, and how many such regions the picture has. Nothing is random, nothing is
learned, and no annotation is needed beyond the masks. A picture that is flipped must be flipped
before its text is taken, or the text with it (:meth:`Quadruple.flipped`).

The four slots are those of the paper's abstract; grid, verbs and counts are our construction.

References:
    S2M (masks can talk), arXiv 2605.07178.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

LEAST = 32  # pixels of a region, for pictures of 512 x 512
CELLS = 9
WHOLE = 9  # the cell that stands for the whole picture
BUCKETS = (1, 2, 5, 10)  # where one, a few, several and many begin
NAME = re.compile(r"[\w-]+( [\w-]+)*")
HOWS = (
    "changed", "built", "demolished", "flooded", "drained", "planted", "cleared", "laid out",
    "greened", "bared", "converted",
)  # fmt: skip
TO: Mapping[str, str] = {"building": "built", "water": "flooded"}
FROM: Mapping[str, str] = {"building": "demolished", "water": "drained", "tree": "cleared"}
INTO: Mapping[str, str] = {
    "tree": "planted", "playground": "laid out", "low vegetation": "greened", "ground": "bared",
}  # fmt: skip
Verbs = Mapping[tuple[str, str], str]


@dataclass(frozen=True, order=True)
class Quadruple:
    """What can be said of one region: where, what, how, and how many there are of its kind.

    Args:
        where: Cell of the 3x3 grid, row by row from 0 (top left) to 8 (bottom right); 9 for the
            whole picture.
        what: The class before and the class after.
        how: A verb; :func:`verb` gives the usual one.
        how_many: Regions of this kind in the picture, at least 1.

    Raises:
        ValueError: For another cell or number, or a name that is not made of letters, digits,
            hyphens and single spaces.
    """

    where: int
    what: tuple[str, str]
    how: str
    how_many: int

    def __post_init__(self) -> None:
        if not 0 <= self.where <= WHOLE:
            raise ValueError(f"where is {self.where}; allowed: cells 0 to {WHOLE}")
        if self.how_many < 1:
            raise ValueError(f"how_many is {self.how_many}; allowed: 1 and more")
        for name in (*self.what, self.how):
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name; allowed: words of letters and digits")

    @property
    def bucket(self) -> int:
        """0 for one region, 1 for a few (2 to 4), 2 for several (5 to 9), 3 for many."""
        return sum(self.how_many >= least for least in BUCKETS) - 1

    @property
    def rounded(self) -> "Quadruple":
        """With the least number of its bucket, as the bank of sentences holds it."""
        return replace(self, how_many=BUCKETS[self.bucket])

    def flipped(self, *, rows: bool = False, columns: bool = False) -> "Quadruple":
        """Of the picture with its rows, or its columns, in reverse order."""
        if self.where == WHOLE:
            return self
        down, right = divmod(self.where, 3)
        return replace(
            self, where=3 * (2 - down if rows else down) + (2 - right if columns else right)
        )

    def transposed(self) -> "Quadruple":
        """Of the picture with rows and columns exchanged."""
        down, right = divmod(self.where, 3)
        return self if self.where == WHOLE else replace(self, where=3 * right + down)

    def exchanged(self, verbs: Verbs | None = None) -> "Quadruple":
        """Of the pair with its dates exchanged."""
        first, second = self.what
        return replace(self, what=(second, first), how=verb(second, first, verbs))


@dataclass(frozen=True, eq=False)
class Region:
    """A region and what is said of it.

    Args:
        quadruple: Where, what, how, how many.
        mask: `(height, width)` bool, its pixels.
    """

    quadruple: Quadruple
    mask: NDArray[np.bool_]


def verb(before: str, after: str, verbs: Verbs | None = None) -> str:
    """How one class becomes another, e.g. "built".

    Args:
        before: Class at the first date.
        after: Class at the second date.
        verbs: What is said of some pairs instead, e.g. `{("building", "rubble"): "destroyed"}`.

    Returns:
        "changed" for one class at both dates, as in a set that only says where; "converted" for
        classes the table does not know.

    >>> verb("low vegetation", "building"), verb("tree", "ground")
    ('built', 'cleared')
    """
    known = (verbs or {}).get((before, after))
    if known is None and before == after:
        return "changed"
    found = (known, TO.get(after), FROM.get(before), INTO.get(after))
    return next((word for word in found if word), "converted")


def regions(
    labels_before: NDArray[np.integer],
    labels_after: NDArray[np.integer],
    classes: Sequence[str],
    *,
    least: int = LEAST,
    verbs: Verbs | None = None,
) -> tuple[Region, ...]:
    """The regions of one pair's masks; none where nothing changed.

    Args:
        labels_before: `(height, width)`, 0 where nothing changed, else a class from 1.
        labels_after: The same at the second date.
        classes: Names of the classes, that of class 1 first.
        least: Pixels of the smallest region that counts.
        verbs: As for :func:`verb`.

    Returns:
        By kind of change, then in the order of their first pixels.

    Raises:
        ValueError: For maps that differ in shape, or in which pixels are marked, for a class
            without a name, or `least` below 1.
    """
    _check(labels_before, labels_after, classes, least)
    kinds = labels_before.astype(np.int64) * (len(classes) + 1) + labels_after
    found: list[Region] = []
    for kind in np.unique(kinds[kinds > 0]):
        first, second = divmod(int(kind), len(classes) + 1)
        what = classes[first - 1], classes[second - 1]
        parts = _components(kinds == kind, least)
        how = verb(*what, verbs)
        found += [Region(Quadruple(_cell(m), what, how, len(parts)), m) for m in parts]
    return tuple(found)


def summary(found: Sequence[Region]) -> tuple[Quadruple, ...]:
    """One quadruple for each kind of change, about the whole picture; most regions first."""
    kinds = Counter(replace(region.quadruple, where=WHOLE) for region in found)
    return tuple(sorted(kinds, key=lambda one: (-one.how_many, one)))


def vocabulary(
    classes: Sequence[str], *, same: bool = False, verbs: Verbs | None = None
) -> tuple[Quadruple, ...]:
    """Every quadruple there can be, counts rounded: what a fixed bank of sentences is made of.

    Args:
        classes: Names of the N classes.
        same: Whether a class may become itself, as in a set that only says where; always so for
            a single class.
        verbs: As for :func:`verb`.

    Returns:
        `10 * kinds * 4` quadruples, kinds being `N (N - 1)`, or `N^2` with `same`.

    >>> len(vocabulary(("water", "tree"))), len(vocabulary(("changed",)))
    (80, 40)
    """
    keep_same = same or len(classes) == 1
    kinds = [pair for pair in product(classes, classes) if keep_same or pair[0] != pair[1]]
    return tuple(
        Quadruple(where, what, verb(what[0], what[1], verbs), count)
        for where, what, count in product(range(WHOLE + 1), kinds, BUCKETS)
    )


def slots(
    quadruple: Quadruple, classes: Sequence[str], hows: Sequence[str] = HOWS
) -> tuple[int, int, int, int, int]:
    """Numbers for a table of vectors: where, class before, class after, how, bucket of how many.

    Args:
        quadruple: What is said.
        classes: Names of the classes; the first has number 0.
        hows: The verbs that are known.

    Raises:
        ValueError: For a class or a verb that is not among them.
    """
    names, verbs = list(classes), list(hows)
    first, second = (names.index(name) for name in quadruple.what)
    return quadruple.where, first, second, verbs.index(quadruple.how), quadruple.bucket


def slot_sizes(classes: Sequence[str], hows: Sequence[str] = HOWS) -> tuple[int, ...]:
    """How many numbers each slot of :func:`slots` can take."""
    return WHOLE + 1, len(classes), len(classes), len(hows), len(BUCKETS)


def corrupt(
    quadruples: Sequence[Quadruple],
    share: float,
    random: np.random.Generator,
    classes: Sequence[str],
    *,
    verbs: Verbs | None = None,
) -> tuple[Quadruple, ...]:
    """The quadruples, about a share of them replaced by others: captions that are wrong.

    With generators of one seed, what a smaller share replaces a larger one replaces, too, and by
    the same.

    Args:
        quadruples: What is true.
        share: Probability of each to be replaced, 0 to 1.
        random: Draws which, and by what.
        classes: Names of the classes.
        verbs: As for :func:`verb`.

    Raises:
        ValueError: For a share outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; allowed: 0 to 1")
    bank = vocabulary(classes, verbs=verbs)
    draws, others = random.random(len(quadruples)), random.integers(len(bank), size=len(quadruples))
    return tuple(
        _other(bank, int(number), one) if draw < share else one
        for one, draw, number in zip(quadruples, draws, others, strict=True)
    )


def _other(bank: Sequence[Quadruple], number: int, truth: Quadruple) -> Quadruple:
    found = bank[number]
    return found if found != truth.rounded else bank[(number + 1) % len(bank)]


def _check(
    before: NDArray[np.integer], after: NDArray[np.integer], classes: Sequence[str], least: int
) -> None:
    if before.ndim != 2 or before.shape != after.shape:
        raise ValueError(f"expected two maps of one shape, got {before.shape}, {after.shape}")
    if before.size and not 0 <= min(before.min(), after.min()) <= max(
        before.max(), after.max()
    ) <= len(classes):
        raise ValueError(f"classes are 0 to {len(classes)}: {tuple(classes)} after 0, unchanged")
    if np.any((before > 0) != (after > 0)):
        raise ValueError("a pixel is marked at both dates or at none")
    if least < 1:
        raise ValueError(f"least is {least}; allowed: 1 pixel and more")


def _components(mask: NDArray[np.bool_], least: int) -> list[NDArray[np.bool_]]:
    from scipy.ndimage import label  # slow to import

    numbers, _ = label(mask, structure=np.ones((3, 3)))
    areas = np.bincount(numbers.ravel())[1:]
    return [numbers == number + 1 for number in np.flatnonzero(areas >= least)]


def _cell(mask: NDArray[np.bool_]) -> int:
    """The centroid's cell; one on a border lies in the middle, so that flips keep it."""
    down, right = (
        _third(mask.sum(axis=axis), size) for axis, size in ((1, len(mask)), (0, mask.shape[1]))
    )
    return 3 * down + right


def _third(counts: NDArray[np.integer], size: int) -> int:
    # In whole numbers: 6 n times the centroid's distance from the border, against 6 n size / 3.
    place = 3 * int((counts * (2 * np.arange(size) + 1)).sum())
    unit = 2 * size * int(counts.sum())
    return 0 if place < unit else 2 if place > 2 * unit else 1
