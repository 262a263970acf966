"""Labels of pixels without a mask: from maps, and from the predictions of a network.

A label is 1 (defect), 0 (background) or -1 (ignored: nobody knows). What is known of an image for
certain is used everywhere: a normal one is background in every pixel, and a defective one without
a single defect pixel is ignored as a whole, since it cannot all be background.

References:
    Region-Aware CAM, arXiv 2506.22866. The abstract alone was at hand; rules and levels are our
    reading of its "pseudo-label training".
"""

from typing import Literal

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int8

from neurons.explain.plug_in import chosen
from neurons.explain.thresholds import otsu, quantile

DEFECT, BACKGROUND, IGNORED = 1, 0, -1

Rule = Literal["fixed", "otsu", "quantile"]
Empty = Literal["ignore", "background"]
Measure = Literal["foreground", "pixels"]
Labels = Int8[Array, "batch height width"]

# Our reading: the abstract names no levels.
LEVELS: dict[str, tuple[float, float]] = {
    "fixed": (0.5, 0.2),
    "otsu": (1.0, 0.4),
    "quantile": (0.95, 0.7),
}


def seeds(
    maps: Float[Array, "batch height width"],
    defective: Bool[Array, " batch"],
    *,
    rule: Rule = "fixed",
    levels: tuple[float, float] | None = None,
    empty: Empty = "ignore",
) -> Labels:
    """Seeds from finished maps: `M >= t_defect` is defect, `M <= t_background` background.

    Args:
        maps: finished maps (see :func:`neurons.explain.finish`), of the images' size.
        defective: the images' labels.
        rule: what `levels` are: "fixed" values of the map; "otsu" multiples of Otsu's threshold of
            each map; "quantile" shares of each map's pixels that lie below.
        levels: for defect and background; by default (0.5, 0.2), (1, 0.4) and (0.95, 0.7).
        empty: what a defective image without a defect pixel is; "ignore" or "background" where the
            map says so.

    Returns:
        Labels; undefined pixels of a map are ignored.

    Raises:
        ValueError: for an unknown rule, levels that do not fall, or shapes that do not fit.

    Example:
        >>> maps = jnp.array([[[0.0, 0.3, 1.0]], [[0.0, 0.3, 1.0]]])
        >>> seeds(maps, jnp.array([True, False])).tolist()
        [[[0, -1, 1]], [[0, 0, 0]]]
    """
    upper, lower = chosen("rule", rule, LEVELS) if levels is None else levels
    _check(maps, defective, upper, lower)
    if rule == "fixed":
        return _labelled(maps >= upper, maps <= lower, defective, empty)
    if rule == "otsu":
        threshold = otsu(maps)
        ends = [threshold * level for level in (upper, lower)]
    else:
        ends = [quantile(maps, level) for level in (upper, lower)]
    # A constant map lies on its threshold, not above.
    bright, dark = maps > ends[0][:, None, None], maps <= ends[1][:, None, None]
    return _labelled(bright, dark & ~bright, defective, empty)


def pseudo_labels(
    probabilities: Float[Array, "batch height width"],
    defective: Bool[Array, " batch"],
    *,
    levels: tuple[float, float] = (0.7, 0.3),
    empty: Empty = "ignore",
) -> Labels:
    """Labels for the next round: `p > 0.7` is defect, `p < 0.3` background, between is ignored.

    Args:
        probabilities: of a defect, per pixel.
        defective: the images' labels, which overrule the predictions.
        levels: for defect and background.
        empty: as for :func:`seeds`.

    Returns:
        Labels; undefined probabilities are ignored.

    Raises:
        ValueError: for levels that do not fall, or shapes that do not fit.
    """
    _check(probabilities, defective, *levels)
    upper, lower = levels
    return _labelled(probabilities > upper, probabilities < lower, defective, empty)


def agreement(one: Labels, other: Labels, *, measure: Measure = "foreground") -> Float[Array, ""]:
    """How much two labellings agree.

    Args:
        one: labels.
        other: labels of the same images.
        measure: "foreground": common defect pixels over all defect pixels of either, 1 if neither
            has one; "pixels": the share of equal labels among the pixels that neither ignores, 1
            if there are none. Where defects are small, pixels agree whatever happens to them.

    Returns:
        In [0, 1].

    Raises:
        ValueError: for an unknown measure.
    """
    if chosen("measure", measure, {"foreground": True, "pixels": False}):
        both, either = (one == DEFECT) & (other == DEFECT), (one == DEFECT) | (other == DEFECT)
    else:
        either = (one != IGNORED) & (other != IGNORED)
        both = either & (one == other)
    total = jnp.sum(either, dtype=jnp.float32)
    shared = jnp.sum(both, dtype=jnp.float32)
    return jnp.where(total > 0, shared / jnp.maximum(total, 1), jnp.ones_like(total))


def _labelled(bright: Array, dark: Array, defective: Bool[Array, " batch"], empty: str) -> Labels:
    ignores = chosen("empty", empty, {"ignore": True, "background": False})
    labels = jnp.full(bright.shape, IGNORED, jnp.int8)
    labels = jnp.where(dark, jnp.int8(BACKGROUND), labels)
    labels = jnp.where(bright, jnp.int8(DEFECT), labels)
    known = defective[:, None, None]
    if ignores:
        found = bright.any(axis=(1, 2), keepdims=True)
        labels = jnp.where(found, labels, jnp.int8(IGNORED))
    return jnp.where(known, labels, jnp.int8(BACKGROUND))


def _check(values: Array, defective: Array, upper: float, lower: float) -> None:
    if values.ndim != 3 or defective.shape != values.shape[:1] or defective.dtype != bool:
        raise ValueError(
            "expected maps (batch, height, width) and a bool per image, got shapes "
            f"{values.shape} and {defective.shape}, {defective.dtype}"
        )
    if not upper >= lower:
        raise ValueError(
            f"the level of defects must not lie below that of background: {upper}, {lower}"
        )
