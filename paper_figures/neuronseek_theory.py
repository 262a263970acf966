"""Figures on NeuronSeek's super-expressivity, drawn from its claims' verdicts."""

import math
from collections.abc import Mapping

import numpy as np

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "NeuronSeek: super-expressivity and its price"
COLOURS = (style.BLUE, style.VERMILION, style.GREEN)
MARKERS = ("o", "s", "^")


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "lost-waves": ("super_expressive_as_stated", lost_waves),
        "dense-trajectory": ("dense_trajectory", trajectory),
        "bits": ("bounded_parameter_pays_in_bits", bits),
    }
    return style.drawn(drawers, evidence)


def lost_waves(verdict: Verdict) -> Picture:
    """Error on sin(m x): trained networks, and the bound that no weights beat."""
    series = verdict.finding.series
    fig, axes = style.figure(6.0, 2.8)
    style.seeds_line(
        axes[0, 0],
        series["waves"],
        series["trained"],
        label="trained, 1 x 8",
        colour=style.VERMILION,
    )
    lines = ("-", "--")
    for (shape, bound), line in zip(series["bounds"].items(), lines, strict=False):
        label = f"proved bound, {shape}"
        axes[0, 0].plot(series["far_waves"], bound, line, color=style.INK, label=label)
    axes[0, 0].set_xscale("log", base=2)
    axes[0, 0].set(xlabel="waves m on an interval of 2π", ylabel="normalised RMSE", ylim=(0, 1.05))
    axes[0, 0].legend(loc="center", bbox_to_anchor=(0.68, 0.3))
    return Picture(
        fig,
        "Quadratic ReLU networks of fixed size on sin(m x). Lines are proved lower bounds for any "
        "weights (layers x neurons); dots are means and single runs of "
        f"{len(series['trained'])} trained networks at budget {verdict.budget}.",
    )


def trajectory(verdict: Verdict) -> Picture:
    """Mean log of the first frequency that follows K values, over the tolerance."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    inverse = np.asarray(series["inverse"], dtype=float)
    for k, logs, colour, marker in zip(
        series["values"], series["logs"], COLOURS, MARKERS, strict=False
    ):
        typical = np.exp(logs)
        axes[0, 0].plot(inverse, typical, marker, color=colour, label=f"K = {k}")
        law = inverse**k * math.exp(-np.euler_gamma)
        axes[0, 0].plot(inverse, law, color=colour, linewidth=0.8)
    axes[0, 0].set_xscale("log", base=2)
    axes[0, 0].set(
        xlabel="1 / (2 ε)", ylabel="first frequency (geometric mean)", yscale="log", xticks=inverse
    )
    axes[0, 0].set_xticklabels([f"{i:g}" for i in inverse])
    axes[0, 0].legend(loc="upper left")
    return Picture(
        fig,
        "First whole frequency at which a trajectory passes K random values to within ε, along "
        f"random directions: {verdict.finding.comparison.seeds} seeds at budget {verdict.budget}. "
        "Lines are (2 ε)^-K / e^γ, the expectation without a fit.",
    )


def bits(verdict: Verdict) -> Picture:
    """Significant bits of a bounded parameter over the points that it labels."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    style.seeds_line(
        axes[0, 0],
        series["points"],
        series["bits"],
        label="needed by s = 1/w",
        colour=style.VERMILION,
    )
    axes[0, 0].plot(
        series["points"],
        series["points"],
        color=style.INK,
        label="one bit a label: no code needs less",
    )
    axes[0, 0].axhline(53, color=style.GREY, linestyle="--", linewidth=0.9, label="float64")
    axes[0, 0].set(xlabel="labelled points K", ylabel="significant bits", ylim=(0, 60))
    axes[0, 0].legend(loc="upper left", bbox_to_anchor=(0, 0.88))
    return Picture(
        fig,
        "One oscillating neuron with a parameter in (0, 1] labels K points in any way; its digits "
        f"pay. Means and single runs of {verdict.finding.comparison.seeds} seeds at budget "
        f"{verdict.budget}, random labels.",
    )
