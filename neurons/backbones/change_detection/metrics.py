"""How well semantic change is found: OA, mIoU, SeK, F_scd and Score, over a whole set.

Class 0 is "no change", classes 1 to N say what a changed pixel is (of one date, of the other, or of
both, where the maps of both are counted). With Q[i, j] the pixels that are predicted i and labelled
j, summed over the set, and q their number:

    OA      mean over maps of the share of right pixels, class 0 included
    mIoU    (IoU_nc + IoU_c) / 2, IoU_nc of class 0, IoU_c of all changed classes as one
    SeK     kappa(Q without Q[0, 0]) exp(IoU_c - 1); can be negative
    F_scd   harmonic mean of precision P and recall R of the changed pixels, with their class
    Score   0.3 mIoU + 0.7 SeK

None but OA is a mean over maps. Values are shares, not per cent.

References:
    K. Yang et al., Asymmetric Siamese Networks for Semantic Change Detection in Aerial Images
    (SECOND), IEEE TGRS 60 (2022); L. Ding et al., SCanNet, IEEE TGRS 62 (2024), for the evaluation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

WEIGHT = 0.3  # of mIoU in the score of the SECOND challenge


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of a set, map by map; all metrics are properties.

    Args:
        counts: `(classes, classes)` int64, pixels by prediction (rows) and label (columns).
        right: sum over maps of the share of right pixels.
        maps: how many were counted.

    Raises:
        ValueError: for counts that are no square of at least two classes, or negative.

    Example:
        >>> label = [[0, 0, 0, 0, 1, 1, 1, 2, 2, 2]]
        >>> found = Tally.empty(3).add([[0, 0, 1, 0, 1, 2, 0, 2, 2, 1]], label)
        >>> round(found.sek, 8), round(found.score, 8)
        (0.05009849, 0.2322118)
    """

    counts: NDArray[np.int64]
    right: float = 0.0
    maps: int = 0

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts)
        if counts.ndim != 2 or len(counts) < 2 or counts.shape[0] != counts.shape[1]:
            raise ValueError(f"counts of at least two classes are a square, got {counts.shape}")
        if not np.issubdtype(counts.dtype, np.integer) or counts.min() < 0:
            raise ValueError("counts are whole numbers from 0")

    @classmethod
    def empty(cls, classes: int) -> "Tally":
        """Nothing counted yet.

        Args:
            classes: N + 1, "no change" included.

        Raises:
            ValueError: for fewer than two.
        """
        return cls(np.zeros((max(classes, 0), max(classes, 0)), np.int64))

    def add(self, predicted: ArrayLike, labelled: ArrayLike) -> "Tally":
        """The tally with more maps.

        Args:
            predicted: `(maps, *space)` classes from 0, whole numbers.
            labelled: of the same shape.

        Raises:
            ValueError: for shapes that differ, no pixel, or a class that there is not.
            TypeError: for other than whole numbers.
        """
        found, truth = np.asarray(predicted), np.asarray(labelled)
        classes = len(self.counts)
        _check(found, truth, classes)
        pairs = found.astype(np.int64) * classes + truth.astype(np.int64)
        counts = np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)
        right = (found == truth).reshape(len(found), -1).mean(axis=1).sum()
        return Tally(self.counts + counts, self.right + float(right), self.maps + len(found))

    def __add__(self, other: "Tally") -> "Tally":
        """Two parts of a set, counted apart."""
        if self.counts.shape != other.counts.shape:
            raise ValueError(f"tallies of {len(self.counts)} and {len(other.counts)} classes")
        return Tally(self.counts + other.counts, self.right + other.right, self.maps + other.maps)

    @property
    def oa(self) -> float:
        """Overall accuracy; NaN of nothing."""
        return self.right / self.maps if self.maps else float("nan")

    @property
    def iou_unchanged(self) -> float:
        """IoU of "no change"; NaN where nothing is predicted or labelled so."""
        union = self.counts[0].sum() + self.counts[:, 0].sum() - self.counts[0, 0]
        return _share(self.counts[0, 0], union)

    @property
    def iou_changed(self) -> float:
        """IoU of all changed classes as one; NaN where nothing is predicted or labelled so."""
        return _share(self.counts[1:, 1:].sum(), self.counts.sum() - self.counts[0, 0])

    @property
    def miou(self) -> float:
        """Mean of the two, binary; a changed pixel of a wrong class counts as found."""
        return (self.iou_unchanged + self.iou_changed) / 2

    @property
    def kappa(self) -> float:
        """Agreement beyond chance where there is change; 0 where that is undefined."""
        q = self.counts.astype(np.float64)
        q[0, 0] = 0
        if not q.sum():
            return 0.0
        observed = np.trace(q) / q.sum()
        expected = (q.sum(axis=0) * q.sum(axis=1)).sum() / q.sum() ** 2
        return float((observed - expected) / (1 - expected)) if expected < 1 else 0.0

    @property
    def sek(self) -> float:
        """Separated kappa; NaN without any change."""
        return self.kappa * float(np.exp(self.iou_changed - 1))

    @property
    def precision(self) -> float:
        """Of the pixels predicted as changed, the share with the right class; NaN of none."""
        return _share(np.trace(self.counts[1:, 1:]), self.counts[1:].sum())

    @property
    def recall(self) -> float:
        """Of the pixels labelled as changed, the share with the right class; NaN of none."""
        return _share(np.trace(self.counts[1:, 1:]), self.counts[:, 1:].sum())

    @property
    def f_scd(self) -> float:
        """Harmonic mean of precision and recall; 0 where nothing is right."""
        changed = self.counts[1:].sum() + self.counts[:, 1:].sum()
        return float(2 * np.trace(self.counts[1:, 1:]) / changed) if changed else 0.0

    @property
    def score(self) -> float:
        """What the SECOND challenge ranks by."""
        return WEIGHT * self.miou + (1 - WEIGHT) * self.sek


def only_changed(classes: NDArray[np.integer], changed: NDArray[np.bool_]) -> NDArray[np.integer]:
    """Semantic maps with class 0 wherever the change mask is false.

    Args:
        classes: `(maps, *space)` of one date.
        changed: of the same shape.

    Raises:
        ValueError: for shapes that differ.
    """
    if np.shape(classes) != np.shape(changed):
        raise ValueError(f"maps {np.shape(classes)} and masks {np.shape(changed)} differ")
    return np.where(changed, classes, 0)


def _share(part: np.integer, whole: np.integer) -> float:
    return float(part / whole) if whole else float("nan")


def _check(found: NDArray[np.generic], truth: NDArray[np.generic], classes: int) -> None:
    if found.shape != truth.shape or found.ndim < 2 or not found.size:
        raise ValueError(
            f"expected predictions and labels (maps, *space) of one shape, got {found.shape} and "
            f"{truth.shape}"
        )
    for name, values in (("predicted", found), ("labelled", truth)):
        if not np.issubdtype(values.dtype, np.integer):
            raise TypeError(f"{name} classes are whole numbers, got {values.dtype}")
        if values.min() < 0 or values.max() >= classes:
            wrong = values.min() if values.min() < 0 else values.max()
            raise ValueError(f"{name} class {wrong}; allowed: 0 to {classes - 1}")
