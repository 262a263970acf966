"""The evidence store: what was computed once is not computed again, also after a kill.

Partial results and verdicts are entries of one kind: a JSON file, written atomically, whose name
ends in the hash of its key. The key says in clear text what the value depends on.
"""

import hashlib
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from paper_figures import files


@dataclass(frozen=True)
class Key:
    """All that a stored value depends on.

    Args:
        paper: short name of the paper.
        code: hash of the claim's code, see :func:`paper_figures.version.code_version`.
        libraries: names and versions of the libraries the code runs on.
        budget: the budget's name and amounts.
        seed: the run's seed.
        data: digest of the data set.
        kind: "claim" or "part".
        name: name of the claim, or of the partial result.
    """

    paper: str
    code: str
    libraries: str
    budget: str
    seed: int
    data: str
    kind: str = ""
    name: str = ""

    @property
    def file(self) -> str:
        """Path below the store's folder."""
        text = json.dumps(asdict(self), sort_keys=True)
        unique = hashlib.sha256(text.encode()).hexdigest()[:20]
        return f"{self.paper}/{self.kind}s/{self.slug}-{unique}.json"

    @property
    def slug(self) -> str:
        """The name as part of a file's name."""
        return re.sub(r"[^A-Za-z0-9]+", "-", self.name).strip("-")[:60]


@dataclass(frozen=True)
class Entry:
    """A value and what it cost.

    Args:
        value: JSON types.
        seconds: wall-clock seconds spent on it, without those of `parts`.
        parts: seconds of each partial result below it, whenever that was computed.
    """

    value: Any
    seconds: float
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Seconds with all parts."""
        return self.seconds + sum(self.parts.values())


def _ignore(message: str) -> None:
    """Nobody listens."""


class Store:
    """A folder of entries.

    Args:
        folder: made when the first entry is written.
        since: leave entries older than that unread (they are replaced as results come in); a time
            of the folder's own clock, see :func:`now`.
        say: is told of files that could not be used.
    """

    def __init__(
        self, folder: Path, *, since: int = 0, say: Callable[[str], None] = _ignore
    ) -> None:
        self.folder = folder
        self._since = since
        self.say = say

    def read(self, key: Key) -> Entry | None:
        """The entry of a key; `None` if there is none, or none that can be used."""
        path = self.folder / key.file
        if not path.is_file() or path.stat().st_mtime_ns < self._since:
            return None
        try:
            return _decode(path.read_text(encoding="utf-8"), key)
        except (OSError, ValueError) as problem:
            self.say(f"{path}: not usable as evidence ({problem}); computed again")
            return None

    def alike(self, key: Key) -> Iterator[Entry]:
        """Entries that differ from a key in code and libraries alone, the youngest first."""
        folder = (self.folder / key.file).parent
        paths = [path for path in folder.glob(f"{key.slug}-*.json") if path.is_file()]
        for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True):
            try:
                text = path.read_text(encoding="utf-8")
                own = json.loads(text)["key"]
                yield _decode(text, replace(key, code=own["code"], libraries=own["libraries"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue

    def write(self, key: Key, entry: Entry) -> Entry:
        """Keep an entry.

        Returns:
            The entry as :meth:`read` will return it (JSON knows no tuples), so that a value is the
            same whether it was computed or recalled.

        Raises:
            TypeError: for a value that JSON cannot hold.
        """
        try:
            text = json.dumps({"key": asdict(key), **asdict(entry)}, indent=1, ensure_ascii=False)
        except TypeError as problem:
            raise TypeError(
                f"{key.name}: a stored result must be made of JSON types "
                f"(dict, list, str, float, int, bool, None): {problem}"
            ) from None
        files.write(self.folder / key.file, text)
        return _decode(text, key)


def now(folder: Path) -> int:
    """The time of a folder's clock, in ns: files written before are older, later ones are not.

    Another machine's clock, or a coarse one of the file system, is as good as any.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".clock.") as probe:
        path = Path(probe.name)
        first = path.stat().st_mtime_ns
        while path.stat().st_mtime_ns == first:
            time.sleep(0.001)
            path.touch()
        return path.stat().st_mtime_ns


def _decode(text: str, key: Key) -> Entry:
    stored = json.loads(text)
    if not isinstance(stored, dict) or not {"key", "value", "seconds", "parts"} <= stored.keys():
        raise ValueError("not an entry of this store")
    if stored["key"] != asdict(key):
        raise ValueError("it belongs to another key")
    try:
        parts = {str(name): float(seconds) for name, seconds in stored["parts"].items()}
        return Entry(stored["value"], float(stored["seconds"]), parts)
    except (AttributeError, TypeError) as problem:
        raise ValueError(f"times are not numbers: {problem}") from None
