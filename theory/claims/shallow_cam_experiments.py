"""Experiments on shallow class activation maps with truncated gradients.

All compare maps by the protocol of `localisation_study`: one network and one set of tiles a seed,
the threshold chosen on held-out tiles with the same budget for every method.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from neurons.explain import METHODS, cam
from neurons.explain import metrics as judge
from theory.claims import cam_contrasts as contrasts
from theory.claims import localisation_study as study
from theory.claims import localisation_study_detectors as detectors
from theory.claims.cam_contrasts import REPLACED, SAME_NET, by_seed, gain, judged, rows
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.localisation_study import Method
from theory.claims.statistics import below, greater, mean_effect, same

SHALLOW = ("stage1", "stage2")  # layers 2 and 3 of five
DEPTHS = (*SHALLOW, "stage3", "stage4")
FUSED = ("stage1", "stage2", "stage3", "stage4")
Q = 0.5
CLOSE = 2.0  # points of IoU
SHARES = (0.0, 0.5, 0.7, 0.9, 0.99)
BASES = ("layer_cam", "grad_cam", "grad_cam_pp")
LAST = Method("grad_cam", "stage4")  # behind a mean and a linear layer it is CAM
IOU, MASS = "IoU, %", "relevance within the mask, %"
POINTS = "points of IoU"

FAULTS: Mapping[str, Mapping[str, str]] = {
    "randomisation": SAME_NET,
    "randomisation_backprop": SAME_NET,
    "shallow_gain_as_stated": REPLACED,
    "shallow_gain": REPLACED,
    "fine_detail": {"reversed": "shallow and deep are exchanged"},
    "depth": {"reversed": "shallow and deep are exchanged", "masks": REPLACED["masks"]},
    "noise_removed": {"reversed": "truncated and untruncated are exchanged"},
    "optimum_as_stated": {
        "best": "the best of all shares, the ends too, is declared the inner one"
    },
    "optimum": {"smaller": "the largest share is left out"},
    "plug_in_as_stated": REPLACED,
    "plug_in": REPLACED,
    "fused_iou": REPLACED,
    "fused_boundary": REPLACED,
    "discriminative": {"same_class": "both maps are of the class that is there"},
}


def plain(stage: str) -> Method:
    """LayerCAM, which is truncation at 0."""
    return Method("layer_cam", stage)


def truncated(stage: str, q: float = Q, base: str = "layer_cam", kind: str = "thr") -> Method:
    """A truncated map; the options that are defaults are left out of its name."""
    given = {"q": (q, Q), "base": (base, "layer_cam"), "truncation": (kind, "thr")}
    options = {name: value for name, (value, default) in given.items() if value != default}
    return (
        plain(stage) if q == 0 and base == "layer_cam" else Method("truncated_cam", stage, options)
    )


def randomisation(lab: Lab) -> Finding:
    """The sanity check of the default truncation at the third layer."""
    return contrasts.randomisation(lab, truncated(SHALLOW[1]))


def randomisation_backprop(lab: Lab) -> Finding:
    """The same where every ReLU behind the layer truncates, too."""
    return contrasts.randomisation(lab, truncated(SHALLOW[1], kind="backprop"))


def shallow_gain_as_stated(lab: Lab) -> Finding:
    """IoU that truncation adds to LayerCAM, mean over the second and third layer."""
    gains = [gain(lab, truncated(stage), plain(stage)) for stage in SHALLOW]
    shown = {f"LayerCAM, {stage}": plain(stage) for stage in DEPTHS}
    shown |= {f"truncated at q = {Q}, {stage}": truncated(stage) for stage in DEPTHS}
    return judged(
        np.mean(gains, axis=0),
        POINTS,
        rows=rows(lab, shown, "iou", IOU),
        controls=(
            Control.above(
                "LayerCAM at these layers is better than smooth noise",
                mean_effect(
                    np.mean([gain_over_noise(lab, plain(stage)) for stage in SHALLOW], axis=0)
                ),
            ),
        ),
        series={"by depth": _by_depth(lab)},
    )


def shallow_gain(lab: Lab) -> Finding:
    """The same gain, against two points in either direction."""
    found = shallow_gain_as_stated(lab)
    return replace(
        found, status=same(found.comparison, CLOSE), margin=CLOSE, test="same", controls=()
    )


def gain_over_noise(lab: Lab, method: Method) -> list[float]:
    """By seed, the IoU above that of smooth noise."""
    pairs = zip(by_seed(lab, method), by_seed(lab, contrasts.NOISE), strict=True)
    return [ours - theirs for ours, theirs in pairs]


def depth(lab: Lab) -> Finding:
    """The gain at the second layer less that at the fourth."""
    shallow, deep = (gain(lab, truncated(s), plain(s)) for s in (DEPTHS[0], DEPTHS[2]))
    if lab.fault == "masks":
        deep = [0.0] * len(deep)
    sign = -1 if lab.fault == "reversed" else 1
    gains = {stage: gain(lab, truncated(stage), plain(stage)) for stage in DEPTHS}
    return judged(
        [sign * (one - other) for one, other in zip(shallow, deep, strict=True)],
        POINTS,
        rows=tuple(Row.mean(f"gain at {name}, {POINTS}", values) for name, values in gains.items()),
        series={"gain": gains},
    )


def noise_removed(lab: Lab) -> Finding:
    """Relevance within the mask that truncation adds at the third layer, at the largest share."""
    strong, none = (truncated(SHALLOW[1], q) for q in (0.9, 0.0))
    sign = -1 if lab.fault == "reversed" else 1
    pairs = zip(by_seed(lab, strong, "mass"), by_seed(lab, none, "mass"), strict=True)
    return judged(
        [sign * (ours - theirs) for ours, theirs in pairs],
        f"points of {MASS}",
        rows=_share_rows(lab),
        series={"mass": _masses(lab)},
    )


def optimum_as_stated(lab: Lab) -> Finding:
    """Relevance within the mask at the best share between, less that at the better end.

    The best share is chosen for each seed on the other seeds.
    """
    found = np.array(list(_masses(lab).values()))
    best = []
    for seed in range(found.shape[1]):
        others = np.delete(found, seed, axis=1).mean(axis=1)
        best.append(found[1 + int(np.argmax(others[1:-1])), seed])
    if lab.fault == "best":
        best = [value + 1 for value in found.max(axis=0)]
    return judged(
        np.array(best) - found[[0, -1]].max(axis=0),
        f"points of {MASS}",
        rows=_share_rows(lab),
        series={"mass": _masses(lab)},
    )


def optimum(lab: Lab) -> Finding:
    """Relevance within the mask at the largest share, less that at the best of the others."""
    found = np.array(list(_masses(lab).values()))
    last = found[-1] if lab.fault is None else found[0] - 1
    iou = [by_seed(lab, truncated(SHALLOW[1], q)) for q in (SHARES[-1], SHARES[0])]
    return judged(
        last - found[:-1].max(axis=0),
        f"points of {MASS}",
        rows=_share_rows(lab),
        controls=(Control.above("The IoU rises, too", contrasts.difference(*iou)),),
        series={"mass": _masses(lab)},
    )


def _masses(lab: Lab) -> dict[str, list[float]]:
    return {str(q): by_seed(lab, truncated(SHALLOW[1], q), "mass") for q in SHARES}


def _share_rows(lab: Lab) -> tuple[Row, ...]:
    shown = {f"q = {q}": truncated(SHALLOW[1], q) for q in SHARES}
    return (*rows(lab, shown, "mass", MASS), *rows(lab, shown, "iou", IOU))


def plug_in_as_stated(lab: Lab) -> Finding:
    """The least of the gains that truncation brings three methods at the third layer."""
    stage = SHALLOW[1]
    effects = _plug_in_gains(lab)
    name, status, comparison = contrasts.weakest(effects)
    shown = {base: Method(base, stage) for base in BASES}
    shown |= {f"{base}, truncated": truncated(stage, base=base) for base in BASES}
    return Finding(
        status,
        comparison,
        0.0,
        POINTS,
        rows(lab, shown, "iou", IOU),
        note=f"The least gain is that of {name}.",
        series={"gains": effects},
    )


def _plug_in_gains(lab: Lab) -> dict[str, list[float]]:
    stage = SHALLOW[1]
    return {base: gain(lab, truncated(stage, base=base), Method(base, stage)) for base in BASES}


def plug_in(lab: Lab) -> Finding:
    """IoU that truncation adds to Grad-CAM at the third layer."""
    stage = SHALLOW[1]
    ours, theirs = truncated(stage, base="grad_cam"), Method("grad_cam", stage)
    comparison = mean_effect(gain(lab, ours, theirs))
    shown = {"Grad-CAM": theirs, "Grad-CAM, truncated": ours}
    return Finding(
        below(comparison),
        comparison,
        0.0,
        POINTS,
        (*rows(lab, shown, "iou", IOU), *rows(lab, shown, "mass", MASS)),
        note="A mean of positive gradients is positive: channels that speak against the class add "
        "to its map instead of being taken off.",
        series={"gains": _plug_in_gains(lab)},
        test="below",
    )


def fine_detail(lab: Lab) -> Finding:
    """Boundary F of LayerCAM at the second layer less that of the last layer's map."""
    score, label = "boundary", "boundary F within 2 pixels, %"
    shown = {f"LayerCAM, {stage}": plain(stage) for stage in DEPTHS} | {"last layer (CAM)": LAST}
    pair = [by_seed(lab, method, score) for method in (plain(SHALLOW[0]), LAST)]
    comparison = contrasts.difference(*(pair[::-1] if lab.fault else pair))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "points of boundary F",
        (*rows(lab, shown, score, label), *rows(lab, shown, "iou", IOU)),
        controls=(
            Control.above(
                "They have a higher IoU, too",
                contrasts.difference(by_seed(lab, plain(SHALLOW[0])), by_seed(lab, LAST)),
            ),
        ),
    )


def fused_iou(lab: Lab) -> Finding:
    """IoU of truncated maps of four layers, fused, less that of the last layer's map."""
    return _fused(lab, "iou", POINTS, IOU)


def fused_boundary(lab: Lab) -> Finding:
    """The same for the boundary's F score."""
    return _fused(lab, "boundary", "points of boundary F", "boundary F within 2 pixels, %")


@dataclass(frozen=True)
class Named:
    """A method as an option of another one: its text is its name, in every process."""

    name: str

    def __call__(self, *given: Any, **options: Any) -> Any:
        """Raw maps."""
        return METHODS[self.name](*given, **options)

    def __str__(self) -> str:
        return self.name


def fused_method(method: str = "truncated_cam") -> Method:
    """Maps of four layers fused as LayerCAM fuses its own: tanh of the shallow ones, maximum."""
    return Method("fusion_cam", FUSED, {"layer_method": Named(method), "activation": "none"})


def _fused(lab: Lab, score: str, unit: str, label: str) -> Finding:
    shown = {
        "truncated, fused": fused_method(),
        "LayerCAM, fused": fused_method("layer_cam"),
        "last layer (CAM)": LAST,
        "smooth noise": contrasts.NOISE,
    }
    untruncated = by_seed(lab, fused_method("layer_cam"), score)
    return judged(
        gain(lab, fused_method(), LAST, score),
        unit,
        rows=rows(lab, shown, score, label),
        controls=(
            Control.above(
                "It is the truncation: fused LayerCAM is worse",
                contrasts.difference(by_seed(lab, fused_method(), score), untruncated),
            ),
        ),
        series={score: {name: by_seed(lab, method, score) for name, method in shown.items()}},
    )


def discriminative(lab: Lab) -> Finding:
    """Relevance within the mask of the map for "defect" less that of the map for "free"."""
    present, absent = (
        [_mass_of_class(lab, seed, label) for seed in range(lab.budget.seeds)] for label in (1, 0)
    )
    if lab.fault == "same_class":
        absent = present
    comparison = contrasts.difference(present, absent)
    return judged(
        [one - other for one, other in zip(present, absent, strict=True)],
        f"points of {MASS}",
        rows=(
            Row.mean(f"map of the class that is there, {MASS}", present),
            Row.mean(f"map of the class that is not, {MASS}", absent),
        ),
        note=f"{comparison.seeds} seeds; tiles where either map is empty do not count.",
        series={"present": present, "absent": absent},
    )


def _mass_of_class(lab: Lab, seed: int, label: int) -> float:
    name = f"{lab.data.name}, mass of class {label}, {seed}"
    return float(lab.recall(name, partial(_mass, lab, seed, label)))


def _mass(lab: Lab, seed: int, label: int) -> float:
    places = study.tiles(lab, seed)[1]
    masks = lab.data.masks[places]
    net = contrasts.network(lab, seed)
    x = detectors.images(lab.data)[places]
    parts = [x[start : start + study.CHUNK] for start in range(0, len(x), study.CHUNK)]
    method, size = truncated(SHALLOW[1]), masks.shape[1:]
    found = [
        np.asarray(cam(net, part, label, method=method.name, stage=method.stage, size=size))
        for part in parts
    ]
    return 100 * study.mean(judge.relevance_mass(np.concatenate(found), masks))


def _by_depth(lab: Lab) -> dict[str, dict[str, list[float]]]:
    """By method and layer, IoU by seed."""
    return {
        "LayerCAM": {stage: by_seed(lab, plain(stage)) for stage in DEPTHS},
        "truncated": {stage: by_seed(lab, truncated(stage)) for stage in DEPTHS},
    }
