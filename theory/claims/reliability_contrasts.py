"""What the experiments on the reliability guide share: effects by set, rows, limits, curves.

Effects are taken seed by seed on each of the three sets, and the least of the three decides: a
guide is to be relied on. Shares of missed defects are also pooled over seeds, with exact
(Clopper-Pearson) intervals. Where a set's networks missed nothing, nothing can be said.

Faults put something else in the place of the guide's score: "labels" the truth itself, "reversed"
its opposite, "silent" a score below and "loud" one above every other.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from neurons.explain.trust_curves import (
    Share,
    Tradeoff,
    auroc,
    clopper_pearson,
    flagged,
    limit_for,
    tradeoff,
)
from theory.claims import reliability_study as study
from theory.claims.cam_contrasts import weakest
from theory.claims.claim import Finding, Lab, Row
from theory.claims.inspection_study_networks import Set
from theory.claims.reliability_study import SETS, Outcome, Scored
from theory.claims.statistics import Comparison, greater, mean_effect

THRESHOLD = "decision threshold"
ALPHA, ALPHAS = 0.1, (0.05, 0.1, 0.2)  # shares of the true negatives that may be flagged
AREA = "area under the ROC curve"

DETECTORS = {
    "softmax confidence": "confidence",
    "margin": "margin",
    "entropy": "entropy",
    "temperature-scaled confidence": "temperature",
    "energy": "energy",
    "scaled energy": "scaled energy",
    "MC dropout": "MC dropout",
    "ensemble": "ensemble",
    "Mahalanobis": "Mahalanobis",
    "trust score": "trust score",
}
LABELS = {"labels": "the truth takes the place of the guide's score"}
REVERSED = {"reversed": "the truth, reversed, takes the place of the guide's score"}
BOTH = {**LABELS, **REVERSED}
SILENT = {"silent": "the guide's scores are below every other"}
LOUD = {"loud": "the guide's scores are above every other"}
FAULTS: Mapping[str, Mapping[str, str]] = {
    "above_chance": BOTH,
    "above_chance_enhanced": BOTH,
    "beats_confidence": BOTH,
    "full_recall_as_stated": {**LABELS, **SILENT},
    "full_recall_price": BOTH,
    "enhancement_recall": {**LABELS, **SILENT},
    "enhancement_cost": {**LOUD, **SILENT},
    "gap_grows": BOTH,
    "gap_turns": BOTH,
    "no_retuning": BOTH,
    "beats_threshold": BOTH,
    "chosen_beats_threshold": BOTH,
    "beats_detectors": BOTH,
    "adds_to_threshold": BOTH,
}

Value = Callable[[Outcome], float]


def claimed(lab: Lab, part: Scored, name: str) -> np.ndarray:
    """A guide's scores, or what a fault puts in their place."""
    if lab.fault in BOTH:
        return np.where(part.missed, 1.0, 0.0) * (1 if lab.fault == "labels" else -1)
    if lab.fault is not None:
        return np.full(part.missed.shape, 2.0 if lab.fault == "loud" else -2.0)
    return part.scores[name]


def outcomes(lab: Lab, which: Set) -> list[Outcome]:
    """One for every seed."""
    return [study.outcome(lab, which, seed) for seed in range(lab.budget.seeds)]


def by_set(lab: Lab, value: Value) -> dict[str, list[float]]:
    """By set, the seeds' values; NaN where a seed's network missed nothing, or all."""
    return {which: [value(found) for found in outcomes(lab, which)] for which in SETS}


def least(lab: Lab, effects: Mapping[str, Sequence[float]], unit: str, **more: Any) -> Finding:
    """The finding that the least of several effects by seed is above zero."""
    known = {name: known_of(values) for name, values in effects.items()}
    note = f"{more.pop('note', '')} {misses(lab)}".strip()
    if not all(len(values) for values in known.values()):
        nothing = [name for name, values in known.items() if not len(values)]
        none = Comparison(0.0, (-float("inf"), float("inf")), 0)
        text = f"Nothing was missed, or nothing was right, on {' and '.join(nothing)}. {note}"
        return Finding("undecided", none, 0.0, unit, note=text, **more)
    status = weakest(known)[1]
    # Shown is the least of those that decide.
    deciding = {name: v for name, v in known.items() if greater(mean_effect(v)) == status}
    name, _, comparison = weakest(deciding)
    controls = more.pop("controls", ())
    return Finding(
        status, comparison, 0.0, unit, note=f"Shown is {name}. {note}", controls=controls, **more
    )


def misses(lab: Lab) -> str:
    """How many defects were missed, for a note."""
    texts = []
    for which in SETS:
        found = outcomes(lab, which)
        missed, defects = (sum(counts) for counts in zip(*map(_counts, found), strict=True))
        texts.append(f"{missed} of {defects} on {which}")
    return f"Missed defects among test pictures: {', '.join(texts)}."


def _counts(found: Outcome) -> tuple[int, int]:
    return int(found.test.missed.sum()), found.defects


def known_of(values: Sequence[float]) -> list[float]:
    """What is a number."""
    return [value for value in values if np.isfinite(value)]


def area(lab: Lab, name: str, found: Outcome) -> float:
    """Area under the ROC curve of a guide's score, or what a fault puts in its place."""
    return auroc(claimed(lab, found.test, name), found.test.missed)


def plain_area(name: str, found: Outcome) -> float:
    """The same of a score that no fault touches."""
    return auroc(found.test.scores[name], found.test.missed)


def area_rows(lab: Lab, names: Mapping[str, str]) -> tuple[Row, ...]:
    """Areas of scores that no fault touches, by set."""
    rows = []
    for label, name in names.items():
        for which, values in by_set(lab, partial(plain_area, name)).items():
            rows += mean_row(f"{which}: {label}, {AREA}", values)
    return tuple(rows)


def mean_row(label: str, values: Sequence[float]) -> list[Row]:
    """A row with the mean over seeds; none where no seed has a number."""
    known = known_of(values)
    return [Row.mean(label, known)] if known else []


def limit(lab: Lab, found: Outcome, name: str, alpha: float, *, guide: bool = True) -> float:
    """A score's limit, from the true negatives among the validation pictures; NaN without any."""
    part = found.validation
    scores = claimed(lab, part, name) if guide else part.scores[name]
    good = scores[~part.missed]
    return limit_for(good, alpha) if good.size else float("nan")


def shares(lab: Lab, name: str, alpha: float, *, guide: bool = True) -> dict[str, list[Share]]:
    """By set, recall and cost of a limit found on validation pictures, pooled over seeds."""
    pooled: dict[str, list[Share]] = {}
    for which in SETS:
        counts = np.zeros((2, 2), int)
        for found in outcomes(lab, which):
            scores = claimed(lab, found.test, name) if guide else found.test.scores[name]
            at, missed = limit(lab, found, name, alpha, guide=guide), found.test.missed
            if np.isfinite(at):
                counts += [flagged(scores[part], at)[:2] for part in (missed, ~missed)]
        pooled[which] = [clopper_pearson(int(hits), int(total)) for hits, total in counts]
    return pooled


def share_rows(lab: Lab, names: Mapping[str, str], alphas: Sequence[float]) -> tuple[Row, ...]:
    """Recall of missed defects and retained true negatives, with exact intervals."""
    rows = []
    for label, name in names.items():
        for alpha in alphas:
            for which, (recall, cost) in shares(lab, name, alpha, guide=False).items():
                at = f"{which}: {label}, limit at {100 * alpha:g} %"
                ends = (100 * recall.low, 100 * recall.high)
                text = f"{at}: {recall.hits} of {recall.total} missed defects flagged, %"
                rows.append(Row(text, 100 * recall.value, ends))
                kept = (100 - 100 * cost.high, 100 - 100 * cost.low)
                rows.append(Row(f"{at}: true negatives kept, %", 100 - 100 * cost.value, kept))
    return tuple(row for row in rows if np.isfinite(row.ours))


def curve(lab: Lab, name: str, found: Outcome, *, guide: bool) -> Tradeoff:
    """The whole trade-off of one seed's test pictures."""
    scores = claimed(lab, found.test, name) if guide else found.test.scores[name]
    return tradeoff(scores, found.test.missed)
