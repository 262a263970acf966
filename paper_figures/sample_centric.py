"""Figures on sample-centric learning: reversal of rankings, quartiles, gradients, what became."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from paper_figures import map_pictures as pictures
from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Sample-centric multi-task learning"
JOINT, MASK = "joint", "mask only"
COLOURS = {JOINT: style.VERMILION, MASK: style.BLUE, "two networks": style.GREEN}
BY = {"small_gain_most": "area", "low_contrast_gain_most": "contrast"}
TITLES = {"tiles": "magnetic tiles", "drawn": "drawn tiles"}
ANY = ", any pixel"  # from a level on: systems of one network, from the lowest level
OUTCOMES = {
    "located": style.GREEN,
    "found elsewhere": style.SKY,
    "missed": style.VERMILION,
    "false alarm": style.ORANGE,
}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "ranking-reversal": ("ranking_reversal", reversal),
        "defects-found": ("fewer_misses", caught),
        "what-became": ("sample_metrics_rise", became),
        "gradient-shares": ("tiny_share_rises", shares),
        "task-cosines": ("tasks_agree", cosines),
    }
    found = style.drawn(drawers, evidence)
    strata = {by: evidence[name] for name, by in BY.items() if name in evidence}
    return found | ({"located-by-quarter": quarters(strata)} if strata else {})


def reversal(verdict: Verdict) -> Picture:
    """Every system by both metrics, and each seed's pair of opposite rankings."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 3.5, columns=2)
    left, right = axes[0]
    places = {
        name: (float(np.mean(values["miou"])), float(np.mean(values["recall"])))
        for name, values in series["systems"].items()
    }
    named = {name: place for name, place in places.items() if ANY not in name}
    for (name, place), marker in zip(named.items(), pictures.MARKERS, strict=False):
        colour = COLOURS.get(name, style.PURPLE)
        left.plot(*place, marker, color=colour, markersize=6, alpha=0.85, label=name)
    for name in (MASK, JOINT):
        levels = [place for other, place in places.items() if other.startswith(name + ANY)]
        if levels:
            colour = COLOURS[name]
            left.plot(*np.transpose(levels), ".-", color=colour, linewidth=0.8, label=name + ANY)
    left.set_title("all systems, means")
    for number, (miou, recall) in enumerate(zip(series["miou"], series["recall"], strict=True)):
        colour = style.PALETTE[number % len(style.PALETTE)]
        right.plot(miou, recall, color=colour, linewidth=1.1)
        right.plot(miou[0], recall[0], "o", color=colour, label="preferred by mIoU" * (not number))
        right.plot(
            miou[1], recall[1], "D", color=colour, markerfacecolor="white",
            label="preferred by Seg_Recall" * (not number),
        )  # fmt: skip
    right.set_title("a pair of every seed")
    for axis in (left, right):
        axis.set(xlabel="mIoU of all pixels together (%)", ylabel="Seg_Recall (%)")
        axis.margins(0.12)
    fig.legend(loc="outside lower center", ncols=3)
    return Picture(
        fig,
        "Classical mIoU against Seg_Recall, both of what a system reports: nothing where it says "
        f"free. Left: means of {pictures.seeds(verdict)}; lines join systems that call "
        "defective what has any pixel from 0.1, 0.3, 0.5, 0.7 or 0.9 on. Right: for each seed the "
        "two systems that validation pictures rank most differently, joined by a line, on test "
        "pictures; a line that falls to the right is a reversal.",
    )


def caught(verdict: Verdict) -> Picture:
    """Defective pictures found at 5 % false alarms, system by system."""
    series = verdict.finding.series
    groups = {
        f"{title}: defects found at 5 % false alarms (%)": series[which]
        for which, title in TITLES.items()
    }
    fig = pictures.bars(groups, ours=[JOINT])
    return Picture(
        fig,
        "Share of the defective test pictures found at 5 % false alarms along the ROC curve. Joint "
        "and mask only are one network with one start and as many steps; two networks: the "
        "mask-only one and a separate classifier; shuffled: joint with the sample labels of other "
        f"pictures. Means, 95 % intervals and single runs of {pictures.seeds(verdict)}.",
    )


def became(verdict: Verdict) -> Picture:
    """Of all test pictures: located, found elsewhere, missed, false alarms."""
    told = verdict.finding.series["outcomes"]
    fig, axes = style.figure(5.2, 0.9 + 0.3 * len(told))
    axis, names = axes[0, 0], list(told)[::-1]
    start = np.zeros(len(names))
    for kind, colour in OUTCOMES.items():
        values = np.array([told[name][kind] for name in names])
        axis.barh(names, values, 0.7, left=start, color=colour, label=kind)
        start += values
    axis.set_xlabel("share of the test pictures (%); the rest is rightly called free")
    axis.grid(visible=False, axis="y")
    fig.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return Picture(
        fig,
        "What became of every test picture at the thresholds that validation pictures gave for at "
        "most 5 % false alarms. Found elsewhere: rightly called defective, but the marked pixels "
        f"miss the defect. All test pictures of {pictures.seeds(verdict)}.",
    )


def quarters(strata: Mapping[str, Verdict]) -> Picture:
    """Located defects by quarter of area and of contrast, on both sets."""
    fig, axes = style.figure(6.3, 2.3 * len(strata), rows=len(strata), columns=2, sharey=True)
    for line, (by, verdict) in zip(axes, strata.items(), strict=True):
        for axis, (which, title) in zip(line, TITLES.items(), strict=True):
            _quarters(axis, verdict.finding.series[which], by)
            axis.set_title(title)
        line[0].set_ylabel("defects located (%)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        fig,
        "Share of the defects that are called defective with an overlapping mask, by quarter of "
        "the defects, from the smallest and from the faintest. Means and single runs of "
        f"{pictures.seeds(next(iter(strata.values())))}.",
    )


def shares(verdict: Verdict) -> Picture:
    """The encoder's gradient: how much of its norm small defects contribute."""
    series = verdict.finding.series
    small = {
        f"smallest quarter, {title} (%)": runs for title, runs in series["smallest quarter"].items()
    }
    fig = pictures.bars({"below 0.1 % of the tile (%)": series["tiles"], **small}, ours=[JOINT])
    return Picture(
        fig,
        "Share of the norm of the shared encoder's gradient, over single training pictures, that "
        "comes from small defects, at equal steps: the mean of half-way and of the end. Means, "
        f"95 % intervals and single runs of {pictures.seeds(verdict)}.",
    )


def cosines(verdict: Verdict) -> Picture:
    """Angles between the gradients of the two tasks."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.4)
    colours = (style.BLUE, style.ORANGE)
    for (title, values), colour in zip(series.items(), colours, strict=True):
        _histogram(axes[0, 0], title, values, colour)
    axes[0, 0].axvline(0, color=style.INK, linestyle="--", linewidth=0.9)
    axes[0, 0].set(
        xlabel="cosine of the gradients of segmentation and classification",
        ylabel="batches (%)",
        xlim=(-1, 1),
    )
    axes[0, 0].legend()
    return Picture(
        fig,
        "Angle between the two tasks' gradients in the shared encoder, batch by batch, for the "
        "jointly trained network half-way and at the end; right of the dashed line the tasks do "
        f"not oppose each other. All batches of {pictures.seeds(verdict)}.",
    )


def _quarters(axis: Axes, runs: Sequence[Mapping[str, Sequence[float]]], by: str) -> None:
    """A line of means for each network, from the first quarter to the last."""
    x = list(range(1, len(runs) + 1))
    for name, marker in ((MASK, "o"), (JOINT, "s")):
        table = np.array([run[name] for run in runs], float).T
        style.seeds_line(axis, x, table, label=name, colour=COLOURS[name], marker=marker)
    axis.set(xlabel=f"quarter by {by}", ylim=(-3, 103))
    axis.set_xticks(x)


def _histogram(axis: Axes, title: str, values: Sequence[float], colour: str) -> None:
    edges = np.linspace(-1, 1, 41)
    shown = np.histogram(values, edges)[0] * (100 / max(len(values), 1))
    axis.stairs(shown, edges, color=colour, fill=True, alpha=0.35)
    axis.stairs(shown, edges, color=colour, label=title)
