"""Experiments on region-aware class activation maps and on segmentation from their pseudo labels.

All compare maps by the protocol of `localisation_study`: one network and one set of tiles a seed,
the threshold chosen on held-out tiles with the same budget for every method; what a decoder
predicts after a round of training on pseudo labels is judged like a map.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from theory.claims import cam_contrasts as contrasts
from theory.claims import localisation_study as study
from theory.claims import localisation_study_masks as decoders
from theory.claims.cam_contrasts import REPLACED, SAME_NET, by_seed, claimed, gain, judged, rows
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.localisation_study import Method
from theory.claims.statistics import below, mean_effect

LAYERS = ("stage2", "stage3", "stage4")  # our reading: the three deepest
LAST = LAYERS[-1]
OURS = Method("region_fusion_cam", LAYERS)
SPATIAL = Method("region_fusion_cam", LAYERS, {"weights": "spatial"})
NO_FILTER = Method("region_fusion_cam", LAYERS, {"q": None})
FGBP = Method("fgbp", LAST)  # at the input; the stage changes nothing
GUIDED = Method("guided_backprop", LAST)
# By the share of the positive gradients that is filtered out.
SHARES: Mapping[float, Method] = {0.0: GUIDED, 0.5: FGBP, 0.9: Method("fgbp", LAST, {"q": 0.9})}
STANDARD: Mapping[str, Method] = {
    "Grad-CAM": Method("grad_cam", LAST),
    "Grad-CAM++": Method("grad_cam_pp", LAST),
    "LayerCAM": Method("layer_cam", LAST),
    "XGrad-CAM": Method("xgrad_cam", LAST),
    "Score-CAM": Method("score_cam", LAST),
    "EigenCAM": Method("eigen_cam", LAST),
}
NAME, ROUNDS_NAME, MASKS_NAME = "region-aware CAM", "its pseudo labels", "full supervision"
IOU, MIOU, MASS = "IoU, %", "mIoU, %", "relevance within the mask, %"
POINTS = "points of IoU"
NEAR = 5.0  # points of IoU that "comparable" may mean: a blob in the centre is within 10

_LAST_ROUND = {
    "noise": "smooth noise takes the place of the last round",
    "masks": "the masks themselves take the place of the last round",
}
FAULTS: Mapping[str, Mapping[str, str]] = {
    "randomisation": SAME_NET,
    "randomisation_fgbp": SAME_NET,
    "beats_standard": REPLACED,
    "beats_noise": REPLACED,
    "filter_helps": REPLACED,
    "optimum_as_stated": REPLACED,
    "optimum": REPLACED,
    "parts": REPLACED,
    "filter_in_module": REPLACED,
    "rounds_rise": {"falling": "the rounds are read backwards"} | _LAST_ROUND,
    "rounds_exceed_seeds": _LAST_ROUND,
    "near_supervision": _LAST_ROUND,
}


def randomisation(lab: Lab) -> Finding:
    """The sanity check of region-aware CAM."""
    return contrasts.randomisation(lab, OURS)


def randomisation_fgbp(lab: Lab) -> Finding:
    """The same of the filtered gradient at the input."""
    return contrasts.randomisation(lab, FGBP)


def beats_standard(lab: Lab) -> Finding:
    """IoU of region-aware CAM less that of the standard method it exceeds least."""
    gains = {name: gain(lab, OURS, method) for name, method in STANDARD.items()}
    least, status, comparison = contrasts.weakest(gains)
    shown = {NAME: OURS, "region-aware CAM, spatial": SPATIAL} | dict(STANDARD)
    shown |= {name: Method(name) for name in study.CONTROLS}
    shown["LayerCAM, last stages untrained"] = Method("layer_cam", LAST, arm="untrained")
    trained = {ROUNDS_NAME: _rounds(lab), MASKS_NAME: _supervised(lab)}
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        (
            *rows(lab, shown, "miou", MIOU),
            *(
                Row.mean(f"{name}, {MIOU}", _scores(found, "miou"))
                for name, found in trained.items()
            ),
            *rows(lab, shown, "iou", IOU),
            *(Row.mean(f"{name}, {IOU}", _scores(found, "iou")) for name, found in trained.items()),
        ),
        (Control.above("It is better than smooth noise", mean_effect(_over_noise(lab))),),
        f"The method that it exceeds least: {least}; all others at the last layer.",
        {
            "iou": {name: by_seed(lab, method) for name, method in shown.items()}
            | {name: _scores(found, "iou") for name, found in trained.items()},
            "sheet": sheet(lab, shown),
        },
    )


def beats_noise(lab: Lab) -> Finding:
    """IoU of region-aware CAM less that of the best control that knows no network."""
    gains = {name: gain(lab, OURS, Method(name)) for name in study.CONTROLS}
    least, status, comparison = contrasts.weakest(gains)
    shown = {NAME: OURS} | {name: Method(name) for name in study.CONTROLS}
    note = f"The control that it exceeds least: {least}."
    return Finding(status, comparison, 0.0, POINTS, rows(lab, shown, "iou", IOU), note=note)


def filter_helps(lab: Lab) -> Finding:
    """Share of the relevance in the defect: filtered backpropagation less guided."""
    shown = {"FGBP, q = 0.5": FGBP, "guided backpropagation": GUIDED}
    return judged(
        gain(lab, FGBP, GUIDED, "mass"),
        f"points of {MASS}",
        rows=rows(lab, shown, "mass", MASS),
    )


def optimum_as_stated(lab: Lab) -> Finding:
    """How far the share of relevance at q = 0.5 lies above both that at 0 and at 0.9."""
    return _best_share(lab, 0.5)


def optimum(lab: Lab) -> Finding:
    """How far the share of relevance at q = 0.9 lies above those at 0 and 0.5."""
    return _best_share(lab, 0.9)


def _best_share(lab: Lab, best: float) -> Finding:
    others = [by_seed(lab, method, "mass") for q, method in SHARES.items() if q != best]
    above = np.array(claimed(lab, SHARES[best], "mass")) - np.max(others, axis=0)
    shown = {f"q = {q}": method for q, method in SHARES.items()}
    return judged(
        above.tolist(),
        f"points of {MASS}",
        rows=rows(lab, shown, "mass", MASS),
        series={
            "shares": list(SHARES),
            "mass": [by_seed(lab, method, "mass") for method in SHARES.values()],
        },
    )


def filter_in_module(lab: Lab) -> Finding:
    """IoU that the filter adds to the region-aware module."""
    shown = {NAME: OURS, "its module on the plain gradient": NO_FILTER}
    return judged(gain(lab, OURS, NO_FILTER), POINTS, rows=rows(lab, shown, "iou", IOU))


def parts(lab: Lab) -> Finding:
    """The least of three gains: both parts over either alone, pseudo labels over both."""
    last = _scores(_rounds(lab), "iou")
    ours = by_seed(lab, OURS)
    gains = {
        "both over FGBP alone": gain(lab, OURS, FGBP),
        "both over the module alone": gain(lab, OURS, NO_FILTER),
        "pseudo labels over both": _less(_replaced(lab, last), ours),
    }
    least, status, comparison = contrasts.weakest(gains)
    bars = {
        "FGBP alone": by_seed(lab, FGBP),
        "module alone": by_seed(lab, NO_FILTER),
        "both": ours,
        "both and pseudo labels": last,
    }
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        tuple(Row.mean(f"{name}, {IOU}", values) for name, values in bars.items()),
        tuple(Control.above(name, mean_effect(values)) for name, values in gains.items()),
        f"The least gain: {least}.",
        {"iou": bars},
    )


def rounds_rise(lab: Lab) -> Finding:
    """The least gain of IoU from a round to the next."""
    found = [decoders.rounds(lab, OURS, seed) for seed in range(lab.budget.seeds)]
    seeds, numbers = by_seed(lab, OURS), range(decoders.ROUNDS)
    scores = [_scores([_nth(record, number) for record in found], "iou") for number in numbers]
    if lab.fault == "falling":
        scores.reverse()
    scores[-1] = _replaced(lab, scores[-1])
    if lab.fault == "masks":  # a rise to the masks takes more than one step
        scores = [list(np.multiply(scores[-1], part)) for part in (0.5, 0.75, 1.0)]
    gains = {
        f"round {number + 1} over round {number}": _less(later, earlier)
        for number, (earlier, later) in enumerate(pairwise(scores), 1)
    }
    least, status, comparison = contrasts.weakest(gains)
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        (
            Row.mean(f"seeds on test tiles, {IOU}", seeds),
            *(Row.mean(f"round {n}, {IOU}", values) for n, values in enumerate(scores, 1)),
            *(
                Row.mean(f"labels of round {n + 1}, IoU on training tiles, %", _labels(found, n))
                for n in numbers
            ),
            Row.mean("last agreement, %", [100 * record["agreement"][-1] for record in found]),
        ),
        note=f"The least gain: {least}. "
        f"{sum(record['status'] == 'agreed' for record in found)} of {len(found)} runs stopped "
        "because two labellings agreed to 98 %; a run that stopped keeps its last round.",
        series={
            "seeds": seeds,
            "rounds": scores,
            "labels": [_labels(found, number) for number in numbers],
            "supervised": _scores(_supervised(lab), "iou"),
        },
    )


def rounds_exceed_seeds(lab: Lab) -> Finding:
    """IoU of the last round less that of the seeds."""
    last, seeds = _scores(_rounds(lab), "iou"), by_seed(lab, OURS)
    return judged(
        _less(_replaced(lab, last), seeds),
        POINTS,
        rows=(Row.mean(f"seeds, {IOU}", seeds), Row.mean(f"last round, {IOU}", last)),
    )


def near_supervision(lab: Lab) -> Finding:
    """IoU of the same decoder taught by masks less that after the last round."""
    last, masks = _scores(_rounds(lab), "iou"), _scores(_supervised(lab), "iou")
    comparison = mean_effect(_less(masks, _replaced(lab, last)))
    by_kind = _by_kind(_supervised(lab), lab), _by_kind(_rounds(lab), lab)
    return Finding(
        below(comparison, NEAR),
        comparison,
        NEAR,
        POINTS,
        (
            Row.mean(f"{MASKS_NAME}, {IOU}", masks),
            Row.mean(f"last round, {IOU}", last),
            Row.mean(f"{MASKS_NAME}, {MIOU}", _scores(_supervised(lab), "miou")),
            Row.mean(f"last round, {MIOU}", _scores(_rounds(lab), "miou")),
            *(
                Row.mean(f"{name}, {kind}, {IOU}", values)
                for name, kinds in zip((MASKS_NAME, "last round"), by_kind, strict=True)
                for kind, values in kinds.items()
            ),
        ),
        controls=(
            Control.above(
                "Full supervision is better than LayerCAM of the last layer",
                mean_effect(_less(masks, by_seed(lab, STANDARD["LayerCAM"]))),
            ),
        ),
        note="Both train a small decoder on frozen activations of the second to fourth stage, at "
        "half the tiles' side; a whole network trained on masks would set a higher mark.",
        series={"supervised": masks, "last": last, "seeds": by_seed(lab, OURS)},
        test="below",
    )


def sheet(lab: Lab, methods: Mapping[str, Method]) -> dict[str, Any]:
    """Tiles, masks and maps of one tile of every kind, small."""

    def compute() -> dict[str, Any]:
        found = study.sheet(lab)
        places = np.array(list(found["tile"].values()))
        maps = {
            name: dict(
                zip(
                    found["tile"],
                    map(study.small, contrasts.maps(lab, method, 0, places)),
                    strict=True,
                )
            )
            for name, method in methods.items()
        }
        return found | {"maps": maps}

    return dict(lab.recall(f"{lab.data.name}, sheet, {', '.join(methods)}", compute))


def _rounds(lab: Lab) -> list[dict[str, Any]]:
    """By seed, the outcome of the last round."""
    seeds = range(lab.budget.seeds)
    return [decoders.rounds(lab, OURS, seed)["rounds"][-1] for seed in seeds]


def _supervised(lab: Lab) -> list[dict[str, Any]]:
    return [decoders.supervised(lab, seed) for seed in range(lab.budget.seeds)]


def _nth(record: Mapping[str, Any], number: int) -> dict[str, Any]:
    found = record["rounds"]
    return dict(found[min(number, len(found) - 1)])


def _labels(found: Sequence[Mapping[str, Any]], number: int) -> list[float]:
    return [100 * record["labels"][min(number, len(record["labels"]) - 1)] for record in found]


def _scores(found: Sequence[Mapping[str, Any]], score: str) -> list[float]:
    return [100 * study.mean(record[score]) for record in found]


def _by_kind(found: Sequence[Mapping[str, Any]], lab: Lab) -> dict[str, list[float]]:
    """IoU by kind of defect and seed; kinds that a seed lacks are left out."""
    places = [study.tiles(lab, seed)[1] for seed in range(len(found))]
    kinds = [np.array(lab.data.kinds)[test] for test in places]
    shared = set.intersection(*(set(of_seed) for of_seed in kinds))
    return {
        str(kind): [
            100 * study.mean(np.asarray(record["iou"])[of_seed == kind])
            for record, of_seed in zip(found, kinds, strict=True)
        ]
        for kind in sorted(shared)
    }


def _replaced(lab: Lab, honest: Sequence[float]) -> list[float]:
    """The values by seed, or what a fault puts in their place."""
    if lab.fault in ("noise", "masks"):
        return claimed(lab, OURS)
    return list(honest)


def _less(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one - other for one, other in zip(ours, theirs, strict=True)]


def _over_noise(lab: Lab) -> list[float]:
    return gain(lab, OURS, contrasts.NOISE)
