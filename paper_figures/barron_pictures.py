"""Figures of the theory experiments in :mod:`theory.claims.one_neuron_theory`."""

import numpy as np

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

COLOURS = (style.BLUE, style.GREEN, style.PURPLE)
MARKERS = ("s", "^", "D")


def monte_carlo(verdict: Verdict) -> Picture:
    """Error of |x| from n random neurons, and its constant over the dimension."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.8, columns=2)
    widths, dimensions = series["widths"], series["dimensions"]
    errors = np.asarray(series["errors"])
    for d, colour, marker in zip((2, 10, 100), COLOURS, MARKERS, strict=True):
        at = dimensions.index(d)
        style.seeds_line(
            axes[0, 0], widths, errors[:, at], label=f"d = {d}", colour=colour, marker=marker
        )
    axes[0, 0].set(
        xlabel="random neurons n", ylabel="relative RMSE of |x|", xscale="log", yscale="log"
    )
    axes[0, 0].set_xticks(widths, [f"{n:g}" for n in widths])
    axes[0, 0].set_xticks([], minor=True)
    axes[0, 0].legend()
    constants = np.sqrt((errors**2 * np.asarray(widths)).mean(axis=2))
    style.seeds_line(
        axes[0, 1], dimensions, constants, label="measured", colour=style.BLUE, marker="o"
    )
    axes[0, 1].plot(dimensions, series["predicted"], "_", color=style.INK, ms=11, label="exact")
    axes[0, 1].axhline(series["limit"], color=style.GREY, linestyle="--", linewidth=0.9)
    axes[0, 1].text(2, series["limit"] + 0.01, "√(π - 1)", color=style.GREY)
    axes[0, 1].set(xlabel="dimension d", ylabel="√n x relative RMSE", xscale="log", ylim=(1.1, 1.6))
    axes[0, 1].legend(loc="lower right")
    return Picture(
        fig,
        "|x| from n random conventional neurons: the error falls like n^-1/2 (left), with a "
        "constant that stays below √(π - 1) in every dimension (right). "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}.",
    )


def norm_growth(verdict: Verdict) -> Picture:
    """What |x|^2 costs: directions and norm, conventional against quadratic."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.6, columns=2)
    pairs = (
        ("neurons for 1 % error", series["needed"], [1] * len(series["needed"])),
        ("path norm on the unit ball", series["norms"], series["quadratic"]),
    )
    for place, (label, conventional, quadratic) in enumerate(pairs):
        one = axes[0, place]
        one.plot(series["dimensions"], conventional, "s-", color=style.BLUE, label="conventional")
        one.plot(series["dimensions"], quadratic, "o-", color=style.VERMILION, label="quadratic")
        one.set(xlabel="dimension d", ylabel=label, xscale="log", yscale="log")
    axes[0, 0].legend()
    return Picture(
        fig,
        "What |x|² costs. Left: fewest ridge directions (profiles free) that leave 1 % of "
        "|x|² - d under N(0, I_d), against one quadratic neuron. Right: the path norm of a "
        "representation on the unit ball, an upper bound of the Barron norm, with the spectral "
        "norm for the quadratic form.",
    )


def curved_kink(verdict: Verdict) -> Picture:
    """Greedy ridge errors on the curved kink, and on smoother and rougher functions."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.8, columns=2, sharey=True)
    left, right = axes[0]
    for choice, colour, marker in (("plain", style.BLUE, "s"), ("best", style.SKY, "^")):
        label = {"plain": "ridges, by correlation", "best": "ridges, by least squares"}[choice]
        left.plot(series["widths"], series[choice], marker=marker, color=colour, label=label)
    left.plot(1, max(series["quadratic"], 1e-4), "v", color=style.VERMILION, ms=6)
    left.text(1.3, 1.1e-4, "one quadratic neuron: exact", color=style.VERMILION, fontsize=7)
    right.plot(series["widths"], series["plain"], "s-", color=style.BLUE, label="curved kink")
    colours = (style.GREEN, style.PURPLE, style.ORANGE)
    for (name, errors), colour in zip(series["others"].items(), colours, strict=False):
        right.plot(series["widths"], errors, "o-", color=colour, label=name)
    left.set(xlabel="neurons", ylabel="relative error", xscale="log", yscale="log", ylim=(8e-5, 1))
    right.set(xlabel="neurons", xscale="log")
    left.set_title("relu(1/2 - |x|²)")
    right.set_title("other functions, by correlation")
    left.legend(loc="center left", bbox_to_anchor=(0, 0.45))
    right.legend(loc="lower left")
    return Picture(
        fig,
        f"Ridge neurons on the unit disc. {verdict.finding.note} Slopes on the left: "
        f"{series['slopes'][0]:.2f} and {series['slopes'][1]:.2f}. Budget {verdict.budget}.",
    )
