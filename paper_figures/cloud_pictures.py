"""Point clouds in space, drawn with the axes of their frames."""

from typing import Any

import numpy as np

from paper_figures import style
from paper_figures.style import Picture
from theory.claims import Verdict

AXES = (style.VERMILION, style.BLUE, style.GREEN)


def clouds_with_frames(verdict: Verdict) -> Picture:
    """Clouds and their mirror images with principal axes, from the claim `invariance`."""
    shown = verdict.finding.series["clouds"]
    fig, axes = style.figure(6.3, 3.6, rows=2, columns=len(shown), subplot_kw={"projection": "3d"})
    for column, cloud in enumerate(shown):
        for row, kind in enumerate(("original", "mirrored")):
            _cloud(axes[row, column], cloud[kind])
        axes[0, column].set_title(f"{cloud['name'].replace('_', ' ')}\ngap {cloud['gap']:.2f}")
    return Picture(
        fig,
        "Drawn clouds (above) and the same in an oblique mirror (below) with their principal axes, "
        "the one of largest variance in orange, then blue, then green. The axes follow the mirror, "
        "up to their signs. Gap: least difference of neighbouring variances over the largest.",
    )


def _cloud(axes: Any, cloud: dict[str, Any]) -> None:
    points, frame = np.array(cloud["points"]), np.array(cloud["frame"])
    centre = points.mean(axis=0)
    axes.scatter(*points.T, s=3, c=style.GREY, alpha=0.7, linewidths=0, depthshade=False)
    for direction, colour in zip(frame.T, AXES, strict=True):
        ends = np.stack([centre, centre + 0.9 * direction])
        axes.plot(*ends.T, color=colour, linewidth=1.6)
    axes.set(xlim=(-0.8, 0.8), ylim=(-0.8, 0.8), zlim=(-0.8, 0.8))
    axes.set_box_aspect((1, 1, 1), zoom=1.3)
    axes.set_axis_off()
