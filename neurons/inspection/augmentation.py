"""Pictures, maps and masks changed alike: flips, rotation, crop, and brightness for pictures.

What was drawn for a picture is kept (:class:`Draw`), so that a prior map or a mask of the same
picture, of another resolution if need be, gets the same geometry. Geometry is that of pixel
centres, `(i + 1/2) / n` along an axis of `n` pixels; beyond the border the picture is reflected.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.ndimage import map_coordinates
from jaxtyping import Bool, Float, Shaped

Kind = Literal["image", "map", "mask"]

MOST_ROTATION, LEAST_CROP = 180.0, 0.05


class Draw(NamedTuple):
    """What was drawn for each picture; None for what is never changed.

    Args:
        flip: `(batch, 2)`, whether rows and whether columns change their order.
        angle: `(batch,)` in degrees; counter-clockwise as a picture is shown.
        share: `(batch,)` share of each side that the crop keeps.
        place: `(batch, 2)` in [0, 1], where in the room that is left the crop lies.
        factor: `(batch,)` by which grey levels are multiplied.
    """

    flip: Bool[Array, "batch 2"] | None = None
    angle: Float[Array, " batch"] | None = None
    share: Float[Array, " batch"] | None = None
    place: Float[Array, "batch 2"] | None = None
    factor: Float[Array, " batch"] | None = None


@dataclass(frozen=True)
class Augmentation:
    """Random changes that leave the label as it is.

    Args:
        flip: whether to reverse rows, and columns, each with probability one half.
        rotation: largest angle in degrees to either side, 0 to 180, uniform.
        crop: smallest share of each side that is kept and enlarged to the full size, in
            [0.05, 1], uniform up to 1.
        brightness: grey levels are multiplied by a factor uniform in
            `[1 - brightness, 1 + brightness]` and clipped to [0, 1]; 0 to 1.

    Raises:
        ValueError: for a value outside its bounds.

    Example:
        >>> draw = Augmentation(rotation=10.0).draw(jax.random.key(0), 4)
        >>> apply(draw, jnp.ones((4, 8, 8)), "mask").dtype.name
        'bool'
    """

    flip: bool = True
    rotation: float = 0.0
    crop: float = 1.0
    brightness: float = 0.0

    def __post_init__(self) -> None:
        bounds = (
            ("rotation", self.rotation, 0.0, MOST_ROTATION),
            ("crop", self.crop, LEAST_CROP, 1.0),
            ("brightness", self.brightness, 0.0, 1.0),
        )
        for name, value, least, most in bounds:
            if not least <= value <= most:
                raise ValueError(f"{name} is {value}; allowed: {least} to {most}")

    def draw(self, key: Array, count: int) -> Draw:
        """Draw the changes of `count` pictures; the same key gives the same ones."""
        keys = jax.random.split(key, 5)
        uniform = partial(jax.random.uniform, dtype=jnp.float32)
        cropped, turned, lit = self.crop < 1, self.rotation > 0, self.brightness > 0
        return Draw(
            flip=jax.random.bernoulli(keys[0], shape=(count, 2)) if self.flip else None,
            angle=self.rotation * (2 * uniform(keys[1], (count,)) - 1) if turned else None,
            share=self.crop + (1 - self.crop) * uniform(keys[2], (count,)) if cropped else None,
            place=uniform(keys[3], (count, 2)) if cropped else None,
            factor=1 + self.brightness * (2 * uniform(keys[4], (count,)) - 1) if lit else None,
        )


def apply(
    draw: Draw, values: Shaped[Array, "batch height width ..."], kind: Kind = "image"
) -> Shaped[Array, "batch height width ..."]:
    """Change pictures, maps or masks as drawn; may be jitted.

    The crop is taken out of the turned picture, and flipped last. A flip alone changes no value;
    anything else interpolates linearly, for a mask by the nearest pixel.

    Args:
        draw: what was drawn, for as many pictures.
        values: `(batch, height, width)` or `(batch, height, width, channels)`.
        kind: an "image" has grey levels in [0, 1] and gets the brightness, too; a "map" is any
            number by pixel; a "mask" is true where its values are not 0, and stays one.

    Raises:
        ValueError: for another `kind`, another number of axes, or a draw for another number of
            pictures.
    """
    _check(draw, values, kind)
    x = values.astype(bool) if kind == "mask" else values
    if draw.angle is not None or draw.share is not None:
        x = jax.vmap(partial(_moved, linear=kind != "mask"))(x, draw.angle, draw.share, draw.place)
    if draw.flip is not None:
        x = _flipped(x, draw.flip)
    if draw.factor is not None and kind == "image":
        x = jnp.clip(x * _beside(draw.factor, x).astype(x.dtype), 0, 1)
    return x


def _check(draw: Draw, values: Array, kind: str) -> None:
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}; allowed: {', '.join(get_args(Kind))}")
    if values.ndim not in (3, 4):
        raise ValueError(
            f"expected (batch, height, width) with or without channels, got {values.shape}"
        )
    drawn = {leaf.shape[0] for leaf in jax.tree.leaves(draw)}
    if drawn - {values.shape[0]}:
        raise ValueError(f"drawn for {sorted(drawn)} pictures, got {values.shape[0]}")


def _flipped(x: Array, flip: Bool[Array, "batch 2"]) -> Array:
    for axis in (0, 1):
        x = jnp.where(_beside(flip[:, axis], x), jnp.flip(x, axis + 1), x)
    return x


def _beside(values: Array, x: Array) -> Array:
    """One value a picture, with as many axes as the pictures."""
    return values.reshape(-1, *(1,) * (x.ndim - 1))


def _moved(
    x: Array, angle: Array | None, share: Array | None, place: Array | None, *, linear: bool
) -> Array:
    """One picture, turned and cropped."""
    height, width = x.shape[:2]
    rows, columns = _sources(height, width, angle, share, place)
    sample = partial(
        map_coordinates, coordinates=[rows, columns], order=int(linear), mode="reflect"
    )
    if x.dtype == jnp.bool_:
        return sample(x.astype(jnp.float32)).astype(bool)
    return sample(x) if x.ndim == 2 else jax.vmap(sample, in_axes=2, out_axes=2)(x)


def _sources(
    height: int, width: int, angle: Array | None, share: Array | None, place: Array | None
) -> tuple[Array, Array]:
    """Where every pixel comes from, in pixels; centres lie at whole numbers."""
    y = (jnp.arange(height, dtype=jnp.float32) + 0.5) / height - 0.5
    x = (jnp.arange(width, dtype=jnp.float32) + 0.5) / width - 0.5
    if share is not None and place is not None:
        middle = (1 - share) * (place - 0.5)
        y, x = share * y + middle[0], share * x + middle[1]
    rows, columns = jnp.meshgrid(y * height, x * width, indexing="ij")
    if angle is not None:
        cosine, sine = jnp.cos(jnp.deg2rad(angle)), jnp.sin(jnp.deg2rad(angle))
        rows, columns = cosine * rows + sine * columns, cosine * columns - sine * rows
    return rows + (height - 1) / 2, columns + (width - 1) / 2
