"""Figures on the reliability guide: price of recall, rankings, histograms, radii, a page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.map_pictures import DARK_TO_LIGHT
from paper_figures.style import Picture
from theory.claims import Verdict, mean_effect

TITLE = "A reliability guide: when not to trust that there is no defect"
THRESHOLD = "decision threshold"
OURS = {
    "guide, chosen": style.VERMILION,
    "guide, A1": style.PURPLE,
    "guide, plain": style.ORANGE,
}
LINES = ("-", "--", ":", "-.")
OTHERS = (style.BLUE, style.GREEN, style.SKY, style.GREY)
MAPS = {
    "picture": "picture",
    "defect": "speaks for\na defect",
    "normal": "speaks for\nnone",
    "agnostic": "responds\nto",
}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "recall-against-cost": ("beats_threshold", recall_against_cost),
        "areas": ("beats_confidence", areas),
        "histograms": ("above_chance", histograms),
        "radius": ("gap_grows", over_radius),
        "flagged": ("above_chance", flagged),
    }
    return style.drawn(drawers, evidence)


def recall_against_cost(verdict: Verdict) -> Picture:
    """Recall of missed defects over the price in true negatives, for every score."""
    series = verdict.finding.series["curves"]
    sets = [name for name in series if name != "cost"]
    cost = 100 * np.array(series["cost"])
    fig, axes = style.figure(6.6, 3.2, columns=len(sets), sharey=True)
    for axis, which in zip(axes.flat, sets, strict=True):
        axis.plot([0, 100], [0, 100], color=style.FAINT, linewidth=0.8)
        detectors = [name for name in series[which] if name not in (*OURS, THRESHOLD)]
        for place, name in enumerate(detectors):
            look = {"color": OTHERS[place % len(OTHERS)], "linestyle": LINES[1 + place % 3]}
            axis.plot(cost, _percent(series[which][name]), linewidth=0.8, label=name, **look)
        axis.plot(cost, _percent(series[which][THRESHOLD]), color=style.INK, label=THRESHOLD)
        for name, colour in OURS.items():
            axis.plot(cost, _percent(series[which][name]), color=colour, linewidth=1.6, label=name)
        axis.set(title=which, xlabel="true negatives flagged (%)", xlim=(0, 100), ylim=(0, 102))
    axes[0, 0].set_ylabel("missed defects flagged (%)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=4)
    return Picture(
        fig,
        "Among test pictures that were called normal: how many missed defects a score finds, at "
        "every share of the true negatives that it flags with them. Confidence, entropy and their "
        "temperature-scaled forms rank two classes as the decision threshold does, and lie on its "
        "line. The guide: as its defaults are, after one adversarial step (A1), and in the variant "
        "that is best on validation pictures. Faint: chance. All missed defects of "
        f"{_basis(verdict)} together, each score replaced by its place among its network's true "
        f"negatives. {_missed(verdict)}",
    )


def areas(verdict: Verdict) -> Picture:
    """Area under the ROC curve of every score, by set."""
    series = verdict.finding.series["areas"]
    names = list(next(iter(series.values())))[::-1]
    fig, axes = style.figure(6.6, 0.6 + 0.2 * len(names), columns=len(series), sharey=True)
    for axis, (which, known) in zip(axes.flat, series.items(), strict=True):
        axis.axvline(0.5, color=style.GREY, linewidth=0.8)
        for place, name in enumerate(names):
            colour = style.VERMILION if name.startswith("guide") else style.BLUE
            _with_interval(axis, known.get(name, ()), place, colour)
        axis.set(title=which, xlabel="area under the ROC curve", ylim=(-0.7, len(names) - 0.3))
        axis.set_xlim(0.2, 1)
    axes[0, 0].set_yticks(range(len(names)), names)
    return Picture(
        fig,
        "How well each score tells missed defects from true negatives: 0.5 is chance. Means, 95 % "
        f"intervals, which may leave the frame, and single runs of {_basis(verdict)}; in "
        "vermilion the guide as its defaults are, after one adversarial step (A1), and in the "
        "variant that is best on validation pictures.",
    )


def histograms(verdict: Verdict) -> Picture:
    """Scores of missed defects and of true negatives, with and without enhancement."""
    series = verdict.finding.series["histograms"]
    edges = np.array(series["edges"])
    sets = [name for name in series if name != "edges"]
    names = list(series[sets[0]])
    fig, axes = style.figure(
        6.6, 1.1 + 1.3 * len(names), rows=len(names), columns=len(sets), sharex=True, sharey="row"
    )
    for line, name in zip(axes, names, strict=True):
        for axis, which in zip(line, sets, strict=True):
            for part, colour in (("normal", style.BLUE), ("missed", style.VERMILION)):
                _bars(axis, edges, series[which][name][part], colour)
        line[0].set_ylabel(f"{'with' if 'A1' in name else 'without'} A1\nshare (%)")
    for axis, which in zip(axes[0], sets, strict=True):
        axis.set_title(which)
    for axis in axes[-1]:
        axis.set_xlabel("difference of overlaps")
    fig.legend(
        [axes[0, 0].patches[0], axes[0, 0].patches[-1]],
        ["true negatives", "missed defects"],
        loc="outside upper center",
        ncols=2,
    )
    return Picture(
        fig,
        "Scores of the test pictures that were called normal, without enhancement and after one "
        "adversarial step towards the defect (A1), by the radius that is best on validation "
        "pictures: shares of the missed defects and of the "
        f"true negatives of {_basis(verdict)}. {_missed(verdict)}",
    )


def over_radius(verdict: Verdict) -> Picture:
    """Gap and area over the radius of the adversarial step."""
    series = verdict.finding.series
    units = {"gaps": "gap of the mean scores", "areas": "area under the ROC curve"}
    fig, axes = style.figure(6.3, 2.6, columns=2)
    places = range(len(series["levels"]))
    for axis, (name, unit) in zip(axes.flat, units.items(), strict=True):
        for (which, runs), colour, marker in zip(
            series[name].items(), style.PALETTE, "os^", strict=False
        ):
            if np.size(runs):
                table = np.transpose(runs)
                style.seeds_line(axis, places, table, label=which, colour=colour, marker=marker)
        axis.axhline(0 if name == "gaps" else 0.5, color=style.GREY, linewidth=0.8)
        axis.set_xticks(places, [str(level) for level in series["levels"]])
        axis.set(xlabel="radius of the step (of 255)", ylabel=unit)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=3)
    return Picture(
        fig,
        "The score's mean over missed defects less that over true negatives, and how well it tells "
        "them apart, by how far the adversarial step moves grey levels; 0 is the score without "
        f"enhancement. Means and single runs of {_basis(verdict)}.",
    )


def flagged(verdict: Verdict) -> Picture:
    """A page of pictures that were called normal, with their maps."""
    pages = verdict.finding.series["sheet"]
    entries = [(which, entry) for which, page in pages.items() for entry in page]
    columns = 3
    lines = max(1, -(-len(entries) // columns))
    fig, axes = style.figure(
        6.6, 0.35 + 0.66 * lines, rows=lines, columns=columns * (len(MAPS) + 1),
        width_ratios=[1.3, *[1] * len(MAPS)] * columns,
    )  # fmt: skip
    fig.set_layout_engine("constrained", w_pad=0.01, h_pad=0.02, wspace=0, hspace=0)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.grid(visible=False)
        axis.axis("off")
    for place, (which, entry) in enumerate(entries):
        line, block = place % lines, place // lines
        start = block * (len(MAPS) + 1)
        _entry(list(axes[line, start : start + len(MAPS) + 1]), which, entry, titled=line == 0)
    return Picture(
        fig,
        "Test pictures that the first network called normal, of each set the most doubtful missed "
        "defects and true negatives that the guide flagged after A1, and a missed one that it did "
        "not: the picture; what in it, as it is, speaks for a defect and for none; what the "
        "network responds to. The number is the score. Limit at 10 % of the true negatives of "
        "validation pictures, "
        f"budget {verdict.budget} ({_kind(verdict)}).",
    )


def _entry(axes: Sequence[Axes], which: str, entry: Mapping[str, Any], *, titled: bool) -> None:
    axes[0].text(
        0.98, 0.5, f"{which}\n{entry['title'].replace(', ', chr(10))}\n{entry['score']:+.2f}",
        ha="right", va="center", fontsize=5, transform=axes[0].transAxes,
    )  # fmt: skip
    for axis, (name, title) in zip(axes[1:], MAPS.items(), strict=True):
        colours = "gray" if name == "picture" else "magma"
        axis.imshow(np.asarray(entry[name], float), cmap=colours, vmin=0, vmax=DARK_TO_LIGHT)
        if titled:
            axis.set_title(title, fontsize=5.5, fontweight="normal", loc="center")


def _bars(axis: Axes, edges: np.ndarray, counts: Sequence[int], colour: str) -> None:
    total = max(1, sum(counts))
    axis.bar(
        edges[:-1], 100 * np.array(counts) / total, np.diff(edges), align="edge", color=colour,
        alpha=0.55,
    )  # fmt: skip


def _with_interval(axis: Axes, values: Sequence[float], place: int, colour: str) -> None:
    if not len(values):
        return
    found = mean_effect(values)
    if np.isfinite(found.interval).all():
        axis.plot(found.interval, [place] * 2, color=colour, linewidth=1.1)
    axis.plot(values, [place] * len(values), "o", color=colour, alpha=0.3, markersize=2.5)
    axis.plot(found.effect, place, "o", color=colour, markersize=4.5)


def _percent(shares: Sequence[float]) -> np.ndarray:
    return 100 * np.array(shares)


def _missed(verdict: Verdict) -> str:
    """The sentence of a verdict's note that counts missed defects."""
    sentences = verdict.finding.note.split(". ")
    return next((f"{s.rstrip('.')}." for s in sentences if s.startswith("Missed defects")), "")


def _kind(verdict: Verdict) -> str:
    return "real tiles and cells" if "(real)" in verdict.data else "all drawn"


def _basis(verdict: Verdict) -> str:
    return f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget} ({_kind(verdict)})"
