"""Depth, the share of the learning rate, bearings, and the arithmetic of the printed tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from neurons.data import AnomalyTable, AnomalyTables
from theory.claims import heterogeneous_autoencoder_tables as paper
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, verdict
from theory.claims.heterogeneous_autoencoder_comparisons import (
    AE,
    HETEROGENEOUS,
    QAE,
    Method,
    all_of,
    auc,
    contrast,
    contrast_rows,
    flagged,
    ordered,
    sets,
)
from theory.claims.statistics import Comparison, greater, mean_effect

DEEP_SET = "optdigits"
SURVIVES = 0.61  # AUC: below every printed number of the heterogeneous ones
RATIOS = tuple(round(0.1 * step, 1) for step in range(11))
STEADY, UNSTEADY = (0.0, 0.4), (0.4, 0.8)
RATIO_SETS = ("glass", "optdigits")
RATIO_NETWORKS = HETEROGENEOUS[:2]
BANDS = 64  # of a spectrum: 512 amplitudes would take half an hour
BEARINGS = ("Bearing1_1", "Bearing1_3", "Bearing1_4", "cwru")
# A cell and an average are each rounded to half a unit of the third digit.
ROUNDING = 0.001


def _deep_set(lab: Lab) -> str:
    """Optdigits, or the widest table of a simulation."""
    widest = max(lab.data.tables, key=lambda table: table.x.shape[1]).name
    return DEEP_SET if DEEP_SET in lab.data.names else widest


def _by_depth(lab: Lab) -> dict[str, list[np.ndarray]]:
    """AUC by method, depth and seed."""
    name = _deep_set(lab)
    return {
        str(method): [auc(lab, method._replace(depth=depth), name) for depth in paper.DEPTHS]
        for method in (AE, QAE, *HETEROGENEOUS)
    }


def _depth_rows(found: Mapping[str, Sequence[np.ndarray]], name: str) -> tuple[Row, ...]:
    real = name == DEEP_SET
    return tuple(
        Row.mean(
            f"{name}, {method} {depth}: AUC",
            values,
            paper.DEPTH[method][place] if real else None,
        )
        for method, of_depth in found.items()
        for place, (depth, values) in enumerate(zip(paper.DEPTHS, of_depth, strict=True))
    )


def quadratic_degrades(lab: Lab) -> Finding:
    """AUC that QAE loses from depth V1 to V4, beside the other networks."""
    name, found = _deep_set(lab), _by_depth(lab)
    order = -1 if lab.fault == "depths_reversed" else 1
    lost = {
        method: of_depth[::order][0] - of_depth[::order][-1] for method, of_depth in found.items()
    }
    comparison = mean_effect(lost["QAE"])
    more = [mean_effect(lost["QAE"] - lost[str(method)]) for method in (*HETEROGENEOUS, AE)]
    least = min(more, key=lambda one: one.effect)
    rows = list(_depth_rows(found, name))
    for method, values in lost.items():
        printed = paper.DEPTH[method][0] - paper.DEPTH[method][-1] if name == DEEP_SET else None
        rows.append(Row.mean(f"{name}, {method}: AUC lost from V1 to V4", values, printed))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "AUC, QAE: V1 - V4",
        tuple(rows),
        (
            Control(
                "QAE loses more than AE and every heterogeneous autoencoder",
                all_of([greater(one) for one in more]),
                least.effect,
                least.interval,
            ),
        ),
        "One set: intervals are over seeds.",
        {"depth": _depth_series(found, name)},
    )


def heterogeneous_survive(lab: Lab) -> Finding:
    """The lowest AUC of the heterogeneous autoencoders at any depth."""
    name, found = _deep_set(lab), _by_depth(lab)
    scores = [values for method in HETEROGENEOUS for values in found[str(method)]]
    comparisons = [mean_effect(values - SURVIVES) for values in scores]
    worst = min(comparisons, key=lambda one: one.effect)
    return Finding(
        all_of([greater(one) for one in comparisons]),
        worst,
        0.0,
        f"AUC - {SURVIVES}, the lowest of 12",
        _depth_rows(found, name),
        note="One set: intervals are over seeds.",
        series={"depth": _depth_series(found, name)},
    )


def _depth_series(found: Mapping[str, Sequence[np.ndarray]], name: str) -> dict[str, Any]:
    effects = [[mean_effect(values) for values in of_depth] for of_depth in found.values()]
    return {
        "set": name,
        "depths": list(paper.DEPTHS),
        "methods": list(found),
        **_bands(effects),
        "published": [list(paper.DEPTH[m]) for m in found] if name == DEEP_SET else None,
        "seeds": effects[0][0].seeds,
    }


def _bands(effects: Sequence[Sequence[Comparison]]) -> dict[str, list[list[float]]]:
    """Means and the ends of their intervals."""
    return {
        "ours": [[one.effect for one in row] for row in effects],
        "low": [[one.interval[0] for one in row] for row in effects],
        "high": [[one.interval[1] for one in row] for row in effects],
    }


def small_ratio_is_stable(lab: Lab) -> Finding:
    """How much AUC changes from one share of the learning rate to the next, in two ranges."""
    names = sets(lab, RATIO_SETS)
    curves = {
        (name, str(network)): np.array(
            [
                auc(lab, network._replace(ratio=ratio), name, seeds=lab.budget.seeds)
                for ratio in RATIOS
            ]
        )
        for name in names
        for network in RATIO_NETWORKS
    }
    first, second = (UNSTEADY, STEADY) if lab.fault == "ranges_exchanged" else (STEADY, UNSTEADY)
    excess = {key: _roughness(c, second) - _roughness(c, first) for key, c in curves.items()}
    comparison = mean_effect(np.mean(list(excess.values()), axis=0))
    level = [_level(c, (0.5, 1.0)) - _level(c, STEADY) for c in curves.values()]
    rows = []
    for (name, network), curve in curves.items():
        for word, limits in (("[0, .4]", STEADY), ("[.4, .8]", UNSTEADY)):
            label = f"{name}, {network}, ratio in {word}: change of AUC from one ratio to the next"
            rows.append(Row.mean(label, _roughness(curve, limits)))
            rows.append(Row.mean(f"{name}, {network}, ratio in {word}: AUC", _level(curve, limits)))
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "mean change of AUC per step of ratio, [.4, .8] - [0, .4]",
        tuple(rows),
        (
            Control.above(
                "Ratios up to .4 have a higher AUC than those from .5 on",
                mean_effect(-np.mean(level, axis=0)),
            ),
        ),
        "A change from one ratio to the next holds the seed fixed: split, start and dropout agree.",
        {"rate": _rate_series(curves, names, lab.budget.seeds)},
    )


def _within(limits: tuple[float, float]) -> np.ndarray:
    low, high = limits
    return np.array([low <= ratio <= high for ratio in RATIOS])


def _roughness(curve: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Mean absolute step of a curve `(ratios, seeds)` within the limits, `(seeds,)`."""
    return np.abs(np.diff(curve[_within(limits)], axis=0)).mean(axis=0)


def _level(curve: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return curve[_within(limits)].mean(axis=0)


def _rate_series(
    curves: Mapping[tuple[str, str], np.ndarray], names: Sequence[str], seeds: int
) -> dict[str, Any]:
    methods = [str(network) for network in RATIO_NETWORKS]
    made = {
        name: _bands([[mean_effect(v) for v in curves[name, method]] for method in methods])
        for name in names
    }
    return {
        "set": list(names),
        "methods": methods,
        "ratios": list(RATIOS),
        **{part: [made[name][part] for name in names] for part in ("ours", "low", "high")},
        "seeds": seeds,
        "published_stable": list(STEADY),
        "published_unstable": list(UNSTEADY),
    }


def banded(data: AnomalyTables) -> AnomalyTables:
    """Spectra of 512 amplitudes as 64 means of eight neighbours."""
    tables = tuple(
        AnomalyTable(
            table.name,
            table.x.reshape(len(table.x), BANDS, -1).mean(axis=2),
            table.y.copy(),
            f"{table.source} {BANDS} bands.",
            simulated=table.simulated,
        )
        for table in data.tables
    )
    return AnomalyTables(f"{data.name} in {BANDS} bands", tables, data.simulated)


def bearing_f1(lab: Lab) -> Finding:
    """Macro F1 of HAE-X, -Y and -I against AE on spectra of bearings."""
    lab = replace(lab, data=banded(lab.data))
    names = sets(lab, BEARINGS)
    contrasts = [contrast(lab, one, AE, names, _macro_f1) for one in HETEROGENEOUS]
    rows = [
        _bearing_row(lab, method, names, place)
        for method in (*HETEROGENEOUS, AE, "distance")
        for place in range(4)
    ]
    printed = {
        f"{m} - AE": paper.BEARING[str(m)][3] - paper.BEARING["AE"][3] for m in HETEROGENEOUS
    }
    rows += contrast_rows(contrasts, printed, "macro F1")
    series = {
        "sets": list(names),
        "f1": {str(m): [_macro_f1(lab, m, n).tolist() for n in names] for m in HETEROGENEOUS},
    }
    note = "A set is a bearing. Published numbers are those of bearing 2_5 of XJTU-SY."
    return ordered(contrasts, rows, series, unit="macro F1", note=note)


def _macro_f1(lab: Lab, method: Method, name: str) -> np.ndarray:
    return flagged(lab, method, name, "macro")[:, 2]


def _bearing_row(lab: Lab, method: Method, names: Sequence[str], place: int) -> Row:
    word = ("AUC", "macro precision", "macro recall", "macro F1")[place]
    values = [
        auc(lab, method, name) if place == 0 else flagged(lab, method, name, "macro")[:, place - 1]
        for name in names
    ]
    printed = paper.BEARING.get(str(method))
    label = f"mean of {len(names)} bearings, {method}: {word}"
    return Row.mean(label, np.mean(values, axis=0), printed[place] if printed else None)


def first_averages(lab: Lab) -> Finding:
    """The README's averages against the means of its own cells."""
    return _arithmetic(paper.FIFTEEN if lab.fault == "other_table" else paper.FIRST)


def fifteen_averages(lab: Lab) -> Finding:
    """The supplement's averages against the means of its own cells."""
    return _arithmetic(paper.FIRST if lab.fault == "other_table" else paper.FIFTEEN)


def _arithmetic(table: Mapping[str, paper.Printed]) -> Finding:
    errors = {m: row.average - row.mean for m, row in table.items() if row.average is not None}
    worst = max(errors, key=lambda method: abs(errors[method]))
    effect = exact(abs(errors[worst]))
    rows = [
        Row(f"{method}: mean of the printed cells", row.mean, None, row.average)
        for method, row in table.items()
    ]
    return Finding(
        verdict(effect.effect <= ROUNDING),
        effect,
        ROUNDING,
        f"AUC, printed average minus mean of the cells ({worst})",
        tuple(rows),
        note="The margin is what rounding of cells and average to three digits can explain.",
        series={"errors": errors},
        test="below",
    )


def ranking_survives(lab: Lab) -> Finding:
    """The order of the README's table by means computed from its cells."""
    means = {method: row.mean for method, row in paper.FIRST.items()}
    if lab.fault == "cells_exchanged":
        means = {**means, "AE": means["HAE-X"], "HAE-X": means["AE"]}
    ours = {str(method): means[str(method)] for method in HETEROGENEOUS}
    others = {method: value for method, value in means.items() if method not in ours}
    lowest, highest = min(ours, key=ours.__getitem__), max(others, key=others.__getitem__)
    gap = exact(ours[lowest] - others[highest])
    pair = np.array(paper.FIRST[lowest].cells) - np.array(paper.FIRST[highest].cells)
    return Finding(
        verdict(gap.effect > ROUNDING),
        gap,
        ROUNDING,
        f"AUC, {lowest} - {highest}: the lowest heterogeneous, the highest other mean",
        tuple(
            Row(f"{method}: mean of the printed cells", value, None, paper.FIRST[method].average)
            for method, value in means.items()
        ),
        (
            Control.above(
                f"Over the eight sets, {lowest} - {highest} differs from chance", mean_effect(pair)
            ),
        ),
        "Printed cells only; nothing is trained.",
        {"means": means},
    )
