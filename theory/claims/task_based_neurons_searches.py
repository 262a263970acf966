"""Experiments on the search for task-based neurons: what it recovers, and how long it takes."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from neurons.data import polynomial_groups
from neurons.search.tnsr import Tnsr
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import numpy_generator
from theory.claims.power_searches import Powers, exact_search, library_search
from theory.claims.statistics import below, greater, mean_effect, paired

GENERATIONS = 80
RATE, COST = 80.0, 10.0  # per cent: what "recovers" and "costs" mean to us
INPUTS = (5, 10, 20, 50, 100)
# Polynomials with a coefficient of 1 or -1, from x^1 on.
UNITS = ((1.0, 2.0), (-1.0, 0.0, 1.0), (3.0, 1.0), (0.0, -1.0, 2.0), (0.0, 5.0, 0.0, 1.0))


def _generations(lab: Lab) -> int:
    return max(1, round(lab.budget.effort * GENERATIONS))


def recovered(lab: Lab, method: str, noise: Any) -> dict[str, list[float]]:
    """Per cent of recoveries by group, one number per seed: 100 or 0.

    Args:
        lab: budget, key, memory.
        method: "search", "exact", "unpenalised", "mended" or "released".
        noise: level of :func:`neurons.data.polynomial_groups`.
    """
    return _share(_found(lab, method, noise), lambda powers, truth: powers == truth)


def _share(
    found: Mapping[str, Sequence[Powers]], right: Callable[[Powers, Powers], bool]
) -> dict[str, list[float]]:
    truth = {group.name: group.powers for group in polynomial_groups(rows=1)}
    return {name: [100.0 * right(p, truth[name]) for p in sets] for name, sets in found.items()}


def _found(lab: Lab, method: str, noise: Any) -> dict[str, list[Powers]]:
    """Powers found, by group and seed, recalled or searched."""
    lists: dict[str, list[list[int]]] = lab.recall(
        f"groups/{method}/{noise}", lambda: _searched(lab, method, noise)
    )
    return {name: [tuple(powers) for powers in sets] for name, sets in lists.items()}


def _searched(lab: Lab, method: str, noise: Any) -> dict[str, list[list[int]]]:
    found: dict[str, list[list[int]]] = {}
    for seed in range(lab.budget.seeds):
        drawn = int(numpy_generator(lab, seed, 50).integers(2**31))
        for group in polynomial_groups(drawn, noise):
            powers = _search(lab, method, group.x, group.y, seed)
            found.setdefault(group.name, []).append(list(powers))
    return found


def _search(lab: Lab, method: str, x: np.ndarray, y: np.ndarray, seed: int) -> Powers:
    if method == "search":
        return library_search(x, y, seed)
    if method == "exact":
        return exact_search(x, y)
    if method == "unpenalised":
        return exact_search(x, y, penalty=0.0)
    engine = Tnsr(generations=_generations(lab), mended=method == "mended")
    return engine.run(x, y, seed).powers


def _rates(lab: Lab, methods: Sequence[str], noises: Sequence[str]) -> dict[str, Any]:
    return {m: {n: recovered(lab, m, n) for n in noises} for m in methods}


def _rate(found: Mapping[str, Sequence[float]]) -> list[float]:
    return np.mean(list(found.values()), axis=0).tolist()


NAMES = {
    "search": "neurons.search",
    "mended": "genetic search, mended",
    "released": "genetic search, as released",
    "exact": "all sets of powers (BIC)",
}


def genetic_recovers(lab: Lab) -> Finding:
    """Share of groups whose powers the papers' search finds, low noise."""
    method = "search" if lab.fault == "library_search" else "mended"
    comparison = mean_effect(_rate(recovered(lab, method, "low")))
    noises = ("low", "high")
    found = _rates(lab, ("mended", "search"), noises)
    rows = [
        Row.mean(f"{NAMES[m]}, {noise} noise: groups recovered, %", _rate(found[m][noise]))
        for m in found
        for noise in noises
    ]
    for noise in noises:
        leading = _share(_found(lab, "mended", noise), lambda p, t: p[-1:] == t[-1:])
        label = f"{NAMES['mended']}, {noise} noise: highest power right, %"
        rows.append(Row.mean(label, _rate(leading)))
    by_group = {name: np.mean(v) for name, v in found["mended"]["low"].items()}
    worst = min(by_group, key=lambda name: by_group[name])
    return Finding(
        greater(comparison, RATE),
        comparison,
        RATE,
        "% of groups recovered",
        tuple(rows),
        note="Recovered: the formula has exactly the powers of the truth. Fitness has no price for "
        f"terms, so that spare ones stay; the hardest group is {worst}. "
        f"{_generations(lab)} of 80 generations.",
    )


def search_recovers(lab: Lab) -> Finding:
    """The library's search against the genetic one, low and high noise."""
    method = "unpenalised" if lab.fault == "no_penalty" else "search"
    noises = ("low", "high")
    ours = np.mean([_rate(recovered(lab, method, n)) for n in noises], axis=0)
    theirs = np.mean([_rate(recovered(lab, "mended", n)) for n in noises], axis=0)
    comparison, rate = paired(ours.tolist(), theirs.tolist()), mean_effect(ours)
    shown = _rates(lab, ("search", "exact", "mended"), noises) | {
        "released": {"low": recovered(lab, "released", "low")}
    }
    return Finding(
        greater(comparison),
        comparison,
        0.0,
        "points of recovery",
        tuple(
            Row.mean(f"{NAMES[m]}, {n} noise: groups recovered, %", _rate(found))
            for m, levels in shown.items()
            for n, found in levels.items()
        ),
        (
            Control(
                f"The library's search recovers more than {RATE:g} %",
                greater(rate, RATE),
                rate.effect,
                rate.interval,
            ),
        ),
        "The language of all searches is sums of powers. Beside ours: least squares on every set "
        "of up to five of seven powers, least BIC.",
        {"recovered": shown, "names": NAMES},
    )


def defects_cost(lab: Lab) -> Finding:
    """Polynomials with a unit coefficient, without noise: mended against released search."""
    method = "released" if lab.fault == "not_mended" else "mended"
    ours, theirs = (_rate(_unit_recovered(lab, m)) for m in (method, "released"))
    comparison = paired(ours, theirs)
    each = _unit_recovered(lab, "released")
    groups = {m: _rate(recovered(lab, m, "low")) for m in ("mended", "released")}
    return Finding(
        greater(comparison, COST),
        comparison,
        COST,
        "points of recovery",
        (
            Row.mean("mended: formulas recovered, %", ours),
            Row.mean("as released: formulas recovered, %", theirs),
            *(Row.mean(f"as released: {name}, %", values) for name, values in each.items()),
            *(
                Row.mean(f"{NAMES[m]}: the ten groups at low noise, %", values)
                for m, values in groups.items()
            ),
        ),
        note="Recovered: powers and coefficients are those of the truth (of the groups: powers). "
        "The groups have no unit coefficient, so that only shuffled fitness hurts there. 200 rows "
        f"of 5 inputs in [-1, 1]; {_generations(lab)} of 80 generations.",
    )


def _unit_recovered(lab: Lab, method: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = lab.recall(
        f"units/{method}",
        lambda: {
            _written(truth): [_unit_found(lab, method, truth, s) for s in range(lab.budget.seeds)]
            for truth in UNITS
        },
    )
    return found


def _unit_found(lab: Lab, method: str, truth: Sequence[float], seed: int) -> float:
    terms = {k: a for k, a in enumerate(truth, start=1) if a}
    x = numpy_generator(lab, seed, 60).uniform(-1, 1, (200, 5))
    y = sum((a * (x**k).sum(axis=1) for k, a in terms.items()), np.zeros(len(x)))
    found = Tnsr(generations=_generations(lab), mended=method == "mended").run(x, y, seed)
    return 100.0 * (dict(zip(found.powers, found.coefficients, strict=True)) == terms)


def _written(truth: Sequence[float]) -> str:
    return " ".join(f"{a:+g} x^{k}" for k, a in enumerate(truth, start=1) if a)


def search_time(lab: Lab) -> Finding:
    """Seconds of a search at 100 inputs over those at 5, n = 1,000, one for every seed."""
    seconds: dict[str, list[list[float]]] = lab.recall("seconds", lambda: _seconds(lab))
    shown = "raw inputs" if lab.fault == "raw_inputs" else _timed_name(lab)
    if lab.fault == "raw_inputs":
        seconds = {shown: [[_raw_seconds(lab, d, s) for d in INPUTS] for s in range(4)]}
    growth = [of_seed[-1] / of_seed[0] for of_seed in seconds[shown]]
    comparison = mean_effect(growth)
    rows = [
        Row.mean(f"{name}, d = {d}: seconds", np.array(found)[:, at])
        for name, found in seconds.items()
        for at, d in enumerate(INPUTS)
        if d in (INPUTS[0], INPUTS[-1])
    ]
    return Finding(
        below(comparison, 2.0),
        comparison,
        2.0,
        "times longer at 100 inputs than at 5",
        tuple(rows),
        note="Power sums are computed once, in time proportional to the inputs; the search then "
        f"sees them only. 1,000 rows; {GENERATIONS // _timed_generations(lab)} times as long for "
        "all generations. Seconds are this machine's.",
        series={"inputs": list(INPUTS), "seconds": seconds},
        test="below",
    )


def _task(lab: Lab, inputs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    x = numpy_generator(lab, seed, inputs).uniform(-1, 1, (1000, inputs))
    return x, (3 * x**3 - 2 * x**2 + 5 * x).sum(axis=1)


def _timed_generations(lab: Lab) -> int:
    """A quarter: every generation takes the same time, and the power sums weigh more."""
    return max(1, _generations(lab) // 4)


def _timed_name(lab: Lab) -> str:
    return f"genetic search, {_timed_generations(lab)} of {GENERATIONS} generations"


def _seconds(lab: Lab) -> dict[str, list[list[float]]]:
    """By method, seed and number of inputs, after a first run that is not counted."""
    genetic = Tnsr(generations=_timed_generations(lab))
    methods: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {
        _timed_name(lab): lambda x, y: genetic.run(x, y, 0),
        NAMES["search"]: lambda x, y: library_search(x, y, 0),
        NAMES["exact"]: exact_search,
    }
    for method in methods.values():
        method(*_task(lab, INPUTS[0], 0))
    return {
        name: [
            [_timed(method, _task(lab, d, seed)) for d in INPUTS]
            for seed in range(lab.budget.seeds)
        ]
        for name, method in methods.items()
    }


def _timed(method: Callable[..., Any], arguments: tuple[Any, ...], repetitions: int = 2) -> float:
    """Seconds of the fastest repetition: what else the machine does only adds."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        method(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def _raw_seconds(lab: Lab, inputs: int, seed: int) -> float:
    """Ten polynomials evaluated at all inputs of all rows, as the released code does."""
    x, y = _task(lab, inputs, seed)
    programs = numpy_generator(lab, seed).standard_normal((10, 13))

    def evaluate() -> None:
        for program in programs:
            np.mean((np.polyval(program, x).sum(axis=1) - y) ** 2)

    return _timed(evaluate, (), 8)
