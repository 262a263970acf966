"""The study behind the claims on heterogeneous autoencoders: tables x networks x seeds.

All seeds of one network on one table train in one program and are one unit of the lab's memory,
which keeps what every seed's scores say (AUC, counts at the threshold), not the scores. What a
budget buys is a fixed rule: ten repetitions at `laptop` and `paper` (twice its seeds), all 100
epochs from `laptop` on (five times its effort), and of every table at most 2,000 rows, or 128,000
numbers, times data / (1 - data): all rows at `paper`.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from neurons.backbones.autoencoder import autoencoder, reconstruction_error
from neurons.data import (
    AnomalySplit,
    AnomalyTable,
    AnomalyTables,
    simulated_anomalies,
    split_anomalies,
)
from neurons.neuron import Neuron
from neurons.quadratic import compact, product_only, quadratic
from neurons.relinear import relinear
from neurons.training import Batches, Fit, fit_seeds
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator
from theory.claims.outlier_baselines import BASELINES, Baseline, SplitScores
from theory.claims.outlier_scores import roc_auc, threshold

EPOCHS, BATCH, RATE, DECAY, RATIO = 100, 128, 1e-3, 1e-5, 0.05
ROWS, NUMBERS = 2000, 128_000

FORMS: Mapping[str, Neuron] = {
    "standard": quadratic,
    "linear and power": compact,
    "product only": product_only,
}
# Widths of the encoder as divisors of the inputs; the decoder mirrors them.
DIVISORS: Mapping[str, tuple[int, ...]] = {
    "V1": (2, 4),
    "V2": (2, 3, 4),
    "V3": (2, 3, 4, 4),
    "V4": (2, 3, 3, 4, 4),
}


class Kind(NamedTuple):
    """What is trained: an autoencoder of the library, and where it leaves the paper's protocol.

    Args:
        name: one of `neurons.backbones.autoencoder.AUTOENCODERS`.
        depth: key of :data:`DIVISORS`, or "wide" for as many parameters as HAE-X has, by a wider
            hidden layer before the same bottleneck.
        form: key of :data:`FORMS`.
        corrected: whether sigmoid and dropout of the output are left out.
        best: whether the epoch of the lowest loss on the training rows is kept, not the last one.
        ratio: the grown parameters' share of the learning rate.
    """

    name: str
    depth: str = "V1"
    form: str = "standard"
    corrected: bool = False
    best: bool = False
    ratio: float = RATIO

    def __str__(self) -> str:
        marks = [mark for mark in (self.depth, self.form) if mark not in ("V1", "standard")]
        marks += [field for field in ("corrected", "best") if getattr(self, field)]
        marks += [f"ratio {self.ratio:g}"] * (self.ratio != RATIO)
        return " ".join((self.name, *marks))


WIDE = Kind("AE", "wide")


def distance(train: np.ndarray, test: np.ndarray, seed: int) -> SplitScores:
    """Distance of z-scored rows from the mean: an autoencoder that has learned nothing."""
    del seed
    return SplitScores(*(np.linalg.norm(rows, axis=1) for rows in (train, test)))


DETECTORS: Mapping[str, Baseline] = {**BASELINES, "distance": distance}


def simulated_sets() -> AnomalyTables:
    """The simulated tables, all as wide as the widest by idle inputs drawn from N(0, 1).

    Tables of one shape share compiled programs, so that a check without data takes a fourth of the
    time.
    """
    made = simulated_anomalies()
    most, random = max(table.x.shape[1] for table in made.tables), np.random.default_rng(0)
    tables = []
    for table in made.tables:
        idle = random.standard_normal((len(table.x), most - table.x.shape[1]))
        x = np.concatenate([table.x, idle], axis=1)
        tables.append(replace(table, x=x, source=f"{table.source}; {idle.shape[1]} idle inputs"))
    return AnomalyTables(made.name, tuple(tables), simulated=True)


def repetitions(lab: Lab) -> int:
    """Splits of a table, each with networks of its own: ten at `laptop` and `paper`."""
    return 2 * lab.budget.seeds


def epochs(lab: Lab) -> int:
    """Passes over the training rows."""
    return max(1, min(EPOCHS, round(5 * EPOCHS * lab.budget.effort)))


def rows_kept(lab: Lab, table: AnomalyTable) -> int | None:
    """The most rows of a table that the budget pays for; `None` for all."""
    share = lab.budget.data
    if share == 1:
        return None
    return max(40, round(min(ROWS, NUMBERS / table.x.shape[1]) * share / (1 - share)))


def splits(lab: Lab, table: AnomalyTable, seeds: int) -> list[AnomalySplit]:
    """The splits of a table, the same for every network and detector."""
    place, kept = lab.data.names.index(table.name), rows_kept(lab, table)
    numbers = [numpy_generator(lab, seed, place).integers(2**31) for seed in range(seeds)]
    return [split_anomalies(table, int(n), missing="mean", rows=kept) for n in numbers]


Outcome = Mapping[str, Any]


def outcome(lab: Lab, kind: Kind | str, name: str, *, seeds: int | None = None) -> Outcome:
    """What a network or detector makes of a table, trained or recalled.

    Args:
        lab: budget, key, data, memory.
        kind: what is trained, or a key of :data:`DETECTORS`.
        name: of the table.
        seeds: repetitions, by default :func:`repetitions`.

    Returns:
        `auc` and `counts` (hits, false alarms, misses, quiet rows at the threshold) of every seed;
        for networks also `parameters`, whether every run stayed `finite`, and an `example`: a
        normal and an anomalous row of the first seed's test with their reconstructions.
    """
    count = repetitions(lab) if seeds is None else seeds
    table = lab.data[name]
    unit = f"{lab.data.name}/{name}/{kind}/{count} seeds"

    def compute() -> dict[str, Any]:
        if isinstance(kind, str):
            return _detected(lab, kind, table, count)
        return _trained(lab, kind, table, count)

    found: Outcome = lab.recall(unit, compute)
    return found


def _detected(lab: Lab, kind: str, table: AnomalyTable, seeds: int) -> dict[str, Any]:
    parts = splits(lab, table, seeds)
    scored = [DETECTORS[kind](part.train, part.test, seed) for seed, part in enumerate(parts)]
    return _judged(parts, scored)


def _judged(parts: list[AnomalySplit], scored: list[SplitScores]) -> dict[str, Any]:
    pairs = list(zip(parts, map(_numbers, scored), strict=True))
    return {
        "auc": [roc_auc(part.labels, scores.test) for part, scores in pairs],
        "counts": [_counts(part, scores) for part, scores in pairs],
    }


def _numbers(scores: SplitScores) -> SplitScores:
    """A network that diverged says nothing: all its rows score alike, an AUC of one half."""
    return SplitScores(
        *(np.nan_to_num(part.astype(np.float64), posinf=0.0) for part in scores),
    )


def _counts(part: AnomalySplit, scores: SplitScores) -> list[int]:
    """Hits, false alarms, misses and quiet rows at the paper's threshold."""
    flagged = scores.test > threshold(scores.train, part.contamination)
    found = (
        (part.labels & flagged, ~part.labels & flagged),
        (part.labels & ~flagged, ~part.labels & ~flagged),
    )
    return [int(rows.sum()) for pair in found for rows in pair]


def build(kind: Kind, inputs: int, *, rngs: nnx.Rngs) -> nnx.Module:
    """A fresh network of a kind."""
    return autoencoder(
        kind.name,
        inputs,
        widths=widths(kind, inputs),
        first=FORMS[kind.form],
        corrected=kind.corrected,
        rngs=rngs,
    )


@lru_cache(maxsize=256)
def widths(kind: Kind, inputs: int) -> tuple[int, ...]:
    """Widths of a kind's encoder.

    Example:
        >>> widths(Kind("AE"), 64), widths(WIDE, 64)
        ((32, 16), (130, 16))
    """
    if kind.depth != "wide":
        return tuple(max(inputs // divisor, 1) for divisor in DIVISORS[kind.depth])
    bottleneck, aim = max(inputs // 4, 1), parameters(Kind("HAE-X"), inputs)
    # An autoencoder's parameters grow linearly with the width of its hidden layers.
    few, more = (_count(lambda w=w: _plain(inputs, (w, bottleneck))) for w in (1, 2))
    return 1 + max(0, -(-(aim - few) // (more - few))), bottleneck


def _plain(inputs: int, wide: tuple[int, ...]) -> nnx.Module:
    return autoencoder("AE", inputs, widths=wide, rngs=nnx.Rngs(0))


@lru_cache(maxsize=256)
def parameters(kind: Kind, inputs: int) -> int:
    """Trained numbers of a kind's network, those of batch normalisation included."""
    return _count(lambda: build(kind, inputs, rngs=nnx.Rngs(0)))


def _count(make: Any) -> int:
    """Parameters of what `make` would make, without making it."""
    shapes = jax.eval_shape(lambda: nnx.state(make(), nnx.Param))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


@lru_cache(maxsize=1)
def optimizer() -> optax.GradientTransformation:
    """Adam at 1e-3 with an L2 penalty of 1e-5, the grown parameters at a share of the rate.

    All parameters step as one flat array, which compiles to far fewer kernels.
    """
    adam = optax.chain(optax.add_decayed_weights(DECAY), optax.adam(RATE))
    return relinear(optax.flatten(adam), RATIO)


def _trained(lab: Lab, kind: Kind, table: AnomalyTable, seeds: int) -> dict[str, Any]:
    parts = splits(lab, table, seeds)
    runs = _train(lab, kind, table, parts)
    rebuilt = _reconstructions([run.model for run in runs], parts)
    scored = [
        SplitScores(*(np.linalg.norm(x - again, axis=1) for x, again in zip(xs, pair, strict=True)))
        for xs, pair in zip(((part.train, part.test) for part in parts), rebuilt, strict=True)
    ]
    return {
        **_judged(parts, scored),
        "parameters": parameters(kind, table.x.shape[1]),
        "finite": all(run.finite for run in runs),
        "example": _example(parts[0], scored[0], rebuilt[0][1]),
    }


def _train(lab: Lab, kind: Kind, table: AnomalyTable, parts: list[AnomalySplit]) -> tuple[Fit, ...]:
    place = lab.data.names.index(table.name)
    key = jax.random.fold_in(lab.key, place)
    batches = [
        Batches(jnp.asarray(part.train), min(BATCH, len(part.train)), epochs(lab)) for part in parts
    ]
    held = [part.train for part in parts] if kind.best else None
    return fit_seeds(
        partial(build, kind, table.x.shape[1]),
        reconstruction_error,
        optimizer(),
        batches,
        keys=[jax.random.fold_in(key, seed) for seed in range(len(parts))],
        validation=held,
        select="best" if kind.best else "last",
        settings={"relinear_scale": kind.ratio},
        loop="scan",
        vectorise=True,
    )


def _reconstructions(
    models: list[nnx.Module], parts: list[AnomalySplit]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and test rows of every seed as its network rebuilds them, in one program."""
    graph, _ = nnx.split(models[0])
    states = [nnx.split(model)[1] for model in models]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    rows = np.stack([np.concatenate([part.train, part.test]) for part in parts])
    found = np.asarray(_forward(graph)(stacked, rows))
    return [
        (seed[: len(p.train)], seed[len(p.train) :]) for seed, p in zip(found, parts, strict=True)
    ]


@lru_cache(maxsize=32)
def _forward(graph: Any) -> Any:
    return jax.jit(jax.vmap(lambda state, x: nnx.merge(graph, state)(x)))


def _example(part: AnomalySplit, scores: SplitScores, rebuilt: np.ndarray) -> dict[str, Any]:
    """The normal and the anomalous test row of median score, and what the network makes of them."""
    found: dict[str, Any] = {"threshold": threshold(scores.train.astype(float), part.contamination)}
    for word, wanted in (("normal", False), ("anomalous", True)):
        rows = np.flatnonzero(part.labels == wanted)
        row = rows[np.argsort(scores.test[rows])[len(rows) // 2]]
        found[word] = {
            "row": int(part.test_rows[row]),
            "x": part.test[row].tolist(),
            "reconstruction": rebuilt[row].tolist(),
            "score": float(scores.test[row]),
        }
    return found
