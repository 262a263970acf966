"""Drawn pairs and the real ones that are at hand, in one set with one digest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurons.data.archives import arrays
from neurons.data.registry import DataError, Entry, entries, find
from neurons.data.scene_folders import SECOND_CLASSES, agreed, levir, scenes_of
from neurons.data.scene_pairs import Labels, Scenes
from neurons.data.simulated_scenes import simulated_scenes

DRAWN, SIDE = 480, 64
SIMULATED = 240
SAMPLES = ("levir_samples", "dsifn_samples")
NPZ = "second_8pairs_from_figure.npz"


@dataclass(frozen=True, eq=False)
class ChangeSet:
    """Pairs of pictures of several sources.

    Args:
        drawn: Drawn pairs, of which everything is known.
        second: Real pairs with the classes of both dates; None where there are none.
        levir: Real pairs that say where buildings changed; None where there are none.
        dsifn: Real pairs that say where anything changed; None where there are none.
        name: Name of the set.
    """

    drawn: Scenes
    second: Scenes | None = None
    levir: Scenes | None = None
    dsifn: Scenes | None = None
    name: str = "scenes"

    @property
    def parts(self) -> tuple[Scenes, ...]:
        """All that is there, drawn pairs first."""
        parts = (self.drawn, self.second, self.levir, self.dsifn)
        return tuple(part for part in parts if part is not None)

    @property
    def simulated(self) -> bool:
        """Whether the pairs to learn from are drawn; the real ones are too few."""
        return self.drawn.simulated

    def __str__(self) -> str:
        return f"{self.name}: {'; '.join(map(str, self.parts))}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the parts' digests."""
        lines = "".join(f"{part.digest}\n" for part in self.parts)
        return hashlib.sha256(f"{self.name}\n{lines}".encode()).hexdigest()


def change_set(folder: str | Path | None = None, *, drawn: int = DRAWN) -> ChangeSet:
    """Drawn pairs, eight pairs of SECOND, eleven of LEVIR-CD and ten of DSIFN.

    The real pairs are few: they are to be looked at, and nothing is learned from them.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        drawn: How many drawn pairs.

    Raises:
        DataError: A file is missing or damaged.

    References:
        K. Yang et al., Asymmetric Siamese networks for semantic change detection in aerial images
        (SECOND), IEEE TGRS 60 (2022); the pairs are cut out of its first figure, at 148 pixels.
        H. Chen, Z. Shi, A spatial-temporal attention-based method and a new dataset for remote
        sensing image change detection (LEVIR-CD), Remote Sensing 12 (2020). C. Zhang et al., A
        deeply supervised image fusion network for change detection (DSIFN), ISPRS 166 (2020).
        Samples of the last two: W. G. C. Bandara, V. M. Patel, ChangeFormer (its repository).
    """
    return ChangeSet(
        simulated_scenes(0, count=drawn, side=SIDE),
        second_samples(folder),
        levir_samples(folder),
        levir_samples(folder, "dsifn_samples"),
    )


def simulated_change_set(seed: int = 0, *, drawn: int = SIMULATED) -> ChangeSet:
    """Drawn pairs only.

    Args:
        seed: Seed of everything random, at least 0.
        drawn: How many.

    Raises:
        ValueError: For a value outside its bounds.
    """
    return ChangeSet(simulated_scenes(seed, count=drawn, side=SIDE))


def second_samples(folder: str | Path | None = None) -> Scenes:
    """Eight pairs of SECOND at 148 x 148 pixels, cut out of a figure of its paper.

    Edges of the marked areas are blurred by the figure: up to 3.4 % of a pair's pixels are marked
    at one date only, and count as unchanged; up to 4.8 % have one class at both dates.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.

    Raises:
        DataError: The file is missing, damaged, or holds something else.
    """
    (entry,) = (entry for entry in entries("change") if entry.file == NPZ)
    path = find(entry, folder)
    found = arrays(path, ("im1", "im2", "label1", "label2", "classes"))
    table = _by_name(path, found["classes"])
    maps = [_looked_up(path, found[name], table) for name in ("label1", "label2")]
    before, after = (_bytes(path, found[name]) for name in ("im1", "im2"))
    places = np.arange(len(before))
    return scenes_of("second", before, after, agreed(path, *maps), SECOND_CLASSES, places)


def levir_samples(folder: str | Path | None = None, which: str = "levir_samples") -> Scenes:
    """Eleven pairs of LEVIR-CD, or ten of DSIFN, at 256 x 256 pixels.

    Args:
        folder: Data folder to look in first; then `$NEURONS_DATA`, then the user's cache.
        which: "levir_samples", or "dsifn_samples".

    Raises:
        ValueError: For another name.
        DataError: A file is missing or damaged.
    """
    if which not in SAMPLES:
        raise ValueError(f"unknown samples {which!r}; allowed: {', '.join(SAMPLES)}")
    paths = [find(entry, folder) for entry in sample_entries(which)]
    roots = {path.parent.parent for path in paths}
    names = sorted(path.name for path in paths if path.parent.name == "A")
    if len(roots) > 1:
        raise DataError(which, "its files in one data folder", f"{len(roots)}", "move them")
    kind = "building" if which == SAMPLES[0] else "changed"
    found = levir(roots.pop(), names=names, change=kind)
    return replace(found, name=which.removesuffix("_samples"))


def sample_entries(which: str) -> tuple[Entry, ...]:
    """The pictures of one of the two samples, in the manifest's order."""
    return tuple(e for e in entries("change") if e.file.startswith(f"{which}/"))


def _by_name(path: Path, names: NDArray[np.generic]) -> NDArray[np.int8]:
    """A table from the file's numbers to ours."""
    ours: Mapping[str, int] = {"non-change": 0, "n.v.g. surface": 2} | {
        name: number for number, name in enumerate(SECOND_CLASSES, start=1)
    }
    unknown = [str(name) for name in names if str(name) not in ours]
    if unknown:
        raise DataError(path, f"the classes {list(ours)}", f"{unknown}", "read another file")
    return np.array([ours[str(name)] for name in names], np.int8)


def _bytes(path: Path, values: NDArray[np.generic]) -> NDArray[np.uint8]:
    if values.dtype != np.uint8:
        raise DataError(path, "colours of 8 bits", str(values.dtype), "read another file")
    return values.astype(np.uint8)


def _looked_up(path: Path, values: NDArray[np.generic], table: NDArray[np.int8]) -> Labels:
    if not np.issubdtype(values.dtype, np.integer) or not values.size:
        found = f"{values.dtype} {values.shape}"
        raise DataError(path, "maps of whole numbers", found, "read another file")
    numbers = values.astype(np.int64)
    if numbers.min() < 0 or numbers.max() >= len(table):
        found = f"{numbers.min()} to {numbers.max()}"
        raise DataError(path, f"classes 0 to {len(table) - 1}", found, "read another file")
    return table[numbers]
