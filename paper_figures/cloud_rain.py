"""Figures on Cloud-RAIN: accuracy in mirrors, eigen-gaps, chirality, clouds with their frames."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.cloud_pictures import clouds_with_frames
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "Cloud-RAIN: point clouds in the mirror"
LOOKS = {
    "plain": ("PointNet", style.GREY, "s"),
    "flips": ("with axis flips", style.SKY, "v"),
    "rotations": ("with rotations", style.GREEN, "^"),
    "mirrors": ("with mirrors", style.BLUE, "D"),
    "RAIN": ("Cloud-RAIN", style.VERMILION, "o"),
    "frames": ("frame average", style.PURPLE, "P"),
}
SETS = {
    "beats_augmentation": "drawn shapes",
    "beats_augmentation_modelnet10": "ModelNet10",
    "beats_augmentation_mnist_points": "MNIST points",
}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "mirror-angle": ("drop_of_baseline", by_angle),
        "eigen-gap": ("degenerate_axes", by_gap),
        "chiral-pairs": ("hands_kept", confusions),
        "clouds-and-frames": ("invariance", clouds_with_frames),
    }
    found = style.drawn(drawers, evidence)
    sets = {name: evidence[name] for name in SETS if name in evidence}
    return found | ({"in-mirrors": in_mirrors(sets)} if sets else {})


def by_angle(verdict: Verdict) -> Picture:
    """Accuracy over the angle of the mirror."""
    series = verdict.finding.series
    fig, axes = style.figure(4.6, 2.8)
    for name, runs in series["by_angle"].items():
        label, colour, marker = LOOKS[name]
        style.seeds_line(
            axes[0, 0], series["angles"], runs, label=label, colour=colour, marker=marker
        )
    axes[0, 0].set(
        xlabel="angle between the mirror's normal and left-right (degrees)",
        ylabel="accuracy (%)",
        xticks=series["angles"],
        ylim=(0, 104),
    )
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return Picture(
        fig,
        "Accuracy on drawn shapes seen in a mirror that turns from left-right (0 degrees, which "
        "most upright shapes survive) to up-down (90 degrees): means and single runs of "
        f"{_seeds(verdict)}. Networks of equally many parameters.",
    )


def by_gap(verdict: Verdict) -> Picture:
    """Largest change of a logit over the relative eigen-gap, with and without the fallback."""
    series = verdict.finding.series
    fig, axes = style.figure(4.6, 2.8)
    looks = {
        "none": ("principal axes", style.VERMILION, "o"),
        "fallback": ("axes from points under 0.001", style.BLUE, "s"),
    }
    for kind, (label, colour, marker) in looks.items():
        style.seeds_line(
            axes[0, 0], series["spreads"], series["changes"][kind],
            label=label, colour=colour, marker=marker,
        )  # fmt: skip
    axes[0, 0].axhline(1e-4, color=style.INK, linestyle=":", linewidth=0.8)
    axes[0, 0].set(
        xlabel="relative gap of two variances",
        ylabel="largest change of a logit",
        xscale="log",
        yscale="log",
    )
    axes[0, 0].legend()
    return Picture(
        fig,
        "How far Cloud-RAIN's network is from invariant when two variances of a cloud nearly "
        "agree: the largest change of a logit over clouds turned by O(3), in float32 with axes "
        f"from a float64 covariance; means and single runs of {_seeds(verdict)}. Dotted: the "
        "tolerance of 0.0001. At a gap of exactly 0.001 rounding decides between the two kinds of "
        "axes, and the choice jumps.",
    )


def confusions(verdict: Verdict) -> Picture:
    """Confusion of left and right, for averages over O(3) and over SO(3)."""
    series = verdict.finding.series
    names = [name.replace("_", " ") for name in series["classes"]]
    fig, axes = style.figure(6.3, 3.0, columns=2, sharey=True)
    titles = {"frames": "frames of O(3)", "proper frames": "frames of SO(3)"}
    for panel, (kind, title) in zip(axes.flat, titles.items(), strict=True):
        table = np.array(series["confusion"][kind], dtype=float)
        _matrix(panel, 100 * table / table.sum(axis=1, keepdims=True), names)
        panel.set_title(title)
    axes[0, 0].set_ylabel("true class")
    fig.supxlabel("label given", fontsize=8)
    return Picture(
        fig,
        "Labels given to shapes and their mirror twins, in percent of the true class. An average "
        "over all frames of O(3) cannot tell left from right; over the frames of SO(3) it can. "
        f"Test clouds turned at random, {_seeds(verdict)}.",
    )


def _matrix(axes: Axes, percent: np.ndarray, names: Sequence[str]) -> None:
    axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for (row, column), value in np.ndenumerate(percent):
        if round(value):
            colour = "white" if value > 55 else style.INK
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour, size=7)
    places = range(len(names))
    axes.set_xticks(places, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.grid(visible=False)


def in_mirrors(sets: Mapping[str, Verdict]) -> Picture:
    """Accuracy in oblique mirrors by set and network."""
    fig, axes = style.figure(6.3, 2.5, columns=len(sets), sharey=True)
    for panel, (name, verdict) in zip(axes.flat, sets.items(), strict=True):
        _arms(panel, verdict.finding.series["reflected"])
        data = "" if "(real)" in verdict.data else " (simulated)"
        panel.set_title(SETS[name] + (data if name != "beats_augmentation" else ""))
    axes[0, 0].set(ylabel="accuracy in mirrors (%)", ylim=(0, 104))
    first = next(iter(sets.values()))
    return Picture(
        fig,
        "Accuracy on test clouds, each in a mirror of random direction: large marks are means, "
        f"small ones {_seeds(first)}. PointNets of equally many parameters: trained on clouds as "
        "they are, with augmentation, and invariant by construction.",
    )


def _arms(axes: Axes, reflected: Mapping[str, Any]) -> None:
    names = [name for name in LOOKS if name in reflected]
    for place, name in enumerate(names):
        _, colour, marker = LOOKS[name]
        runs = reflected[name]
        axes.plot([place] * len(runs), runs, marker, color=colour, alpha=0.4, markersize=3)
        axes.plot(place, np.mean(runs), marker, color=colour, markersize=7)
    labels = [LOOKS[name][0] for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.6, len(names) - 0.4)


def _seeds(verdict: Verdict) -> str:
    return f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}"
