"""The training study behind the claims on Cloud-RAIN: arms, training, and what each arm answers.

An arm is a network, what its training clouds undergo, and what makes it invariant afterwards.
All arms but one, a DGCNN, are PointNets of one shape; conventional and power-only neurons have
equally many parameters, the full quadratic neuron has thrice as many.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

import neurons as nr
from neurons.backbones.cloud_rain import DGCNN, Invariant, PointNet, canonical
from neurons.backbones.cloud_rain.invariant import SignFeatures
from neurons.data import PointClouds
from neurons.data.procedural_shapes import rotations
from neurons.neuron import Neuron
from theory.claims.claim import Lab
from theory.claims.exact import numpy_generator

STEPS, BATCH, RATE = 2000, 32, 5e-3
POINTS = 72  # of a cloud in 3-d; what the skewness task needs
OUTPUTS = 16  # logits, whatever the set: one compiled program for all
CHUNK = 256
TESTS = 512  # at most

Clouds = np.ndarray
Change = Callable[[Clouds, np.random.Generator], Clouds]
Group = Literal["O", "SO"]

small_pointnet = partial(PointNet, widths=(16, 32, 64), hidden=(32,), dropout=0.0)
small_dgcnn = partial(DGCNN, widths=(8, 16), embedding=32, hidden=(32,), neighbours=6, dropout=0.0)


class Arm(NamedTuple):
    """A network of the study.

    Args:
        neuron: of the layers at every point.
        prepare: what a training cloud undergoes, anew each time that it is seen.
        group: of the invariance that is built in after training; `None` for none.
        method: how it is built in. Training does without: its clouds are prepared instead.
        net: makes the network from a neuron and a number of logits.
    """

    neuron: Neuron
    prepare: Change
    group: Group | None = None
    method: Literal["canonical", "frames", "signnet"] = "canonical"
    net: Callable[..., Any] = small_pointnet


def as_they_are(clouds: Clouds, random: np.random.Generator) -> Clouds:
    """The clouds."""
    return clouds


def applied(clouds: Clouds, matrices: np.ndarray) -> Clouds:
    """Every cloud times its matrix, computed in float64."""
    return np.asarray(clouds.astype(np.float64) @ matrices, dtype=np.float32)


def mirrors(normals: np.ndarray) -> np.ndarray:
    """Reflections `I - 2 n n^T` in the planes across the unit vectors `normals`, `(clouds, d)`."""
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(np.eye(normals.shape[1]) - 2 * normals[:, :, None] * normals[:, None, :])


def mirrored(clouds: Clouds, random: np.random.Generator) -> Clouds:
    """Every cloud in a mirror of random direction."""
    return applied(clouds, mirrors(random.normal(size=(len(clouds), clouds.shape[2]))))


def perhaps_mirrored(clouds: Clouds, random: np.random.Generator) -> Clouds:
    """Half of the clouds in a mirror of random direction."""
    keep = random.random((len(clouds), 1, 1)) < 0.5
    return np.where(keep, clouds, mirrored(clouds, random))


def rotated(clouds: Clouds, random: np.random.Generator) -> Clouds:
    """Every cloud turned at random."""
    return applied(clouds, rotations(random, len(clouds), clouds.shape[2]))


def flipped(clouds: Clouds, random: np.random.Generator) -> Clouds:
    """One axis or none negated, with equal probability: lines the authors commented out."""
    axes = clouds.shape[2]
    chosen = random.integers(axes + 1, size=len(clouds))
    signs = 1 - 2 * (chosen[:, None] == np.arange(axes))
    return np.asarray(clouds * signs[:, None], dtype=np.float32)


def in_axes(clouds: Clouds, random: np.random.Generator) -> Clouds:
    """Clouds in their principal axes."""
    return np.asarray(axes_of(clouds).points)


def in_frames(clouds: Clouds, random: np.random.Generator) -> Clouds:
    """Clouds in their principal axes of random sign: one frame of O(d), as in its average."""
    signs = random.choice([-1.0, 1.0], (len(clouds), 1, clouds.shape[2]))
    return np.asarray(in_axes(clouds, random) * signs, dtype=np.float32)


def in_proper_frames(clouds: Clouds, random: np.random.Generator) -> Clouds:
    """Clouds in a right-handed system of principal axes: one frame of SO(d)."""
    found = axes_of(clouds)
    signs = random.choice([-1.0, 1.0], (len(clouds), clouds.shape[2]))
    hand = np.sign(np.linalg.det(np.asarray(found.frame))) * signs.prod(axis=1)
    signs[:, -1] *= hand
    return np.asarray(np.asarray(found.points) * signs[:, None], dtype=np.float32)


def axes_of(clouds: Clouds) -> Any:
    """The library's canonical representation."""
    return canonical(jnp.asarray(clouds))


ARMS: Mapping[str, Arm] = {
    "plain": Arm(nr.conventional, as_they_are),
    "flips": Arm(nr.conventional, flipped),
    "rotations": Arm(nr.conventional, rotated),
    "mirrors": Arm(nr.conventional, perhaps_mirrored),
    "RAIN": Arm(nr.power_only, in_axes, "O"),
    "frames": Arm(nr.conventional, in_frames, "O", "frames"),
    "proper frames": Arm(nr.conventional, in_proper_frames, "SO", "frames"),
    "released": Arm(nr.quadratic, as_they_are),
    "quadratic in axes": Arm(nr.quadratic, in_axes, "O"),
    "edges": Arm(nr.power_only, in_axes, "O", net=small_dgcnn),
}
NAMES: Mapping[str, str] = {
    "plain": "PointNet",
    "flips": "PointNet, axis flips in training (released, commented out)",
    "rotations": "PointNet, rotations in training (released)",
    "mirrors": "PointNet, mirrors in training",
    "RAIN": "power-only PointNet in principal axes (Cloud-RAIN)",
    "frames": "PointNet averaged over the frames of O(d)",
    "proper frames": "PointNet averaged over the frames of SO(d)",
    "released": "quadratic PointNet as released",
    "quadratic in axes": "quadratic PointNet in principal axes",
    "edges": "power-only DGCNN in principal axes",
}


class Flat(nnx.Module):
    """A network for space, given points of the plane."""

    def __init__(self, net: Any) -> None:
        self.net = net

    def __call__(self, points: Array) -> Array:
        """Logits of clouds whose third coordinate is 0."""
        return self.net(_lifted(points))


class Signless(nnx.Module):
    """A PointNet behind SignNet's features, as it is trained: on clouds in their axes."""

    def __init__(self, neuron: Neuron, classes: int, *, rngs: nnx.Rngs) -> None:
        self.encoder = SignFeatures(3, 3, hidden=16, rngs=rngs)
        self.net = small_pointnet(neuron, classes, rngs=rngs)

    def __call__(self, points: Array) -> Array:
        """Logits of clouds in their axes."""
        return self.net(self.encoder(points))


class Task(NamedTuple):
    """Clouds to learn from and to be judged by.

    Args:
        name: distinguishes it from other tasks of the paper.
        x: `(clouds, points, dimensions)` for training.
        y: `(clouds,)` labels below 16.
        x_test: for testing.
        y_test: their labels.
    """

    name: str
    x: Clouds
    y: np.ndarray
    x_test: Clouds
    y_test: np.ndarray


def task(lab: Lab, *, hands: bool = False) -> Task:
    """The lab's clouds, cut to the budget's share; left and right are one class without `hands`."""
    data: PointClouds = lab.data
    x, y, x_test, y_test = data.x_train, data.y_train, data.x_test, data.y_test
    if not hands:
        same = _without_hands(data.classes)
        y, y_test = same[y], same[y_test]
    rows = numpy_generator(lab, 0).permutation(len(y))[
        : max(OUTPUTS, round(len(y) * lab.budget.data))
    ]
    points = min(POINTS, x.shape[1])
    tests = numpy_generator(lab, 5).permutation(len(y_test))[:TESTS]
    return Task(data.name, x[rows, :points], y[rows], x_test[tests, :points], y_test[tests])


def _without_hands(classes: tuple[str, ...]) -> np.ndarray:
    """By class, its own number, or for a left one that of its right image."""
    right = [name.replace("left_", "right_") for name in classes]
    return np.array([classes.index(name) if name in classes else k for k, name in enumerate(right)])


def trained(lab: Lab, task: Task, arm: Arm) -> list[Any]:
    """Networks of an arm, one for every seed, without what makes them invariant."""
    steps = max(20, round(lab.budget.effort * STEPS))
    seeds = range(lab.budget.seeds)
    streams = [_stream(lab, task, arm.prepare, steps, seed) for seed in seeds]
    batches = [nr.Batches(stream, size=BATCH, epochs=1) for stream in streams]
    build = partial(arm.net, arm.neuron, OUTPUTS)
    keys = jax.random.split(lab.key, len(seeds))
    runs = nr.fit_seeds(build, nr.cross_entropy, adam(steps), batches, keys=keys)
    return [run.model for run in runs]


@lru_cache
def size(name: str) -> int:
    """Parameters of an arm's network."""
    arm = ARMS[name]
    return nr.parameters(nnx.eval_shape(lambda: arm.net(arm.neuron, OUTPUTS, rngs=nnx.Rngs(0))))


@lru_cache
def adam(steps: int) -> optax.GradientTransformation:
    """Adam with a decaying rate; one object for equal steps, so that arms share a compilation."""
    return optax.adam(optax.cosine_decay_schedule(RATE, steps))


def _stream(lab: Lab, task: Task, prepare: Change, steps: int, seed: int) -> tuple[Array, Array]:
    """All clouds that one run sees, each prepared for itself, in one array."""
    random = numpy_generator(lab, 1, seed)
    passes = -(-steps * BATCH // len(task.y))
    rows = np.concatenate([random.permutation(len(task.y)) for _ in range(passes)])
    rows = rows[: steps * BATCH]
    clouds = jnp.asarray(prepare(task.x[rows], random))
    return _lifted(clouds), jnp.asarray(task.y[rows], jnp.int32)


def _lifted(clouds: Array) -> Array:
    missing = 3 - clouds.shape[-1]
    return jnp.pad(clouds, ((0, 0), (0, 0), (0, missing)))


def finished(net: Any, arm: Arm, dimensions: int = 3) -> Any:
    """The network with its invariance."""
    net = net if dimensions == 3 else Flat(net)
    if arm.group is None:
        return net
    if arm.method == "signnet":
        return Invariant(net.net, arm.group, "signnet", encoder=net.encoder)
    return Invariant(net, arm.group, arm.method)


def logits(model: Any, clouds: Clouds) -> np.ndarray:
    """Logits `(clouds, 16)`, in chunks of one shape."""
    padded = np.concatenate([clouds, np.repeat(clouds[:1], -len(clouds) % CHUNK, axis=0)])
    parts = [outputs(model, jnp.asarray(part)) for part in np.split(padded, len(padded) // CHUNK)]
    return np.concatenate(parts)[: len(clouds)]


def outputs(model: Any, clouds: Array) -> Array:
    """What `model(clouds)` is, net by net: all ways to be invariant share one compiled net."""
    if isinstance(model, Flat):
        return outputs(model.net, _lifted(clouds))
    if not isinstance(model, Invariant):
        return _forward(model, clouds)
    views = model.views(clouds)  # (clouds, frames, points, coordinates)
    flat = views.reshape(-1, *views.shape[2:])
    parts = jnp.split(flat, views.shape[1])
    if model.encoder is not None:
        parts = [_forward(model.encoder, part) for part in parts]
    found = jnp.concatenate([outputs(model.net, part) for part in parts])
    return found.reshape(*views.shape[:2], -1).mean(axis=1)


@nnx.jit
def _forward(model: Any, clouds: Array) -> Array:
    return model(clouds)


def logits_of(model: Any, sets: Mapping[Any, Clouds]) -> dict[Any, np.ndarray]:
    """Logits of several sets of clouds, by name; in one go, so that few chunks are padded."""
    ends = np.cumsum([len(clouds) for clouds in sets.values()])
    found = np.split(logits(model, np.concatenate(list(sets.values()))), ends[:-1])
    return dict(zip(sets, found, strict=True))


def accuracies(model: Any, sets: Mapping[Any, Clouds], labels: np.ndarray) -> dict[Any, float]:
    """By set, percent of clouds whose largest logit is their label's."""
    found = logits_of(model, sets)
    return {name: 100 * float((x.argmax(axis=1) == labels).mean()) for name, x in found.items()}
