"""Metrics of inspection that count samples: is the defect found, and is it where it is said to be.

With masks `g_i` and `m_i`, true and predicted, `d_i` whether a sample is defective, `dh_i` whether
it is called so, and `IoU_i` the overlap of the masks:

- `seg_miou`: mean over all samples with `d_i` or `dh_i` of `IoU_i d_i dh_i`. Misses and false
  alarms count 0, true negatives do not count at all; `seg_miou_pos` takes the samples with `d_i`.
- `seg_recall(tau)`: share of the defective samples that are called so with `IoU_i > tau`.
- `seg_precision(tau)`: the same share of the samples that are called defective.

Beside them what pixel-centred evaluation reports, both forms of which rise with every sample that
is rightly empty: `pooled_miou`, the mean of the IoU of defect and background pixels of all samples
together, and `mean_iou_empty_one`, the mean over samples of `IoU_i` with empty on empty counted 1.

References:
    H.-C. Dong et al., Sample-Centric Multi-Task Learning, arXiv 2510.13226, abstract. It names
    Seg_mIoU and Seg_Recall and what they are free of; the formulas are our reading.
"""

from collections import Counter
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from neurons.explain.metrics.pairs import as_masks, ratio

Outcome = Literal["missed", "false alarm", "located", "found elsewhere", "free"]
OUTCOMES: tuple[Outcome, ...] = ("missed", "false alarm", "located", "found elsewhere", "free")
Masks = Any  # (samples, height, width) bool, or 0 and 1


class SampleScores(NamedTuple):
    """All scores of a set of samples, each in [0, 1]; NaN where there is nothing to count.

    Args:
        seg_miou: overlap, where there is a defect or one is claimed.
        seg_miou_pos: overlap, where there is a defect.
        seg_recall: share of the defects that are found where they are.
        seg_precision: share of the claims that are right, and in the right place.
        pooled_miou: classical, of all pixels: mean of defect and background.
        pooled_iou: classical, of all pixels: the defect alone.
        mean_iou_empty_one: classical, mean over samples with empty on empty as 1.
        recall: share of the defective samples that are called so.
        precision: share of the samples called defective that are.
        f1: harmonic mean of the two, `2 hits / (2 hits + misses + false alarms)`.
        false_alarms: share of the free samples that are called defective.
    """

    seg_miou: float
    seg_miou_pos: float
    seg_recall: float
    seg_precision: float
    pooled_miou: float
    pooled_iou: float
    mean_iou_empty_one: float
    recall: float
    precision: float
    f1: float
    false_alarms: float


class Report(NamedTuple):
    """What became of every sample.

    Args:
        outcome: "missed" and "false alarm" as usual; a defect that is called so is "located", or
            "found elsewhere" if the masks overlap too little: the decision is right by luck;
            "free" is rightly called free.
        iou: overlap of the masks, NaN where both are empty.
        area: share of the sample's pixels that are truly defective.
        claimed: share that the prediction marks.
    """

    outcome: tuple[Outcome, ...]
    iou: Float[np.ndarray, " samples"]
    area: Float[np.ndarray, " samples"]
    claimed: Float[np.ndarray, " samples"]

    def counts(self) -> dict[Outcome, int]:
        """How many samples had each outcome."""
        found = Counter(self.outcome)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    def of(self, *outcomes: Outcome) -> Bool[np.ndarray, " samples"]:
        """Which samples had one of these outcomes."""
        return np.isin(np.array(self.outcome, dtype=object), outcomes)


class _Samples(NamedTuple):
    truth: np.ndarray  # (samples, pixels) bool, like `found`
    found: np.ndarray
    defective: np.ndarray  # (samples,) bool, like `called`
    called: np.ndarray

    @property
    def iou(self) -> np.ndarray:
        """NaN where both masks are empty."""
        return ratio((self.truth & self.found).sum(1), (self.truth | self.found).sum(1))

    def located(self, tau: float) -> np.ndarray:
        """Defective, called so, and overlapping by more than tau."""
        return self.defective & self.called & (np.nan_to_num(self.iou) > tau)


def sample_scores(
    truth: Masks, predicted: Masks, decisions: Any = None, tau: float | int = 0.0
) -> SampleScores:
    """All metrics of this module.

    Args:
        truth: `(samples, height, width)` masks, bool or 0 and 1; a sample is defective if its mask
            is not empty.
        predicted: masks of the same shape.
        decisions: `(samples,)` bool, whether each sample is called defective; by default where its
            predicted mask is not empty.
        tau: overlap that must be exceeded, in [0, 1).

    Raises:
        ValueError: for masks of different shapes or with other values than 0 and 1, decisions that
            are not one bool a sample, or tau outside [0, 1).

    Example:
        >>> truth = np.array([[[1, 1, 0]], [[1, 0, 0]], [[0, 0, 0]]])
        >>> found = np.array([[[1, 0, 0]], [[0, 0, 0]], [[0, 0, 0]]])
        >>> scores = sample_scores(truth, found)
        >>> scores.seg_miou, scores.seg_recall, scores.mean_iou_empty_one
        (0.25, 0.5, 0.5)
    """
    samples, least = _samples(truth, predicted, decisions), _overlap(tau)
    d, called = samples.defective, samples.called
    hits, located = int((d & called).sum()), int(samples.located(least).sum())
    overlap = np.where(d & called, np.nan_to_num(samples.iou), 0.0)
    defect, background = _pooled(samples), _pooled(_swapped(samples))
    return SampleScores(
        seg_miou=_share(overlap.sum(), (d | called).sum()),
        seg_miou_pos=_share(overlap.sum(), d.sum()),
        seg_recall=_share(located, d.sum()),
        seg_precision=_share(located, called.sum()),
        pooled_miou=(defect + background) / 2,
        pooled_iou=defect,
        mean_iou_empty_one=_share(np.nan_to_num(samples.iou, nan=1.0).sum(), len(d)),
        recall=_share(hits, d.sum()),
        precision=_share(hits, called.sum()),
        f1=_share(2 * hits, d.sum() + called.sum()),
        false_alarms=_share((called & ~d).sum(), (~d).sum()),
    )


def seg_miou(
    truth: Masks, predicted: Masks, decisions: Any = None, *, positives: bool = False
) -> float:
    """Mean overlap where there is a defect or one is claimed; see :func:`sample_scores`.

    Args:
        truth: masks.
        predicted: masks.
        decisions: as for :func:`sample_scores`.
        positives: count the defective samples alone, so that false alarms cost nothing.
    """
    found = sample_scores(truth, predicted, decisions)
    return found.seg_miou_pos if positives else found.seg_miou


def seg_recall(
    truth: Masks, predicted: Masks, decisions: Any = None, tau: float | int = 0.0
) -> float:
    """Share of the defective samples that are called so, in place; see :func:`sample_scores`."""
    return sample_scores(truth, predicted, decisions, tau).seg_recall


def seg_precision(
    truth: Masks, predicted: Masks, decisions: Any = None, tau: float | int = 0.0
) -> float:
    """Share of the claims that are right, in place; see :func:`sample_scores`."""
    return sample_scores(truth, predicted, decisions, tau).seg_precision


def report(truth: Masks, predicted: Masks, decisions: Any = None, tau: float | int = 0.0) -> Report:
    """What became of every sample; arguments as for :func:`sample_scores`.

    Example:
        >>> truth, found = np.array([[[1, 0]], [[1, 0]]]), np.array([[[1, 0]], [[0, 1]]])
        >>> report(truth, found).outcome
        ('located', 'found elsewhere')
    """
    samples, least = _samples(truth, predicted, decisions), _overlap(tau)
    d, called = samples.defective, samples.called
    chosen = np.select(
        [d & ~called, ~d & called, samples.located(least), d], np.arange(4), default=4
    )
    return Report(
        tuple(OUTCOMES[number] for number in chosen),
        samples.iou,
        samples.truth.mean(axis=1),
        samples.found.mean(axis=1),
    )


def _samples(truth: Masks, predicted: Masks, decisions: Any) -> _Samples:
    true = as_masks(truth)
    found = as_masks(predicted, true.shape)
    flat = true.reshape(len(true), -1), found.reshape(len(found), -1)
    called = flat[1].any(axis=1) if decisions is None else np.asarray(decisions)
    if called.shape != true.shape[:1] or called.dtype != bool:
        raise ValueError(
            f"decisions are one bool a sample, {true.shape[:1]}; got {called.dtype} {called.shape}"
        )
    return _Samples(*flat, np.asarray(flat[0].any(axis=1)), np.asarray(called))


def _swapped(samples: _Samples) -> _Samples:
    return samples._replace(truth=~samples.truth, found=~samples.found)


def _pooled(samples: _Samples) -> float:
    both, either = samples.truth & samples.found, samples.truth | samples.found
    return _share(both.sum(), either.sum())


def _share(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else float("nan")


def _overlap(tau: float | int) -> float:
    if not 0 <= tau < 1:
        raise ValueError(f"an overlap to exceed lies in [0, 1), got {tau}")
    return float(tau)
