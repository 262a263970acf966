"""Regions of a picture and sentences about them, drawn together: means, and the loss of S2M.

With unit vectors v of M regions, t of their sentences, and a temperature:

    L_v2t = -1/M sum_r log( sum_{s in P(r)} e^(v_r.t_s / temperature) / sum_s e^(v_r.t_s / ...) )

P(r) are the sentences that are true of region r: more than one, since regions share a description.
L_t2v is the same with the roles exchanged, and the loss of both directions is their mean.

References:
    K. Zheng, H.-C. Dong et al., Masks Can Talk (S2M), arXiv 2605.07178: a bidirectional contrastive
    loss; P. Khosla et al., Supervised contrastive learning, NeurIPS 2020, for several positives
    (there the logarithm stands inside the sum; here outside, `L_in`). The formula is our reading.
"""

from typing import Literal, get_args

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

from neurons.options import require

Directions = Literal["both", "v2t", "t2v"]
TINY = 1e-12  # squared length below which a vector has no direction


def contrast(
    regions: Float[Array, "regions width"],
    sentences: Float[Array, "sentences width"],
    same: Bool[Array, "regions sentences"],
    *,
    temperature: Float[Array, ""] | float = 0.07,
    directions: Directions = "both",
    shown: Bool[Array, " regions"] | None = None,
    told: Bool[Array, " sentences"] | None = None,
) -> Float[Array, ""]:
    """How badly regions and sentences find each other.

    Args:
        regions: vectors, of unit length by :func:`unit`.
        sentences: vectors, likewise.
        same: whether a sentence is true of a region.
        temperature: divides the similarities; above 0.
        directions: "v2t" from a region to its sentences, "t2v" from a sentence to its regions, or
            the mean of "both".
        shown: regions that there are; those that fill up a batch take no part. All by default.
        told: sentences that there are, likewise.

    Returns:
        The mean over regions (sentences) that have a positive; 0 if none has.

    Raises:
        ValueError: for unknown directions, shapes that do not fit, or a temperature that is not
            positive.

    Example:
        >>> v = jnp.eye(2)
        >>> round(float(contrast(v, v, jnp.eye(2, dtype=bool), temperature=1.0)), 6)
        0.313262
    """
    if directions not in get_args(Directions):
        raise ValueError(f"directions are {', '.join(get_args(Directions))}; got {directions!r}")
    if same.shape != (len(regions), len(sentences)) or regions.shape[1] != sentences.shape[1]:
        raise ValueError(
            f"regions {regions.shape} and sentences {sentences.shape} do not fit {same.shape}"
        )
    if isinstance(temperature, float | int) and not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    shown = jnp.ones(len(regions), bool) if shown is None else shown
    told = jnp.ones(len(sentences), bool) if told is None else told
    there = shown[:, None] & told[None]
    closeness = regions @ sentences.T / temperature
    forth = _one_way(closeness, same, there)
    back = _one_way(closeness.T, same.T, there.T)
    return {"both": (forth + back) / 2, "v2t": forth, "t2v": back}[directions]


def _one_way(
    closeness: Float[Array, "rows columns"],
    same: Bool[Array, "rows columns"],
    there: Bool[Array, "rows columns"],
) -> Float[Array, ""]:
    """Mean over the rows with a positive of `log sum_all - log sum_positives`."""
    right = same & there
    counts = right.any(axis=1)
    # Rows that do not count take all columns for right: what is thrown away below is finite.
    right, there = right | ~counts[:, None], there | ~counts[:, None]
    losses = jax.nn.logsumexp(closeness, axis=1, where=there)
    losses = losses - jax.nn.logsumexp(closeness, axis=1, where=right)
    return jnp.sum(jnp.where(counts, losses, 0)) / jnp.maximum(counts.sum(), 1).astype(losses.dtype)


def unit(vectors: Float[Array, "*batch width"]) -> Float[Array, "*batch width"]:
    """Vectors of length 1; those of length 0 stay what they are, with a finite gradient."""
    squares = jnp.sum(jnp.square(vectors), axis=-1, keepdims=True)
    return vectors * jax.lax.rsqrt(jnp.maximum(squares, jnp.asarray(TINY, squares.dtype)))


def shares(
    regions: Int[Array, "batch height width"], patch: int, count: int
) -> Float[Array, "batch count rows columns"]:
    """How much of every patch belongs to every region.

    Args:
        regions: 0 for none, 1 to `count` the region of each pixel.
        patch: side of a patch in pixels; patches that reach over the lower or right border are
            filled up with pixels of no region.
        count: regions of a picture at most.

    Raises:
        ValueError: for a patch or a count below 1.
    """
    require("patch", patch)
    require("count", count)
    down, right = (-size % patch for size in regions.shape[1:])
    filled = jnp.pad(regions, ((0, 0), (0, down), (0, right)))
    batch, height, width = filled.shape
    cells = filled.reshape(batch, 1, height // patch, patch, width // patch, patch)
    numbers = jnp.arange(1, count + 1, dtype=regions.dtype)[None, :, None, None, None, None]
    return (cells == numbers).mean(axis=(3, 5), dtype=jnp.float32)


def region_means(
    features: Float[Array, "batch rows columns width"],
    weights: Float[Array, "batch count rows columns"],
) -> Float[Array, "batch count width"]:
    """Mean of the features over each region; 0 of a region that is nowhere.

    Args:
        features: of every cell.
        weights: how much of a cell belongs to a region, as :func:`shares` gives them.
    """
    sums = jnp.einsum("bhwd,bnhw->bnd", features, weights)
    sizes = weights.sum(axis=(2, 3))[..., None]
    return jnp.where(sizes > 0, sums / jnp.where(sizes > 0, sizes, 1), 0)
