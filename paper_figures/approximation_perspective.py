"""Figures of the paper on interpretability as approximation, drawn from its claims' verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from paper_figures import style
from paper_figures.region_pictures import region_map
from paper_figures.style import Picture
from theory.claims import Verdict
from theory.regions import from_layers, regions

TITLE = "How to explain neural networks: an approximation perspective"

COLOURS = (style.BLUE, style.VERMILION, style.GREEN)
RIVALS = {
    "network": ("interpreter", style.VERMILION, "o"),
    "tree": ("tree, as many parameters", style.BLUE, "s"),
    "linear": ("linear (left: one, right: one a point)", style.GREEN, "^"),
}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "side-by-side": ("compression", side_by_side),
        "region-maps": ("complete_boundary", region_maps),
        "fidelity": ("universal_interpreter", fidelity),
        "budget": ("noisy_table", budget),
    }
    return style.drawn(drawers, evidence)


def _network(stored: Mapping[str, Any]) -> Any:
    return from_layers(stored["weights"], stored["biases"])


def side_by_side(verdict: Verdict) -> Picture:
    """A forest's labels on two measurements, and the interpreter's regions and boundary."""
    shown = verdict.finding.series["picture"]
    fig, axes = style.figure(6.3, 3.0, columns=2, sharey=True)
    box = np.array(shown["box"])
    _black_box(axes[0, 0], shown, box)
    found = regions(_network(shown["network"]), box)
    facets = region_map(axes[0, 1], found, COLOURS)
    _wines(axes[0, 1], shown)
    axes[0, 0].set(title="black box: random forest", ylabel=_words(shown["names"][1]))
    axes[0, 1].set(title=f"interpreter: {len(found)} regions, {len(facets)} facets")
    for panel in axes[0]:
        panel.set(xlabel=_words(shown["names"][0]), xlim=box[0], ylim=box[1], aspect="auto")
        panel.grid(visible=False)
    axes[0, 0].legend(loc="upper right", markerscale=2.5)
    return Picture(
        fig,
        "Two measurements of 178 real wines of three cultivars (scikit-learn's table). Left: the "
        "labels of a random forest, with the wines. Right: the exact linear regions of its "
        "interpreter, a ReLU network of two hidden layers of 16 units, its labels and its exact "
        f"decision boundary (black). Equal labels at {shown['fidelity']:.1%} of held-out points "
        f"with jitter; {shown['rules']['rules']:.0f} cells keep {shown['rules']['fidelity']:.1%} "
        f"of the network's labels. Budget {verdict.budget}, one seed.",
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _black_box(axes: Axes, shown: Mapping[str, Any], box: np.ndarray) -> None:
    """Labels on a grid as pale colours, and the data."""
    tints = ListedColormap([_pale(colour) for colour in COLOURS])
    axes.imshow(
        shown["black_box"], origin="lower", extent=tuple(box.ravel()), cmap=tints, vmin=0,
        vmax=len(COLOURS) - 1, interpolation="nearest",
    )  # fmt: skip
    _wines(axes, shown)


def _wines(axes: Axes, shown: Mapping[str, Any]) -> None:
    x, y = np.array(shown["x"]), np.array(shown["y"])
    for label, (colour, marker) in enumerate(zip(COLOURS, "o^s", strict=True)):
        chosen = x[y == label]
        axes.plot(
            chosen[:, 0], chosen[:, 1], marker, color=colour, markersize=2.2, zorder=4,
            label=f"cultivar {label}",
        )  # fmt: skip


def _pale(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return 1 - 0.35 * (1 - rgb)


def region_maps(verdict: Verdict) -> Picture:
    """Regions, labels and boundary of the claim's random networks."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.5, columns=len(series["networks"]), sharey=True)
    for panel, stored in zip(axes[0], series["networks"], strict=True):
        net = _network(stored)
        found = regions(net, series["box"])
        facets = region_map(panel, found)
        panel.set(
            title=f"{net.out_features} classes: {len(found)} regions,\n{len(facets)} facets",
            xlabel="$x_1$",
        )
    axes[0, 0].set_ylabel("$x_2$")
    return Picture(
        fig,
        "Every linear region (grey outlines), label (colour) and facet of the decision boundary "
        "(black) of the random networks on which completeness is tested: two hidden layers of 24 "
        f"ReLU units, two inputs. Exact; nothing is sampled ({verdict.budget} budget).",
    )


def fidelity(verdict: Verdict) -> Picture:
    """Global fidelity by black box, and local fidelity beside a linear fit."""
    found = verdict.finding.series["fidelity"]
    names = list(found)
    fig, axes = style.figure(6.3, 3.2, columns=2, sharey=True)
    for number, (name, (label, colour, marker)) in enumerate(RIVALS.items()):
        values = [found[case][f"{name}/jittered"] for case in names]
        _dots(axes[0, 0], values, label, colour, marker, 0.2 * (number - 1))
    axes[0, 0].axvline(verdict.finding.margin, color=style.GREY, linewidth=0.8)
    for name, shift in (("network", -0.1), ("linear", 0.1)):
        label, colour, marker = RIVALS[name]
        values = [found[case][f"local/{name}"] for case in names]
        _dots(axes[0, 1], values, label, colour, marker, shift)
    axes[0, 0].set_yticks(range(len(names)), [_words(name) for name in names])
    axes[0, 0].invert_yaxis()
    axes[0, 0].locator_params(axis="x", nbins=5)
    axes[0, 0].set(xlabel="share of equal labels, held out", title="global fidelity")
    axes[0, 1].set(xlabel="median $R^2$ under LIME's kernel", title="local fidelity")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return Picture(
        fig,
        "Black boxes and what stands in for them: one interpreter setting for all (two hidden "
        "layers of 64 units), a decision tree of as many parameters and a linear classifier, all "
        "from the same samples; on the right a linear fit made around every explained point. Large "
        "marks are means, faint ones the seeds. The grey line is the claim's bar. "
        f"Budget {verdict.budget}, {verdict.finding.comparison.seeds} seeds.",
    )


def _dots(
    axes: Axes, runs: Sequence[Sequence[float]], label: str, colour: str, marker: str, shift: float
) -> None:
    """The mean of every row as a mark, its seeds as faint ones."""
    for row, values in enumerate(runs):
        place = np.full(len(values), row + shift)
        axes.plot(values, place, marker, color=colour, alpha=0.3, markersize=2.5)
        name = label if row == 0 else None
        axes.plot(np.mean(values), row + shift, marker, color=colour, label=name)


def budget(verdict: Verdict) -> Picture:
    """Fidelity to a rough black box over the number of samples and over the width."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.6, columns=2, sharey=True)
    for panel, name, label in (
        (axes[0, 0], "samples", "questions asked for training"),
        (axes[0, 1], "widths", "units in each of two hidden layers"),
    ):
        runs = [run[name] for run in series["runs"]]
        style.seeds_line(panel, series[name], runs, label="interpreter", colour=style.VERMILION)
        panel.axhline(verdict.finding.margin, color=style.GREY, linewidth=0.8)
        panel.set(xlabel=label, xscale="log")
        panel.set_xticks(series[name], [f"{amount:,}" for amount in series[name]])
        panel.minorticks_off()
    axes[0, 0].set_ylabel("share of equal labels, held out")
    return Picture(
        fig,
        f"A random forest of fully grown trees on the table {series['table']}, whose labels "
        "are noisy: fidelity of its interpreter over the number of samples (64 units a layer) and "
        f"over the width ({series['samples'][1]:,} samples). The grey line is the bar of 97 %. "
        f"Budget {verdict.budget}, {verdict.finding.comparison.seeds} seeds.",
    )
