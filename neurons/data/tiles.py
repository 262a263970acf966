"""Pictures of surfaces with the defective pixels marked."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neurons.data.registry import DataError

FREE = "free"  # the kind of a tile without a defect


@dataclass(frozen=True, eq=False)
class Tiles:
    """Pictures of a surface with a mask of the defective pixels.

    Args:
        name: Name of the set.
        images: `(tiles, height, width)` grey or `(tiles, height, width, 3)` colour, float32 in
            [0, 1].
        masks: `(tiles, height, width)` bool, true where the surface is defective.
        kinds: The kind of defect of each tile; "free" where there is none.
        source: Where they come from, in words.
        simulated: Whether a simulator drew them.
        parts: Which piece each picture shows, where one piece was photographed several times;
            empty if every picture shows a piece of its own.

    Raises:
        DataError: The arrays do not fit together, or values are out of range.
    """

    name: str
    images: NDArray[np.float32]
    masks: NDArray[np.bool_]
    kinds: tuple[str, ...]
    source: str
    simulated: bool
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self._fits or self.images.dtype != np.float32 or self.masks.dtype != np.bool_:
            found = (
                f"{self.images.dtype} {self.images.shape}, {self.masks.dtype} {self.masks.shape}, "
                f"{len(self.kinds)} kinds, {len(self.parts)} parts"
            )
            expected = "float32 images (tiles, side, side) with a bool mask and a kind each"
            raise DataError(self.name, expected, found, "read the set again")
        if not (self.images.min() >= 0 and self.images.max() <= 1):  # NaN fails, too
            found = f"{self.images.min()} to {self.images.max()}"
            raise DataError(self.name, "pixels in [0, 1]", found, "scale them")
        self.images.flags.writeable = self.masks.flags.writeable = False

    @property
    def _fits(self) -> bool:
        shape = self.images.shape
        pictures = len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)
        named = len(self.kinds) == len(self.masks) and len(self.parts) in (0, len(self.masks))
        return pictures and self.masks.shape == shape[:3] and self.images.size > 0 and named

    def __str__(self) -> str:
        count, height, width = self.masks.shape
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(self.kinds).items()))
        kind = "simulated" if self.simulated else "real"
        return f"{self.name}: {self.source}, {count} tiles of {height}x{width}: {kinds} ({kind})"

    @property
    def defective(self) -> NDArray[np.bool_]:
        """Whether each tile is of a kind other than "free", shape `(tiles,)`: the image's label."""
        return np.array([kind != FREE for kind in self.kinds])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over kinds, parts, pixels and masks: a key for what was computed from them."""
        total = hashlib.sha256(f"{self.name} {self.kinds} {self.images.shape}\n".encode())
        if self.parts:
            total.update(f"{self.parts}\n".encode())
        total.update(np.ascontiguousarray(self.images).tobytes())
        total.update(np.packbits(self.masks).tobytes())
        return total.hexdigest()
