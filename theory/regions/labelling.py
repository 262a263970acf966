"""Regions divided further by the decision boundary, so that every cell has one label."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int

from theory.regions.cells import Cells
from theory.regions.decision import as_scores
from theory.regions.frame import Frame
from theory.regions.partition import Regions
from theory.regions.polytopes import Polytopes

Shapes = TypeVar("Shapes", Cells, Polytopes)


@dataclass(frozen=True, eq=False)
class LabelCells:
    """Convex cells with one label and one affine map each.

    Args:
        labels: `(cells,)` as :func:`theory.regions.labels` has them.
        regions: `(cells,)` number of the region each is a part of.
        shapes: corners in a box of one or two dimensions, else walls; `shapes[i]` is one cell's.
    """

    labels: Int[np.ndarray, " cells"]
    regions: Int[np.ndarray, " cells"]
    shapes: Cells | Polytopes

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def volumes(self) -> Float[np.ndarray, " cells"]:
        """Length, area or volume of every cell, in a box."""
        return self.shapes.volumes()


def label_cells(found: Regions) -> LabelCells:
    """Divide regions until every cell has one label.

    One class after the other is held against the best so far: where the sign of the difference
    changes inside a cell, the cell is cut. Of equal scores the first class wins.

    Args:
        found: the regions of a network.

    References:
        H. Dong et al., How to Explain Neural Networks: A perspective of data space division,
        arXiv 2105.07831v1 (cells that hold one label).

    Example:
        >>> from theory.regions import from_layers, regions
        >>> found = regions(from_layers([[[1.0], [1.0]]], [[0.0]]), [[-1, 1], [-1, 1]])
        >>> cells = label_cells(found)
        >>> sorted(cells.labels.tolist()), cells.volumes.tolist()
        ([0, 1], [2.0, 2.0])
    """
    inner, frame = found.framed()
    if isinstance(inner.shapes, Cells):
        return _divided(inner, inner.shapes, frame)
    return _divided(inner, inner.shapes, frame)


def _divided(found: Regions, shapes: Shapes, frame: Frame) -> LabelCells:
    weights, biases = as_scores(found.weights, found.biases)
    regions = np.arange(len(found))
    labels = np.zeros(len(found), np.int64)
    for rival in range(1, biases.shape[1]):
        normals = weights[regions, labels] - weights[regions, rival]
        levels = biases[regions, labels] - biases[regions, rival]
        flat = ~normals.any(axis=1)
        shapes, (order, stays) = shapes.halved(normals, levels, flat, frame.size)
        regions, labels = regions[order], np.where(stays, labels[order], rival)
    return LabelCells(labels, regions, shapes.moved(frame))
