"""Reading pictures and masks from files of any size, and bringing them to one size."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from neurons.data.registry import DataError
from neurons.data.tiles import Tiles

Size = int | tuple[int, int]
"""Pixels: a side, or a height and a width."""
Fit = Literal["squeeze", "crop", "pad"]
"""How another aspect ratio is met: by squeezing, by cutting the longer way's ends off, by adding
at them."""

THRESHOLD = 127  # of a mask's grey level; edges may be blurred by an earlier compression
COVERED = 0.25  # share of a small pixel that must be defective: half would erase thin cracks
DEEP = ("I", "F")  # Pillow's modes with more than 8 bits a channel, of which it would clip most
GREY = range(64, 192)  # neither black nor white
MOST_GREY = 0.5  # share of all pixels from which a picture is a photograph and no mask


@dataclass(frozen=True)
class Picture:
    """The files of one picture, and what is known of it.

    Args:
        image: File of the picture.
        mask: File of its mask; None where nothing is defective.
        kind: Kind of defect, or "free".
        part: The piece it shows.
    """

    image: Path
    mask: Path | None
    kind: str
    part: str

    def read(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Grey levels in [0, 1] and the mask at the picture's own size, both `(height, width)`.

        Raises:
            DataError: A file is no picture, or the mask does not fit.
        """
        image = pixels(self.image)
        return image.astype(np.float32) / np.float32(255), self._fitting(image.shape[:2])

    def resized(
        self, size: Size, fit: Fit = "squeeze", *, colour: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """As :meth:`read`, brought to one size: `(height, width[, 3])` and `(height, width)`."""
        image = pixels(self.image, "RGB" if colour else "L")
        marked = self._fitting(image.shape[:2])
        levels = resize(image.astype(np.float32), size, fit) / np.float32(255)
        return np.clip(levels, 0, 1), shrink_mask(marked, size, fit)

    @property
    def marked(self) -> NDArray[np.bool_]:
        """The mask's own pixels, `(height, width)`; one pixel where there is no mask."""
        return np.zeros((1, 1), np.bool_) if self.mask is None else _marked(self.mask)

    def _fitting(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        mask = np.zeros(shape, np.bool_) if self.mask is None else self.marked
        if mask.shape != shape:
            expected = f"a mask of {shape[0]}x{shape[1]} pixels as its picture"
            found = f"{mask.shape[0]}x{mask.shape[1]}"
            raise DataError(
                str(self.mask), expected, found, "mark the picture again at its own size"
            )
        return mask


def tiles_of(
    name: str,
    pictures: Iterable[Picture],
    source: str,
    size: Size,
    fit: Fit = "squeeze",
    *,
    colour: bool = False,
) -> Tiles:
    """All pictures at one size.

    Raises:
        ValueError: For a size below 1, or a `fit` that is none.
        DataError: A file is no picture, or a mask does not fit its picture.
    """
    check_size(size, fit)
    pictures = tuple(pictures)
    read = [picture.resized(size, fit, colour=colour) for picture in pictures]
    images, masks = (np.stack(part) for part in zip(*read, strict=True))
    kinds, parts = zip(*((picture.kind, picture.part) for picture in pictures), strict=True)
    return Tiles(name, images, masks, kinds, source, simulated=False, parts=parts)


def check_size(size: Size, fit: Fit = "squeeze") -> tuple[int, int]:
    """Height and width in pixels.

    Raises:
        ValueError: For a size below 1, or a `fit` that is none.
    """
    height, width = size if isinstance(size, tuple) else (size, size)
    if min(height, width) < 1:
        raise ValueError(f"side is {size!r}; allowed: 1 pixel and more")
    if fit not in get_args(Fit):
        raise ValueError(f"fit is {fit!r}; allowed: {', '.join(get_args(Fit))}")
    return height, width


def read_grey(path: str | Path, side: Size, fit: Fit = "squeeze") -> NDArray[np.float32]:
    """Grey levels 0 to 255, shape `(height, width)`, each the mean over its part of the picture.

    Raises:
        DataError: The file cannot be read as a picture: file, expected and found are named.
    """
    return resize(pixels(path).astype(np.float32), side, fit)


def read_mask(path: str | Path, side: Size, fit: Fit = "squeeze") -> NDArray[np.bool_]:
    """Whether at least a quarter of each small pixel is defective, shape `(height, width)`.

    A pixel of the file is defective where its grey level exceeds 127. However small, a defect
    keeps the pixel of which it covers most.

    Raises:
        DataError: As :func:`read_grey`; or the grey levels are not those of a mask.
    """
    return shrink_mask(_marked(path), side, fit)


def shrink_mask(marked: NDArray[np.bool_], size: Size, fit: Fit = "squeeze") -> NDArray[np.bool_]:
    """Whether at least a quarter of each pixel of the new size is marked."""
    share = resize(marked.astype(np.float32), size, fit, blank=True)
    return (share > 0) & (share >= min(COVERED, share.max()))


def resize(
    values: NDArray[np.float32], size: Size, fit: Fit = "squeeze", *, blank: bool = False
) -> NDArray[np.float32]:
    """Bring `(height, width[, channels])` to another size: means where it shrinks.

    Args:
        values: The values, of any range.
        size: Height and width to reach.
        fit: "squeeze" changes the aspect ratio, "crop" keeps the middle, "pad" adds at the ends.
        blank: Whether what is added is 0, and pixels are repeated where the picture grows; else
            the border is repeated, and values are interpolated linearly.
    """
    height, width = check_size(size, fit)
    values = _SHAPED[fit](values, height / width, blank)
    if values.ndim == 3:
        channels = [
            _resampled(channel, height, width, blank) for channel in np.moveaxis(values, 2, 0)
        ]
        return np.stack(channels, axis=-1)
    return _resampled(values, height, width, blank)


def _resampled(
    values: NDArray[np.float32], height: int, width: int, blank: bool
) -> NDArray[np.float32]:
    from PIL import Image  # slow to import

    shrinks = height <= values.shape[0] and width <= values.shape[1]
    way = Image.Resampling.BOX if shrinks or blank else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(np.ascontiguousarray(values)).resize((width, height), way))


def _cropped(values: NDArray[np.float32], ratio: float, blank: bool) -> NDArray[np.float32]:
    height, width = values.shape[:2]
    kept = min(height, max(1, round(width * ratio))), min(width, max(1, round(height / ratio)))
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    return values[top : top + kept[0], left : left + kept[1]]


def _padded(values: NDArray[np.float32], ratio: float, blank: bool) -> NDArray[np.float32]:
    height, width = values.shape[:2]
    missing = max(0, round(width * ratio) - height), max(0, round(height / ratio) - width)
    ends = [(extra // 2, extra - extra // 2) for extra in missing] + [(0, 0)] * (values.ndim - 2)
    return np.pad(values, ends, mode="constant" if blank else "edge")


_SHAPED = {"squeeze": lambda values, ratio, blank: values, "crop": _cropped, "pad": _padded}


def _marked(path: str | Path) -> NDArray[np.bool_]:
    levels = pixels(path)
    marked, some = levels > THRESHOLD, np.count_nonzero(levels)
    grey = np.count_nonzero((levels >= GREY.start) & (levels < GREY.stop))
    if some and (not marked.any() or grey > MOST_GREY * levels.size):
        found = f"levels up to {levels.max()}, {grey} of {levels.size} pixels grey"
        expected = f"a mask of 0 and 255, told apart at {THRESHOLD}"
        raise DataError(path, expected, found, "save it as a black-and-white picture")
    return marked


def pixels(path: str | Path, mode: str = "L") -> NDArray[np.uint8]:
    """A picture as its file has it, `(height, width)` grey, or `(height, width, 3)` for "RGB".

    Raises:
        DataError: The file cannot be read as a picture of 8 bits a channel.
    """
    from PIL import Image  # slow to import, and only readers of pictures need it

    try:
        with Image.open(path) as picture:
            if picture.mode.startswith(DEEP):
                raise TypeError(f"a picture of mode {picture.mode}, more than 8 bits a channel")
            return np.asarray(picture.convert(mode))
    # Damage ends in almost any exception of Pillow's decoders.
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
        raise DataError(path, "a JPEG or PNG picture", found, _way_out(path)) from error


def _way_out(path: str | Path) -> str:
    if "magnetic_tile" in Path(path).parts:
        return "delete it and run `python -m neurons.data fetch magnetic_tile`"
    return "save it again with 8 bits a channel, or take it out of the folder"


def files_like(folder: Path, suffixes: Iterable[str]) -> tuple[Path, ...]:
    """The pictures of one folder, sorted by name; hidden files are none of them."""
    wanted: Any = tuple(suffixes)
    found = (path for path in folder.iterdir() if path.name.lower().endswith(wanted))
    return tuple(sorted(path for path in found if path.is_file() and path.name[0] != "."))
