"""Folders of one's own in the layout of SECOND and of LEVIR-CD.

SECOND circulates in two layouts, told apart by what the labels hold: colours (the publisher's), or
the numbers 0 to 6 in place of them, with the colours in `label1_rgb` (as after SCanNet's scripts).
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurons.data.pictures import files_like, pixels
from neurons.data.registry import DataError
from neurons.data.scene_pairs import Labels, Scenes

SECOND_CLASSES = ("water", "ground", "low vegetation", "tree", "building", "playground")
SECOND_COLOURS = (
    (255, 255, 255), (0, 0, 255), (128, 128, 128), (0, 128, 0), (0, 255, 0), (128, 0, 0),
    (255, 0, 0),
)  # fmt: skip
"""Red, green and blue of "unchanged" and the six classes, in the order of `SECOND_CLASSES`."""

AT_ONE_DATE = 0.05  # share of a pair's pixels that may be marked at one date only
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
CHECK = "check the folder's layout"
# Names of tiles: of LEVIR-CD, `test_102_0512_0000` (picture, row, column); of DSIFN, `3_4`.
TILES = (re.compile(r"(.+)_\d{4}_\d{4}"), re.compile(r"(\d+)_\d"))


def second(
    folder: str | Path, split: str = "", *, names: Sequence[str] | str | Path | None = None
) -> Scenes:
    """Pairs laid out like SECOND: `im1`, `im2`, `label1`, `label2`, with files of one name each.

    A pixel counts as changed where both labels give it a class. A pair of 512 x 512 pixels takes
    6.5 MB: read a large set in parts, by `names`.

    Args:
        folder: Folder that holds the four folders, or `split` with them.
        split: Subfolder, e.g. "train" or "test".
        names: Names of the files to read, or a text file that lists them; all by default.

    Returns:
        Pairs with the six classes of :data:`SECOND_CLASSES`, each at a place of its own.

    Raises:
        DataError: A folder or a file is missing or damaged, sizes differ within a pair or between
            pairs, a label has a colour or number that is no class, or the labels of a pair
            disagree on more than 5 % of the pixels about whether they changed; it names the file.

    References:
        K. Yang et al., Asymmetric Siamese networks for semantic change detection in aerial images,
        IEEE TGRS 60 (2022). Codes: L. Ding et al., SCanNet, IEEE TGRS 62 (2024), its repository.
    """
    root = _root(Path(folder), split, "im1")
    found = [_second_pair(root, name) for name in _names(root / "im1", names)]
    before, after, first, later = (_stack(root, list(part)) for part in zip(*found, strict=True))
    return scenes_of("second", before, after, (first, later), SECOND_CLASSES, np.arange(len(first)))


def levir(
    folder: str | Path,
    split: str = "",
    *,
    names: Sequence[str] | str | Path | None = None,
    change: str = "building",
) -> Scenes:
    """Pairs laid out like LEVIR-CD: `A`, `B` and `label`, with files of one name each.

    Args:
        folder: Folder that holds the three folders, or `split` with them; where there is no such
            subfolder, `list/<split>.txt` names the files.
        split: e.g. "train", "val" or "test".
        names: Names of the files to read, or a text file that lists them; all by default.
        change: Name of the only class: what appeared or went.

    Returns:
        Pairs with equal labels at both dates. Tiles of one picture, as their names tell, share a
        place: those that end with a row and a column of four digits, and those like `3_4`.

    Raises:
        DataError: A folder or a file is missing or damaged, sizes differ within a pair or between
            pairs, or a label has other values than 0 and 255 (or 0 and 1); it names the file.

    References:
        H. Chen, Z. Shi, A spatial-temporal attention-based method and a new dataset for remote
        sensing image change detection, Remote Sensing 12 (2020).
    """
    base, listed = Path(folder), Path(folder) / "list" / f"{split}.txt"
    by_list = bool(split) and not (base / split).is_dir() and listed.is_file()
    root = _root(base, "" if by_list else split, "A")
    chosen = _names(root / "A", listed if by_list and names is None else names)
    found = [_levir_pair(root, name) for name in chosen]
    before, after, marked = (_stack(root, list(part)) for part in zip(*found, strict=True))
    return scenes_of("levir", before, after, (marked, marked), (change,), places_of(chosen))


def places_of(names: Sequence[str]) -> NDArray[np.int64]:
    """A number for each file's place, from 0, in the order in which they first come.

    >>> places_of(["a_0000_0512.png", "b_0000_0000.png", "a_0256_0000.png"]).tolist()
    [0, 1, 0]
    """
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(_place(name), len(numbers)) for name in names], np.int64)


def _place(name: str) -> str:
    stem = Path(name).stem
    found = next((hit for tile in TILES if (hit := tile.fullmatch(stem))), None)
    return f"tile of {found[1]}" if found else stem


def scenes_of(
    name: str,
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    maps: tuple[Labels, Labels],
    classes: tuple[str, ...],
    places: NDArray[np.int64],
) -> Scenes:
    """Real pairs from colours of 0 to 255, `(pairs, height, width, 3)`, and maps of classes."""
    first, second = (date.astype(np.float32) / np.float32(255) for date in (before, after))
    return Scenes(name, first, second, *maps, classes, places, simulated=False)


def _root(folder: Path, split: str, first: str) -> Path:
    root = folder / split
    if not (root / first).is_dir():
        raise DataError(root / first, "a folder of pictures of the first date", "none", CHECK)
    return root


def _names(first: Path, names: Sequence[str] | str | Path | None) -> list[str]:
    if names is None:
        found = [path.name for path in files_like(first, PICTURES)]
    elif isinstance(names, str | Path):
        found = _listed(Path(names))
    else:
        found = list(names)
    if not found:
        where = names if isinstance(names, str | Path) else first
        raise DataError(where, "at least one picture", "none", CHECK)
    return found


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, "a text file of file names", str(error), CHECK) from error
    return [line.strip() for line in lines if line.strip()]


def _second_pair(root: Path, name: str) -> tuple[NDArray[np.generic], ...]:
    files = [_file(root / part, name) for part in ("im1", "im2")]
    labels = [_file(_label_folder(root, part), name) for part in ("label1", "label2")]
    before, after = _pictures(files)
    maps = [_fitting(path, _classes_in(path), before) for path in labels]
    return before, after, *agreed(labels[1], *maps)


def _label_folder(root: Path, part: str) -> Path:
    plain, coloured = root / part, root / f"{part}_rgb"
    return coloured if coloured.is_dir() and not plain.is_dir() else plain


def _levir_pair(root: Path, name: str) -> tuple[NDArray[np.generic], ...]:
    before, after = _pictures([_file(root / part, name) for part in ("A", "B")])
    label = _file(root / "label", name)
    return before, after, _fitting(label, _marked_in(label), before)


def _file(folder: Path, name: str) -> Path:
    """The file of that name, or of another picture format."""
    path = folder / name
    others = (path.with_suffix(suffix) for suffix in PICTURES)
    found = next((one for one in (path, *others) if one.is_file()), None)
    if found is None:
        raise DataError(path, "a picture", "no file", CHECK)
    return found


def _pictures(files: Sequence[Path]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    before, after = (pixels(path, "RGB") for path in files)
    return before, _fitting(files[1], after, before)


def _fitting(path: Path, values: NDArray[Any], picture: NDArray[np.uint8]) -> NDArray[Any]:
    if values.shape[:2] != picture.shape[:2]:
        expected, found = (f"{v.shape[0]}x{v.shape[1]} pixels" for v in (picture, values))
        raise DataError(path, f"{expected} as the first date", found, "bring the pair to one size")
    return values


def _stack(root: Path, values: list[NDArray[Any]]) -> NDArray[Any]:
    sizes = sorted({v.shape[:2] for v in values})
    if len(sizes) > 1:
        found = " and ".join(f"{height}x{width}" for height, width in sizes)
        raise DataError(root, "pairs of one size", found, "read them apart, by names=")
    return np.stack(values)


def _classes_in(path: Path) -> Labels:
    """Classes from colours; or from numbers, where every pixel is a small one in grey."""
    colours = pixels(path, "RGB").astype(np.int64)
    codes = (colours * (1 << 16, 1 << 8, 1)).sum(axis=-1)
    known = np.array(SECOND_COLOURS) @ (1 << 16, 1 << 8, 1)
    numbers = np.arange(len(known)) * 0x010101
    for table in (known, numbers):
        hits = codes[..., None] == table
        if hits.any(axis=-1).all():
            return hits.argmax(axis=-1).astype(np.int8)
    strange = np.unique(codes[~np.isin(codes, [*known, *numbers])])
    shown = ", ".join(f"#{code:06x}" for code in strange[:3]) or "both"
    wanted = ", ".join(f"#{code:06x}" for code in known)
    expected = f"the colours {wanted}, or the numbers 0 to {len(known) - 1}"
    way_out = "save labels without loss, in SECOND's colours"
    raise DataError(path, expected, f"{len(strange)} other colours: {shown}", way_out)


def _marked_in(path: Path) -> Labels:
    levels = pixels(path)
    found = set(np.unique(levels).tolist())
    if not (found <= {0, 255} or found <= {0, 1}):
        shown = sorted(found - {0, 255})[:3]
        expected = "a mask of 0 and 255 (or 0 and 1)"
        raise DataError(path, expected, f"the levels {shown}", "save masks without loss")
    return (levels > 0).astype(np.int8)


def agreed(path: Path, first: Labels, second: Labels) -> tuple[Labels, Labels]:
    """The maps of one pair or several where both mark a change; 0 elsewhere.

    Raises:
        DataError: They disagree on more than 5 % of a pair's pixels.
    """
    if first.shape != second.shape:
        raise DataError(path, f"labels of {first.shape} pixels", f"{second.shape}", CHECK)
    both = (first > 0) & (second > 0)
    once = ((first > 0) | (second > 0)) & ~both
    worst = float(once.reshape(-1, *once.shape[-2:]).mean(axis=(1, 2)).max())
    if worst > AT_ONE_DATE:
        expected = "labels that mark the same pixels at both dates"
        found = f"{100 * worst:.1f} % of a pair marked at one date only"
        raise DataError(path, expected, found, "check that both labels are of one pair")
    return (first * both).astype(np.int8), (second * both).astype(np.int8)
