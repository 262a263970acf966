"""Experiments on NeuronSeek's super-expressivity: what oscillation buys, what polynomials lack."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float

import neurons as nr
from theory import superexpressive as sup
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.exact import exact, numpy_generator, verdict
from theory.claims.statistics import Comparison, greater, mean_effect, same
from theory.greedy import slope

WIDTH, STEPS, POINTS, BATCH = 8, 20_000, 2048, 256
WAVES = (1, 2, 4, 8, 16, 32, 64)
FAR_WAVES = tuple(2**k for k in range(13))
SHATTERED, BEYOND, LABELLINGS = (5, 10, 13, 15), (16, 17, 18), 300
VALUES, INVERSE = (2, 3, 4), (8, 16, 32)
TARGETS, LIMIT = 100, 1 << 24
BIT_COUNTS = (2, 4, 6, 8, 10, 12, 14)


class Sweep(nnx.Module):
    """One independent quadratic ReLU network per wave, trained in one program.

    Args:
        waves: how many networks.
        rngs: source of the `params` key.
    """

    def __init__(self, waves: int, *, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.List(nr.Dense(nr.quadratic, 1, WIDTH, rngs=rngs) for _ in range(waves))
        self.out = nnx.List(nnx.Linear(WIDTH, 1, rngs=rngs) for _ in range(waves))

    def __call__(self, x: Float[Array, "batch 1"]) -> Float[Array, "batch waves"]:
        """The outputs of all networks."""
        pairs = zip(self.hidden, self.out, strict=True)
        return jnp.concatenate([out(nnx.relu(hidden(x))) for hidden, out in pairs], axis=1)


def _squared_error(model: Sweep, batch: tuple[Array, Array]) -> Array:
    """Added up over networks, so that none feels the others."""
    x, y = batch
    return jnp.sum(jnp.mean(jnp.square(model(x) - y), axis=0))


def sweep_errors(lab: Lab) -> list[list[float]]:
    """Normalised RMSE of trained networks on `sin(m x)`, `(seeds, waves)`."""
    x = np.linspace(-np.pi, np.pi, POINTS)
    y = np.sin(np.outer(x, WAVES))
    data = (jnp.asarray(x[:, None], jnp.float32), jnp.asarray(y, jnp.float32))
    epochs = max(1, round(lab.budget.effort * STEPS * BATCH / POINTS))
    batches = nr.Batches(data, size=BATCH, epochs=epochs)
    tx = optax.adam(optax.cosine_decay_schedule(1e-2, batches.steps))
    keys = jax.random.split(lab.key, lab.budget.seeds)

    def build(rngs: nnx.Rngs) -> Sweep:
        return Sweep(len(WAVES), rngs=rngs)

    runs = nr.fit_seeds(build, _squared_error, tx, batches, keys=keys)
    return [
        (np.linalg.norm(np.asarray(run.model(data[0])) - y, axis=0) / np.linalg.norm(y, axis=0))
        .astype(float)
        .tolist()
        for run in runs
    ]


def polynomial_aggregation(lab: Lab) -> Finding:
    """The least error of any fixed quadratic ReLU network on a fast sine, proved and trained.

    The effect is the proved lower bound at the fastest wave: no weights, however large, get below
    it. With the planted sinusoidal aggregator one neuron is exact.
    """
    pieces = sup.piece_bound(WIDTH)
    bounds = [sup.wave_error_bound(m, pieces, degree=2) for m in FAR_WAVES]
    effect = _sinusoid_error(FAR_WAVES[-1]) if lab.fault == "sinusoid" else bounds[-1]
    errors = lab.recall("sweep", lambda: sweep_errors(lab))
    seen, limit = _most_sign_changes(lab)
    rows = [
        Row(f"proved NRMSE on sin({m} x), {WIDTH} quadratic neurons", bound)
        for m, bound in zip(FAR_WAVES, bounds, strict=True)
        if bound > 0
    ]
    for m, found in zip(WAVES, np.transpose(errors), strict=True):
        mean = mean_effect(found)
        rows.append(Row(f"trained NRMSE on sin({m} x)", mean.effect, mean.interval))
    for width, layers in ((WIDTH, 1), (WIDTH, 2), (64, 3)):
        label = (
            f"{layers} x {width} quadratic neurons: wave of which half the RMSE is lost for good"
        )
        rows.append(Row(label, float(_lost_wave(width, layers))))
    return Finding(
        verdict(effect < 0.5),
        exact(effect),
        0.5,
        f"least NRMSE on sin({FAR_WAVES[-1]} x)",
        tuple(rows),
        (
            Control(
                "No random network changes its sign more often than pieces times degree allow",
                verdict(seen <= limit),
                float(seen),
                (float(seen), float(limit)),
            ),
        ),
        "Finitely many pieces of bounded degree: the bound needs no training and no limit on "
        "weights. Larger networks lose the same game at a higher frequency.",
        {
            "waves": list(WAVES),
            "trained": errors,
            "far_waves": list(FAR_WAVES),
            "bounds": {
                f"{layers} x {width}": [
                    sup.wave_error_bound(m, sup.piece_bound(width, layers), 2**layers)
                    for m in FAR_WAVES
                ]
                for width, layers in ((WIDTH, 1), (WIDTH, 2))
            },
        },
        "below",
    )


def _sinusoid_error(wave: int) -> float:
    """NRMSE of one neuron that aggregates by a sine, on `sin(m x)`."""
    x = np.linspace(-np.pi, np.pi, 20 * wave)
    target = np.sin(wave * x)
    neuron = np.sin(float(wave) * x)
    return float(np.linalg.norm(neuron - target) / np.linalg.norm(target))


def _most_sign_changes(lab: Lab) -> tuple[int, int]:
    """Most sign changes among random networks of three neurons in two layers, and their bound."""
    generator = numpy_generator(lab, 0)
    x = np.linspace(-4, 4, 4001)
    found = (
        sup.sign_changes(sup.random_network(x, 3, 2, generator))
        for _ in range(100 * lab.budget.seeds)
    )
    return max(found), sup.sign_change_bound(3, layers=2)


def _lost_wave(width: int, layers: int) -> int:
    """First power of two whose proved NRMSE exceeds one half."""
    wave = 1
    while sup.wave_error_bound(wave, sup.piece_bound(width, layers), 2**layers) <= 0.5:
        wave *= 2
    return wave


def shattering(lab: Lab) -> Finding:
    """Share of random labellings of K points that one oscillating neuron misses, in float64."""
    failures = {
        k: [_failures(lab, k, seed) for seed in range(lab.budget.seeds)]
        for k in (*SHATTERED, *BEYOND)
    }
    worst = max(max(failures[k]) for k in SHATTERED)
    rows = []
    for k, found in failures.items():
        mean = mean_effect([100 * share for share in found])
        rows.append(Row(f"K = {k}: labellings missed in float64, %", mean.effect, mean.interval))
    return Finding(
        verdict(worst == 0),
        Comparison(worst, (worst, worst), lab.budget.seeds),
        0.0,
        f"largest share missed, K up to {max(SHATTERED)}",
        tuple(rows),
        note="x_i = 10^-i, w = pi (1 + sum (1 - y_i) 10^i), label = sign of sin(w x_i); exact for "
        "every K in whole numbers. Beyond K = 15 the frequency outgrows float64's 53 bits.",
        series={"points": list(failures), "missed": list(failures.values())},
        test="below",
    )


def _failures(lab: Lab, k: int, seed: int) -> float:
    labels = numpy_generator(lab, 100 * seed + k).random((LABELLINGS, k)) < 0.5
    missed = sum(not _labelled(lab, y) for y in labels)
    return missed / LABELLINGS


def _labelled(lab: Lab, labels: np.ndarray) -> bool:
    frequency = sup.shattering_frequency(labels)
    if lab.fault != "polynomial":
        return sup.shatters(labels, frequency)
    angle = frequency * sup.shattering_points(len(labels))
    taylor = sum((-1) ** j * angle ** (2 * j + 1) / math.factorial(2 * j + 1) for j in range(4))
    return bool(np.array_equal(taylor > 0, labels))


def dense_trajectory(lab: Lab) -> Finding:
    """Slope of the log of the first frequency that follows K values, against log(1 / (2 eps))."""
    slopes = np.array(
        [[_trajectory_slope(lab, seed, k) for k in VALUES] for seed in range(lab.budget.seeds)]
    )
    comparison = mean_effect((slopes[:, :, 0] / np.array(VALUES)).mean(axis=1) - 1)
    rows = []
    for at, k in enumerate(VALUES):
        mean = mean_effect(slopes[:, at, 0])
        rows.append(Row(f"K = {k}: slope of log W (predicted {k})", mean.effect, mean.interval))
    special = [_trajectory_slope(lab, s, 3, primes=True)[0] for s in range(lab.budget.seeds)]
    mean = mean_effect(special)
    rows.append(Row("K = 3 along square roots of 2, 3, 5: slope", mean.effect, mean.interval))
    bits = sup.bits_to_follow(10, 2**-6)
    rows.append(Row("bits of w for K = 10, eps = 2^-6 (float64 has 53)", bits))
    return Finding(
        same(comparison, 0.1),
        comparison,
        0.1,
        "slope / K - 1",
        tuple(rows),
        note=f"First whole frequencies for {TARGETS} random targets a seed and eps = 1/16, 1/32, "
        "1/64, along random directions. One fixed triple may have a slope of its own at these "
        "frequencies: see the last row but one.",
        series={
            "inverse": list(INVERSE),
            "values": list(VALUES),
            "logs": slopes[:, :, 1:].mean(axis=0).tolist(),
        },
        test="same",
    )


def _trajectory_slope(lab: Lab, seed: int, k: int, primes: bool = False) -> list[float]:
    """The slope, then the mean logs that it was fitted to."""
    generator = numpy_generator(lab, 10 * seed + k)
    tolerances = [1 / (2 * inverse) for inverse in INVERSE]
    found = [
        sup.first_frequencies(
            generator.random(k), _directions(lab, k, primes, generator), tolerances, _limit(lab)
        )
        for _ in range(TARGETS)
    ]
    logs = np.log([[w or _limit(lab) for w in run] for run in found]).mean(axis=0)
    return [slope(INVERSE, np.exp(logs)), *logs.tolist()]


def _directions(lab: Lab, k: int, primes: bool, generator: np.random.Generator) -> np.ndarray:
    """Random ones are independent with probability one."""
    if lab.fault == "rational_directions":
        return np.arange(1, k + 1) / 7
    return sup.trajectory_directions(k) if primes else generator.random(k)


def _limit(lab: Lab) -> int:
    """Rational directions are periodic: no need to wait long."""
    return 1 << 14 if lab.fault == "rational_directions" else LIMIT


def bounded_parameter(lab: Lab) -> Finding:
    """Significant bits that a parameter in (0, 1] needs to label K points, per point."""
    found = np.array(
        [[_mean_bits(lab, seed, k) for k in BIT_COUNTS] for seed in range(lab.budget.seeds)]
    )
    per_point = [float(np.polyfit(BIT_COUNTS, run, 1)[0]) for run in found]
    comparison = mean_effect(per_point)
    rows = []
    for at, k in enumerate(BIT_COUNTS):
        mean = mean_effect(found[:, at])
        rows.append(Row(f"K = {k}: significant bits of s", mean.effect, mean.interval))
    return Finding(
        greater(comparison, 1.0),
        comparison,
        1.0,
        "bits per labelled point",
        tuple(rows),
        note="s = 1/w lies in (0, 1]: its magnitude is fixed, its digits are not. K labels hold K "
        f"bits, so that one a point is the least; this construction takes log2(10) = "
        f"{math.log2(10):.2f}.",
        series={"points": list(BIT_COUNTS), "bits": found.tolist()},
    )


def _mean_bits(lab: Lab, seed: int, k: int, draws: int = 30) -> float:
    labels = numpy_generator(lab, 50 * seed + k).random((draws, k)) < 0.5
    if lab.fault == "constant_labels":
        labels = np.ones_like(labels)
    bits = [sup.bits_of_bounded_parameter(y) for y in labels]
    return float(np.mean([b for b in bits if b is not None]))
