"""Deep residual networks of quadratic neurons: which starts survive training, by depth.

The network is ResNet's skeleton without convolution and normalisation: a linear stem, blocks of
two layers beside a shortcut, a linear head, so that depth 56 has 27 blocks. The task has two
classes: points inside and outside a sphere.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from jaxtyping import Float
from scipy import stats

import neurons as nr
from neurons.layer import Init
from theory.claims.claim import Control, Finding, Lab, Row
from theory.claims.statistics import Comparison, greater, mean_effect, paired

WIDTH, INPUTS, CLASSES = 16, 8, 2
DEPTHS = (10, 20, 32, 44, 56)
EXAMPLES, BATCH, STEPS = 512, 64, 400
RATE, SCALE = 0.05, 1e-3
# Percent of the runs that count as a difference, and nats of validation loss that count as harm.
MARGIN, HARM = 5.0, 0.02
# A run whose loss ends above ten times that of guessing has not learned badly: it has exploded.
EXPLODED = 10 * math.log(CLASSES)
_MEDIAN = float(stats.chi2.median(INPUTS))
_OPTIMIZER = optax.sgd(RATE, momentum=0.9)
# One transformation for all arms, whose scale is set in its state: they share a compilation.
_SLOWED = nr.relinear(_OPTIMIZER, SCALE)


class Block(nnx.Module):
    """`relu(h + N(D_2(relu(N(D_1(h))))))`, where N standardises over the features, or nothing."""

    def __init__(self, neuron: nr.Neuron, init: Init, normalised: bool, rngs: nnx.Rngs) -> None:
        self.normalised = normalised
        self.first = nr.Dense(neuron, WIDTH, WIDTH, init=init, rngs=rngs)
        self.second = nr.Dense(neuron, WIDTH, WIDTH, init=init, rngs=rngs)

    def __call__(self, h: Float[Array, "*batch width"]) -> Float[Array, "*batch width"]:
        """The block's output."""
        return nnx.relu(h + self._norm(self.second(nnx.relu(self._norm(self.first(h))))))

    def _norm(self, h: Array) -> Array:
        return jax.nn.standardize(h) if self.normalised else h


class ResidualNet(nnx.Module):
    """Stem, (depth - 2) / 2 blocks, head; the blocks are stacked, so that depth costs no compiling.

    Args:
        neuron: of the blocks.
        depth: even, at least 4: layers with weights.
        init: "relinear" or "common".
        normalised: whether each layer's output is standardised over its features.
        rngs: source of the `params` key.

    Raises:
        ValueError: for an odd or too small depth.
    """

    def __init__(
        self,
        neuron: nr.Neuron,
        depth: int,
        init: Init = "relinear",
        *,
        normalised: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        if depth < 4 or depth % 2:
            raise ValueError(f"depth must be even and at least 4, got {depth}")
        self.stem = nnx.Linear(INPUTS, WIDTH, rngs=rngs)

        def block(key: Array) -> tuple[Any, Any]:
            return nnx.split(Block(neuron, init, normalised, nnx.Rngs(params=key)))

        keys = jax.random.split(rngs.params(), (depth - 2) // 2)
        self.graph = block(keys[0])[0]
        # Drawn side by side: one after the other would take longer than the training of a few.
        self.blocks = nnx.data(jax.vmap(lambda key: block(key)[1])(keys))
        self.head = nnx.Linear(WIDTH, CLASSES, rngs=rngs)

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch classes"]:
        """Logits."""

        def block(h: Array, state: Any) -> tuple[Array, None]:
            return nnx.merge(self.graph, state)(h), None

        h, _ = jax.lax.scan(block, nnx.relu(self.stem(x)), self.blocks)
        return self.head(h)


def survival(
    lab: Lab, depth: int, init: Init, scale: float, *, normalised: bool = False
) -> dict[str, list[bool]]:
    """Which of the runs exploded, and which were not finite before the first step."""
    name = f"depth/{depth}/{init}/{scale:g}/{'normalised' if normalised else 'plain'}"

    def compute() -> dict[str, list[bool]]:
        runs = train(lab, nr.quadratic, depth, init, scale, normalised=normalised)
        ends = [float(np.mean(run.losses[-steps_per_epoch() :])) for run in runs]
        return {
            "exploded": [
                not (run.finite and end < EXPLODED) for run, end in zip(runs, ends, strict=True)
            ],
            "at_once": [not bool(np.isfinite(run.losses[0])) for run in runs],
        }

    found: dict[str, list[bool]] = lab.recall(name, compute)
    return found


def train(
    lab: Lab,
    neuron: nr.Neuron,
    depth: int,
    init: Init = "relinear",
    scale: float = 1.0,
    *,
    normalised: bool = False,
    validation: bool = False,
) -> Sequence[nr.Fit]:
    """Four runs per seed of the budget, from the same keys and batches whatever the arm."""
    key = jax.random.fold_in(lab.key, 1)
    epochs = max(1, math.ceil(STEPS * lab.budget.effort) // steps_per_epoch())
    build = partial(ResidualNet, neuron, depth, init, normalised=normalised)
    grown = neuron is not nr.conventional
    return nr.fit_seeds(
        build,
        nr.cross_entropy,
        _SLOWED if grown else _OPTIMIZER,
        nr.Batches(sphere(key, EXAMPLES), BATCH, epochs),
        keys=jax.random.split(jax.random.fold_in(lab.key, 2), 4 * lab.budget.seeds),
        settings={"relinear_scale": scale} if grown else None,
        validation=sphere(jax.random.fold_in(key, 1), 4 * EXAMPLES) if validation else None,
    )


def steps_per_epoch() -> int:
    """Batches in one pass."""
    return EXAMPLES // BATCH


def sphere(key: Array, examples: int) -> tuple[Array, Array]:
    """Standard normal points, and whether they lie outside the sphere that holds half of them."""
    x = jax.random.normal(key, (examples, INPUTS))
    return x, (jnp.sum(x**2, axis=1) > _MEDIAN).astype(jnp.int32)


def _share(runs: Sequence[bool]) -> float:
    return 100 * sum(runs) / len(runs)


def fewer_explode(lab: Lab) -> Finding:
    """Share of exploded runs, random start minus ReLinear, over five depths."""
    arms: dict[str, tuple[Init, float]] = {
        "random start, one rate": ("common", 1.0),
        "ReLinear start, one rate": ("relinear", 1.0),
        "ReLinear start and scale 0.001": ("relinear", SCALE),
    }
    if lab.fault == "relinear_twice":
        arms["random start, one rate"] = ("relinear", SCALE)
    found = {
        arm: [survival(lab, depth, *setting) for depth in DEPTHS] for arm, setting in arms.items()
    }
    random, start, both = (_flat(runs) for runs in found.values())
    comparison, growth = paired(random, both), paired(start, both)
    rows = tuple(
        Row(f"depth {depth}, {arm}: exploded runs, %", _share(run["exploded"]))
        for arm, runs in found.items()
        for depth, run in zip(DEPTHS, runs, strict=True)
    )
    at_once = [flag for run in found["random start, one rate"] for flag in run["at_once"]]
    return Finding(
        greater(comparison, MARGIN),
        comparison,
        MARGIN,
        "exploded runs more, % of all",
        (*rows, Row("random start: not finite before the first step, %", _share(at_once))),
        (
            Control(
                "The slow rate is needed too: the start alone lets more runs explode",
                greater(growth, MARGIN),
                growth.effect,
                growth.interval,
            ),
        ),
        "Without normalisation. Runs that are not finite before the first step explode at any "
        "rate: the random start doubles the degree with every layer.",
        {
            "depths": list(DEPTHS),
            "exploded": {
                arm: [_share(run["exploded"]) for run in runs] for arm, runs in found.items()
            },
            "runs": len(found["random start, one rate"][0]["exploded"]),
        },
    )


def fewer_explode_normalised(lab: Lab) -> Finding:
    """The same with standardised layers, as the paper's networks have batch normalisation."""
    depths, plain = (DEPTHS[0], DEPTHS[-1]), lab.fault == "no_normalisation"
    random = [survival(lab, d, "common", 1.0, normalised=not plain) for d in depths]
    both = [survival(lab, d, "relinear", SCALE, normalised=not plain) for d in depths]
    comparison = paired(_flat(random), _flat(both))
    arms = {"random start, one rate": random, "ReLinear start and scale 0.001": both}
    return Finding(
        greater(comparison, MARGIN),
        comparison,
        MARGIN,
        "exploded runs more, % of all",
        tuple(
            Row(f"depth {depth}, normalised, {arm}: exploded runs, %", _share(run["exploded"]))
            for arm, runs in arms.items()
            for depth, run in zip(depths, runs, strict=True)
        ),
        note="Every layer's output is standardised over its features, which bounds what a product "
        "can do to the next layer.",
        series={
            "depths": list(depths),
            "exploded": {a: [_share(run["exploded"]) for run in runs] for a, runs in arms.items()},
        },
    )


def _flat(runs: Sequence[dict[str, list[bool]]]) -> list[float]:
    """100 for every run that exploded and 0 for every other, over all depths."""
    return [100.0 * flag for run in runs for flag in run["exploded"]]


def scale_zero(lab: Lab) -> Finding:
    """Largest difference of the loss curves, quadratic at scale 0 against conventional."""
    scale = 0.1 if lab.fault == "scale_tenth" else 0.0
    frozen = train(lab, nr.quadratic, DEPTHS[0], scale=scale)
    plain = train(lab, nr.conventional, DEPTHS[0])
    apart = [
        float(np.abs(ours.losses - theirs.losses).max())
        for ours, theirs in zip(frozen, plain, strict=True)
    ]
    # A comparison with NaN is never below the margin.
    worst = max(apart) if np.isfinite(apart).all() else math.inf
    return Finding(
        "supported" if worst < 1e-6 else "refuted",
        Comparison(worst, (min(apart), worst), len(apart)),
        1e-6,
        "largest difference of training losses, nats",
        note=f"Depth {DEPTHS[0]}, {plain[0].losses.size} steps; the interval spans the smallest "
        "and largest difference over runs.",
        series={
            "scale zero": [float(x) for x in frozen[0].losses],
            "conventional": [float(x) for x in plain[0].losses],
        },
        test="below",
    )


def small_scale_harmless(lab: Lab) -> Finding:
    """Validation loss at scale 0 minus that at a small scale, and the whole curve."""
    scales = (0.0, 1e-3, 1e-2, 1e-1, 1.0)

    curve = lab.recall("scales", lambda: [_validated(lab, "relinear", s) for s in scales])
    chosen = curve[scales.index(SCALE)]
    if lab.fault == "random_start":
        chosen = _validated(lab, "common", 1.0)
    comparison = paired(curve[0], chosen)
    means = [mean_effect(values) for values in curve]
    return Finding(
        greater(comparison, -HARM),
        comparison,
        -HARM,
        "nats of validation loss less than at scale 0",
        tuple(
            Row(f"scale {scale:g}: validation loss, nats", found.effect, found.interval)
            for scale, found in zip(scales, means, strict=True)
        ),
        (
            Control.above("A scale of 0.1 beats scale 0", paired(curve[0], curve[3])),
            Control.above("A scale of 1 beats scale 0", paired(curve[0], curve[4])),
        ),
        f"Depth {DEPTHS[0]}; losses of exploded runs count as {EXPLODED:.2f}, ten times guessing.",
        {"scales": list(scales), "validation": curve},
    )


def _validated(lab: Lab, init: Init, scale: float) -> list[float]:
    """Last validation loss of every run; what exploded counts as :data:`EXPLODED`."""
    runs = train(lab, nr.quadratic, DEPTHS[0], init, scale, validation=True)
    ends = [float(run.validation[-1]) for run in runs]
    return [min(end, EXPLODED) if np.isfinite(end) else EXPLODED for end in ends]
