"""Folders of one's own in the layout of two public sets: KolektorSDD and MVTec AD.

Both sets may be used for research only and are not fetched; give the folder where they, or
pictures arranged like them, lie.
"""

from pathlib import Path
from typing import Literal, get_args

from neurons.data.pictures import Fit, Picture, Size, check_size, files_like, tiles_of
from neurons.data.registry import DataError
from neurons.data.tiles import FREE, Tiles

Split = Literal["train", "test"]

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
KOLEKTOR_SIZE = (352, 128)  # a quarter of the 1,408 x 512 pixels usual for this set
MVTEC_SIZE = 256
KOLEKTOR_LABEL = "_label.bmp"
MVTEC_MASK = "_mask.png"
GOOD = "good"
CHECK = "check the folder's layout"


def kolektor(
    folder: str | Path, *, size: Size = KOLEKTOR_SIZE, fit: Fit = "squeeze", colour: bool = False
) -> Tiles:
    """Pictures laid out like KolektorSDD: `kos01/Part0.jpg` beside `kos01/Part0_label.bmp`.

    A picture whose label is black throughout is "free", any other "defect". `parts` holds the
    subfolder's name: its pictures show one commutator and belong into one fold.

    Args:
        folder: Folder that holds the subfolders.
        size: Side, or height and width in pixels, to which every picture is brought.
        fit: How another aspect ratio is met: "squeeze", "crop" or "pad".
        colour: Whether to keep three channels; else grey.

    Returns:
        Images `(pictures, height, width)`, or `(pictures, height, width, 3)` in colour.

    Raises:
        ValueError: For a size below 1, or an unknown `fit`.
        DataError: No such folder, no picture in it, a picture without label, a label of another
            size or that is no mask, or a damaged file: the message names the file.

    References:
        D. Tabernik, S. Sela, J. Skvarc, D. Skocaj, Segmentation-based deep-learning approach for
        surface-defect detection, J. Intelligent Manufacturing 31 (2020).
    """
    check_size(size, fit)
    folder = _folder(folder)
    images = [path for part in _subfolders(folder) for path in files_like(part, (".jpg",))]
    if not images:
        raise DataError(folder, "pictures like kos01/Part0.jpg", "none", CHECK)
    pictures = [_labelled(image) for image in images]
    return tiles_of("kolektor", pictures, f"folder {folder.name}", size, fit, colour=colour)


def mvtec(
    folder: str | Path,
    split: Split = "test",
    *,
    size: Size = MVTEC_SIZE,
    fit: Fit = "squeeze",
    colour: bool = True,
) -> Tiles:
    """Pictures laid out like one category of MVTec AD.

    `train/good/000.png`, `test/good/000.png`, `test/scratch/000.png`, and the mask of the last,
    `ground_truth/scratch/000_mask.png`. "good" becomes the kind "free"; another kind is named
    as its folder.

    Args:
        folder: Folder of the category, e.g. `mvtec/bottle`.
        split: "train", which holds good pictures only, or "test".
        size: Side, or height and width in pixels, to which every picture is brought.
        fit: How another aspect ratio is met: "squeeze", "crop" or "pad".
        colour: Whether to keep three channels; else grey.

    Returns:
        Images `(pictures, height, width, 3)`, or `(pictures, height, width)` in grey.

    Raises:
        ValueError: For an unknown split or `fit`, or a size below 1.
        DataError: As :func:`kolektor`.

    References:
        P. Bergmann, M. Fauser, D. Sattlegger, C. Steger, MVTec AD: a comprehensive real-world
        dataset for unsupervised anomaly detection, CVPR 2019.
    """
    check_size(size, fit)
    if split not in get_args(Split):
        raise ValueError(f"split is {split!r}; allowed: {', '.join(get_args(Split))}")
    folder = _folder(folder)
    kinds = _subfolders(_folder(folder / split))
    pictures = [
        _masked(folder, kind.name, path) for kind in kinds for path in files_like(kind, PICTURES)
    ]
    if not pictures:
        raise DataError(folder / split, "pictures like good/000.png", "none", CHECK)
    source = f"folder {folder.name}, {split}"
    return tiles_of("mvtec", pictures, source, size, fit, colour=colour)


def _labelled(image: Path) -> Picture:
    label = image.with_name(image.stem + KOLEKTOR_LABEL)
    if not label.is_file():
        raise DataError(label, f"the label of {image.name}", "no file", "add a black one if free")
    picture = Picture(image, label, "defect", image.parent.name)
    return picture if picture.marked.any() else Picture(image, label, FREE, image.parent.name)


def _masked(folder: Path, kind: str, image: Path) -> Picture:
    part = f"{kind}/{image.stem}"
    if kind == GOOD:
        return Picture(image, None, FREE, part)
    mask = folder / "ground_truth" / kind / (image.stem + MVTEC_MASK)
    if not mask.is_file():
        raise DataError(mask, f"the mask of {kind}/{image.name}", "no file", CHECK)
    return Picture(image, mask, kind, part)


def _folder(folder: str | Path) -> Path:
    if not (path := Path(folder)).is_dir():
        raise DataError(path, "a folder", "none", CHECK)
    return path


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
