"""Figures on Tri-path DINO: ablations, losses and pre-training, and what the two paths look at."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from paper_figures import change_pictures as changes
from paper_figures import map_pictures as pictures
from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict
from theory.claims.change_gallery import array

TITLE = "Tri-path DINO"
FULL = "full"
ABLATED = (FULL, "main only", "auxiliary only", "without MLHA")
LEARNED = (FULL, "cross-entropy", "pre-trained", "few labels", "pre-trained, few labels")
COLOURS = {"main": style.BLUE, "auxiliary": style.VERMILION}
PLACE = 2  # pixels of a place of the maps


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "change-maps": ("beats_main_only", change_maps),
        "ablations": ("beats_main_only", ablations),
        "losses-and-labels": ("three_losses_beat_cross_entropy", lessons),
        "maps-of-paths": ("auxiliary_at_boundaries", path_maps),
        "spectra-of-paths": ("auxiliary_of_higher_frequency", spectra),
        "regions-by-size": ("small_regions_need_auxiliary", regions),
    }
    found = style.drawn(drawers, evidence)
    verdict = evidence.get("beats_main_only")
    if verdict is not None and verdict.finding.series.get("real"):
        found["real-pairs"] = real_pairs(verdict)
    return found


def real_pairs(verdict: Verdict) -> Picture:
    """What networks that know drawn pairs alone make of real ones."""
    return Picture(
        changes.change_maps(verdict.finding.series["real"], ours=[FULL]),
        "Real pairs of SECOND, a tile of each, and the errors of networks that learned from drawn "
        "pairs alone: what they know of drawn land cover does not carry over as it is. Right: the "
        f"classes of both dates. First seed, of {pictures.seeds(verdict)}.",
    )


def change_maps(verdict: Verdict) -> Picture:
    """Pairs with the errors of the full network and of those with a part left out."""
    return Picture(
        changes.change_maps(verdict.finding.series["shown"], ours=[FULL]),
        "Drawn test pairs of the first seed, the first of which between 5 % and 60 % changed: "
        "both dates, what changed pixels were and became, and the errors of the networks. Right: "
        f"the classes of both dates. Of {pictures.seeds(verdict)}.",
    )


def path_maps(verdict: Verdict) -> Picture:
    """Pairs with the Grad-CAM of both paths, and the boundaries of what changed."""
    records = verdict.finding.series["shown"]
    fig, axes = style.figure(1.05 * 4, 1.05 * len(records) + 0.3, rows=len(records), columns=4)
    for line, record in zip(axes, records, strict=True):
        changed = array(record["labels"])[1] > 0
        for axis, name in zip(line[:2], ("before", "after"), strict=True):
            _shown(axis, array(record[name]), name)
        for axis, path in zip(line[2:], COLOURS, strict=True):
            _shown(axis, array(record["maps"][path]), f"{path} path", changed)
    for axis in axes[1:].flat:
        axis.set_title("")
    return Picture(
        fig,
        "Grad-CAM of the evidence of change at the finest level of either path, dark to bright, "
        "each map by its own maximum, with the outlines of what changed. Test pairs of the first "
        f"seed, of {pictures.seeds(verdict)}.",
    )


def _shown(axis: Axes, picture: np.ndarray, title: str, outline: np.ndarray | None = None) -> None:
    side = picture.shape[0] if outline is None else outline.shape[0]
    frame = (-0.5, side - 0.5, side - 0.5, -0.5)
    axis.imshow(picture, interpolation="nearest", cmap="magma", extent=frame)
    if outline is not None and outline.any() and not outline.all():
        axis.contour(outline.astype(float), [0.5], colors="white", linewidths=0.7)
    axis.set(xticks=[], yticks=[])
    axis.set_title(title, fontsize=7, fontweight="normal")
    axis.grid(visible=False)


def ablations(verdict: Verdict) -> Picture:
    """All three metrics of the full network and of those with a part left out."""
    scores = verdict.finding.series["scores"]
    groups = {f"{title} (%)": _some(runs, ABLATED) for title, runs in scores.items()}
    return Picture(
        pictures.bars(groups, ours=[FULL]),
        "Separated kappa, F of semantic change and mIoU of change of the full network, of either "
        "path alone, and with plain residual convolutions in place of multi-level hybrid "
        "attention, on test pairs. All learn from the same examples for as many steps. Means, "
        f"95 % intervals and single runs of {pictures.seeds(verdict)}.",
    )


def lessons(verdict: Verdict) -> Picture:
    """Separated kappa by loss, start and number of labels."""
    runs = verdict.finding.series["SeK"]
    return Picture(
        pictures.bars({"SeK (%)": _some(runs, LEARNED)}, ours=[FULL], signed=True),
        "Separated kappa of the full network, which learns by Focal, Dice and Lovasz loss; by "
        "cross-entropy; with a main path that knew the land cover of other drawn places (ours, in "
        "place of DINOv3's weights); and with a tenth of the training places. Means, 95 % "
        f"intervals and single runs of {pictures.seeds(verdict)}.",
    )


def spectra(verdict: Verdict) -> Picture:
    """Power of the paths' maps by spatial frequency."""
    fig, axes = style.figure(4.4, 2.6)
    axis = axes[0, 0]
    for path, runs in verdict.finding.series["spectra"].items():
        table = 100 * np.asarray(runs, float)
        rings = table.shape[1]
        middle = (np.arange(rings) + 0.5) / (2 * rings * PLACE)
        style.seeds_line(
            axis, middle.tolist(), table, label=f"{path} path", colour=COLOURS[path], marker="o"
        )
    axis.set(xlabel="spatial frequency (cycles per pixel)", ylabel="share of power (%)")
    axis.set_ylim(bottom=0)
    axis.legend()
    return Picture(
        fig,
        "Power of the Grad-CAM maps of both paths at their finest level, by ring of spatial "
        "frequency, the mean left out; test pairs with change. The last ring holds the corners "
        f"beyond it. Means and single runs of {pictures.seeds(verdict)}.",
    )


def regions(verdict: Verdict) -> Picture:
    """Recall of small and of large regions, with and without the auxiliary path."""
    series = verdict.finding.series
    groups = {f"{size} regions, found (%)": runs for size, runs in series["recall"].items()}
    return Picture(
        pictures.bars(groups, ours=[FULL]),
        f"Mean share of a region of change that is found. Small: up to {series['area']:g} pixels, "
        "the median of all regions. Means, 95 % intervals and single runs of "
        f"{pictures.seeds(verdict)}.",
    )


def _some(runs: Mapping[str, list[float]], names: tuple[str, ...]) -> dict[str, list[float]]:
    return {name: runs[name] for name in names if name in runs}
