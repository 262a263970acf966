"""The shape of what is marked: regions, fragments, holes, boundaries.

Pixels of a shape touch over edges and corners (8 neighbours in two dimensions), pixels around it
over edges only (4 neighbours), so that a closed line separates its inside from its outside.
"""

from itertools import product
from math import isqrt
from typing import Literal, TypeAlias

import numpy as np
from scipy import ndimage

from neurons.explain.metrics.pairs import Found, Stack, as_masks, paired, ratio, rows

Touch: TypeAlias = Literal["corners", "edges"]


def regions(shapes: Stack, *, touch: Touch = "corners") -> tuple[Found, Found]:
    """Connected regions of every image of a batch, in one pass.

    Args:
        shapes: `(batch, *space)` bool.
        touch: whether pixels touch over "corners" or over "edges" only.

    Returns:
        `(batch, *space)` labels, 0 outside and different in every image; `(regions + 1,)` the
        image that each label lies in, -1 for label 0.

    Example:
        >>> labels, image = regions(np.array([[1, 0, 1], [0, 1, 0]], bool))
        >>> labels.tolist(), image.tolist()
        ([[1, 0, 2], [0, 3, 0]], [-1, 0, 0, 1])
    """
    found = as_masks(shapes)
    labels, count = ndimage.label(found, _within(found.ndim, touch))
    image = np.full(count + 1, -1)
    numbers = np.arange(len(found)).reshape(-1, *[1] * (found.ndim - 1))
    image[labels] = np.broadcast_to(numbers, labels.shape)
    image[0] = -1
    return labels, image


def components(shapes: Stack, *, touch: Touch = "corners") -> Found:
    """Number of connected regions in every image.

    Args:
        shapes: `(batch, *space)` bool.
        touch: as for :func:`regions`.

    Returns:
        `(batch,)` float64.
    """
    return _by_image(regions(shapes, touch=touch)[1], len(shapes))


def components_per_region(
    maps: Stack,
    masks: Stack,
    threshold: float,
    *,
    where: Literal["image", "regions"] = "image",
) -> Found:
    """How scattered the marked pixels are: connected pieces for every true region.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.
        threshold: pixels with `map >= threshold` are marked.
        where: "image" counts the pieces everywhere; "regions" only those inside the mask, cut at
            its boundary.

    Returns:
        `(batch,)`, 1 for a perfect map; NaN without a true region, or for a map with NaN.

    Raises:
        ValueError: for another `where`, or maps and masks of different shapes.
    """
    if where not in ("image", "regions"):
        raise ValueError(f'where must be "image" or "regions", got {where!r}')
    marked, truth, broken = _marked(maps, masks, threshold)
    pieces = components(marked & truth if where == "regions" else marked)
    return np.where(broken, np.nan, ratio(pieces, components(truth)))


def holes(shapes: Stack) -> Found:
    """Number of holes: regions of the background, over edges, that do not reach the border.

    Args:
        shapes: `(batch, height, width)` bool.

    Returns:
        `(batch,)` float64.

    Raises:
        ValueError: for shapes that are not two-dimensional.
    """
    found = as_masks(shapes)
    if found.ndim != 3:
        raise ValueError(f"holes are counted in (batch, height, width), got shape {found.shape}")
    # A frame of background joins all that reaches the border.
    framed = np.pad(found, [(0, 0), (1, 1), (1, 1)])
    return components(~framed, touch="edges") - 1


def euler(shapes: Stack) -> Found:
    """Euler number: regions minus holes.

    Args:
        shapes: `(batch, height, width)` bool.

    Returns:
        `(batch,)` float64.

    Raises:
        ValueError: for shapes that are not two-dimensional.
    """
    return components(shapes) - holes(shapes)


def boundary(shapes: Stack) -> Found:
    """Pixels of a shape with an edge in common with a pixel outside it.

    The image's border is no boundary.

    Args:
        shapes: `(batch, *space)` bool.

    Returns:
        `(batch, *space)` bool.
    """
    found = as_masks(shapes)
    return found & ~ndimage.binary_erosion(found, _within(found.ndim, "edges"), border_value=1)


def boundary_f(maps: Stack, masks: Stack, threshold: float, *, tolerance: float = 2.0) -> Found:
    """F-score of the marked shape's boundary against the mask's.

    `F = 2 P R / (P + R)` with P the share of the marked boundary within `tolerance` of the true
    one, and R the share of the true boundary within `tolerance` of the marked one.

    Args:
        maps: `(batch, *space)`.
        masks: `(batch, *space)` bool.
        threshold: pixels with `map >= threshold` are marked.
        tolerance: Euclidean distance, pixels.

    Returns:
        `(batch,)` in [0, 1], 0 where nothing is marked; NaN for masks without a boundary (empty or
        full), or maps with NaN.

    Raises:
        ValueError: for a negative tolerance, or maps and masks of different shapes.

    References:
        G. Csurka et al., What is a good evaluation measure for semantic segmentation?, BMVC 2013.
    """
    marked, truth, broken = _marked(maps, masks, threshold)
    ours, true = boundary(marked), boundary(truth)
    axes = tuple(range(1, ours.ndim))
    near_true, near_ours = dilated(true, tolerance), dilated(ours, tolerance)
    precision = ratio((ours & near_true).sum(axes), np.maximum(ours.sum(axes), 1))
    recall = ratio((true & near_ours).sum(axes), true.sum(axes))
    both = precision + recall
    found = np.where(both == 0, 0.0, ratio(2 * precision * recall, both))
    return np.where(broken | np.isnan(recall), np.nan, found)


def dilated(shapes: Stack, radius: float) -> Found:
    """All pixels within a Euclidean distance of a shape.

    Args:
        shapes: `(batch, *space)` bool.
        radius: pixels.

    Returns:
        `(batch, *space)` bool.

    Raises:
        ValueError: for a negative radius or one that is no number.
    """
    if not 0 <= radius < np.inf:
        raise ValueError(f"a distance must be at least 0 pixels, got {radius}")
    found = as_masks(shapes)
    reach, space = int(radius), found.ndim - 1
    runs = _runs(found, reach)
    padded = [np.pad(run, [(0, 0), *[(reach, reach)] * (space - 1), (0, 0)]) for run in runs]
    near = np.zeros_like(found)
    for offset in product(range(2 * reach + 1), repeat=space - 1):
        rest = radius**2 - sum((step - reach) ** 2 for step in offset)
        if rest >= 0:
            window = zip(offset, found.shape[1:-1], strict=True)
            near |= padded[isqrt(int(rest))][:, *(slice(o, o + n) for o, n in window)]
    return near


def _runs(shapes: np.ndarray, reach: int) -> list[np.ndarray]:
    """Shapes spread along the last axis by 0, 1, ..., `reach` pixels: a ball is made of rows."""
    length = shapes.shape[-1]
    padded = np.pad(shapes, [*[(0, 0)] * (shapes.ndim - 1), (reach, reach)])
    found = [shapes]
    for step in range(1, reach + 1):
        left, right = (padded[..., at : at + length] for at in (reach - step, reach + step))
        found.append(found[-1] | left | right)
    return found


def _marked(maps: Stack, masks: Stack, threshold: float) -> tuple[Found, Found, Found]:
    """Marked pixels, true pixels, and which images have NaN."""
    values, truth = paired(maps, masks)
    if np.isnan(threshold):
        raise ValueError(f"a threshold must be a number, got {threshold}")
    broken = np.isnan(rows(values)).any(axis=1)
    return values >= values.dtype.type(threshold), truth, broken


def _by_image(image: Found, batch: int) -> Found:
    return np.bincount(image[1:], minlength=batch).astype(np.float64)


def _within(dimensions: int, touch: Touch) -> np.ndarray:
    """Neighbours in the same image: the batch axis connects nothing."""
    if touch not in ("corners", "edges"):
        raise ValueError(f'pixels touch over "corners" or "edges", got {touch!r}')
    space = dimensions - 1
    structure = np.zeros((3,) * dimensions, bool)
    structure[1] = ndimage.generate_binary_structure(space, space if touch == "corners" else 1)
    return structure
