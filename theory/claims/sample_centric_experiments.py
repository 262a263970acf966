"""Experiments on sample-centric learning: the joint network against the same one that segments.

Systems, choices and test pictures are those of `sample_centric_study`. An experiment compares two
systems by a score, the mean over a seed's test pictures, paired by seed, on magnetic tiles; drawn
tiles stand beside them. A claim about better decisions is also held against what decides whether
multi-task learning adds anything: a separate classifier beside the mask-only network.
"""

from collections.abc import Mapping

import numpy as np

from neurons.inspection.strata import QUARTERS
from theory.claims import sample_centric_gradients as gradients
from theory.claims.cam_contrasts import weakest
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.sample_centric_scores import (
    COMPARED,
    SETS,
    by_seed,
    gain,
    located,
    names,
    outcome,
    outcomes,
    rows,
    rules,
    seeds,
)
from theory.claims.sample_centric_study import BY_RULE, JOINT, MASK, PLAIN, SHUFFLED, TAUS, TWO
from theory.claims.statistics import greater, mean_effect, same

POINTS = "points"
LITTLE = 2.0  # points of mIoU that "changes little" and "not worse" may mean
CAUGHT = "defects found at 5 % false alarms, %"
SWAPPED = {"swapped": "joint and mask-only network change places"}
PERFECT = {"perfect": "the joint network's every answer is right"}
FAULTS: Mapping[str, Mapping[str, str]] = {
    "fewer_misses": SWAPPED | PERFECT,
    "better_f1": SWAPPED | PERFECT,
    "sample_metrics_rise": SWAPPED | PERFECT,
    "classical_miou_stays": {
        "perfect": PERFECT["perfect"],
        "same": "the mask-only network stands in both places",
    },
    "small_gain_most": {"reversed": "the quarters are numbered from the largest", **PERFECT},
    "low_contrast_gain_most": {
        "reversed": "the quarters are numbered from the highest contrast",
        **PERFECT,
    },
    "boundaries_stay": {"blank": "the joint network marks nothing", **PERFECT},
    **gradients.FAULTS,
    "ranking_reversal": {
        "same": "one system stands in both places",
        "planted": "the second system finds all, and marks everything",
    },
}


def fewer_misses(lab: Lab) -> Finding:
    """Share of the defective test pictures found at 5 % false alarms: joint less mask only."""
    gains = gain(lab, "caught")
    comparison = mean_effect(gains)
    drawn = mean_effect(gain(lab, "caught", which="drawn"))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        f"{POINTS} of defects found",
        (
            *rows(lab, "caught", CAUGHT),
            *rows(lab, "auc", "area under the ROC curve, %", COMPARED),
            *rows(lab, "recall", "recall at the chosen threshold, %", COMPARED),
            *rows(lab, "false_alarms", "false alarms at the chosen threshold, %", COMPARED),
        ),
        (
            Control.above("It holds on drawn tiles, too", drawn),
            Control.above(
                "Joint training adds to a separate classifier beside the mask-only network",
                mean_effect(gain(lab, "caught", theirs=TWO)),
            ),
            Control.above(
                "The masks themselves decide better, without the classifier",
                mean_effect(gain(lab, "caught", ours="joint, by mask")),
            ),
            Control.above(
                "On drawn tiles true sample labels do better than those of other pictures",
                mean_effect(gain(lab, "caught", theirs=SHUFFLED, which="drawn")),
            ),
        ),
        f"{rules(lab)} The height of the ROC curve orders systems at one rate of false alarms; "
        "the thresholds of the last rows were chosen on validation pictures for at most 5 %.",
        series={
            which: {name: by_seed(lab, name, "caught", which) for name in names(which)}
            for which in SETS
        },
    )


def better_f1(lab: Lab) -> Finding:
    """F1 of the decision about pictures, thresholds chosen for it: joint less mask only."""
    comparison = mean_effect(gain(lab, "best_f1"))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        f"{POINTS} of F1",
        rows(lab, "best_f1", "F1 of the pictures, %", COMPARED),
        (
            Control.above(
                "It holds on drawn tiles, too", mean_effect(gain(lab, "best_f1", which="drawn"))
            ),
            Control.above(
                "Joint training adds to a separate classifier beside the mask-only network",
                mean_effect(gain(lab, "best_f1", theirs=TWO)),
            ),
        ),
    )


def sample_metrics_rise(lab: Lab) -> Finding:
    """The lesser of the gains of Seg_mIoU and Seg_Recall."""
    gains = {name: gain(lab, score) for name, score in _SAMPLE_SCORES.items()}
    least, status, comparison = weakest(gains)
    drawn = {name: gain(lab, s, which="drawn") for name, s in _SAMPLE_SCORES.items()}
    more = [f"seg_recall({tau:g})" for tau in TAUS[1:]]
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        (
            *(
                r
                for name, score in _SAMPLE_SCORES.items()
                for r in rows(lab, score, f"{name}, %", COMPARED)
            ),
            *rows(lab, "seg_miou_pos", "Seg_mIoU of the defective, %", COMPARED),
            *rows(lab, "seg_precision", "Seg_Precision, %", COMPARED),
            *(r for score in more for r in rows(lab, score, f"{_titled(score)}, %", COMPARED)),
        ),
        (
            *(
                Control.above(f"{name} rises", mean_effect(values))
                for name, values in gains.items()
            ),
            *(
                Control.above(f"{name} rises on drawn tiles", mean_effect(values))
                for name, values in drawn.items()
            ),
        ),
        f"The lesser gain: {least}.",
        {"outcomes": {name: outcomes(lab, name) for name in (MASK, JOINT, TWO)}},
    )


_SAMPLE_SCORES: Mapping[str, str] = {"Seg_mIoU": "seg_miou", "Seg_Recall": "seg_recall"}


def classical_miou_stays(lab: Lab) -> Finding:
    """Pooled mIoU of the masks: joint less mask only, which should be little."""
    comparison = mean_effect(gain(lab, "pooled_miou"))
    drawn = mean_effect(gain(lab, "pooled_miou", which="drawn"))
    return Finding(
        same(comparison, LITTLE),
        comparison,
        LITTLE,
        f"{POINTS} of mIoU",
        (
            *rows(lab, "pooled_miou", "mIoU of all pixels together, %", (MASK, JOINT)),
            *rows(lab, "pooled_iou", "IoU of the defect, all pixels together, %", (MASK, JOINT)),
            *rows(lab, "mean_iou_empty_one", "mean IoU, empty on empty as 1, %", (MASK, JOINT)),
        ),
        (
            Control(
                "It changes little on drawn tiles",
                same(drawn, LITTLE),
                drawn.effect,
                drawn.interval,
            ),
        ),
        "Masks as the networks mark them, whatever the decision about the picture.",
        test="same",
    )


def small_gain_most(lab: Lab) -> Finding:
    """Gain in located defects in the smallest quarter less that in the other three."""
    return _concentrated(lab, "area", "smallest")


def low_contrast_gain_most(lab: Lab) -> Finding:
    """Gain in located defects in the quarter of lowest contrast less that in the other three."""
    return _concentrated(lab, "contrast", "faintest")


def _concentrated(lab: Lab, by: str, first: str) -> Finding:
    ours, theirs = (located(lab, name, by) for name in (JOINT, MASK))
    if lab.fault == "perfect":
        # Everything is located, and had been but for the first quarter.
        ours, theirs = np.ones_like(ours), np.ones_like(theirs)
        theirs[:, 0] = 0
    change = 100 * (ours - theirs)
    if lab.fault == "reversed":
        change = change[:, ::-1]
    comparison = mean_effect(change[:, 0] - change[:, 1:].mean(axis=1))
    drawn = 100 * (located(lab, JOINT, by, "drawn") - located(lab, MASK, by, "drawn"))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        f"{POINTS} of defects located",
        tuple(
            Row.mean(f"{name}, quarter {number + 1} by {by}, located, %", 100 * values[:, number])
            for name, values in ((MASK, theirs), (JOINT, ours))
            for number in range(QUARTERS)
        ),
        (
            Control.above(f"The {first} quarter itself gains", mean_effect(change[:, 0])),
            Control.above(
                "On drawn tiles the gain is greatest there, too",
                mean_effect(drawn[:, 0] - drawn[:, 1:].mean(axis=1)),
            ),
        ),
        f"Quarters by {by} of the defects of all test pictures of the set, the same for all seeds; "
        "located: called defective at the chosen threshold, with overlapping masks.",
        {
            which: [
                {
                    name: (100 * located(lab, name, by, which)[:, q]).tolist()
                    for name in (MASK, JOINT)
                }
                for q in range(QUARTERS)
            ]
            for which in SETS
        },
    )


def boundaries_stay(lab: Lab) -> Finding:
    """Boundary F of the masks: joint less mask only, not more than 2 points below."""
    gains = gain(lab, "boundary")
    if lab.fault == "blank":
        gains = [-value for value in by_seed(lab, MASK, "boundary")]
    comparison = mean_effect(gains)
    drawn = mean_effect(gain(lab, "boundary", which="drawn"))
    return Finding(
        greater(comparison, -LITTLE),
        comparison,
        -LITTLE,
        f"{POINTS} of boundary F",
        rows(lab, "boundary", "boundary F within 2 pixels, %", (MASK, JOINT)),
        (Control.above("On drawn tiles they stay, too", drawn, -LITTLE),),
    )


def ranking_reversal(lab: Lab) -> Finding:
    """The lesser of two leads: one system in mIoU, another in Seg_Recall."""
    found = [outcome(lab, "tiles", seed)["reversal"] for seed in range(lab.budget.seeds)]
    least = [100 * record["least"] for record in found]
    if lab.fault == "same":
        # Its leads over itself are rounding alone, of either sign.
        least = [-1e-9 * (1 + seed) for seed in range(len(found))]
    if lab.fault == "planted":
        least = [100 * min(record["miou"][0], 1 - record["recall"][0]) for record in found]
    comparison = mean_effect(least)
    labels = ("the one that mIoU prefers", "the one that Seg_Recall prefers")
    pairs = [" over ".join(record["names"]) for record in found]
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        POINTS,
        tuple(
            Row.mean(f"{label}, {title}, %", [100 * record[score][place] for record in found])
            for score, title in (("miou", "mIoU of all pixels together"), ("recall", "Seg_Recall"))
            for place, label in enumerate(labels)
        ),
        (
            Control.above(
                "It can be shown on drawn tiles, too",
                mean_effect(
                    [100 * outcome(lab, "drawn", s)["reversal"]["least"] for s in seeds(lab)]
                ),
            ),
        ),
        "For each seed the pair is chosen on validation pictures, and shown on test pictures; mIoU "
        "of what a system reports, nothing where it says free. Among the systems are some that "
        "differ only in the level from which on a pixel is marked, and any such pixel makes a "
        f"picture defective. Pairs: {'; '.join(pairs)}.",
        {
            "systems": {
                name: {
                    "miou": by_seed(lab, name, "reported_miou"),
                    "recall": by_seed(lab, name, "seg_recall"),
                }
                for name in (MASK, JOINT, *BY_RULE, TWO, *PLAIN)
            },
            "pairs": [record["names"] for record in found],
            "miou": [[100 * v for v in record["miou"]] for record in found],
            "recall": [[100 * v for v in record["recall"]] for record in found],
        },
    )


def _titled(score: str) -> str:
    return score.replace("seg_recall", "Seg_Recall")
