"""Arrays from safetensors files, the format of Hugging Face's weights: one file or several.

A file is the length of a header in eight bytes, the header (JSON: type, shape and place of every
array), and the arrays' bytes, little end first. Nothing in it can run. The arrays are views of the
file, read when they are used, so that networks larger than the memory can be looked at; and unlike
the NumPy half of the package `safetensors`, bfloat16 is read, as float32.

References:
    Hugging Face, https://github.com/huggingface/safetensors (format).
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurons.data.registry import DataError

Arrays = dict[str, NDArray[np.generic]]

LENGTH, MOST = 8, 100_000_000  # bytes of the header's length, and of the header at most
TYPES: Mapping[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4",
    "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
EXPECTED = "arrays in the safetensors format"
WAY_OUT = "put the original file there"
WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"


def read_safetensors(path: str | Path) -> Arrays:
    """Arrays by name.

    Args:
        path: A file; or a folder with `model.safetensors`, or with `model.safetensors.index.json`
            and the files it names.

    Returns:
        Name -> array, in the file's order; read-only views of the file, of the file's types.
        bfloat16 becomes float32, exactly, and is read at once.

    Raises:
        DataError: The file is missing, damaged, or holds another type of numbers: file, expected
            and found are named.
    """
    path = Path(path)
    if not path.is_dir():
        return _arrays(path)
    if (path / WHOLE).is_file() or not (path / INDEX).is_file():
        return _arrays(path / WHOLE)
    found: Arrays = {}
    for name in dict.fromkeys(_index(path / INDEX).values()):
        found.update(_arrays(path / name))
    return found


def _index(path: Path) -> dict[str, str]:
    """The file of every array; files lie beside the index and nowhere else."""
    try:
        named = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        files = {str(name): str(file) for name, file in named.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    outside = [file for file in files.values() if Path(file).name != file]
    if outside:
        raise _damaged(path, f"a file in another folder, {outside[0]!r}")
    return files


def _arrays(path: Path) -> Arrays:
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(LENGTH), "little")
            if not 2 <= length <= MOST:
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        content = np.memmap(path, np.uint8, "r", LENGTH + length)
        return {name: _array(entry, content) for name, entry in header.items()}
    # A damaged header ends in almost any exception of json's or NumPy's.
    except Exception as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def _array(entry: Mapping[str, Any], content: NDArray[np.uint8]) -> NDArray[np.generic]:
    kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in TYPES:
        raise ValueError(f"numbers of the type {kind}")
    dtype = np.dtype(TYPES[kind])
    if any(type(n) is not int or n < 0 for n in (*shape, begin, end)):
        raise ValueError(f"shape {shape} at {begin} to {end}")
    if end > len(content) or end - begin != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"bytes {begin} to {end} of {len(content)} for {kind} of shape {shape}")
    # A copy where the place is no multiple of the type's size: views must be aligned.
    part = content[begin:end]
    values = np.frombuffer(part.tobytes() if begin % dtype.itemsize else part, dtype)
    if kind == "BF16":  # the upper half of a float32
        values = (values.astype(np.uint32) << 16).view(np.float32)
    values = values.reshape(shape)
    values.flags.writeable = False
    return values


def _damaged(path: Path, found: str) -> DataError:
    return DataError(path, EXPECTED, found, WAY_OUT)
