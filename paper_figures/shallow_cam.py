"""Figures on shallow CAM: score by depth of the layer, the truncated share, fusion, sanity."""

from collections.abc import Mapping

from paper_figures import map_pictures as pictures
from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Shallow CAM: truncated positive gradients"
METHODS = {
    "layer_cam": "LayerCAM",
    "grad_cam": "Grad-CAM",
    "grad_cam_pp": "Grad-CAM++",
    "xgrad_cam": "XGrad-CAM",
}
TRUNCATIONS = {
    "randomisation": "truncated at the layer",
    "randomisation_backprop": "truncated at every ReLU",
}
SCORES = {
    "fused_iou": ("iou", "IoU of the defect (%)"),
    "fused_boundary": ("boundary", "boundary F (%)"),
}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "iou-by-depth": ("shallow_gain", by_depth),
        "truncated-share": ("noise_removed", over_share),
        "plug-ins": ("plug_in", plug_ins),
    }
    found = style.drawn(drawers, evidence)
    fused = {name: evidence[name] for name in SCORES if name in evidence}
    sane = {text: evidence[name] for name, text in TRUNCATIONS.items() if name in evidence}
    return (
        found
        | ({"fused-layers": fusion(fused)} if fused else {})
        | ({"parameter-randomisation": pictures.sanity(sane)} if sane else {})
    )


def by_depth(verdict: Verdict) -> Picture:
    """IoU over the depth of the explained layer."""
    runs = verdict.finding.series["by depth"]
    fig = pictures.curves(
        runs, "explained layer, from shallow to deep", "IoU of the defect (%)", ours=["truncated"]
    )
    return Picture(
        fig,
        "IoU of maps with the defect by the depth of the layer they are made of, with and without "
        "truncation of the positive gradients; thresholds chosen on held-out tiles with the same "
        f"grid everywhere. Means and single runs of {pictures.seeds(verdict)}.",
    )


def over_share(verdict: Verdict) -> Picture:
    """Relevance within the mask over the share of positive gradients that is cut off."""
    runs = {"truncated": verdict.finding.series["mass"]}
    fig = pictures.curves(
        runs, "share of the positive gradients that is cut off", "relevance within the mask (%)",
        ours=["truncated"],
    )  # fmt: skip
    return Picture(
        fig,
        "Share of a map that lies within the defect, by the share q of the positive gradients that "
        f"is cut off; q = 0 is LayerCAM. Means and single runs of {pictures.seeds(verdict)}.",
    )


def plug_ins(verdict: Verdict) -> Picture:
    """What truncation adds to several methods."""
    gains = {_title(name): values for name, values in verdict.finding.series["gains"].items()}
    fig = pictures.bars({"gain in IoU of the defect (points)": gains}, signed=True)
    return Picture(
        fig,
        "What truncation adds to each method at the same layer: means, 95 % intervals and single "
        f"runs of {pictures.seeds(verdict)}.",
    )


def fusion(verdicts: Mapping[str, Verdict]) -> Picture:
    """Maps of several layers fused, beside the last layer's."""
    groups = {}
    for name, verdict in verdicts.items():
        key, quantity = SCORES[name]
        groups[quantity] = verdict.finding.series[key]
    fig = pictures.bars(groups, ours=["truncated, fused"])
    first = next(iter(verdicts.values()))
    return Picture(
        fig,
        "Maps of four layers fused, the last layer's map, and noise: means, 95 % intervals and "
        f"single runs of {pictures.seeds(first)}. Boundaries count as met within "
        "2 pixels.",
    )


def _title(name: str) -> str:
    return METHODS.get(name, name.replace("_", " "))
