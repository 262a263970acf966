"""Figures of the universal approximation paper, drawn from its claims' verdicts."""

from collections.abc import Mapping

import numpy as np

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Universal approximation with quadratic networks"


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "product-tree": ("tree_exact", tree_errors),
        "weights": ("products_cheap", weights_by_accuracy),
        "ridges": ("exponential_as_read", ridges_by_dimension),
    }
    return style.drawn(drawers, evidence)


def tree_errors(verdict: Verdict) -> Picture:
    """Relative error of three ways to evaluate Chebyshev polynomials, over their degree."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    ways = {
        "eigenvalues": ("tree, roots as eigenvalues", style.ORANGE, "^"),
        "horner": ("Horner's rule", style.BLUE, "s"),
        "tree": ("tree, settled roots", style.VERMILION, "o"),
    }
    for name, (label, colour, marker) in ways.items():
        # An error of zero has no place on a logarithmic axis: it is drawn at half an ulp.
        shown = np.maximum(series[name], np.finfo(float).eps / 2)
        axes[0, 0].plot(series["degree"], shown, marker=marker, color=colour, label=label)
    axes[0, 0].axhline(verdict.finding.margin, color=style.GREY, linewidth=0.8)
    axes[0, 0].set(xlabel="degree", ylabel="largest relative error", yscale="log")
    axes[0, 0].set_ylim(3e-17, 1)
    axes[0, 0].legend(loc="upper left")
    return Picture(
        fig,
        "Chebyshev polynomials on [-1, 1] in float64: trees of quadratic neurons with settled "
        "roots, trees with roots as eigenvalues, and Horner's rule on the coefficients. The grey "
        f"line is the claim's margin. Exact, at any budget ({verdict.budget} here).",
    )


def weights_by_accuracy(verdict: Verdict) -> Picture:
    """Weights for a product of two numbers, over the accuracy in bits."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    bits = series["bits"]
    axes[0, 0].plot(
        bits, series["weights"], "s-", color=style.BLUE, label="ReLU product: weights built"
    )
    axes[0, 0].plot(
        bits, series["fewest"], "^--", color=style.SKY, label="ReLU square: fewest neurons"
    )
    flat = [series["quadratic"]] * len(bits)
    axes[0, 0].plot(bits, flat, "o-", color=style.VERMILION, label="one quadratic neuron: weights")
    axes[0, 0].set(xlabel="accuracy, log2(1/error) (bits)", ylabel="count", yscale="log")
    axes[0, 0].set_ylim(0.8, 1500)
    axes[0, 0].legend(loc="upper left")
    return Picture(
        fig,
        "What a product costs: weights of the sawtooth ReLU network (an upper bound), hidden "
        "neurons below which no ReLU network squares so accurately (a lower bound, by counting "
        "pieces), and the two weights of a quadratic neuron, which is exact. "
        f"Budget {verdict.budget}; no chance involved.",
    )


def ridges_by_dimension(verdict: Verdict) -> Picture:
    """Ridge functions that powers of the squared norm need, over the dimension."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    colours = (style.BLUE, style.GREEN, style.PURPLE, style.ORANGE)
    looks = zip(series["counts"].items(), colours, "s^vD", strict=True)
    for (name, counts), colour, marker in looks:
        axes[0, 0].plot(
            series["dimensions"], counts, marker=marker, color=colour, label=f"ridges, {name}"
        )
    ones = [1] * len(series["dimensions"])
    axes[0, 0].plot(
        series["dimensions"], ones, "o-", color=style.VERMILION, label="quadratic neurons"
    )
    axes[0, 0].set(xlabel="dimension d", ylabel="neurons needed", yscale="log")
    axes[0, 0].set_xscale("log", base=2)
    axes[0, 0].set_xticks(series["dimensions"], [str(d) for d in series["dimensions"]])
    axes[0, 0].minorticks_off()
    axes[0, 0].legend(loc="upper left")
    return Picture(
        fig,
        "Ridge functions (conventional neurons of any activation) that |x|^(2k) takes exactly, "
        "C(d+k-1, k), against one quadratic neuron with activation z^k. At a fixed degree the "
        "count is a polynomial in d; it is exponential only if the degree grows with d. "
        f"Exact, at any budget ({verdict.budget} here).",
    )
