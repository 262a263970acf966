"""Heterogeneous autoencoders against homogeneous ones, wide ones, baselines and no training."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from neurons.data import FIRST_TABLE, PAPER_SETS
from theory.claims import heterogeneous_autoencoder_tables as paper
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.heterogeneous_autoencoder_comparisons import (
    AE,
    HETEROGENEOUS,
    QAE,
    Contrast,
    Method,
    Replicate,
    all_of,
    auc,
    cells,
    contrast,
    contrast_rows,
    flagged,
    heat_map,
    ordered,
    over_seeds,
    printed_contrasts,
    rank_series,
    sets,
)
from theory.claims.heterogeneous_autoencoder_study import (
    DETECTORS,
    FORMS,
    WIDE,
    Kind,
    outcome,
)
from theory.claims.outlier_scores import Average
from theory.claims.statistics import greater, mean_effect, same

HAE_X = HETEROGENEOUS[0]
ALL_SETS = tuple(PAPER_SETS.values())
OURS_TO_PAPER = {ours: printed for printed, ours in PAPER_SETS.items()}
GAINS = ("pima", "optdigits")  # the largest in the README's table
EXAMPLE = "wbc"  # thirty inputs: few enough to be drawn
AVERAGING_MARGIN = paper.BEARING["HAE-X"][3] - paper.BEARING["AE"][3]
BEST_MARGIN = 0.01
AVERAGES: tuple[Average, ...] = ("macro", "binary")


def first_printed(method: str, name: str) -> float | None:
    """A cell of the README's table, by our names of sets."""
    return paper.printed(paper.FIRST, paper.FIRST_SETS, method, name)


def fifteen_printed(method: str, name: str) -> float | None:
    """A cell of the supplement's table IV, by our names of sets."""
    printed = OURS_TO_PAPER.get(name, name)
    return paper.printed(paper.FIFTEEN, paper.FIFTEEN_SETS, method, printed)


def beats_plain(lab: Lab) -> Finding:
    """HAE-X, -Y and -I against AE and QAE on the eight sets of the first table, over sets."""
    return _plain(lab, "tables")


def beats_plain_here(lab: Lab) -> Finding:
    """The same, over seeds: what holds on these eight sets, of others nothing is said."""
    return _plain(lab, "seeds")


def _plain(lab: Lab, over: Replicate) -> Finding:
    names, methods = sets(lab, FIRST_TABLE), (*HETEROGENEOUS, AE, QAE)
    contrasts = [contrast(lab, one, other, names) for one in HETEROGENEOUS for other in (AE, QAE)]
    rows = cells(lab, methods, names, first_printed)
    rows += contrast_rows(contrasts, printed_contrasts(contrasts, names, first_printed))
    rows += _by_table(contrasts[::2], names)
    example = EXAMPLE if EXAMPLE in names else names[0]
    series = {
        "auc": heat_map(lab, methods, names, first_printed),
        "rows": {"set": example, "method": "HAE-X", **_example(lab, example)},
    }
    note = (
        "Published means are those of the printed cells; the printed averages differ, see "
        "printed_averages_as_stated."
    )
    return ordered(contrasts, rows, series, note=note, over=over)


def _example(lab: Lab, name: str) -> dict[str, object]:
    found: dict[str, object] = outcome(lab, HAE_X, name)["example"]
    return {**found, "columns": lab.data[name].x.shape[1]}


def _by_table(contrasts: Sequence[Contrast], names: Sequence[str]) -> list[Row]:
    """Every contrast on every set, with its interval over seeds."""
    rows = []
    for place, name in enumerate(names):
        for one in contrasts:
            printed = printed_contrasts([one], [name], first_printed).get(one.label)
            label = f"{name}, {one.label}: AUC"
            rows.append(Row.mean(label, one.by_table[place], printed))
    return rows


def largest_gains(lab: Lab) -> Finding:
    """HAE-X minus AE on the two sets where the paper gains most, each judged over seeds."""
    names = sets(lab, GAINS)
    gains = {name: auc(lab, HAE_X, name) - auc(lab, AE, name) for name in names}
    comparisons = [mean_effect(values) for values in gains.values()]
    worst = min(comparisons, key=lambda one: one.effect)
    rows = cells(lab, (HAE_X, AE), names, first_printed)
    rows += _by_table([contrast(lab, HAE_X, AE, names)], names)
    return Finding(
        all_of([greater(one) for one in comparisons]),
        worst,
        0.0,
        "AUC, HAE-X - AE, the smaller of two sets",
        tuple(rows),
        note="Seeds draw split, start, order and dropout anew: intervals hold for each set alone.",
        series={"gains": {name: values.tolist() for name, values in gains.items()}},
    )


def twins_ordered(lab: Lab) -> Finding:
    """HAE-X above QAE-X above AE-X: one architecture, three choices of neurons."""
    names = sets(lab, ALL_SETS)
    methods = (HAE_X, Kind("QAE-X"), Kind("AE-X"))
    contrasts = [contrast(lab, *pair, names) for pair in pairwise(methods)]
    return _architectures(lab, methods, contrasts, names)


def twins_beaten(lab: Lab) -> Finding:
    """Every heterogeneous architecture against all its homogeneous and exchanged twins."""
    names = sets(lab, FIRST_TABLE)
    twins = (("QAE-X", "AE-X"), ("QAE-Y", "AE-Y", "HAE-Yc"), ("HAE-Ic",))
    pairs = [
        (one, Kind(other)) for one, of in zip(HETEROGENEOUS, twins, strict=True) for other in of
    ]
    contrasts = [contrast(lab, *pair, names) for pair in pairs]
    methods = list(dict.fromkeys(method for pair in pairs for method in pair))
    return _architectures(lab, methods, contrasts, names)


def _architectures(
    lab: Lab, methods: Sequence[Kind], contrasts: Sequence[Contrast], names: Sequence[str]
) -> Finding:
    rows = cells(lab, methods, names, fifteen_printed)
    rows += contrast_rows(contrasts, printed_contrasts(contrasts, names, fifteen_printed))
    complete = len(names) == len(ALL_SETS)
    for method in methods:
        values = [flagged(lab, method, name, "macro")[:, 0] for name in names]
        printed = paper.PRECISION[str(method)] if complete else None
        label = f"mean of {len(names)} sets, {method}: macro precision (published: of 15 sets)"
        rows.append(Row.mean(label, np.mean(values, axis=0), printed))
    return ordered(contrasts, rows, {"auc": heat_map(lab, methods, names, fifteen_printed)})


def forms_ordered(lab: Lab) -> Finding:
    """HAE-X with the standard quadratic neuron, with its linear and power parts, its product."""
    names = sets(lab, [PAPER_SETS[name] for name in paper.FORM_SETS])
    methods = [HAE_X._replace(form=form) for form in FORMS]
    contrasts = [contrast(lab, *pair, names) for pair in pairwise(methods)]
    rows = cells(lab, methods, names, _not_printed)
    for form, average in paper.FORMS["HAE-X"].items():
        values = np.mean([auc(lab, HAE_X._replace(form=form), name) for name in names], axis=0)
        label = f"{form}: mean AUC (published: with XJTU-SY, which we have not)"
        rows.append(Row.mean(label, values, average))
    shown = heat_map(lab, methods, names, _not_printed)
    return ordered(contrasts, [*rows, *contrast_rows(contrasts)], {"auc": shown})


def _not_printed(method: str, name: str) -> None:
    """The paper prints no cell of this table."""


def beats_wide(lab: Lab) -> Finding:
    """HAE-X against an autoencoder with at least as many parameters and the same bottleneck."""
    names = sets(lab, FIRST_TABLE)
    sizes = [
        Row(f"{name}, {method}: parameters", float(outcome(lab, method, name)["parameters"]))
        for name in names
        for method in (HAE_X, WIDE)
    ]
    return _single(lab, HAE_X, WIDE, names, (AE,), sizes)


def correction_helps(lab: Lab) -> Finding:
    """HAE-X without sigmoid and dropout on its output against HAE-X as published."""
    return _single(lab, HAE_X._replace(corrected=True), HAE_X, sets(lab, FIRST_TABLE), (), [])


def _single(
    lab: Lab,
    better: Kind,
    worse: Kind,
    names: Sequence[str],
    beside: Sequence[Method],
    more: Sequence[Row],
) -> Finding:
    one, methods = contrast(lab, better, worse, names), (better, worse, *beside)
    rows = cells(lab, methods, names, first_printed)
    rows += [*contrast_rows([one]), *_by_table([one], names), *more]
    return ordered([one], rows, {"auc": heat_map(lab, methods, names, first_printed)})


def beats_baselines(lab: Lab) -> Finding:
    """HAE-X against Isolation Forest, LOF, one-class SVM and PCA; ranks of all methods."""
    names = sets(lab, ALL_SETS)
    baselines = [name for name in DETECTORS if name != "distance"]
    contrasts = [contrast(lab, HAE_X, other, names) for other in baselines]
    methods: tuple[Method, ...] = (*HETEROGENEOUS, AE, QAE, *DETECTORS)
    shown = heat_map(lab, methods, names, fifteen_printed)
    ranks = rank_series(shown)
    rows = cells(lab, methods, names, fifteen_printed) + contrast_rows(contrasts)
    rows += [
        Row(f"{method}: average rank of {len(methods)}", rank)
        for method, rank in zip(ranks["methods"], ranks["mean"], strict=True)
    ]
    rows.append(Row("critical difference of ranks (Nemenyi, 5 %)", ranks["difference"]))
    rows.append(Row("Friedman's p: all methods alike", ranks["p"]))
    return ordered(contrasts, rows, {"auc": shown, "ranks": ranks})


def beats_distance(lab: Lab) -> Finding:
    """HAE-X against the distance of z-scored rows from their mean, which learns nothing."""
    names = sets(lab, ALL_SETS)
    contrasts = [contrast(lab, one, "distance", names) for one in (HAE_X, AE)]
    rows = cells(lab, (HAE_X, AE, "distance"), names, first_printed) + contrast_rows(contrasts)
    controls = [over_seeds(contrasts[:1])]
    known = [name for name in names if first_printed("HAE-X", name) is not None]
    if len(known) > 1:
        gaps = [
            (first_printed("HAE-X", name) or 0.0) - auc(lab, "distance", name).mean()
            for name in known
        ]
        question = "The AUCs printed for HAE-X are above those of the distance"
        controls.append(Control.above(question, mean_effect(gaps)))
    return Finding(
        greater(contrasts[0].tables),
        contrasts[0].tables,
        0.0,
        "AUC, HAE-X - distance",
        tuple(rows),
        tuple(controls),
        "A reconstruction that is the same for all rows leaves the score |x - x^|, the distance "
        "from a point: what it tells is no merit of the network.",
        {"auc": heat_map(lab, (HAE_X, AE, "distance"), names, first_printed)},
    )


def averaging_matters(lab: Lab) -> Finding:
    """F1 of HAE-X read as macro minus the same decisions read as binary."""
    names = sets(lab, ALL_SETS)
    methods: tuple[Method, ...] = (*HETEROGENEOUS, AE, QAE, *DETECTORS)
    upper: Average = "binary" if lab.fault == "one_averaging" else "macro"
    gaps = [_f1(lab, HAE_X, name, upper) - _f1(lab, HAE_X, name, "binary") for name in names]
    comparison = mean_effect(np.mean(gaps, axis=1))
    rows = [
        row
        for method in methods
        for average in AVERAGES
        for row in _detection_rows(lab, method, names, average)
    ]
    for average in AVERAGES:
        one = contrast(lab, HAE_X, AE, names, partial(_f1, average=average))
        rows += contrast_rows([one], unit=f"{average} F1")
    return Finding(
        greater(comparison, AVERAGING_MARGIN),
        comparison,
        AVERAGING_MARGIN,
        "F1 of HAE-X, macro - binary",
        tuple(rows),
        note="The margin is the largest difference that the paper draws from F1: HAE-X - AE on the "
        "XJTU-SY bearing. Compare AUC, or decisions averaged alike.",
        series={"sets": list(names), "gaps": [values.tolist() for values in gaps]},
    )


def _f1(lab: Lab, method: Method, name: str, average: Average) -> np.ndarray:
    return flagged(lab, method, name, average)[:, 2]


def _detection_rows(lab: Lab, method: Method, names: Sequence[str], average: Average) -> list[Row]:
    """Precision, recall and F1, means over sets."""
    means = np.mean([flagged(lab, method, name, average) for name in names], axis=0)  # (seeds, 3)
    printed = paper.PRECISION.get(str(method)) if average == "macro" else None
    label = f"mean of {len(names)} sets, {method}: {average}"
    return [
        Row.mean(f"{label} precision (published: of 15 sets)", means[:, 0], printed),
        Row.mean(f"{label} recall", means[:, 1]),
        Row.mean(f"{label} F1", means[:, 2]),
    ]


def best_epoch_matters_little(lab: Lab) -> Finding:
    """HAE-X of the epoch with the lowest loss on its training rows against the last epoch."""
    names, best = sets(lab, FIRST_TABLE), HAE_X._replace(best=True)
    one = contrast(lab, best, HAE_X, names)
    rows = cells(lab, (best, HAE_X), names, first_printed)
    return Finding(
        same(one.tables, BEST_MARGIN),
        one.tables,
        BEST_MARGIN,
        "AUC, best epoch - last epoch",
        (*rows, *contrast_rows([one])),
        note="The released code keeps a reference to the weights, so that its best epoch is its "
        "last; the loss is that of evaluation, without dropout.",
        series={"auc": heat_map(lab, (best, HAE_X), names, first_printed)},
        test="same",
    )
