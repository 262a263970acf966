"""Clouds whose principal axes are doubtful: equal variances, and variances that nearly are."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from neurons.backbones.cloud_rain import Invariant
from neurons.data.procedural_shapes import rotations
from theory.claims import cloud_rain_study as study
from theory.claims.claim import Lab
from theory.claims.cloud_rain_study import POINTS, Clouds
from theory.claims.exact import numpy_generator

SPREADS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
FALLBACK = 1e-3  # relative gap under which axes are built from points
OF_EACH = 40  # clouds for every spread, turns of every symmetric cloud


@lru_cache
def symmetric_clouds() -> Mapping[str, np.ndarray]:
    """Corners of regular bodies, all with equal variances, repeated to `POINTS` points."""
    golden = (1 + 5**0.5) / 2
    cube = np.array(list(product([-1.0, 1.0], repeat=3)))
    rectangle = np.array([[0, y, golden * z] for y, z in product([-1.0, 1.0], repeat=2)])
    bodies = {
        "tetrahedron": cube[cube.prod(axis=1) > 0],
        "octahedron": np.concatenate([np.eye(3), -np.eye(3)]),
        "cube": cube,
        "icosahedron": np.concatenate([np.roll(rectangle, k, axis=1) for k in range(3)]),
    }
    unit = {name: x / np.linalg.norm(x, axis=1, keepdims=True) for name, x in bodies.items()}
    return {name: np.tile(x, (POINTS // len(x), 1)) for name, x in unit.items()}


def with_spread(clouds: Clouds, spread: float) -> np.ndarray:
    """The clouds, stretched along their principal axes to variances of 1, `1 - spread` and 0.4.

    Returns:
        `(clouds, points, 3)` float64.
    """
    x = clouds.astype(np.float64)
    x = x - x.mean(axis=1, keepdims=True)
    variances, axes = np.linalg.eigh(np.einsum("bni,bnj->bij", x, x) / x.shape[1])
    white = x @ axes / np.sqrt(variances)[:, None]
    return np.asarray(white * np.sqrt([0.4, 1 - spread, 1.0])) / 3


def turned(clouds: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Every cloud times a matrix drawn from O(3), in float64."""
    turns = rotations(random, len(clouds)) * random.choice([-1.0, 1.0], (len(clouds), 1, 1))
    return np.asarray(clouds @ turns)


def symmetric_gaps(lab: Lab, nets: list[Any]) -> dict[str, dict[str, list[float]]]:
    """By fallback and body, the largest change of a logit under O(3), by seed."""
    random = numpy_generator(lab, 6)
    clouds = {
        name: turned(np.repeat(x[None], OF_EACH, axis=0), random).astype(np.float32)
        for name, x in symmetric_clouds().items()
    }
    found = {
        kind: [study.logits_of(model, clouds) for model in models]
        for kind, models in _both(nets).items()
    }
    return {
        kind: {name: [float(np.ptp(of[name], axis=0).max()) for of in by_seed] for name in clouds}
        for kind, by_seed in found.items()
    }


def spread_gaps(lab: Lab, nets: list[Any], clouds: Clouds) -> dict[str, list[list[float]]]:
    """By fallback, the largest change of a logit under O(3), by seed and spread."""
    pairs = {s: np.concatenate(pair(lab, clouds, s)) for s in SPREADS}
    return {
        kind: [
            [_change(found[s]) for s in SPREADS]
            for found in (study.logits_of(model, pairs) for model in models)
        ]
        for kind, models in _both(nets).items()
    }


def pair(lab: Lab, clouds: Clouds, spread: float) -> tuple[Clouds, Clouds]:
    """Clouds of one spread, each turned twice."""
    random, x = numpy_generator(lab, 7), with_spread(clouds[:OF_EACH], spread)
    first, second = (turned(x, random).astype(np.float32) for _ in range(2))
    return first, second


def coordinate_errors(lab: Lab, clouds: Clouds) -> dict[str, list[float]]:
    """By precision of the covariance, the mean change of `|coordinates|` under O(3), by spread."""
    pairs = [pair(lab, clouds, spread) for spread in SPREADS]
    found = {"float64": _library, "float32": _single}
    return {
        kind: [float(np.abs(axes(a) - axes(b)).mean()) for a, b in pairs]
        for kind, axes in found.items()
    }


def _library(clouds: Clouds) -> np.ndarray:
    return np.abs(study.in_axes(clouds, np.random.default_rng(0)))


def _single(clouds: Clouds) -> np.ndarray:
    """Principal components as a network in float32 would compute them."""
    x = clouds - clouds.mean(axis=1, keepdims=True)
    covariance = np.einsum("bni,bnj->bij", x, x) / np.float32(x.shape[1])
    return np.abs(x @ np.linalg.eigh(covariance)[1][:, :, ::-1])


def _both(nets: list[Any]) -> dict[str, list[Any]]:
    return {
        kind: [Invariant(net, "O", "canonical", gap=gap) for net in nets]
        for kind, gap in (("fallback", FALLBACK), ("none", 0.0))
    }


def _change(found: np.ndarray) -> float:
    """Largest difference between the logits of the first half and of the second."""
    first, second = np.split(found, 2)
    return float(np.abs(first - second).max())
