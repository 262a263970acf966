"""Experiments on the search's compressed data: exact, mergeable, honest, and cheap."""

import time
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from neurons.search import Frame, Space, Triangle, compress, curve, search
from neurons.search.reduced import reduce_triangle
from theory.claims.claim import Finding, Lab, Row
from theory.claims.exact import exact, numpy_generator, verdict
from theory.claims.neuron_search_problems import PUBLIC, REACH, Function, draw
from theory.claims.statistics import Comparison, below, mean_effect, same

FRAME = Frame(-REACH, REACH)
SHAPES = ((40, 3), (1000, 1), (1000, 100), (20000, 10))  # samples, inputs
NOISE = 0.1
SHOWN = ("sin 2.7x + 0.3x²", "1.5x exp(-0.5x²)", "0.8x² cos x + exp 0.5x")
_TIMED = "sin 2.7x + 0.3x²"
_REPEATS = 2  # the fastest counts
_MANY = 5000  # samples
_READING = (
    "Median of repetitions, the faster of two runs each, in seconds of processor time; the "
    "interval spans all repetitions."
)


def smooth(random: np.random.Generator) -> Function:
    """A random smooth function: a wave, an exponential and a bell."""
    a, b, c, d, e, f = random.uniform(-1.5, 1.5, 6)
    return lambda x: a * np.sin(3 * b * x + c) + d * np.exp(e * x) + f / (1 + 0.5 * x**2)


def loss_is_exact(lab: Lab) -> Finding:
    """Squared loss of random functions by the triangle against that on all samples."""
    degree = 16 if lab.fault == "few_moments" else 64
    worst = {
        shape: max(_loss_error(lab, *shape, degree, seed) for seed in range(lab.budget.seeds))
        for shape in SHAPES
    }
    effect = max(worst.values())
    rows = [Row(f"{n} samples of {d} inputs: relative error", e) for (n, d), e in worst.items()]
    return Finding(
        verdict(effect < 1e-9),
        exact(effect),
        1e-9,
        "relative error of the squared loss",
        tuple(rows),
        note="Largest of all random functions; 64 moments resolve these functions to rounding.",
        test="below",
    )


def _loss_error(lab: Lab, samples: int, inputs: int, degree: int, seed: int) -> float:
    random = numpy_generator(lab, samples, inputs, seed)
    x, y = draw(smooth(random), inputs, NOISE, random, samples=samples)
    guess = smooth(random)
    raw = np.sum((y - guess(x).sum(axis=1) - np.mean(y - guess(x).sum(axis=1))) ** 2)
    problem = reduce_triangle(compress(x, y, FRAME, degree=degree))
    short = problem.target[:, 0] - problem.columns(guess(problem.nodes))
    return float(abs(np.sum(short**2) + problem.rest - raw) / raw)


def merging_is_exact(lab: Lab) -> Finding:
    """The triangle of merged shards against that of all data."""
    errors = [_merge_error(lab, seed) for seed in range(lab.budget.seeds)]
    return Finding(
        verdict(max(errors) < 1e-12),
        exact(max(errors)),
        1e-12,
        "largest difference over the largest entry",
        (Row("largest relative difference of the triangles", max(errors)),),
        note="Eight shards of unequal size, merged one after the other.",
        test="below",
    )


def _merge_error(lab: Lab, seed: int) -> float:
    random = numpy_generator(lab, seed)
    x, y = draw(smooth(random), 10, NOISE, random, samples=5000)
    cuts = np.sort(random.choice(np.arange(1, len(x)), 7, replace=False))
    shards = [
        compress(a, b, FRAME) for a, b in zip(np.split(x, cuts), np.split(y, cuts), strict=True)
    ]
    merged = reduce(Triangle.merge, shards[1:] if lab.fault == "lost_shard" else shards)
    whole = compress(x, y, FRAME).factor
    return float(np.abs(merged.factor - whole).max() / np.abs(whole).max())


def compression_is_linear(lab: Lab) -> Finding:
    """Eight times the data against its price in time."""
    sizes = (1000, 8000, 64000)
    repeats = range(max(3, lab.budget.seeds))

    def compute() -> list[list[float]]:
        return [[_compress_seconds(lab, n, 20, repeat) for n in sizes] for repeat in repeats]

    seconds = lab.recall("seconds by samples", compute)
    times = 2 if lab.fault == "compress_twice" else 1
    ratios = [times * row[2] / row[1] for row in seconds]
    comparison = _median(ratios)
    return Finding(
        below(comparison, 9.0),
        comparison,
        9.0,
        "times the seconds for 8 times the data",
        (
            *(
                Row(f"{n:,} samples of 20 inputs, s", float(np.median([row[k] for row in seconds])))
                for k, n in enumerate(sizes)
            ),
            Row(
                "8,000 samples against 1,000, times", _median([r[1] / r[0] for r in seconds]).effect
            ),
        ),
        note=_READING,
        series={"samples": sizes, "seconds": seconds, "inputs": 20},
        test="below",
    )


def _median(values: Sequence[float]) -> Comparison:
    """Median of repetitions with its smallest and largest value."""
    return Comparison(float(np.median(values)), (min(values), max(values)), len(values))


def _compress_seconds(lab: Lab, samples: int, inputs: int, repeat: int) -> float:
    random = numpy_generator(lab, samples, inputs, repeat)
    x, y = draw(PUBLIC[_TIMED].function, inputs, NOISE, random, samples=samples)
    return _fastest(lambda: compress(x, y, FRAME))


def _fastest(work: Callable[[], Any]) -> float:
    """Seconds of processor time, which other people's work on the machine hardly touches."""

    def once() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return min(once() for _ in range(_REPEATS))


def search_is_free_of_inputs(lab: Lab) -> Finding:
    """Seconds of a search after compression with 100 inputs against 5."""
    widths = (5, 20, 100)
    repeats = range(max(3, lab.budget.seeds))

    def compute() -> list[list[dict[str, float]]]:
        return [[_search_seconds(lab, width, repeat) for width in widths] for repeat in repeats]

    runs = lab.recall("seconds by inputs", compute)
    raw = lab.fault == "raw_samples"
    after = [[run["search"] + raw * run["raw"] for run in row] for row in runs]
    comparison = _median([row[-1] / row[0] for row in after])
    rows = [
        Row(f"{width} inputs: {part}, s", float(np.median([row[k][part] for row in runs])))
        for k, width in enumerate(widths)
        for part in ("compression", "search")
    ]
    return Finding(
        below(comparison, 1.5),
        comparison,
        1.5,
        "times the seconds for 20 times the inputs",
        tuple(rows),
        note=_READING,
        series={
            "inputs": widths,
            "samples": _MANY,
            "compression": [[run["compression"] for run in row] for row in runs],
            "search": [[run["search"] for run in row] for row in runs],
        },
        test="below",
    )


def _search_seconds(lab: Lab, inputs: int, repeat: int) -> dict[str, float]:
    random = numpy_generator(lab, inputs, repeat)
    function = PUBLIC[_TIMED].function
    x, y = draw(function, inputs, 0.0, random, samples=_MANY)
    triangle = compress(x, y, FRAME)
    return {
        "raw": 60 * _fastest(lambda: np.sum((y - function(x).sum(axis=1)) ** 2)),
        "compression": _fastest(lambda: compress(x, y, FRAME)),
        "search": _fastest(lambda: search(triangle, key=0)),
    }


def band_covers(lab: Lab) -> Finding:
    """How often the deconvolved curve's 95 % band holds the true curve, point by point."""
    covered = {
        name: [_coverage(lab, name, seed) for seed in range(20 * lab.budget.seeds)]
        for name in SHOWN
    }
    by_seed = np.mean(list(covered.values()), axis=0)
    comparison = mean_effect(by_seed)
    middle = mean_effect(by_seed - 94.5)
    return Finding(
        same(middle, 4.5),
        middle,
        4.5,
        "points of coverage above 94.5 %",
        (
            Row("coverage, %", comparison.effect, comparison.interval),
            *(Row.mean(f"{name}: coverage, %", values) for name, values in covered.items()),
        ),
        note="Share of the 64 nodes, both curves with mean 0 over them; the degree of the curve is "
        "chosen by BIC, which the band does not know of.",
        series={"curves": {name: _shown(lab, name) for name in SHOWN}, "noise": NOISE},
        test="same",
    )


def _deconvolved(lab: Lab, name: str, seed: int) -> dict[str, np.ndarray]:
    random = numpy_generator(lab, SHOWN.index(name), seed)
    x, y = draw(PUBLIC[name].function, 5, NOISE, random)
    found = curve(compress(x, y, FRAME))
    true = PUBLIC[name].function(found.x)
    error = found.error[:, 0] * (0.5 if lab.fault == "half_errors" else 1.0)
    return {
        "x": found.x,
        "value": found.value[:, 0],
        "error": error,
        "true": true - true.mean(),
    }


def _coverage(lab: Lab, name: str, seed: int) -> float:
    found = _deconvolved(lab, name, seed)
    inside = np.abs(found["value"] - found["true"]) <= 1.96 * found["error"]
    return float(100 * inside.mean())


def _shown(lab: Lab, name: str) -> dict[str, list[float]]:
    return {key: values.tolist() for key, values in _deconvolved(lab, name, 0).items()}


def ceiling_tells_interactions(lab: Lab) -> Finding:
    """The ceiling of a target that is half interactions, beside the share that is not."""
    found = [
        _lack_of_fit(lab, lab.fault != "no_interactions", s) for s in range(4 * lab.budget.seeds)
    ]
    additive = [_lack_of_fit(lab, False, s) for s in range(4 * lab.budget.seeds)]
    comparison = mean_effect([fit["ceiling"] - 0.5 for fit in found])
    return Finding(
        same(comparison, 0.05),
        comparison,
        0.05,
        "ceiling of R^2 less the additive share",
        (
            Row.mean("half of the variance by products: ceiling", [f["ceiling"] for f in found]),
            Row.mean("no products: ceiling", [f["ceiling"] for f in additive]),
        ),
        test="same",
    )


def noise_is_known(lab: Lab) -> Finding:
    """The estimated noise of an additive target against the true one."""
    found = [_lack_of_fit(lab, lab.fault == "interactions", s) for s in range(4 * lab.budget.seeds)]
    comparison = mean_effect([100 * (fit["noise"] / fit["true noise"] - 1) for fit in found])
    return Finding(
        same(comparison, 10.0),
        comparison,
        10.0,
        "% of the noise's deviation",
        (
            Row.mean("estimated deviation of the noise", [fit["noise"] for fit in found]),
            Row.mean("true deviation", [fit["true noise"] for fit in found]),
        ),
        test="same",
    )


def _lack_of_fit(lab: Lab, interactions: bool, seed: int) -> dict[str, float]:
    """Ceiling and noise of 2,000 samples, half of whose variance is products, or 1 % is noise.

    Neither depends on the language that is searched, so that powers do.
    """
    random = numpy_generator(lab, seed)
    x, y = draw(PUBLIC[_TIMED].function, 6, 0.0, random, samples=2000)
    noise = NOISE * y.std()
    if interactions:
        products = (x[:, ::2] * x[:, 1::2]).sum(axis=1)
        y = y + products * y.std() / products.std()
    else:
        y = y + noise * random.standard_normal(len(y))
    fit = search(x, y, Space(functions=()), key=seed).lack_of_fit
    return {"ceiling": fit.ceiling, "noise": fit.noise, "true noise": float(noise)}
