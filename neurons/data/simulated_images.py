"""Drawn stand-ins for the image sets: tiles with marked defects, and ten shapes.

Both can be learnt in minutes and by no single pixel: a tile's shading and stains are as dark as
its defects, and the shapes move, turn, change size and colour, and lie in noise.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

from neurons.data.images import Images
from neurons.data.magnetic_tile import Tiles

SOURCE = "drawn by neurons.data.simulated_images"
KINDS = ("blowhole", "break", "crack", "uneven", "free")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Random = np.random.Generator


def simulated_tiles(seed: int = 0, *, tiles: int = 240, side: int = 32) -> Tiles:
    """Grey tiles with dark defects, a fifth of them without.

    A tile has a grinding texture, a slope of brightness, soft dark stains, and one defect: a
    small ellipse (blowhole), a large ragged one (break), a thin wandering line (crack) or a
    band along an edge (uneven). Defects have sharp borders, stains have none.

    Args:
        seed: Seed of everything random.
        tiles: How many, at least 5.
        side: Height and width in pixels, at least 16.

    Raises:
        ValueError: For fewer tiles or a smaller side.
    """
    if tiles < len(KINDS) or side < 16:
        raise ValueError(f"needs at least 5 tiles of side 16, got {tiles} of side {side}")
    random = np.random.default_rng(seed)
    kinds = tuple(KINDS[number % len(KINDS)] for number in range(tiles))
    drawn = [_tile(random, kind, side) for kind in kinds]
    images = np.stack([image for image, _ in drawn]).astype(np.float32)
    masks = np.stack([mask for _, mask in drawn])
    return Tiles("simulated_tiles", images, masks, kinds, SOURCE, simulated=True)


def simulated_shapes(
    seed: int = 0, *, train: int = 600, test: int = 300, side: int = 16, noise: float = 0.08
) -> Images:
    """Colour images of ten light shapes on darker ground: disc, ring, square, frame, ...

    Args:
        seed: Seed of everything random.
        train: Number of training images, at least 10.
        test: Number of test images, at least 10.
        side: Height and width in pixels, at least 8.
        noise: Standard deviation of the noise on pixels in [0, 1].

    Raises:
        ValueError: For fewer images or a smaller side.
    """
    if min(train, test) < len(SHAPES) or side < 8:
        raise ValueError(f"needs 10 + 10 images of side 8, got {train} + {test} of side {side}")
    random = np.random.default_rng(seed)
    classes = tuple(SHAPES)
    labels = [np.arange(count) % len(classes) for count in (train, test)]
    parts = [
        np.stack([_shape_image(random, classes[label], side, noise) for label in part])
        for part in labels
    ]
    (x_train, x_test), (y_train, y_test) = (p.astype(np.float32) for p in parts), labels
    name = "simulated_shapes"
    return Images(name, x_train, y_train, x_test, y_test, classes, SOURCE, simulated=True)


def _tile(random: Random, kind: str, side: int) -> tuple[Floats, Bools]:
    rows, columns = _grid(side)
    angle = random.uniform(0, 2 * np.pi)
    slope = random.uniform(0, 0.12) * (np.cos(angle) * rows + np.sin(angle) * columns)
    grain = gaussian_filter(random.normal(size=(side, side)), (0.3, 3.0))
    stains = gaussian_filter(random.normal(size=(side, side)), side / 8)
    surface = random.uniform(0.45, 0.7) + slope + 0.05 * _unit(grain) - 0.07 * abs(_unit(stains))
    mask = DEFECTS[kind](random, side)
    # A defect has a texture of its own, so that its level alone does not fill it.
    depth = random.uniform(0.1, 0.25) * (1 + 0.4 * _unit(random.normal(size=(side, side))))
    image = surface - depth * gaussian_filter(mask.astype(float), 0.4)
    image += 0.03 * random.normal(size=(side, side))
    return np.clip(image, 0, 1), mask


def _ellipse(random: Random, side: int, least: float, most: float, ragged: float) -> Bools:
    rows, columns = _grid(side)
    y, x = random.uniform(-0.6, 0.6, 2)
    radius, stretch = random.uniform(least, most), random.uniform(0.6, 1.6)
    angle = np.arctan2(rows - y, columns - x)
    waves = sum(
        random.normal() * np.cos(k * angle + random.uniform(0, 2 * np.pi)) for k in (2, 3, 5)
    )
    distance = np.hypot((rows - y) * stretch, (columns - x) / stretch)
    found: Bools = distance < radius * np.clip(1 + ragged * waves, 0.4, 1.8)
    # However small, a defect covers the pixel at its centre.
    found[tuple(np.rint((np.array([y, x]) + 1) / 2 * (side - 1)).astype(int))] = True
    return found


def _crack(random: Random, side: int) -> Bools:
    steps = int(side * random.uniform(0.6, 1.1))
    heading = random.uniform(0, 2 * np.pi) + np.cumsum(random.normal(0, 0.25, steps))
    path = random.uniform(0.25, 0.75, 2)[:, None] * side + np.cumsum(
        [np.sin(heading), np.cos(heading)], axis=1
    )
    rows, columns = np.rint(path).astype(int)
    inside = (np.minimum(rows, columns) >= 0) & (np.maximum(rows, columns) < side)
    found = np.zeros((side, side), bool)
    found[rows[inside], columns[inside]] = True
    return binary_dilation(found) if random.random() < 0.5 else found


def _uneven(random: Random, side: int) -> Bools:
    edge = random.uniform(0.15, 0.4) * side
    wander = 0.06 * side * _unit(gaussian_filter(random.normal(size=side), side / 12))
    band = np.arange(side)[:, None] < edge + wander
    return np.ascontiguousarray(np.rot90(band, int(random.integers(4))))


DEFECTS: dict[str, Callable[[Random, int], Bools]] = {
    "blowhole": lambda random, side: _ellipse(random, side, 0.08, 0.18, 0.08),
    "break": lambda random, side: _ellipse(random, side, 0.25, 0.5, 0.15),
    "crack": _crack,
    "uneven": _uneven,
    "free": lambda random, side: np.zeros((side, side), bool),
}


def _shape_image(random: Random, shape: str, side: int, noise: float) -> Floats:
    rows, columns = _grid(side)
    angle, size = random.normal(0, 0.15), random.uniform(0.5, 0.85)
    y, x = random.uniform(-0.25, 0.25, 2)
    turned_y = (np.cos(angle) * (rows - y) + np.sin(angle) * (columns - x)) / size
    turned_x = (np.cos(angle) * (columns - x) - np.sin(angle) * (rows - y)) / size
    inside = SHAPES[shape](turned_y, turned_x)[..., None]
    ground, ink = _two_colours(random)
    return np.clip(
        np.where(inside, ink, ground) + noise * random.normal(size=(side, side, 3)), 0, 1
    )


def _two_colours(random: Random) -> tuple[Floats, Floats]:
    """A dark colour and a lighter one, far enough apart to be told."""
    ground = random.uniform(0, 0.45, 3)
    return ground, ground + random.uniform(0.25, 0.5, 3)


def _box(y: Floats, x: Floats, half: float) -> Bools:
    return np.asarray(np.maximum(abs(y), abs(x)) < half)


def _stripes(along: Floats, y: Floats, x: Floats) -> Bools:
    return (np.sin(2 * np.pi * along / 0.7) > 0) & _box(y, x, 0.95)


SHAPES: dict[str, Callable[[Floats, Floats], Bools]] = {
    "disc": lambda y, x: np.hypot(y, x) < 0.9,
    "ring": lambda y, x: abs(np.hypot(y, x) - 0.7) < 0.22,
    "square": lambda y, x: _box(y, x, 0.8),
    "frame": lambda y, x: _box(y, x, 0.9) & ~_box(y, x, 0.48),
    "triangle": lambda y, x: (y < 0.7) & (abs(x) < (y + 0.9) / 1.7),
    "plus": lambda y, x: (np.minimum(abs(y), abs(x)) < 0.25) & _box(y, x, 0.9),
    "cross": lambda y, x: (np.minimum(abs(y - x), abs(y + x)) < 0.35) & _box(y, x, 0.85),
    "rows": lambda y, x: _stripes(y, y, x),
    "columns": lambda y, x: _stripes(x, y, x),
    "chequers": lambda y, x: _stripes(x, y, x) ^ _stripes(y, y, x),
}


def _grid(side: int) -> tuple[Floats, Floats]:
    """Row and column of every pixel, from -1 to 1."""
    axis = np.linspace(-1, 1, side)
    return axis[:, None] + 0 * axis, axis + 0 * axis[:, None]


def _unit(values: Floats) -> Floats:
    """The values with mean 0 and standard deviation 1."""
    return (values - values.mean()) / values.std()
