"""Is a sample defective? From the classifier, from its mask, or from both.

Each rule has an evidence in [0, 1], and decides "defective" from a threshold on; the evidence alone
gives ROC curves, and thresholds at a chosen rate of false alarms:

- "classifier": the probability `p` of a defective sample;
- "mask": the `area`-th largest probability of its pixels, so that `area` pixels or more reach it;
- "and": the smaller of the two, both must agree; "or": the larger, one is enough.

References:
    H.-C. Dong et al., Sample-Centric Multi-Task Learning, arXiv 2510.13226. The abstract alone was
    at hand: the rules are our reading of "sample-wise quality control".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Bool, Float

from neurons.options import require

Rule = Literal["classifier", "mask", "and", "or"]
RULES: tuple[Rule, ...] = get_args(Rule)
Values: TypeAlias = Float[np.ndarray, " samples"]


@dataclass(frozen=True)
class Decision:
    """A rule with its threshold.

    Args:
        rule: one of :data:`RULES`.
        threshold: of the evidence, from which on a sample is defective.
        area: pixels that a mask must have.

    Raises:
        ValueError: for an unknown rule, a threshold that is no number, or `area` below 1; on call
            as :func:`evidence`.

    Example:
        >>> masks = np.array([[[0.9, 0.2]], [[0.4, 0.3]]])
        >>> probabilities = np.array([0.1, 0.8])
        >>> {rule: Decision(rule)(probabilities, masks).tolist() for rule in ("mask", "or")}
        {'mask': [True, False], 'or': [True, True]}
    """

    rule: Rule = "classifier"
    threshold: float | int = 0.5
    area: int = 1

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"unknown rule {self.rule!r}; allowed: {', '.join(RULES)}")
        if np.isnan(self.threshold):
            raise ValueError("the threshold must be a number, got NaN")
        require("area", self.area)

    def __call__(
        self, probabilities: Values, masks: Float[np.ndarray, "samples height width"]
    ) -> Bool[np.ndarray, " samples"]:
        """Whether each sample is called defective."""
        return evidence(probabilities, masks, area=self.area)[self.rule] >= self.threshold


def evidence(
    probabilities: Values, masks: Float[np.ndarray, "samples height width"], *, area: int = 1
) -> Mapping[Rule, Values]:
    """By rule, how much speaks for a defect.

    Args:
        probabilities: of a defective sample.
        masks: probabilities of defective pixels.
        area: as for :class:`Decision`; at most the pixels of a mask.

    Raises:
        ValueError: for values outside [0, 1] or NaN, or shapes that do not fit.
    """
    p, pixels = np.asarray(probabilities), np.asarray(masks)
    if p.ndim != 1 or pixels.ndim != 3 or len(p) != len(pixels):
        raise ValueError(f"one probability and mask a sample, got {p.shape} and {pixels.shape}")
    for name, values in (("probabilities", p), ("masks", pixels)):
        if not np.all((values >= 0) & (values <= 1)):
            raise ValueError(f"{name} must lie in [0, 1]; logits go through a sigmoid first")
    flat = pixels.reshape(len(pixels), pixels.shape[1] * pixels.shape[2])
    require("area", area)
    if area > flat.shape[1]:
        raise ValueError(f"area is {area}, more than the {flat.shape[1]} pixels of a mask")
    mask = np.partition(flat, -area, axis=1)[:, -area].astype(np.float64)
    p = p.astype(np.float64)  # so that a threshold just above a score stays above it
    return {
        "classifier": p,
        "mask": mask,
        "and": np.minimum(p, mask),
        "or": np.maximum(p, mask),
    }


def threshold_at(
    scores: Values, defective: Bool[np.ndarray, " samples"], false_alarms: float | int = 0.05
) -> float:
    """The lowest threshold at which few enough samples without a defect are called defective.

    To be chosen on samples that are not the ones to be judged.

    Args:
        scores: evidence of the chosen rule.
        defective: the truth.
        false_alarms: largest share of the samples without a defect, in [0, 1].

    Returns:
        A threshold of `scores >= threshold`: just above the first score that is one too many, or
        minus infinity if all may be.

    Raises:
        ValueError: for another rate, NaN, shapes that differ, or no sample without a defect.

    Example:
        >>> threshold_at(np.array([0.1, 0.2, 0.7, 0.9]), np.array([False, False, False, True]), 0.4)
        0.20000000000000004
    """
    values, truth = np.asarray(scores, np.float64), np.asarray(defective, bool)
    if values.shape != truth.shape or values.ndim != 1 or np.isnan(values).any():
        raise ValueError(f"scores {values.shape} (no NaN) and labels {truth.shape} must fit")
    if not 0 <= false_alarms <= 1:
        raise ValueError(f"a rate of false alarms lies in [0, 1], got {false_alarms}")
    free = np.sort(values[~truth])[::-1]
    if not free.size:
        raise ValueError("no sample is free of defects: there is no false alarm to limit")
    allowed = int(np.floor(false_alarms * free.size + 1e-9))
    return -np.inf if allowed == free.size else float(np.nextafter(free[allowed], np.inf))
