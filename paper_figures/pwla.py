"""Figures of the PWLA paper, drawn from its claims' verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict
from theory.claims.pwla_problems import NAMED

TITLE = "Lattice networks for optimal piecewise-linear approximation"
# The claim that trained lattices in each of the three ways, and how they are drawn.
WAYS = {
    "global_as_stated": ("plain", style.VERMILION, "s"),
    "local_improved": ("improved descent", style.BLUE, "^"),
    "global_improved": ("and polish", style.GREEN, "o"),
}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "fits": ("global_improved", fits_with_knots),
        "rate": ("rate", errors_by_segments),
    }
    pictures = style.drawn(drawers, evidence)
    if set(WAYS) <= set(evidence):
        pictures["optima"] = optima_over_seeds({name: evidence[name] for name in WAYS})
    return pictures


def fits_with_knots(verdict: Verdict) -> Picture:
    """Every function with one trained lattice and its knots."""
    fits = verdict.finding.series["fits"]
    fig, axes = style.figure(6.3, 3.2, rows=2, columns=4)
    for place, (name, fit) in zip(axes.flat, fits.items(), strict=True):
        knots, values = np.asarray(fit["knots"]), np.asarray(fit["values"])
        x = np.linspace(knots[0], knots[-1], 400)
        place.plot(x, NAMED[name].function(x), color=style.GREY, linewidth=2.4, alpha=0.5)
        place.plot(knots, values, "o-", color=style.VERMILION, linewidth=0.9, markersize=2.8)
        place.set_title(name)
        place.tick_params(labelsize=6.5)
    return Picture(
        fig,
        "Lattices of eight pieces (red, knots as dots) trained with all improvements on eight "
        "functions (grey). Knots crowd where the function bends. "
        f"The first seed of each, at budget {verdict.budget}.",
    )


def errors_by_segments(verdict: Verdict) -> Picture:
    """The least error over the number of segments, beside its asymptotic law."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.9)
    counts = np.asarray(series["counts"], float)
    looks = zip(series["errors"].items(), style.PALETTE, "os^vDP", strict=False)
    for (name, errors), colour, marker in looks:
        axes[0, 0].plot(counts, errors, marker, color=colour, label=name)
        law = series["limits"][name] / counts**2
        axes[0, 0].plot(counts, law, "-", color=colour, linewidth=0.8)
    axes[0, 0].set(xlabel="segments", ylabel="least L2 error", yscale="log")
    axes[0, 0].set_xscale("log", base=2)
    axes[0, 0].set_xticks(counts, [f"{count:g}" for count in counts])
    axes[0, 0].minorticks_off()
    axes[0, 0].legend()
    return Picture(
        fig,
        "Certified least L2 errors (markers) and the asymptotic law (lines): n^-2 times "
        "(1/sqrt 720) (integral |f''|^(2/5))^(5/2). Only sqrt(x), whose f'' is infinite at 0, "
        f"approaches it slowly. Exact, at any budget ({verdict.budget} here).",
    )


def optima_over_seeds(verdicts: Mapping[str, Verdict]) -> Picture:
    """Where lattices end, by function and altogether, for three ways of training."""
    found = {name: verdict.finding.series["ratios"] for name, verdict in verdicts.items()}
    fig, axes = style.figure(6.3, 3.4, columns=2, width_ratios=(1.5, 1))
    names = list(next(iter(found.values())))
    for row, (claim, ratios) in enumerate(found.items()):
        _, colour, marker = WAYS[claim]
        for place, name in enumerate(names):
            heights = len(names) - 1 - place + 0.25 * (1 - row) + _spread(ratios[name])
            axes[0, 0].plot(
                _shown(ratios[name]),
                heights,
                marker,
                color=colour,
                markersize=2.5,
                alpha=0.5,
                markeredgewidth=0,
            )
    axes[0, 0].set(
        xscale="log",
        xlabel="error over the optimum's, minus 1",
        yticks=range(len(names)),
        yticklabels=names[::-1],
    )
    axes[0, 0].axvline(0.01, color=style.INK, linewidth=0.7, linestyle="--")
    _histogram(axes[0, 1], found)
    fig.legend(loc="outside upper center", ncols=len(found))
    verdict = verdicts["global_improved"]
    seeds = len(next(iter(verdict.finding.series["ratios"].values())))
    return Picture(
        fig,
        f"Errors of {seeds} lattices of eight pieces per function and way of training, as their "
        "relative distance from the certified optimum: plain Adam from random lines; Adam from a "
        "quantile start with annealed softness and revival of dead pieces; and with the best of "
        "six starts and a second-order polish. Left by function, right altogether; the dashed "
        f"line is 1 %. Distances below 1e-8 are drawn there. Budget {verdict.budget}.",
    )


def _shown(ratios: Sequence[float]) -> np.ndarray:
    """Distances from the optimum, for a logarithmic axis."""
    return np.maximum(np.asarray(ratios) - 1, 1e-8)


def _spread(values: Sequence[float]) -> np.ndarray:
    """Small shifts that keep equal points apart."""
    return 0.08 * np.sin(2.4 * np.arange(len(values)))


def _histogram(axes: Axes, found: Mapping[str, Mapping[str, Any]]) -> None:
    bins = np.logspace(-8, 2, 41).tolist()
    for claim, ratios in found.items():
        label, colour, _ = WAYS[claim]
        every = np.concatenate([_shown(values) for values in ratios.values()])
        axes.hist(every, bins, color=colour, alpha=0.55, label=label)
    axes.axvline(0.01, color=style.INK, linewidth=0.7, linestyle="--")
    axes.set(xscale="log", xlabel="error over the optimum's, minus 1", ylabel="lattices")
