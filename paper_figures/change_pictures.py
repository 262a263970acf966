"""Figures that the papers on change detection share: change maps with their errors, told pairs.

Records are those of `theory.claims.change_gallery`.
"""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from paper_figures import style
from theory.claims import Verdict
from theory.claims.change_gallery import array

CLASS_COLOURS: Mapping[str, str] = {
    "water": "#3A6FD8",
    "ground": "#8C8C8C",
    "low vegetation": "#8BC34A",
    "tree": "#1B6B3A",
    "building": "#A03030",
    "playground": "#E2803C",
}
"""Near to SECOND's codes, apart in lightness; classes of other names are given `OTHER`."""

OTHER = ("#A03030", "#3A6FD8", "#8BC34A", "#E2803C", "#1B6B3A", "#8C8C8C")
UNCHANGED = "#F2F2F2"
ERRORS: Mapping[str, str] = {
    "right: unchanged": UNCHANGED,
    "right: change, classes": style.GREEN,
    "class wrong": style.ORANGE,
    "missed": style.BLUE,
    "false alarm": style.VERMILION,
}
"""What a pixel of an error map may be, by its colour."""

CELL = 0.82  # inches of a picture


def data_of(verdict: Verdict) -> str:
    """What a picture rests on, for its caption: runs, budget and kind of data."""
    return f"{verdict.finding.comparison.seeds} seeds at budget {verdict.budget}"


def change_maps(records: Sequence[Mapping[str, Any]], *, ours: Sequence[str] = ()) -> Figure:
    """Pairs in rows: both dates, both labels, and the errors of every network.

    Args:
        records: of `change_gallery.shown`, all with the same networks.
        ours: networks to print bold.
    """
    networks = list(records[0]["found"])
    titles = ["before", "after", "label before", "label after", *networks]
    fig, axes = _sheet(len(records), titles, ours)
    for line, record in zip(axes, records, strict=True):
        _pair(line[:4], record)
        for axis, name in zip(line[4:], networks, strict=True):
            found, labels = array(record["found"][name]), array(record["labels"])
            _shown(axis, coloured(errors(found, labels), list(ERRORS.values())))
    _legend(fig, _classes(records), ERRORS if networks else {})
    return fig


def errors(found: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The kind of every pixel: its place in :data:`ERRORS`.

    Args:
        found: `(maps, height, width)` classes from 0, of both dates or of the second alone.
        labels: `(2, height, width)`.

    Returns:
        `(height, width)`; a change counts as right where the classes of all maps are.
    """
    truth = labels[-len(found) :]
    marked, called = truth[-1] > 0, found[-1] > 0
    right = (found == truth).all(axis=0)
    kinds = [~marked & ~called, marked & right, marked & called & ~right, marked & ~called]
    return np.select(kinds, range(len(kinds)), len(kinds))


def told_pairs(records: Sequence[Mapping[str, Any]]) -> Figure:
    """Pairs in rows: both dates, both labels, and the sentences that follow from the labels.

    Args:
        records: of `change_gallery.told`.
    """
    titles = ["before", "after", "label before", "label after"]
    fig, axes = _sheet(len(records), titles, (), beside=3.5)
    for line, record in zip(axes, records, strict=True):
        _pair(line, record)
        text = "\n".join(textwrap.fill(one, 84, subsequent_indent="   ") for one in record["text"])
        line[3].text(
            1.08, 0.98, text, transform=line[3].transAxes, ha="left", va="top", fontsize=6.0,
            linespacing=1.35,
        ).set_in_layout(False)  # fmt: skip
    _legend(fig, _classes(records), {})
    return fig


def coloured(kinds: np.ndarray, colours: Sequence[str]) -> np.ndarray:
    """Whole numbers as colours, `(height, width, 3)`."""
    table = np.array([to_rgb(colour) for colour in colours])
    return table[kinds]


def class_colours(classes: Sequence[str]) -> list[str]:
    """The colour of "unchanged", and of every class."""
    known = {name: CLASS_COLOURS[name] for name in classes if name in CLASS_COLOURS}
    others = cycle([colour for colour in OTHER if colour not in known.values()] or OTHER)
    return [UNCHANGED, *(known.get(name) or next(others) for name in classes)]


def _pair(line: Sequence[Axes], record: Mapping[str, Any]) -> None:
    colours = class_colours(record["classes"])
    for axis, name in zip(line[:2], ("before", "after"), strict=True):
        _shown(axis, array(record[name]))
    for axis, labels in zip(line[2:], array(record["labels"]), strict=True):
        _shown(axis, coloured(labels, colours))


def _classes(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Colours of the classes that are seen."""
    seen: dict[str, str] = {}
    for record in records:
        there = set(np.unique(array(record["labels"])).tolist())
        colours = class_colours(record["classes"])
        for number, name in enumerate(record["classes"], start=1):
            if number in there:
                seen[name] = colours[number]
    return {name: seen[name] for name in sorted(seen)}


def _sheet(
    rows: int, titles: Sequence[str], ours: Sequence[str], beside: float = 0.0
) -> tuple[Figure, Any]:
    above, below = 0.32, 0.5  # inches for titles and legend
    width, height = CELL * len(titles) + beside, CELL * rows + above + below
    fig, axes = style.figure(width, height, rows=rows, columns=len(titles))
    rest = (0, below / height, 1 - beside / width, 1 - (above + below) / height)
    fig.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0, hspace=0, rect=rest)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.text(
            0.5, 1.06, textwrap.fill(title, 15), transform=axis.transAxes, ha="center",
            va="bottom", fontsize=6.8, fontweight="bold" if title in ours else "normal",
        ).set_in_layout(False)  # fmt: skip
    return fig, axes


def _legend(fig: Figure, classes: Mapping[str, str], kinds: Mapping[str, str]) -> None:
    """Classes in the first line, kinds of error in the second."""
    for place, entries in enumerate((classes, kinds)):
        handles = [
            Patch(facecolor=colour, edgecolor=style.GREY, linewidth=0.4, label=name)
            for name, colour in entries.items()
        ]
        if handles:
            low = (0.24 - 0.22 * place) / fig.get_figheight()
            fig.legend(
                handles=handles, loc="lower left", bbox_to_anchor=(0.0, low), fontsize=6.5,
                ncols=len(handles), handlelength=1.0, handleheight=0.9, columnspacing=1.0,
                borderaxespad=0.2,
            ).set_in_layout(False)  # fmt: skip


def _shown(axis: Axes, picture: np.ndarray) -> None:
    axis.imshow(picture, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    for spine in axis.spines.values():
        spine.set_visible(False)
