"""Experiments on training with a network's own saliency maps as prior knowledge.

All compare networks that differ in what they were taught alone (`knowledge_prior_study`): paired by
seed, on the same test pictures, points of a hundred. A claim about every set, or every control, is
as good as its weakest comparison.

Two faults serve most claims: certain answers by chance, or the truth itself, take the place of the
method's answers, and smooth noise, or the masks, that of its maps.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from neurons.inspection.prior_arms import KNOWLEDGE, PLAIN, TWICE
from theory.claims import inspection_study as inspected
from theory.claims import knowledge_prior_contrasts as contrasts
from theory.claims import knowledge_prior_study as study
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, verdict
from theory.claims.inspection_study_networks import SETS, Set
from theory.claims.knowledge_prior_contrasts import MOST, NAMES, PRETENDED
from theory.claims.knowledge_prior_study import BASELINE, CONTROLLED, FRACTIONS
from theory.claims.statistics import below, greater, mean_effect, same

LEAST = FRACTIONS[0]
MASKED: tuple[Set, ...] = ("tiles", "drawn")
ENSEMBLE, MASK = "ensemble", "true mask"
WRONG = ("another image's map", "centre blob")
DISTILLED = ("logit distillation", "attention transfer")
LONGER = (PLAIN, TWICE)
MARGIN_ECE = 1.0  # points of calibration error that "not worse" may mean
MARGIN_LATENCY = 0.1  # of the time

BACKWARDS: Mapping[str, str] = {"backwards": "the shares of the data are read backwards"}
LEFT_OUT: Mapping[str, str] = {"both_networks": "the first network stays beside the second in use"}
FAULTS: Mapping[str, Mapping[str, str]] = {
    "accuracy": PRETENDED,
    "precision": PRETENDED,
    "data_efficiency": BACKWARDS,
    "few_data": PRETENDED,
    "same_network": LEFT_OUT,
    "same_time": LEFT_OUT,
    "concentrated": PRETENDED,
    "spread": PRETENDED,
    "in_the_defect": PRETENDED,
    "smaller_gap": PRETENDED,
    "calibration": PRETENDED,
    "beats_longer_training": PRETENDED,
    "beats_wrong_maps": PRETENDED,
    "beats_distillation": PRETENDED,
    "beats_ensemble": PRETENDED,
    "masks_are_better": {"same": "the method's own outcome takes the masks' place"},
}


def accuracy(lab: Lab) -> Finding:
    """The least gain of accuracy over three sets, at all of the data."""
    return _gains(lab, "accuracy")


def precision(lab: Lab) -> Finding:
    """The least gain of average precision over three sets, at all of the data."""
    return _gains(lab, "ap")


def data_efficiency(lab: Lab) -> Finding:
    """How much larger the gain is at a tenth of the data than at all of it, on the worst set."""
    curves = {
        which: {f: contrasts.gain(lab, "ap", which, f) for f in FRACTIONS}
        for which in inspected.SETS
    }
    ends = (MOST, LEAST) if lab.fault else (LEAST, MOST)
    growth = {
        which: contrasts.less(curve[ends[0]], curve[ends[1]]) for which, curve in curves.items()
    }
    rows = tuple(
        Row.mean(f"{which}, {f:.0%} of the data, gain of average precision, points", values)
        for which, curve in curves.items()
        for f, values in curve.items()
    )
    more = {f: contrasts.mean_over_sets([curve[f] for curve in curves.values()]) for f in FRACTIONS}
    at_least = mean_effect(more[LEAST])
    return contrasts.all_of(
        growth,
        "points of average precision",
        rows=rows,
        controls=(
            Control.above("At a tenth of the data it gains on average over the sets", at_least),
        ),
        series={
            "fractions": list(FRACTIONS),
            "gains": {
                score: {
                    which: [contrasts.gain(lab, score, which, f) for f in FRACTIONS]
                    for which in SETS
                }
                for score in NAMES
            },
            "levels": {
                which: {
                    arm: [contrasts.by_seed(lab, arm, "ap", which, f) for f in FRACTIONS]
                    for arm in (BASELINE, KNOWLEDGE)
                }
                for which in SETS
            },
            "controls": {
                which: {
                    arm: contrasts.gain(lab, "ap", which, arm=arm)
                    for arm in study.taught_arms(lab, which)
                }
                for which in SETS
            },
            "controlled": CONTROLLED,
        },
    )


def few_data(lab: Lab) -> Finding:
    """Gain of average precision at a tenth of the data, mean over the sets."""
    gains = {which: contrasts.gain(lab, "ap", which, LEAST) for which in SETS}
    surer = {which: contrasts.gain(lab, "ece", which, LEAST) for which in SETS}
    comparison = mean_effect(contrasts.mean_over_sets(list(gains.values())))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "points of average precision",
        tuple(
            Row.mean(f"{which}, {LEAST:.0%} of the data, gain of {name}, points", values)
            for name, found in (("average precision", gains), ("calibration error", surer))
            for which, values in found.items()
        ),
        tuple(
            Control.above(f"It gains on {which}", mean_effect(values))
            for which, values in gains.items()
        ),
        "Chosen as a claim after three of five seeds were seen. The controls of this share are the "
        "claims on longer training, wrong maps, distillation and an ensemble.",
    )


def same_network(lab: Lab) -> Finding:
    """Parameters and multiplications that the network in use has more than the first one."""
    used = ENSEMBLE if lab.fault else KNOWLEDGE
    found = {
        which: (study.costs(lab, which, used), study.costs(lab, which, BASELINE)) for which in SETS
    }
    more = sum(ours[n] - first[n] for ours, first in found.values() for n in ours)
    return Finding(
        verdict(more == 0),
        exact(more),
        0.0,
        "parameters and multiplications",
        tuple(
            Row(f"{which}, {name}, {what}", float(cost[what]))
            for which, pair in found.items()
            for name, cost in zip(("with a prior", "first network"), pair, strict=True)
            for what in cost
        ),
        note="Counted on the trained network as it is used, after its training with a prior.",
        test="same",
    )


def same_time(lab: Lab) -> Finding:
    """How much longer the network in use takes than the first one, as a share."""
    used = ENSEMBLE if lab.fault else KNOWLEDGE
    found = study.seconds(lab, SETS[0], (BASELINE, used))
    comparison = mean_effect([one[used] / one[BASELINE] - 1 for one in found])
    return Finding(
        same(comparison, MARGIN_LATENCY),
        comparison,
        MARGIN_LATENCY,
        "of the time",
        tuple(
            Row(f"{name}, ms a batch", float(1e3 * np.median([one[arm] for one in found])))
            for name, arm in (("with a prior", used), ("first network", BASELINE))
        ),
        note=f"{study.CHUNK} pictures, the fastest of {study.TURNS} runs in turn, "
        f"{study.REPEATS} times; the number of seeds is that of repetitions.",
        test="same",
    )


def concentrated(lab: Lab) -> Finding:
    """The lesser of two gains on tiles: spatial entropy that is lost, Gini index that is won."""
    return _looks(lab, {"less entropy": "entropy", "higher Gini index": "gini"})


def spread(lab: Lab) -> Finding:
    """The lesser of two changes of maps of tiles: entropy that is won, Gini index that is lost."""
    return _looks(lab, {"more entropy": "entropy", "lower Gini index": "gini"}, sign=-1)


def in_the_defect(lab: Lab) -> Finding:
    """The lesser of two gains on tiles: relevance within the mask, highest points within it."""
    return _looks(lab, {"more relevance within": "mass", "more highest points": "pointing"})


def smaller_gap(lab: Lab) -> Finding:
    """By how much the accuracy falls less from training to test pictures, on the worst set."""
    smaller, rows = {}, []
    for which in SETS:
        ours, first = (
            [contrasts.MANY * (record["train"] - record["accuracy"]) for record in records]
            for records in (
                contrasts.claimed(lab, which, MOST),
                contrasts.records(lab, BASELINE, which, MOST),
            )
        )
        smaller[which] = contrasts.less(first, ours)
        rows += [
            Row.mean(f"{which}, with a prior, gap of accuracy, points", ours),
            Row.mean(f"{which}, first network, gap of accuracy, points", first),
            Row.mean(
                f"{which}, gap of cross-entropy less that of the first network, nats",
                contrasts.less(
                    contrasts.raw(contrasts.claimed(lab, which, MOST), "entropies"),
                    contrasts.raw(contrasts.records(lab, BASELINE, which, MOST), "entropies"),
                ),
            ),
        ]
    return contrasts.all_of(smaller, "points of accuracy", rows=tuple(rows))


def calibration(lab: Lab) -> Finding:
    """By how much the calibration error is larger than the first network's, on the worst set."""
    more = {which: contrasts.gain(lab, "ece", which, MOST) for which in SETS}
    found = {which: mean_effect(values) for which, values in more.items()}
    worst = max(found, key=lambda which: found[which].effect)
    statuses = [below(one, MARGIN_ECE) for one in found.values()]
    return Finding(
        contrasts.joined(statuses),
        found[worst],
        MARGIN_ECE,
        "points of calibration error",
        tuple(
            Row.mean(f"{which}, {name}, calibration error, points", values)
            for which in SETS
            for name, values in (
                ("with a prior", contrasts.scaled(contrasts.claimed(lab, which, MOST), "ece")),
                ("first network", contrasts.by_seed(lab, BASELINE, "ece", which, MOST)),
            )
        ),
        note=f"The worst: {worst}.",
        test="below",
    )


def beats_longer_training(lab: Lab) -> Finding:
    """Average precision above that of the same network without a prior, as long or twice."""
    return _over(lab, LONGER)


def beats_wrong_maps(lab: Lab) -> Finding:
    """Average precision above that with another picture's maps, and with a blob in the centre."""
    return _over(lab, WRONG)


def beats_distillation(lab: Lab) -> Finding:
    """Average precision above that of logit distillation and of attention transfer."""
    return _over(lab, DISTILLED)


def beats_ensemble(lab: Lab) -> Finding:
    """Average precision above that of the first network beside a second, which cost twice."""
    return _over(lab, (ENSEMBLE,))


def masks_are_better(lab: Lab) -> Finding:
    """Average precision that masks in place of maps add, on the worse of two sets."""
    masks = KNOWLEDGE if lab.fault else MASK
    gains = {
        which: contrasts.less(
            contrasts.by_seed(lab, masks, "ap", which),
            contrasts.by_seed(lab, KNOWLEDGE, "ap", which),
        )
        for which in MASKED
    }
    return contrasts.all_of(
        gains, "points of average precision", rows=contrasts.rows(lab, "ap", (KNOWLEDGE, MASK))
    )


def _gains(lab: Lab, score: str) -> Finding:
    gains = {which: contrasts.gain(lab, score, which, MOST) for which in SETS}
    average = contrasts.mean_over_sets(list(gains.values()))
    rows = tuple(
        Row.mean(f"{which}, {f:.0%} of the data, {arm}, {NAMES[score]}, %", values)
        for which in SETS
        for f in FRACTIONS
        for arm in (BASELINE, KNOWLEDGE)
        for values in [contrasts.by_seed(lab, arm, score, which, f)]
    )
    return contrasts.all_of(
        gains,
        f"points of {NAMES[score]}",
        rows=rows,
        controls=(
            Control.above("It gains on average over the sets", mean_effect(average)),
            *(
                Control.above(f"It gains on {which}", mean_effect(values))
                for which, values in gains.items()
            ),
        ),
        series={"gains": gains},
    )


def _over(lab: Lab, arms: Sequence[str]) -> Finding:
    """Gains over other arms at a tenth of the data, on every set."""
    gains = {
        f"{arm}, {which}": contrasts.less(
            contrasts.scaled(contrasts.claimed(lab, which, CONTROLLED), "ap"),
            contrasts.by_seed(lab, arm, "ap", which),
        )
        for which in SETS
        for arm in arms
    }
    average = contrasts.mean_over_sets(list(gains.values()))
    return contrasts.all_of(
        gains,
        "points of average precision",
        rows=contrasts.rows(lab, "ap", (BASELINE, KNOWLEDGE, *arms)),
        controls=(
            Control.above("It is better on average over sets and arms", mean_effect(average)),
            *(Control.above(f"Better than: {n}", mean_effect(v)) for n, v in gains.items()),
        ),
        series={"gains": gains},
    )


def _looks(lab: Lab, measured: Mapping[str, str], sign: int = 1) -> Finding:
    """The least of several changes of the maps of tiles, in points of each score's range."""
    rows = [
        Row.mean(f"{which}, {who}, {score}", contrasts.raw(records, score))
        for which in MASKED
        for score in measured.values()
        for who, records in (
            ("with a prior", contrasts.claimed(lab, which, MOST)),
            ("first network", contrasts.records(lab, BASELINE, which, MOST)),
        )
    ]
    gains, drawn = (
        {
            name: [sign * change for change in contrasts.change(lab, which, score)]
            for name, score in measured.items()
        }
        for which in MASKED
    )
    arms = (BASELINE, KNOWLEDGE, WRONG[0], MASK)
    return contrasts.all_of(
        gains,
        "points of the range",
        rows=tuple(rows),
        controls=tuple(
            Control.above(f"On drawn tiles, too: {name}", mean_effect(values))
            for name, values in drawn.items()
        ),
        series={
            "gains": gains,
            "sheet": study.sheet(lab, arms),
            "looks": {
                score: {
                    arm: contrasts.raw(contrasts.records(lab, arm, "tiles", CONTROLLED), score)
                    for arm in arms
                }
                for score in study.MAPS
            },
        },
    )
