"""Experiments on the MLP as universal interpreter (claims C2.5 of the notes)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import jax
import numpy as np

from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.interpreter_black_boxes import Case, case
from theory.claims.interpreter_study import Record, budgeted, interpreter, study
from theory.claims.statistics import greater, mean_effect, paired

BAR = 0.97
ROUGH = ("phoneme", "shell")  # a public table, or else a simulated one
ROUGH_SEEDS = 3
ROUGH_ROWS = 6000
ROUGH_SAMPLES = (4000, 16_000, 64_000)
ROUGH_WIDTHS = (8, 32, 128)


def _worst(found: Mapping[str, Record], name: str) -> list[float]:
    """Values by seed of the black box with the smallest mean."""
    return min((record[name] for record in found.values()), key=np.mean)


def _mean(found: Mapping[str, Record], name: str) -> list[float]:
    """The mean over black boxes, by seed."""
    return np.mean([record[name] for record in found.values()], axis=0).tolist()


def _everywhere(found: Mapping[str, Record], ours: str, theirs: str) -> Control:
    """Whether ours is the larger one for the black box on which it is so least."""
    gaps = [paired(record[ours], record[theirs]) for record in found.values()]
    return Control.above("So it is for every single black box", min(gaps, key=lambda g: g.effect))


def universal(lab: Lab) -> Finding:
    """Fidelity of one network architecture to six kinds of black boxes."""
    found = study(lab)
    comparison = mean_effect(_worst(found, "network/jittered"))
    rows = []
    for name, record in found.items():
        rows.append(
            Row.mean(f"{name}: fidelity, held-out rows with jitter", record["network/jittered"])
        )
        rows.append(
            Row.mean(f"{name}: fidelity, held-out rows as they are", record["network/plain"])
        )
    return Finding(
        greater(comparison, BAR),
        comparison,
        BAR,
        "share of equal labels, worst black box",
        tuple(rows),
        note="Held out: a quarter of the rows, which the interpreter never sees, each repeated "
        "with normal jitter of 0.1 standard deviations. The black boxes saw three quarters of all "
        "rows. One setting for all: two hidden layers of 64 ReLU units.",
        series={"fidelity": {name: dict(record) for name, record in found.items()}},
    )


def _against(lab: Lab, rival: str, question: str) -> tuple[Finding, Mapping[str, Record]]:
    found = study(lab)
    ours, theirs = _mean(found, "network/jittered"), _mean(found, f"{rival}/jittered")
    comparison = paired(ours, theirs)
    rows = [
        Row.mean(f"{name}: fidelity of the {rival} surrogate", record[f"{rival}/jittered"])
        for name, record in found.items()
    ]
    plain = paired(_mean(found, "network/plain"), _mean(found, f"{rival}/plain"))
    every = _everywhere(found, "network/jittered", f"{rival}/jittered")
    unit = "fidelity more than the rival's, mean over black boxes"
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        unit,
        tuple(rows),
        (Control.above(question, plain), every),
    ), found


def beats_linear(lab: Lab) -> Finding:
    """The network against a linear classifier of the same samples."""
    return _against(lab, "linear", "So it is on the held-out rows without jitter")[0]


def beats_tree(lab: Lab) -> Finding:
    """The network against a decision tree of as many parameters, grown on the same samples."""
    finding, found = _against(lab, "tree", "So it is on the held-out rows without jitter")
    leaves = [Row.mean(f"{name}: leaves", record["leaves"]) for name, record in found.items()]
    axis = {n: r for n, r in found.items() if n.startswith(("random forest", "boosted"))}
    own = paired(_mean(axis, "network/jittered"), _mean(axis, "tree/jittered"))
    control = Control.above(
        "So it is for forests and boosted trees, whose cuts are a tree's own", own
    )
    return Finding(
        finding.status, finding.comparison, finding.margin, finding.unit,
        (*finding.rows, *leaves), (*finding.controls, control),
        "A split counts two parameters, a leaf one; a tree stops early where its leaves are pure.",
    )  # fmt: skip


def local_fidelity(lab: Lab) -> Finding:
    """R^2 under LIME's kernel: the network as it is there, against a linear fit made there."""
    found = study(lab)
    comparison = paired(_mean(found, "local/network"), _mean(found, "local/linear"))
    rows = []
    for name, record in found.items():
        rows.append(Row.mean(f"{name}: median local R^2, network", record["local/network"]))
        rows.append(Row.mean(f"{name}: median local R^2, linear", record["local/linear"]))
    wins = float(np.mean([
        np.mean(r["local/network"]) > np.mean(r["local/linear"]) for r in found.values()
    ]))  # fmt: skip
    rows.append(Row("share of black boxes on which the network is the closer one", wins))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "local R^2 more than the linear surrogate's, mean over black boxes",
        tuple(rows),
        (_everywhere(found, "local/network", "local/linear"),),
        "The surrogate is fitted in every neighbourhood anew; the network is trained once, "
        "for the whole domain, and all its pieces in the neighbourhood count.",
    )


def stability(lab: Lab) -> Finding:
    """Cosine of explanations from two trainings, against two draws of the linear surrogate."""
    found = study(lab)
    whose = "itself" if lab.fault == "same_network" else "network"
    comparison = paired(_mean(found, f"stability/{whose}"), _mean(found, "stability/linear"))
    rows = []
    for name, record in found.items():
        rows.append(Row.mean(f"{name}: cosine, two networks", record["stability/network"]))
        rows.append(Row.mean(f"{name}: cosine, two linear surrogates", record["stability/linear"]))
    error = float(np.max([record["exactness"] for record in found.values()]))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "cosine more than the linear surrogate's, mean over black boxes",
        tuple(rows),
        (
            Control(
                "An explanation is the network's own margin, to rounding",
                "supported" if error < 1e-9 else "refuted",
                error,
                (error, error),
            ),
        ),
        "Of one trained network the explanation is exact and always the same: cosine 1. Here the "
        "network is trained anew, from another start and other samples.",
    )


def rough(lab: Lab) -> Finding:
    """A random forest on noisy labels; and what more samples and more width bring."""
    table = next(table for table in lab.data.tables if table.name in ROUGH)
    if lab.fault == "clean_labels":
        first = table.x[:, 0]
        table = replace(table, y=(first > np.median(first)).astype(np.int64))
    black_box = case("random forest", table, lab.key, ROUGH_ROWS)
    seeds = range(min(lab.budget.seeds, ROUGH_SEEDS))
    runs = [_rough(lab, black_box, seed) for seed in seeds]
    comparison = mean_effect([max(run["samples"]) for run in runs])
    gained = mean_effect([run["samples"][-1] - run["samples"][0] for run in runs])
    rows = [
        *_by(runs, "samples", [budgeted(lab, n) for n in ROUGH_SAMPLES]),
        *_by(runs, "widths", ROUGH_WIDTHS),
        Row.mean("held-out rows as they are, most samples: fidelity", [r["plain"] for r in runs]),
    ]
    return Finding(
        greater(comparison, BAR),
        comparison,
        BAR,
        "share of equal labels, most samples",
        tuple(rows),
        (Control.above("Fidelity grows with the number of samples", gained),),
        f"Fully grown trees on noisy labels ({table}) have a boundary around every wrong label. "
        "Three seeds at most.",
        {
            "samples": [budgeted(lab, n) for n in ROUGH_SAMPLES],
            "widths": list(ROUGH_WIDTHS),
            "runs": runs,
            "table": table.name,
        },
    )


def _by(runs: list[dict], name: str, amounts: Sequence[int]) -> list[Row]:
    """Mean fidelity for every number of samples, or width."""
    columns = np.transpose([run[name] for run in runs])
    return [
        Row.mean(f"{amount} {name}: fidelity", values)
        for amount, values in zip(amounts, columns, strict=True)
    ]


def _rough(lab: Lab, black_box: Case, seed: int) -> dict:
    """Fidelity over the number of samples at width 64, and over the width at the middle one."""
    key = jax.random.fold_in(lab.key, seed)
    counts = [budgeted(lab, n) for n in ROUGH_SAMPLES]
    by_samples = [interpreter(lab, black_box, key, samples=count) for count in counts]
    by_width = [interpreter(lab, black_box, key, counts[1], (w, w)) for w in ROUGH_WIDTHS]
    return {
        "samples": [story.fidelity for story in by_samples],
        "widths": [story.fidelity for story in by_width],
        "plain": by_samples[-1].data_fidelity,
    }
