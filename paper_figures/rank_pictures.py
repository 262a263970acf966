"""Tables of several methods on several data sets: as a heat map, and as a critical difference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict
from theory.claims.ranks import alike

Numbers = Sequence[Sequence[float | None]]
FAINTEST = 0.4  # an AUC below is drawn in the colour of this one


def auc_table(verdict: Verdict, note: str = "") -> Picture:
    """Heat map of the area under the curve: ours large, the paper's small beneath it.

    Args:
        verdict: with the series "auc".
        note: a sentence to end the caption with.
    """
    found = verdict.finding.series["auc"]
    ours, theirs = _array(found["ours"]), _array(found["published"])
    rows, ours, theirs = _with_means(list(found["sets"]), ours, theirs)
    width = min(6.3, 1.5 + 0.52 * len(found["methods"]))
    fig, axes = style.figure(width, 0.6 + 0.28 * len(rows))
    axes[0, 0].imshow(ours, vmin=FAINTEST, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(ours):
        weight = "bold" if round(value, 3) >= round(np.nanmax(ours[row]), 3) else "normal"
        _cell(axes[0, 0], row, column, (value, float(theirs[row, column])), weight)
    axes[0, 0].axhline(len(found["sets"]) - 0.5, color="white", linewidth=2.5)
    methods = [name.replace(" ", "\n") for name in found["methods"]]
    axes[0, 0].set(
        xticks=range(len(methods)), xticklabels=methods, yticks=range(len(rows)), yticklabels=rows
    )
    axes[0, 0].tick_params(length=0, labeltop=True, labelbottom=False, labelsize=6.5)
    axes[0, 0].grid(False)
    axes[0, 0].spines[:].set_visible(False)
    return Picture(
        fig,
        f"Area under the ROC curve in %, {kind(verdict)} data: our mean over {found['seeds']} "
        f"splits at budget {verdict.budget} (large; the best of a row is bold), and the paper's "
        "number where it prints one (small, in brackets). The last rows are means over the sets "
        f"above; the paper's mean is computed from its cells, not quoted. {note}".rstrip(),
    )


def _array(numbers: Numbers) -> np.ndarray:
    """`(sets, methods)` with NaN where there is no number."""
    return np.array([[np.nan if n is None else n for n in row] for row in numbers], dtype=float)


def _with_means(
    rows: list[str], ours: np.ndarray, theirs: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The table with a row of means over all sets, and one over those that the paper has."""
    known = ~np.isnan(theirs).all(axis=1)
    blank = np.full(ours.shape[1], np.nan)
    paper = theirs[known].mean(axis=0) if known.any() else blank
    if known.all() or not known.any():
        return [*rows, "mean"], np.vstack([ours, ours.mean(axis=0)]), np.vstack([theirs, paper])
    names = [*rows, f"mean of the paper's {known.sum()}", f"mean of all {len(rows)}"]
    means = [ours[known].mean(axis=0), ours.mean(axis=0)]
    return names, np.vstack([ours, *means]), np.vstack([theirs, paper, blank])


def _cell(axes: Axes, row: int, column: int, pair: tuple[float, float], weight: str) -> None:
    ours, theirs = pair
    if np.isnan(ours):
        return
    colour, alone = "white" if ours < 0.8 else style.INK, np.isnan(theirs)
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
    height = row if alone else row - 0.16
    axes.text(column, height, _percent(ours), size=7, weight=weight, **middle)
    if not alone:
        axes.text(column, row + 0.24, f"({_percent(theirs)})", size=5, **middle)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if share < 0.9995 else "100"


def kind(verdict: Verdict) -> str:
    """Whether a verdict rests on "real" or "simulated" data: a collection's own text is long."""
    return "simulated" if verdict.data.startswith("simulated") else "real"


def critical_difference(verdict: Verdict) -> Picture:
    """Average ranks on a line; bars join methods that Nemenyi's test does not tell apart."""
    found = verdict.finding.series["ranks"]
    names, ranks = list(found["methods"]), np.asarray(found["mean"], float)
    order = np.argsort(ranks, kind="stable")
    groups = alike(ranks, found["difference"])
    lowest = 1.1 + 0.42 * len(groups)
    half = -(-len(names) // 2)
    fig, axes = style.figure(6.3, 0.5 + 0.17 * (lowest + half) * 1.3)
    _ruler(axes[0, 0], len(names), found["difference"])
    for place, method in enumerate(order):
        _leader(axes[0, 0], ranks[method], names[method], place, len(names), lowest)
    for level, group in enumerate(groups):
        ends = ranks[[group[0], group[-1]]] + np.array([-0.06, 0.06])
        height = [-0.65 - 0.42 * level] * 2
        axes[0, 0].plot(ends, height, color=style.VERMILION, linewidth=3, solid_capstyle="round")
    axes[0, 0].set(xlim=(-0.6, len(names) + 1.6), ylim=(-lowest - half, 1.9))
    axes[0, 0].axis("off")
    return Picture(
        fig,
        f"Average ranks by AUC over {found['sets']} sets ({kind(verdict)} data, budget "
        f"{verdict.budget}); 1 is best. Thick bars join methods that do not differ by Nemenyi's "
        f"test at level {found['level']:g}: their ranks lie within the critical difference of "
        f"{found['difference']:.2f}. Friedman's test that none differs: p = {found['p']:.2g}.",
    )


def _ruler(axes: Axes, methods: int, difference: float) -> None:
    """The axis of ranks, and the critical difference above it."""
    axes.plot([1, methods], [0, 0], color=style.INK, linewidth=0.8)
    for rank in range(1, methods + 1):
        axes.plot([rank, rank], [0, 0.18], color=style.INK, linewidth=0.8)
        axes.text(rank, 0.3, str(rank), ha="center", va="bottom", size=7)
    axes.plot([1, 1 + difference], [1.3, 1.3], color=style.VERMILION, linewidth=1.5)
    for end in (1, 1 + difference):
        axes.plot([end, end], [1.15, 1.45], color=style.VERMILION, linewidth=1.5)
    text = f"critical difference {difference:.2f}"
    axes.text(1 + difference + 0.15, 1.3, text, va="center", size=7)


def _leader(axes: Axes, rank: float, name: str, place: int, methods: int, lowest: float) -> None:
    """From a rank down and out to the method's name: the better half left, the others right."""
    left = place < -(-methods // 2)
    depth = -lowest - (place if left else methods - 1 - place)
    edge = 0.6 if left else methods + 0.4
    axes.plot([rank, rank, edge], [0, depth, depth], color=style.GREY, linewidth=0.7)
    axes.plot(rank, 0, "o", color=style.BLUE, markersize=3.5, zorder=3)
    side: dict[str, Any] = {"ha": "right" if left else "left", "va": "center", "size": 7.5}
    axes.text(edge + (-0.1 if left else 0.1), depth, f"{name}  {rank:.2f}", **side)
