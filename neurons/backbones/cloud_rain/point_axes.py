"""Axes through two of a cloud's own points, which turn with it whatever its variances.

Both points win by a score that no rotation, mirror or order of the points changes. In a symmetric
cloud several points tie, but those that do are images of each other under the cloud's symmetries,
and the cloud looks the same from each of them.
"""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

Symmetry = Literal["O", "SO"]


@partial(jax.jit, static_argnames="group")
def point_axes(
    centered: Float[Array, "batch points coordinates"], group: Symmetry
) -> Float[Array, "batch coordinates coordinates"]:
    """The axes of clouds around their centers, as columns.

    Args:
        centered: `(batch, n, d)` with d of 2 or 3 and mean 0; no gradient flows through.
        group: "O": right up to signs. "SO": determinant 1, right up to two signs at a time; scores
            tell mirror images apart by determinants.
    """
    return lax.map(partial(_axes, group=group), lax.stop_gradient(centered))


def _axes(centered: Array, group: Symmetry) -> Array:
    """The axes of one cloud, `(n, d)` to `(d, d)`."""
    size = jnp.sqrt(jnp.square(centered).sum(axis=1).mean())
    centered = centered / jnp.where(size > 0, size, jnp.ones_like(size))
    scores = _scores(centered, group)
    first = _unit(centered[scores.whole.argmax()], axis=None)
    if centered.shape[-1] == 2:
        return jnp.stack([first, jnp.stack([-first[1], first[0]])], axis=1)
    second = _unit(_second(centered, first, scores, group), axis=first)
    return jnp.stack([first, second, jnp.cross(first, second)], axis=1)


class _Scores(NamedTuple):
    """What tells points apart: their crowding, their score, and vectors that turn with them."""

    crowding: Array
    whole: Array
    pull: Array


def _scores(centered: Array, group: Symmetry) -> _Scores:
    """Invariant scores of the points of a cloud of unit size, `(n,)`."""
    lengths = jnp.square(centered).sum(axis=1)
    squares = (
        lengths[:, None] + lengths[None] - 2 * jnp.matmul(centered, centered.T, precision="highest")
    )
    near = 1 / (1 + 4 * jnp.maximum(squares, 0))
    seen = jnp.concatenate(
        [jnp.ones_like(centered[:, :1]), centered, lengths[:, None] * centered], axis=1
    )
    seen = jnp.matmul(near, seen, precision="highest") / centered.shape[0]
    crowding, pull, far_pull = jnp.split(seen, [1, 1 + centered.shape[1]], axis=1)
    factor = 1 + crowding[:, 0]
    if group == "SO":
        factor = factor + _squash(_handedness(centered, pull, far_pull)) / 2
    return _Scores(crowding[:, 0], lengths * factor, pull)


def _handedness(centered: Array, pull: Array, far_pull: Array) -> Array:
    """What changes sign in a mirror: a determinant of vectors that turn with the cloud."""
    if centered.shape[1] == 2:
        return centered[:, 0] * pull[:, 1] - centered[:, 1] * pull[:, 0]
    return (centered * jnp.cross(pull, far_pull)).sum(axis=1)


def _second(centered: Array, first: Array, scores: _Scores, group: Symmetry) -> Array:
    """The part orthogonal to the first axis of the point that scores best by it."""
    along = (centered * first[None]).sum(axis=1)
    across = centered - along[:, None] * first[None]
    # A symmetry that moves the first point makes pairs (first, j) and (k, first) alike, with j
    # and k at the same place along the axis: what pulls at them tells them apart.
    pulled = (scores.pull * first[None]).sum(axis=1)
    factor = 1 + scores.crowding + _squash(along) / 4 + _squash(4 * pulled) / 4
    if group == "SO":
        triple = (first[None] * jnp.cross(centered, scores.pull)).sum(axis=1)
        factor = factor + _squash(triple) / 4
    return across[(jnp.square(across).sum(axis=1) * factor).argmax()]


def _squash(x: Array) -> Array:
    return x / (1 + jnp.abs(x))


def _unit(vector: Array, axis: Array | None) -> Array:
    """Length one; for a vector of nothing but rounding any direction orthogonal to `axis`."""
    spare = jnp.zeros_like(vector).at[0].set(1)
    if axis is not None:
        spare = jnp.zeros_like(vector).at[jnp.abs(axis).argmin()].set(1)
        spare = spare - (spare * axis).sum() * axis
    vector = jnp.where(jnp.square(vector).sum() > 1e-12, vector, spare)
    return vector / jnp.sqrt(jnp.square(vector).sum())
