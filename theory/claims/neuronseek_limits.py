"""What NS-TD's gates cannot decide, and how its time grows with the inputs."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurons.data.interaction_cases import Sample, sample
from neurons.search.hard_concrete import NsTd, compiled
from neurons.search.interactions import interactions, symmetric
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, numpy_generator, verdict
from theory.claims.neuronseek_structure import FULL_EFFORT, INPUTS, LEAST_SQUARES, NS_TD
from theory.claims.statistics import below, mean_effect

ROWS, WIDTHS = 2500, (10, 30, 100)
TIMED = 20  # epochs, from budget laptop up


def structure_is_not_unique(lab: Lab) -> Finding:
    """Powers 1 and 2 written as interactions of orders 1 and 2: the largest coefficient error.

    A product of two projections has one positive and one negative eigenvalue at most, so that
    `w . x^2` needs as many products as `w` has entries of one sign: 5 of the 8 where signs
    alternate, 10 where all are positive.
    """
    generator, rank = numpy_generator(lab, 2), NsTd().rank
    signs = np.ones(INPUTS) if lab.fault == "one_sign" else np.tile([1.0, -1.0], INPUTS // 2)
    worst, needed = 0.0, 0
    for _ in range(lab.budget.seeds):
        w = signs * np.abs(generator.standard_normal(INPUTS))
        products = squares_as_products(w)
        needed = max(needed, len(products))
        linear, squares = symmetric(w[None, None]), symmetric(products[:rank])
        error = max(np.abs(linear - w).max(), np.abs(squares - np.diag(w)).max())
        worst = max(worst, float(error))
    return Finding(
        verdict(worst < 1e-12),
        exact(worst),
        1e-12,
        "largest error of a coefficient",
        (
            Row("products needed for w . x^2 of 10 inputs, signs alternating", float(needed)),
            Row("products needed for sum_i x_i^2 of 10 inputs", float(INPUTS)),
            Row("products that NS-TD has per order", float(rank)),
        ),
        note="Only sums of squares with more than 8 weights of one sign are beyond the "
        "interactions of order 2. Order 1 coincides with power 1 always.",
        test="below",
    )


def squares_as_products(w: np.ndarray) -> np.ndarray:
    """Factors `(rank, 2, inputs)` of `w . x^2`: `a^2 - b^2 = (a + b) (a - b)`, the rest squares."""
    eye = np.sqrt(np.abs(w))[:, None] * np.eye(len(w))
    up, down = list(eye[w > 0]), list(eye[w < 0])
    paired_up = min(len(up), len(down))
    found = [(a + b, a - b) for a, b in zip(up, down, strict=False)]
    found += [(a, a) for a in up[paired_up:]] + [(b, -b) for b in down[paired_up:]]
    return np.array(found)


def flat_in_inputs(lab: Lab) -> Finding:
    """CPU time of NS-TD's training with 100 inputs over that with 10, one run at a time."""
    epochs = max(4, round(min(1.0, lab.budget.effort / FULL_EFFORT) * TIMED))
    programs = [_training(lab, width, epochs) for width in WIDTHS]
    repeats = range(lab.budget.seeds)
    trained = np.array([[program(seed) for program in programs] for seed in repeats])
    solved = [_least_squares_seconds(lab, width) for width in WIDTHS]
    comparison = mean_effect(trained[:, -1] / trained[:, 0])
    growth = solved[-1] / solved[0]
    rows = [
        Row.mean(f"{NS_TD}, {width} inputs: CPU seconds", trained[:, at])
        for at, width in enumerate(WIDTHS)
    ]
    rows += [
        Row(f"{LEAST_SQUARES}, {width} inputs: CPU seconds", seconds)
        for width, seconds in zip(WIDTHS, solved, strict=True)
    ]
    return Finding(
        below(comparison, 1.5),
        comparison,
        1.5,
        f"CPU time with {WIDTHS[-1]} inputs over that with {WIDTHS[0]}",
        tuple(rows),
        (Control("Our least squares is flat", verdict(growth < 1.5), growth, (growth, growth)),),
        f"NS-TD: {epochs} epochs without compilation, scaled to its 200. CPU time, which other "
        "processes do not disturb, stands for wall time. Flat is read as at most "
        "half as much again; parameters grow tenfold.",
        {
            "inputs": list(WIDTHS),
            "seconds": {NS_TD: trained.tolist(), LEAST_SQUARES: [solved]},
        },
        "below",
    )


def _least_squares_seconds(lab: Lab, width: int) -> float:
    drawn = _hybrid(width)
    return _timed(lambda: interactions(drawn.x, drawn.y, key=lab.key))


def _hybrid(width: int) -> Sample:
    """The authors' case for scalability."""
    return sample("hybrid 1", rows=ROWS, inputs=width, formula=1)


def _training(lab: Lab, width: int, epochs: int) -> Callable[[int], float]:
    """A compiled training; the function times it and scales to all epochs."""
    drawn = _hybrid(width)
    x, y = jnp.asarray(drawn.x[None], jnp.float32), jnp.asarray(drawn.y[None], jnp.float32)
    train = compiled(NsTd(epochs=epochs)).lower(x, y, lab.key[None]).compile()
    jax.block_until_ready(train(x, y, lab.key[None]))  # the first call is slower
    whole = NsTd().epochs / epochs / (width if lab.fault == "per_input" else 1)

    def seconds(seed: int) -> float:
        key = jax.random.fold_in(lab.key, seed)[None]
        return whole * _timed(lambda: jax.block_until_ready(train(x, y, key)), repetitions=3)

    return seconds


def _timed(run: Callable[[], Any], repetitions: int = 1) -> float:
    """CPU seconds of the cheapest repetition: other processes' work does not count."""
    seconds = []
    for _ in range(repetitions):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)
