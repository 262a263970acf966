"""Figures of the heterogeneous autoencoder's paper, drawn from its claims' verdicts."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.rank_pictures import auc_table, critical_difference, kind
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Heterogeneous autoencoder: anomalies found by quadratic and conventional neurons together"
LOOKS = {
    "HAE-X": (style.VERMILION, "o"),
    "HAE-Y": (style.ORANGE, "^"),
    "HAE-I": (style.PURPLE, "v"),
    "AE": (style.BLUE, "s"),
    "QAE": (style.GREEN, "D"),
}
OTHER = (style.GREY, "x")
SHUTTLE = (
    "Its Shuttle seems to be another selection of rows: our shuttle_adbench has 3,511 anomalies, "
    "DAMI's set has 13."
)


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "auc-table": ("beats_plain_autoencoders_as_stated", auc_table),
        "auc-twins": ("beats_twins_as_stated", auc_table),
        "auc-detectors": ("beats_baselines_as_stated", partial(auc_table, note=SHUTTLE)),
        "critical-difference": ("beats_baselines_as_stated", critical_difference),
        "depth": ("quadratic_degrades_with_depth", auc_by_depth),
        "rate-ratio": ("small_ratio_is_stable_as_stated", auc_by_rate_ratio),
        "reconstructions": ("beats_plain_autoencoders_as_stated", reconstructions),
    }
    return style.drawn(drawers, evidence)


def auc_by_depth(verdict: Verdict) -> Picture:
    """AUC over the number of hidden layers, ours with intervals and the paper's beside it."""
    found = verdict.finding.series["depth"]
    fig, axes = style.figure(4.6, 2.9)
    places = np.arange(len(found["depths"]))
    for number, method in enumerate(found["methods"]):
        shifted = places + 0.06 * (number - (len(found["methods"]) - 1) / 2)
        _curve(axes[0, 0], shifted, found, number, method)
        if found.get("published"):
            colour, _ = LOOKS.get(method, OTHER)
            axes[0, 0].plot(
                shifted, found["published"][number], "D", color=colour, markersize=5,
                markerfacecolor="none", markeredgewidth=0.7, linestyle=":", linewidth=0.7,
            )  # fmt: skip
    axes[0, 0].set(xlabel="depth", ylabel="AUC", xticks=places, xticklabels=found["depths"])
    fig.legend(loc="outside upper center", ncols=len(found["methods"]))
    theirs = " Hollow diamonds on dotted lines: the paper's." if found.get("published") else ""
    return Picture(
        fig,
        f"AUC on {found['set']} against depth: the paper's default of two layers of encoder (V1) "
        f"to five (V4). Means and 95 % intervals of {found['seeds']} seeds at budget "
        f"{verdict.budget}, {kind(verdict)} data.{theirs}",
    )


def auc_by_rate_ratio(verdict: Verdict) -> Picture:
    """AUC over the share of the learning rate that the second-order parameters get."""
    found = verdict.finding.series["rate"]
    fig, axes = style.figure(6.3, 2.7, columns=len(found["set"]), sharex=True)
    for panel, name, *values in zip(
        axes[0], found["set"], *(found[part] for part in ("ours", "low", "high")), strict=True
    ):
        series = dict(zip(("ours", "low", "high"), values, strict=True))
        panel.axvspan(*found["published_stable"], color=style.FAINT, alpha=0.6, linewidth=0)
        for number, method in enumerate(found["methods"]):
            _curve(panel, found["ratios"], series, number, method)
        panel.set(xlabel="learning rate ratio", title=name)
    axes[0, 0].set_ylabel("AUC")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return Picture(
        fig,
        "AUC against the learning rate of the quadratic neurons' second-order parameters, as a "
        f"ratio of the others'. Means and 95 % intervals of {found['seeds']} seeds at budget "
        f"{verdict.budget}, {kind(verdict)} data. Grey: the range that the paper recommends; it "
        "reports unstable training between 0.4 and 0.8.",
    )


def reconstructions(verdict: Verdict) -> Picture:
    """A normal and an anomalous row with what the autoencoder makes of them."""
    found = verdict.finding.series["rows"]
    fig, axes = style.figure(6.3, 3.4, rows=2, sharex=True, sharey=True)
    for panel, word in zip(axes[:, 0], ("normal", "anomalous"), strict=True):
        _row(panel, found[word])
        score, limit = found[word]["score"], found["threshold"]
        side = "above" if score > limit else "below"
        panel.set_title(f"{word} row: distance {score:.2f}, {side} the threshold {limit:.2f}")
        panel.set_ylabel("z-score")
    axes[1, 0].set_xlabel(f"column of {found['set']}")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        fig,
        f"Two test rows of {found['set']} ({kind(verdict)} data) and their reconstruction by "
        f"{found['method']} of the first seed at budget {verdict.budget}: of each kind the row "
        "with the median score. The published network ends in a sigmoid, so it cannot follow a "
        "z-score below 0 or above 1: much of a row's distance is what no training can remove.",
    )


def _row(axes: Axes, row: Mapping[str, Any]) -> None:
    x, again = np.asarray(row["x"], float), np.asarray(row["reconstruction"], float)
    places = np.arange(len(x))
    size = 3.5 if len(x) <= 100 else 1.8
    axes.vlines(places, x, again, color=style.GREY, alpha=0.5, linewidth=0.9)
    axes.plot(places, x, "o", color=style.BLUE, markersize=size, label="row")
    axes.plot(
        places, again, "_", color=style.VERMILION, markersize=size + 2, label="reconstruction"
    )
    axes.axhline(0, color=style.INK, linewidth=0.5)


def _curve(
    axes: Axes,
    x: Sequence[float] | np.ndarray,
    found: Mapping[str, Any],
    number: int,
    method: str,
) -> None:
    """A method's means with intervals, as one line."""
    colour, marker = LOOKS.get(method, OTHER)
    ours, low, high = (np.asarray(found[part][number], float) for part in ("ours", "low", "high"))
    reach = [ours - low, high - ours]
    axes.errorbar(x, ours, reach, color=colour, marker=marker, elinewidth=0.8, label=method)
