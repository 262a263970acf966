"""Pairs to be drawn: pictures, labels, what networks found, and what is said, as JSON types.

Which pairs are shown is decided by their number and how much of them changed, never by what a
network makes of them.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurons.data import Scenes, regions, sentences, summary

LEAST_CHANGED = 0.05  # share of a pair's pixels: less would show nothing
MOST_CHANGED = 0.6


def chosen(scenes: Scenes, rows: np.ndarray, count: int) -> np.ndarray:
    """The first pairs of some, in the order of their numbers, of which enough changed.

    Args:
        scenes: the pairs.
        rows: numbers of those that may be shown.
        count: how many to show; fewer if there are not as many.

    Returns:
        Their numbers; where none changed enough, the first ones.
    """
    known = np.sort(np.asarray(rows))
    share = scenes.changed[known].mean(axis=(1, 2))
    fit = known[(share >= LEAST_CHANGED) & (share <= MOST_CHANGED)]
    return (fit if len(fit) else known)[:count]


def shown(
    scenes: Scenes, rows: np.ndarray, found: Mapping[str, np.ndarray] | None = None
) -> list[dict[str, Any]]:
    """Pairs with their labels and what networks found.

    Args:
        scenes: the pairs.
        rows: numbers of those to show.
        found: by network, the classes of these rows, `(rows, maps, height, width)`.

    Returns:
        For each pair "before" and "after", `(height, width, 3)` of 0 to 255, "labels"
        `(2, height, width)`, "classes", and "found" by network; arrays as :func:`stored`.
    """
    records = []
    for place, row in enumerate(np.asarray(rows).tolist()):
        colours = {"before": scenes.before[row], "after": scenes.after[row]}
        records.append(
            {name: stored(np.rint(255 * date)) for name, date in colours.items()}
            | {
                "labels": stored(scenes.labels[row]),
                "classes": list(scenes.classes),
                "found": {name: stored(maps[place]) for name, maps in (found or {}).items()},
            }
        )
    return records


def told(
    scenes: Scenes, rows: np.ndarray, *, least: int, sentences_each: int = 6
) -> list[dict[str, Any]]:
    """Pairs with their labels and what is said of them, the commonest kinds of change first.

    Args:
        scenes: the pairs.
        rows: numbers of those to show.
        least: pixels of the smallest region that counts.
        sentences_each: how many sentences of a pair's summary.

    Returns:
        As :func:`shown`, with "text": the first template's sentences.
    """
    records = shown(scenes, rows)
    for record, row in zip(records, np.asarray(rows).tolist(), strict=True):
        maps = scenes.labels_before[row], scenes.labels_after[row]
        kinds = summary(regions(*maps, scenes.classes, least=least))
        record["text"] = [sentences(kind)[0] for kind in kinds[:sentences_each]] or [
            sentences(None)[0]
        ]
    return records


def real_tiles(scenes: Scenes | None, side: int, count: int) -> Scenes | None:
    """A tile of each real pair, to see what networks that never saw a real one make of it.

    Args:
        scenes: real pairs; None where there are none.
        side: of the tiles, as the networks know it, in pixels.
        count: of tiles, at most.

    Returns:
        Of each pair the first tile of which enough changed; None without pairs.
    """
    if scenes is None:
        return None
    tiles = scenes.cut(side)
    each = len(tiles) // len(scenes)
    groups = np.arange(len(tiles)).reshape(-1, each)
    return tiles.take([chosen(tiles, group, 1)[0] for group in groups[:count]])


def stored(values: np.ndarray) -> dict[str, Any]:
    """Whole numbers from 0 to 255 as text with their shape, for :func:`array`.

    Raises:
        ValueError: for other numbers.
    """
    found = np.asarray(values)
    small = found.astype(np.uint8)
    if not np.array_equal(small, found):
        raise ValueError("only whole numbers from 0 to 255 are stored")
    return {"shape": list(small.shape), "bytes": base64.b64encode(small.tobytes()).decode()}


def array(record: Mapping[str, Any]) -> np.ndarray:
    """What :func:`stored` was given, uint8."""
    shape: Sequence[int] = record["shape"]
    return np.frombuffer(base64.b64decode(record["bytes"]), np.uint8).reshape(shape)
