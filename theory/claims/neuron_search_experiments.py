"""Experiments on what the neuron search recovers: exactly, under noise, and beyond its design."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from neurons.search import SearchResult, Space, search
from theory.claims.claim import Finding, Lab, Row
from theory.claims.exact import numpy_generator
from theory.claims.neuron_search_problems import (
    REACH,
    WIDER,
    Truth,
    bic_behind,
    draw,
    has_structure,
)
from theory.claims.statistics import Comparison, Status

EXACT = 1e-6  # root mean square error on fresh data, over the target's deviation
PATIENCE = 10.0  # seconds of processor time
EQUIVALENT = 2.0  # BIC
SEEDS = 2  # data sets per function and noise level
FAULTS = {
    "shuffle": "the search sees the targets in another order",
    "powers_only": "the search knows no functions but powers",
}
_FRONTS = ("sin 2.7x + 0.3x²", "0.8x² cos x + exp 0.5x")
_ALL_FROM = 0.5  # the budget's data from which on no function is left out
_WAYS = {
    "best": "the best formula has the structure",
    "among": "it or one within 2 BIC of it has the structure",
    "fits": "its BIC is at most 2 above that of the true structure",
}
_UNIT = "% of the problems"


def recovered(lab: Lab, name: str, inputs: int, noise: float = 0.0, seed: int = 0) -> Any:
    """One search: its error on fresh data, whether it has the structure, its front, its time."""

    def compute() -> dict[str, Any]:
        truth = lab.data.truths[name]
        place = list(lab.data.truths).index(name)
        random = numpy_generator(lab, place, inputs, seed)
        x, y = draw(truth.function, inputs, noise, random)
        if lab.fault == "shuffle":
            y = random.permutation(y)
        space = Space(functions=()) if lab.fault == "powers_only" else Space()
        start = time.process_time()
        found = search(x, y, space, key=seed)
        seconds = time.process_time() - start
        fresh = draw(truth.function, inputs, 0.0, random, reach=WIDER * REACH)
        behind = bic_behind(found.best, truth, x, y)
        return _record(found, truth, fresh) | {"seconds": seconds, "fits": behind <= EQUIVALENT}

    return lab.recall(f"{lab.fault} {name} {inputs} {noise:g} {seed}", compute)


def _record(
    found: SearchResult, truth: Truth, fresh: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    x, y = fresh
    best = has_structure(found.best, truth)
    return {
        "error": float(np.sqrt(np.mean((found.predict(x) - y) ** 2)) / y.std()),
        "best": best,
        "among": best or any(has_structure(other, truth) for other in found.equivalents),
        "formula": str(found.best),
        "front": [[f.complexity, 1 - f.r2, str(f)] for f in found.front],
        "ceiling": found.lack_of_fit.ceiling,
    }


def share(lab: Lab, items: Sequence[Any]) -> list[Any]:
    """All items from half of the data on; at smaller budgets an even selection."""
    count = max(1, int(len(items) * min(1.0, lab.budget.data / _ALL_FROM)))
    return [items[int((k + 0.5) * len(items) / count)] for k in range(count)]


def counted(hits: Iterable[bool], of: int) -> Comparison:
    """Share of hits in per cent; the interval is what untried problems could make of it."""
    values = list(hits)
    least, most = sum(values), sum(values) + of - len(values)
    effect = 100 * sum(values) / len(values)
    return Comparison(effect, (100 * least / of, 100 * most / of), 1)


def reaches(comparison: Comparison, percent: float) -> Status:
    """Whether a counted share reaches a bar; no chance is involved."""
    low, high = comparison.interval
    if low >= percent - 1e-9:
        return "supported"
    return "refuted" if high < percent - 1e-9 else "undecided"


def _finding(
    comparison: Comparison, bar: float, rows: Sequence[Row], note: str, series: Mapping[str, Any]
) -> Finding:
    reading = "The interval is what functions left out at this budget could make of the share."
    return Finding(
        reaches(comparison, bar),
        comparison,
        bar,
        _UNIT,
        tuple(rows),
        note=f"{note} {reading}",
        series=series,
    )


def exact_without_noise(lab: Lab) -> Finding:
    """Which functions come back exactly, at every number of inputs."""
    widths, names = share(lab, lab.data.inputs), share(lab, list(lab.data.truths))
    runs = {width: {name: recovered(lab, name, width) for name in names} for width in widths}
    every = [run for by_name in runs.values() for run in by_name.values()]
    comparison = counted(
        (run["error"] < EXACT for run in every), len(lab.data.truths) * len(lab.data.inputs)
    )
    rows = [
        Row(f"exact with {width} inputs, %", counted(_exact(by_name), len(by_name)).effect)
        for width, by_name in runs.items()
    ]
    rows += [
        Row("largest relative error on fresh data", max(run["error"] for run in every)),
        Row("longest search, s of processor time", max(run["seconds"] for run in every)),
    ]
    shown = {str(w): {n: run["error"] for n, run in found.items()} for w, found in runs.items()}
    return _finding(comparison, 100.0, rows, "", {"errors": shown, "formulas": _formulas(runs)})


def _exact(runs: Mapping[str, Any]) -> list[bool]:
    return [run["error"] < EXACT for run in runs.values()]


def _formulas(runs: Mapping[int, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    return {str(w): {n: run["formula"] for n, run in found.items()} for w, found in runs.items()}


def structure_under_little_noise(lab: Lab) -> Finding:
    """The structure of the best formula at 1 % noise."""
    return _structure(lab, 0.01, 20, "best")


def structure_under_much_noise(lab: Lab) -> Finding:
    """The structure of the best formula at 10 % noise."""
    return _structure(lab, 0.1, 18, "best")


def fits_like_the_truth(lab: Lab) -> Finding:
    """The BIC of the best formula against that of the true structure, at 10 % noise."""
    return _structure(lab, 0.1, 24, "fits")


def _structure(lab: Lab, noise: float, bar: int, judged: str) -> Finding:
    names, inputs = share(lab, list(lab.data.truths)), lab.data.inputs[0]
    runs = {
        name: [recovered(lab, name, inputs, noise, seed) for seed in range(SEEDS)] for name in names
    }
    of = SEEDS * len(lab.data.truths)
    each = {
        way: counted((run[way] for found in runs.values() for run in found), of) for way in _WAYS
    }
    rows = [Row(f"{_WAYS[way]}, %", c.effect) for way, c in each.items()]
    errors = [run["error"] for found in runs.values() for run in found]
    rows.append(Row("median relative error on noise-free data of a wider range", _median(errors)))
    missed = [name for name, found in runs.items() if not all(run[judged] for run in found)]
    return _finding(
        each[judged],
        100 * bar / 24,
        rows,
        f"Not so in every data set: {', '.join(missed) or 'none'}.",
        {
            "noise": noise,
            "best": {n: [run["best"] for run in found] for n, found in runs.items()},
            "among": {n: [run["among"] for run in found] for n, found in runs.items()},
            "fronts": {
                name: {k: runs[name][0][k] for k in ("front", "formula", "ceiling")}
                for name in ([n for n in _FRONTS if n in runs] or names[:2])
            },
        },
    )


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def unseen_functions(lab: Lab) -> Finding:
    """Which functions outside the design come back exactly and in time."""
    names, inputs = share(lab, list(lab.data.truths)), lab.data.inputs[0]
    runs = {name: recovered(lab, name, inputs) for name in names}
    comparison = counted(
        (run["error"] < EXACT and run["seconds"] <= PATIENCE for run in runs.values()),
        len(lab.data.truths),
    )
    seconds = {name: run["seconds"] for name, run in runs.items()}
    kinds = dict.fromkeys(lab.data.truths[name].kind for name in names)
    rows = [
        Row(f"{kind}: exact, %", counted(_exact(_of_kind(lab, runs, kind)), 1).effect)
        for kind in kinds
    ]
    rows += [
        Row("median search, s of processor time", _median(list(seconds.values()))),
        Row("longest search, s of processor time", max(seconds.values())),
    ]
    return _finding(
        comparison,
        100 * 2 / 3,
        rows,
        "",
        {
            "errors": {name: run["error"] for name, run in runs.items()},
            "formulas": {name: run["formula"] for name, run in runs.items()},
            "seconds": seconds,
        },
    )


def _of_kind(lab: Lab, runs: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {name: run for name, run in runs.items() if lab.data.truths[name].kind == kind}
