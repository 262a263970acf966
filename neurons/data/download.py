"""Fetch the files of a set that are not here yet.

The standard library alone does it: one code path, tested against a local server.
"""

import hashlib
import os
import tempfile
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import urlopen

from neurons.data.registry import DataError, Entry, cache, check, entries, present

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
        DataError: No network, no such page, a truncated or altered file, no space.
    """
    target = Path(folder) if folder is not None else cache()
    return {entry.file: _obtain(entry, target, folder, timeout) for entry in entries(name)}


def download(entry: Entry, path: Path, *, timeout: float = 30.0) -> Path:
    """Download one file to `path`, which appears whole and checked or not at all.

    Raises:
        DataError: As for `fetch`.
    """
    if not entry.url:
        raise DataError(entry.path, "a public address", "none", f"put the file at {path} by hand")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=path.parent) as room:
            part = Path(room) / path.name
            _transfer(entry, part, timeout)
            os.replace(part, path)
    except OSError as error:
        raise DataError(path, "a folder to write to", str(error), "choose another") from error
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


def _transfer(entry: Entry, part: Path, timeout: float) -> None:
    # Errors of the network end here as DataError; those of the disk pass on as OSError.
    with part.open("wb") as sink:
        try:
            with urlopen(entry.url, timeout=timeout) as response:
                size, found = _copy(response, sink, entry.bytes)
        except HTTPError as error:
            error.close()
            raise _refused(
                entry, "an answer", f"HTTP status {error.code} {error.reason}"
            ) from error
        except (OSError, HTTPException, ValueError) as error:
            raise _refused(entry, "an answer", f"{type(error).__name__}: {error}") from error
    if size != entry.bytes:
        more = "more" if size > entry.bytes else f"{size} bytes"
        raise _refused(entry, f"{entry.bytes} bytes", more)
    if found != entry.sha256:
        raise _refused(entry, f"SHA-256 {entry.sha256}", found)


def _copy(response: HTTPResponse, sink: IO[bytes], limit: int) -> tuple[int, str]:
    # Reads at most one byte beyond the limit: a server that never ends is no trap.
    size, digest = 0, hashlib.sha256()
    while chunk := response.read(min(CHUNK, limit + 1 - size)):
        digest.update(chunk)
        sink.write(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _refused(entry: Entry, expected: str, found: str) -> DataError:
    way_out = "check the network and try again, or put the file into $NEURONS_DATA by hand"
    return DataError(entry.path, f"{expected} from {entry.url}", found, way_out)
