"""Magnetic tiles with surface defects, marked pixel by pixel.

Five kinds of defect, and tiles without any. The images differ in size; the reader brings them to
one size, so that they fit into batches. Nearly every tile was photographed six times.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.pictures import COVERED as COVERED
from neurons.data.pictures import Fit, Picture, Size, check_size, tiles_of
from neurons.data.pictures import read_grey as read_grey
from neurons.data.pictures import read_mask as read_mask
from neurons.data.registry import Entry, entries, find
from neurons.data.tiles import FREE
from neurons.data.tiles import Tiles as Tiles

FILE = re.compile(r"MT_(?P<kind>\w+)/Imgs/exp\d_num_(?P<number>\d+)\.jpg")
SOURCE = "magnetic-tile defects (Huang, Qiu, Yuan 2020)"
PAUSE = 400  # frame numbers between the pictures of two tiles, at least


def magnetic_tile(
    folder: str | Path | None = None, *, side: Size = 64, free: int = 40, fit: Fit = "squeeze"
) -> Tiles:
    """The tiles with blowholes, breaks, cracks, frays and uneven patches, and some free ones.

    A mask's pixel is defective where its grey level exceeds 127; a pixel of the smaller mask
    where a quarter of it is. The masks of four uneven tiles are empty as published.

    The 1,344 published pictures show some 230 pieces, most of them six times, at six exposures;
    the file names only number the camera's frames. `parts` says which pictures belong together:
    divide them by `folds(tiles.kinds, count, seed, tiles.parts)`, or test pictures will show
    pieces that were trained on.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        side: Height and width in pixels to which every image is brought, or `(height, width)`.
        free: How many tiles without a defect, 0 to 400 (of the 952 published). The first 40 all
            were taken at the first two exposures; the 400 are spread over exposures and pieces.
        fit: "squeeze" changes the aspect ratio, "crop" cuts the longer way's ends off, "pad"
            repeats the border.

    Raises:
        ValueError: For a side below 1, an unknown `fit`, or more free tiles than there are.
        DataError: A file is missing, damaged, or no image.

    References:
        Y. Huang, C. Qiu, K. Yuan, Surface defect saliency of magnetic tile, The Visual Computer
        36 (2020).
    """
    check_size(side, fit)
    pictures = magnetic_tile_pictures(folder, free=free)
    return tiles_of("magnetic_tile", pictures, SOURCE, side, fit)


def magnetic_tile_pictures(
    folder: str | Path | None = None, *, free: int = 40
) -> tuple[Picture, ...]:
    """The checked files, with kind and part: `picture.read()` gives one at its own size.

    Args:
        folder: As :func:`magnetic_tile`.
        free: As :func:`magnetic_tile`.

    Raises:
        ValueError: For more free tiles than there are.
        DataError: A file is missing or is not the one of the manifest.
    """
    known = {entry.file: entry for entry in entries("magnetic_tile")}
    chosen = _chosen(known, free)
    part = dict(zip(chosen, frame_parts(number for _, number in chosen.values()), strict=True))
    return tuple(
        Picture(find(known[file], folder), find(_mask(known, file), folder), kind, part[file])
        for file, (kind, _) in chosen.items()
    )


def frame_parts(numbers: Iterable[int]) -> tuple[str, ...]:
    """Which piece each frame shows: a new one begins where 400 numbers or more are left out.

    Of neighbours whose exposure rises, hardly one in a hundred is further apart, and 95 %
    look alike. Pieces that followed each other faster count as one.

    >>> frame_parts([1810, 6508, 1836])
    ('1810', '6508', '1810')
    """
    given = np.array(tuple(numbers), np.int64)
    ordered: NDArray[np.int64] = np.unique(given)
    starts = [ordered[0], *(b for a, b in pairwise(ordered) if b - a >= PAUSE)]
    first = np.searchsorted(starts, given, side="right") - 1
    return tuple(str(starts[index]) for index in first)


def _chosen(known: dict[str, Entry], free: int) -> dict[str, tuple[str, int]]:
    """File -> kind and frame number: every defective picture, and the first `free` free ones."""
    found = {file: match for file in known if (match := FILE.fullmatch(file))}
    spare = [file for file, match in found.items() if match["kind"].lower() == FREE]
    if not 0 <= free <= len(spare):
        raise ValueError(f"free is {free!r}; allowed: 0 to {len(spare)} tiles without a defect")
    left_out = set(spare[free:])
    return {
        file: (match["kind"].lower(), int(match["number"]))
        for file, match in found.items()
        if file not in left_out
    }


def _mask(known: dict[str, Entry], file: str) -> Entry:
    return known[f"{file.removesuffix('jpg')}png"]
