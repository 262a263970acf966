"""Figures of the Qttention paper, drawn from its claims' verdicts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict, mean_effect

TITLE = "Qttention: quadratic networks for bearing faults"
LOOKS = {
    "QCNN": (style.VERMILION, "o"),
    "WDCNN": (style.BLUE, "s"),
    "wide WDCNN": (style.SKY, "^"),
    "slim QCNN": (style.ORANGE, "v"),
}


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "f1-by-noise": ("gap_closes", f1_by_noise),
        "parameters": ("not_the_parameters", parameters_against_f1),
        "level": ("beats_level", level_alone),
        "maps": ("maps_show_impacts", maps_over_signals),
        "spectra": ("maps_show_impacts", spectra),
    }
    return style.drawn(drawers, evidence)


def f1_by_noise(verdict: Verdict) -> Picture:
    """Macro-F1 of QCNN and WDCNN over the signal-to-noise ratio."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    for number, (model, runs) in enumerate(series["f1"].items()):
        beside = [level + 0.15 * number for level in series["snr_db"]]
        _with_intervals(axes[0, 0], beside, runs, model)
    for model, printed in series["published"].items():
        style.published(axes[0, 0], series["snr_db"], printed, LOOKS[model][0])
    axes[0, 0].set(
        xlabel="signal-to-noise ratio (dB)", ylabel="macro-F1 (%)", xticks=series["snr_db"]
    )
    _legend_once(axes[0, 0])
    return Picture(
        fig,
        f"Macro-F1 against noise on {verdict.data}: means, 95 % intervals and single runs of "
        f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}, beside the paper's "
        "numbers on CWRU.",
    )


def parameters_against_f1(verdict: Verdict) -> Picture:
    """Macro-F1 at -6 dB of four networks over their number of parameters."""
    series = verdict.finding.series
    fig, axes = style.figure(4.2, 2.8)
    for number, (model, runs) in enumerate(series["f1"].items()):
        thousands = series["parameters"][model] / 1e3
        _with_intervals(axes[0, 0], [thousands + number], [runs], model)
    axes[0, 0].set(xlabel="parameters (thousands)", ylabel="macro-F1 at -6 dB (%)", xlim=(0, 175))
    axes[0, 0].legend()
    return Picture(
        fig,
        f"What parameters buy, on {verdict.data}: the quadratic networks (QCNN, slim QCNN) beside "
        "conventional ones, of which the wide WDCNN has as many parameters as QCNN.",
    )


def level_alone(verdict: Verdict) -> Picture:
    """What a window's standard deviation alone achieves under the paper's protocol."""
    rows = verdict.finding.rows
    fig, axes = style.figure(5.2, 2.2)
    places = np.arange(len(rows))[::-1]
    for place, row in zip(places, rows, strict=True):
        low, high = np.clip(row.interval or (row.ours, row.ours), 0, 100)
        colour = style.INK if "alone" in row.label else style.BLUE
        axes[0, 0].plot([low, high], [place, place], color=colour, linewidth=1)
        axes[0, 0].plot(row.ours, place, "o", color=colour)
    labels = [row.label.removesuffix(", %") for row in rows]
    axes[0, 0].set(xlabel="macro-F1 at -6 dB (%)", yticks=places, yticklabels=labels, xlim=(0, 101))
    return Picture(
        fig,
        f"The level of a window tells the classes apart, on {verdict.data}: a classifier that sees "
        "one number per window beside the networks, and the networks without that number.",
    )


def maps_over_signals(verdict: Verdict) -> Picture:
    """A noisy window and its first two maps, with the fault's periods marked."""
    examples = verdict.finding.series["examples"]
    fig, axes = style.figure(6.3, 4.6, rows=3, columns=len(examples), sharex=True)
    for column, example in enumerate(examples):
        signal = np.asarray(example["signal"])
        seconds = 1e3 * np.arange(signal.size) / example["rate"]
        curves = (signal, *(np.asarray(layer) for layer in example["maps"]))
        titles = (f"{example['class']}: signal", "map of layer 1", "map of layer 2")
        for row, (curve, title) in enumerate(zip(curves, titles, strict=True)):
            _mark_periods(axes[row, column], example, curve, seconds)
            axes[row, column].plot(
                seconds, curve, color=style.BLUE if row else style.INK, linewidth=0.4
            )
            axes[row, column].set_title(title)
            axes[row, column].set_yticks([])
        axes[2, column].set(xlabel="time (ms)", xlim=(0, 60))
    return Picture(
        fig,
        f"Noisy windows at -6 dB ({verdict.data}) and their qttention maps, for the largest fault "
        "of each kind; vertical lines are one fault period apart, shifted to fit the first map "
        "best. The window shown scores at the median of its class.",
    )


def spectra(verdict: Verdict) -> Picture:
    """Envelope spectrum of the noisy signal beside the spectrum of its first map."""
    examples = verdict.finding.series["examples"]
    fig, axes = style.figure(6.3, 3.2, rows=2, columns=len(examples), sharex="col")
    for column, example in enumerate(examples):
        lines = np.asarray(example["signal_spectrum"])
        hertz = np.arange(lines.size) * example["rate"] / len(example["signal"])
        pairs = ((lines, "signal's envelope"), (example["map_spectra"][0], "map of layer 1"))
        for row, (amplitude, title) in enumerate(pairs):
            for harmonic in (1, 2, 3):
                axes[row, column].axvline(
                    harmonic * example["fault_hz"], color=style.VERMILION, linewidth=0.7, alpha=0.6
                )
            axes[row, column].plot(hertz, amplitude, color=style.INK, linewidth=0.8)
            axes[row, column].set_title(f"{example['class']}: {title}" if row == 0 else title)
            axes[row, column].set_yticks([])
        axes[1, column].set_xlabel("frequency (Hz)")
    return Picture(
        fig,
        f"Spectra of the same windows ({verdict.data}); the lines mark the fault frequency and two "
        "harmonics.",
    )


def _with_intervals(axes: Axes, x: Any, runs: Any, model: str) -> None:
    """Mean, single runs and 95 % interval; `runs` is `(points, seeds)`."""
    colour, marker = LOOKS[model]
    style.seeds_line(axes, x, np.transpose(runs), label=model, colour=colour, marker=marker)
    for place, values in zip(x, runs, strict=True):
        low, high = np.clip(mean_effect(values).interval, 0, 100)
        axes.plot([place, place], [low, high], color=colour, linewidth=0.9)


def _legend_once(axes: Axes) -> None:
    """One entry per label: the paper's numbers appear once for each model."""
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    axes.legend(unique.values(), unique.keys(), loc="lower right")


def _mark_periods(
    axes: Axes, example: Mapping[str, Any], curve: np.ndarray, seconds: np.ndarray
) -> None:
    """Vertical lines one fault period apart, in phase with the first map's mean."""
    first = np.asarray(example["maps"][0])
    turns = np.arange(first.size) * example["fault_hz"] / example["rate"]
    phase = np.angle(np.sum(first * np.exp(-2j * np.pi * turns))) / (2 * np.pi)
    period = 1e3 / example["fault_hz"]
    for strike in np.arange(-phase * period, seconds[-1], period):
        axes.axvline(strike, color=style.VERMILION, linewidth=0.5, alpha=0.5)
