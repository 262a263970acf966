"""Point clouds on sixteen drawn shapes, three pairs of which are each other's mirror image.

Shapes vary in their proportions and stand upright. No shape fixes a viewer: rotations and mirrors
are left to those who use the set, `turned=True` rotates every cloud at random.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from neurons.data.pointclouds import PointClouds, unit_ball

SOURCE = "drawn by neurons.data.procedural_shapes"
CHIRAL_PAIRS = tuple((f"left_{s}", f"right_{s}") for s in ("helix", "propeller", "chain"))
# Steps from block to block: the third leaves the plane of the first two, on one side or the other.
CHAIN = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], float)
TEE = np.array([[-1, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, -1], [0, 0, -2]], float)

Floats = NDArray[np.float64]
Random = np.random.Generator
Sampler = Callable[[Random, int], Floats]
Pieces = Mapping[str, tuple[float, Sampler]]  # by part: relative area, and who samples it


def procedural_shapes(
    seed: int = 0,
    *,
    train: int = 640,
    test: int = 320,
    points: int = 128,
    classes: Sequence[str] | None = None,
    turned: bool = False,
    noise: float = 0.01,
) -> PointClouds:
    """Clouds of points on the surfaces of drawn shapes, with the part of every point.

    Points are spread by area over the parts of a shape, moved by Gaussian noise, stretched by up
    to a tenth along each axis, centred, and scaled into the unit ball.

    Args:
        seed: Seed of everything random.
        train: Number of training clouds, at least one for every class.
        test: Number of test clouds, likewise.
        points: Points of a cloud, at least 8.
        classes: Names of the shapes to draw, all of :data:`SHAPES` by default. Left and right of
            a pair in :data:`CHIRAL_PAIRS` are mirror images.
        turned: Whether every cloud is rotated at random (never mirrored).
        noise: Standard deviation of the noise, relative to shapes of radius about 1.

    Raises:
        ValueError: For fewer clouds or points, or an unknown shape.
    """
    names = tuple(SHAPES) if classes is None else tuple(classes)
    if not names or not set(names) <= set(SHAPES) or len(set(names)) < len(names):
        raise ValueError(f"classes are {names}; allowed, each once: {', '.join(SHAPES)}")
    if min(train, test) < len(names) or points < 8:
        least = f"needs {len(names)} + {len(names)} clouds of 8 points"
        raise ValueError(f"{least}, got {train} + {test} of {points}")
    random = np.random.default_rng(seed)
    parts = tuple(dict.fromkeys(part for name in names for part in SHAPES[name](random)))
    y_train, y_test = (np.arange(count) % len(names) for count in (train, test))
    (x_train, p_train), (x_test, p_test) = (
        _clouds(random, [names[label] for label in y], points, parts, turned=turned, noise=noise)
        for y in (y_train, y_test)
    )
    return PointClouds(
        "simulated_pointclouds", x_train, y_train, x_test, y_test, names, SOURCE, simulated=True,
        parts_train=p_train, parts_test=p_test, part_names=parts,
    )  # fmt: skip


def shape(random: Random, name: str, points: int) -> tuple[Floats, NDArray[np.str_]]:
    """One shape without noise, before it is scaled: points `(points, 3)` and their parts.

    Raises:
        KeyError: For an unknown shape.
    """
    pieces = SHAPES[name](random)
    areas = np.array([area for area, _ in pieces.values()])
    counts = random.multinomial(points, areas / areas.sum())
    drawn = [sample(random, int(n)) for (_, sample), n in zip(pieces.values(), counts, strict=True)]
    return np.concatenate(drawn), np.repeat(list(pieces), counts)


def rotations(random: Random, count: int, dimensions: int = 3) -> Floats:
    """Rotations drawn uniformly, `(count, d, d)`: orthogonal, with determinant 1."""
    q, r = np.linalg.qr(random.normal(size=(count, dimensions, dimensions)))
    q = q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    q[:, :, 0] *= np.sign(np.linalg.det(q))[:, None]
    turns: Floats = q
    return turns


def _clouds(
    random: Random,
    names: list[str],
    points: int,
    parts: tuple[str, ...],
    turned: bool,
    noise: float,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    clouds, labels = np.empty((len(names), points, 3)), np.empty((len(names), points), np.int64)
    places = {part: place for place, part in enumerate(parts)}
    for cloud, label, name in zip(clouds, labels, names, strict=True):
        x, part = shape(random, name, points)
        x = (x + noise * random.normal(size=x.shape)) * random.uniform(0.9, 1.1, 3)
        order = random.permutation(points)
        cloud[:] = (x @ rotations(random, 1)[0] if turned else x)[order]
        label[:] = [places[name] for name in part[order]]
    return unit_ball(clouds).astype(np.float32), labels


def _sphere(random: Random, n: int) -> Floats:
    x = random.normal(size=(n, 3))
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def _box(half: Sequence[float], centre: Sequence[float] = (0, 0, 0)) -> Sampler:
    """The surface of a box: a face by its area, then a place on it."""

    def sample(random: Random, n: int) -> Floats:
        a, b, c = half
        areas = np.array([b * c, a * c, a * b])
        axis = np.searchsorted(np.cumsum(areas) / areas.sum(), random.random(n), side="right")
        x = random.uniform(-1, 1, (n, 3))
        x[np.arange(n), axis] = np.sign(x[np.arange(n), axis])
        return x * half + centre

    return sample


def _boxes(*boxes: Sampler) -> Sampler:
    """Equal boxes, equally often."""

    def sample(random: Random, n: int) -> Floats:
        counts = random.multinomial(n, np.full(len(boxes), 1 / len(boxes)))
        return np.concatenate([box(random, int(k)) for box, k in zip(boxes, counts, strict=True)])

    return sample


def _disc(radius: float, *heights: float) -> Sampler:
    def sample(random: Random, n: int) -> Floats:
        angle, r = random.uniform(0, 2 * np.pi, n), radius * np.sqrt(random.random(n))
        return np.stack([r * np.cos(angle), r * np.sin(angle), random.choice(heights, n)], axis=1)

    return sample


def _frustum(bottom: float, top: float, height: float) -> Sampler:
    """The side of a cylinder or cone along z: density grows with the radius."""

    def sample(random: Random, n: int) -> Floats:
        angle = random.uniform(0, 2 * np.pi, n)
        radius = np.sqrt(bottom**2 + (top**2 - bottom**2) * random.random(n))
        rise = random.random(n) if top == bottom else (radius - bottom) / (top - bottom)
        return np.stack(
            [radius * np.cos(angle), radius * np.sin(angle), height * (rise - 0.5)], axis=1
        )

    return sample


def _torus_surface(tube: float) -> Sampler:
    def sample(random: Random, n: int) -> Floats:
        around, angle = random.uniform(0, 2 * np.pi, (2, n))
        # By area, 1 + tube cos(angle): of the points at an angle and at its mirror image on the
        # other side of the ring, the longer side gets its share.
        angle = np.where(2 * random.random(n) < 1 + tube * np.cos(angle), angle, np.pi - angle)
        r = 1 + tube * np.cos(angle)
        return np.stack([r * np.cos(around), r * np.sin(around), tube * np.sin(angle)], axis=1)

    return sample


def _ellipsoid(random: Random) -> Pieces:
    axes = np.array([1, random.uniform(0.55, 0.75), random.uniform(0.3, 0.45)])
    return {"ellipsoid": (1.0, lambda random, n: _sphere(random, n) * axes)}


def _cylinder(random: Random) -> Pieces:
    r = random.uniform(0.3, 0.6)
    side = (4 * np.pi * r, _frustum(r, r, 2))
    return {"cylinder side": side, "cylinder cap": (2 * np.pi * r**2, _disc(r, -1, 1))}


def _cone(random: Random) -> Pieces:
    r = random.uniform(0.5, 0.9)
    side = (np.pi * r * np.hypot(r, 1.6), _frustum(r, 0, 1.6))
    return {"cone side": side, "cone base": (np.pi * r**2, _disc(r, -0.8))}


def _torus(random: Random) -> Pieces:
    return {"torus": (1.0, _torus_surface(random.uniform(0.2, 0.4)))}


def _cross(random: Random) -> Pieces:
    w, length = random.uniform(0.12, 0.2), random.uniform(0.55, 0.8)
    upright = (1.0, _box((w, w, 1.0)))
    return {"cross upright": upright, "cross arm": (length, _box((length, w, w)))}


def _tee(random: Random) -> Pieces:
    half = random.uniform(0.4, 0.5)
    return {"tee": (1.0, _boxes(*(_box((half,) * 3, cell) for cell in TEE)))}


def _chair(random: Random) -> Pieces:
    w, high = random.uniform(0.4, 0.55), random.uniform(0.7, 1.0)
    legs = [_box((0.04, 0.04, 0.3), (x, y, -0.3)) for x in (-w, w) for y in (-w, w)]
    return {
        "chair seat": (4 * w * w, _box((w, w, 0.05))),
        "chair back": (2 * w * high, _box((w, 0.05, high / 2), (0, w, high / 2))),
        "chair leg": (0.5, _boxes(*legs)),
    }


def _monitor(random: Random) -> Pieces:
    w, high = random.uniform(0.7, 0.95), random.uniform(0.45, 0.6)
    return {
        "monitor screen": (4 * w * high, _box((w, 0.05, high), (0, 0, high))),
        "monitor foot": (0.6, _boxes(_box((0.05, 0.05, 0.15), (0, 0.05, -0.15)),
                                     _box((0.3, 0.2, 0.03), (0, 0, -0.3)))),
    }  # fmt: skip


def _helix(random: Random) -> Pieces:
    """A right-handed spring along z."""
    turns, tube = random.uniform(1.2, 1.8), random.uniform(0.08, 0.14)

    def sample(random: Random, n: int) -> Floats:
        t = random.random(n)
        angle = 2 * np.pi * turns * t
        line = np.stack([0.6 * np.cos(angle), 0.6 * np.sin(angle), 2.4 * (t - 0.5)], axis=1)
        return np.asarray(line + tube * _sphere(random, n))

    return {"helix": (1.0, sample)}


def _propeller(random: Random) -> Pieces:
    """Two right-handed blades along x on an axis along z: turning towards y, they rise."""
    pitch, half = np.deg2rad(random.uniform(25, 35)), random.uniform(0.25, 0.35)

    def blades(random: Random, n: int) -> Floats:
        along, across = random.uniform(0.15, 1, n), random.uniform(-half, half, n)
        side = random.choice([-1.0, 1.0], n)
        y, z = across * np.cos(pitch), across * np.sin(pitch)
        return np.stack([side * along, side * y, z], axis=1)

    hub = (0.25, _frustum(0.12, 0.12, 0.4))
    return {"propeller blade": (1.0, blades), "propeller hub": hub}


def _chain(random: Random) -> Pieces:
    """Blocks, each beside its neighbour, whose turns make a right-handed system."""
    cells = np.concatenate([np.zeros((1, 3)), np.cumsum(CHAIN, axis=0)]) - CHAIN.sum(axis=0) / 2
    half = random.uniform(0.4, 0.5)
    return {"chain": (1.0, _boxes(*(_box((half,) * 3, cell) for cell in cells)))}


def _mirrored(make: Callable[[Random], Pieces]) -> Callable[[Random], Pieces]:
    def mirrored(random: Random) -> Pieces:
        return {part: (area, _flip(sample)) for part, (area, sample) in make(random).items()}

    return mirrored


def _flip(sample: Sampler) -> Sampler:
    return lambda random, n: sample(random, n) * [-1.0, 1.0, 1.0]


SHAPES: Mapping[str, Callable[[Random], Pieces]] = {
    "sphere": lambda random: {"sphere": (1.0, _sphere)},
    "ellipsoid": _ellipsoid,
    "cube": lambda random: {"cube": (1.0, _box((1, 1, 1)))},
    "cylinder": _cylinder,
    "cone": _cone,
    "torus": _torus,
    "cross": _cross,
    "tee": _tee,
    "chair": _chair,
    "monitor": _monitor,
    "left_helix": _mirrored(_helix),
    "right_helix": _helix,
    "left_propeller": _mirrored(_propeller),
    "right_propeller": _propeller,
    "left_chain": _mirrored(_chain),
    "right_chain": _chain,
}
