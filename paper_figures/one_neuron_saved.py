"""Figures of "One Neuron Saved", drawn from its claims' verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import barron_pictures, image_pictures, style
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "One Neuron Saved: what a quadratic neuron is worth"
LOOKS = {"quadratic": (style.VERMILION, "o"), "conventional": (style.BLUE, "s")}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "spheres": ("spheres", accuracy_by_parameters),
        "targets": ("targets", error_by_parameters),
        "clusters": ("task_dependent", accuracy_by_parameters),
        "monte-carlo": ("dimension_free_rate", barron_pictures.monte_carlo),
        "norm-growth": ("norm_growth", barron_pictures.norm_growth),
        "curved-kink": ("curved_kink", barron_pictures.curved_kink),
        "masks": ("segmentation", image_pictures.masks),
        "dice": ("segmentation", image_pictures.dice_by_parameters),
        "small-images": ("small_images", image_pictures.accuracy_bars),
        "scale-sweep": ("scale_sweep", image_pictures.scale_curve),
        "divergence": ("relinear_converges_without_norm", image_pictures.divergence_bars),
    }
    return style.drawn(drawers, evidence)


def accuracy_by_parameters(verdict: Verdict) -> Picture:
    """Test accuracy over the number of parameters, a panel per task."""
    series = verdict.finding.series
    sizes = series["sizes"]
    single = len(series["curves"]) == 1
    fig, axes = style.figure(3.4 if single else 6.3, 2.6, columns=len(sizes), sharey=True)
    panels = zip(axes[0], series["curves"].items(), sizes.items(), strict=True)
    for panel, (task, curves), (dimension, parameters) in panels:
        _curves(panel, curves, parameters, scale=100.0)
        name = f"{dimension} dimensions" if not single else task
        panel.set(xscale="log", xlabel="parameters", title=name)
    axes[0, 0].set_ylabel("test accuracy (%)")
    axes[0, -1].legend(loc="lower right")
    return Picture(
        fig,
        f"Accuracy of networks with one hidden layer of {_widths(verdict)}: means and single runs "
        f"of {verdict.finding.comparison.seeds} seeds at budget {verdict.budget}.",
    )


def error_by_parameters(verdict: Verdict) -> Picture:
    """Relative error over the number of parameters, a panel per target."""
    series = verdict.finding.series
    parameters = series["sizes"]["10"]
    fig, axes = style.figure(6.3, 2.6, columns=len(series["curves"]), sharey=True)
    for panel, (target, curves) in zip(axes[0], series["curves"].items(), strict=True):
        _curves(panel, curves, parameters)
        panel.set(xscale="log", yscale="log", xlabel="parameters", title=target)
    axes[0, 0].set_ylabel("relative error")
    axes[0, 0].legend(loc="lower left")
    return Picture(
        fig,
        "Root mean square error, over the target's standard deviation, in ten dimensions: one "
        f"hidden layer of {_widths(verdict)}; means and single runs of "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}.",
    )


def _curves(
    axes: Axes, curves: Mapping[str, Any], parameters: Mapping[str, Sequence[int]], scale: float = 1
) -> None:
    for kind, (colour, marker) in LOOKS.items():
        runs = scale * np.transpose(curves[kind])
        style.seeds_line(axes, parameters[kind], runs, label=kind, colour=colour, marker=marker)


def _widths(verdict: Verdict) -> str:
    """How many widths of either kind the curves have."""
    curves = next(iter(verdict.finding.series["curves"].values()))
    return " and ".join(f"{len(curves[kind])} widths of {kind} neurons" for kind in LOOKS)
