"""Experiments of the PWLA paper on the optimum itself: representation, theorems, rate, minimax."""

from functools import partial
from itertools import pairwise

import jax
import numpy as np

from neurons.lattice import PLAIN, Recipe, fit_lattice_seeds, pieces
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, numpy_generator, verdict
from theory.claims.pwla_problems import (
    NAMED,
    ONE_WAY,
    PROBLEMS,
    SEGMENTS,
    Problem,
    misfit,
    optimum,
    samples,
    target,
)
from theory.claims.statistics import Comparison
from theory.optimal import Descent, approximate, limit_constant, resolve
from theory.optimal.imamoto_tang import ImamotoTang

_DRAWS = 200
# Printed by an implementation of Imamoto and Tang's descent, for the sine's half by 7 pieces.
_README = 0.007654081210491
_RANDOM = Recipe("random", starts=1, revivals=0, soft=0.0, steps=50, rate=PLAIN.rate)


def representation(lab: Lab) -> Finding:
    """Largest relative error of max-min lattices over random continuous functions."""
    worst = [
        max(_lattice_error(generator, lab.fault == "one_line_less") for _ in range(_DRAWS))
        for generator in (numpy_generator(lab, seed) for seed in range(lab.budget.seeds))
    ]
    return Finding(
        verdict(max(worst) <= 1e-12),
        Comparison(max(worst), (min(worst), max(worst)), len(worst)),
        1e-12,
        "error relative to the largest value",
        (Row("functions drawn, of 1 to 11 pieces", float(_DRAWS * len(worst))),),
        note="n pieces take n maps and n groups. The interval spans the seeds' largest errors.",
        test="below",
    )


def _lattice_error(generator: np.random.Generator, one_line_less: bool) -> float:
    """One random function against its lattice, at its knots and between them."""
    count = int(generator.integers(1, 12))
    knots = np.cumsum(np.exp(generator.normal(size=count + 1)))
    values = generator.normal(size=count + 1)
    lines, members = pieces.lines_through(knots, values), pieces.lattice_mask(knots, values)
    if one_line_less and count > 1:
        members[:-1, -1] = False
    x = np.sort(np.concatenate([knots, generator.uniform(knots[0], knots[-1], 100)]))
    heights = lines.at(x)
    found = np.max([heights[:, group].min(axis=1) for group in members], axis=0)
    return float(np.abs(found - np.interp(x, knots, values)).max() / np.abs(values).max())


def characterised(lab: Lab) -> Finding:
    """Largest jump between best lines of neighbouring segments at the optimum."""
    gaps = {}
    for problem in PROBLEMS:
        knots, values = optimum(problem.name).pieces
        if lab.fault == "even_knots":
            knots = np.linspace(*problem.domain, SEGMENTS + 1)
        gaps[problem.name] = misfit(problem.name, knots, values).gap
    # x^2 alone has even knots at its optimum.
    worst = max(gaps.values())
    return Finding(
        verdict(worst <= 1e-6),
        exact(worst),
        1e-6,
        "jump between neighbours' best lines, in units of the root mean square error",
        tuple(Row(f"{name}: largest jump", gap) for name, gap in gaps.items()),
        note="At the optimum of 8 segments every piece is the best line of its own segment, by "
        "quadrature of our own, and these lines meet.",
        test="below",
    )


def _stationary_fits(lab: Lab, problem: Problem) -> list[float]:
    """Errors, in units of the optimum's, of stationary fits reached from random lattices."""
    keys = jax.random.split(lab.key, 6 * lab.budget.seeds)
    x, y, weights = samples(problem, 1025)
    fits = fit_lattice_seeds(x, y, SEGMENTS, keys=keys, weights=weights, recipe=_RANDOM)
    found = [misfit(problem.name, fit.knots, fit.values) for fit in fits]
    return [m.error / optimum(problem.name).error for m in found if m.gap <= 0.01]


def _stationary(lab: Lab, problems: tuple[Problem, ...]) -> Finding:
    ratios = {
        problem.name: lab.recall(
            f"stationary, {problem.name}", partial(_stationary_fits, lab, problem)
        )
        for problem in problems
    }
    excess = {name: max(r, default=np.nan) - 1 for name, r in ratios.items()}
    worst, least = max(excess.values()), min(min(r) for r in ratios.values()) - 1
    count = sum(map(len, ratios.values()))
    return Finding(
        verdict(worst <= 1e-3),
        Comparison(worst, (least, worst), count),
        1e-3,
        "relative distance of a stationary fit's error from the optimum's",
        tuple(Row(f"{name}: largest distance", e) for name, e in excess.items()),
        note=f"{count} stationary fits from random lattices: every piece is the least-squares line "
        "of its own segment and meets its neighbours up to 1 % of the error. The interval spans "
        "the smallest and the largest distance.",
        series={"ratios": ratios},
        test="below",
    )


def stationary_as_stated(lab: Lab) -> Finding:
    """Stationary fits of all functions."""
    return _stationary(lab, ONE_WAY if lab.fault == "one_way" else PROBLEMS)


def stationary(lab: Lab) -> Finding:
    """Stationary fits of functions that bend one way."""
    return _stationary(lab, PROBLEMS if lab.fault == "both_ways" else ONE_WAY)


def continuity_free(lab: Lab) -> Finding:
    """What the best fit gains when its pieces need not meet."""
    both = tuple((p, (2,)) for p in PROBLEMS if not p.one_way)
    one_way = tuple((p, (2, 4, 8, 16)) for p in ONE_WAY)
    chosen = both if lab.fault == "both_ways" else one_way
    gains = {p.name: max(_gain(p, count) for count in counts) for p, counts in chosen}
    cubic = _gain(NAMED["x^3"], 2)
    worst = max(map(abs, gains.values()))
    return Finding(
        verdict(worst <= 1e-9),
        exact(worst),
        1e-9,
        "relative difference of the two errors",
        tuple(Row(f"{name}: largest difference, 2 to 16 pieces", g) for name, g in gains.items()),
        (
            Control(
                "Where the function bends both ways continuity may cost: x^3 with 2 pieces",
                verdict(cubic > 1e-3),
                cubic,
                (cubic, cubic),
            ),
        ),
        "The discontinuous fit comes from a descent of its own, which may open every knot.",
        test="below",
    )


def _gain(problem: Problem, count: int) -> float:
    """1 - E_discontinuous / E_continuous; the discontinuous one by descent from the density."""
    free = approximate(target(problem.name), segments=count, continuous=False)
    descended = approximate(
        target(problem.name), segments=count, continuous=False, solver=Descent()
    )
    return 1 - min(free.error, descended.error) / optimum(problem.name, count).error


def rate(lab: Lab) -> Finding:
    """n^2 E_n at 32 segments over its limit, and the slope of log E over log n."""
    counts = (4, 8, 16, 32)
    even = lab.fault == "even_knots"
    errors = {p.name: [_error(p, n, even) for n in counts] for p in ONE_WAY}
    limits = {p.name: limit_constant(target(p.name), "l2") for p in ONE_WAY}
    off = {name: e[-1] * counts[-1] ** 2 / limits[name] - 1 for name, e in errors.items()}
    slopes = {name: float(np.log2(e[-1] / e[-2])) for name, e in errors.items()}
    root = abs(off["sqrt(x)"])
    worst = max(abs(part) for name, part in off.items() if name != "sqrt(x)")
    steep = max(abs(slope + 2) for slope in slopes.values())
    return Finding(
        verdict(worst <= 0.02),
        exact(worst),
        0.02,
        "relative distance of 32^2 E_32 from its limit",
        (
            *(Row(f"{name}: 32^2 E_32 over the limit, minus 1", o) for name, o in off.items()),
            *(Row(f"{name}: slope of log E, 16 to 32 segments", s) for name, s in slopes.items()),
        ),
        (
            Control("The slope is -2 within 0.06", verdict(steep <= 0.06), steep, (steep, steep)),
            Control("sqrt(x) comes within 3 %", verdict(root <= 0.03), root, (root, root)),
        ),
        "The limit is (1/sqrt 720) (integral |f''|^(2/5))^(5/2).",
        {"counts": list(counts), "errors": errors, "limits": limits},
        test="below",
    )


def _error(problem: Problem, count: int, even: bool) -> float:
    """The optimum's error; or that of even knots, whose pieces need not even meet."""
    if not even:
        return optimum(problem.name, count).error
    knots = np.linspace(*problem.domain, count + 1)
    return misfit(problem.name, knots, problem.function(knots)).own


def minimax(lab: Lab) -> Finding:
    """Largest errors of minimax fits against Imamoto and Tang's descent and closed forms."""
    rows, off = [], []
    for problem in ONE_WAY:
        theirs = ImamotoTang()(target(problem.name), SEGMENTS).error
        off.append(_largest(problem, lab.fault == "interpolated") / theirs - 1)
        rows.append(Row(f"{problem.name}, 8 pieces: over Imamoto and Tang's, minus 1", off[-1]))
    root = approximate(target("sqrt(x)"), segments=SEGMENTS, norm="linf").error
    closed = root * 4 * SEGMENTS * (SEGMENTS + 1) - 1
    sine = approximate(resolve(np.sin, (0.0, np.pi)), segments=7, norm="linf").error
    worst = max(map(abs, [*off, closed]))
    return Finding(
        verdict(worst <= 1e-6),
        exact(worst),
        1e-6,
        "relative difference of largest errors",
        (
            *rows,
            Row("sqrt(x), 8 pieces: over 1 / (4 n (n + 1)), minus 1", closed),
            Row("sin(x) on [0, pi], 7 pieces: over the readme's, minus 1", sine / _README - 1),
        ),
        note=f"The readme is that of an implementation of Imamoto and Tang's descent, which prints "
        f"{_README} at its default tolerance; it is no number of the paper and decides nothing.",
        test="below",
    )


def _largest(problem: Problem, interpolated: bool) -> float:
    """Largest error of the best lattice at a fine grid and at its knots."""
    knots, values = approximate(target(problem.name), segments=SEGMENTS, norm="linf").pieces
    if interpolated:
        values = problem.function(knots)
    inner = [np.linspace(a, b, 2001) for a, b in pairwise(knots)]
    x = np.concatenate(inner)
    lines, members = pieces.lines_through(knots, values), pieces.lattice_mask(knots, values)
    heights = lines.at(x)
    found = np.max([heights[:, group].min(axis=1) for group in members], axis=0)
    return float(np.abs(found - problem.function(x)).max())
