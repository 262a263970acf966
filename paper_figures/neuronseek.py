"""Figures on NeuronSeek's search and networks, drawn from its claims' verdicts."""

from collections.abc import Mapping, Sequence

import numpy as np

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "NeuronSeek: which structure is found, how surely, and what it is good for"
SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100)
_COLOURS = {"NS-TD": style.VERMILION, "least squares": style.BLUE}
_MARKERS = {"NS-TD": "o", "least squares": "s"}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "recovery": ("beats_power_sums", recovery),
        "stability": ("stability_as_stated", stability),
        "time": ("flat_in_inputs_as_stated", time_by_inputs),
        "networks": ("networks", networks),
        "heavy-tails": ("powers_explode", networks),
    }
    return style.drawn(drawers, evidence)


def recovery(verdict: Verdict) -> Picture:
    """Share of seeds with exactly the right structure, by case and method."""
    series = verdict.finding.series
    methods, cases = list(series["recovered"]), series["cases"]
    shares = np.array([series["recovered"][method] for method in methods])
    fig, axes = style.figure(6.3, 2.5)
    axes[0, 0].imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, values in enumerate(shares):
        for column, share in enumerate(values):
            colour = "white" if share > 0.6 else style.INK
            text = f"{100 * share:.0f}"
            axes[0, 0].text(column, row, text, ha="center", va="center", color=colour, fontsize=6.5)
    count = len(cases)
    labels = [f"{m} ({s.sum():.1f} of {count})" for m, s in zip(methods, shares, strict=True)]
    axes[0, 0].set(yticks=range(len(methods)), yticklabels=labels, xticks=range(count))
    axes[0, 0].set_xticklabels(cases, rotation=45, ha="right")
    axes[0, 0].grid(visible=False)
    axes[0, 0].tick_params(length=0)
    return Picture(
        fig,
        "Share of seeds, in %, that recover exactly the generating powers and orders of "
        "NeuronSeek's synthetic cases (10 inputs, 2,500 rows), and in brackets the mean number of "
        f"cases; budget {verdict.budget}, "
        f"{verdict.finding.comparison.seeds} seeds (fewer for the search settings and TN-SR). "
        "Power sums are the best that TN-SR's class can do. At smaller budgets NS-TD trains for "
        "a part of its epochs.",
    )


def stability(verdict: Verdict) -> Picture:
    """How often two seeds agree, and how often they are right, by method."""
    series = verdict.finding.series
    methods = list(series["identical"])
    fig, axes = style.figure(5.2, 2.5)
    places = np.arange(len(methods))[::-1]
    looks = (
        ("identical", "two seeds agree", style.SKY, 0.19),
        ("right", "right", style.BLUE, -0.19),
    )
    for key, label, colour, shift in looks:
        means = [float(np.mean(series[key][method])) for method in methods]
        axes[0, 0].barh(places + shift, means, height=0.36, color=colour, label=label)
    axes[0, 0].set(
        yticks=places, yticklabels=methods, xlim=(0, 104), xlabel="mean over the cases (%)"
    )
    axes[0, 0].grid(visible=False, axis="y")
    axes[0, 0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return Picture(
        fig,
        "How often two seeds find the same structure, and how often a run finds the true one: "
        f"means over {len(series['cases'])} synthetic cases, budget {verdict.budget}. A method "
        "can be stable and wrong: TN-SR as its authors set it gives one answer to most cases.",
    )


def time_by_inputs(verdict: Verdict) -> Picture:
    """Seconds of a search over the number of inputs."""
    series = verdict.finding.series
    runs_of = list(series["seconds"].values())
    fig, axes = style.figure(4.2, 2.8)
    for method, runs in series["seconds"].items():
        style.seeds_line(
            axes[0, 0],
            series["inputs"],
            runs,
            label=method,
            colour=_COLOURS[method],
            marker=_MARKERS[method],
        )
    low, high = 0.7 * min(map(np.min, runs_of)), 1.4 * max(map(np.max, runs_of))
    axes[0, 0].set_xscale("log")
    axes[0, 0].set_yscale("log")
    axes[0, 0].set_ylim(low, high)
    axes[0, 0].set(xlabel="inputs", ylabel="CPU seconds for one search", xticks=series["inputs"])
    axes[0, 0].set_xticklabels([str(width) for width in series["inputs"]])
    decades = [one for one in SECONDS if low <= one <= high]
    axes[0, 0].set_yticks(decades, [f"{one:g}" for one in decades])
    axes[0, 0].minorticks_off()
    axes[0, 0].legend(loc="upper left")
    return Picture(
        fig,
        "CPU time of one search on hybrid case 1 (2,500 rows), without compilation: NS-TD by a "
        "part of its 200 epochs, scaled up, one dot per repetition; least squares once. Budget "
        f"{verdict.budget}.",
    )


def networks(verdict: Verdict) -> Picture:
    """Test errors of networks of equal size, by kind of neuron."""
    logs, sizes = (verdict.finding.series[key] for key in ("logs", "parameters"))
    fig, axes = style.figure(5.2, 2.2)
    places = np.arange(len(logs))[::-1]
    for place, values in zip(places, logs.values(), strict=True):
        errors = 10 ** np.asarray(values)
        axes[0, 0].plot(errors, np.full(len(errors), place), "o", color=style.BLUE, alpha=0.5)
        axes[0, 0].plot(_centre(values), place, "|", color=style.INK, markersize=13)
    axes[0, 0].axvline(1.0, color=style.GREY, linestyle="--", linewidth=0.9)
    axes[0, 0].set_xscale("log")
    axes[0, 0].set(
        yticks=places,
        yticklabels=[f"{kind} ({sizes[kind]})" for kind in logs],
        xlabel="test MSE (1: no better than the mean)",
        ylim=(-0.6, len(logs) - 0.4),
    )
    return Picture(
        fig,
        "Test errors of networks of about equal size (parameters in brackets): single runs of "
        f"{verdict.finding.comparison.seeds} seeds and their geometric mean, budget "
        f"{verdict.budget}. {verdict.finding.note}",
    )


def _centre(logs: Sequence[float]) -> float:
    return float(10 ** np.mean(logs))
