"""Segmentations from maps: pixels above a threshold, counted against masks.

A pixel is marked where `map >= threshold`. The counts of a whole grid of thresholds cost one pass
over the pixels, so that every method can be given the same budget of thresholds.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from neurons.explain.metrics.pairs import Found, Stack, paired, ratio, rows

Score: TypeAlias = Literal["miou", "iou", "f1", "precision", "recall"]
Thresholds: TypeAlias = float | Sequence[float] | np.ndarray
GRID: tuple[float, ...] = tuple(number / 50 for number in range(1, 50))


class Confusion(NamedTuple):
    """How many pixels are marked rightly and wrongly, and every score that follows.

    Args:
        hits: defect pixels that are marked; float64, NaN for maps with NaN.
        false_alarms: other pixels that are marked.
        misses: defect pixels that are not.
        rejections: other pixels that are not.
    """

    hits: Found
    false_alarms: Found
    misses: Found
    rejections: Found

    @property
    def iou(self) -> Found:
        """`hits / (hits + false alarms + misses)`; NaN where nothing is marked nor to be found."""
        return ratio(self.hits, self.hits + self._wrong)

    @property
    def background_iou(self) -> Found:
        """The same of the pixels outside the defect."""
        return ratio(self.rejections, self.rejections + self._wrong)

    @property
    def miou(self) -> Found:
        """Mean of the IoU of the defect and of the background; NaN where either is."""
        return np.asarray((self.iou + self.background_iou) / 2)

    @property
    def f1(self) -> Found:
        """`2 hits / (2 hits + false alarms + misses)`, the Dice score; NaN as for `iou`."""
        return ratio(2 * self.hits, 2 * self.hits + self._wrong)

    @property
    def precision(self) -> Found:
        """`hits / (hits + false alarms)`; NaN where nothing is marked."""
        return ratio(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> Found:
        """`hits / (hits + misses)`; NaN where there is nothing to find."""
        return ratio(self.hits, self.hits + self.misses)

    @property
    def _wrong(self) -> Found:
        return np.asarray(self.false_alarms + self.misses)

    def pooled(self) -> "Confusion":
        """The counts of all images together, without the batch axis."""
        return Confusion(*(np.asarray(count.sum(axis=0)) for count in self))


def confusion(maps: Stack, masks: Stack, thresholds: Thresholds) -> Confusion:
    """Pixels by truth and mark, at one threshold or at many.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.
        thresholds: a number, or `(thresholds,)` in any order, in the maps' unit; compared in the
            maps' precision.

    Returns:
        Counts of shape `(batch,)` for a number, `(batch, thresholds)` for a grid.

    Raises:
        ValueError: for maps and masks of different shapes, or thresholds that are no numbers.

    Example:
        >>> maps, masks = np.array([[[0.9, 0.4], [0.6, 0.1]]]), np.array([[[1, 1], [0, 0]]])
        >>> confusion(maps, masks, [0.3, 0.5]).iou.round(3).tolist()
        [[0.667, 0.333]]
    """
    values, truth = (rows(stack) for stack in paired(maps, masks))
    grid = _grid(thresholds, values.dtype)
    order = np.argsort(grid)
    passed = np.searchsorted(grid[order], values, side="right")
    # One histogram: how many thresholds a pixel passes, by image and truth.
    bins = len(grid) + 1
    place = passed + bins * truth
    place += 2 * bins * np.arange(len(values))[:, None]
    histogram = np.bincount(place.ravel(), minlength=2 * bins * len(values))
    marked = histogram.reshape(len(values), 2, bins)[..., ::-1].cumsum(axis=-1)[..., ::-1]
    outside, inside = marked[:, 0], marked[:, 1]
    counts = np.empty((4, len(values), len(grid)))
    counts[:, :, order] = [
        inside[:, 1:],
        outside[:, 1:],
        inside[:, :1] - inside[:, 1:],
        outside[:, :1] - outside[:, 1:],
    ]
    counts[:, np.isnan(values).any(axis=1)] = np.nan
    return Confusion(*(counts[..., 0] if np.ndim(thresholds) == 0 else counts))


def score(
    maps: Stack, masks: Stack, threshold: Thresholds, *, name: Score = "miou", pooled: bool = False
) -> Found:
    """A score of :class:`Confusion` by name.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.
        threshold: a number or a grid.
        name: one of "miou", "iou", "f1", "precision", "recall".
        pooled: add the counts of all images before the ratio is taken.

    Returns:
        `(batch, *thresholds)`, or `(*thresholds,)` if pooled; NaN where undefined.

    Raises:
        ValueError: for an unknown name; else as :func:`confusion`.
    """
    if name not in ("miou", "iou", "f1", "precision", "recall"):
        raise ValueError(f"a score is miou, iou, f1, precision or recall, got {name!r}")
    counts = confusion(maps, masks, threshold)
    return getattr(counts.pooled() if pooled else counts, name)


def miou(maps: Stack, masks: Stack, threshold: Thresholds, *, pooled: bool = False) -> Found:
    """Mean of the intersection over union of defect and background; see :func:`score`.

    The benchmark's number pools: `miou(..., pooled=True)` weighs every pixel alike, as the PASCAL
    VOC challenge does.

    References:
        M. Everingham et al., The PASCAL Visual Object Classes Challenge: A Retrospective, 2015.
    """
    return score(maps, masks, threshold, name="miou", pooled=pooled)


def iou(maps: Stack, masks: Stack, threshold: Thresholds, *, pooled: bool = False) -> Found:
    """Intersection over union of the defect, 0 for a false alarm; see :func:`score`."""
    return score(maps, masks, threshold, name="iou", pooled=pooled)


def f1(maps: Stack, masks: Stack, threshold: Thresholds, *, pooled: bool = False) -> Found:
    """Dice score of the defect's pixels; see :func:`score`."""
    return score(maps, masks, threshold, name="f1", pooled=pooled)


def precision(maps: Stack, masks: Stack, threshold: Thresholds, *, pooled: bool = False) -> Found:
    """Share of the marked pixels that belong to the defect; see :func:`score`."""
    return score(maps, masks, threshold, name="precision", pooled=pooled)


def recall(maps: Stack, masks: Stack, threshold: Thresholds, *, pooled: bool = False) -> Found:
    """Share of the defect's pixels that are marked; see :func:`score`."""
    return score(maps, masks, threshold, name="recall", pooled=pooled)


def best_threshold(
    maps: Stack,
    masks: Stack,
    grid: Sequence[float] | np.ndarray = GRID,
    *,
    name: Score = "miou",
    pooled: bool = True,
) -> float:
    """The threshold of a grid with the highest score, to be judged on other images.

    Give every method the same grid: then none is tuned harder than another.

    Args:
        maps: `(batch, *space)`, of images held out from the ones to be judged.
        masks: `(batch, *space)` bool.
        grid: `(thresholds,)` candidates, by default 0.02, 0.04, ..., 0.98.
        name: which score is highest, see :func:`score`.
        pooled: judge the counts of all images together; else the mean over images where the score
            is defined.

    Returns:
        The lowest of the best thresholds.

    Raises:
        ValueError: where the score is undefined at every threshold, as for maps with NaN; else as
            :func:`score`.

    Example:
        >>> best_threshold(np.array([[0.1, 0.4, 0.8]]), np.array([[0, 1, 1]]), [0.1, 0.3, 0.5])
        0.3
    """
    candidates = np.sort(np.asarray(grid, dtype=np.float64))
    found = score(maps, masks, candidates, name=name, pooled=pooled)
    if not pooled:
        defined = np.isfinite(found)
        found = ratio(np.where(defined, found, 0).sum(axis=0), defined.sum(axis=0))
    if np.isnan(found).all():
        raise ValueError(f"{name} is undefined at every threshold: empty masks, or maps with NaN")
    return float(candidates[np.nanargmax(found)])


def _grid(thresholds: Thresholds, dtype: np.dtype) -> np.ndarray:
    grid = np.atleast_1d(np.asarray(thresholds, dtype=np.float64)).astype(dtype)
    if grid.ndim != 1 or not grid.size or np.isnan(grid).any():
        raise ValueError(f"thresholds must be a number or a sequence of numbers, got {thresholds}")
    return grid
