"""Scores of the systems of the study on sample-centric learning, by seed, and what faults replace.

All are in percent of their range.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurons.inspection.sample_metrics import OUTCOMES
from neurons.inspection.strata import by_quartile, quartile
from theory.claims import sample_centric_study as study
from theory.claims import side_by_side
from theory.claims.claim import Lab, Row
from theory.claims.sample_centric_networks import Which
from theory.claims.sample_centric_study import BY_RULE, JOINT, MASK, SHUFFLED, TWO

SETS: tuple[Which, ...] = ("tiles", "drawn")
TITLES: Mapping[str, str] = {"tiles": "magnetic tiles", "drawn": "drawn tiles"}
COMPARED = (MASK, JOINT, TWO)


def outcome(lab: Lab, which: Which, seed: int) -> dict[str, Any]:
    """As of the study."""
    return study.outcome(lab, which, seed)


def pieces(lab: Lab) -> side_by_side.Pieces:
    """The outcomes of each set and seed, which need no others, as functions that keep them."""
    return side_by_side.by_seed(lab, outcome, SETS)


def by_seed(lab: Lab, name: str, score: str, which: Which = "tiles") -> list[float]:
    """A score of a system on each seed's test pictures, in percent."""
    found = [outcome(lab, which, seed)["systems"][name] for seed in seeds(lab)]
    return [100 * record[score] for record in found]


def gain(
    lab: Lab, score: str, ours: str = JOINT, theirs: str = MASK, which: Which = "tiles"
) -> list[float]:
    """By seed, the score of one system less another's; what the faults replace."""
    first, second = by_seed(lab, ours, score, which), by_seed(lab, theirs, score, which)
    if lab.fault == "swapped":
        first, second = second, first
    if lab.fault == "perfect":
        first = [100.0] * len(first)
    if lab.fault == "same":
        first = second
    return [one - other for one, other in zip(first, second, strict=True)]


def located(lab: Lab, name: str, by: str, which: Which = "tiles") -> np.ndarray:
    """Share of the defects located in each quarter, `(seeds, quarters)`.

    Quarters are of the defects of all seeds' test pictures, each picture once. One that a seed has
    no defect of counts like the mean of the seed's others.
    """
    found = [outcome(lab, which, seed) for seed in seeds(lab)]
    reference = np.concatenate([_measured(one, by) for one in found])
    shares = np.stack(
        [_located(one, name, quartile(_measured(one, by), reference)) for one in found]
    )
    return np.where(np.isnan(shares), np.nanmean(shares, axis=1, keepdims=True), shares)


def _located(found: Mapping[str, Any], name: str, quarters: np.ndarray) -> np.ndarray:
    told = np.array(found["systems"][name]["outcome"])
    return by_quartile((told == "located").astype(float), quarters)


def rows(lab: Lab, score: str, unit: str, shown: Sequence[str] = ()) -> tuple[Row, ...]:
    """A system a row, on both sets; all systems, unless some are named."""
    return tuple(
        Row.mean(f"{name}, {TITLES[which]}, {unit}", by_seed(lab, name, score, which))
        for which in SETS
        for name in shown or names(which)
    )


def names(which: Which) -> tuple[str, ...]:
    """Systems that there are of a set."""
    return (MASK, JOINT, *BY_RULE, TWO, *((SHUFFLED,) if which == "drawn" else ()))


def _measured(found: Mapping[str, Any], by: str) -> np.ndarray:
    """Area or contrast of every test picture; NaN without a defect."""
    values = np.array(found[by], float)
    return np.where(np.array(found["area"]) > 0, values, np.nan)


def outcomes(lab: Lab, name: str) -> dict[str, float]:
    """What became of the test pictures of all seeds, in percent of them."""
    told = [o for s in seeds(lab) for o in outcome(lab, "tiles", s)["systems"][name]["outcome"]]
    return {kind: 100 * told.count(kind) / len(told) for kind in OUTCOMES}


def rules(lab: Lab) -> str:
    """Which rules decide for the joint network, as a sentence."""
    chosen = [outcome(lab, "tiles", seed)["systems"][JOINT]["rule"] for seed in seeds(lab)]
    return f"Rules chosen for the joint network: {', '.join(chosen)}."


def seeds(lab: Lab) -> range:
    """The budget's."""
    return range(lab.budget.seeds)
