"""Drawing what a network is in two dimensions: its regions, labels and decision boundary.

Every function draws exact polygons and segments on axes it is given; nothing is sampled.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb

from paper_figures.style import GREY, INK, PALETTE
from theory.regions import Boundary, Regions, boundary, label_cells
from theory.regions.cells import Cells
from theory.regions.polytopes import Polytopes

# How much of its colour a region keeps; the rest is white.
_TINT = 0.35


def region_map(axes: Axes, found: Regions, colours: Sequence[str] = PALETTE) -> Boundary:
    """Cells in the colour of their label, the outlines of regions, and the decision boundary.

    Args:
        axes: where to.
        found: regions of a network of two inputs in a box.
        colours: of the labels, in order; they repeat if there are more labels.

    Returns:
        The boundary that was drawn.

    Raises:
        ValueError: for regions that are no polygons.
    """
    fill_labels(axes, found, colours)
    outline(axes, found)
    edges = boundary(found)
    draw_boundary(axes, edges)
    return edges


def fill_labels(axes: Axes, found: Regions, colours: Sequence[str] = PALETTE) -> None:
    """Fill the box by label: every region is divided by the decision boundary first."""
    _polygons(found.shapes)
    cells = label_cells(found)
    tints = np.array(
        [_tint(colours[label % len(colours)]) for label in range(cells.labels.max() + 1)]
    )
    _fill(axes, found, _polygons(cells.shapes), facecolors=tints[cells.labels])


def fill_values(
    axes: Axes,
    found: Regions,
    values: np.ndarray,
    colour_map: str = "viridis",
    symmetric: bool = False,
) -> PolyCollection:
    """Fill every region by a number, e.g. one of its effective weights.

    Args:
        axes: where to.
        found: regions of a network of two inputs in a box.
        values: `(regions,)`.
        colour_map: a name that matplotlib knows.
        symmetric: whether the middle colour stands for 0.

    Returns:
        What `figure.colorbar` takes.
    """
    filled = _fill(
        axes, found, _polygons(found.shapes), array=np.asarray(values, float), cmap=colour_map
    )
    if symmetric:
        largest = float(np.abs(values).max())
        filled.set_clim(-largest, largest)
    return filled


def outline(axes: Axes, found: Regions, colour: str = GREY, width: float = 0.3) -> None:
    """Draw the edges of the regions."""
    shapes = _polygons(found.shapes)
    lines = [shapes[i] for i in range(len(shapes))]
    axes.add_collection(
        PolyCollection(lines, facecolors="none", edgecolors=colour, linewidths=width, zorder=2)
    )


def draw_boundary(
    axes: Axes, edges: Boundary, colour: str = INK, width: float = 1.4, label: str | None = None
) -> None:
    """Draw the facets of a decision boundary in two dimensions."""
    if edges.ends is None or edges.ends.shape[1:] != (2, 2):
        raise ValueError("only the boundary of two inputs in a box can be drawn")
    axes.add_collection(
        LineCollection(
            list(edges.ends), colors=colour, linewidths=width, zorder=3, label=label,
            capstyle="round",
        )
    )  # fmt: skip


def _polygons(shapes: Cells | Polytopes) -> Cells:
    if not isinstance(shapes, Cells) or not shapes.closed:
        raise ValueError("only the regions of two inputs in a box can be drawn")
    return shapes


def _fill(axes: Axes, found: Regions, shapes: Cells, **look: Any) -> PolyCollection:
    """Polygons without gaps: each is outlined in its own colour."""
    polygons = [shapes[i] for i in range(len(shapes))]
    filled = PolyCollection(polygons, edgecolors="face", linewidths=0.2, zorder=1, **look)
    axes.add_collection(filled)
    assert found.box is not None  # for the type checker: polygons come from a box
    axes.set_xlim(*found.box[0])
    axes.set_ylim(*found.box[1])
    axes.set_aspect("equal")
    axes.grid(visible=False)
    return filled


def _tint(colour: str) -> np.ndarray:
    return 1 - _TINT * (1 - np.array(to_rgb(colour)))
