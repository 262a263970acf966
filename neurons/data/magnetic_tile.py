"""Magnetic tiles with surface defects, marked pixel by pixel: the class and the reader.

Five kinds of defect and a fixed sample of tiles without any. The images differ in size; the
reader brings them to one square, so that they fit into batches.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.registry import DataError, entries, find

FILE = re.compile(r"MT_(?P<kind>\w+)/Imgs/(?P<stem>[^/]+)\.jpg")
THRESHOLD = 127  # of a mask's grey level; its edges are blurred by an earlier compression
COVERED = 0.25  # share of a small pixel that must be defective: half would erase thin cracks
SOURCE = "magnetic-tile defects (Huang, Qiu, Yuan 2020)"


@dataclass(frozen=True, eq=False)
class Tiles:
    """Grey images of a surface with a mask of the defective pixels.

    Args:
        name: Name of the set.
        images: `(tiles, side, side)` float32 in [0, 1].
        masks: `(tiles, side, side)` bool, true where the surface is defective.
        kinds: The kind of defect of each tile.
        source: Where they come from, in words.
        simulated: Whether a simulator drew them.

    Raises:
        DataError: The arrays do not fit together, or values are out of range.
    """

    name: str
    images: NDArray[np.float32]
    masks: NDArray[np.bool_]
    kinds: tuple[str, ...]
    source: str
    simulated: bool

    def __post_init__(self) -> None:
        shape = self.images.shape
        fits = len(shape) == 3 and self.masks.shape == shape and len(self.kinds) == shape[0] > 0
        if not fits or self.images.dtype != np.float32 or self.masks.dtype != np.bool_:
            found = f"{self.images.dtype} {shape}, {self.masks.dtype} {self.masks.shape}"
            expected = "float32 images (tiles, side, side) with a bool mask and a kind each"
            raise DataError(self.name, expected, found, "read the set again")
        if not (self.images.min() >= 0 and self.images.max() <= 1):  # NaN fails, too
            found = f"{self.images.min()} to {self.images.max()}"
            raise DataError(self.name, "pixels in [0, 1]", found, "scale them")
        self.images.flags.writeable = self.masks.flags.writeable = False

    def __str__(self) -> str:
        count, height, width = self.images.shape
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(self.kinds).items()))
        kind = "simulated" if self.simulated else "real"
        return f"{self.name}: {self.source}, {count} tiles of {height}x{width}: {kinds} ({kind})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over kinds, pixels and masks: a key for what was computed from them."""
        total = hashlib.sha256(f"{self.name} {self.kinds} {self.images.shape}\n".encode())
        total.update(np.ascontiguousarray(self.images).tobytes())
        total.update(np.packbits(self.masks).tobytes())
        return total.hexdigest()


def magnetic_tile(folder: str | Path | None = None, *, side: int = 64) -> Tiles:
    """The tiles with blowholes, breaks, cracks, frays and uneven patches, and 40 free ones.

    A mask's pixel is defective where its grey level exceeds 127; a pixel of the smaller mask
    where a quarter of it is. The masks of four uneven tiles are empty as published.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        side: Height and width in pixels to which every image is brought, above 0.

    Raises:
        ValueError: For a side below 1.
        DataError: A file is missing, damaged, or no image.

    References:
        Y. Huang, C. Qiu, K. Yuan, Surface defect saliency of magnetic tile, The Visual Computer
        36 (2020).
    """
    if side < 1:
        raise ValueError(f"side is {side!r}; allowed: 1 pixel and more")
    known = {entry.file: entry for entry in entries("magnetic_tile")}
    pictures, masks, kinds = [], [], []
    for file, entry in known.items():
        if match := FILE.fullmatch(file):
            image, mask = find(entry, folder), find(known[file[:-3] + "png"], folder)
            pictures.append(read_grey(image, side) / np.float32(255))
            masks.append(read_mask(mask, side))
            kinds.append(match["kind"].lower())
    return Tiles(
        "magnetic_tile", np.stack(pictures), np.stack(masks), tuple(kinds), SOURCE, simulated=False
    )


def read_grey(path: str | Path, side: int) -> NDArray[np.float32]:
    """Grey levels 0 to 255, shape `(side, side)`, each the mean over its part of the picture.

    Raises:
        DataError: The file cannot be read as a picture: file, expected and found are named.
    """
    return _averaged(_pixels(path).astype(np.float32), side)


def read_mask(path: str | Path, side: int) -> NDArray[np.bool_]:
    """Whether at least a quarter of each small pixel is defective, shape `(side, side)`.

    However small, a defect keeps the pixel of which it covers most.

    Raises:
        DataError: As :func:`read_grey`.
    """
    share = _averaged((_pixels(path) > THRESHOLD).astype(np.float32), side)
    return (share > 0) & (share >= min(COVERED, share.max()))


def _pixels(path: str | Path) -> NDArray[np.uint8]:
    from PIL import Image  # slow to import, and only this function needs it

    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L"))
    # Damage ends in almost any exception of Pillow's decoders.
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
        way_out = "delete it and run `python -m neurons.data fetch magnetic_tile`"
        raise DataError(path, "a JPEG or PNG picture", found, way_out) from error


def _averaged(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    from PIL import Image

    return np.asarray(Image.fromarray(values).resize((side, side), Image.Resampling.BOX))
