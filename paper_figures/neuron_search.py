"""Figures on our own neuron search, drawn from its claims' verdicts."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "The neuron search: one formula from compressed data"
EXACT, LITTLE, MUCH = (
    "exact_without_noise",
    "structure_at_1_percent_noise",
    "structure_at_10_percent_noise_as_stated",
)
_TOLERANCE = 1e-6
_NUMBER = re.compile(r"\d+\.\d+(?:e[-+]?\d+)?")


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    together: Mapping[str, tuple[tuple[str, ...], Callable[..., Picture]]] = {
        "recovery": ((EXACT, LITTLE, MUCH), recovery),
        "fronts": ((LITTLE,), fronts),
        "curve": (("band_covers",), curves),
        "time": (("compression_is_linear", "search_is_free_of_inputs"), times),
    }
    return {
        slug: drawer(*(evidence[name] for name in names))
        for slug, (names, drawer) in together.items()
        if {*names} <= {*evidence}
    }


def recovery(exact: Verdict, little: Verdict, much: Verdict) -> Picture:
    """What is recovered of every function, over inputs and noise."""
    columns = _columns(exact, little, much)
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    shares = np.array([[column.get(name, np.nan) for column in columns.values()] for name in names])
    fig, axes = style.figure(5.2, 0.22 * len(names) + 1.3)
    axes[0, 0].imshow(shares, cmap="Blues", vmin=0, vmax=130, aspect="auto")
    for row, column in np.argwhere(np.isfinite(shares)):
        share = shares[row, column]
        colour = "white" if share > 80 else style.INK
        axes[0, 0].text(column, row, f"{share:.0f}", ha="center", va="center", color=colour)
    axes[0, 0].set(yticks=range(len(names)), yticklabels=names, xticks=range(len(columns)))
    axes[0, 0].set_xticklabels(list(columns))
    axes[0, 0].xaxis.tick_top()
    axes[0, 0].grid(visible=False)
    axes[0, 0].tick_params(length=0)
    axes[0, 0].axvline(len(exact.finding.series["errors"]) - 0.5, color=style.INK, linewidth=1)
    return Picture(
        fig,
        "Recovery of the twelve public functions from 1,000 samples, in % of the data sets. Left "
        "of the line: without noise, the formula is exact (one data set for each number of inputs "
        "d). Right: with noise and 5 inputs, two data sets; the best formula, or in brackets also "
        "one within 2 BIC of it, has the true structure. The design's author knew these "
        f"functions. Budget {exact.budget}.",
    )


def _columns(exact: Verdict, little: Verdict, much: Verdict) -> dict[str, dict[str, float]]:
    """Shares in per cent by function, for every column of the heat map."""
    columns = {
        f"d = {width}": {name: 100.0 * (error < _TOLERANCE) for name, error in errors.items()}
        for width, errors in exact.finding.series["errors"].items()
    }
    for verdict in (little, much):
        series = verdict.finding.series
        label = f"{100 * series['noise']:g} %"
        columns[label] = _shares(series["best"])
        columns[f"({label})"] = _shares(series["among"])
    return columns


def _shares(found: Mapping[str, Sequence[bool]]) -> dict[str, float]:
    return {name: 100 * float(np.mean(hits)) for name, hits in found.items()}


def fronts(verdict: Verdict) -> Picture:
    """Loss over complexity of the formulas on the front, some of them written out."""
    shown = verdict.finding.series["fronts"]
    fig, axes = style.figure(6.3, 2.9, columns=len(shown), sharey=True)
    for panel, (name, run) in zip(axes[0], shown.items(), strict=True):
        _front(panel, run)
        panel.set(xlabel="complexity (nodes)", title=f"f = {name}")
    axes[0, 0].set_ylabel("1 - R²")
    return Picture(
        fig,
        "Pareto fronts of two searches at 1 % noise (1,000 samples, 5 inputs): the unexplained "
        "share of the variance over the nodes of the formula. The dashed line is what noise "
        "leaves to the best smooth function; the filled point is the search's choice, and the "
        f"numbered formulas are rounded to two digits. Budget {verdict.budget}.",
    )


def _front(panel: Axes, run: Mapping[str, Any]) -> None:
    sizes, losses, formulas = zip(*run["front"], strict=True)
    panel.step(sizes, losses, where="post", color=style.FAINT)
    panel.plot(sizes, losses, "o", color=style.BLUE, markerfacecolor="white")
    panel.axhline(1 - run["ceiling"], color=style.GREY, linestyle="--", linewidth=0.9)
    chosen = formulas.index(run["formula"]) if run["formula"] in formulas else len(sizes) - 1
    panel.plot(sizes[chosen], losses[chosen], "o", color=style.VERMILION)
    lines = []
    for number, place in enumerate(sorted({0, chosen // 2, chosen}), start=1):
        panel.annotate(
            str(number), (sizes[place], losses[place]), (3, 3), textcoords="offset points"
        )
        lines.append(f"{number}: {_rounded(formulas[place])}")
    panel.set(yscale="log", ylim=(3e-5, 30.0))
    panel.text(0.98, 0.98, "\n".join(lines), ha="right", va="top", transform=panel.transAxes)


def _rounded(formula: str) -> str:
    return _NUMBER.sub(lambda number: f"{float(number.group()):.2g}", formula).replace("**", "^")


def curves(verdict: Verdict) -> Picture:
    """The deconvolved curve and its band against the truth, and their difference."""
    shown = verdict.finding.series["curves"]
    fig, axes = style.figure(6.3, 3.4, rows=2, columns=len(shown), sharex=True)
    for column, (name, curve) in enumerate(shown.items()):
        x, value, error, true = (np.asarray(curve[key]) for key in ("x", "value", "error", "true"))
        for row, middle in ((0, np.zeros_like(true)), (1, true)):
            panel = axes[row, column]
            panel.fill_between(
                x,
                value - middle - 1.96 * error,
                value - middle + 1.96 * error,
                color=style.SKY,
                alpha=0.5,
                linewidth=0,
                label="95 % band",
            )
            panel.plot(x, value - middle, color=style.BLUE, label="deconvolved")
            panel.plot(x, true - middle, "--", color=style.INK, linewidth=0.9, label="true")
        axes[0, column].set_title(name)
        axes[1, column].set_xlabel("x")
    axes[0, 0].set_ylabel("f(x)")
    axes[1, 0].set_ylabel("difference to the truth")
    axes[0, -1].legend(loc="lower right")
    return Picture(
        fig,
        f"The curve that compressed data gives before any search, with its 95 % band, against the "
        f"true function: 1,000 samples of 5 inputs, {100 * verdict.finding.series['noise']:g} % "
        "noise, both with mean 0 over the nodes. One data set each; the claim's coverage is over "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}.",
    )


def times(compression: Verdict, search: Verdict) -> Picture:
    """Seconds of the compression over the samples, and of both stages over the inputs."""
    by_samples, by_inputs = compression.finding.series, search.finding.series
    fig, axes = style.figure(6.3, 2.5, columns=2)
    left, right = axes[0]
    _lines(left, by_samples["samples"], {"compression": by_samples["seconds"]})
    first = float(np.mean(np.asarray(by_samples["seconds"])[:, 0]))
    ideal = [first * n / by_samples["samples"][0] for n in by_samples["samples"]]
    left.plot(by_samples["samples"], ideal, "--", color=style.GREY, label="linear")
    left.set(xlabel="samples", title=f"{by_samples['inputs']} inputs")
    parts = {part: by_inputs[part] for part in ("search", "compression")}
    _lines(right, by_inputs["inputs"], parts)
    right.set(xlabel="inputs", title=f"{by_inputs['samples']:,} samples")
    left.legend()
    right.legend()
    repetitions = (v.finding.comparison.seeds for v in (compression, search))
    return Picture(
        fig,
        "Processor time on the machine that checked: the compression grows with the samples and "
        "the inputs, the search after it does not see them (noise-free target). Means and single "
        f"repetitions ({' and '.join(map(str, repetitions))}), each the faster of two runs; "
        f"budget {compression.budget}.",
    )


def _lines(axes: Axes, x: Sequence[int], runs: Mapping[str, Any]) -> None:
    looks = {"compression": (style.BLUE, "o"), "search": (style.VERMILION, "s")}
    for label, seconds in runs.items():
        colour, marker = looks[label]
        style.seeds_line(axes, x, seconds, label=label, colour=colour, marker=marker)
    axes.set(xscale="log", yscale="log", ylabel="seconds", xticks=x)
    axes.set_xticklabels([f"{value:,}" for value in x])
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
