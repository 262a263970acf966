"""A search that survives its process: the one file of this room that touches the disk.

It does so only where the user names a path.
"""

import os
from pathlib import Path

from neurons.search.search import Progress


class Checkpoint:
    """A callback that keeps the state of a search in a file.

    The state is written to a temporary name and renamed, so that the file is whole at any moment.

    Args:
        path: the file.

    Example:
        >>> import tempfile, numpy as np
        >>> from neurons.search import search
        >>> x = np.random.default_rng(0).uniform(-2, 2, (100, 3))
        >>> y, keep = (x**2).sum(axis=1), Checkpoint(Path(tempfile.mkdtemp()) / "state.json")
        >>> search(x, y, callback=keep).status, search(x, y, resume=keep.read()).status
        ('exact', 'exact')
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __call__(self, progress: Progress) -> None:
        """Keep the state after a step."""
        temporary = self.path.with_name(self.path.name + ".part")
        temporary.write_text(progress.state(), encoding="utf-8")
        os.replace(temporary, self.path)

    def read(self) -> str | None:
        """The state last kept, for `resume`; None before the first."""
        return self.path.read_text(encoding="utf-8") if self.path.is_file() else None
