"""Drawn surfaces with one marked defect, whose contrast and area are chosen, and harmless stains.

A stain may come with the label more often than by chance. A classifier can then be right for the
wrong reason, and a map of what it looks at can be judged: is it on the defect, or on the stain?
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from neurons.data.tiles import FREE, Tiles

SOURCE = "drawn by neurons.data.simulated_defects"
MOST_AREA = 0.25  # share of the picture
MOST_CONTRAST = 0.5  # the ground is nowhere darker
GROUND, SLOPE, TEXTURE, STAIN = 0.65, 0.05, 0.06, 0.15  # grey levels; together within [0.5, 0.95]
BANDS = (0.0, 1.0, 2.0, 4.0, 8.0)  # widths of the Gaussian filters, pixels

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Random = np.random.Generator
Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class SimulatedDefects(Tiles):
    """Drawn :class:`Tiles` of which everything is known.

    Args:
        stains: `(tiles, side, side)` bool, true where a harmless stain lies.
        contrast: `(tiles,)` by how many grey levels, of 1 in all, the defect is darker than its
            ground; 0 where there is none.
    """

    stains: Bools = field(default_factory=lambda: np.zeros((0, 0, 0), np.bool_))
    contrast: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def stained(self) -> Bools:
        """Whether each tile has a stain, shape `(tiles,)`."""
        return np.asarray(self.stains.any(axis=(1, 2)))

    @property
    def area(self) -> Floats:
        """The share of each tile that is defective, shape `(tiles,)`."""
        return np.asarray(self.masks.mean(axis=(1, 2)))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over kinds, pixels, masks and stains."""
        stains = np.packbits(self.stains).tobytes()
        return hashlib.sha256(super().digest.encode() + stains).hexdigest()


def simulated_defects(
    seed: int = 0,
    *,
    images: int = 240,
    side: int = 64,
    contrast: Range = (0.03, 0.5),
    area: Range = (0.0005, 0.05),
    confounder: float = 0.5,
) -> SimulatedDefects:
    """Grey tiles, every other one with a blob, a scratch or a cluster of pits.

    The ground is a sum of noise in bands of 1 to 8 pixels and a slope of brightness. Inside the
    mask a defective tile is darker by its contrast, exactly; outside it is the same tile to the
    last bit. A stain is light, round and soft, and touches no defect. The tile of a number
    depends on the seed alone: more images, or another contrast, change nothing else of it.

    For a classifier that can be misled train on `confounder=0.9` and test on `confounder=0.5`
    of another seed.

    Args:
        seed: Seed of everything random, at least 0.
        images: How many, at least 6.
        side: Height and width in pixels, at least 16.
        contrast: Least and largest drop of the grey level, uniform between, within (0, 0.5].
        area: Least and largest share of the tile that is defective, uniform in the logarithm,
            within (0, 0.25]; rounded to whole pixels, of which there is at least one.
        confounder: Probability of a stain on a defective tile, and of none on a free one; 0.5
            tells nothing.

    Raises:
        ValueError: For a value outside its bounds.

    >>> tiles = simulated_defects(images=6, side=16)
    >>> tiles.kinds
    ('blob', 'free', 'scratch', 'free', 'pits', 'free')
    """
    _check(seed, images, side, contrast, area, confounder)
    kinds = tuple(KINDS[number % len(KINDS)] for number in range(images))
    drawn = [
        _tile(np.random.default_rng((seed, number)), kind, side, contrast, area, confounder)
        for number, kind in enumerate(kinds)
    ]
    pictures, masks, stains, depths = (np.stack(part) for part in zip(*drawn, strict=True))
    return SimulatedDefects(
        "simulated_defects",
        pictures.astype(np.float32),
        masks,
        kinds,
        SOURCE,
        simulated=True,
        stains=stains,
        contrast=depths,
    )


def _check(
    seed: int, images: int, side: int, contrast: Range, area: Range, confounder: float
) -> None:
    if seed < 0 or images < len(KINDS) or side < 16:
        found = f"seed {seed}, {images} images of side {side}"
        raise ValueError(f"needs seed 0 or more and at least 6 images of side 16, got {found}")
    for name, (low, high), most in (
        ("contrast", contrast, MOST_CONTRAST),
        ("area", area, MOST_AREA),
    ):
        if not 0 < low <= high <= most:
            raise ValueError(f"{name} is {(low, high)}; allowed: 0 < least <= largest <= {most}")
    if not 0 <= confounder <= 1:
        raise ValueError(f"confounder is {confounder}; allowed: a probability")


def _tile(
    random: Random, kind: str, side: int, contrast: Range, area: Range, confounder: float
) -> tuple[Floats, Bools, Bools, float]:
    # Every tile makes the same draws, so that no option changes what another one decides.
    ground = _ground(random, side)
    depth = random.uniform(*contrast) if kind != FREE else 0.0
    share = np.exp(random.uniform(*np.log(area)))
    draw, place = random.random(2)
    shape, stain_shape = (np.random.default_rng(random.integers(2**63)) for _ in range(2))
    mask = np.zeros((side, side), np.bool_)
    if kind != FREE:
        mask = _first(DEFECTS[kind](shape, side), max(1, round(share * side**2)))
    stained = draw < (confounder if kind != FREE else 1 - confounder)
    stain = _stain(stain_shape, mask, place) if stained else np.zeros_like(ground)
    return ground + stain - depth * mask, mask, stain > 0, depth


def _ground(random: Random, side: int) -> Floats:
    """Texture and slope, grey levels within [0.5, 0.8]."""
    bands = [random.normal(size=(side, side)) for _ in BANDS]
    weights = random.uniform(0.5, 1.0, len(BANDS))
    texture = sum(
        weight * _unit(gaussian_filter(noise, width, mode="wrap"))
        for weight, noise, width in zip(weights, bands, BANDS, strict=True)
    )
    axis = np.linspace(-0.5, 0.5, side)
    angle = random.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * axis[:, None] + np.sin(angle) * axis
    level = GROUND + random.uniform(-1, 1) * (0.15 - SLOPE - TEXTURE)
    return level + SLOPE * slope * np.sqrt(2) + TEXTURE * np.clip(_unit(texture) / 3, -1, 1)


def _first(arrival: Floats, pixels: int) -> Bools:
    """The pixels that arrive first, as many as are asked for."""
    mask = np.zeros(arrival.shape, np.bool_)
    mask.flat[np.argsort(arrival, axis=None, kind="stable")[:pixels]] = True
    return mask


def _blob(random: Random, side: int) -> Floats:
    """Distance from a centre, longer in some directions than in others."""
    (y, x), axis = random.uniform(0.2, 0.8, 2) * side, np.arange(side)
    rows, columns = axis[:, None] - y, axis - x
    angle, stretch = np.arctan2(rows, columns), random.uniform(0.7, 1.4)
    waves = [random.normal() * np.cos(k * angle + random.uniform(0, 6.3)) for k in (2, 3, 5)]
    return np.hypot(rows * stretch, columns / stretch) / np.clip(1 + 0.12 * sum(waves), 0.5, 1.5)


def _scratch(random: Random, side: int) -> Floats:
    """The time at which a wandering tip, 1 to 3 pixels wide, passes by; then the distance."""
    steps = side * max(4, side // 8)
    turn = np.where(random.random(steps) < 0.1, random.normal(0, 0.5, steps), 0.0)
    heading = random.uniform(0, 2 * np.pi) + np.cumsum(turn)
    start = random.uniform(0.2, 0.8, (2, 1)) * side
    way = start + 0.7 * np.cumsum([np.sin(heading), np.cos(heading)], axis=1)
    rows, columns = np.rint(_folded(way, side - 1)).astype(int)
    arrival = np.full((side, side), np.inf)
    width = int(random.integers(1, 4))
    for down in range(width):
        for right in range(width):
            y, x = np.minimum(rows + down, side - 1), np.minimum(columns + right, side - 1)
            np.minimum.at(arrival, (y, x), np.arange(steps, dtype=float))
    return np.where(np.isinf(arrival), steps + distance_transform_edt(np.isinf(arrival)), arrival)


def _pits(random: Random, side: int) -> Floats:
    """Round holes near one place, that appear one after another; then the distance to them."""
    centre = random.uniform(0.25, 0.75, 2) * side
    places = np.clip(centre + random.normal(0, side / 10, (40, 2)), 0, side - 1)
    radii = random.uniform(0.7, max(1.0, side / 32), 40)
    axis = np.arange(side)
    arrival = np.full((side, side), np.inf)
    for order, ((y, x), radius) in enumerate(zip(places, radii, strict=True)):
        reach = np.hypot(axis[:, None] - y, axis - x) / radius
        arrival = np.minimum(arrival, np.where(reach < 1, order + reach, np.inf))
    beyond = np.isinf(arrival)
    return np.where(beyond, 40 + distance_transform_edt(beyond), arrival)


def _stain(random: Random, defect: Bools, place: float) -> Floats:
    """A light soft round spot off the defect, at most 0.15 grey levels above its ground."""
    side = len(defect)
    radius, height = side * random.uniform(0.1, 0.16), STAIN * random.uniform(0.5, 1.0)
    room = distance_transform_edt(~defect) if defect.any() else np.full(defect.shape, np.inf)
    radius = min(radius, room.max() - 1)
    fits = np.argwhere(room > radius)
    y, x = fits[int(place * len(fits))]
    axis = np.arange(side)
    distance = np.hypot(axis[:, None] - y, axis - x) / radius
    return np.where(distance < 1, height * (1 - distance**2) ** 2, 0.0)


def _folded(way: Floats, most: int) -> Floats:
    """Reflect at 0 and at the far border."""
    return most - abs(most - way % (2 * most))


def _unit(values: Floats) -> Floats:
    """The values with mean 0 and standard deviation 1."""
    return (values - values.mean()) / values.std()


DEFECTS: dict[str, Callable[[Random, int], Floats]] = {
    "blob": _blob,
    "scratch": _scratch,
    "pits": _pits,
}
KINDS = ("blob", FREE, "scratch", FREE, "pits", FREE)
