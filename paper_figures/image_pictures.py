"""Figures of the image claims: masks beside predictions, the sweep of the scale, diverged runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict, mean_effect

COLOURS = {
    "QUNet": style.VERMILION,
    "UNet": style.BLUE,
    "slim UNet": style.SKY,
    "QResNet-20": style.VERMILION,
    "ResNet-20": style.BLUE,
    "wide ResNet-20": style.SKY,
}
MARKERS = {"QUNet": "o", "UNet": "s", "slim UNet": "^"}
ARMS = {"common": ("common start and rate", style.BLUE), "relinear": ("ReLinear", style.VERMILION)}


def masks(verdict: Verdict) -> Picture:
    """Test tiles, their marked defects, and what every network finds."""
    examples = verdict.finding.series["examples"]
    first = next(iter(examples.values()))
    columns = ("tile", "marked", *examples)
    fig, axes = style.figure(
        6.3, 1.25 * max(1, len(first)) + 0.2, rows=max(1, len(first)), columns=len(columns)
    )
    for row in range(len(first)):
        of_tile = [found[row] for found in examples.values()]
        shown = [of_tile[0]["tile"], of_tile[0]["mask"], *(one["predicted"] for one in of_tile)]
        for column, pixels in enumerate(shown):
            _pixels(axes[row, column], pixels, 255 if column == 0 else 1)
    for axis, title in zip(axes[0], columns, strict=True):
        axis.set_title(title)
    return Picture(
        fig,
        f"Test tiles with defects of growing size ({verdict.data}), their masks, and the masks "
        f"that the networks of the first seed predict at budget {verdict.budget}.",
    )


def dice_by_parameters(verdict: Verdict) -> Picture:
    """Dice score over the number of parameters."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    for model, values in series["dice"].items():
        # The equal-size pair would lie on one spot.
        thousands = series["parameters"][model] / 1e3 * (1.06 if model == "slim UNet" else 1)
        _mean_with_interval(axes[0, 0], thousands, values, model, MARKERS[model])
    axes[0, 0].set(xlabel="parameters (thousands)", ylabel="Dice on test tiles (%)")
    axes[0, 0].set_xlim(left=0)
    axes[0, 0].legend(loc="lower right")
    return Picture(
        fig,
        f"Dice score against size on {verdict.data}: means, 95 % intervals and single runs of "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}. The slim UNet has "
        "QUNet's shape and size; its marks are moved 6 % to the right.",
    )


def scale_curve(verdict: Verdict) -> Picture:
    """Test accuracy of QResNet-20 over the quadratic part's share of the learning rate."""
    series = verdict.finding.series
    values = np.array([series["accuracy"][f"{scale:g}"] for scale in series["scales"]])
    places = np.arange(len(values))
    fig, axes = style.figure(4.2, 2.8)
    style.seeds_line(
        axes[0, 0], places.tolist(), values.T, label="QResNet-20", colour=style.VERMILION
    )
    for place, found in zip(places, values, strict=True):
        low, high = np.clip(mean_effect(found).interval, 0, 100)
        axes[0, 0].plot([place, place], [low, high], color=style.VERMILION, linewidth=0.9)
    axes[0, 0].axhline(
        values[0].mean(), color=style.GREY, linewidth=0.8, linestyle="--", label="mean at scale 0"
    )
    axes[0, 0].set(
        xlabel="scale of the quadratic part's learning rate",
        ylabel="test accuracy (%)",
        xticks=places,
        xticklabels=[f"{scale:g}" for scale in series["scales"]],
    )
    axes[0, 0].legend(loc="best")
    return Picture(
        fig,
        f"Accuracy of QResNet-20 on {verdict.data} over the scale; at 0 it is the conventional "
        f"network. Means, 95 % intervals and single runs of {verdict.finding.comparison.seeds} "
        f"seeds at budget {verdict.budget}.",
    )


def accuracy_bars(verdict: Verdict) -> Picture:
    """Test accuracy of QResNet-20, ResNet-20 and the widened ResNet-20."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.4)
    for place, (model, values) in enumerate(series["accuracy"].items()):
        _bar(axes[0, 0], place, values, COLOURS[model])
    labels = [
        f"{model}\n{series['parameters'][model]:,} parameters" for model in series["accuracy"]
    ]
    axes[0, 0].set(
        ylabel="test accuracy (%)", xticks=range(len(labels)), xticklabels=labels, ylim=(0, 100)
    )
    axes[0, 0].grid(visible=False, axis="x")
    return Picture(
        fig,
        f"Test accuracy at equal depth and at equal parameters on {verdict.data}: means, 95 % "
        f"intervals and single runs of {verdict.finding.comparison.seeds} seeds at budget "
        f"{verdict.budget}.",
    )


def divergence_bars(verdict: Verdict) -> Picture:
    """Share of diverged runs by depth and start."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.4)
    depths = list(series["diverged"])
    for side, (arm, (label, colour)) in enumerate(ARMS.items()):
        for number, depth in enumerate(depths):
            share = float(np.mean(series["diverged"][depth][arm]))
            place = number + 0.36 * (side - 0.5)
            bar = axes[0, 0].bar(
                place, share, 0.34, color=colour, label=label if not number else ""
            )
            axes[0, 0].bar_label(bar, [f"{share:.0f} %"], fontsize=7.5, padding=2)
    axes[0, 0].set(
        ylabel="diverged runs (%)",
        xticks=range(len(depths)),
        xticklabels=[f"depth {depth}" for depth in depths],
        ylim=(0, 115),
        yticks=range(0, 101, 25),
    )
    axes[0, 0].grid(visible=False, axis="x")
    axes[0, 0].legend(loc="upper left", ncols=2)
    with_norm = "with" if series["norm"] else "without"
    return Picture(
        fig,
        f"Runs that diverge in their first steps, of {series['runs']} each: quadratic residual "
        f"networks {with_norm} batch normalisation on {verdict.data}, budget {verdict.budget}.",
    )


def _pixels(axes: Axes, pixels: Any, brightest: int) -> None:
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=brightest, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)


def _mean_with_interval(axes: Axes, x: float, values: Any, model: str, marker: str) -> None:
    colour = COLOURS[model]
    runs = np.reshape(values, (-1, 1))
    style.seeds_line(axes, [x], runs, label=model, colour=colour, marker=marker)
    low, high = np.clip(mean_effect(values).interval, 0, 100)
    axes.plot([x, x], [low, high], color=colour, linewidth=0.9)


def _bar(axes: Axes, place: float, values: Any, colour: str) -> None:
    low, high = np.clip(mean_effect(values).interval, 0, 100)
    axes.bar(place, float(np.mean(values)), 0.6, color=colour, alpha=0.75)
    axes.plot([place, place], [low, high], color=style.INK, linewidth=0.9)
    axes.plot([place] * len(values), values, "o", color=style.INK, alpha=0.4, markersize=2.5)


DRAWERS: Mapping[str, tuple[Any, ...]] = {
    "segmentation": (masks, dice_by_parameters),
    "small_images": (accuracy_bars,),
    "scale_sweep": (scale_curve,),
    "relinear_converges": (divergence_bars,),
    "relinear_converges_without_norm": (divergence_bars,),
}
