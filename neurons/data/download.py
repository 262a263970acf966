"""Fetch the files of a set that are not here yet.

pooch transfers them; the check of size and SHA-256 and the renaming are ours, since
`pooch.retrieve` writes on its own log and lets a server send without end.
"""

import hashlib
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from neurons.data.registry import DataError, Entry, cache, check, entries, file_of, present

CHUNK = 1 << 18  # bytes


def fetch(name: str, folder: str | Path | None = None, *, timeout: float = 30.0) -> dict[str, Path]:
    """Download what is missing of a set, and check everything.

    A file arrives under a temporary name; only after its size and SHA-256 agree with the
    manifest is it renamed, in one step. A damaged file in the target folder is replaced; one
    in `$NEURONS_DATA` is reported, unless `folder` comes before it.

    Args:
        name: Name of the set.
        folder: Data folder to look in first and to write to; the user's cache by default.
        timeout: Longest silence of the server, in seconds.

    Returns:
        Path inside the set -> path on this machine, as `locate` gives it.

    Raises:
        ValueError: The name is no set.
        DataError: No network, no such page, a truncated or altered file, no space, no pooch.
    """
    target = Path(folder) if folder is not None else cache()
    return {
        file_of(entry, name): _obtain(entry, target, folder, timeout) for entry in entries(name)
    }


def download(entry: Entry, path: Path, *, timeout: float = 30.0) -> Path:
    """Download one file to `path`, which appears whole and checked or not at all.

    Raises:
        DataError: As for `fetch`.
    """
    if not entry.url:
        raise DataError(entry.path, "a public address", "none", f"put the file at {path} by hand")
    pooch = _pooch(entry)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=path.parent) as room:
            part = Path(room) / path.name
            with part.open("wb") as file:
                _transfer(pooch, entry, file, timeout)
            os.replace(part, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _obtain(entry: Entry, target: Path, folder: str | Path | None, timeout: float) -> Path:
    goal, here = target / entry.path, present(entry, folder)
    if here is None:
        return download(entry, goal, timeout=timeout)
    try:
        return check(here, entry)
    except DataError:
        if here != goal and folder is None:  # the damaged file would hide the cache's
            raise
        return download(entry, goal, timeout=timeout)


def _pooch(entry: Entry) -> ModuleType:
    try:
        import pooch
    except ImportError as error:
        install = 'pip install "neuron-companion[data]"'
        raise DataError(entry.path, "pooch to download it with", "none", install) from error
    return pooch


def _transfer(pooch: ModuleType, entry: Entry, file: IO[bytes], timeout: float) -> None:
    # The network's errors are OSErrors or, for an address that is none, ValueErrors; those of the
    # disk leave the sink as DataErrors.
    sink = _Sink(file, entry)
    with ExitStack() as answers:

        def close_later(answer: Any, **_: Any) -> None:  # pooch leaves a broken answer open
            answers.callback(answer.close)

        get = pooch.HTTPDownloader(
            chunk_size=CHUNK, timeout=timeout, hooks={"response": close_later}
        )
        try:
            get(entry.url, sink, None)
        except (OSError, ValueError) as error:
            raise _refused(entry, "an answer", f"{type(error).__name__}: {error}") from error
    if sink.size != entry.bytes:
        raise _refused(entry, f"{entry.bytes} bytes", f"{sink.size} bytes")
    if (found := sink.digest.hexdigest()) != entry.sha256:
        raise _refused(entry, f"SHA-256 {entry.sha256}", found)


class _Sink:
    """A file that counts and hashes what it is given, and takes no more than the entry's size."""

    def __init__(self, file: IO[bytes], entry: Entry) -> None:
        self.file, self.entry = file, entry
        self.size, self.digest = 0, hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.entry.bytes:  # a server that never ends is no trap
            raise _refused(self.entry, f"{self.entry.bytes} bytes", "more")
        self.digest.update(chunk)
        try:
            self.file.write(chunk)
        except OSError as error:
            raise _unwritable(self.file.name, error) from error

    def flush(self) -> None:
        """Nothing: pooch asks for it after every chunk, the file is flushed when it is closed."""


def _refused(entry: Entry, expected: str, found: str) -> DataError:
    way_out = "check the network and try again, or put the file into $NEURONS_DATA by hand"
    return DataError(entry.path, f"{expected} from {entry.url}", found, way_out)


def _unwritable(path: str | Path, error: OSError) -> DataError:
    return DataError(path, "a folder to write to", str(error), "choose another")
