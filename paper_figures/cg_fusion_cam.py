"""Figures on CG-fusion CAM: methods in order, scatter, under-activation, sizes, parts, sanity."""

from collections.abc import Mapping, Sequence

import numpy as np

from paper_figures import map_pictures as pictures
from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "CG-fusion CAM: continuous gradients and fused scales"
OURS = "CG-fusion CAM"
SUPERVISED = "full supervision"
SIZES = ("small", "medium", "large")
COUNTS = {
    "scatter": "components per true region",
    "holes": "holes per tile",
    "under_activation": "recall at equal precision (%)",
}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    taught = evidence.get("near_supervision")
    full = taught.finding.series[SUPERVISED] if taught else ()
    drawers: style.Drawers = {
        "methods-in-order": ("beats_layer_cam", lambda one: in_order(one, full)),
        "sizes": ("sizes", by_size),
        "parts": ("gradient_alone", parts),
        "parameter-randomisation": ("randomisation", lambda one: pictures.sanity({OURS: one})),
    }
    found = style.drawn(drawers, evidence)
    counts = {name: evidence[name] for name in COUNTS if name in evidence}
    return found | ({"scatter": scatter(counts)} if counts else {})


def in_order(verdict: Verdict, full: Sequence[float]) -> Picture:
    """IoU of CG-fusion CAM and of LayerCAM, fused and of single layers, beside supervision."""
    runs = verdict.finding.series["iou"]
    fig = pictures.ranking(runs, "IoU of the defect (%)", ours=[OURS], full=full)
    return Picture(
        fig,
        "CG-fusion CAM beside LayerCAM: means, 95 % intervals and single runs of "
        f"{pictures.seeds(verdict)}; thresholds chosen on held-out tiles with the same grid for "
        f"every method.{pictures.dashed(full)}",
    )


def scatter(verdicts: Mapping[str, Verdict]) -> Picture:
    """How scattered marked shapes are, how many holes they have, how much they miss."""
    groups = {COUNTS[name]: verdict.finding.series for name, verdict in verdicts.items()}
    first = next(iter(verdicts.values()))
    return Picture(
        pictures.bars(groups, ours=[OURS]),
        "Scatter and under-activation of the marked shapes, both methods fused over the same "
        "layers and each at its own threshold; recall is compared at the precision that LayerCAM "
        f"has there. Means, 95 % intervals and single runs of {pictures.seeds(first)}.",
    )


def by_size(verdict: Verdict) -> Picture:
    """IoU for small, medium and large defects."""
    series = verdict.finding.series
    runs = {
        name: dict(zip(SIZES, np.transpose(series[name]).tolist(), strict=True)) for name in series
    }
    fig = pictures.curves(
        runs, "thirds of the test tiles by the defect's area", "IoU of the defect (%)", ours=[OURS]
    )
    return Picture(
        fig,
        "IoU by the size of the defect, both methods fused over the same layers: means and single "
        f"runs of {pictures.seeds(verdict)}.",
    )


def parts(verdict: Verdict) -> Picture:
    """Continuous gradient and fusion, each alone and together."""
    return Picture(
        pictures.listing(verdict.finding.rows, "IoU, %", ours=["both"]),
        "The continuous gradient and the fusion of layers, each alone and together: means and 95 % "
        f"intervals of {pictures.seeds(verdict)}.",
    )
