"""Experiments on how the reliability guide ranks pictures; see `reliability_study`."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from neurons.explain.trust_curves import auroc, average_precision
from theory.claims import reliability_study as study
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.inspection_study_networks import Set
from theory.claims.reliability_contrasts import (
    ALPHA,
    AREA,
    DETECTORS,
    THRESHOLD,
    area,
    area_rows,
    by_set,
    claimed,
    known_of,
    least,
    mean_row,
    outcomes,
    plain_area,
)
from theory.claims.reliability_series import histograms, places, sheet
from theory.claims.reliability_study import CHOSEN, GUIDE, LEVELS, NO_MAP, SETS, Outcome, named
from theory.claims.statistics import below, mean_effect

ALIKE = ("confidence", "margin", "entropy", "temperature")
SAME = 0.05  # area under the curve


def above_chance(lab: Lab) -> Finding:
    """The plain difference tells missed defects from true negatives."""
    names = {"difference": "diff", "spec1": "spec1", "spec0": "spec0"}
    names |= {f"difference, {v}": named(v) for v in study.GUIDES if v}
    effects = by_set(lab, lambda found: area(lab, "diff", found) - 0.5)
    return least(
        lab,
        effects,
        AREA,
        rows=(*area_rows(lab, names), *precision_rows(lab, names), *empty_rows(lab)),
        series={"histograms": histograms(lab, ("diff", GUIDE)), "sheet": sheet(lab, GUIDE, ALPHA)},
        note="Effects are areas less 0.5.",
    )


def precision_rows(lab: Lab, names: Mapping[str, str]) -> tuple[Row, ...]:
    """Average precision of the first score beside that of chance, by set."""
    name = next(iter(names.values()))
    rows = []
    for which in SETS:
        tests = [found.test for found in outcomes(lab, which)]
        values = [average_precision(test.scores[name], test.missed) for test in tests]
        rows += mean_row(f"{which}: difference, average precision", values)
        shares = [float(test.missed.mean()) if test.missed.size else np.nan for test in tests]
        rows += mean_row(f"{which}: chance, average precision", shares)
    return tuple(rows)


def empty_rows(lab: Lab) -> tuple[Row, ...]:
    """Shares of images whose map of the defect is empty."""
    rows = []
    for which in SETS:
        for truth, text in (("missed", "missed defects"), ("normal", "true negatives")):
            values = [100 * found.empty[truth][1] for found in outcomes(lab, which)]
            rows += mean_row(f"{which}: empty map of the defect, {text}, %", values)
    return tuple(rows)


def above_chance_enhanced(lab: Lab) -> Finding:
    """So does the difference after one step towards the defect."""
    names = {f"A1, {level}/255": named(level=level) for level in LEVELS}
    names |= {f"margin after A1, {level}/255, no map": f"margin + A1 {level}" for level in LEVELS}
    slow = {"plain": "diff", "A1": GUIDE, "A2": "diff + A2", "A3": "diff + A3"}
    rows = list(area_rows(lab, names))
    for label, name in slow.items():
        for which in SETS:
            tried = [found.tried for found in outcomes(lab, which)]
            values = [auroc(part.scores[name], part.missed) for part in tried]
            rows += mean_row(f"{which}: {label} on the pictures of A2 and A3, {AREA}", values)
    effects = by_set(lab, lambda found: area(lab, GUIDE, found) - 0.5)
    return least(lab, effects, AREA, rows=tuple(rows), note="Effects are areas less 0.5.")


def beats_confidence(lab: Lab) -> Finding:
    """The guide that is best on validation pictures ranks better than softmax confidence."""

    def gain(found: Outcome) -> float:
        return area(lab, CHOSEN, found) - plain_area("confidence", found)

    names = {CHOSEN: CHOSEN, GUIDE: GUIDE, "guide, plain": "diff", NO_MAP: NO_MAP}
    names |= {THRESHOLD: THRESHOLD, **DETECTORS}
    return least(
        lab,
        by_set(lab, gain),
        AREA,
        rows=area_rows(lab, names),
        controls=(_one_ranking(lab),),
        series={"areas": _areas(lab, names)},
        note=f"Chosen on validation pictures: {_choices(lab)}.",
    )


def _areas(lab: Lab, names: Mapping[str, str]) -> dict[str, dict[str, list[float]]]:
    """By set and label, the seeds' areas."""
    found: dict[str, dict[str, list[float]]] = {which: {} for which in SETS}
    for label, name in names.items():
        for which, values in by_set(lab, partial(plain_area, name)).items():
            found[which][label] = known_of(values)
    return found


def _choices(lab: Lab) -> str:
    names = [found.chosen["guide"] for which in SETS for found in outcomes(lab, which)]
    kinds = sorted(set(names), key=names.count, reverse=True)
    return ", ".join(f"{kind!r} {names.count(kind)} times" for kind in kinds[:3])


def _one_ranking(lab: Lab) -> Control:
    """Of two classes, what looks at the logits' difference alone ranks as the threshold does."""
    gaps = [
        abs(plain_area(name, found) - plain_area(THRESHOLD, found))
        for which in SETS
        for found in outcomes(lab, which)
        for name in ALIKE
    ]
    comparison = mean_effect(known_of(gaps) or [0.0])
    question = "confidence, margin, entropy and temperature rank as a lowered threshold does"
    return Control(question, below(comparison, 0.01), comparison.effect, comparison.interval)


def gap(lab: Lab, level: float | int, found: Outcome, *, guide: bool = True) -> float:
    """Mean score of missed defects less that of true negatives."""
    name, missed = named(level=level), found.test.missed
    scores = claimed(lab, found.test, name) if guide else found.test.scores[name]
    if missed.all() or not missed.any():
        return float("nan")
    return float(scores[missed].mean() - scores[~missed].mean())


def best_level(found: Outcome, levels: Sequence[float | int] = LEVELS) -> float | int:
    """The radius with the widest gap on the validation pictures."""
    part = found.validation
    if part.missed.all() or not part.missed.any():
        return levels[0]
    scores = {level: part.scores[named(level=level)] for level in levels}
    return max(
        levels, key=lambda n: float(scores[n][part.missed].mean() - scores[n][~part.missed].mean())
    )


def gap_grows(lab: Lab) -> Finding:
    """The gap between missed defects and true negatives grows with the radius."""
    rows = []
    for level in (0, *LEVELS):
        gaps = by_set(lab, partial(gap, lab, level, guide=False))
        for which, values in gaps.items():
            rows += mean_row(f"{which}: gap at {level}/255", values)
    effects = by_set(lab, lambda f: gap(lab, best_level(f), f) - gap(lab, 0, f, guide=False))
    return least(
        lab,
        effects,
        "difference of mean scores",
        rows=tuple(rows),
        series={"levels": [0, *LEVELS], **_by_level(lab)},
        note="Of the radii the one with the widest gap on the validation pictures.",
    )


def _by_level(lab: Lab) -> dict[str, dict[str, list[list[float]]]]:
    """By set, gaps and areas: a list of seeds for every radius."""
    found: dict[str, dict[str, list[list[float]]]] = {"gaps": {}, "areas": {}}
    for which in SETS:
        parts = [o for o in outcomes(lab, which) if np.isfinite(gap(lab, 0, o, guide=False))]
        levels = (0, *LEVELS)
        found["gaps"][which] = [[gap(lab, n, o, guide=False) for o in parts] for n in levels]
        found["areas"][which] = [[plain_area(named(level=n), o) for o in parts] for n in levels]
    return found


def gap_turns(lab: Lab) -> Finding:
    """Up to a point: at the largest radius the gap is narrower than at a smaller one."""
    *smaller, largest = LEVELS

    def loss(found: Outcome) -> float:
        best = best_level(found, smaller)
        return gap(lab, best, found) - gap(lab, largest, found, guide=False)

    note = f"{largest}/255 against the smaller radius with the widest gap on validation pictures."
    return least(lab, by_set(lab, loss), "difference of mean scores", note=note)


def no_retuning(lab: Lab) -> Finding:
    """Threshold and radius that were chosen on tiles tell missed defects on the other sets."""

    def carried(which: Set) -> list[float]:
        pairs = zip(outcomes(lab, "tiles"), outcomes(lab, which), strict=True)
        return [area(lab, of.chosen["enhanced"], found) for of, found in pairs]

    others: tuple[Set, ...] = tuple(which for which in SETS if which != "tiles")
    effects = {str(which): [a - 0.5 for a in carried(which)] for which in others}
    own = by_set(lab, lambda found: area(lab, found.chosen["enhanced"], found))
    rows = [
        row
        for which in others
        for row in (
            *mean_row(f"{which}: chosen on tiles, {AREA}", carried(which)),
            *mean_row(f"{which}: chosen on its own validation pictures, {AREA}", own[which]),
        )
    ]
    lost = [o - c for which in others for o, c in zip(own[which], carried(which), strict=True)]
    comparison = mean_effect(known_of(lost) or [0.0])
    text = f"choosing them anew would gain less than {SAME} of the {AREA}"
    control = Control(text, below(comparison, SAME), comparison.effect, comparison.interval)
    note = "Effects are areas less 0.5."
    return least(lab, effects, AREA, rows=tuple(rows), controls=(control,), note=note)


def adds_to_threshold(lab: Lab) -> Finding:
    """Guide and threshold together rank better than the threshold alone."""

    def gain(found: Outcome) -> float:
        good = ~found.validation.missed
        if not good.any():
            return float("nan")
        ours = places(claimed(lab, found.test, GUIDE), claimed(lab, found.validation, GUIDE)[good])
        theirs = places(found.test.scores[THRESHOLD], found.validation.scores[THRESHOLD][good])
        missed = found.test.missed
        return auroc(ours + theirs, missed) - auroc(theirs, missed)

    text = "Each score is replaced by its place among the true negatives for choosing, and summed."
    return least(lab, by_set(lab, gain), AREA, note=text)
