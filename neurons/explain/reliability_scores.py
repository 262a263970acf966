"""How far the maps of a classifier's two classes lie over what it responds to at all.

With B_0, B_1 the pixels that stand out in the maps of "normal" and "defect" and B_a those of a map
that knows no class, the scores of an image that was predicted normal are

    spec1   1 - IoU(B_1, B_a)
    diff    IoU(B_1, B_a) - IoU(B_0, B_a)
    spec0   1 - IoU(B_0, B_a)

Larger is more doubtful in all three as they were written down; note that `spec1` falls where `diff`
rises, so that at most one of them can be of use for a given network.

References:
    H.-C. Dong et al., When Can We Trust Deep Neural Networks?, arXiv 2604.19206, of which the
    abstract alone was at hand ("the difference in their intersection over union"): the formulas
    are our reading of it.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from neurons.explain.maps import Maps
from neurons.explain.plug_in import chosen
from neurons.explain.thresholds import otsu

Score = Literal["spec1", "diff", "spec0"]
Marks: TypeAlias = Bool[Array, " batch *spatial"]


class Top(NamedTuple):
    """A threshold that marks equally many pixels in every map.

    Args:
        share: of the pixels, in (0, 1]; at least one pixel is marked.
    """

    share: float


Threshold: TypeAlias = float | Literal["otsu"] | Top


def checked_threshold(threshold: Any) -> Threshold:
    """The threshold, if it is one.

    Raises:
        ValueError: for anything but a number in (0, 1], "otsu", or `Top` of a share in (0, 1].
    """
    value = threshold.share if isinstance(threshold, Top) else threshold
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if threshold != "otsu" and not (number and 0 < value <= 1):
        raise ValueError(
            f'a threshold is a number in (0, 1], "otsu" or Top(share in (0, 1]), got {threshold!r}'
        )
    return Top(float(value)) if isinstance(threshold, Top) else threshold


def salient(maps: Maps, threshold: Threshold = 0.5) -> Marks:
    """Pixels that stand out in finished maps.

    Args:
        maps: from 0 to 1, see :func:`neurons.explain.finish`.
        threshold: a number marks `map >= number`, "otsu" what lies above each map's own threshold,
            `Top(q)` the share q of the pixels with the largest values (more where values are tied).

    Returns:
        `(batch, *spatial)`. A map of zeros has no mark under any rule, nor has a pixel of value 0.

    Raises:
        ValueError: see :func:`checked_threshold`.

    Example:
        >>> maps = jnp.array([[0.0, 0.2, 0.6, 1.0]])
        >>> salient(maps).tolist(), salient(maps, Top(0.75)).tolist()
        ([[False, False, True, True]], [[False, True, True, True]])
    """
    threshold = checked_threshold(threshold)
    if threshold == "otsu":
        return (maps > _beside(otsu(maps), maps)) & (maps > 0)
    if isinstance(threshold, Top):
        flat = jnp.sort(maps.reshape(len(maps), math.prod(maps.shape[1:])), axis=1)
        count = max(1, round(threshold.share * flat.shape[1]))
        return (maps >= _beside(flat[:, -count], maps)) & (maps > 0)
    return maps >= jnp.asarray(threshold, maps.dtype)


def overlap(one: Marks, other: Marks) -> Float[Array, " batch"]:
    """Intersection over union of two sets of pixels.

    Returns:
        `(batch,)` float32; 1 where both are empty, 0 where one is.

    Example:
        >>> some, none = jnp.array([[True, True, False]]), jnp.zeros((1, 3), bool)
        >>> [float(overlap(*pair)[0]) for pair in ((some, some), (some, none), (none, none))]
        [1.0, 0.0, 1.0]
    """
    axes = tuple(range(1, one.ndim))
    either, both = (part.sum(axis=axes).astype(jnp.float32) for part in (one | other, one & other))
    return jnp.where(either == 0, 1.0, both / jnp.maximum(either, 1))


def soft_overlap(one: Maps, other: Maps) -> Float[Array, " batch"]:
    """Intersection over union without thresholds, `sum min / sum max`; 1 where both are zero.

    It can be differentiated, and of maps of zeros and ones it is :func:`overlap`.
    """
    axes = tuple(range(1, one.ndim))
    both, either = (part(one, other).sum(axis=axes) for part in (jnp.minimum, jnp.maximum))
    empty = either == 0
    return jnp.where(empty, jnp.ones_like(both), both / jnp.where(empty, 1, either))


def doubt(
    normal: Float[Array, " batch"], defect: Float[Array, " batch"], score: Score = "diff"
) -> Float[Array, " batch"]:
    """The score from two overlaps.

    Args:
        normal: `IoU(B_0, B_a)`.
        defect: `IoU(B_1, B_a)`.
        score: a name in `SCORES`.

    Returns:
        `(batch,)`: "spec1" and "spec0" in [0, 1], "diff" in [-1, 1].

    Raises:
        ValueError: for another score.
    """
    found: Array = chosen("score", score, SCORES)(normal, defect)
    return found


SCORES: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {
        "spec1": lambda normal, defect: 1 - defect,
        "diff": lambda normal, defect: defect - normal,
        "spec0": lambda normal, defect: 1 - normal,
    }
)
"""The scores by name, functions of `IoU(B_0, B_a)` and `IoU(B_1, B_a)`."""


def _beside(values: Float[Array, " batch"], maps: Array) -> Array:
    return values.reshape(-1, *(1,) * (maps.ndim - 1))
