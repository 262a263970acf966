"""Figures of the task-based neurons' paper, drawn from its claims' verdicts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Task-based neurons: No One-Size-Fits-All Neurons"
LOOKS = {
    "task": (style.VERMILION, "o"),
    "linear": (style.BLUE, "s"),
    "random": (style.GREEN, "^"),
    "trees": (style.PURPLE, "D"),
}
METHODS = (style.VERMILION, "o"), (style.BLUE, "s"), (style.GREEN, "^")


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "recovery": ("search_recovers", recovery),
        "time-by-inputs": ("time_against_inputs", time_by_inputs),
        "error-by-parameters": ("beats_linear_on_average", error_by_parameters),
        "gains": ("beats_linear_everywhere_as_stated", gains),
    }
    return style.drawn(drawers, evidence)


def recovery(verdict: Verdict) -> Picture:
    """Heat map: how often each search finds a group's powers."""
    series = verdict.finding.series
    rows = [(m, noise) for m, levels in series["recovered"].items() for noise in levels]
    groups = list(series["recovered"][rows[0][0]][rows[0][1]])
    rates = np.array(
        [[np.mean(series["recovered"][m][noise][g]) for g in groups] for m, noise in rows]
    )
    fig, axes = style.figure(6.3, 0.9 + 0.28 * len(rows))
    image = axes[0, 0].imshow(rates, vmin=0, vmax=100, aspect="auto")
    for (row, column), rate in np.ndenumerate(rates):
        colour = "white" if rate < 60 else style.INK
        axes[0, 0].text(column, row, f"{rate:.0f}", ha="center", va="center", color=colour)
    labels = [f"{series['names'][m]}, {noise} noise" for m, noise in rows]
    axes[0, 0].set(
        xticks=range(len(groups)), xticklabels=groups, yticks=range(len(rows)), yticklabels=labels
    )
    axes[0, 0].grid(False)
    fig.colorbar(image, ax=axes[0, 0], label="recovered (%)")
    return Picture(
        fig,
        "How often a search finds exactly the powers of each polynomial group, in % of "
        f"{verdict.finding.comparison.seeds} draws of data and search at budget {verdict.budget}. "
        "The groups are our reconstruction of the authors' data; the genetic search runs for the "
        "budget's share of its 80 generations.",
    )


def time_by_inputs(verdict: Verdict) -> Picture:
    """Seconds of a search over the number of inputs."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    for (colour, marker), (name, seconds) in zip(METHODS, series["seconds"].items(), strict=False):
        style.seeds_line(
            axes[0, 0], series["inputs"], seconds, label=name, colour=colour, marker=marker
        )
    axes[0, 0].set(xlabel="inputs", ylabel="time of a search (s)", xscale="log", yscale="log")
    axes[0, 0].set_xticks(series["inputs"], [str(d) for d in series["inputs"]])
    axes[0, 0].yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes[0, 0].yaxis.set_major_formatter("{x:g}")
    axes[0, 0].minorticks_off()
    axes[0, 0].legend()
    return Picture(
        fig,
        "Wall time of a search against the number of inputs, 1,000 rows, means and single runs of "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget} on the machine that "
        "made the report; the genetic search runs for a quarter of the budget's share of its 80 "
        "generations.",
    )


def error_by_parameters(verdict: Verdict) -> Picture:
    """Test error over the number of parameters, one small panel for every table."""
    series = verdict.finding.series
    names = list(series["errors"]["task"])
    columns = min(5, len(names))
    rows = -(-len(names) // columns)
    fig, axes = style.figure(6.3, 0.6 + 1.35 * rows, rows=rows, columns=columns)
    for panel, name in zip(axes.flat, names, strict=False):
        for kind in ("linear", "task"):
            _with_runs(panel, series, name, kind)
        panel.set_title(name.replace("_", " "))
        panel.margins(x=0.35, y=0.12)
        panel.tick_params(labelsize=6.5)
    for panel in axes.flat[len(names) :]:
        panel.set_visible(False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=2)
    fig.supxlabel("parameters", fontsize=8)
    fig.supylabel("test error", fontsize=8)
    return Picture(
        fig,
        f"Test error against parameters on {verdict.data}: mean squared error on targets scaled "
        "to [-1, 1], or share of wrong labels; means (large) and single splits (small) of "
        f"{verdict.finding.comparison.seeds} splits at budget {verdict.budget}. The task-based "
        "network has fewer parameters by construction; their number varies with the powers found.",
    )


def _with_runs(axes: Axes, series: Mapping[str, Any], name: str, kind: str) -> None:
    colour, marker = LOOKS[kind]
    size, runs = series["parameters"][kind][name], series["errors"][kind][name]
    axes.plot(
        np.full(len(runs), size), runs, marker, color=colour, alpha=0.35, markersize=2.5,
        markeredgewidth=0,
    )  # fmt: skip
    axes.plot(size, np.mean(runs), marker, color=colour, label=series["names"][kind])


def gains(verdict: Verdict) -> Picture:
    """What task-based neurons gain over linear ones, by table, with intervals."""
    found = sorted(verdict.finding.rows, key=lambda row: row.ours)
    fig, axes = style.figure(4.6, 0.8 + 0.2 * len(found))
    for place, row in enumerate(found):
        low, high = row.interval or (row.ours, row.ours)
        colour = style.VERMILION if low > 0 else style.BLUE if high < 0 else style.GREY
        axes[0, 0].plot([low, high], [place, place], color=colour, linewidth=1)
        axes[0, 0].plot(row.ours, place, "o", color=colour)
        if row.published is not None:
            style.published(axes[0, 0], [row.published], [place])
    axes[0, 0].axvline(0, color=style.INK, linewidth=0.7)
    if any(row.published is not None for row in found):
        handles, labels = axes[0, 0].get_legend_handles_labels()
        axes[0, 0].legend(handles[:1], labels[:1], loc="lower right")
    labels = [row.label.split(":")[0].replace("_", " ") for row in found]
    axes[0, 0].set(
        xlabel="gain: 100 log(error of linear / error of task-based)",
        yticks=range(len(found)),
        yticklabels=labels,
    )
    return Picture(
        fig,
        f"What task-based neurons gain over linear ones on {verdict.data}: means and 95 % "
        f"intervals of {verdict.finding.comparison.seeds} splits at budget {verdict.budget}. Right "
        "of the line they err less, with fewer parameters; orange and blue where the interval "
        "leaves no doubt; diamonds: the paper's table 6, mean of its five structures.",
    )
