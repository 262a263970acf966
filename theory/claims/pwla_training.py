"""Experiments of the PWLA paper on training: where lattices end, plainly trained and improved."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurons.lattice import IMPROVED, PLAIN, LatticeFit, Recipe, fit_lattice_seeds
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import verdict
from theory.claims.pwla_problems import (
    ONE_WAY,
    PROBLEMS,
    SEGMENTS,
    Problem,
    misfit,
    optimum,
    samples,
)
from theory.claims.statistics import Comparison, greater, mean_effect
from theory.optimal import approximate

# Lattices trained per seed of the budget: 30 at budget laptop.
NETS = 6
NEAR = 1.01
SHARE = "share of trained lattices"
_POINTS, _FINE_POINTS = 513, 4097
_COUNTS = (2, 8, 16)


def recipe(name: str, effort: float) -> Recipe:
    """The paper's way as we read it ("plain"), all but multi-start and polish ("descent"), all."""
    steps = {"plain": 10_000, "descent": 1000, "improved": 400}[name]
    base = {
        "plain": PLAIN,
        "descent": replace(IMPROVED, starts=1, revivals=2, polish=False),
        "improved": IMPROVED,
    }[name]
    return replace(base, steps=max(1, round(steps * effort)))


def mask(problem: Problem) -> np.ndarray | None:
    """The plain lattice: a maximum, a minimum, or the largest of four minima of two."""
    if problem.bends == "up":
        return np.eye(SEGMENTS, dtype=bool)
    return np.ones((1, SEGMENTS), bool) if problem.bends == "down" else None


def nets(lab: Lab, way: str) -> dict[str, list[dict[str, Any]]]:
    """Per function, what every trained lattice is and misses, seed by seed of the budget."""
    return {
        problem.name: lab.recall(f"{way}, {problem.name}", partial(_trained, lab, way, problem))
        for problem in PROBLEMS
    }


def _trained(lab: Lab, way: str, problem: Problem) -> list[dict[str, Any]]:
    x, y, weights = samples(problem, _POINTS)
    seeds = (jax.random.fold_in(lab.key, seed) for seed in range(lab.budget.seeds))
    fits = fit_lattice_seeds(
        x,
        y,
        SEGMENTS,
        keys=jnp.concatenate([jax.random.split(key, NETS) for key in seeds]),
        weights=weights,
        recipe=recipe(way, lab.budget.effort),
        mask=mask(problem) if way == "plain" else None,
    )
    return [_described(problem, fit) for fit in fits]


def _described(problem: Problem, fit: LatticeFit) -> dict[str, Any]:
    missed = misfit(problem.name, fit.knots, fit.values)
    return {
        "ratio": missed.error / optimum(problem.name).error,
        "excess": missed.excess,
        "pieces": fit.knots.size - 1,
        "knots": fit.knots.tolist(),
        "values": fit.values.tolist(),
    }


def _by_seed(hits: Sequence[bool]) -> np.ndarray:
    """`(seeds,)` share of every seed's lattices."""
    return np.reshape(hits, (-1, NETS)).mean(axis=1)


def _near(runs: Sequence[dict[str, Any]]) -> list[bool]:
    return [run["ratio"] <= NEAR for run in runs]


def _shares(found: dict[str, list[dict[str, Any]]], hit: Any) -> dict[str, np.ndarray]:
    return {name: _by_seed(hit(runs)) for name, runs in found.items()}


def _worst(shares: dict[str, np.ndarray], names: Sequence[str]) -> Comparison:
    """The function with the smallest share."""
    return mean_effect(min((shares[name] for name in names), key=np.mean))


def _rows(found: dict[str, list[dict[str, Any]]], shares: dict[str, np.ndarray]) -> list[Row]:
    rows = [Row.mean(f"{name}: within 1 %, share", share) for name, share in shares.items()]
    medians = {name: np.median([run["ratio"] for run in runs]) for name, runs in found.items()}
    return rows + [
        Row(f"{name}: median error, in units of the optimum's", float(ratio))
        for name, ratio in medians.items()
    ]


def _histogram(way: str, found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What the figures need: all ratios, and one fit of every function."""
    return {
        "way": way,
        "ratios": {name: [run["ratio"] for run in runs] for name, runs in found.items()},
        "pieces": {name: [run["pieces"] for run in runs] for name, runs in found.items()},
    }


def global_plain(lab: Lab) -> Finding:
    """Share of plainly trained lattices within 1 % of the optimum, over all functions."""
    way = "improved" if lab.fault == "improved" else "plain"
    found = nets(lab, way)
    shares = _shares(found, _near)
    comparison = mean_effect(np.mean(list(shares.values()), axis=0))
    least = min(run["ratio"] for runs in found.values() for run in runs)
    live = np.mean([run["pieces"] for runs in found.values() for run in runs])
    return Finding(
        greater(comparison, 0.95),
        comparison,
        0.95,
        SHARE,
        (
            *_rows(found, shares),
            Row("smallest error of all, in units of the optimum's", float(least)),
            Row("pieces that are active, of 8", float(live)),
        ),
        note=f"{lab.budget.seeds * NETS} lattices per function, "
        f"{recipe(way, lab.budget.effort).steps} steps of Adam from random lines; most lose pieces "
        "that are nowhere active and get no gradient.",
        series=_histogram(way, found),
    )


def global_improved(lab: Lab) -> Finding:
    """Share within 1 % with the improvements, in the worst of the convex and concave functions."""
    found = nets(lab, "plain" if lab.fault == "plain" else "improved")
    shares = _shares(found, _near)
    comparison = _worst(shares, [problem.name for problem in ONE_WAY])
    both = _worst(shares, [problem.name for problem in PROBLEMS if not problem.one_way])
    chosen = recipe("improved", lab.budget.effort)
    return Finding(
        greater(comparison, 0.95),
        comparison,
        0.95,
        SHARE,
        tuple(_rows(found, shares)),
        (Control.above("At least 90 % do where the function bends both ways", both, 0.9),),
        f"{lab.budget.seeds * NETS} lattices per function, the worst function counts. Each is the "
        f"best of {chosen.starts} starts, chosen by its error at the samples; no start sees the "
        "optimum.",
        _histogram("improved", found)
        | {"fits": {name: _example(runs[0]) for name, runs in found.items()}},
    )


def _example(run: dict[str, Any]) -> dict[str, Any]:
    return {part: run[part] for part in ("knots", "values", "ratio")}


def _stationary(runs: Sequence[dict[str, Any]]) -> list[bool]:
    """All pieces alive, and their own best lines up to 1 % of the error."""
    return [run["pieces"] >= SEGMENTS and run["excess"] <= NEAR - 1 for run in runs]


def _local(lab: Lab, way: str) -> Finding:
    found = nets(lab, way)
    shares = _shares(found, _stationary)
    comparison = mean_effect(np.mean(list(shares.values()), axis=0))
    everywhere = [run for runs in found.values() for run in runs]
    return Finding(
        greater(comparison, 0.9),
        comparison,
        0.9,
        SHARE,
        (
            *(
                Row.mean(f"{name}: all alive and stationary, share", s)
                for name, s in shares.items()
            ),
            Row("pieces that are active, of 8", float(np.mean([r["pieces"] for r in everywhere]))),
            Row(
                "median gain of the pieces' own best lines, %",
                100 * float(np.median([r["excess"] for r in everywhere])),
            ),
            Row.mean(
                "within 1 % of the optimum, share",
                np.mean(list(_shares(found, _near).values()), axis=0),
            ),
        ),
        note="Stationary: all eight pieces are active, and the error falls by at most 1 % if every "
        "piece becomes the least-squares line of its own segment.",
        series=_histogram(way, found),
    )


def local_plain(lab: Lab) -> Finding:
    """Share of plainly trained lattices that end at a stationary fit of all their pieces."""
    return _local(lab, "descent" if lab.fault == "improved" else "plain")


def local_improved(lab: Lab) -> Finding:
    """The same with quantile start, softness and revival, by descent alone."""
    return _local(lab, "plain" if lab.fault == "plain" else "descent")


def solves(lab: Lab) -> Finding:
    """Error of polished lattices over the certified optimum, for 2 to 16 pieces."""
    chosen = recipe("descent" if lab.fault == "no_polish" else "improved", lab.budget.effort)
    smooth = [problem for problem in ONE_WAY if problem.name != "sqrt(x)"]
    ratios = {
        f"{problem.name}, {count} pieces": _ratios(lab, problem, count, chosen)
        for count in _COUNTS
        for problem in smooth
    }
    every = np.concatenate(list(ratios.values()))
    above, beneath = float(every.max() - 1), float(every.min() - 1)
    return Finding(
        verdict(above <= 1e-6 and beneath >= -1e-9),
        Comparison(above, (beneath, above), lab.budget.seeds),
        1e-6,
        "relative distance of the error from the optimum's",
        tuple(
            Row(f"{name}: largest error over the optimum's, minus 1", float(max(r) - 1))
            for name, r in ratios.items()
        ),
        note="The interval spans the smallest and the largest distance seen; none may lie below 0 "
        "by more than rounding, since nothing beats the optimum.",
        test="below",
    )


def _ratios(lab: Lab, problem: Problem, count: int, chosen: Recipe) -> list[float]:
    x, y, weights = samples(problem, _FINE_POINTS)
    keys = [jax.random.fold_in(lab.key, seed) for seed in range(lab.budget.seeds)]
    fits = fit_lattice_seeds(x, y, count, keys=keys, weights=weights, recipe=chosen)
    best = optimum(problem.name, count).error
    return [misfit(problem.name, fit.knots, fit.values).error / best for fit in fits]


def competitive(lab: Lab) -> Finding:
    """Error at the samples over that of the best fit to the same samples, by an exact search."""
    excess = {}
    for problem in PROBLEMS:
        x = np.linspace(*problem.domain, 129)
        y = problem.function(x)
        way = "plain" if lab.fault == "plain" else "improved"
        keys = [jax.random.fold_in(lab.key, seed) for seed in range(lab.budget.seeds)]
        lines = mask(problem) if way == "plain" else None
        fits = fit_lattice_seeds(
            x, y, SEGMENTS, keys=keys, recipe=recipe(way, lab.budget.effort), mask=lines
        )
        best = approximate((x, y), segments=SEGMENTS).error / np.sqrt(x.size)
        excess[problem.name] = [fit.error / best - 1 for fit in fits]
    worst = mean_effect(np.max(list(excess.values()), axis=0))
    return Finding(
        verdict(worst.interval[1] <= NEAR - 1),
        worst,
        NEAR - 1,
        "relative distance of the error from the best, in the worst function",
        tuple(
            Row.mean(f"{name}: error over the best fit's, minus 1", e) for name, e in excess.items()
        ),
        note="129 even samples; the rival is the library's solver for data.",
        test="below",
    )
