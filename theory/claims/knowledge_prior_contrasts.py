"""Comparisons that the experiments on training with a prior share: gains by seed, in points.

What the method reached can be replaced by a fault: certain answers by chance, or the truth itself,
take the place of its answers, and smooth noise, or the masks, that of its maps.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurons.inspection.prior_arms import KNOWLEDGE
from theory.claims import inspection_study as inspected
from theory.claims import knowledge_prior_study as study
from theory.claims.cam_contrasts import weakest
from theory.claims.claim import Finding, Lab, Row
from theory.claims.inspection_study_networks import SETS, Set
from theory.claims.knowledge_prior_study import BASELINE, CONTROLLED, FRACTIONS

MOST = FRACTIONS[-1]
MANY = 100.0
NAMES: Mapping[str, str] = {"accuracy": "accuracy", "ap": "average precision"}
PRETENDED: Mapping[str, str] = {
    "chance": "certain answers by chance, and smooth noise for maps, take the method's place",
    "truth": "the labels and the masks themselves take the method's place",
}


def all_of(effects: Mapping[Any, Sequence[float]], unit: str, **more: Any) -> Finding:
    """The finding that all effects are above zero."""
    least, status, comparison = weakest({str(name): found for name, found in effects.items()})
    return Finding(status, comparison, 0.0, unit, note=f"The least: {least}.", **more)


def joined(statuses: Sequence[str]) -> Any:
    """One status of several: of a claim that all of them are part of."""
    if set(statuses) == {"supported"}:
        return "supported"
    return "refuted" if "refuted" in statuses else "undecided"


def records(lab: Lab, arm: str, which: Set, fraction: float) -> list[dict[str, Any]]:
    """An arm's outcomes by seed."""
    return [study.outcome(lab, arm, which, seed, fraction) for seed in range(lab.budget.seeds)]


def claimed(lab: Lab, which: Set, fraction: float) -> list[dict[str, Any]]:
    """The method's outcomes, or what a fault puts in their place."""
    if lab.fault in PRETENDED:
        right = lab.fault == "truth"
        return [study.pretended(lab, which, seed, right) for seed in range(lab.budget.seeds)]
    return records(lab, KNOWLEDGE, which, fraction)


def raw(records: Sequence[Mapping[str, Any]], score: str) -> list[float]:
    """A score by seed, as it was kept."""
    return [float(record[score]) for record in records]


def scaled(records: Sequence[Mapping[str, Any]], score: str) -> list[float]:
    """A score by seed, in percent."""
    return [MANY * value for value in raw(records, score)]


def by_seed(
    lab: Lab, arm: str, score: str, which: Set, fraction: float = CONTROLLED
) -> list[float]:
    """A score in percent."""
    return scaled(records(lab, arm, which, fraction), score)


def gain(
    lab: Lab, score: str, which: Set, fraction: float = CONTROLLED, arm: str = KNOWLEDGE
) -> list[float]:
    """By seed, what an arm has more than the first network, points."""
    ours = claimed(lab, which, fraction) if arm == KNOWLEDGE else records(lab, arm, which, fraction)
    return less(scaled(ours, score), by_seed(lab, BASELINE, score, which, fraction))


def change(lab: Lab, which: Set, score: str) -> list[float]:
    """What maps have more of a score (of entropy: less) than the first network's, points."""
    ours, first = claimed(lab, which, MOST), records(lab, BASELINE, which, MOST)
    most = float(np.log(np.prod(inspected.part(lab, which).side)))
    unit = -MANY / most if score == "entropy" else MANY
    return [unit * change for change in less(raw(ours, score), raw(first, score))]


def less(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Differences, paired by seed."""
    return [one - other for one, other in zip(ours, theirs, strict=True)]


def mean_over_sets(values: Sequence[Sequence[float]]) -> list[float]:
    """By seed, the mean of several gains."""
    return np.mean(values, axis=0).tolist()


def rows(lab: Lab, score: str, arms: Sequence[str]) -> tuple[Row, ...]:
    """An arm a row, on every set that it was taught on."""
    return tuple(
        Row.mean(
            f"{which}, {CONTROLLED:.0%} of the data, {arm}, {NAMES[score]}, %",
            by_seed(lab, arm, score, which),
        )
        for which in SETS
        for arm in arms
        if arm == BASELINE or arm in study.taught_arms(lab, which)
    )
