"""Figures on SAL-CNN: predicted lives, errors against baselines, what bands matter."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict, mean_effect

TITLE = "SAL-CNN: remaining life of bearings"
SAL, MULTI = "SAL-CNN", "multi-scale CNN"
BASELINES = ("linear RMS", "mean life", "constant 50 %")
SHOWN = {
    SAL: (style.VERMILION, "o"),
    MULTI: (style.BLUE, "s"),
    "mean life": (style.GREEN, "^"),
    "linear RMS": (style.PURPLE, "v"),
}
COLUMNS = 5


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "remaining-life": ("improves_by_2_8", curves),
        "errors": ("better_on_eleven", errors),
        "band-importance": ("low_band_matters_more", bands),
    }
    return style.drawn(drawers, evidence)


def curves(verdict: Verdict) -> Picture:
    """The predicted share of life along every life, with its interval."""
    found = verdict.finding.series["curves"]
    rows = -(-len(found) // COLUMNS)
    fig, axes = style.figure(6.6, 0.5 + 1.15 * rows, rows=rows, columns=COLUMNS, sharey=True)
    places = axes.ravel()
    for axis, (name, curve) in zip(places, found.items(), strict=False):
        hours, colour = curve["hours"], style.VERMILION
        axis.fill_between(hours, curve["low"], curve["high"], color=colour, alpha=0.3, linewidth=0)
        axis.plot(hours, curve["mean"], color=colour, linewidth=0.9, label="SAL-CNN")
        axis.plot(hours, curve["left"], color=style.INK, linewidth=0.9, label="true")
        axis.set_title(name.removeprefix("Bearing").replace("_", "-"), fontsize=8)
        axis.set(ylim=(0, 100), yticks=(0, 50, 100))
        axis.tick_params(labelsize=7)
    for axis in places[len(found) :]:
        axis.set_visible(False)
    fig.supxlabel("time since the start (h)", fontsize=8)
    fig.supylabel("life left (%)", fontsize=8)
    handles, labels = places[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        fig,
        "Share of life that is left, of every bearing, predicted by SAL-CNN trained on the other "
        "bearings of its condition (the first number of its name). Line: mean over the seeds; "
        f"band: its 95 % interval, which tells how trainings differ, not bearings. {rests(verdict)}"
        " A prediction needs no look at what comes after it.",
    )


def errors(verdict: Verdict) -> Picture:
    """Mean absolute errors: of all methods over all bearings, and bearing by bearing."""
    table = verdict.finding.series["errors"]
    bearings = list(table[SAL])
    fig, axes = style.figure(6.6, 5.2, rows=2)
    _ranking(axes[0, 0], table)
    for name, (colour, marker) in SHOWN.items():
        means = [float(np.mean(table[name][bearing])) for bearing in bearings]
        axes[1, 0].plot(
            range(len(bearings)), means, marker, color=colour, label=name, markersize=4.5
        )
    _half(axes[1, 0].axhline)
    axes[1, 0].set_xticks(range(len(bearings)), [b.removeprefix("Bearing") for b in bearings])
    axes[1, 0].tick_params(axis="x", labelsize=7)
    axes[1, 0].set(xlabel="bearing", ylabel="mean absolute error (%)", ylim=(0, None))
    axes[1, 0].legend(loc="upper center", bbox_to_anchor=(0.5, 1.17), ncols=len(SHOWN))
    return Picture(
        fig,
        "Mean absolute error of the share of life that is left, every bearing left out once. Top: "
        "means over all bearings, single runs and 95 % intervals over seeds; red: SAL-CNN, grey: "
        "baselines that need no network; the rest are its ablations and the multi-scale CNN. "
        "Bottom: bearing by bearing, means over seeds. Dashed: 25 %, which saying 50 % at every "
        f"record reaches; errors above it are worthless. {rests(verdict)}",
    )


def bands(verdict: Verdict) -> Picture:
    """What hiding a band costs, beside its share of the attribution."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.7, columns=2)
    left, right = axes[0]
    _bars(left, series["harm"], style.VERMILION, "error added when hidden (points)")
    _bars(right, series["share"], style.BLUE, "share of the attribution (%)")
    return Picture(
        fig,
        "Four bands of equal width. Left: mean absolute error that SAL-CNN gains when a band is "
        "set to the training bearings' mean, over all bearings; below zero the error falls. "
        "Right: share of the band in the integrated gradients, which alone is no evidence. Means, "
        f"95 % intervals and single runs. {rests(verdict)}",
    )


def rests(verdict: Verdict) -> str:
    """What a picture rests on."""
    kind = "real bearings" if "(real)" in verdict.data else "simulated bearings"
    count = verdict.finding.comparison.seeds
    return f"{count} seeds at budget {verdict.budget} ({kind}, every tenth record)."


def _ranking(axis: Axes, table: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    runs = {name: np.mean([values[b] for b in values], axis=0) for name, values in table.items()}
    order = sorted(runs, key=lambda name: -runs[name].mean())
    for place, name in enumerate(order):
        colour = style.GREY if name in BASELINES else style.BLUE
        colour = style.VERMILION if name == SAL else colour
        low, high = mean_effect(runs[name]).interval
        if np.isfinite((low, high)).all():
            axis.plot([low, high], [place, place], color=colour, linewidth=1.1)
        axis.plot(runs[name], np.full(len(runs[name]), place), "o", color=colour, alpha=0.3)
        axis.plot(runs[name].mean(), place, "o", color=colour, markersize=5)
    _half(axis.axvline)
    axis.set_yticks(range(len(order)), order)
    axis.set_xlabel("mean absolute error over all bearings (% of life)")


def _bars(axis: Axes, runs: Mapping[str, Sequence[float]], colour: str, label: str) -> None:
    names = list(runs)
    for place, name in enumerate(names):
        values = np.asarray(runs[name], float)
        axis.bar(place, values.mean(), 0.65, color=colour, alpha=0.55)
        low, high = mean_effect(values).interval
        if np.isfinite((low, high)).all():
            axis.plot([place, place], [low, high], color=style.INK, linewidth=1.0)
        axis.plot(np.full(len(values), place), values, ".", color=style.INK, markersize=3)
    axis.axhline(0, color=style.INK, linewidth=0.6)
    labels = [name.removesuffix(" kHz").replace(" to ", "\u2013") for name in names]
    axis.set_xticks(range(len(names)), labels)
    axis.set(xlabel="band (kHz)", ylabel=label)
    axis.grid(visible=False, axis="x")


def _half(line: object) -> None:
    """The error of a constant 50 %, as a dashed line."""
    line(25, color=style.INK, linestyle="--", linewidth=0.9)  # type: ignore[operator]
