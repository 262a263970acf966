"""Experiments on CG-fusion class activation maps: a continuous gradient, and fused layers.

All compare maps by the protocol of `localisation_study`: one network and one set of tiles a seed,
the threshold chosen on held-out tiles with the same budget for every method.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax import Array

from neurons.explain import METHODS, split
from neurons.explain import metrics as judge
from neurons.explain.fusion import fusion_cam
from theory.claims import cam_contrasts as contrasts
from theory.claims import localisation_study as study
from theory.claims import localisation_study_detectors as detectors
from theory.claims import localisation_study_masks as decoders
from theory.claims.cam_contrasts import REPLACED, SAME_NET, by_seed, claimed, gain, judged, rows
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, verdict
from theory.claims.localisation_study import Method
from theory.claims.shallow_cam_experiments import FUSED, IOU, POINTS, fused_method
from theory.claims.statistics import below, mean_effect, same

LAYER = "stage3"  # the last before a max pooling: where single maps are compared
OURS = Method("fusion_cam", FUSED)  # CG-fusion CAM as it is by default
INACTIVE = Method("fusion_cam", FUSED, {"activation": "none"})
LAYER_CAM = fused_method("layer_cam")
SINGLE = {stage: Method("layer_cam", stage) for stage in FUSED}
BINS = ("small", "medium", "large")
HALF = 24  # place of 0.5 among the thresholds
F1, AP = "F1, %", "average precision, %"
TIE = 0.5  # points of average precision
NEAR = 10.0  # points of IoU that "comparable" may mean
TWICE = 2.0  # a forward and a backward pass, where Grad-CAM of the last layer takes the first

EXCHANGED = {"reversed": "the two methods are exchanged"}
FAULTS: Mapping[str, Mapping[str, str]] = {
    "randomisation": SAME_NET,
    "beats_layer_cam": REPLACED,
    "scatter": EXCHANGED,
    "holes": EXCHANGED,
    "under_activation": EXCHANGED,
    "sizes": REPLACED,
    "spread_as_stated": EXCHANGED,
    "large_gain": REPLACED,
    "gradient_alone": REPLACED,
    "fusion_alone": REPLACED,
    "activation_as_stated": {"reversed": "the activation is taken away instead of added"},
    "activation_is_a_threshold": {"noise": REPLACED["noise"]},
    "near_supervision": REPLACED,
    "half_of_supervision": {"masks": REPLACED["masks"]},
    "cost": {"apart": "every layer's map is made by a pass of its own"},
}


def randomisation(lab: Lab) -> Finding:
    """The sanity check of CG-fusion CAM."""
    return contrasts.randomisation(lab, OURS)


def beats_layer_cam(lab: Lab) -> Finding:
    """IoU of CG-fusion CAM less that of LayerCAM, fused over the same layers."""
    shown = {"CG-fusion CAM": OURS, "LayerCAM, fused": LAYER_CAM}
    shown |= {f"LayerCAM, {stage}": method for stage, method in SINGLE.items()}
    best = max(SINGLE.values(), key=lambda method: np.mean(by_seed(lab, method)))
    return judged(
        gain(lab, OURS, LAYER_CAM),
        POINTS,
        rows=(*rows(lab, shown, "iou", IOU), *rows(lab, shown, "f1", F1)),
        controls=(
            Control.above("The same holds for F1", mean_effect(gain(lab, OURS, LAYER_CAM, "f1"))),
            Control.above(
                f"It is better than LayerCAM of the best single layer, {best.stage}",
                mean_effect(gain(lab, OURS, best)),
            ),
            Control.above(
                "It is better than smooth noise", mean_effect(gain(lab, OURS, contrasts.NOISE))
            ),
        ),
        series={"iou": {name: by_seed(lab, method) for name, method in shown.items()}},
    )


def scatter(lab: Lab) -> Finding:
    """Connected components per true region that CG-fusion CAM saves."""
    return _fewer(lab, "components", "components per true region")


def holes(lab: Lab) -> Finding:
    """Holes in the marked shapes that CG-fusion CAM saves."""
    return _fewer(lab, "holes", "holes per tile")


def _fewer(lab: Lab, score: str, unit: str) -> Finding:
    ours, theirs = _counts(lab, OURS, score), _counts(lab, LAYER_CAM, score)
    if lab.fault == "reversed":
        ours, theirs = theirs, ours
    return judged(
        [other - one for one, other in zip(ours, theirs, strict=True)],
        f"{unit} fewer",
        rows=(
            Row.mean(f"CG-fusion CAM, {unit}", ours),
            Row.mean(f"LayerCAM, fused, {unit}", theirs),
        ),
        series={"CG-fusion CAM": ours, "LayerCAM": theirs},
    )


def _counts(lab: Lab, method: Method, score: str) -> list[float]:
    return [value / 100 for value in by_seed(lab, method, score)]


def under_activation(lab: Lab) -> Finding:
    """Pixel recall at the precision that LayerCAM has at its own threshold."""
    ours, theirs = [], []
    for seed in range(lab.budget.seeds):
        other = contrasts.outcome(lab, LAYER_CAM, seed)
        place = int(np.argmin(abs(np.array(judge.GRID) - other["threshold"])))
        precision = other["curve"]["precision"][place]
        theirs.append(100 * _recall_at(other["curve"], precision))
        ours.append(100 * _recall_at(contrasts.outcome(lab, OURS, seed)["curve"], precision))
    if lab.fault == "reversed":
        ours, theirs = theirs, ours
    return judged(
        [one - other for one, other in zip(ours, theirs, strict=True)],
        "points of recall",
        rows=(
            Row.mean("CG-fusion CAM, recall at equal precision, %", ours),
            Row.mean("LayerCAM, fused, recall at equal precision, %", theirs),
        ),
        note="Pixels of a seed's test tiles together; the largest recall at no lower precision.",
        series={"CG-fusion CAM": ours, "LayerCAM": theirs},
    )


def _recall_at(curve: Mapping[str, Sequence[float]], precision: float) -> float:
    pairs = zip(curve["recall"], curve["precision"], strict=True)
    return max((recall for recall, reached in pairs if reached >= precision), default=0.0)


def sizes(lab: Lab) -> Finding:
    """The lesser of the gains in IoU for the smallest and for the largest third of the defects."""
    ours, theirs = _sizes(lab)
    gains = ours - theirs
    name, status, comparison = contrasts.weakest({"small": gains[:, 0], "large": gains[:, 2]})
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        _size_rows(ours, theirs),
        note=f"Thirds of all test tiles by area. The lesser gain is that of the {name} ones.",
        series={"CG-fusion CAM": ours.tolist(), "LayerCAM": theirs.tolist()},
    )


def spread_as_stated(lab: Lab) -> Finding:
    """By how much less IoU differs between thirds of the defects by size."""
    ours, theirs = (_by_size(lab, method) for method in (OURS, LAYER_CAM))
    saved = np.ptp(theirs, axis=1) - np.ptp(ours, axis=1)
    return judged(
        -saved if lab.fault else saved, "points of IoU between sizes", rows=_size_rows(ours, theirs)
    )


def large_gain(lab: Lab) -> Finding:
    """The gain in IoU for the largest third of the defects."""
    ours, theirs = _sizes(lab)
    gains = ours - theirs
    return judged(
        gains[:, 2],
        POINTS,
        rows=_size_rows(ours, theirs),
        controls=(Control.above("The smallest third gains, too", mean_effect(gains[:, 0])),),
    )


def _sizes(lab: Lab) -> tuple[np.ndarray, np.ndarray]:
    """By seed and size, the IoU of CG-fusion CAM, or what a fault puts in its place; LayerCAM's."""
    ours = _by_size(lab, contrasts.NOISE if lab.fault == "noise" else OURS)
    if lab.fault == "masks":
        ours = np.full_like(ours, 100.0)
    return ours, _by_size(lab, LAYER_CAM)


def _by_size(lab: Lab, method: Method) -> np.ndarray:
    """Mean IoU in percent, `(seeds, 3)`, of the seed's smallest, medium and largest defects."""
    found = []
    for seed in range(lab.budget.seeds):
        record = contrasts.outcome(lab, method, seed)
        order = np.argsort(record["area"], kind="stable")
        values = np.nan_to_num(np.array(record["iou"]))
        found.append([100 * values[part].mean() for part in np.array_split(order, len(BINS))])
    return np.array(found)


def _size_rows(ours: np.ndarray, theirs: np.ndarray) -> tuple[Row, ...]:
    return tuple(
        Row.mean(f"{name}, {label} defects, {IOU}", values[:, place])
        for name, values in (("CG-fusion CAM", ours), ("LayerCAM, fused", theirs))
        for place, label in enumerate(BINS)
    )


def gradient_alone(lab: Lab) -> Finding:
    """IoU that the continuous gradient adds to LayerCAM of one layer."""
    plain, continuous = SINGLE[LAYER], Method("cg_cam", LAYER)
    return judged(
        gain(lab, continuous, plain),
        POINTS,
        rows=_part_rows(lab),
        controls=(
            Control.above(
                "It adds to fused maps, too",
                contrasts.difference(by_seed(lab, INACTIVE), by_seed(lab, LAYER_CAM)),
            ),
            Control.above(
                "It adds to the average precision, which needs no threshold",
                mean_effect(gain(lab, continuous, plain, "ap")),
            ),
        ),
    )


def fusion_alone(lab: Lab) -> Finding:
    """IoU that fusing four layers adds to LayerCAM of one layer."""
    return judged(
        gain(lab, LAYER_CAM, SINGLE[LAYER]),
        POINTS,
        rows=_part_rows(lab),
        controls=(
            Control.above(
                "Both parts together add more",
                contrasts.difference(by_seed(lab, OURS), by_seed(lab, LAYER_CAM)),
            ),
        ),
    )


def _part_rows(lab: Lab) -> tuple[Row, ...]:
    shown = {
        "LayerCAM, one layer": SINGLE[LAYER],
        "continuous gradient, one layer": Method("cg_cam", LAYER),
        "LayerCAM, fused": LAYER_CAM,
        "both": OURS,
    }
    return (*rows(lab, shown, "iou", IOU), *rows(lab, shown, "ap", AP))


def activation_as_stated(lab: Lab) -> Finding:
    """Pooled IoU at the fixed threshold 0.5 that the activation of the fused map adds."""
    active, inactive = (_at_half(lab, method) for method in (OURS, INACTIVE))
    if lab.fault == "reversed":
        active, inactive = inactive, active
    return judged(
        [one - other for one, other in zip(active, inactive, strict=True)],
        POINTS,
        rows=(
            Row.mean("activated, IoU of all pixels at 0.5, %", active),
            Row.mean("not activated, IoU of all pixels at 0.5, %", inactive),
        ),
    )


def _at_half(lab: Lab, method: Method) -> list[float]:
    curves = [contrasts.outcome(lab, method, seed)["curve"] for seed in range(lab.budget.seeds)]
    pairs = [(curve["precision"][HALF], curve["recall"][HALF]) for curve in curves]
    return [100 / (1 / p + 1 / r - 1) if p and r else 0.0 for p, r in pairs]


def activation_is_a_threshold(lab: Lab) -> Finding:
    """Average precision of the pixels with the activation less that without."""
    active = claimed(lab, OURS, "ap")
    comparison = contrasts.difference(active, by_seed(lab, INACTIVE, "ap"))
    return Finding(
        same(comparison, TIE),
        comparison,
        TIE,
        "points of average precision",
        (
            Row.mean(f"activated, {AP}", active),
            Row.mean(f"not activated, {AP}", by_seed(lab, INACTIVE, "ap")),
        ),
        note="tanh rises: it keeps the order of the fused map's pixels, and every segmentation of "
        "the one map is one of the other at another threshold. What is left is the enlargement to "
        "the tile's size, which follows.",
        test="same",
    )


def near_supervision(lab: Lab) -> Finding:
    """IoU that a decoder trained on masks reaches, less that of CG-fusion CAM."""
    ours, masks = claimed(lab, OURS), _supervised(lab)
    comparison = contrasts.difference(masks, ours)
    return Finding(
        below(comparison, NEAR),
        comparison,
        NEAR,
        f"{POINTS} missing",
        _supervision_rows(lab, masks),
        series={"CG-fusion CAM": by_seed(lab, OURS), "full supervision": masks},
        test="below",
    )


def half_of_supervision(lab: Lab) -> Finding:
    """IoU of CG-fusion CAM less half of what a decoder trained on masks reaches."""
    ours, masks = claimed(lab, OURS), _supervised(lab)
    differences = [one - other / 2 for one, other in zip(ours, masks, strict=True)]
    series = {"CG-fusion CAM": ours, "full supervision": masks}
    return judged(differences, POINTS, rows=_supervision_rows(lab, masks), series=series)


def _supervised(lab: Lab) -> list[float]:
    seeds = range(lab.budget.seeds)
    return [100 * study.mean(decoders.supervised(lab, seed)["iou"]) for seed in seeds]


def _supervision_rows(lab: Lab, masks: list[float]) -> tuple[Row, ...]:
    return (
        *rows(lab, {"CG-fusion CAM": OURS}, "iou", IOU),
        Row.mean(f"decoder trained on masks, {IOU}", masks),
    )


def cost(lab: Lab) -> Finding:
    """Arithmetic of CG-fusion CAM over that of Grad-CAM of the last layer, for the same tiles."""
    counts = dict(_recalled(lab, "operations of maps", _operations))
    ours = counts["fused"]
    if lab.fault == "apart":
        ours = sum(_recalled(lab, "operations layer by layer", _apart))
    ratio = ours / counts["grad_cam"]
    return Finding(
        verdict(ratio < TWICE),
        exact(ratio),
        TWICE,
        "times Grad-CAM",
        (
            Row("Grad-CAM of the last layer, million operations a tile", counts["grad_cam"]),
            Row("CG-fusion CAM of four layers, million operations a tile", counts["fused"]),
        ),
        note="As XLA counts them in the compiled program of one batch; what the layers' maps share "
        "is computed once.",
        test="below",
    )


def _recalled(lab: Lab, name: str, compute: Callable[[Lab], Any]) -> Any:
    return lab.recall(f"{lab.data.name}, {name}", partial(compute, lab))


def _operations(lab: Lab) -> dict[str, float]:
    """Million floating-point operations a tile, by program."""
    return {
        "fused": _count(lab, lambda net, x: fusion_cam([split(net, s) for s in FUSED], x, 1)),
        "grad_cam": _count(lab, partial(_single, "grad_cam", FUSED[-1])),
    }


def _apart(lab: Lab) -> list[float]:
    return [_count(lab, partial(_single, "cg_cam", stage)) for stage in FUSED]


def _single(name: str, stage: str, net: Any, x: Array) -> Array:
    return METHODS[name](*split(net, stage), x, 1)


def _count(lab: Lab, explain: Callable[[Any, Array], Array]) -> float:
    net = detectors.detector(lab, 0)
    net.eval()
    graph, state = nnx.split(net)
    x = detectors.images(lab.data)[: study.CHUNK]
    run = jax.jit(lambda state, x: explain(nnx.merge(graph, state), x))
    found = run.lower(state, x).compile().cost_analysis() or {}
    return float(found["flops"]) / 1e6 / len(x)
