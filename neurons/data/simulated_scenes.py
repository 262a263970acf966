"""Drawn pairs of aerial pictures: land cover, what becomes what, and what only looks different.

A place is a map of pieces: cells of a Voronoi diagram with wavy borders, and small things on them
(houses, groups of trees, ponds). Each piece has a class, a colour and a texture of its own. Between
the dates some pieces become another class, and new small things appear. Both dates are then seen
in a season, a light and with noise of their own, the second a fraction of a pixel beside the first.
In a dry season fields look like bare ground, without being that: a difference of colours is no
change of class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.ndimage import shift as shifted

from neurons.data.scene_pairs import Scenes

CLASSES = ("water", "ground", "low vegetation", "tree", "building", "playground")
"""Those of SECOND, in the order of its evaluation code."""

COVER = (0.12, 0.22, 0.34, 0.2, 0.1, 0.02)  # shares of the Voronoi cells
THINGS = (0.08, 0.14, 0.1, 0.22, 0.36, 0.1)  # of what is small
BECOMES = (  # row: from, column: to, as likely as the number says
    (0.0, 5.0, 4.0, 0.0, 1.0, 0.0),
    (1.0, 0.0, 3.0, 1.0, 4.0, 1.0),
    (1.0, 3.0, 0.0, 2.0, 4.0, 1.0),
    (0.0, 4.0, 4.0, 0.0, 2.0, 0.0),
    (0.0, 6.0, 3.0, 0.0, 0.0, 1.0),
    (0.0, 3.0, 3.0, 0.0, 4.0, 0.0),
)
COLOURS = (  # red, green, blue in the green season, and in the dry one
    ((0.22, 0.31, 0.38), (0.36, 0.37, 0.33)),
    ((0.56, 0.50, 0.42), (0.44, 0.39, 0.33)),
    ((0.40, 0.52, 0.29), (0.58, 0.52, 0.38)),
    ((0.21, 0.34, 0.19), (0.40, 0.34, 0.25)),
    ((0.62, 0.56, 0.53), (0.66, 0.62, 0.60)),
    ((0.60, 0.35, 0.27), (0.58, 0.37, 0.30)),
)
SPREAD = (0.03, 0.05, 0.05, 0.03, 0.11, 0.06)  # of the pieces' colours within a class
FINE = (0.01, 0.05, 0.02, 0.05, 0.02, 0.015)  # amplitude of noise of a pixel
COARSE = (0.015, 0.02, 0.02, 0.10, 0.015, 0.01)  # of noise of two pixels
ROWS = (0.0, 0.0, 0.06, 0.0, 0.03, 0.0)  # of stripes: ploughed fields, roofs
TALL = (4, 5)  # classes that throw a shadow
AREA = 20.0  # pixels of 64 x 64 that a small thing covers, in the middle
NOISE = 0.02
RENEWED = 0.6  # share of the texture's amplitude that is new at the second date, in full season

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Random = np.random.Generator


@dataclass(frozen=True)
class Nuisance:
    """What differs between the dates and is no change; 0 switches each off.

    Args:
        season: How far the dates' seasons are apart at most, 0 to 1.
        light: Strength of brightness, colour cast, slope of light and shadows, 0 to 2.
        shift: How far the second picture lies beside the first at most, pixels, 0 to 4.
        noise: Standard deviation of the pixels' noise, 0 to 0.2.
    """

    season: float = 1.0
    light: float = 1.0
    shift: float = 1.0
    noise: float = NOISE

    def __post_init__(self) -> None:
        for name, most in (("season", 1), ("light", 2), ("shift", 4), ("noise", 0.2)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed: 0 to {most}")


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Which piece lies where, and the class of each, from 1."""

    places: Whole
    classes: Whole

    @property
    def cover(self) -> Whole:
        return self.classes[self.places]


def simulated_scenes(
    seed: int = 0,
    *,
    count: int = 96,
    side: int = 64,
    visits: int = 2,
    cells: float = 0.14,
    things: float = 4.0,
    nuisance: Nuisance = Nuisance(),
) -> Scenes:
    """Pairs of drawn aerial pictures, with classes before and after.

    More pairs change none of those before; other nuisances change how a pair looks, and neither
    its classes nor its labels.

    Args:
        seed: Seed of everything random, at least 0.
        count: How many pairs, at least 1.
        side: Height and width in pixels, at least 16.
        visits: Pairs of each place, of different changes, at least 1.
        cells: Probability of each cell to become another class, 0 to 1.
        things: Mean number of small things that are there at the first date, and of those that
            appear, on 64 x 64 pixels, 0 to 1000; of the first a third disappears.
        nuisance: What differs and is no change.

    Returns:
        Pairs with `cover_before` and `cover_after` known everywhere.

    Raises:
        ValueError: For a value outside its bounds.

    >>> scenes = simulated_scenes(count=2, side=16)
    >>> scenes.before.shape, scenes.places.tolist()
    ((2, 16, 16, 3), [0, 0])
    """
    _check(seed, count, side, visits, cells, things)
    drawn = [_pair(seed, number, side, visits, cells, things, nuisance) for number in range(count)]
    before, after, first, second = (np.stack(part) for part in zip(*drawn, strict=True))
    changed = first != second
    return Scenes(
        "simulated_scenes",
        before.astype(np.float32),
        after.astype(np.float32),
        (first * changed).astype(np.int8),
        (second * changed).astype(np.int8),
        CLASSES,
        np.arange(count) // visits,
        simulated=True,
        cover_before=first.astype(np.int8),
        cover_after=second.astype(np.int8),
    )


def _check(seed: int, count: int, side: int, visits: int, cells: float, things: float) -> None:
    bounds = (("seed", seed, 0), ("count", count, 1), ("side", side, 16), ("visits", visits, 1))
    for name, value, least in bounds:
        if value < least:
            raise ValueError(f"{name} is {value}; allowed: {least} and more")
    for name, share, most in (("cells", cells, 1), ("things", things, 1000)):
        if not 0 <= share <= most:
            raise ValueError(f"{name} is {share}; allowed: 0 to {most}")


def _pair(
    seed: int,
    number: int,
    side: int,
    visits: int,
    cells: float,
    things: float,
    nuisance: Nuisance,
) -> tuple[Floats, Floats, Whole, Whole]:
    place, visit = divmod(number, visits)
    random = np.random.default_rng((seed, place))
    ground = _ground(random, side)
    first = _with_things(random, ground, _number(random, side, things))
    # Each of what follows has draws of its own, so that none depends on how many another made.
    changing, looking = (np.random.default_rng((seed, place, 1 + visit, k)) for k in range(2))
    second = _later(changing, ground, first, cells, _number(changing, side, things))
    before, after = _looks(looking, first, second, nuisance)
    return before, after, first.cover, second.cover


def _number(random: Random, side: int, things: float) -> int:
    return int(random.poisson(things * side**2 / 64**2))


def _ground(random: Random, side: int) -> _Pieces:
    """Voronoi cells with wavy borders, about one for every 340 pixels."""
    count = max(3, round(side**2 / 340 * random.uniform(0.7, 1.4)))
    centres = random.uniform(0, side, (count, 2))
    waves = [4 * _unit(gaussian_filter(random.normal(size=(side, side)), 5)) for _ in range(2)]
    axis = np.arange(side) + 0.5
    down, right = axis[:, None] + 0.35 * waves[0], axis + 0.35 * waves[1]
    distance = np.hypot(down - centres[:, :1, None], right - centres[:, 1:, None])
    return _Pieces(distance.argmin(axis=0), 1 + random.choice(len(CLASSES), count, p=COVER))


def _with_things(random: Random, pieces: _Pieces, count: int) -> _Pieces:
    """More pieces, small ones, of which none has the class of what it covers."""
    places, classes = pieces.places.copy(), list(pieces.classes)
    cover = pieces.cover
    for _ in range(count):
        kind = 1 + int(random.choice(len(CLASSES), p=THINGS))
        there = _shape(random, len(places), kind) & (cover != kind)
        places[there] = len(classes)
        classes.append(kind)
    return _Pieces(places, np.array(classes))


def _shape(random: Random, side: int, kind: int) -> NDArray[np.bool_]:
    """A turned rectangle for what people build, else an ellipse."""
    area = AREA * (side / 64) * np.exp(random.normal(0, 0.7))
    ratio, angle = random.uniform(1, 2.2), random.uniform(0, np.pi)
    centre = random.uniform(0, side, 2)
    axis = np.arange(side) + 0.5
    down, right = axis[:, None] - centre[0], axis - centre[1]
    along = np.cos(angle) * down + np.sin(angle) * right
    across = np.cos(angle) * right - np.sin(angle) * down
    if kind >= TALL[1]:
        return np.maximum(abs(along) / ratio, abs(across)) <= np.sqrt(area / ratio) / 2
    return np.hypot(along / ratio, across) <= np.sqrt(area / ratio / np.pi)


def _later(random: Random, ground: _Pieces, first: _Pieces, cells: float, count: int) -> _Pieces:
    """Cells that became another class, small things that went, others that came."""
    old, total = len(ground.classes), len(first.classes)
    gone = random.random(total) < np.where(np.arange(total) < old, cells, 1 / 3)
    places, classes = first.places.copy(), list(first.classes)
    for piece in np.flatnonzero(gone):
        there = first.places == piece
        kind = _becomes(random, first.classes[piece])
        if piece >= old:
            places[there] = ground.places[there]  # what it covered comes to light
        else:
            places[there] = len(classes)
            classes.append(kind)
    return _seen(first, _with_things(random, _Pieces(places, np.array(classes)), count))


def _becomes(random: Random, kind: int) -> int:
    weights = np.array(BECOMES[kind - 1])
    return 1 + int(random.choice(len(CLASSES), p=weights / weights.sum()))


def _seen(first: _Pieces, second: _Pieces) -> _Pieces:
    """The second date; where the class is the same, the piece is the same."""
    same = second.cover == first.cover
    return _Pieces(np.where(same, first.places, second.places), second.classes)


def _looks(
    random: Random, first: _Pieces, second: _Pieces, nuisance: Nuisance
) -> tuple[Floats, Floats]:
    side, total = len(first.places), len(second.classes)
    spread = np.take(SPREAD, second.classes - 1)[:, None]
    tint = spread * (random.normal(size=(total, 1)) + 0.6 * random.normal(size=(total, 3)))
    angle = random.uniform(0, np.pi, total)
    phase = 0.5 + nuisance.season * (random.uniform(0, 1, 2) - 0.5)
    noises = random.normal(size=(2, 2, side, side))
    fields = _fields(noises, RENEWED * nuisance.season)
    pictures = []
    for date, pieces in enumerate((first, second)):
        dry = np.clip(phase[date] + 0.6 * nuisance.season * random.normal(size=total), 0, 1)
        looks = _painted(pieces, tint, dry, angle, fields[date])
        pictures.append(_lit(random, looks, pieces.cover, nuisance.light))
    away = nuisance.shift * np.sqrt(random.random()) * _direction(random)
    pictures[1] = shifted(pictures[1], (*away, 0), order=1, mode="nearest")
    noise = nuisance.noise * random.normal(size=(2, side, side, 3))
    before, after = np.clip(np.stack(pictures) + noise, 0, 1)
    return before, after


def _fields(noises: Floats, renewed: float) -> tuple[list[Floats], list[Floats]]:
    """Fine and coarse noise of unit spread at both dates, alike but for what was renewed."""
    kept = np.sqrt(1 - renewed**2)
    dates = (noises[0], kept * noises[0] + renewed * noises[1])
    first, second = ([fine, _unit(gaussian_filter(coarse, 1.5))] for fine, coarse in dates)
    return first, second


def _painted(
    pieces: _Pieces, tint: Floats, dry: Floats, angle: Floats, fields: list[Floats]
) -> Floats:
    """Colour of the piece and its season, and the class's texture."""
    kinds = pieces.classes - 1
    green, brown = np.take(COLOURS, kinds[: len(dry)], axis=0).swapaxes(0, 1)
    colour = green + dry[: len(kinds), None] * (brown - green) + tint[: len(kinds)]
    axis = np.arange(len(pieces.places))
    turn = angle[pieces.places]
    stripes = np.sin(1.9 * (np.cos(turn) * axis[:, None] + np.sin(turn) * axis))
    parts = zip((FINE, COARSE, ROWS), (*fields, stripes), strict=True)
    texture = sum(np.take(size, kinds)[pieces.places] * field for size, field in parts)
    return colour[pieces.places] + np.asarray(texture)[..., None]


def _lit(random: Random, picture: Floats, cover: Whole, light: float) -> Floats:
    """Under a light of its own: brightness, cast, slope, and shadows of what is tall."""
    gain = np.exp(light * (0.12 * random.normal() + 0.04 * random.normal(size=3)))
    axis = np.linspace(-0.5, 0.5, len(picture))
    down, right = _direction(random)
    slope = 1 + 0.15 * light * (down * axis[:, None] + right * axis)
    away = np.rint(random.uniform(1, 2.4) * _direction(random)).astype(int)
    tall = np.isin(cover, TALL)
    shadow = np.roll(tall, away, axis=(0, 1)) & ~tall
    return gain * picture * slope[..., None] * (1 - 0.35 * min(light, 1) * shadow)[..., None]


def _direction(random: Random) -> Floats:
    angle = random.uniform(0, 2 * np.pi)
    return np.array([np.sin(angle), np.cos(angle)])


def _unit(values: Floats) -> Floats:
    """The values with mean 0 and standard deviation 1."""
    return (values - values.mean()) / values.std()
