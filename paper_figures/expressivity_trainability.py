"""Figures of the expressivity and trainability paper, drawn from its claims' verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Expressivity and trainability of quadratic networks"
LOOKS = {
    "quadratic": (style.VERMILION, "o"),
    "conventional z^2": (style.BLUE, "s"),
    "product_only": (style.ORANGE, "^"),
    "compact": (style.SKY, "v"),
}
ARMS = ((style.VERMILION, "o"), (style.ORANGE, "^"), (style.BLUE, "s"))


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "dimensions": ("more_dimensions_as_stated", dimensions),
        "equal-parameters": ("dimensions_at_equal_parameters_as_read", equal_parameters),
        "spline": ("splines_exact", spline),
        "explosions": ("fewer_explode", explosions),
    }
    return style.drawn(drawers, evidence)


def dimensions(verdict: Verdict) -> Picture:
    """Dimension of the functional variety per architecture, and per parameter."""
    table = verdict.finding.series["table"]
    names = list(dict.fromkeys(row["widths"] for row in table))
    fig, axes = style.figure(6.3, 3.2, columns=2)
    ambient = [next(r["ambient"] for r in table if r["widths"] == name) for name in names]
    axes[0, 0].plot(ambient, range(len(names)), "|", color=style.INK, markersize=9, label="all")
    for kind, (colour, marker) in LOOKS.items():
        rows = [row for row in table if row["kind"] == kind]
        found = [row["dimension"] for row in rows]
        axes[0, 0].plot(found, range(len(rows)), marker, color=colour, label=kind, alpha=0.85)
        spent = [row["parameters"] for row in rows]
        axes[0, 1].plot(spent, found, marker, color=colour, alpha=0.85)
    axes[0, 0].set(xlabel="dimension", yticks=range(len(names)), yticklabels=names)
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_title("at equal neurons")
    axes[0, 0].legend(loc="upper right", fontsize=6.5)
    largest = max(row["parameters"] for row in table)
    axes[0, 1].plot([0, largest], [0, largest], color=style.GREY, linewidth=0.7)
    axes[0, 1].annotate("one dimension a parameter", (13, 19), fontsize=6.5, rotation=60)
    axes[0, 1].set(xlabel="parameters", ylabel="dimension", ylim=(0, 46), xlim=(0, largest + 3))
    axes[0, 1].set_title("per parameter")
    return Picture(
        fig,
        "Dimension of the functional variety of nine architectures, exact. Left: at equal neurons "
        "quadratic networks fill more dimensions than conventional ones with activation z^2; bars "
        "mark all polynomials of that degree. Right: per parameter they fill fewer. "
        f"Budget {verdict.budget}; ranks hold at any.",
    )


def equal_parameters(verdict: Verdict) -> Picture:
    """Quadratic minus conventional dimension at equal parameters, over width and inputs."""
    sweep = verdict.finding.series["sweep"]
    fig, axes = style.figure(4.2, 2.7)
    looks = zip(sorted({row["d"] for row in sweep}), style.PALETTE, "os^v", strict=False)
    for d, colour, marker in looks:
        rows = [row for row in sweep if row["d"] == d]
        gaps = [row["quadratic"] - row["conventional"] for row in rows]
        axes[0, 0].plot(
            [row["k"] for row in rows], gaps, marker=marker, color=colour, label=f"{d} inputs"
        )
    axes[0, 0].axhline(0, color=style.INK, linewidth=0.8)
    axes[0, 0].set(
        xlabel="quadratic neurons in the hidden layer",
        ylabel="dimensions more than conventional",
        xticks=sorted({row["k"] for row in sweep}),
    )
    axes[0, 0].legend()
    return Picture(
        fig,
        "At equal parameters: dimension of a quadratic network minus that of the widest "
        "conventional one (activation z^2) with no more parameters. Above zero quadratic neurons "
        f"win, below they lose. Exact; budget {verdict.budget}.",
    )


def spline(verdict: Verdict) -> Picture:
    """A spline, the quadratic network that equals it, and conventional chords."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.7, columns=2)
    x = series["x"]
    _curves(axes[0, 0], x, series)
    axes[0, 1].plot(series["neurons"], series["errors"], "o", color=style.VERMILION)
    axes[0, 1].axhline(verdict.finding.margin, color=style.GREY, linewidth=0.8)
    axes[0, 1].annotate(
        "margin",
        (min(series["neurons"]), verdict.finding.margin),
        (0, 3),
        textcoords="offset points",
        fontsize=7,
    )
    axes[0, 1].set(
        xlabel="quadratic neurons",
        ylabel="largest relative error",
        yscale="log",
        ylim=(1e-17, 1e-11),
        xlim=(0, max(series["neurons"]) + 2),
    )
    return Picture(
        fig,
        "Left: a random continuous piecewise-quadratic spline, which one hidden layer of quadratic "
        "ReLU neurons equals, beside chords between its knots (ticks). Right: the "
        f"largest error over random splines at budget {verdict.budget}, at the level of rounding.",
    )


def _curves(axes: Axes, x: Sequence[float], series: Mapping[str, Any]) -> None:
    axes.plot(x, series["spline"], color=style.VERMILION, label="spline = quadratic network")
    axes.plot(x, series["conventional"], "--", color=style.BLUE, linewidth=1, label="chords")
    low, high = np.min(series["spline"]), np.max(series["spline"])
    floor = low - 0.1 * (high - low)
    axes.plot(series["knots"], [floor] * len(series["knots"]), "|", color=style.INK)
    axes.set(xlabel="x", ylim=(floor - 0.03 * (high - low), high + 0.35 * (high - low)))
    axes.legend(loc="upper center")


def explosions(verdict: Verdict) -> Picture:
    """Share of exploded runs over depth."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    for (arm, shares), (colour, marker) in zip(series["exploded"].items(), ARMS, strict=True):
        axes[0, 0].plot(series["depths"], shares, marker=marker, color=colour, label=arm)
    axes[0, 0].set(
        xlabel="depth (layers)",
        ylabel="exploded runs (%)",
        ylim=(-4, 145),
        xticks=series["depths"],
        yticks=range(0, 101, 25),
    )
    axes[0, 0].legend(loc="upper left")
    return Picture(
        fig,
        f"Runs of dense residual networks that exploded, of {series['runs']} at each depth and "
        f"start (budget {verdict.budget}), without normalisation; another claim "
        "asks the same of networks with standardised layers.",
    )
