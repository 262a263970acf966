"""Easy and hard defects: quartiles by area and by contrast.

The mean over all defects hides which ones are missed. Defects are ranked by how large or how
visible they are, and a score is reported for each quarter of them.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from neurons.explain.metrics.pairs import as_maps, as_masks, ratio
from neurons.explain.metrics.shapes import dilated

QUARTERS = 4


def contrast(images: Any, masks: Any, *, ring: float | int = 5.0) -> Float[np.ndarray, " samples"]:
    """How far the mean grey level of a defect is from that of its surroundings.

    Args:
        images: `(samples, height, width)` grey, or `(samples, height, width, 3)`, whose colours are
            averaged.
        masks: `(samples, height, width)` of the defects.
        ring: width of the surroundings, pixels.

    Returns:
        In the images' unit, at least 0; NaN for empty masks, and for those that leave no pixel
        around.

    Raises:
        ValueError: for masks of another shape than the images, or a ring that is not positive.

    Example:
        >>> image = np.array([[[0.5, 0.5, 0.2, 0.5]]])
        >>> contrast(image, image < 0.3, ring=1).round(3).tolist()
        [0.3]
    """
    if not ring > 0:
        raise ValueError(f"the surroundings need a width above 0 pixels, got {ring}")
    grey = as_maps(images)
    grey = grey.mean(axis=-1) if grey.ndim == 4 else grey
    inside = as_masks(masks, grey.shape)
    around = dilated(inside, float(ring)) & ~inside
    means = [ratio((grey * part).sum((1, 2)), part.sum((1, 2))) for part in (inside, around)]
    return np.abs(means[0] - means[1])


def quartile(
    values: Float[np.ndarray, " samples"], reference: Float[np.ndarray, " others"] | None = None
) -> Int[np.ndarray, " samples"]:
    """The quarter that each value falls into, 0 for the smallest.

    Args:
        values: by sample; NaN where a sample has none.
        reference: values whose quartiles are the borders, by default `values` themselves. Give
            the same reference for several sets, so that a quarter means the same in all.

    Returns:
        0, 1, 2 or 3; -1 for NaN. A value on a border belongs below.

    Raises:
        ValueError: where the reference holds no number.

    Example:
        >>> quartile(np.array([4.0, 1.0, np.nan, 2.0, 3.0])).tolist()
        [3, 0, -1, 1, 2]
    """
    given = np.asarray(values, np.float64)
    known = given if reference is None else np.asarray(reference, np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        raise ValueError("there are no values to take quartiles of")
    borders = np.quantile(known, np.arange(1, QUARTERS) / QUARTERS)
    return np.where(np.isfinite(given), np.searchsorted(borders, given), -1)


def by_quartile(
    scores: Float[np.ndarray, " samples"], quarters: Int[np.ndarray, " samples"]
) -> Float[np.ndarray, " quarters"]:
    """The mean of a score in every quarter; NaN does not count, and stands for an empty quarter.

    Args:
        scores: by sample, e.g. whether it was located.
        quarters: from :func:`quartile`.

    Raises:
        ValueError: for another number of scores than of quarters.
    """
    values = np.asarray(scores, np.float64)
    if values.shape != quarters.shape:
        raise ValueError(f"{values.shape} scores for {quarters.shape} quarters")
    known = np.isfinite(values)
    inside = [(quarters == number) & known for number in range(QUARTERS)]
    return np.array([values[part].mean() if part.any() else np.nan for part in inside])
