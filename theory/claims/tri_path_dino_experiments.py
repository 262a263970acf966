"""Experiments on Tri-path DINO: arms against each other, and the two paths' maps.

An experiment compares two arms by scores of a seed's test pairs, paired by seed. What the paper
printed on its own sets stands beside our rows, and is not comparable: other pictures, other sizes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from theory.claims import tri_path_dino_study as study
from theory.claims.cam_contrasts import judged, weakest
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.statistics import Comparison, below, greater, mean_effect
from theory.claims.tri_path_dino_networks import (
    ARMS,
    AUXILIARY,
    CROSS_ENTROPY,
    FEW,
    FULL,
    KNOWING,
    KNOWING_FEW,
    MAIN,
    PLAIN,
    WIDE,
)

POINTS = "points"
COMPARED: Mapping[str, str] = {"sek": "SeK", "f_scd": "F_scd", "miou": "mIoU"}
GAZA: Mapping[str, float] = {"oa": 96.45, "miou": 71.35, "sek": 13.02, "f_scd": 62.58}
SECOND: Mapping[str, float] = {"miou": 71.62, "sek": 20.61, "f_scd": 55.44}
SCANNET: Mapping[str, float] = {"miou": 73.42, "sek": 23.94, "f_scd": 63.66}
ALIKE = 0.5  # correlation
FEW_PIXELS = 1.0  # per cent of pixels that "no change" may mean
EXACT = 1e-5  # difference of logits that rounding may make
SWAPPED = {"swapped": "the two arms change places"}
PERFECT = {"perfect": "the arm that the claim is about reaches 100 in everything"}
BLURRED = {
    "swapped": "the two paths' maps change places",
    "planted": "the auxiliary path's map is all boundary and of the highest frequency",
}
FAULTS: Mapping[str, Mapping[str, str]] = {
    "beats_main_only": SWAPPED | PERFECT,
    "beats_auxiliary_only": SWAPPED | PERFECT,
    "beats_plain_decoder": SWAPPED | PERFECT,
    "three_losses_beat_cross_entropy": SWAPPED | PERFECT,
    "pre_training_helps": SWAPPED | PERFECT,
    "pre_training_helps_more_with_few_labels": SWAPPED | PERFECT,
    "auxiliary_at_boundaries": BLURRED,
    "auxiliary_of_higher_frequency": BLURRED,
    "paths_look_elsewhere": {
        "same": "one path's map stands in both places",
        "unrelated": "the maps have nothing in common",
    },
    "small_regions_need_auxiliary": {
        "reversed": "small and large regions change places",
        "perfect": "the full network finds every small region, and large ones no better",
    },
    "dates_exchange": {"broken": "one head reads the dates in their order, whatever it is"},
    "identical_pictures_are_unchanged": {
        "blind": "every pixel is called changed",
        "silent": "no pixel is",
    },
    "best_on_second_as_stated": {"left_out": "SCanNet's number is left out: zero stands there"},
}


def outcomes(lab: Lab) -> list[dict[str, Any]]:
    """Of all seeds."""
    return [study.outcome(lab, seed) for seed in range(lab.budget.seeds)]


def by_seed(lab: Lab, arm: str, score: str) -> list[float]:
    """A score of an arm on each seed's test pairs, per cent."""
    return [found["scores"][arm][score] for found in outcomes(lab)]


def gains(lab: Lab, ours: str, theirs: str, score: str) -> list[float]:
    """By seed, one arm's score less another's; what the faults replace."""
    first, second = by_seed(lab, ours, score), by_seed(lab, theirs, score)
    if lab.fault == "swapped":
        first, second = second, first
    if lab.fault == "perfect":
        first = [100.0] * len(first)
    return [one - other for one, other in zip(first, second, strict=True)]


def beats_main_only(lab: Lab) -> Finding:
    """The least of the gains of SeK, F_scd and mIoU over the main path alone."""
    found = _ablation(lab, MAIN)
    larger = tuple(
        Control.above(
            f"{title} gains over a main path alone with as many parameters",
            mean_effect(gains(lab, FULL, WIDE, score)),
        )
        for score, title in COMPARED.items()
    )
    real = {"real": outcomes(lab)[0]["real"]}
    return replace(
        found,
        rows=(*found.rows, *_rows(lab, (WIDE,))),
        controls=(*found.controls, *larger),
        series={**found.series, **real},
    )


def beats_auxiliary_only(lab: Lab) -> Finding:
    """The least of the gains over the auxiliary path alone."""
    return _ablation(lab, AUXILIARY)


def beats_plain_decoder(lab: Lab) -> Finding:
    """The least of the gains over a decoder of plain residual convolutions."""
    return _ablation(lab, PLAIN)


def _ablation(lab: Lab, theirs: str) -> Finding:
    found = {title: gains(lab, FULL, theirs, score) for score, title in COMPARED.items()}
    least, status, comparison = weakest(found)
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        _rows(lab, (FULL, theirs)),
        tuple(
            Control.above(f"{title} gains", mean_effect(values)) for title, values in found.items()
        ),
        f"The least gain: {least}. All three must rise.",
        {
            "scores": {title: {a: by_seed(lab, a, score) for a in ARMS} for score, title in _SHOWN},
            "shown": outcomes(lab)[0]["shown"],
        },
    )


_SHOWN = tuple(COMPARED.items())


def _rows(lab: Lab, arms: Sequence[str]) -> tuple[Row, ...]:
    """Arms on our pairs; beside the full one's, what the paper printed on SECOND."""
    published = {FULL: SECOND}
    return tuple(
        Row.mean(f"{arm}, {title}, %", by_seed(lab, arm, score), published.get(arm, {}).get(score))
        for score, title in COMPARED.items()
        for arm in arms
    )


def three_losses_beat_cross_entropy(lab: Lab) -> Finding:
    """SeK of the network that learned by Focal, Dice and Lovasz, less that by cross-entropy."""
    return _sek(lab, FULL, CROSS_ENTROPY)


def pre_training_helps(lab: Lab) -> Finding:
    """SeK of the network whose main path knew land cover, less that of a fresh one."""
    return _sek(lab, KNOWING, FULL)


def _sek(lab: Lab, ours: str, theirs: str) -> Finding:
    others = {title: gains(lab, ours, theirs, s) for s, title in COMPARED.items() if s != "sek"}
    return judged(
        gains(lab, ours, theirs, "sek"),
        f"{POINTS} of SeK",
        rows=_rows(lab, (ours, theirs)),
        controls=tuple(
            Control.above(f"{title} gains", mean_effect(values)) for title, values in others.items()
        ),
        series={"SeK": {arm: by_seed(lab, arm, "sek") for arm in ARMS}},
    )


def pre_training_helps_more_with_few_labels(lab: Lab) -> Finding:
    """The gain in SeK by what the main path knew: with a tenth of the places less with all."""
    few, all_of_them = gains(lab, KNOWING_FEW, FEW, "sek"), gains(lab, KNOWING, FULL, "sek")
    if lab.fault == "swapped":  # undo the exchange within, make the one between
        few, all_of_them = [-gain for gain in all_of_them], [-gain for gain in few]
    if lab.fault == "perfect":
        all_of_them = [0.0] * len(few)
    return judged(
        [one - other for one, other in zip(few, all_of_them, strict=True)],
        f"{POINTS} of SeK",
        rows=_rows(lab, (KNOWING_FEW, FEW, KNOWING, FULL)),
        controls=(Control.above("With few labels it helps at all", mean_effect(few)),),
    )


def _of_maps(lab: Lab, path: str, what: str) -> list[float]:
    """What is said of a path's maps, by seed; what the faults replace."""
    if lab.fault == "swapped":
        path = {"main": "auxiliary", "auxiliary": "main"}[path]
    if lab.fault == "planted" and path == "auxiliary":
        return [1.0] * lab.budget.seeds
    return [found["maps"][path][what] for found in outcomes(lab)]


def auxiliary_at_boundaries(lab: Lab) -> Finding:
    """Share of the energy of a path's map at boundaries of change: auxiliary less main."""
    chance = [100 * found["maps"]["chance"] for found in outcomes(lab)]
    return _paths(lab, "edge", 100, "points of energy", (Row.mean("map that is flat, %", chance),))


def auxiliary_of_higher_frequency(lab: Lab) -> Finding:
    """Mean frequency of a path's map: auxiliary less main."""
    return _paths(lab, "centroid", 1, "cycles a place")


def _paths(lab: Lab, what: str, scale: int, unit: str, more: tuple[Row, ...] = ()) -> Finding:
    found = {
        path: [scale * value for value in _of_maps(lab, path, what)]
        for path in ("auxiliary", "main")
    }
    pairs = zip(found["auxiliary"], found["main"], strict=True)
    return judged(
        [one - other for one, other in pairs],
        unit,
        rows=(
            *(Row.mean(f"{path} path, {unit}", values) for path, values in found.items()),
            *more,
        ),
        note="Grad-CAM at the finest level of either path, of test pairs with change whose two "
        f"maps are neither blank nor flat: {_pairs(lab)} of them.",
        series={
            "spectra": {path: _of_spectra(lab, path) for path in ("main", "auxiliary")},
            "values": found,
            "shown": outcomes(lab)[0]["shown"],
        },
    )


def _pairs(lab: Lab) -> int:
    return sum(found["maps"]["pairs"] for found in outcomes(lab))


def _of_spectra(lab: Lab, path: str) -> list[list[float]]:
    return [found["maps"][path]["spectrum"] for found in outcomes(lab)]


def paths_look_elsewhere(lab: Lab) -> Finding:
    """Correlation of the two paths' maps of a pair, which should be below a half."""
    values = [found["maps"]["correlation"] for found in outcomes(lab)]
    if lab.fault:
        values = [1.0 if lab.fault == "same" else 0.0] * len(values)
    comparison = mean_effect(values)
    return Finding(
        below(comparison, ALIKE),
        comparison,
        ALIKE,
        "correlation",
        (Row.mean("correlation of the two maps of a pair", values),),
        note=f"Mean over {_pairs(lab)} test pairs.",
        test="below",
    )


def small_regions_need_auxiliary(lab: Lab) -> Finding:
    """What the auxiliary path adds to the recall of small regions, less what to that of large."""
    added = {size: _added(lab, size) for size in study.SIZES}
    if lab.fault == "reversed":
        added = dict(zip(study.SIZES, reversed(added.values()), strict=True))
    if lab.fault == "perfect":
        missed = [100 - main for main, _ in _recalls(lab, "small")]
        added = {"small": missed, "large": [0.0] * len(missed)}
    area = outcomes(lab)[0]["area"]
    return judged(
        [one - other for one, other in zip(added["small"], added["large"], strict=True)],
        f"{POINTS} of recall",
        rows=tuple(
            Row.mean(f"{arm}, {size} regions, found, %", [r[place] for r in _recalls(lab, size)])
            for size in study.SIZES
            for place, arm in enumerate((MAIN, FULL))
        ),
        controls=(
            Control.above("Small regions gain by the auxiliary path", mean_effect(added["small"])),
        ),
        note="Regions of change up to the median area of all, "
        f"{area:g} pixels, and above it; the mean share of a region found.",
        series={
            "area": area,
            "recall": {
                size: {
                    arm: [r[place] for r in _recalls(lab, size)]
                    for place, arm in enumerate((MAIN, FULL))
                }
                for size in study.SIZES
            },
        },
    )


def _recalls(lab: Lab, size: str) -> list[tuple[float, float]]:
    """Without and with the auxiliary path."""
    found = [record["regions"] for record in outcomes(lab)]
    return [(record[MAIN][size], record[FULL][size]) for record in found]


def _added(lab: Lab, size: str) -> list[float]:
    return [full - main for main, full in _recalls(lab, size)]


def dates_exchange(lab: Lab) -> Finding:
    """Largest difference of logits between maps of exchanged pictures and exchanged maps."""
    found = [record["exchange"] for record in outcomes(lab)]
    values = [1.0 if lab.fault else record["logits"] for record in found]
    comparison = mean_effect(values)
    return Finding(
        below(comparison, EXACT),
        comparison,
        EXACT,
        "largest difference of logits",
        (
            Row.mean("largest difference of logits", values),
            Row.mean("pixels decided otherwise, %", [record["pixels"] for record in found]),
        ),
        note="By construction: both heads are one, and read the dates as own and other. The fault "
        "stands for a head that does not.",
        test="below",
    )


def identical_pictures_are_unchanged(lab: Lab) -> Finding:
    """Share of pixels called changed between a picture and itself."""
    found = outcomes(lab)
    values = [record["identical"]["changed"] for record in found]
    if lab.fault:
        values = [100.0 if lab.fault == "blind" else 0.0] * len(values)
    comparison = mean_effect(values)
    return Finding(
        below(comparison, FEW_PIXELS),
        comparison,
        FEW_PIXELS,
        "% of pixels",
        (
            Row.mean("a picture and itself, called changed, % of pixels", values),
            Row.mean(
                "unchanged pixels of true pairs, called changed, %",
                [record["unchanged"] for record in found],
            ),
            Row.mean(
                "largest difference between the two maps",
                [record["identical"]["logits"] for record in found],
            ),
        ),
        note="That the two maps are one is by construction; that they show no change is learned.",
        test="below",
    )


def best_on_second_as_stated(lab: Lab) -> Finding:
    """The paper's SeK on SECOND less that of SCanNet, both as printed."""
    rival = 0.0 if lab.fault else SCANNET["sek"]
    effect = SECOND["sek"] - rival
    comparison = Comparison(effect, (effect, effect), 1)
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        f"{POINTS} of SeK",
        tuple(
            Row(f"SCanNet on SECOND, {title}, %, as reported by third parties", SCANNET[score])
            for score, title in COMPARED.items()
        )
        + tuple(
            Row(f"Tri-path DINO on Gaza-change, {score}, %, as printed", value)
            for score, value in GAZA.items()
        ),
        note="Printed numbers of two protocols: SCanNet predicts a map for each date, the paper's "
        "re-evaluation one map a pair. That it is best within one protocol is not refuted.",
    )
