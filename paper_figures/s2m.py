"""Figures on S2M: wrong captions, ablations, retrieval, change maps."""

from collections.abc import Mapping

import numpy as np

from paper_figures import change_pictures, style
from paper_figures import map_pictures as pictures
from paper_figures.style import Picture
from theory.claims import Verdict

TITLE = "S2M: masks can talk"
OURS, TWIN = "S2M", "vision"
ABLATIONS = ("each_slot_matters", "both_directions_win", "two_stages_win")


def draw(evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """All figures whose claims are at hand."""
    drawers: style.Drawers = {
        "sek-and-caption-noise": ("noise_lowers_sek", noise),
        "text-against-twin": ("beats_vision_twin", twins),
        "retrieval-recall": ("retrieval_rises", retrieval),
    }
    found = style.drawn(drawers, evidence)
    ablated = {name: evidence[name] for name in ABLATIONS if name in evidence}
    if ablated:
        found["ablations"] = ablations(ablated)
    verdict = evidence.get("beats_vision_twin")
    if verdict is not None and verdict.finding.series.get("examples"):
        found["change-maps"] = maps(verdict)
    verdict = evidence.get("text_is_free")
    if verdict is not None and verdict.finding.series.get("told"):
        found["told-pairs"] = told(verdict)
    return found


def told(verdict: Verdict) -> Picture:
    """Real pairs and what their masks say."""
    return Picture(
        change_pictures.told_pairs(verdict.finding.series["told"]),
        "Real pairs of SECOND: both dates, their label maps, and the sentences that follow from "
        "the label maps alone. Regions of less than 32 pixels are not told.",
    )


def noise(verdict: Verdict) -> Picture:
    """SeK against the share of wrong captions, as it is and less that of the twin."""
    series = verdict.finding.series
    fig, axes = style.figure(6.3, 2.6, columns=2)
    shares = [100 * share for share in series["shares"]]
    sek, twin = np.array(series["sek"]), np.array(series["vision"])
    for axis, runs in zip(axes[0], (sek, sek - twin[:, None]), strict=True):
        style.seeds_line(axis, shares, runs, label=OURS, colour=style.VERMILION)
        axis.set(xlabel="wrong captions (%)", xticks=shares)
    left, right = axes[0]
    left.axhline(twin.mean(), color=style.BLUE, linestyle="--", label="vision-only twin, mean")
    right.axhline(0, color=style.BLUE, linestyle="--")
    left.set_ylabel("SeK (%)")
    right.set_ylabel("SeK less the twin's (points)")
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return Picture(
        fig,
        "Left: SeK on test tiles against the share of training captions that were replaced by "
        "others of the vocabulary, beside the same network without any text. Right: the same, "
        f"paired by seed. Means and single runs of {_runs(verdict)}.",
    )


def twins(verdict: Verdict) -> Picture:
    """SeK and F_scd of S2M, its twins, and where they begin."""
    fig = pictures.bars(verdict.finding.series["arms"], ours=[OURS], signed=True)
    return Picture(
        fig,
        "SeK and F_scd on test tiles. Stage 1 is where all others begin; vision: the twin without "
        "text; no contrast: with the bank of sentences, but without the contrastive loss. Means, "
        f"95 % intervals and single runs of {_runs(verdict)}.",
    )


def retrieval(verdict: Verdict) -> Picture:
    """Recall at 1 before and after the second stage."""
    series = verdict.finding.series
    groups = {name: runs for name, runs in series.items() if name != "chance"}
    fig = pictures.bars(groups, ours=["after stage 2"])
    chance = float(np.mean(series["chance"]))
    fig.axes[0].axhline(chance, color=style.INK, linestyle="--", linewidth=0.9)
    return Picture(
        fig,
        "How often the region nearest to a sentence is one that it is true of, and the other way "
        "round, on the regions of all test tiles; dashed: a region taken at random. Means, 95 % "
        f"intervals and single runs of {_runs(verdict)}.",
    )


def ablations(verdicts: Mapping[str, Verdict]) -> Picture:
    """Differences in SeK to S2M, seed by seed, of all that was taken from it."""
    runs: dict[str, np.ndarray] = {}
    for verdict in verdicts.values():
        table = verdict.finding.series["SeK (%)"]
        whole = np.array(table[OURS])
        runs |= {arm: np.array(v) - whole for arm, v in table.items() if arm != OURS}
    differences = {name: values.tolist() for name, values in runs.items()}
    fig = pictures.bars({"SeK less that of S2M (points)": differences}, signed=True)
    return Picture(
        fig,
        "What leaving something out does to SeK: below the line S2M does better with it. All "
        "arms have as many steps. Means, 95 % intervals and single runs of "
        f"{_runs(next(iter(verdicts.values())))}.",
    )


def maps(verdict: Verdict) -> Picture:
    """Change maps of test tiles, errors by colour."""
    fig = change_pictures.change_maps(verdict.finding.series["examples"], ours=[OURS])
    return Picture(
        fig,
        "Test tiles of the first seed: both dates, their labels, and what the vision-only twin and "
        "S2M make of them, errors by colour; the first tiles of which enough changed, whatever the "
        f"networks make of them. One run of {_runs(verdict)}.",
    )


def _runs(verdict: Verdict) -> str:
    return f"{change_pictures.data_of(verdict)} (drawn pairs)"
