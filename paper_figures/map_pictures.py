"""Figures that the papers on class activation maps share: sheets of maps, rankings, curves, bars.

Values come by label and seed, as the claims' series hold them: `{label: [one per seed]}`, for
curves `{label: {place: [one per seed]}}`. The paper's own methods are named in `ours` and stand
out by their colour.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Row, Verdict, mean_effect

BySeed: TypeAlias = Mapping[str, Sequence[float]]
OURS = (style.VERMILION, style.PURPLE, style.ORANGE)
OTHERS = (style.BLUE, style.GREEN, style.SKY, style.GREY, style.INK)
MARKERS = "osD^vPX<>*"
OUTLINE = "#7FFFD4"  # seen on every colour of the maps
DARK_TO_LIGHT = 99  # the largest number of a stored picture


def seeds(verdict: Verdict) -> str:
    """What a picture rests on, for its caption: runs, budget and kind of data."""
    tiles = "real magnetic tiles" if "(real)" in verdict.data else "simulated tiles"
    return f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget} ({tiles})"


def dashed(full: Sequence[float]) -> str:
    """What the dashed line of full supervision is, for a caption; empty if there is none."""
    return " Dashed: a decoder trained on masks." if len(full) else ""


def contact_sheet(
    verdict: Verdict,
    images: Mapping[str, Any],
    masks: Mapping[str, Any],
    maps: Mapping[str, Mapping[str, Any]],
    *,
    ours: Sequence[str] = (),
) -> Picture:
    """Maps of every method for a tile of every kind, with the masks' outlines.

    Args:
        verdict: of the claim.
        images: by kind of defect, rows of whole numbers from 0 to 99.
        masks: the same, above half inside the defect.
        maps: by label and kind, of the same or another size.
        ours: labels to print bold.
    """
    kinds, titles = list(images), ["tile", *maps]
    size = 5.4 / max(len(titles), 8)
    # Titles lean over their neighbours: the layout leaves them out, and room above and beside.
    above = 0.1 + 0.048 * max(map(len, titles))
    left_of_end = [size * (len(titles) - place - 0.3) for place in range(len(titles))]
    over = [0.043 * len(t) - left for t, left in zip(titles, left_of_end, strict=True)]
    beside = max(0.05, *over)
    width, height = 0.55 + beside + size * len(titles), above + size * len(kinds)
    fig, axes = style.figure(width, height, rows=len(kinds), columns=len(titles))
    rest = (0, 0, 1 - beside / width, 1 - above / height)
    fig.set_layout_engine("constrained", w_pad=0.01, h_pad=0.01, wspace=0, hspace=0, rect=rest)
    for line, kind in zip(axes, kinds, strict=True):
        outline = np.asarray(masks[kind]) > DARK_TO_LIGHT / 2
        _pixels(line[0], images[kind], outline, "gray")
        for axis, found in zip(line[1:], maps.values(), strict=True):
            _pixels(axis, found[kind], outline, "magma")
        line[0].set_ylabel(kind, rotation=0, ha="right", va="center")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.text(
            0.3, 1.1, title, transform=axis.transAxes, rotation=50, rotation_mode="anchor",
            fontsize=7.5, fontweight="bold" if title in ours else "normal",
        ).set_in_layout(False)  # fmt: skip
    return Picture(
        fig,
        "A test tile of every kind and its maps, each from its least (black) to its largest value "
        "(light), with the outline of the marked defect. The network learned from image labels "
        f"alone; the first of {seeds(verdict)}.",
    )


def ranking(
    runs: BySeed, unit: str, *, ours: Sequence[str] = (), full: Sequence[float] = ()
) -> Figure:
    """Methods in the order of their means, with 95 % intervals and single runs.

    Scores are never negative, nor above 100 %: their intervals end there.

    Args:
        runs: by label.
        unit: of the values.
        ours: labels to print bold.
        full: values of full supervision, whose mean becomes a dashed line.
    """
    known = {name: _known(values) for name, values in runs.items() if _known(values).size}
    order = sorted(known, key=lambda name: known[name].mean())
    fig, axes = style.figure(5.2, 0.55 + 0.2 * len(order))
    for place, name in enumerate(order):
        colour = style.VERMILION if name in ours else style.BLUE
        low, high = _interval(known[name], *_bounds(unit))
        axes[0, 0].plot([low, high], [place, place], color=colour, linewidth=1.1)
        dots = np.full(known[name].size, place)
        axes[0, 0].plot(known[name], dots, "o", color=colour, alpha=0.3, markersize=2.5)
        axes[0, 0].plot(known[name].mean(), place, "o", color=colour, markersize=5)
    _named(axes[0, 0], order, ours)
    axes[0, 0].set_xlabel(unit)
    if len(full):
        axes[0, 0].axvline(float(np.mean(full)), color=style.INK, linestyle="--", linewidth=0.9)
    return fig


def curves(
    runs: Mapping[str, Mapping[str, Sequence[float]]],
    xlabel: str,
    unit: str,
    *,
    ours: Sequence[str] = (),
    full: Sequence[float] = (),
) -> Figure:
    """A line of means for every label, with the single runs.

    Args:
        runs: by label and place; a label may lack places. Places that are all numbers are drawn
            to scale.
        xlabel: of the places.
        unit: of the values.
        ours: labels with colours of their own.
        full: as for :func:`ranking`.
    """
    places = list(dict.fromkeys(place for run in runs.values() for place in run))
    x = [float(p) for p in places] if all(map(_is_number, places)) else list(range(len(places)))
    fig, axes = style.figure(4.8, 2.8)
    for number, (name, run) in enumerate(runs.items()):
        here = [at for at, place in zip(x, places, strict=True) if place in run]
        table = np.array([run[place] for place in places if place in run], float).T
        style.seeds_line(
            axes[0, 0], here, table, label=name, colour=_colour(list(runs), name, ours),
            marker=MARKERS[number % len(MARKERS)],
        )  # fmt: skip
    if len(full):
        axes[0, 0].axhline(float(np.mean(full)), color=style.INK, linestyle="--", linewidth=0.9)
    axes[0, 0].set(xlabel=xlabel, ylabel=unit)
    axes[0, 0].set_xticks(x, places)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if len(labels) > 1:
        fig.legend(handles, labels, loc="outside upper center", ncols=min(3, len(labels)))
    return fig


def bars(groups: Mapping[str, BySeed], *, ours: Sequence[str] = (), signed: bool = False) -> Figure:
    """Several quantities beside each other, a bar a label, with intervals and single runs.

    Args:
        groups: by quantity, with its unit, and label.
        ours: labels with colours of their own.
        signed: values may be negative, as differences are; else intervals end at 0, and in
            percent at 100.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    fig, axes = style.figure(6.3 if len(groups) > 1 else 4.2, 2.5, columns=len(groups))
    for axis, (quantity, group) in zip(axes.flat, groups.items(), strict=True):
        for place, name in enumerate(names):
            known = _known(group.get(name, ()))
            if known.size:
                axis.bar(place, known.mean(), 0.7, color=_colour(names, name, ours), alpha=0.75)
                bounds = (-np.inf, np.inf) if signed else _bounds(quantity)
                axis.plot([place] * 2, _interval(known, *bounds), color=style.INK, linewidth=0.9)
                dots = [place] * known.size
                axis.plot(dots, known, "o", color=style.INK, alpha=0.4, markersize=2.5)
        axis.set_title(quantity, fontsize=7.5, fontweight="normal")
        axis.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
        axis.grid(visible=False, axis="x")
        axis.axhline(0, color=style.GREY, linewidth=0.8)
    return fig


def listing(rows: Sequence[Row], unit: str, *, ours: Sequence[str] = ()) -> Figure:
    """Rows of a claim's table that end with a unit, as dots with their intervals.

    Scores are never negative, nor above 100 %: their intervals end there.

    Args:
        rows: of the claim, the first one on top.
        unit: the end of the labels, as "IoU, %"; other rows are left out.
        ours: labels, without the unit, to print bold.
    """
    shown = [row for row in rows if row.label.endswith(f", {unit}")][::-1]
    names = [row.label.removesuffix(f", {unit}") for row in shown]
    fig, axes = style.figure(5.2, 0.55 + 0.2 * len(shown))
    for place, (row, name) in enumerate(zip(shown, names, strict=True)):
        colour = style.VERMILION if name in ours else style.BLUE
        low, high = row.interval or (row.ours, row.ours)
        if np.isfinite([low, high]).all():
            ends = np.clip([low, high], *_bounds(unit))
            axes[0, 0].plot(ends, [place, place], color=colour, linewidth=1.1)
        axes[0, 0].plot(row.ours, place, "o", color=colour, markersize=5)
    _named(axes[0, 0], names, ours)
    axes[0, 0].set_xlabel(unit)
    return fig


def sanity(verdicts: Mapping[str, Verdict]) -> Picture:
    """Rank correlation of maps while a network's layers become random, from the output down.

    Args:
        verdicts: by label, of claims whose series hold "layers" and "correlation", a row a seed.
    """
    series = {label: verdict.finding.series for label, verdict in verdicts.items()}
    runs = {
        label: dict(zip(one["layers"], np.transpose(one["correlation"]).tolist(), strict=True))
        for label, one in series.items()
    }
    fig = curves(
        runs, "layers random so far, from the output down", "rank correlation with the trained map"
    )
    fig.axes[0].axhline(0, color=style.GREY, linewidth=0.8)
    fig.axes[0].set_ylim(top=1.05)
    first = next(iter(verdicts.values()))
    return Picture(
        fig,
        "Parameter randomisation: a map that stays while the network forgets does not show what "
        f"the network has learned. Means and single runs of {seeds(first)}.",
    )


def _pixels(axes: Axes, grid: Any, outline: np.ndarray, colours: str) -> None:
    axes.imshow(
        np.asarray(grid, float), cmap=colours, vmin=0, vmax=DARK_TO_LIGHT, extent=(0, 1, 1, 0),
        interpolation="nearest",
    )  # fmt: skip
    # The mask's numbers stand for the centres of its pixels.
    down, right = ((np.arange(n) + 0.5) / n for n in outline.shape)
    if outline.any() and not outline.all():
        axes.contour(right, down, outline, levels=[0.5], colors=[OUTLINE], linewidths=0.7)
    axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
    axes.grid(visible=False)


def _named(axes: Axes, names: Sequence[str], ours: Sequence[str]) -> None:
    """Names beside the rows, from below."""
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_yticks(range(len(names)), names)
    for text, name in zip(axes.get_yticklabels(), names, strict=True):
        text.set_fontweight("bold" if name in ours else "normal")


def _known(values: Sequence[float]) -> np.ndarray:
    found = np.asarray(values, float)
    return found[np.isfinite(found)]


def _bounds(unit: str) -> tuple[float, float]:
    """Least and largest value of a score or count."""
    return 0.0, 100.0 if "%" in unit else np.inf


def _interval(values: np.ndarray, least: float, most: float) -> tuple[float, float]:
    """Of the mean, cut at the least and largest value there can be.

    The mean itself where there is one run, of whose spread nothing is known.
    """
    low, high = mean_effect(values).interval
    mean = float(values.mean())
    if not np.isfinite([low, high]).all():
        return mean, mean
    return max(low, least), min(high, most)


def _colour(names: Sequence[str], name: str, ours: Sequence[str]) -> str:
    colours = OURS if name in ours else OTHERS
    alike = [one for one in names if (one in ours) == (name in ours)]
    return colours[alike.index(name) % len(colours)]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
