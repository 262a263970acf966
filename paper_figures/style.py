"""The look of the figures, and how they become files.

Figures are made without pyplot: nothing is registered globally, nothing has to be closed. Call
:func:`figure` inside a paper's `draw`; the command runs `draw` under :func:`look`.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.rcsetup
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from paper_figures import files
from theory.claims import Verdict

# The colours of Okabe and Ito, which stay apart under the common colour-vision deficiencies,
# without yellow, which is too faint for lines on white; ordered by contrast with white.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)
INK, GREY, FAINT = "#222222", "#767676", "#D9D9D9"

_LOOK: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.prop_cycle": matplotlib.rcsetup.cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    # DejaVu ships with matplotlib: the same glyphs, hence the same bytes, everywhere.
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "grid.color": FAINT,
    "grid.linewidth": 0.4,
    "image.cmap": "viridis",
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "pdf.fonttype": 42,
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 7.5,
    "ytick.major.width": 0.6,
}
_RESOLUTION = 200


class Picture(NamedTuple):
    """A figure and what it shows.

    Args:
        figure: made by :func:`figure`.
        caption: full sentences, shown below the figure in the report and the README.
    """

    figure: Figure
    caption: str


Drawers = Mapping[str, tuple[str, Callable[[Verdict], Picture]]]


def drawn(drawers: Drawers, evidence: Mapping[str, Verdict]) -> dict[str, Picture]:
    """The pictures whose claims are at hand.

    Args:
        drawers: by slug, the claim that a picture shows and the function that draws it.
        evidence: verdicts by claim.
    """
    return {
        slug: draw(evidence[claim]) for slug, (claim, draw) in drawers.items() if claim in evidence
    }


def look() -> AbstractContextManager[None]:
    """The look, for as long as the `with` block lasts; the user's own settings come back."""
    return matplotlib.style.context([_LOOK], after_reset=True)


def figure(
    width: float = 6.3, height: float = 2.8, *, rows: int = 1, columns: int = 1, **subplots: Any
) -> tuple[Figure, np.ndarray]:
    """A new figure with axes.

    Args:
        width: inches; 6.3 fills a text column, 3.1 half of it.
        height: inches.
        rows: rows of axes.
        columns: columns of axes.
        **subplots: passed to `Figure.subplots`, e.g. `sharey=True`.

    Returns:
        The figure and its axes, shape `(rows, columns)`.

    Example:
        >>> fig, axes = figure(columns=2, sharey=True)
        >>> axes.shape
        (1, 2)
    """
    with look():
        made = Figure(figsize=(width, height))
        FigureCanvasAgg(made)
        return made, made.subplots(rows, columns, squeeze=False, **subplots)


def seeds_line(
    axes: Axes, x: Sequence[float], runs: Any, *, label: str, colour: str, marker: str = "o"
) -> None:
    """Draw the mean of repeated runs as a line, and every run as a faint dot.

    Args:
        axes: where to.
        x: `(points,)` positions.
        runs: `(seeds, points)` values.
        label: for the legend.
        colour: one of :data:`PALETTE`.
        marker: of the mean; vary it with the colour, so that print and colour-blind readers follow.
    """
    values = np.atleast_2d(np.asarray(runs, dtype=float))
    for run in values:
        axes.plot(x, run, marker, color=colour, alpha=0.3, markersize=2.5, markeredgewidth=0)
    axes.plot(x, values.mean(axis=0), marker=marker, color=colour, label=label)


def published(axes: Axes, x: Sequence[float], values: Sequence[float], colour: str = INK) -> None:
    """Mark the paper's own numbers, the same way in every figure: hollow diamonds."""
    style = {"markersize": 6, "markerfacecolor": "none", "markeredgewidth": 0.9, "zorder": 4}
    axes.plot(x, values, "D", color=colour, label="paper", **style)  # type: ignore[arg-type]


def png(picture: Picture, resolution: int = _RESOLUTION) -> bytes:
    """The figure as PNG; the same figure gives the same bytes.

    Args:
        picture: what to render.
        resolution: dots per inch.
    """
    return _render(picture, "png", {"Software": None}, resolution)


def small_png(picture: Picture, limit: int = 150_000) -> bytes:
    """The figure as PNG at the finest resolution that stays below `limit` bytes.

    Raises:
        ValueError: for a figure too intricate for the limit at 40 dots per inch.
    """
    for resolution in (160, 130, 100, 80, 60, 40):
        image = png(picture, resolution)
        if len(image) <= limit:
            return image
    raise ValueError(f"a figure needs {len(image)} bytes at 40 dots per inch, allowed are {limit}")


def save(picture: Picture, folder: Path, slug: str) -> tuple[Path, Path]:
    """Write `slug.png` and `slug.pdf`, without dates.

    Returns:
        The two paths.
    """
    dateless = {"CreationDate": None, "Creator": None, "Producer": None}
    pdf = _render(picture, "pdf", dateless, _RESOLUTION)
    return (
        files.write(folder / f"{slug}.png", png(picture)),
        files.write(folder / f"{slug}.pdf", pdf),
    )


def _render(picture: Picture, kind: str, metadata: dict[str, None], resolution: int) -> bytes:
    buffer = io.BytesIO()
    with look():
        picture.figure.savefig(buffer, format=kind, dpi=resolution, metadata=metadata)
    return buffer.getvalue()
