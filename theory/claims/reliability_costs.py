"""Experiments on what the reliability guide finds and costs; see `reliability_study`."""

from functools import partial

import numpy as np

from theory.claims.claim import Control, Finding, Lab
from theory.claims.reliability_contrasts import (
    ALPHA,
    ALPHAS,
    DETECTORS,
    THRESHOLD,
    by_set,
    claimed,
    curve,
    known_of,
    least,
    limit,
    mean_row,
    misses,
    outcomes,
    share_rows,
    shares,
)
from theory.claims.reliability_series import pooled_curves
from theory.claims.reliability_study import (
    CHOSEN,
    ENHANCED,
    GUIDE,
    LEVELS,
    NO_MAP,
    PLAIN,
    SETS,
    Outcome,
    named,
)
from theory.claims.statistics import Comparison, Status, mean_effect

FULL = 0.9  # lower end of an interval that may be called full recall
POINTS = "points of recall"
EQUAL = f"Recall where each flags {100 * ALPHA:g} % of a seed's true negatives among test pictures."


def full_recall_as_stated(lab: Lab) -> Finding:
    """With enhancement every missed defect is flagged; a single one that is not refutes it."""
    found = {which: recall for which, (recall, _) in shares(lab, GUIDE, max(ALPHAS)).items()}
    worst = min(found.values(), key=lambda share: (share.value if share.total else 2.0, share.low))
    status: Status = "undecided"
    if any(share.hits < share.total for share in found.values()):
        status = "refuted"
    elif min(share.low for share in found.values()) > FULL:
        status = "supported"
    effect = worst.value if worst.total else 0.0
    return Finding(
        status,
        Comparison(effect, (worst.low, worst.high), lab.budget.seeds),
        FULL,
        "recall of missed defects",
        share_rows(lab, {"guide, plain": "diff", GUIDE: GUIDE}, ALPHAS),
        note="The worst set, missed defects pooled over seeds, exact interval; limit at "
        f"{100 * max(ALPHAS):g} % of the true negatives for choosing. {misses(lab)}",
    )


def full_recall_price(lab: Lab) -> Finding:
    """Full recall by the guide costs fewer true negatives than by a lowered threshold."""

    def saved(found: Outcome) -> float:
        ours = curve(lab, GUIDE, found, guide=True).cost_at(1.0)
        return 100 * (curve(lab, THRESHOLD, found, guide=False).cost_at(1.0) - ours)

    rows = []
    for label, name in {
        "guide, plain": "diff",
        GUIDE: GUIDE,
        THRESHOLD: THRESHOLD,
        **DETECTORS,
    }.items():
        for which in SETS:
            costs = [curve(lab, name, f, guide=False).cost_at(1.0) for f in outcomes(lab, which)]
            kept = [100 - 100 * cost for cost in costs]
            rows += mean_row(f"{which}: {label}, true negatives kept at full recall, %", kept)
    text = "Here each seed's threshold is the largest that flags all its missed test defects."
    return least(
        lab, by_set(lab, saved), "points of true negatives kept", rows=tuple(rows), note=text
    )


def _change(lab: Lab, name: str, of_missed: bool, found: Outcome) -> float:
    """Points flagged by enhanced scores less those by plain ones, at the plain ones' limit."""
    at = limit(lab, found, "diff", ALPHA, guide=False)
    part = found.test.missed == of_missed
    if not (np.isfinite(at) and part.any()):
        return float("nan")
    moved = claimed(lab, found.test, name)[part]
    return 100 * float((moved > at).mean() - (found.test.scores["diff"][part] > at).mean())


def _enhancement(lab: Lab, of_missed: bool) -> Finding:
    rows, units = [], {True: POINTS, False: "points of true negatives flagged"}
    for level in LEVELS:
        for part, unit in units.items():
            for which, values in by_set(
                lab, partial(_change, lab, named(level=level), part)
            ).items():
                rows += mean_row(f"{which}: A1 by {level}/255, {unit}", values)
    effects = by_set(lab, partial(_change, lab, GUIDE, of_missed))
    note = f"Limit of the plain score at {100 * ALPHA:g} % of the true negatives for choosing."
    return least(lab, effects, units[of_missed], rows=tuple(rows), note=note)


def enhancement_recall(lab: Lab) -> Finding:
    """At a fixed limit the enhancement raises the recall of missed defects."""
    return _enhancement(lab, of_missed=True)


def enhancement_cost(lab: Lab) -> Finding:
    """At a fixed limit the enhancement flags more true negatives."""
    return _enhancement(lab, of_missed=False)


def recall_at(lab: Lab, name: str, found: Outcome, *, guide: bool = False) -> float:
    """Recall of missed test defects at the cost of a tenth of the test true negatives, %."""
    return 100 * curve(lab, name, found, guide=guide).recall_at(ALPHA)


def _gain(lab: Lab, ours: str, theirs: str, found: Outcome, *, guide: bool = True) -> float:
    """Points of recall by which one score exceeds another."""
    return recall_at(lab, ours, found, guide=guide) - recall_at(lab, theirs, found)


def beats_threshold(lab: Lab) -> Finding:
    """At equal cost the guide recalls more than a lowered decision threshold."""
    questions = {
        "diff": "without enhancement the guide recalls more than the threshold, over all sets",
        NO_MAP: "the margin after A1, no map, recalls more than the threshold, over all sets",
    }
    every = {THRESHOLD: THRESHOLD, "guide, plain": "diff", GUIDE: GUIDE, CHOSEN: CHOSEN}
    every |= DETECTORS
    return least(
        lab,
        by_set(lab, partial(_gain, lab, GUIDE, THRESHOLD)),
        POINTS,
        rows=share_rows(lab, every, (ALPHA,)),
        controls=tuple(_over_sets(lab, name, text) for name, text in questions.items()),
        series={"curves": pooled_curves(lab, every)},
        note=f"{EQUAL} The rows' limits are from validation pictures, their counts pooled over "
        "seeds.",
    )


def chosen_beats_threshold(lab: Lab) -> Finding:
    """So does the variant of the guide that is best on validation pictures."""
    rows = []
    for name in (CHOSEN, THRESHOLD):
        for which, values in by_set(lab, partial(recall_at, lab, name)).items():
            rows += mean_row(f"{which}: {name}, recall at {100 * ALPHA:g} % cost, %", values)
    effects = by_set(lab, partial(_gain, lab, CHOSEN, THRESHOLD))
    together = _over_sets(lab, CHOSEN, "over all sets and seeds together it recalls more")
    note = f"{EQUAL} Chosen of {len(PLAIN + ENHANCED)} variants, plain and after A1."
    return least(lab, effects, POINTS, rows=tuple(rows), controls=(together,), note=note)


def _over_sets(lab: Lab, name: str, question: str) -> Control:
    """Whether a score recalls more than the threshold, seeds and sets together."""
    gains = by_set(lab, partial(_gain, lab, name, THRESHOLD, guide=False))
    known = known_of([gain for values in gains.values() for gain in values])
    return Control.above(question, mean_effect(known or [0.0]))


def beats_detectors(lab: Lab) -> Finding:
    """At equal cost the guide recalls more than each detector that was there before."""
    effects: dict[str, list[float]] = {}
    rows = []
    for label, name in {GUIDE: GUIDE, **DETECTORS}.items():
        if name != GUIDE:
            gains = by_set(lab, partial(_gain, lab, GUIDE, name))
            effects |= {f"{which} against {label}": values for which, values in gains.items()}
        for which, values in by_set(lab, partial(recall_at, lab, name)).items():
            rows += mean_row(f"{which}: {label}, recall at {100 * ALPHA:g} % cost, %", values)
    return least(lab, effects, POINTS, rows=tuple(rows))
