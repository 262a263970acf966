"""Figures on the separation theorem of the heterogeneous autoencoder, from its claims' verdicts."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Heterogeneous autoencoder: what its separation theorem separates"
LOOKS = {
    "conventional": (style.BLUE, "s"),
    "radial": (style.GREEN, "^"),
    "mixed": (style.ORANGE, "D"),
    "quadratic": (style.VERMILION, "o"),
}
COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE)
MARKERS = ("o", "s", "^", "D")


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "radial-ceiling": ("radial_ceiling", ceiling),
        "sum-of-both": ("heterogeneous_wins", sum_of_both),
        "general-quadratic": ("general_quadratic_ties", trained_layers),
    }
    return style.drawn(drawers, evidence)


def ceiling(verdict: Verdict) -> Picture:
    """R^2 of radial networks over their width, and the ceilings over the dimension."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.8, columns=2)
    _over_width(axes[0, 0], series)
    for (name, ceilings), colour, marker in zip(
        series["ceilings"].items(), COLOURS, MARKERS, strict=False
    ):
        axes[0, 1].plot(series["dimensions"], ceilings, marker=marker, color=colour, label=name)
    axes[0, 1].set(
        xlabel="dimension d", ylabel="largest R² of radial neurons", xscale="log", yscale="log"
    )
    axes[0, 1].set_ylim(1e-6, 1)
    axes[0, 1].set_xticks(series["dimensions"], [str(d) for d in series["dimensions"]])
    axes[0, 1].set_xticks([], minor=True)
    axes[0, 1].legend()
    return Picture(
        fig,
        "Radial neurons on a function of v·x, x ~ N(0, I_d). Left: R² on cos(2 v·x) of solved "
        "networks (lines) stays below the exact ceiling (dashed) at every width; crosses are "
        f"networks trained at d = {series['trained_dimension']}, "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}. Right: the "
        "ceilings, by quadrature.",
    )


def _over_width(axes: Axes, series: Mapping) -> None:
    for (d, solved), colour, marker in zip(
        series["solved"].items(), COLOURS, MARKERS, strict=False
    ):
        axes.plot(series["widths"], solved, marker=marker, color=colour, label=f"d = {d}")
        axes.axhline(series["plateaus"][d], color=colour, linestyle="--", linewidth=0.8)
    place = list(series["solved"]).index(str(series["trained_dimension"]))
    for width, runs in series["trained"].items():
        axes.plot([int(width)] * len(runs), runs, "x", color=COLOURS[place], markersize=5)
    axes.set(xlabel="radial neurons", ylabel="R² on cos(2 v·x)", xscale="log", ylim=(-0.05, 0.5))
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.68))


def sum_of_both(verdict: Verdict) -> Picture:
    """Variance that greedy networks of each class leave, over the dimension."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    for name in ("conventional", "radial", "mixed"):
        runs = [[run[str(d)][name] for d in series["dimensions"]] for run in series["errors"]]
        colour, marker = LOOKS[name]
        style.seeds_line(
            axes[0, 0], series["dimensions"], runs, label=name, colour=colour, marker=marker
        )
    axes[0, 0].axhline(0.5, color=style.GREY, linestyle=":", linewidth=0.8)
    axes[0, 0].set(
        xlabel="dimension d",
        ylabel="share of variance left",
        yscale="log",
        xticks=series["dimensions"],
        ylim=(0.005, 1),
    )
    axes[0, 0].legend(loc="center right")
    return Picture(
        fig,
        f"The sum of an inner-product and a radial part, from {series['neurons']} neurons chosen "
        "greedily: means and single runs of "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}, held-out points. "
        "Half the variance (dotted) is what one part alone leaves.",
    )


def trained_layers(verdict: Verdict) -> Picture:
    """Variance that trained layers of each kind leave."""
    series = verdict.finding.series
    fig, axes = style.figure(4.6, 2.0)
    kinds = list(series["errors"])
    for place, kind in enumerate(reversed(kinds)):
        colour, marker = LOOKS[kind]
        runs = series["errors"][kind]
        axes[0, 0].plot(runs, [place] * len(runs), marker, color=colour, alpha=0.4, markersize=3)
        axes[0, 0].plot(np.mean(runs), place, marker, color=colour, markersize=7)
    axes[0, 0].set(
        xlabel="share of variance left (log)",
        xscale="log",
        xlim=(0.005, 1),
        yticks=range(len(kinds)),
        yticklabels=[f"{kind} neurons" for kind in reversed(kinds)],
        ylim=(-0.5, len(kinds) - 0.5),
    )
    return Picture(
        fig,
        f"Trained layers of {series['neurons']} neurons on the same sum at d = "
        f"{series['dimension']}: large marks are means, small ones "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}, held-out points. "
        "General quadratic neurons contain both pure kinds.",
    )
