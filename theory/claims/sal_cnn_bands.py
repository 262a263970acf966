"""Experiments on what SAL-CNN looks at, and on the score of the challenge."""

from collections.abc import Mapping

import numpy as np

from neurons.backbones.remaining_life import band_rows
from neurons.data.phm2012 import PERIOD, RATE
from neurons.data.phm2012_challenge import (
    OFFICIAL_RUL,
    RECORDS,
    accuracies,
    percent_errors,
    truncation,
)
from theory.claims import sal_cnn_study as study
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.sal_cnn_networks import BANDS, HIGH, LOW, MULTI, SAL, SIZE
from theory.claims.sal_cnn_study import CLOCK
from theory.claims.statistics import greater, mean_effect

MISPRINTED = "Bearing1_4"
FAULTS: Mapping[str, Mapping[str, str]] = {
    "low_band_matters_more": {
        "swapped": "low and high band change places",
        "low": "hiding the low band costs as much as knowing nothing, 25 points",
    },
    "better_score": {
        "perfect": "SAL-CNN's remaining lives are the true ones",
        "late": "SAL-CNN's remaining lives are all twice the true ones",
    },
}


def harm(lab: Lab, band: str) -> np.ndarray:
    """How much a hidden band raises SAL-CNN's error, `(seeds, bearings)` in points."""
    if lab.fault == "low" and band == LOW:
        return np.full((lab.budget.seeds, len(study.bearings(lab))), 25.0)
    return study.errors(lab, SAL, hidden=band) - study.errors(lab, SAL)


def attributed(lab: Lab, band: str) -> np.ndarray:
    """Share of a band in the integrated gradients, `(seeds, bearings)` in %."""
    rows = band_rows(BANDS[band], SIZE[0], RATE)
    return 100 * np.array(
        [
            [
                float(np.array(study.unit(lab, SAL, name, seed)["attribution"])[rows].sum())
                for name in study.bearings(lab)
            ]
            for seed in range(lab.budget.seeds)
        ]
    )


def low_band_matters_more(lab: Lab) -> Finding:
    """Error added by hiding the lowest 3.2 kHz, less that added by hiding the highest."""
    low, high = (HIGH, LOW) if lab.fault == "swapped" else (LOW, HIGH)
    gaps = harm(lab, low) - harm(lab, high)
    comparison = mean_effect(gaps.mean(axis=1))
    drawn_to = (attributed(lab, low) - attributed(lab, high)).mean(axis=1)
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "points of mean absolute error",
        (
            *(
                Row.mean(f"hidden {band}: error added, points", harm(lab, band).mean(axis=1))
                for band in BANDS
            ),
            *(
                Row.mean(f"{band}: share of the attribution, %", attributed(lab, band).mean(axis=1))
                for band in BANDS
            ),
        ),
        (
            Control.above(
                "It holds over bearings, too, as if they were a sample",
                mean_effect(gaps.mean(axis=0)),
            ),
            Control.above(
                "Hiding the low band raises the error at all",
                mean_effect(harm(lab, low).mean(axis=1)),
            ),
            Control.above("The attribution, too, lies more in the low band", mean_effect(drawn_to)),
        ),
        note="Hidden: set to the training bearings' mean, also the attribution's baseline.",
        series={
            "harm": {band: harm(lab, band).mean(axis=1).tolist() for band in BANDS},
            "share": {band: attributed(lab, band).mean(axis=1).tolist() for band in BANDS},
        },
    )


def actual(lab: Lab, counted: bool = False) -> np.ndarray:
    """True remaining lives of the test bearings in s: the organisers', or by counts of records."""
    found = []
    for name in study.tested(lab):
        one = study.life(lab, name)
        by_count = (one.records - truncation(one)) * PERIOD
        # A life of another length, as a simulated one, has no official entry.
        printed = one.records == RECORDS[name] and not counted
        found.append(OFFICIAL_RUL[name] if printed else by_count)
    return np.array(found)


def er(lab: Lab, arm: str, counted: bool = False) -> np.ndarray:
    """Percent errors of remaining life, `(seeds, test bearings)`; below 0 is late."""
    known = actual(lab, counted)
    if arm == SAL and lab.fault:
        made = known * (2 if lab.fault == "late" else 1)
        return np.tile(percent_errors(known, made), (lab.budget.seeds, 1))
    found = [study.official(lab, arm, seed) for seed in range(lab.budget.seeds)]
    predictions = [[one[name] for name in study.tested(lab)] for one in found]
    return np.array([percent_errors(known, np.array(row)) for row in predictions])


def score(lab: Lab, arm: str, counted: bool = False) -> np.ndarray:
    """The challenge's score by seed, from 0 to 1."""
    return np.asarray(accuracies(er(lab, arm, counted)).mean(axis=1))


def better_score(lab: Lab) -> Finding:
    """The challenge's score on its own split: SAL-CNN less the multi-scale CNN."""
    comparison = mean_effect(score(lab, SAL) - score(lab, MULTI))
    arms = (SAL, MULTI, CLOCK)
    counted = score(lab, SAL, counted=True) - score(lab, MULTI, counted=True)
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "score",
        (
            *(Row.mean(f"{arm}, score", score(lab, arm)) for arm in arms),
            *(
                Row.mean(f"{arm}, score with 2890 s for {MISPRINTED}", score(lab, arm, True))
                for arm in arms
            ),
            *(
                Row.mean(f"{arm}, late predictions, of {len(study.tested(lab))}", _late(lab, arm))
                for arm in arms
            ),
            *(
                Row.mean(f"{arm}, median error of the late ones, %", _lateness(lab, arm))
                for arm in arms
                if (er(lab, arm) < 0).any(axis=1).all()
            ),
            *(
                Row.mean(f"{SAL}, {name}, error, %", er(lab, SAL)[:, place])
                for place, name in enumerate(study.tested(lab))
            ),
        ),
        (
            Control.above(
                f"It holds with the {MISPRINTED} that the records give", mean_effect(counted)
            ),
            Control.above(
                "The score is above that of the mean life of the learning bearings",
                mean_effect(score(lab, SAL) - score(lab, CLOCK)),
            ),
        ),
        note="An error below 0 % is a late prediction: the bearing fails before the time told.",
    )


def _late(lab: Lab, arm: str) -> np.ndarray:
    return np.asarray((er(lab, arm) < 0).sum(axis=1).astype(float))


def _lateness(lab: Lab, arm: str) -> list[float]:
    return [float(np.median(row[row < 0])) for row in er(lab, arm)]
