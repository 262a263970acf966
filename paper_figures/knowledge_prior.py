"""Figures on training with a prior: gain over the data, controls, saliency before and after."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paper_figures import map_pictures as pictures
from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict, mean_effect

TITLE = "Network knowledge prior: learning with one's own saliency maps"
KNOWLEDGE, FIRST = "knowledge prior", "first network"
BEFORE_AND_AFTER = {FIRST: "before", KNOWLEDGE: "after"}
LOOKS = {
    "mass": "within the mask (%)",
    "pointing": "highest points in it (%)",
    "gini": "Gini index (%)",
    "empty": "empty maps (%)",
}
COLOURS = (style.BLUE, style.GREEN, style.SKY, style.PURPLE, style.ORANGE, style.GREY, style.INK)
ASIDE = 0.035  # between controls, in decades of the share of the data


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "gain-over-data": ("data_efficiency", gain_over_data),
        "controls": ("data_efficiency", controls),
        "before-and-after": ("concentrated", before_and_after),
        "where-it-looks": ("concentrated", where_it_looks),
    }
    return style.drawn(drawers, evidence)


def gain_over_data(verdict: Verdict) -> Picture:
    """Gain of average precision over the share of the training data, with the controls."""
    series = verdict.finding.series
    sets = list(series["gains"]["ap"])
    fig, axes = style.figure(6.6, 2.9, columns=len(sets))
    shares: list[float] = series["fractions"]
    arms = _controls(series)
    for axis, which in zip(axes.flat, sets, strict=True):
        table = np.array(series["gains"]["ap"][which]).T
        style.seeds_line(axis, shares, table, label=KNOWLEDGE, colour=style.VERMILION, marker="o")
        _points(axis, series, which, arms)
        axis.axhline(0, color=style.GREY, linewidth=0.8)
        axis.set_ylim(_frame([*table, *series["controls"][which].values()]))
        axis.set_xscale("log")
        axis.set_xticks(shares, [f"{share:.0%}" for share in shares])
        axis.minorticks_off()
        axis.set_title(which)
        axis.set_xlabel("share of the training data")
    axes[0, 0].set_ylabel("gain of average precision (points)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=3)
    return Picture(
        fig,
        "What a network that learns with the saliency maps of a first one gains in average "
        "precision over the first, by share of the training data: means and single runs of "
        f"{_basis(verdict)}. At {series['controlled']:.0%} the controls, means with 95 % "
        "intervals, which may leave the frame.",
    )


def controls(verdict: Verdict) -> Picture:
    """Gains of the method and of every control, by set."""
    series = verdict.finding.series
    arms = (KNOWLEDGE, *_controls(series))[::-1]
    fig, axes = style.figure(
        6.6, 0.6 + 0.21 * len(arms), columns=len(series["controls"]), sharey=True
    )
    for axis, (which, known) in zip(axes.flat, series["controls"].items(), strict=True):
        axis.axvline(0, color=style.GREY, linewidth=0.8)
        for place, arm in enumerate(arms):
            colour = style.VERMILION if arm == KNOWLEDGE else style.BLUE
            if arm in known:
                axis.plot(_interval(known[arm]), [place] * 2, color=colour, linewidth=1.1)
                dots = [place] * len(known[arm])
                axis.plot(known[arm], dots, "o", color=colour, alpha=0.3, markersize=2.5)
                axis.plot(np.mean(known[arm]), place, "o", color=colour, markersize=5)
        axis.set_xlim(_frame(list(known.values())))
        axis.set_title(which)
        axis.set_xlabel("gain (points)")
    axes[0, 0].set_yticks(range(len(arms)), arms)
    return Picture(
        fig,
        f"Gain of average precision over the first network at {series['controlled']:.0%} of the "
        "training data. Every arm that hands something over chose its term from two on held-out "
        "pictures; the ensemble costs twice at inference, true masks are an upper bound "
        "and exist for two of the sets. Means, 95 % intervals, which may leave the frame, and "
        f"single runs of {_basis(verdict)}.",
    )


def before_and_after(verdict: Verdict) -> Picture:
    """Saliency maps of tiles before and after training with the prior, and with its controls."""
    sheet = verdict.finding.series["sheet"]
    maps = {BEFORE_AND_AFTER.get(arm, arm): found for arm, found in sheet["maps"].items()}
    found = pictures.contact_sheet(
        verdict, sheet["images"], sheet["masks"], maps, ours=[BEFORE_AND_AFTER[KNOWLEDGE]]
    )
    return Picture(
        found.figure,
        "A test tile of every kind and what the network looks at, the outline being the marked "
        "defect: the first network (before), the second taught by its maps (after), one taught "
        "by another picture's maps, and one taught by the masks. A tenth of the training data; "
        f"each map from its least to its largest value; the first of {_basis(verdict)}.",
    )


def where_it_looks(verdict: Verdict) -> Picture:
    """How much of the maps is where the defects are, and how concentrated they are."""
    looks = verdict.finding.series["looks"]
    groups = {
        title: {arm: (100 * np.array(values)).tolist() for arm, values in looks[score].items()}
        for score, title in LOOKS.items()
    }
    fig = pictures.bars(groups, ours=[KNOWLEDGE])
    return Picture(
        fig,
        "Saliency maps of defective test tiles, of networks trained on a tenth of the data: "
        "relevance within the defect's mask, highest points within it, sparseness, maps without "
        "any relevance, which hit nothing and are not concentrated. Means, 95 % intervals and "
        f"single runs of {_basis(verdict)}.",
    )


def _controls(series: Mapping[str, Any]) -> list[str]:
    """Names of the controls, those of any set, in order."""
    names = dict.fromkeys(arm for of_set in series["controls"].values() for arm in of_set)
    return [name for name in names if name != KNOWLEDGE]


def _points(axis: Any, series: Mapping[str, Any], which: str, arms: list[str]) -> None:
    """The controls side by side around the share at which they were trained."""
    for place, arm in enumerate(arms):
        at = series["controlled"] * 10 ** (ASIDE * (place - (len(arms) - 1) / 2))
        values, colour = series["controls"][which].get(arm), COLOURS[place % len(COLOURS)]
        if values:
            low, high = _interval(values)
            axis.plot([at, at], [low, high], color=colour, linewidth=0.8)
        mean = float(np.mean(values)) if values else np.nan
        marker = pictures.MARKERS[1 + place % (len(pictures.MARKERS) - 1)]
        axis.plot(at, mean, marker, color=colour, markersize=3.5, linestyle="", label=arm)


def _interval(values: list[float]) -> tuple[float, float]:
    """Of the mean; the mean itself where nothing is known of the spread."""
    found = mean_effect(values)
    return found.interval if np.isfinite(found.interval).all() else (found.effect, found.effect)


def _frame(runs: Sequence[Any]) -> tuple[float, float]:
    """Ends of an axis that holds every single run, and zero."""
    known = np.concatenate([[0.0], *(np.ravel(run) for run in runs)])
    room = 0.12 * float(np.ptp(known)) or 1.0
    return float(known.min()) - room, float(known.max()) + room


def _basis(verdict: Verdict) -> str:
    """What a picture rests on, for its caption: runs, budget and kind of data."""
    kind = "real tiles and cells" if "(real)" in verdict.data else "all sets simulated"
    return f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget} ({kind})"
