"""Figures on region-aware CAM: maps, methods in order, rounds, parts, filtered share, sanity."""

from collections.abc import Mapping

from paper_figures import map_pictures as pictures
from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Region-aware CAM: filtered gradients and pseudo labels"
OURS = "region-aware CAM"
SUPERVISED = "full supervision"
BOLD = (OURS, "region-aware CAM, spatial", "its pseudo labels")
CHECKED = {"randomisation": OURS, "randomisation_fgbp": "filtered gradient at the input"}
IOU = "IoU of the defect (%)"


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "contact-sheet": ("beats_standard", sheet),
        "methods-in-order": ("beats_standard", in_order),
        "pseudo-label-rounds": ("rounds_rise", rounds),
        "parts": ("parts", parts),
        "filtered-share": ("optimum", over_share),
    }
    found = style.drawn(drawers, evidence)
    sane = {text: evidence[name] for name, text in CHECKED.items() if name in evidence}
    return found | ({"parameter-randomisation": pictures.sanity(sane)} if sane else {})


def sheet(verdict: Verdict) -> Picture:
    """Maps of all methods for a tile of every kind."""
    found = verdict.finding.series["sheet"]
    return pictures.contact_sheet(
        verdict, found["images"], found["masks"], found["maps"], ours=BOLD
    )


def in_order(verdict: Verdict) -> Picture:
    """IoU of all methods, of networks trained on pseudo labels, and of full supervision."""
    runs = dict(verdict.finding.series["iou"])
    full = runs.pop(SUPERVISED, ())
    fig = pictures.ranking(runs, IOU, ours=BOLD, full=full)
    return Picture(
        fig,
        "All methods in order: means, 95 % intervals and single runs of "
        f"{pictures.seeds(verdict)}; thresholds chosen on held-out tiles with the same grid for "
        f"every method. In bold what the paper proposes.{pictures.dashed(full)}",
    )


def rounds(verdict: Verdict) -> Picture:
    """IoU after every round of training on pseudo labels."""
    series = verdict.finding.series
    shown = {"maps": series["seeds"]}
    shown |= {str(number): values for number, values in enumerate(series["rounds"], 1)}
    labels = {str(number): values for number, values in enumerate(series["labels"], 1)}
    runs = {"on test tiles": shown, "labels of the training tiles": labels}
    fig = pictures.curves(
        runs, "round of training", IOU, ours=["on test tiles"], full=series["supervised"]
    )
    return Picture(
        fig,
        "A decoder trained in rounds, on labels made of the maps and then of its own predictions; "
        "uncertain pixels are ignored, and a run that stopped early keeps its last round. Means "
        f"and single runs of {pictures.seeds(verdict)}. Dashed: the same decoder trained on masks, "
        "on test tiles.",
    )


def parts(verdict: Verdict) -> Picture:
    """Filter and module, each alone and together, with and without pseudo labels."""
    fig = pictures.bars({IOU: verdict.finding.series["iou"]}, ours=["both"])
    return Picture(
        fig,
        "Filtered backpropagation (FGBP) and the region-aware module, each alone, together, and "
        "with pseudo labels made of them: means, 95 % intervals and single runs of "
        f"{pictures.seeds(verdict)}.",
    )


def over_share(verdict: Verdict) -> Picture:
    """Relevance within the mask over the share of gradients that the filter removes."""
    series = verdict.finding.series
    run = {str(q): values for q, values in zip(series["shares"], series["mass"], strict=True)}
    fig = pictures.curves(
        {"FGBP": run}, "share of the positive gradients that is filtered out",
        "relevance within the mask (%)", ours=["FGBP"],
    )  # fmt: skip
    return Picture(
        fig,
        "Share of the filtered gradient at the input that lies within the defect; at 0 the filter "
        f"is guided backpropagation. Means and single runs of {pictures.seeds(verdict)}.",
    )
